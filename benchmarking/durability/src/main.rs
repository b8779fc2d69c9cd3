//! Prints what the library computes.

#![warn(missing_docs)]

use clap::Parser;
use opensand_durability::{Code, Parameters};

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
			true => Parameters::default().codes,
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

	#[test]
	fn the_defaults_are_the_library_s() {
		assert_eq!(
			Arguments::parse_from(["durability"]).parameters(),
			Parameters::default()
		);
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
		assert_eq!(report.matches("\n| 10 of 16 |").count(), 4 + 6, "{report}");
		assert_eq!(report.matches("\n| 1 of 4 |").count(), 4 + 3, "{report}");
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
