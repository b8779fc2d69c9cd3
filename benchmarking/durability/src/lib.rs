//! How durable stored files are: loss and repair of shards at a stated churn, for several codes.
//!
//! Eleven nines are out of reach of plain simulation, so there are three methods, which tests hold together: plain years
//! (for high churn), importance sampling (with the delays as they are) and Markov chains (exact for exponential delays,
//! and with correlated losses).
//!
//! - [`Parameters`]: what is assumed; its default is what the chain's initial parameters allow at worst.
//! - [`Parameters::independent`]: providers that are lost one by one.
//! - [`Parameters::placed`]: regions that are lost as a whole, with a limit to the shards in one.
//! - [`Parameters::report`]: all of it, as text.

#![warn(missing_docs)]

mod chain;
mod model;
mod placement;
mod report;
mod simulation;
#[cfg(test)]
mod testing;

pub use model::{nines, Churn, Code, Delay, YEAR_HOURS};
pub use placement::Placement;
pub use report::{Independent, Parameters, Placed, MOST_IN_A_REGION, REGION_LOSSES};
pub use simulation::Estimate;
