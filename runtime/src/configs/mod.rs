//! The pallets' configuration, one file a concern.

pub mod accounts;
pub mod ai;
pub mod consensus;
pub mod governance;
pub mod staking;
pub mod storage;
pub mod system;
pub mod treasury;
pub mod voter_bags;

pub use system::{RuntimeBlockLength, RuntimeBlockWeights};
