//! Identifiers that pallets exchange. They are opaque: nothing may be read out of their bits.

use sp_core::H256;

/// BLAKE2-256 of an encoded architecture (`opensand-nn`).
pub type ArchitectureId = H256;
/// A registered model: BLAKE2-256 over its architecture, its weights and its owner.
pub type ModelId = H256;
/// BLAKE2-256 of an encoded verifying key (`opensand-zk-verifier`).
pub type KeyId = H256;
/// A paid inference request; ids are handed out in order and never reused.
pub type RequestId = u64;
