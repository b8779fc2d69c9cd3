//! The figures, as Markdown.

use std::fmt::Write;

use crate::{
	chain,
	model::{nines, Churn, Code, Delay, Model, YEAR_HOURS},
	placement::Placement,
	simulation::{importance, plain, Estimate},
};

/// Years, churn and delay of the comparison with plain simulation.
const YEARS: u64 = 100_000;
const HIGH_LOSS: f64 = 0.95;
const HIGH_DELAY_DAYS: f64 = 10.0;
/// Losses of a region a year for which placements are compared: once in a hundred years, and once in ten.
pub const REGION_LOSSES: [f64; 2] = [0.01, 0.1];
/// The limits to the shards in one region that are compared.
pub const MOST_IN_A_REGION: [u32; 6] = [1, 2, 3, 4, 6, 8];

/// The chain over larger codes has too many states.
const MOST_PLACED_SHARDS: u32 = 24;

/// What a report is made for.
#[derive(Clone, PartialEq, Debug)]
pub struct Parameters {
	/// The codes to compare, and what is remarkable about each.
	pub codes: Vec<(Code, String)>,
	/// Fraction of providers that is lost in a year.
	pub annual_loss: f64,
	/// Length of a window.
	pub window_hours: f64,
	/// Missed windows after which a provider is given up.
	pub fault_limit: u32,
	/// Auction, rebuilding and first proof.
	pub repair_hours: f64,
	/// Shocks a year, for the last table.
	pub shock_rate: f64,
	/// The probability that a shock takes a provider.
	pub shock_share: f64,
	/// Spells to simulate for each code.
	pub cycles: u64,
	/// Seed of all randomness.
	pub seed: u64,
}

impl Default for Parameters {
	/// A fifth of all providers is lost in a year; windows, fault limit and repair take the longest that the chain's
	/// initial parameters allow.
	fn default() -> Self {
		let code = |needed, total, remark: &str| (Code { needed, total }, remark.to_owned());
		Self {
			codes: vec![
				code(10, 16, "default"),
				code(29, 80, "the largest, and Storj's"),
				code(1, 3, "three replicas"),
				code(1, 4, "four replicas, as Crust"),
			],
			annual_loss: 0.2,
			window_hours: 1.0,
			fault_limit: 6,
			repair_hours: 27.0,
			shock_rate: 0.1,
			shock_share: 0.02,
			cycles: 1_000_000,
			seed: 1,
		}
	}
}

/// A file whose providers are lost one by one.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Independent {
	/// Files lost in a year, simulated with the delays as they are.
	pub simulated: Estimate,
	/// The same by the chain.
	pub exact: f64,
}

/// A file whose shards lie in regions that are lost as a whole.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Placed {
	/// Regions that its shards lie in.
	pub regions: usize,
	/// Files lost in a year, simulated with the delays as they are.
	pub simulated: Estimate,
	/// The same by the chain.
	pub exact: f64,
}

impl Parameters {
	/// How long a shard is missing.
	pub fn delay(&self) -> Delay {
		let hours = |windows: u32| f64::from(windows) * self.window_hours + self.repair_hours;
		Delay::Uniform {
			least: hours(self.fault_limit) / YEAR_HOURS,
			most: hours(self.fault_limit + 1) / YEAR_HOURS,
		}
	}

	fn exact(&self, code: Code, churn: Churn) -> f64 {
		chain::annual_loss(&self.in_the_mean(code, churn)).expect("the delay is exponential")
	}

	/// The model that the chains solve: exponential delays with the same mean.
	fn in_the_mean(&self, code: Code, churn: Churn) -> Model {
		let delay = Delay::Exponential(self.delay().mean());
		Model { code, churn, delay }
	}

	/// What becomes of a file whose providers are lost one by one.
	pub fn independent(&self, code: Code) -> Independent {
		let churn = Churn::independent(self.annual_loss);
		let model = Model {
			code,
			churn,
			delay: self.delay(),
		};
		Independent {
			simulated: importance(&model, self.cycles, self.seed).expect("there are no shocks"),
			exact: self.exact(code, churn),
		}
	}

