//! The figures as the page that people read.

use std::{fmt::Write, path::Path};

use anyhow::Result;
use opensand_measure::{commit, date, machine};

use crate::{
	ezkl::Ezkl,
	inference::Inference,
	provers::Comparison,
	verification::{Verification, BATCH, KEYS},
};

/// Everything that was measured.
pub struct Figures {
	/// The load when it began.
	pub load: f64,
	/// Our prover beside ark-groth16's.
	pub provers: Vec<Comparison>,
	/// Models, with EZKL's figures where it was run.
	pub inferences: Vec<(Inference, Option<Ezkl>)>,
	/// Verification.
	pub verification: Verification,
}

/// Limits for LeNet-5: peak memory, proving key and set-up.
const LENET5: &str = "lenet5";
const LENET5_PEAK_MIB: f64 = 512.0;
const LENET5_KEY_MB: f64 = 30.0;
const LENET5_SET_UP_SECONDS: f64 = 4.0;
/// How many times less ark-groth16's time is to be.
const TIMES_ARKWORKS: f64 = 2.0;

impl Figures {
	/// What is written to `page`.
	///
	/// # Errors
	/// When a figure of EZKL's is missing.
	pub fn render(&self, page: &Path) -> Result<String> {
		let mut text = format!(
			"# Figures of verified inference

Measured by `make bench-zk` on {}, {}, commit {}; load average {:.1} when it began. Do not edit: the next run overwrites this page.
Megabytes are 10^6 bytes; times are medians by the clock.

",
			machine(),
			date(),
			commit(page),
			self.load
		);
		self.goals(&mut text)?;
		self.models(&mut text)?;
		self.peers(&mut text)?;
		self.verification(&mut text)?;
		self.provers(&mut text)?;
		text.push_str(NOTES);
		Ok(text)
	}

	fn goals(&self, text: &mut String) -> Result<()> {
		text.push_str("## Goals\n\n| Goal | Measured | |\n|---|---:|---|\n");
		let mut line = |goal: String, measured: String, met: bool| {
			let verdict = if met { "met" } else { "**missed**" };
			writeln!(text, "| {goal} | {measured} | {verdict} |")
		};
		for (ours, peer) in &self.inferences {
			let title = title(ours);
			let seconds = ours.proofs.seconds;
			if let Some(goal) = goal_seconds(ours) {
				line(
					format!("{title}: prove and verify in ≤ {goal} s"),
					format!("{seconds:.3} s"),
					seconds <= goal,
				)?;
			}
			if ours.case.name == LENET5 && !ours.committed {
				let peak = ours.proofs.peak_kib as f64 / 1024.0;
				line(
					format!("LeNet-5: peak memory of proving ≤ {LENET5_PEAK_MIB} MiB"),
					format!("{peak:.0} MiB"),
					peak <= LENET5_PEAK_MIB,
				)?;
				let key = ours.proving_key_bytes as f64 / 1e6;
				line(
					format!("LeNet-5: proving key ≤ {LENET5_KEY_MB} MB"),
					format!("{key:.1} MB"),
					key <= LENET5_KEY_MB,
				)?;
				line(
					format!("LeNet-5: set-up ≤ {LENET5_SET_UP_SECONDS} s"),
					format!("{:.2} s", ours.set_up.seconds),
					ours.set_up.seconds <= LENET5_SET_UP_SECONDS,
				)?;
			}
			if let (Some(goal), Some(peer)) = (ours.case.times_ezkl, peer) {
				let times = peer.answer_seconds()? / seconds;
				line(
					format!("{title}: ≥ {goal:.0}× faster than EZKL {}", peer.version),
					format!("{times:.0}×"),
					times >= goal,
				)?;
			}
		}
		let encoded = self.inferences.iter().map(|(ours, _)| &ours.proofs.accepted);
		let proof = encoded
			.clone()
			.map(|accepted| accepted.proof.len())
			.max()
			.unwrap_or_default();
		line(
			"proof ≤ 448 bytes uncompressed".into(),
			format!("{proof} bytes"),
			proof <= 448,
		)?;
		line(
			"proof ≤ 256 bytes compressed".into(),
			format!("{} bytes", proof / 2),
			proof / 2 <= 256,
		)?;
		let key = encoded
			.map(|accepted| accepted.key.len())
			.max()
			.unwrap_or_default();
		line(
			"verifying key ≤ 2 KiB for every model".into(),
			format!("{key} bytes"),
			key <= 2048,
		)?;
		let native = self.inferences.iter().map(|(ours, _)| ours.proofs.verify_seconds);
		let native = native.fold(0.0, f64::max) * 1e3;
		let verification = &self.verification;
		for (goal, limit, measured) in [
			("verification natively ≤ 4 ms", 4.0, native),
			(
				"in WebAssembly with host calls ≤ 6 ms",
				6.0,
				verification.wasm * 1e3,
			),
			(
				"natively in a batch of 64 ≤ 0.9 ms each",
				0.9,
				verification.batch.native * 1e3,
			),
			(
				"in WebAssembly in a batch of 64 ≤ 1.5 ms each",
				1.5,
				verification.batch.wasm * 1e3,
			),
		] {
			line(goal.into(), format!("{measured:.2} ms"), measured <= limit)?;
		}
		for comparison in &self.provers {
			let [ours, theirs] = comparison.prove_ms;
			line(
				format!(
					"{}: ≥ {TIMES_ARKWORKS:.0}× faster than ark-groth16",
					comparison.name
				),
				format!("{:.2}×", theirs / ours),
				theirs / ours >= TIMES_ARKWORKS,
			)?;
		}
		text.push('\n');
		Ok(())
	}

