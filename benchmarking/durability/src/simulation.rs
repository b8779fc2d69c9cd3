//! Monte Carlo: whole years, for high churn, and importance sampling, for losses that no number of plain years would show.

use std::{cmp::Reverse, collections::BinaryHeap};

use rand::{distributions::Open01, Rng, RngCore};
use rand_chacha::{rand_core::SeedableRng, ChaCha8Rng};
use rayon::prelude::*;

use crate::model::{Delay, Model};

/// Runs that share a random stream. Results depend on the seed and the number of runs, never on the machine.
const RUNS_PER_STREAM: u64 = 10_000;

/// An estimate of a mean.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Estimate {
	/// The sample mean.
	pub mean: f64,
	/// Its standard error.
	pub error: f64,
}

impl Estimate {
	/// The 95 % confidence interval.
	pub fn interval(&self) -> (f64, f64) {
		(
			(self.mean - 1.96 * self.error).max(0.0),
			self.mean + 1.96 * self.error,
		)
	}

	/// The mean of `runs` values.
	pub(crate) fn of(runs: u64, seed: u64, run: impl Fn(&mut ChaCha8Rng) -> f64 + Sync) -> Self {
		let streams: Vec<(f64, f64)> = (0..runs.div_ceil(RUNS_PER_STREAM))
			.into_par_iter()
			.map(|stream| {
				let mut rng = ChaCha8Rng::seed_from_u64(seed);
				rng.set_stream(stream);
				let count = RUNS_PER_STREAM.min(runs - stream * RUNS_PER_STREAM);
				(0..count).fold((0.0, 0.0), |(sum, squares), _| {
					let value = run(&mut rng);
					(sum + value, squares + value * value)
				})
			})
			.collect();
		let (sum, squares) = streams.iter().fold((0.0, 0.0), |(sum, squares), stream| {
			(sum + stream.0, squares + stream.1)
		});
		let mean = sum / runs as f64;
		let variance = (squares / runs as f64 - mean * mean).max(0.0);
		Self {
			mean,
			error: (variance / runs as f64).sqrt(),
		}
	}
}

/// The probability that a file is lost within a year that begins with all shards, from `years` simulated ones.
pub fn plain(model: &Model, years: u64, seed: u64) -> Estimate {
	Estimate::of(years, seed, |rng| {
		let mut file = File::new(model);
		while file.now < 1.0 {
			if file.step(1.0, rng) == Step::Lost {
				return 1.0;
			}
		}
		0.0
	})
}

/// The same for losses of any rarity, from `cycles` spells of missing shards; `None` if there are shocks, whose large hits
/// this does not make more frequent.
///
/// While shards are missing, providers are lost faster than in truth ([`File::forced_rate`]). Each spell is weighted with
/// the ratio of its true to its simulated probability, which keeps the mean right. The file's loss rate is a spell's
/// probability of losing it over the mean time from spell to spell (renewal-reward).
pub fn importance(model: &Model, cycles: u64, seed: u64) -> Option<Estimate> {
	if model.churn.shock_rate > 0.0 {
		return None;
	}
	let first = f64::from(model.code.total) * model.churn.loss_rate;
	// Weights are kept near 1, for their squares could be too small for a float: this is the leading term of their mean.
	let scale: f64 = (1..=model.code.spare())
		.map(|missing| {
			let left = f64::from(model.code.total - missing);
			(left * model.churn.loss_rate * model.delay.mean() / f64::from(missing)).ln()
		})
		.sum();
	let loss = Estimate::of(cycles, seed, |rng| {
		let mut file = File::new(model);
		file.forced = true;
		file.lose(1, rng);
		loop {
			match file.spell_step(rng) {
				Step::Lost => return (file.log_weight - scale).exp(),
				Step::Repaired => return 0.0,
				Step::Missing => (),
			}
		}
	});
	// Spells as they are in truth; another stream of randomness. Losses end a spell, which is what the cycle's length needs.
	let spell = Estimate::of(cycles.min(100_000), seed ^ 1, |rng| {
		let mut file = File::new(model);
		file.lose(1, rng);
		loop {
			match file.spell_step(rng) {
				Step::Lost | Step::Repaired => return file.now,
				Step::Missing => (),
			}
		}
	});
	let cycle = 1.0 / first + spell.mean;
	let (rate, error) = (loss.mean * scale.exp() / cycle, loss.error * scale.exp() / cycle);
	Some(Estimate {
		mean: -(-rate).exp_m1(),
		error: error * (-rate).exp(),
	})
}

