//! The node's storage provider: the service of `opensand-storage` over this node's chain, pool and keys.

pub mod agent;
pub mod params;
pub mod rpc;
