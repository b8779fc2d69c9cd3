//! How large a model's circuit is, and what proving will take.

use opensand_nn::Model;
use opensand_zk_circuit::{CircuitError, InferenceCircuit};
use opensand_zk_verifier::InputVisibility;
use serde::Serialize;
use std::{
	fmt::{self, Display, Formatter},
	sync::Arc,
};

/// Bytes of a point of G1 and of G2, and of a field element.
const G1: u64 = 96;
const G2: u64 = 192;
const FIELD: u64 = 32;

/// Bytes of an entry of the constraint matrices: the coefficient and its column.
const TERM: u64 = 40;

/// Entries of the matrices for a constraint, besides the model's multiply-additions.
const TERMS_PER_CONSTRAINT: u64 = 4;

/// Vectors of the domain's length that are held at the peak: those of the FFTs, the assignment, the MSMs' buckets. Measured:
/// the estimate was within 5 % of the peak for circuits of 2^12, 2^15 and 2^17.
const VECTORS: u64 = 8;

/// Bytes that the process takes without any circuit.
const PROCESS: u64 = 8 << 20;

/// Constraints of a part of the circuit.
#[derive(Clone, Debug, Serialize)]
pub struct PartSize {
	/// The part's name.
	pub name: String,
	/// How many constraints it has.
	pub constraints: usize,
}

/// How large a circuit is, and what proving will take.
#[derive(Clone, Debug, Serialize)]
pub struct CircuitReport {
	/// Constraints.
	pub constraints: usize,
	/// Public inputs.
	pub public_inputs: usize,
	/// Private variables.
	pub private_variables: usize,
	/// Length of the FFTs: the power of two that holds constraints and public inputs.
	pub domain: usize,
	/// Estimated size of the proving key.
	pub proving_key_bytes: u64,
	/// Estimated peak of memory while proving: the key as read and in use, vectors, matrices.
	pub proving_memory_bytes: u64,
	/// Constraints by part, in order.
	pub parts: Vec<PartSize>,
}

impl CircuitReport {
	/// Compiles the circuit of `model` and measures it.
	pub fn of(model: Arc<Model>, visibility: InputVisibility) -> Result<Self, CircuitError> {
		let multiply_adds = model.architecture().multiply_adds();
		let circuit = InferenceCircuit::new(model, visibility)?;
		let size = circuit.size();
		let witnesses = size.witnesses as u64;
		let variables = witnesses + size.public_inputs as u64 + 1;
		let domain = size.domain as u64;
		let key = variables * (2 * G1 + G2) + witnesses * G1 + domain * G1;
		let matrices = (multiply_adds + TERMS_PER_CONSTRAINT * size.constraints as u64) * TERM;
		let parts = size.parts.iter();
		Ok(Self {
			constraints: size.constraints,
			public_inputs: size.public_inputs,
			private_variables: size.witnesses,
			domain: size.domain,
			proving_key_bytes: key,
			proving_memory_bytes: PROCESS + 2 * key + VECTORS * domain * FIELD + matrices,
			parts: parts
				.map(|part| PartSize {
					name: part.name.clone(),
					constraints: part.constraints.len(),
				})
				.collect(),
		})
	}
}

impl Display for CircuitReport {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		let mebibytes = |bytes: u64| bytes as f64 / (1024.0 * 1024.0);
		writeln!(
			formatter,
			"constraints        {} (domain 2^{})",
			self.constraints,
			self.domain.ilog2()
		)?;
		writeln!(formatter, "public inputs      {}", self.public_inputs)?;
		writeln!(formatter, "private variables  {}", self.private_variables)?;
		writeln!(
			formatter,
			"proving key        about {:.1} MiB",
			mebibytes(self.proving_key_bytes)
		)?;
		writeln!(
			formatter,
			"memory to prove    about {:.1} MiB",
			mebibytes(self.proving_memory_bytes)
		)?;
		self.parts
			.iter()
			.try_for_each(|part| writeln!(formatter, "{:>10}  {}", part.constraints, part.name))
	}
}