	/// What becomes of a file whose shards lie in regions, at most `most` in one, if a region is lost `region_rate` times
	/// a year besides. Simulates a tenth of the spells: regions make losses frequent.
	pub fn placed(&self, code: Code, most: u32, region_rate: f64) -> Placed {
		let churn = Churn::independent(self.annual_loss);
		let placement = Placement { most, region_rate };
		let model = Model {
			code,
			churn,
			delay: self.delay(),
		};
		let exact = placement.annual_loss(&self.in_the_mean(code, churn));
		Placed {
			regions: placement.regions(&model).len(),
			simulated: placement.importance(&model, self.cycles.div_ceil(10), self.seed),
			exact: exact.expect("the delay is exponential"),
		}
	}

	/// A Markdown table of nines by the limit to the shards in one region: those of the simulation, then of the chain.
	pub fn placement_table(&self) -> String {
		let mut text = String::new();
		let heads: String = REGION_LOSSES
			.iter()
			.map(|rate| format!(" {rate} a year, simulated | chain |"))
			.collect();
		text.push_str(&format!(
			"| Code | Most in a region | Regions |{heads}\n|---|---:|---:|{}\n",
			"---:|".repeat(2 * REGION_LOSSES.len())
		));
		let codes = self.codes.iter().map(|(code, _)| *code);
		for code in codes.filter(|code| code.total <= MOST_PLACED_SHARDS) {
			for most in MOST_IN_A_REGION.into_iter().filter(|most| *most < code.total) {
				let placed = REGION_LOSSES.map(|rate| self.placed(code, most, rate));
				let cells: String = placed
					.iter()
					.map(|placed| {
						format!(
							" {:.1} | {:.1} |",
							nines(placed.simulated.mean),
							nines(placed.exact)
						)
					})
					.collect();
				let regions = placed[0].regions;
				text.push_str(&format!("| {code} | {most} | {regions} |{cells}\n"));
			}
		}
		text
	}

	/// The report.
	pub fn report(&self) -> String {
		let mut text = String::new();
		self.write(&mut text).expect("a string takes all that is written");
		text
	}

