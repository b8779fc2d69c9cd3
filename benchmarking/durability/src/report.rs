//! The figures, as Markdown.

use std::fmt::Write;

use crate::{
	chain,
	model::{nines, Churn, Code, Delay, Model, YEAR_HOURS},
	simulation::{importance, plain},
};

/// Years, churn and delay of the comparison with plain simulation.
const YEARS: u64 = 100_000;
const HIGH_LOSS: f64 = 0.95;
const HIGH_DELAY_DAYS: f64 = 10.0;

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
		let delay = Delay::Exponential(self.delay().mean());
		chain::annual_loss(&Model { code, churn, delay }).expect("the delay is exponential")
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
			let model = Model {
				code: *code,
				churn,
				delay,
			};
			let simulated = importance(&model, self.cycles, self.seed).expect("there are no shocks");
			let (least, most) = simulated.interval();
			let exact = self.exact(*code, churn);
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
			 providers of an order are. Collateral and regions work towards that; nothing proves it."
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