	fn models(&self, text: &mut String) -> Result<()> {
		text.push_str(
			"## Models, public input

A proof with evaluation of the model and verification of the proof, in a process that has loaded the key; peak memory is that process'. Where weights are committed,
the set-up makes both keys of a family, each over the domain of its own circuit, and weights are range-checked once, by the proof that registers them. The domain is that of the
model's proofs.

| Model | Constraints | Domain | Set-up | Its peak memory | Registration | Proving key | Load | Prove and verify | Processor | Peak memory | Verify |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
",
		);
		for (ours, _) in &self.inferences {
			let registration = ours.set_up.registration_seconds;
			let registration = registration.map_or("–".to_owned(), |seconds| format!("{seconds:.2} s"));
			writeln!(
				text,
				"| {} | {} | 2^{} | {:.2} s | {} MiB | {registration} | {:.1} MB | {:.2} s | {:.3} s | {:.3} s | {} MiB | {:.2} ms |",
				title(ours),
				ours.constraints,
				ours.domain.ilog2(),
				ours.set_up.seconds,
				ours.set_up.peak_kib / 1024,
				ours.proving_key_bytes as f64 / 1e6,
				ours.proofs.load_seconds,
				ours.proofs.seconds,
				ours.proofs.processor_seconds,
				ours.proofs.peak_kib / 1024,
				ours.proofs.verify_seconds * 1e3,
			)?;
		}
		text.push('\n');
		Ok(())
	}

	fn peers(&self, text: &mut String) -> Result<()> {
		text.push_str("## Beside EZKL, on the same ONNX files in the same run\n\n");
		if self.inferences.iter().all(|(_, peer)| peer.is_none()) {
			text.push_str("EZKL was not there.\n\n");
			return Ok(());
		}
		text.push_str(
			"| Model | Prover | Calibrate | SRS | Set-up | Prove | Verify | Peak memory | Proving key | Verifying key | Proof |\n|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
		);
		for (ours, peer) in &self.inferences {
			let Some(peer) = peer else { continue };
			writeln!(
				text,
				"| {} | opensand-zk | – | – | {:.2} s | {:.3} s, verified | {:.4} s | {} MiB | {:.1} MB | {} bytes | {} bytes |",
				ours.case.title,
				ours.set_up.seconds,
				ours.proofs.seconds,
				ours.proofs.verify_seconds,
				ours.set_up.peak_kib.max(ours.proofs.peak_kib) / 1024,
				ours.proving_key_bytes as f64 / 1e6,
				ours.proofs.accepted.key.len(),
				ours.proofs.accepted.proof.len(),
			)?;
			writeln!(
				text,
				"| | EZKL {}, 2^{} rows | {:.1} s | {:.1} s | {:.1} s | {:.2} s | {:.3} s | {} MiB | {:.0} MB | {} bytes | {} bytes |",
				peer.version,
				peer.logrows,
				peer.seconds("calibrate")?,
				peer.seconds("srs")?,
				peer.seconds("setup")?,
				peer.seconds("prove")?,
				peer.seconds("verify")?,
				peer.peak_kib() / 1024,
				peer.proving_key_bytes as f64 / 1e6,
				peer.verifying_key_bytes,
				peer.proof_bytes,
			)?;
		}
		text.push('\n');
		Ok(())
	}

