//! Our prover beside `ark-groth16`'s on the same constraint systems, as `cargo bench -p opensand-zk-prover` measured them.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde_json::Value;

/// One constraint system.
pub struct Comparison {
	/// Its rows and the kind of its witness.
	pub name: String,
	/// Milliseconds of a proof: ours, and ark-groth16's.
	pub prove_ms: [f64; 2],
	/// Processor milliseconds of all threads.
	pub prove_processor_ms: [f64; 2],
	/// Most resident memory in KiB, set-up included.
	pub peak_kib: [f64; 2],
}

/// Reads the benchmark's output.
///
/// # Errors
/// When it is not the benchmark's.
pub fn read(path: &Path) -> Result<Vec<Comparison>> {
	let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
	let report: serde_json::Map<String, Value> = serde_json::from_str(&text)?;
	let systems = report
		.into_iter()
		.filter(|(_, figures)| figures.get("arkworks").is_some());
	systems
		.map(|(name, figures)| {
			let both = |figure: &str| -> Result<[f64; 2]> {
				let one = |prover: &str| {
					figures[prover][figure]
						.as_f64()
						.with_context(|| format!("{prover}'s {figure} of {name}"))
				};
				Ok([one("opensand")?, one("arkworks")?])
			};
			Ok(Comparison {
				prove_ms: both("prove_ms")?,
				prove_processor_ms: both("prove_cpu_ms")?,
				peak_kib: both("peak_memory_kib")?,
				name: name.clone(),
			})
		})
		.collect()
}
