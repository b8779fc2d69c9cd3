//! `opensand`: stores files with the network's providers, fetches them, shares them, and manages providers.
//!
//! Nothing but ciphertext leaves this machine: files are encrypted and erasure-coded here (`opensand-slices`), ordered
//! on chain, and fetched by the providers from here over IPFS (`opensand-blocks`).

mod access;
mod amounts;
mod chain;
mod cli;
mod commands;
mod delivery;
mod error;
mod fetch;
mod keys;
mod keystore;
mod network;
mod output;
mod places;
mod staging;
mod transfer;

use std::process::ExitCode;

use clap::Parser;

use crate::{cli::Cli, error::Error, output::Output};

fn main() -> ExitCode {
	let cli = Cli::parse();
	let output = Output::new(cli.global.json, cli.global.quiet);
	let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
		Ok(runtime) => runtime,
		Err(source) => return output.failure(&Error::Runtime(source)),
	};
	let outcome = runtime.block_on(async {
		tokio::select! {
			outcome = commands::run(cli, output.clone()) => outcome,
			_ = tokio::signal::ctrl_c() => Err(Error::Interrupted),
		}
	});
	// Encoding runs on threads that nothing can stop from outside; what they leave behind is resumed or replaced.
	runtime.shutdown_background();
	match outcome {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => output.failure(&error),
	}
}
