//! Tests, one file a concern. Each runs in a chain of its own whose invariants are checked after it.

mod access;
mod conservation;
mod faults;
mod hostile;
mod market;
mod orders;
mod possession;
mod providers;
mod repair;
mod sales;
mod scale;
mod settlement;
mod try_state;
