//! The exact answer for exponential delays: a Markov chain over the number of missing shards.

use crate::model::{Delay, Model};

/// Where a chain that lost the file goes.
pub const LOST: usize = usize::MAX;

/// The probability that the file is lost within a year that begins with all shards; `None` unless delays are exponential.
pub fn annual_loss(model: &Model) -> Option<f64> {
	let Delay::Exponential(delay) = model.delay else {
		return None;
	};
	let states = model.code.spare() as usize + 1;
	let known = |missing: usize| if missing < states { missing } else { LOST };
	let rates: Vec<_> =
		(0..states)
			.map(|missing| {
				let left = model.code.total as usize - missing;
				let mut row = Vec::new();
				if missing > 0 {
					row.push((missing - 1, missing as f64 / delay));
				}
				row.push((known(missing + 1), left as f64 * model.churn.loss_rate));
				if model.churn.shock_rate > 0.0 {
					let hits = (0..).zip(binomial(left, model.churn.shock_share)).skip(1);
					row.extend(hits.map(|(hit, probability)| {
						(known(missing + hit), model.churn.shock_rate * probability)
					}));
				}
				row
			})
			.collect();
	Some(absorbed(&rates))
}

/// The probability that a chain that begins in its first state is in [`LOST`] after a year, from the states to which each
/// state goes and the rates at which it does.
///
/// By uniformisation, which adds positive terms only, so that probabilities of any smallness keep their relative accuracy.
pub fn absorbed(rates: &[Vec<(usize, f64)>]) -> f64 {
	let leaving: Vec<f64> = rates
		.iter()
		.map(|row| row.iter().map(|(_, rate)| rate).sum())
		.collect();
	let fastest = leaving.iter().copied().fold(0.0, f64::max);
	if fastest == 0.0 {
		return 0.0;
	}

	// In a year come Poisson(fastest) steps, each of which moves the chain with probability rate / fastest.
	let mut present = vec![0.0; rates.len()];
	present[0] = 1.0;
	let mut lost = 0.0;
	let mut lost_in_a_year = 0.0;
	let mut log_weight = -fastest;
	let steps = (fastest + 14.0 * fastest.sqrt() + 64.0).ceil() as u32;
	for step in 1..=steps {
		let mut next = vec![0.0; rates.len()];
		for (state, (row, probability)) in rates.iter().zip(&present).enumerate() {
			next[state] += probability * (1.0 - leaving[state] / fastest);
			for (to, rate) in row {
				match next.get_mut(*to) {
					Some(next) => *next += probability * rate / fastest,
					None => lost += probability * rate / fastest,
				}
			}
		}
		present = next;
		log_weight += (fastest / f64::from(step)).ln();
		lost_in_a_year += log_weight.exp() * lost;
	}
	lost_in_a_year
}

/// The probabilities of 0, 1, … of `count` being hit, each with probability `share`.
fn binomial(count: usize, share: f64) -> Vec<f64> {
	let mut probabilities = vec![1.0];
	for _ in 0..count {
		let mut next = vec![0.0; probabilities.len() + 1];
		for (hit, probability) in probabilities.iter().enumerate() {
			next[hit] += probability * (1.0 - share);
			next[hit + 1] += probability * share;
		}
		probabilities = next;
	}
	probabilities
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::model::{Churn, Code};

	fn model(needed: u32, total: u32, churn: Churn, delay: f64) -> Model {
		Model {
			code: Code { needed, total },
			churn,
			delay: Delay::Exponential(delay),
		}
	}

	#[track_caller]
	fn assert_close(actual: f64, expected: f64, tolerance: f64) {
		assert!(
			(actual / expected - 1.0).abs() < tolerance,
			"{actual} against {expected}"
		);
	}

	#[test]
	fn without_spare_shards_the_first_loss_is_the_last() {
		// A code may not have n = k, but the chain can: the file lives while all four providers do.
		let churn = Churn::independent(0.1);
		let loss = annual_loss(&model(4, 4, churn, 0.01)).unwrap();
		assert_close(loss, 1.0 - 0.9f64.powi(4), 1e-12);
	}

	#[test]
	fn without_repair_it_is_binomial() {
		let churn = Churn::independent(0.2);
		let loss = annual_loss(&model(2, 5, churn, 1e15)).unwrap();
		let expected: f64 = binomial(5, 0.2)[4..].iter().sum();
		assert_close(loss, expected, 1e-9);
	}

	#[test]
	fn a_shock_that_takes_all_loses_all() {
		let churn = Churn {
			loss_rate: 0.0,
			shock_rate: 1.0,
			shock_share: 1.0,
		};
		let loss = annual_loss(&model(10, 16, churn, 0.01)).unwrap();
		assert_close(loss, 1.0 - (-1f64).exp(), 1e-12);
	}

	/// Two replicas: the classic approximation 2λ · λ/μ of a mirrored pair, good to a few times λ/μ.
	#[test]
	fn a_pair_of_replicas_is_a_mirror() {
		let churn = Churn::independent(0.01);
		let delay = 1e-4;
		let loss = annual_loss(&model(1, 2, churn, delay)).unwrap();
		assert_close(loss, 2.0 * churn.loss_rate * churn.loss_rate * delay, 1e-3);
	}

	/// Small probabilities keep their accuracy: the leading term of the loss rate for six spare shards.
	#[test]
	fn small_probabilities_are_accurate() {
		let churn = Churn::independent(0.2);
		let (lambda, delay) = (churn.loss_rate, 1e-6);
		let leading: f64 = (0..7)
			.map(|missing| f64::from(16 - missing) * lambda)
			.product::<f64>()
			* (1..7).map(|missing| delay / f64::from(missing)).product::<f64>();
		assert!(leading < 1e-30);
		assert_close(annual_loss(&model(10, 16, churn, delay)).unwrap(), leading, 1e-4);
	}

	#[test]
	fn other_delays_are_not_computed() {
		let mut model = model(10, 16, Churn::independent(0.2), 1.0);
		model.delay = Delay::Uniform {
			least: 0.1,
			most: 0.2,
		};
		assert_eq!(annual_loss(&model), None);
	}
}
