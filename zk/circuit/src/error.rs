//! What can go wrong between a model and a satisfied circuit.

use opensand_nn::{EvaluateError, Interval};
use thiserror::Error;

/// Why a circuit or an assignment cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CircuitError {
	/// The circuit would be larger than this build proves. Use fewer or narrower layers, or pool earlier.
	#[error("the circuit needs more than {limit} {what}, which is the limit")]
	TooLarge {
		/// What there is too much of.
		what: &'static str,
		/// How much is supported.
		limit: u64,
	},
	/// The input does not fit the model. Give as many values as the architecture's input shape has.
	#[error("the model cannot be evaluated on this input: {0}")]
	Input(#[from] EvaluateError),
	/// The statement is not of this circuit: its visibility, its hash or the length of a tensor differs. Build it with
	/// `InferenceCircuit::execute`.
	#[error("the statement does not have this circuit's shape")]
	StatementShape,
	/// The trace does not have the model's shape. Take it from `Model::trace` of the same model.
	#[error("the trace does not have this model's shape")]
	TraceShape,
	/// The challenge r is a looked-up value, which happens with negligible probability. Commit again with other randomness.
	#[error("the challenge is one of the looked-up values")]
	LookedUpChallenge,
	/// The declared widths are not of this architecture: as many as it has layers with weights, accumulators of 1 to 31 bits and
	/// biases of 1 to 4 bytes. Take them from `DeclaredWidths::of` a model of the architecture.
	#[error("the declared widths do not fit the architecture")]
	Widths,
	/// A layer's weights exceed what the keys were made for. Train with a penalty on large weights, or declare wider ones and
	/// make new keys.
	#[error("layer {layer}: {what} reach {bound}, beyond the declared {}..={}: set up a new key", declared.lower, declared.upper)]
	BeyondWidths {
		/// Index of the layer.
		layer: usize,
		/// "accumulators" or "biases".
		what: &'static str,
		/// The bound that is beyond.
		bound: i32,
		/// What has been declared.
		declared: Interval,
	},
	/// The words of the weights are not as many as the circuit has: none, if its weights are constants. Take them from
	/// `InferenceCircuit::words`.
	#[error("{found} words of weights, the circuit has {expected}")]
	WordsLength {
		/// The circuit's words.
		expected: usize,
		/// How many there are.
		found: usize,
	},
	/// Only weights that are committed to have a registration circuit. Compile the model with `WeightsMode::Committed`.
	#[error("the circuit's weights are constants")]
	ConstantWeights,
	/// The values of the committed segment are not as many as the circuit has. Take them from `InferenceCircuit::commit`
	/// with the same execution.
	#[error("{found} committed values, the circuit has {expected}")]
	CommittedLength {
		/// The circuit's committed variables.
		expected: usize,
		/// How many values there are.
		found: usize,
	},
}

/// Why a statement, an input and a salt do not satisfy the circuit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MockError {
	/// No assignment could be made.
	#[error(transparent)]
	Circuit(#[from] CircuitError),
	/// A constraint does not hold. The part is the first, in the order of evaluation, with such a constraint.
	#[error("the circuit is not satisfied in {part}, constraint {constraint} of {constraints}")]
	Unsatisfied {
		/// "weights", "challenges", "input", "input hash", "statement", a layer as `layer <index> (<operator>)`, or a table.
		part: String,
		/// The first constraint that does not hold, counted from 0.
		constraint: usize,
		/// How many constraints there are.
		constraints: usize,
	},
}
