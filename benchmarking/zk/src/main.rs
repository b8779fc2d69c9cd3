//! Measures the figures of `benchmarking/zk.md` and writes the page. `make bench-zk` calls it.
//!
//! It needs the machine for itself, or what is timed by the clock is too slow, and the repository's root as working directory.

mod ezkl;
mod inference;
mod models;
mod provers;
mod report;
mod shapes;
mod verification;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::models::{Case, CASES};

/// Measures proving and verification of inferences and writes the page
#[derive(Parser)]
#[command(version)]
struct Arguments {
	#[command(subcommand)]
	command: Command,
}

#[derive(Subcommand)]
enum Command {
	/// Measures everything and writes the page
	Write {
		/// The page
		page: PathBuf,
		/// Output of `cargo bench -p opensand-zk-prover`
		#[arg(long)]
		provers: PathBuf,
		/// A Python interpreter that has EZKL, which then proves the same ONNX files; without it the comparison is left out
		#[arg(long)]
		ezkl: Option<PathBuf>,
		/// Models by name, all without it
		#[arg(long, value_delimiter = ',')]
		models: Vec<String>,
	},
	/// The work of a process that measures one model
	#[command(hide = true)]
	Work {
		#[command(subcommand)]
		work: inference::Work,
	},
}

fn main() -> Result<()> {
	match Arguments::parse().command {
		Command::Work { work } => work.run(),
		Command::Write {
			page,
			provers,
			ezkl: python,
			models,
		} => {
			let load = opensand_measure::load()?;
			let provers = provers::read(&provers)?;
			let cases: Vec<&'static Case> = match models.as_slice() {
				[] => CASES.iter().collect(),
				names => names
					.iter()
					.map(|name| Case::named(name))
					.collect::<Result<_>>()?,
			};
			let mut inferences = Vec::new();
			for case in cases {
				println!("Proving {} …", case.title);
				let ours = inference::measure(case, false)?;
				let peer = match &python {
					Some(python) if case.times_ezkl.is_some() => Some(ezkl::measure(python, case)?),
					_ => None,
				};
				inferences.push((ours, peer));
				if case.committed_seconds.is_some() {
					println!("Proving {} with committed weights …", case.title);
					inferences.push((inference::measure(case, true)?, None));
				}
			}
			println!("Verifying …");
			let figures = report::Figures {
				load,
				provers,
				inferences,
				verification: verification::measure()?,
			};
			fs::write(&page, figures.render(&page)?).with_context(|| page.display().to_string())?;
			println!("wrote {}", page.display());
			Ok(())
		}
	}
}
