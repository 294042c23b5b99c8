// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// A collection that behaves like an ERC-721. Anybody may mint.
contract Collectible {
    event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);
    event Approval(address indexed owner, address indexed approved, uint256 indexed tokenId);
    event ApprovalForAll(address indexed owner, address indexed operator, bool approved);

    uint256 public last;
    mapping(uint256 => address) public ownerOf;
    mapping(address => uint256[]) private held;

    function mint(address to) external {
        uint256 id = ++last;
        ownerOf[id] = to;
        held[to].push(id);
        emit Transfer(address(0), to, id);
    }

    /// Hands on the token that the sender received last, as transferFrom would.
    function hand(address to) external {
        uint256[] storage mine = held[msg.sender];
        uint256 id = mine[mine.length - 1];
        mine.pop();
        held[to].push(id);
        ownerOf[id] = to;
        emit Approval(msg.sender, address(0), id);
        emit Transfer(msg.sender, to, id);
    }

    function setApprovalForAll(address operator, bool approved) external {
        emit ApprovalForAll(msg.sender, operator, approved);
    }
}
