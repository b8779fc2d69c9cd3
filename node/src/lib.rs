//! The OpenSand node: command line, chain specifications, and the services that run the chain.
//!
//! Start reading at [`command::run`], which turns the command line into an action, and at
//! [`service::new_full`], which turns a configuration into a running node.

#![warn(missing_docs)]
// The SDK's error types are large, and its traits want them unboxed.
#![allow(clippy::result_large_err)]

pub mod chain_spec;
pub mod cli;
pub mod command;
pub mod errors;
pub mod executor;
pub mod prover;
pub mod rpc;
pub mod service;
pub mod session_keys;
pub mod storage;
