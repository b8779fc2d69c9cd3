//! How large a model's circuit is, and what proving will take.

use opensand_nn::Model;
use opensand_zk_circuit::{CircuitError, InferenceCircuit, RegistrationCircuit, WeightsMode};
use opensand_zk_verifier::InputVisibility;
use serde::Serialize;
use std::{
	fmt::{self, Display, Formatter},
	sync::Arc,
};

/// Bytes of a point of G1 and of G2, each with its index, and of a field element.
const G1: u64 = 96 + 4;
const G2: u64 = 192 + 4;
const FIELD: u64 = 32;

/// Bytes of an entry of the constraint matrices: the coefficient and its column.
const TERM: u64 = 40;

/// Entries of the matrices for a constraint, besides the model's multiply-additions.
const TERMS_PER_CONSTRAINT: u64 = 4;

/// Vectors of the domain's length that are held at the peak: those of the FFTs, the assignment, the MSMs' buckets.
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
	/// Whether values are proven to be in range by their bits.
	pub bits: bool,
	/// The tables that values are looked up in.
	pub tables: Vec<String>,
}

/// How large a circuit is, and what proving will take.
#[derive(Clone, Debug, Serialize)]
pub struct CircuitReport {
	/// Constraints.
	pub constraints: usize,
	/// Words of a statement, which are folded into one public input.
	pub words: usize,
	/// Private variables that are committed to before the challenge is drawn.
	pub committed_variables: usize,
	/// Private variables, the committed ones included.
	pub private_variables: usize,
	/// Length of the FFTs: the power of two that holds constraints and public inputs.
	pub domain: usize,
	/// The most that the proving key can take: columns that a matrix does not have take nothing.
	pub proving_key_bytes: u64,
	/// The most memory that proving is expected to take: the key as read and in use, vectors, matrices.
	pub proving_memory_bytes: u64,
	/// What weights that are committed to add; none where they are constants.
	pub committed_weights: Option<CommittedReport>,
	/// Constraints by part, in order.
	pub parts: Vec<PartSize>,
}

/// What it takes to commit to weights.
#[derive(Clone, Debug, Serialize)]
pub struct CommittedReport {
	/// Words that the weights are packed into, with the mask.
	pub words: usize,
	/// Constraints of the circuit that registers a commitment.
	pub registration_constraints: usize,
	/// Length of the FFTs of a registration.
	pub registration_domain: usize,
	/// What the weights of each layer are declared to fit: bits of accumulators beside the sign, bytes of biases.
	pub widths: Vec<[u8; 2]>,
}

impl CommittedReport {
	fn of(circuit: &InferenceCircuit) -> Result<Option<Self>, CircuitError> {
		let Some(widths) = circuit.widths() else {
			return Ok(None);
		};
		let registration = RegistrationCircuit::of(circuit)?;
		let layers = widths.layers().iter();
		Ok(Some(Self {
			words: circuit.size().segments.weights,
			registration_constraints: registration.size().constraints,
			registration_domain: registration.size().domain,
			widths: layers
				.map(|layer| [layer.accumulator_bits, layer.bias_bytes])
				.collect(),
		}))
	}
}

impl CircuitReport {
	/// Compiles the circuit of `model` and measures it.
	pub fn of(
		model: Arc<Model>,
		visibility: InputVisibility,
		weights: WeightsMode,
	) -> Result<Self, CircuitError> {
		let multiply_adds = model.architecture().multiply_adds();
		let circuit = InferenceCircuit::with_weights(model, visibility, weights)?;
		let committed_weights = CommittedReport::of(&circuit)?;
		let size = circuit.size();
		let variables = size.segments.variables() as u64;
		let committed = (size.segments.committed + size.segments.weights) as u64;
		let domain = size.domain as u64;
		let key = variables * (3 * G1 + G2) + (committed + domain) * G1;
		let matrices = (multiply_adds + TERMS_PER_CONSTRAINT * size.constraints as u64) * TERM;
		let parts = size.parts.iter();
		Ok(Self {
			constraints: size.constraints,
			words: size.shape.words(),
			committed_variables: size.segments.committed,
			private_variables: size.segments.private(),
			domain: size.domain,
			committed_weights,
			proving_key_bytes: key,
			proving_memory_bytes: PROCESS + 2 * key + VECTORS * domain * FIELD + matrices,
			parts: parts
				.map(|part| PartSize {
					name: part.name.clone(),
					constraints: part.constraints.len(),
					bits: part.bits,
					tables: part.tables.clone(),
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
		writeln!(formatter, "statement          {} words", self.words)?;
		writeln!(
			formatter,
			"private variables  {}, {} of them committed to before the challenge",
			self.private_variables, self.committed_variables
		)?;
		writeln!(
			formatter,
			"proving key        at most {:.1} MiB",
			mebibytes(self.proving_key_bytes)
		)?;
		writeln!(
			formatter,
			"memory to prove    at most {:.1} MiB",
			mebibytes(self.proving_memory_bytes)
		)?;
		if let Some(report) = &self.committed_weights {
			writeln!(
				formatter,
				"committed weights  {} words, registered by {} constraints (domain 2^{})",
				report.words,
				report.registration_constraints,
				report.registration_domain.ilog2()
			)?;
		}
		self.parts.iter().try_for_each(|part| {
			let bits = part.bits.then_some("bits");
			let how: Vec<&str> = bits
				.into_iter()
				.chain(part.tables.iter().map(String::as_str))
				.collect();
			let how = if how.is_empty() {
				String::new()
			} else {
				format!("  by {}", how.join(", "))
			};
			writeln!(formatter, "{:>10}  {}{how}", part.constraints, part.name)
		})
	}
}
