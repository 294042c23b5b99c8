// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// Attestations that emit what the Ethereum Attestation Service emits.
contract Attestations {
    event Attested(address indexed recipient, address indexed attester, bytes32 uid, bytes32 indexed schemaUID);
    event Revoked(address indexed recipient, address indexed attester, bytes32 uid, bytes32 indexed schemaUID);

    struct Attestation {
        bytes32 uid;
        bytes32 schema;
        address recipient;
    }

    uint256 private count;
    mapping(address => Attestation[]) private made;

    function attest(address recipient, bytes32 schema) external returns (bytes32 uid) {
        uid = keccak256(abi.encode(msg.sender, recipient, schema, ++count));
        made[msg.sender].push(Attestation(uid, schema, recipient));
        emit Attested(recipient, msg.sender, uid, schema);
    }

    /// Revokes the sender's latest attestation.
    function revoke() external {
        Attestation[] storage mine = made[msg.sender];
        Attestation memory last = mine[mine.length - 1];
        mine.pop();
        emit Revoked(last.recipient, msg.sender, last.uid, last.schema);
    }
}
