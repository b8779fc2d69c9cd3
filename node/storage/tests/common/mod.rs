//! A chain in memory with the rules of the storage market as far as a provider meets them, and owners and providers with
//! real stores, networks, shards and proofs.

#![allow(dead_code, unused_imports, reason = "each test binary uses a part")]

mod chain;
mod owner;
mod world;

pub use chain::{Call, ACTIVATION_BLOCKS, COLLATERAL_PER_MIB, REPAIR_BLOCKS, REPAIR_REWARD, WINDOW_BLOCKS};
pub use owner::{Owner, Upload};
pub use world::{account, World};
