//! The peer: EZKL on the same ONNX file, by its own Python package.

use std::{
	collections::BTreeMap,
	path::Path,
	process::{Command, Stdio},
};

use anyhow::{ensure, Context, Result};
use serde::Deserialize;

use crate::models::Case;

/// The script that calls EZKL.
const SCRIPT: &str = "benchmarking/zk/prove_with_ezkl.py";
/// Where a model's images are.
const IMAGES: &str = "heldout.images.npy";

/// What EZKL took.
#[derive(Deserialize)]
pub struct Ezkl {
	/// Its version.
	pub version: String,
	/// log₂ of its circuit's rows.
	pub logrows: u32,
	/// What each step took: calibrate, srs, compile, setup, witness, prove, verify.
	pub steps: BTreeMap<String, Step>,
	/// Bytes of its proving key.
	pub proving_key_bytes: u64,
	/// Bytes of its verifying key.
	pub verifying_key_bytes: u64,
	/// Bytes of a proof.
	pub proof_bytes: u64,
}

/// What one step took.
#[derive(Deserialize)]
pub struct Step {
	/// By the clock.
	pub seconds: f64,
	/// Most resident memory up to its end.
	pub peak_kib: u64,
}

impl Ezkl {
	/// Seconds of a step.
	///
	/// # Errors
	/// When the script has no such step.
	pub fn seconds(&self, step: &str) -> Result<f64> {
		let step = self.steps.get(step).with_context(|| format!("EZKL's {step}"))?;
		Ok(step.seconds)
	}

	/// Seconds from an input to a verified proof: witness, proof and verification, as ours are measured.
	///
	/// # Errors
	/// When a step is missing.
	pub fn answer_seconds(&self) -> Result<f64> {
		Ok(self.seconds("witness")? + self.seconds("prove")? + self.seconds("verify")?)
	}

	/// Most resident memory of all steps.
	pub fn peak_kib(&self) -> u64 {
		self.steps
			.values()
			.map(|step| step.peak_kib)
			.max()
			.unwrap_or_default()
	}
}

/// Runs EZKL on a model's ONNX file with the interpreter that has it.
///
/// # Errors
/// When EZKL fails or prints something else.
pub fn measure(python: &Path, case: &Case) -> Result<Ezkl> {
	let folder = case.folder();
	let directory = tempfile::tempdir()?;
	let output = Command::new(python)
		.arg(SCRIPT)
		.arg(folder.join(format!("{}.onnx", case.name)))
		.arg(folder.join(IMAGES))
		.arg(directory.path())
		.stderr(Stdio::inherit())
		.output()
		.with_context(|| python.display().to_string())?;
	ensure!(output.status.success(), "EZKL failed");
	// EZKL prints tables before.
	let text = String::from_utf8(output.stdout)?;
	let last = text.lines().last().context("the script prints JSON")?;
	Ok(serde_json::from_str(last)?)
}
