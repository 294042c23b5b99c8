// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Token} from "./Token.sol";

/// A pool that emits what a Uniswap v2 pair emits, by the constant product. It
/// mints what it pays out: what matters is the logs.
contract PoolV2 {
    event Mint(address indexed sender, uint256 amount0, uint256 amount1);
    event Burn(address indexed sender, uint256 amount0, uint256 amount1, address indexed to);
    event Swap(
        address indexed sender,
        uint256 amount0In,
        uint256 amount1In,
        uint256 amount0Out,
        uint256 amount1Out,
        address indexed to
    );
    event Sync(uint112 reserve0, uint112 reserve1);

    Token public immutable token0;
    Token public immutable token1;
    uint112 private reserve0 = 1e24;
    uint112 private reserve1 = 2e24;

    constructor(Token a, Token b) {
        token0 = a;
        token1 = b;
    }

    function swap(uint112 amount0In, address to) external {
        uint112 out = uint112((uint256(amount0In) * reserve1) / (uint256(reserve0) + amount0In));
        reserve0 += amount0In;
        reserve1 -= out;
        token1.mint(to, out);
        emit Sync(reserve0, reserve1);
        emit Swap(msg.sender, amount0In, 0, 0, out, to);
    }

    function mint(uint112 amount0) external {
        uint112 amount1 = uint112((uint256(amount0) * reserve1) / reserve0);
        reserve0 += amount0;
        reserve1 += amount1;
        emit Sync(reserve0, reserve1);
        emit Mint(msg.sender, amount0, amount1);
    }

    function burn(uint112 amount0, address to) external {
        uint112 amount1 = uint112((uint256(amount0) * reserve1) / reserve0);
        reserve0 -= amount0;
        reserve1 -= amount1;
        token0.mint(to, amount0);
        token1.mint(to, amount1);
        emit Sync(reserve0, reserve1);
        emit Burn(msg.sender, amount0, amount1, to);
    }
}