/// What a step led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
	/// Fewer shards are left than needed.
	Lost,
	/// All shards are there.
	Repaired,
	/// Some are missing.
	Missing,
}

/// A file's life.
struct File<'a> {
	model: &'a Model,
	now: f64,
	/// When each missing shard is back.
	repairs: Repairs<()>,
	/// Whether providers are lost faster than in truth while shards are missing.
	forced: bool,
	/// Logarithm of the ratio of the true to the simulated probability of what happened.
	log_weight: f64,
}

/// When missing shards are back, the next one on top, each with what is known of it.
pub(crate) type Repairs<T> = BinaryHeap<Reverse<(Instant, T)>>;

/// A time that can be sorted.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Instant(f64);

impl Instant {
	/// The time, in years.
	pub(crate) fn value(self) -> f64 {
		self.0
	}
}

impl From<f64> for Instant {
	fn from(time: f64) -> Self {
		Self(time)
	}
}

impl Eq for Instant {}

impl PartialOrd for Instant {
	fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
		Some(self.cmp(other))
	}
}

impl Ord for Instant {
	fn cmp(&self, other: &Self) -> std::cmp::Ordering {
		self.0.total_cmp(&other.0)
	}
}

impl<'a> File<'a> {
	fn new(model: &'a Model) -> Self {
		Self {
			model,
			now: 0.0,
			repairs: Repairs::new(),
			forced: false,
			log_weight: 0.0,
		}
	}

	fn left(&self) -> u32 {
		self.model.code.total - self.repairs.len() as u32
	}

	/// Takes shards away, each of which is rebuilt after a delay.
	fn lose(&mut self, shards: u32, rng: &mut impl RngCore) {
		for _ in 0..shards {
			let back = self.now + self.model.delay.draw(rng);
			self.repairs.push(Reverse((back.into(), ())));
		}
	}

	fn state(&self) -> Step {
		if self.left() < self.model.code.needed {
			Step::Lost
		} else if self.repairs.is_empty() {
			Step::Repaired
		} else {
			Step::Missing
		}
	}

	/// The rate at which providers should be lost, so that the loss of the file is no rare event: with delays that have a
	/// bound, the spare shards in about one delay; with exponential ones half the rate of repairs, because from that rate
	/// on the weights of the longest spells have no variance.
	fn forced_rate(&self) -> f64 {
		match self.model.delay {
			_ if self.repairs.is_empty() => 0.0,
			Delay::Uniform { .. } => f64::from(self.model.code.spare()) / self.model.delay.mean(),
			Delay::Exponential(mean) => 0.5 * self.repairs.len() as f64 / mean,
		}
	}

	/// The next event of a spell, which has no end but loss or repair.
	fn spell_step(&mut self, rng: &mut impl RngCore) -> Step {
		self.step(f64::INFINITY, rng)
	}

	/// Goes on to the next loss or repair, or to `end` if that comes first.
	fn step(&mut self, end: f64, rng: &mut impl RngCore) -> Step {
		let churn = &self.model.churn;
		let single = f64::from(self.left()) * churn.loss_rate;
		let simulated = if self.forced {
			single.max(self.forced_rate())
		} else {
			single
		};
		let rate = simulated + churn.shock_rate;
		// Losses have no memory, so what was drawn before the last event need not be kept.
		let loss = self.now + exponential(rng) / rate;
		let repair = self
			.repairs
			.peek()
			.map_or(f64::INFINITY, |Reverse((time, ()))| time.value());
		let next = loss.min(repair).min(end);
		self.log_weight += (simulated - single) * (next - self.now);
		self.now = next;
		if next == end {
			return self.state();
		}
		if next == repair {
			self.repairs.pop();
			return self.state();
		}
		if rng.gen::<f64>() * rate < churn.shock_rate {
			let hit = (0..self.left())
				.filter(|_| rng.gen::<f64>() < churn.shock_share)
				.count();
			self.lose(hit as u32, rng);
		} else {
			self.log_weight += (single / simulated).ln();
			self.lose(1, rng);
		}
		self.state()
	}
}

