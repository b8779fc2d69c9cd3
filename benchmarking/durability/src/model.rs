//! What is simulated: one file, whose shards lie with providers that leave for good, and are rebuilt elsewhere.
//!
//! - A provider is lost at a constant rate, independent of the others and of its age. Besides, *shocks* come at a
//!   constant rate, each of which takes every provider with a certain probability: an operator behind several accounts, a
//!   region, a bad release.
//! - A lost shard is noticed and rebuilt after a delay, during which it is missing. Each missing shard has a delay of its
//!   own: repairs do not wait for each other.
//! - The file is lost when fewer shards are left than its code needs.
//!
//! Times are in years, rates in events a year.

use std::{fmt, str::FromStr};

use rand::{Rng, RngCore};

use crate::simulation::exponential;

/// Hours of a year.
pub const YEAR_HOURS: f64 = 8766.0;

/// A code: any `needed` of `total` shards restore the file. Replicas are a code that needs one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
	/// Shards that suffice.
	pub needed: u32,
	/// Shards in all.
	pub total: u32,
}

impl Code {
	/// Bytes stored for a byte of the file.
	pub fn expansion(&self) -> f64 {
		f64::from(self.total) / f64::from(self.needed)
	}

	/// Shards that may be missing.
	pub fn spare(&self) -> u32 {
		self.total - self.needed
	}
}

impl fmt::Display for Code {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{} of {}", self.needed, self.total)
	}
}

impl FromStr for Code {
	type Err = String;

	/// Reads `10/16`.
	fn from_str(text: &str) -> Result<Self, String> {
		let number = |part: &str| part.parse::<u32>().ok();
		text.split_once('/')
			.and_then(|(needed, total)| Some((number(needed)?, number(total)?)))
			.filter(|(needed, total)| *needed >= 1 && needed < total && *total <= 256)
			.map(|(needed, total)| Self { needed, total })
			.ok_or_else(|| format!("{text:?} is no code such as 10/16, with 1 ≤ needed < total ≤ 256"))
	}
}

/// How providers are lost.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Churn {
	/// The rate at which a single provider is lost.
	pub loss_rate: f64,
	/// The rate of shocks.
	pub shock_rate: f64,
	/// The probability that a shock takes a provider.
	pub shock_share: f64,
}

impl Churn {
	/// Independent losses of the fraction `annual_loss` of all providers a year, and no shocks.
	pub fn independent(annual_loss: f64) -> Self {
		Self {
			loss_rate: -(-annual_loss).ln_1p(),
			shock_rate: 0.0,
			shock_share: 0.0,
		}
	}
}

/// How long a lost shard is missing.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Delay {
	/// As it happens: the fault limit's windows pass, the one in which the provider was lost being begun, then the repair
	/// takes its time. Uniform between `least` and `most`.
	Uniform {
		/// If the provider is lost just before its proof.
		least: f64,
		/// If it is lost just after it.
		most: f64,
	},
	/// Exponential with this mean: what the Markov chain can compute.
	Exponential(f64),
}

impl Delay {
	/// Its mean.
	pub fn mean(&self) -> f64 {
		match self {
			Self::Uniform { least, most } => (least + most) / 2.0,
			Self::Exponential(mean) => *mean,
		}
	}

	/// One delay.
	pub(crate) fn draw(&self, rng: &mut impl RngCore) -> f64 {
		match self {
			Self::Uniform { least, most } => least + (most - least) * rng.gen::<f64>(),
			Self::Exponential(mean) => mean * exponential(rng),
		}
	}
}

/// A file's fate.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Model {
	/// Its code.
	pub code: Code,
	/// How providers are lost.
	pub churn: Churn,
	/// How long a lost shard is missing.
	pub delay: Delay,
}

/// Nines of durability: 11 if one of 10^11 files is lost a year.
pub fn nines(annual_loss: f64) -> f64 {
	-annual_loss.log10()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn codes_are_read() {
		let code: Code = "29/80".parse().unwrap();
		assert_eq!((code.needed, code.total, code.spare()), (29, 80, 51));
		assert!((code.expansion() - 2.7586).abs() < 1e-4);
		for bad in ["", "10", "10/10", "0/4", "16/10", "10/16/20", "-1/2", "10/257"] {
			assert!(bad.parse::<Code>().is_err(), "{bad:?}");
		}
	}

	#[test]
	fn annual_losses_become_rates() {
		let churn = Churn::independent(0.2);
		assert!(((-churn.loss_rate).exp() - 0.8).abs() < 1e-12);
	}
}
