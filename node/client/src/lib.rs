//! The program `opensand`: stores files with the network's providers, fetches, shares and sells them, and manages providers.
//!
//! Nothing but ciphertext leaves this machine: files are encrypted and erasure-coded here (`opensand-slices`), ordered
//! on chain, and fetched by the providers from here over IPFS (`opensand-blocks`).
//!
//! It is a library so that the decoders of what comes from files and from nodes can be fuzzed; nothing else of it is public.

#![warn(missing_docs)]

mod access;
mod amounts;
mod chain;
mod cli;
mod commands;
pub mod decoders;
mod delivery;
mod error;
mod fetch;
mod keys;
mod keystore;
mod network;
mod output;
mod pack;
mod places;
mod purchase;
mod staging;
mod transfer;

use std::process::ExitCode;

use clap::Parser;

use crate::{cli::Cli, error::Error, output::Output};

/// Does what the process's command line says, and tells how it ended.
pub fn run() -> ExitCode {
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
