// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// A pool that emits what a Uniswap v3 pool emits, with signed numbers that move
/// up and down. It holds no tokens: what matters is the logs.
contract PoolV3 {
    event Mint(
        address sender,
        address indexed owner,
        int24 indexed tickLower,
        int24 indexed tickUpper,
        uint128 amount,
        uint256 amount0,
        uint256 amount1
    );
    event Burn(
        address indexed owner,
        int24 indexed tickLower,
        int24 indexed tickUpper,
        uint128 amount,
        uint256 amount0,
        uint256 amount1
    );
    event Swap(
        address indexed sender,
        address indexed recipient,
        int256 amount0,
        int256 amount1,
        uint160 sqrtPriceX96,
        uint128 liquidity,
        int24 tick
    );

    uint160 private sqrtPriceX96 = 1 << 96;
    uint128 private liquidity = 1e24;
    int24 private tick;

    function swap(int256 amount0, address recipient) external {
        int256 amount1 = (amount0 * -997) / 1000;
        tick += amount0 > 0 ? int24(-3) : int24(3);
        sqrtPriceX96 = amount0 > 0 ? sqrtPriceX96 - sqrtPriceX96 / 6667 : sqrtPriceX96 + sqrtPriceX96 / 6667;
        emit Swap(msg.sender, recipient, amount0, amount1, sqrtPriceX96, liquidity, tick);
    }

    function mint(int24 width, uint128 amount) external {
        liquidity += amount;
        emit Mint(msg.sender, msg.sender, tick - width, tick + width, amount, amount / 2, amount / 3);
    }

    function burn(int24 width, uint128 amount) external {
        liquidity -= amount;
        emit Burn(msg.sender, tick - width, tick + width, amount, amount / 2, amount / 3);
    }
}
