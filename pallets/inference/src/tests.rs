//! Tests, one file a concern. Each runs in a chain of its own whose invariants are checked after it.

mod authorization;
mod bad_results;
mod batches;
mod committed_weights;
mod conservation;
mod deadlines;
mod offchain;
mod real_proofs;
mod requests;
mod settlement;
mod try_state;
mod workers;