	fn write(&self, text: &mut String) -> std::fmt::Result {
		let delay = self.delay();
		writeln!(text, "# Durability\n")?;
		writeln!(
			text,
			"A file is lost when fewer shards are left than its code needs. Of all providers, {:.0} % are lost for good in a \
			 year, independently. A loss is noticed after {} windows of {} h, the repair then takes {} h: a shard is missing \
			 for {:.1} h on average. Repairs do not wait for each other, and a provider that leaves in order hands its shards \
			 over first. Every code gets the same providers and the same repair.\n",
			100.0 * self.annual_loss,
			self.fault_limit,
			self.window_hours,
			self.repair_hours,
			delay.mean() * YEAR_HOURS,
		)?;
		writeln!(text, "| Code | | Expansion | Lost in a year, simulated (95 %) | Nines | Lost in a year, chain | Nines |")?;
		writeln!(text, "|---|---|---:|---:|---:|---:|---:|")?;
		let churn = Churn::independent(self.annual_loss);
		for (code, remark) in &self.codes {
			let Independent { simulated, exact } = self.independent(*code);
			let (least, most) = simulated.interval();
			writeln!(
				text,
				"| {code} | {remark} | {:.2} | {:.2e} ({least:.2e} … {most:.2e}) | {:.1} | {exact:.2e} | {:.1} |",
				code.expansion(),
				simulated.mean,
				nines(simulated.mean),
				nines(exact),
			)?;
		}
		writeln!(
			text,
			"\nSimulated: {} spells of missing shards a code with the delays above, by importance sampling, seed {}. Chain: \
			 the exact solution for exponential delays with the same mean; for rare losses only the mean matters.\n",
			self.cycles, self.seed,
		)?;

		writeln!(text, "## Nines by churn\n\nBy the chain.\n")?;
		let churns = [0.02, 0.05, 0.1, 0.2, 0.3, 0.5];
		let heads: String = churns
			.iter()
			.map(|loss| format!(" {:.0} % a year |", 100.0 * loss))
			.collect();
		writeln!(
			text,
			"| Code | Expansion |{heads}\n|---|---:|{}",
			"---:|".repeat(churns.len())
		)?;
		for (code, _) in &self.codes {
			let cells: String = churns
				.iter()
				.map(|loss| format!(" {:.1} |", nines(self.exact(*code, Churn::independent(*loss)))))
				.collect();
			writeln!(text, "| {code} | {:.2} |{cells}", code.expansion())?;
		}

		writeln!(
			text,
			"\n## Correlated losses\n\nBesides, {} times a year something takes each provider with the probability at the \
			 head of the column, all at the same time: one operator behind many accounts, a region, a bad release. By the \
			 chain, nines.\n",
			self.shock_rate,
		)?;
		let shares = [
			self.shock_share / 2.0,
			self.shock_share,
			2.0 * self.shock_share,
			5.0 * self.shock_share,
		];
		let heads: String = shares
			.iter()
			.map(|share| format!(" {:.1} % |", 100.0 * share))
			.collect();
		writeln!(
			text,
			"| Code | Expansion |{heads}\n|---|---:|{}",
			"---:|".repeat(shares.len())
		)?;
		for (code, _) in &self.codes {
			let cells: String = shares
				.iter()
				.map(|share| {
					let churn = Churn {
						shock_rate: self.shock_rate,
						shock_share: *share,
						..churn
					};
					format!(" {:.1} |", nines(self.exact(*code, churn)))
				})
				.collect();
			writeln!(text, "| {code} | {:.2} |{cells}", code.expansion())?;
		}
		writeln!(
			text,
			"\nIndependent losses are the smaller danger: what the nines above are worth depends on how independent the \
			 providers of an order are. Collateral and regions work towards that; nothing proves it. With \
			 bounded delays more files are lost than by the chain, whose exponential ones bring some of the shards that an \
			 event took back early."
		)?;

		writeln!(
			text,
			"\n## Regions\n\nBesides, every region (or operator) is lost as a whole at the rate at the head of the column. An \
			 order's shards lie in as few regions as the limit allows. Nines; \
			 the simulation has the delays as they are, the chain flatters as above.\n\n{}",
			self.placement_table(),
		)?;

		writeln!(
			text,
			"\n## The methods against each other\n\nPlain years can be simulated where losses are frequent: {} years a row, {:.0} \
			 % of all providers lost in a year, a shard missing for {:.0} days on average, exponential delays.\n",
			YEARS,
			100.0 * HIGH_LOSS,
			HIGH_DELAY_DAYS,
		)?;
		writeln!(
			text,
			"| Code | Lost in a year, plain years (95 %) | Lost in a year, chain |\n|---|---:|---:|"
		)?;
		for (code, _) in &self.codes {
			let model = Model {
				code: *code,
				churn: Churn::independent(HIGH_LOSS),
				delay: Delay::Exponential(HIGH_DELAY_DAYS * 24.0 / YEAR_HOURS),
			};
			let exact = chain::annual_loss(&model).expect("the delay is exponential");
			if exact < 100.0 / YEARS as f64 {
				writeln!(text, "| {code} | too rare for plain years | {exact:.2e} |")?;
				continue;
			}
			let simulated = plain(&model, YEARS, self.seed);
			let (least, most) = simulated.interval();
			writeln!(
				text,
				"| {code} | {:.2e} ({least:.2e} … {most:.2e}) | {exact:.2e} |",
				simulated.mean
			)?;
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// The goal: eleven nines a year for the default code, at the default churn, by both methods.
	#[test]
	fn the_default_code_has_eleven_nines() {
		let parameters = Parameters {
			cycles: 200_000,
			..Parameters::default()
		};
		let (code, _) = parameters.codes[0];
		let Independent { simulated, exact } = parameters.independent(code);
		assert!(nines(simulated.interval().1) >= 11.0, "{simulated:?}");
		assert!(nines(exact) >= 11.0, "{exact}");
	}

	/// One shard a region keeps them where a region is lost once in a hundred years; as many as may be lost in one do not.
	#[test]
	fn one_shard_a_region_keeps_eleven_nines() {
		let parameters = Parameters {
			cycles: 400_000,
			..Parameters::default()
		};
		let (code, _) = parameters.codes[0];
		let kept = parameters.placed(code, 1, REGION_LOSSES[0]);
		assert!(nines(kept.simulated.interval().1) >= 11.0, "{kept:?}");
		let together = parameters.placed(code, code.spare(), REGION_LOSSES[0]);
		assert!(nines(together.simulated.interval().0) < 5.0, "{together:?}");
	}
}