/// Exponential with mean 1.
pub(crate) fn exponential(rng: &mut impl RngCore) -> f64 {
	-rng.sample::<f64, _>(Open01).ln()
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		chain,
		testing::{assert_agrees, model},
	};

	#[test]
	fn plain_years_agree_with_the_chain_at_high_churn() {
		for (needed, total, annual_loss, delay) in [(2, 4, 0.9, 0.05), (10, 16, 0.95, 0.08), (1, 3, 0.8, 0.1)]
		{
			let model = model(needed, total, annual_loss, Delay::Exponential(delay));
			let exact = chain::annual_loss(&model).unwrap();
			assert!((0.01..0.9).contains(&exact), "{exact}");
			assert_agrees(plain(&model, 100_000, 1), exact, 0.05);
		}
	}

	#[test]
	fn plain_years_agree_with_the_chain_under_shocks() {
		let mut model = model(10, 16, 0.5, Delay::Exponential(0.05));
		model.churn.shock_rate = 2.0;
		model.churn.shock_share = 0.25;
		let exact = chain::annual_loss(&model).unwrap();
		assert!((0.01..0.9).contains(&exact), "{exact}");
		assert_agrees(plain(&model, 100_000, 2), exact, 0.05);
		assert_eq!(importance(&model, 10, 2), None);
	}

	#[test]
	fn importance_sampling_agrees_with_the_chain_where_plain_years_show_nothing() {
		for (needed, total, annual_loss, delay) in [
			(10, 16, 0.2, 0.005),
			(4, 8, 0.1, 0.005),
			(1, 3, 0.1, 0.002),
			(1, 4, 0.05, 0.001),
		] {
			let model = model(needed, total, annual_loss, Delay::Exponential(delay));
			let exact = chain::annual_loss(&model).unwrap();
			assert!(exact < 1e-6, "{exact}");
			assert_agrees(importance(&model, 1_000_000, 3).unwrap(), exact, 0.1);
			assert_eq!(plain(&model, 10_000, 3).mean, 0.0);
		}
	}

	/// For rare losses only the mean of the delays matters (as in Erlang's loss formula), so the chain, which is exact for
	/// exponential ones, says what bounded ones lead to.
	#[test]
	fn importance_sampling_of_bounded_delays_agrees_with_the_chain() {
		for (needed, total) in [(10, 16), (29, 80), (1, 3)] {
			let delay = Delay::Uniform {
				least: 1.8e-4,
				most: 2.2e-4,
			};
			let bounded = model(needed, total, 0.2, delay);
			let exponential = model(needed, total, 0.2, Delay::Exponential(delay.mean()));
			let exact = chain::annual_loss(&exponential).unwrap();
			let estimate = importance(&bounded, 400_000, 6).unwrap();
			assert_agrees(estimate, exact, 0.05);
		}
	}

	#[test]
	fn importance_sampling_agrees_with_plain_years_for_bounded_delays() {
		for (needed, total, annual_loss, delay) in
			[(2, 4, 0.6, 0.03), (10, 16, 0.95, 0.02), (1, 2, 0.3, 0.03)]
		{
			let delay = Delay::Uniform {
				least: delay,
				most: 1.3 * delay,
			};
			let model = model(needed, total, annual_loss, delay);
			let years = plain(&model, 200_000, 4);
			let cycles = importance(&model, 200_000, 5).unwrap();
			let error = years.error.hypot(cycles.error);
			// The year begins with all shards, the renewal process in its middle: worth at most about two delays.
			let start = years.mean * 2.0 * model.delay.mean();
			assert!(
				(years.mean - cycles.mean).abs() < 4.0 * error + start,
				"{years:?} against {cycles:?}"
			);
			assert!(error < 0.1 * years.mean, "{years:?}, {cycles:?}");
		}
	}

	#[test]
	fn a_seed_gives_one_result() {
		let model = model(2, 4, 0.9, Delay::Exponential(0.05));
		assert_eq!(plain(&model, 25_000, 7), plain(&model, 25_000, 7));
		assert_ne!(plain(&model, 25_000, 7).mean, plain(&model, 25_000, 8).mean);
		assert_eq!(importance(&model, 25_000, 7), importance(&model, 25_000, 7));
	}
}
