//! Shards that lie in regions, each of which can be lost as a whole: what a limit to the shards in one region is worth.
//!
//! A region stands for whatever takes all providers in it at once and for good: a place, an operator with many accounts,
//! a maker of disks. Regions are lost at a constant rate, independently of each other. A lost region's shards are rebuilt
//! under the same limit, so the regions that a file lies in can be hit again.

use std::{cmp::Reverse, collections::HashMap};

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::{
	chain::{absorbed, LOST},
	model::{Delay, Model},
	simulation::{exponential, Estimate, Repairs},
};

/// How the shards of a file lie in regions.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Placement {
	/// The most shards in one region.
	pub most: u32,
	/// The rate at which a region is lost.
	pub region_rate: f64,
}

impl Placement {
	/// The shards in each region: as many as there may be, and the rest in a last one.
	pub fn regions(&self, model: &Model) -> Vec<u32> {
		let total = model.code.total;
		let mut regions = vec![self.most; (total / self.most) as usize];
		regions.extend(Some(total % self.most).filter(|rest| *rest > 0));
		regions
	}

	/// The probability that the file is lost within a year that begins with all shards; `None` unless delays are
	/// exponential. Shocks of the model are left out.
	///
	/// The exact solution of a Markov chain over the shards that are missing in each region; regions of one size need not
	/// be told apart. Of shards that are lost together, exponential delays bring some back early: bounded ones with the
	/// same mean lose more files.
	pub fn annual_loss(&self, model: &Model) -> Option<f64> {
		let Delay::Exponential(delay) = model.delay else {
			return None;
		};
		let regions = self.regions(model);
		let mut numbers = HashMap::from([(vec![0; regions.len()], 0)]);
		let mut states = vec![vec![0; regions.len()]];
		let mut rates: Vec<Vec<(usize, f64)>> = Vec::new();
		while let Some(state) = states.get(rates.len()).cloned() {
			let mut row = Vec::new();
			let mut go = |region: usize, missing: u32, rate: f64| {
				let mut next = state.clone();
				next[region] = missing;
				if next.iter().sum::<u32>() > model.code.spare() {
					return row.push((LOST, rate));
				}
				let full = regions.iter().filter(|shards| **shards == self.most).count();
				next[..full].sort_unstable();
				let number = *numbers.entry(next.clone()).or_insert(states.len());
				if number == states.len() {
					states.push(next);
				}
				row.push((number, rate));
			};
			for (region, (missing, shards)) in state.iter().zip(&regions).enumerate() {
				let left = shards - missing;
				if *missing > 0 {
					go(region, missing - 1, f64::from(*missing) / delay);
				}
				if left > 0 {
					go(region, missing + 1, f64::from(left) * model.churn.loss_rate);
					go(region, *shards, self.region_rate);
				}
			}
			rates.push(row);
		}
		Some(absorbed(&rates))
	}

	/// The same from `years` simulated ones, for frequent losses.
	pub fn plain(&self, model: &Model, years: u64, seed: u64) -> Estimate {
		Estimate::of(years, seed, |rng| {
			let mut file = Spread::new(self, model);
			loop {
				match file.step(1.0, rng) {
					Step::Lost => return 1.0,
					Step::End => return 0.0,
					Step::Repaired | Step::Missing => (),
				}
			}
		})
	}

	/// The same for losses of any rarity, from `cycles` spells of missing shards, by importance sampling: as
	/// [`crate::simulation::importance`], with regions that are lost more often than in truth as well.
	pub fn importance(&self, model: &Model, cycles: u64, seed: u64) -> Estimate {
		let loss = Estimate::of(cycles, seed, |rng| {
			let mut file = Spread::new(self, model);
			file.forced = true;
			loop {
				match file.step(f64::INFINITY, rng) {
					Step::Lost => return file.log_weight.exp(),
					Step::Repaired | Step::End => return 0.0,
					Step::Missing => (),
				}
			}
		});
		let spell = Estimate::of(cycles.min(100_000), seed ^ 1, |rng| {
			let mut file = Spread::new(self, model);
			file.step(f64::INFINITY, rng);
			let begun = file.now;
			loop {
				match file.step(f64::INFINITY, rng) {
					Step::Missing => (),
					Step::Lost | Step::Repaired | Step::End => return file.now - begun,
				}
			}
		});
		let first = f64::from(model.code.total) * model.churn.loss_rate
			+ self.regions(model).len() as f64 * self.region_rate;
		let cycle = 1.0 / first + spell.mean;
		let (rate, error) = (loss.mean / cycle, loss.error / cycle);
		Estimate {
			mean: -(-rate).exp_m1(),
			error: error * (-rate).exp(),
		}
	}
}

