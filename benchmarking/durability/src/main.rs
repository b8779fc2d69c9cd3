//! Says how durable stored files are: loss and repair of shards at a stated churn, for several codes.
//!
//! Eleven nines are out of reach of plain simulation, so there are three methods, which tests hold together: plain years
//! ([`simulation::plain`], for high churn), importance sampling ([`simulation::importance`], with the delays as they
//! are) and a Markov chain ([`chain`], exact for exponential delays, and with correlated losses).

#![warn(missing_docs)]

mod chain;
mod model;
mod report;
mod simulation;

use clap::Parser;

use model::Code;
use report::Parameters;

/// Computes the durability of stored files and prints it as Markdown. The same arguments give the same figures. Windows, fault
/// limit and repair default to the longest times that the chain's initial parameters allow
#[derive(Parser)]
#[command(version)]
struct Arguments {
	/// Codes to compare, such as 10/16; the default are this system's, Storj's and replicas
	#[arg(long = "code", value_name = "NEEDED/TOTAL")]
	codes: Vec<Code>,
	/// Percent of all providers that are lost for good in a year, without handing over what they hold
	#[arg(long, value_name = "PERCENT", default_value_t = 20.0, value_parser = percent)]
	annual_loss: f64,
	/// Hours of a possession window
	#[arg(long, value_name = "HOURS", default_value_t = 1.0, value_parser = positive)]
	window: f64,
	/// Windows missed in a row after which a provider is given up
	#[arg(long, value_name = "WINDOWS", default_value_t = 6)]
	fault_limit: u32,
	/// Hours from then until the shard is rebuilt and proven: the auction, 24, then fetching and the first proof, 3
	#[arg(long, value_name = "HOURS", default_value_t = 27.0, value_parser = positive)]
	repair: f64,
	/// Events a year that take several providers at once
	#[arg(long, value_name = "RATE", default_value_t = 0.1, value_parser = positive)]
	shocks: f64,
	/// Percent of all providers that such an event takes
	#[arg(long, value_name = "PERCENT", default_value_t = 2.0, value_parser = percent)]
	shock_share: f64,
	/// Spells of missing shards to simulate for each code
	#[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
	cycles: u64,
	/// Seed of all randomness
	#[arg(long, default_value_t = 1)]
	seed: u64,
}

impl Arguments {
	fn parameters(self) -> Parameters {
		let codes = match self.codes.is_empty() {
			false => self.codes.into_iter().map(|code| (code, String::new())).collect(),
			true => [
				(10, 16, "default"),
				(29, 80, "the largest, and Storj's"),
				(1, 3, "three replicas"),
				(1, 4, "four replicas, as Crust"),
			]
			.map(|(needed, total, remark)| (Code { needed, total }, remark.into()))
			.into(),
		};
		Parameters {
			codes,
			annual_loss: self.annual_loss / 100.0,
			window_hours: self.window,
			fault_limit: self.fault_limit,
			repair_hours: self.repair,
			shock_rate: self.shocks,
			shock_share: self.shock_share / 100.0,
			cycles: self.cycles,
			seed: self.seed,
		}
	}
}

fn positive(text: &str) -> Result<f64, String> {
	text.parse()
		.ok()
		.filter(|number: &f64| number.is_finite() && *number > 0.0)
		.ok_or_else(|| format!("{text:?} is no positive number"))
}

fn percent(text: &str) -> Result<f64, String> {
	positive(text)
		.ok()
		.filter(|percent| *percent < 100.0)
		.ok_or_else(|| format!("{text:?} is no number between 0 and 100"))
}

fn main() {
	print!("{}", Arguments::parse().parameters().report());
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		model::{nines, Churn, Delay, Model},
		simulation::importance,
	};

	/// The goal: eleven nines a year for the default code, at the default churn, by both methods.
	#[test]
	fn the_default_code_has_eleven_nines() {
		let parameters = Arguments::parse_from(["durability"]).parameters();
		let (code, _) = parameters.codes[0];
		let churn = Churn::independent(parameters.annual_loss);
		let delay = parameters.delay();
		let simulated = importance(&Model { code, churn, delay }, 200_000, 1).unwrap();
		assert!(nines(simulated.interval().1) >= 11.0, "{simulated:?}");
		let delay = Delay::Exponential(delay.mean());
		let exact = chain::annual_loss(&Model { code, churn, delay }).unwrap();
		assert!(nines(exact) >= 11.0, "{exact}");
	}

	#[test]
	fn a_report_has_a_row_for_each_code() {
		let arguments = [
			"durability",
			"--code",
			"10/16",
			"--code",
			"1/4",
			"--cycles",
			"1000",
		];
		let report = Arguments::parse_from(arguments).parameters().report();
		assert_eq!(report.matches("\n| 10 of 16 |").count(), 4, "{report}");
		assert_eq!(report.matches("\n| 1 of 4 |").count(), 4, "{report}");
		assert!(!report.contains("NaN") && !report.contains("inf"), "{report}");
	}

	#[test]
	fn senseless_arguments_are_refused() {
		for bad in [
			"--annual-loss=100",
			"--repair=0",
			"--window=-1",
			"--code=3/2",
			"--shocks=NaN",
			"--cycles=0",
		] {
			assert!(Arguments::try_parse_from(["durability", bad]).is_err(), "{bad}");
		}
	}
}
