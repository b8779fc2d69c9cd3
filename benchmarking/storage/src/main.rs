//! Measures the figures of `benchmarking/storage.md` and writes the page. `make bench-storage` calls it.
//!
//! It needs the machine for itself, or what is timed by the clock is too slow.

mod coding;
mod orders;
mod possession;
mod report;
mod shards;
mod stored;
mod transfers;
mod wasm;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use opensand_slices::Code;

/// Measures the storage market and writes the page
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
		/// MiB of the file that is put and got through real nodes; 0 leaves that out
		#[arg(long, env = "NETWORK_MIB", default_value_t = 1024)]
		network_mib: u64,
		/// Its code, such as 4/6, with a node for each shard
		#[arg(long, env = "NETWORK_CODE", default_value = "10/16", value_parser = code)]
		network_code: Code,
	},
	/// The work of a process that measures one piece of coding
	#[command(hide = true)]
	Code {
		/// The piece
		work: coding::Work,
		/// Where shards are
		directory: PathBuf,
	},
}

fn code(text: &str) -> Result<Code, String> {
	let number = |part: &str| part.parse().ok();
	let (data, total) = text
		.split_once('/')
		.and_then(|(data, total)| Some((number(data)?, number(total)?)))
		.ok_or_else(|| format!("{text:?} is no code such as 10/16"))?;
	Code::new(data, total).map_err(|error| error.to_string())
}

fn main() -> Result<()> {
	match Arguments::parse().command {
		Command::Code { work, directory } => coding::child(work, &directory),
		Command::Write {
			page,
			network_mib,
			network_code,
		} => {
			let load = opensand_measure::load()?;
			println!("Encoding and decoding …");
			let coding = coding::measure()?;
			println!("Proving possession …");
			let possession = possession::measure()?;
			let answer = stored::measure()?;
			let mut orders = Vec::new();
			for count in orders::ORDERS {
				println!("Running hooks with {count} orders …");
				orders.push(orders::measure(count)?);
			}
			println!("Simulating losses …");
			let durability = report::Durability::simulate();
			let transfers = match network_mib {
				0 => None,
				mib => {
					println!(
						"Putting and getting {mib} MiB through {} nodes …",
						network_code.total()
					);
					let runtime = tokio::runtime::Runtime::new()?;
					Some(runtime.block_on(transfers::measure(mib, network_code))?)
				}
			};
			let figures = report::Figures {
				load,
				coding,
				possession,
				answer,
				orders,
				durability,
				transfers,
			};
			fs::write(&page, figures.render(&page)).with_context(|| page.display().to_string())?;
			println!("wrote {}", page.display());
			Ok(())
		}
	}
}
