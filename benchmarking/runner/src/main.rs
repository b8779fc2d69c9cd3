//! Measures the runtime's benchmarks and writes weight files.
//!
//! A crate of its own because `frame-benchmarking-cli` brings dependencies that a node does not need. It
//! takes the runtime as a WASM blob built with `runtime-benchmarks`; `make weights` calls it.

use clap::Parser;
use frame_benchmarking_cli::BenchmarkCmd;
use sp_runtime::traits::BlakeTwo256;

/// Benchmark an OpenSand runtime.
///
/// Example: opensand-benchmark-runner pallet --runtime <blob> --genesis-builder runtime
/// --pallet pallet_inference --extrinsic '*' --output weights.rs
#[derive(Parser)]
#[command(version)]
struct Cli {
	#[command(subcommand)]
	command: BenchmarkCmd,
}

type HostFunctions = (
	sp_crypto_ec_utils::bls12_381::host_calls::HostFunctions,
	opensand_zk_bridge::HostFunctions,
);

fn main() -> sc_cli::Result<()> {
	match Cli::parse().command {
		BenchmarkCmd::Pallet(command) => command.run_with_spec::<BlakeTwo256, HostFunctions>(None),
		_ => Err("only `pallet` benchmarks apply to this runtime; run `pallet --help`".into()),
	}
}