/// What a step led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
	/// Fewer shards are left than needed.
	Lost,
	/// All shards are there again.
	Repaired,
	/// Some are missing.
	Missing,
	/// The time is over.
	End,
}

/// A file's life in regions.
struct Spread<'a> {
	model: &'a Model,
	region_rate: f64,
	now: f64,
	/// Shards that are there, region by region.
	left: Vec<u32>,
	/// When each missing shard is back, and where.
	repairs: Repairs<usize>,
	/// Whether losses come more often than in truth.
	forced: bool,
	/// Logarithm of the ratio of the true to the simulated probability of what happened.
	log_weight: f64,
}

impl<'a> Spread<'a> {
	fn new(placement: &Placement, model: &'a Model) -> Self {
		Self {
			model,
			region_rate: placement.region_rate,
			now: 0.0,
			left: placement.regions(model),
			repairs: Repairs::new(),
			forced: false,
			log_weight: 0.0,
		}
	}

	/// The rates at which single shards and regions are lost in the simulation, from the true ones. While shards are
	/// missing both are raised so far that the loss of the file is no rare event. The first loss of a spell is as likely
	/// to be a region's as a shard's, and comes at the true rate.
	fn simulated(&self, single: f64, region: f64) -> (f64, f64) {
		if !self.forced {
			return (single, region);
		}
		if self.repairs.is_empty() {
			let half = (single + region) / 2.0;
			return (half, half);
		}
		let mean = self.model.delay.mean();
		let (shards, regions) = match self.model.delay {
			Delay::Uniform { .. } => (f64::from(self.model.code.spare()) / mean, 1.0 / mean),
			Delay::Exponential(_) => {
				let repairs = self.repairs.len() as f64 / mean;
				(0.4 * repairs, 0.1 * repairs)
			}
		};
		(single.max(shards), region.max(regions))
	}

	fn lose(&mut self, region: usize, shards: u32, rng: &mut ChaCha8Rng) {
		self.left[region] -= shards;
		for _ in 0..shards {
			let back = self.now + self.model.delay.draw(rng);
			self.repairs.push(Reverse((back.into(), region)));
		}
	}