	fn verification(&self, text: &mut String) -> Result<()> {
		let Verification {
			wasm,
			wasm_alone,
			batch,
			mixed,
		} = &self.verification;
		writeln!(
			text,
			"## Verification

Proofs of the digits model: decoding of key and proof with every check, packing of the statement, the pairing equation.

| | Natively, each | In WebAssembly with host calls, each |
|---|---:|---:|
| one proof | see above | {:.2} ms |
| one proof, all arithmetic in WebAssembly | | {:.2} ms |
| a batch of {BATCH} under one key | {:.2} ms | {:.2} ms |
| a batch of {BATCH} under {KEYS} keys | {:.2} ms | {:.2} ms |
",
			wasm * 1e3,
			wasm_alone * 1e3,
			batch.native * 1e3,
			batch.wasm * 1e3,
			mixed.native * 1e3,
			mixed.wasm * 1e3,
		)?;
		Ok(())
	}

	fn provers(&self, text: &mut String) -> Result<()> {
		text.push_str(
			"## Beside ark-groth16 0.6, on the same constraint systems in the same run

Both provers take turns. ark-groth16 is given its matrices ready-made.

| Constraint system | opensand-zk-prover | ark-groth16 | Ratio | Ratio of processor time | Peak memory | ark-groth16's |
|---|---:|---:|---:|---:|---:|---:|
",
		);
		for comparison in &self.provers {
			let [ours, theirs] = comparison.prove_ms;
			let [our_processor, their_processor] = comparison.prove_processor_ms;
			let [our_peak, their_peak] = comparison.peak_kib;
			writeln!(
				text,
				"| {} | {:.3} s | {:.3} s | {:.2} | {:.2} | {:.0} MiB | {:.0} MiB |",
				comparison.name,
				ours / 1e3,
				theirs / 1e3,
				theirs / ours,
				their_processor / our_processor,
				our_peak / 1024.0,
				their_peak / 1024.0,
			)?;
		}
		text.push('\n');
		Ok(())
	}
}

/// A model's name, and how its weights are taken.
fn title(ours: &Inference) -> String {
	if ours.committed {
		format!("{}, committed weights", ours.case.title)
	} else {
		ours.case.title.to_owned()
	}
}

/// Seconds that a proof may take; none where no goal is set.
fn goal_seconds(ours: &Inference) -> Option<f64> {
	if ours.committed {
		ours.case.committed_seconds
	} else {
		ours.case.prove_seconds
	}
}

/// What others publish, and how the figures are made.
const NOTES: &str = "## What others publish

Not measured here, on machines of their own:

| System | Figure |
|---|---|
| Bionetta (Groth16, weights public and in the circuit) | proofs of 320 bytes, verifying keys of 3 KB |
| DeepProve (sum-check, weights committed) | CNN of 264 k parameters: 1.24 s on a large server, and 196.6 s for EZKL; dense network of 4 M parameters: 2.34 s |

## How they are made

`make bench-zk` first runs `cargo bench -p opensand-zk-prover`, then builds `benchmarking/zk` and runs it. Set-up and proofs of a model are made
in a process each. EZKL is installed from PyPI into an environment of its own; input and output are public and parameters constants there too. The
models with random weights have the shapes of known networks: what a proof costs depends on shapes and ranges. Proofs are verified in
WebAssembly by a module with the runtime's verifier, called through the node's executor.
";
