//! What the tests of both simulations share.

use crate::{
	model::{Churn, Code, Delay, Model},
	simulation::Estimate,
};

pub(crate) fn model(needed: u32, total: u32, annual_loss: f64, delay: Delay) -> Model {
	Model {
		code: Code { needed, total },
		churn: Churn::independent(annual_loss),
		delay,
	}
}

/// Within four standard errors, and with an error that makes this say something.
#[track_caller]
pub(crate) fn assert_agrees(estimate: Estimate, expected: f64, relative_error: f64) {
	assert!(
		(estimate.mean - expected).abs() < 4.0 * estimate.error,
		"{estimate:?} against {expected}"
	);
	assert!(
		estimate.error < relative_error * expected,
		"{estimate:?} is too coarse"
	);
}