	/// Goes on to the next loss or repair, or to `end` if that comes first.
	fn step(&mut self, end: f64, rng: &mut ChaCha8Rng) -> Step {
		let left: u32 = self.left.iter().sum();
		let standing: Vec<usize> = (0..self.left.len())
			.filter(|region| self.left[*region] > 0)
			.collect();
		let single = f64::from(left) * self.model.churn.loss_rate;
		let region = standing.len() as f64 * self.region_rate;
		let (forced_single, forced_region) = self.simulated(single, region);
		let rate = forced_single + forced_region;
		let loss = self.now + exponential(rng) / rate;
		let repair = self
			.repairs
			.peek()
			.map_or(f64::INFINITY, |Reverse((time, _))| time.value());
		let next = loss.min(repair).min(end);
		self.log_weight += (rate - single - region) * (next - self.now);
		self.now = next;
		if next == end {
			return Step::End;
		}
		if next == repair {
			if let Some(Reverse((_, region))) = self.repairs.pop() {
				self.left[region] += 1;
			}
		} else if rng.gen::<f64>() * rate < forced_region {
			self.log_weight += (region / forced_region).ln();
			let hit = standing[rng.gen_range(0..standing.len())];
			self.lose(hit, self.left[hit], rng);
		} else {
			self.log_weight += (single / forced_single).ln();
			let mut shard = rng.gen_range(0..left);
			let hit = self.left.iter().position(|left| match shard.checked_sub(*left) {
				Some(rest) => {
					shard = rest;
					false
				}
				None => true,
			});
			self.lose(hit.unwrap_or_default(), 1, rng);
		}
		if self.left.iter().sum::<u32>() < self.model.code.needed {
			Step::Lost
		} else if self.repairs.is_empty() {
			Step::Repaired
		} else {
			Step::Missing
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		chain,
		testing::{assert_agrees, model},
	};

	#[test]
	fn shards_fill_regions() {
		let model = model(10, 16, 0.2, Delay::Exponential(0.01));
		let regions = |most| {
			let region_rate = 0.1;
			Placement { most, region_rate }.regions(&model)
		};
		assert_eq!(regions(1), [1; 16]);
		assert_eq!(regions(3), [3, 3, 3, 3, 3, 1]);
		assert_eq!(regions(16), [16]);
		assert_eq!(regions(40), [16]);
	}

	/// With a shard a region, the loss of a region is one more way to lose a shard.
	#[test]
	fn one_shard_a_region_adds_to_the_churn() {
		let mut model = model(10, 16, 0.2, Delay::Exponential(0.004));
		let spread = Placement {
			most: 1,
			region_rate: 0.1,
		};
		let loss = spread.annual_loss(&model).unwrap();
		model.churn.loss_rate += 0.1;
		let expected = chain::annual_loss(&model).unwrap();
		assert!((loss / expected - 1.0).abs() < 1e-9, "{loss} against {expected}");
	}

	/// All in one region: the file is lost with the region, whatever the code.
	#[test]
	fn all_in_one_region_is_lost_with_it() {
		let model = model(10, 16, 0.01, Delay::Exponential(0.001));
		let together = Placement {
			most: 16,
			region_rate: 0.1,
		};
		let loss = together.annual_loss(&model).unwrap();
		assert!((loss - (1.0 - (-0.1f64).exp())).abs() < 1e-9, "{loss}");
	}

	#[test]
	fn plain_years_agree_with_the_chain() {
		for (most, region_rate) in [(1, 1.0), (2, 1.0), (3, 0.5), (6, 0.3)] {
			let model = model(10, 16, 0.9, Delay::Exponential(0.05));
			let placement = Placement { most, region_rate };
			let exact = placement.annual_loss(&model).unwrap();
			assert!((0.01..0.9).contains(&exact), "{exact}");
			assert_agrees(placement.plain(&model, 50_000, 1), exact, 0.05);
		}
	}

	#[test]
	fn importance_sampling_agrees_with_the_chain() {
		let model = model(10, 16, 0.2, Delay::Exponential(0.005));
		for most in [1, 2, 3, 6] {
			let region_rate = 0.05;
			let placement = Placement { most, region_rate };
			let exact = placement.annual_loss(&model).unwrap();
			assert_agrees(placement.importance(&model, 400_000, 2), exact, 0.2);
		}
	}

	#[test]
	fn importance_sampling_agrees_with_plain_years_for_bounded_delays() {
		for (most, region_rate, delay) in [(1, 0.5, 0.02), (2, 0.5, 0.02), (3, 0.3, 0.01), (6, 0.2, 0.005)] {
			let delay = Delay::Uniform {
				least: delay,
				most: 1.3 * delay,
			};
			let model = model(10, 16, 0.9, delay);
			let placement = Placement { most, region_rate };
			let years = placement.plain(&model, 200_000, 3);
			let cycles = placement.importance(&model, 200_000, 4);
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

	/// Of shards that are lost together some are back early if delays are exponential, and none if they are bounded. So the
	/// mean of the delays is not all that matters here, and the chain flatters.
	#[test]
	fn the_chain_flatters_shards_that_are_lost_together() {
		let bounded = Delay::Uniform {
			least: 1.8e-4,
			most: 2.2e-4,
		};
		let placement = Placement {
			most: 3,
			region_rate: 0.05,
		};
		let exponential = model(10, 16, 0.2, Delay::Exponential(bounded.mean()));
		let chain = placement.annual_loss(&exponential).unwrap();
		let simulated = placement.importance(&model(10, 16, 0.2, bounded), 400_000, 5);
		assert!(
			simulated.interval().0 > 2.0 * chain,
			"{simulated:?} against {chain}"
		);
	}

	#[test]
	fn other_delays_have_no_chain() {
		let delay = Delay::Uniform {
			least: 0.1,
			most: 0.2,
		};
		let placement = Placement {
			most: 2,
			region_rate: 0.1,
		};
		assert_eq!(placement.annual_loss(&model(10, 16, 0.2, delay)), None);
	}
}
