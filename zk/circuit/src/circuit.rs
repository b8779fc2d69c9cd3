//! The circuit of a model.

use crate::{
	basis::Basis,
	builder::{Builder, Part, MAX_CONSTRAINTS},
	cost::cheapest_plan,
	error::{CircuitError, MockError},
	packing::{self, WordShape},
	plan::Plan,
	registration::RegistrationCircuit,
	synthesis::{synthesise, Run},
	widths::{DeclaredWidths, WeightsMode},
};
use ark_bls12_381::Fr;
use ark_ff::Field;
use opensand_nn::{Model, Trace};
use opensand_zk_r1cs::{Matrices, Segments};
use opensand_zk_verifier::{
	poseidon::salted_input_hash, Binding, Challenges, InputVisibility, Statement, StatementInput,
	StatementShape,
};
use std::{ops::Range, sync::Arc};

/// The most multiply-additions of a circuit's model: each becomes one or two entries of the matrices, of 8 bytes.
pub const MAX_TERMS: u64 = 1 << 26;

/// How large a circuit is, known before any set-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitSize {
	/// Constraints.
	pub constraints: usize,
	/// Variables by segment. The public inputs are (r, b, f), whatever the model.
	pub segments: Segments,
	/// What statements look like: how many words are folded into f follows from it.
	pub shape: StatementShape,
	/// The power of two that holds constraints, public inputs and the constant: the length of the prover's FFTs.
	pub domain: usize,
	/// How many points of the domain it is from the row of one word of weights to that of the next: one, but where the domain is larger
	/// than that of the other circuit of the family, as many times as it is.
	pub weight_stride: usize,
	/// Constraints by part, in order.
	pub parts: Vec<Part>,
}

/// One execution of a model: what is stated and all that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
	/// The public statement.
	pub statement: Statement,
	/// Everything that the model computed.
	pub trace: Trace,
	/// The salt of a hashed input; ignored for a public one.
	pub salt: [u8; 32],
}

impl CircuitSize {
	/// The size of what a builder counted.
	pub(crate) fn of(builder: Builder, shape: StatementShape) -> Result<Self, CircuitError> {
		let (constraints, segments) = (builder.constraints(), builder.segments());
		let rows = constraints + segments.public;
		if rows as u64 > MAX_CONSTRAINTS {
			return Err(CircuitError::TooLarge {
				what: "constraints",
				limit: MAX_CONSTRAINTS,
			});
		}
		Ok(Self {
			constraints,
			segments,
			shape,
			domain: rows.next_power_of_two(),
			weight_stride: 1,
			parts: builder.into_parts(),
		})
	}

	/// Spreads the rows of weights as far as the family's other circuit asks for.
	pub(crate) fn spread(&mut self, other_domain: usize) {
		self.weight_stride = (self.domain / other_domain).max(1);
	}

	/// The first part that an assignment does not satisfy, from matrices with constraints in the order of the parts.
	pub(crate) fn check(&self, matrices: &Matrices, assignment: &[Fr]) -> Result<(), MockError> {
		let Some(constraint) = matrices.first_unsatisfied(assignment) else {
			return Ok(());
		};
		let mut parts = self.parts.iter();
		let part = parts.find(|part| part.constraints.contains(&constraint));
		Err(MockError::Unsatisfied {
			part: part.map_or_else(String::new, |part| part.name.clone()),
			constraint,
			constraints: matrices.constraints(),
		})
	}
}

/// The circuit that a model and a visibility determine; where weights are committed to, the model's architecture, the declared
/// widths and a visibility.
#[derive(Clone, Debug)]
pub struct InferenceCircuit {
	pub(crate) basis: Basis,
	visibility: InputVisibility,
	pub(crate) plan: Plan,
	size: CircuitSize,
	/// The domain of the registration circuit, where there is one.
	registration_domain: Option<usize>,
}

impl InferenceCircuit {
	/// Compiles a model with its weights as constants: decides how each layer is proven, counts constraints and checks the
	/// limits. Matrices are not made yet.
	pub fn new(model: Arc<Model>, visibility: InputVisibility) -> Result<Self, CircuitError> {
		Self::with_weights(model, visibility, WeightsMode::Constant)
	}

	/// As [`new`](Self::new), with weights as constants or committed to.
	///
	/// # Errors
	/// Also when committed weights do not fit the declared widths.
	pub fn with_weights(
		model: Arc<Model>,
		visibility: InputVisibility,
		weights: WeightsMode,
	) -> Result<Self, CircuitError> {
		if model.architecture().multiply_adds() > MAX_TERMS {
			return Err(CircuitError::TooLarge {
				what: "multiply-additions",
				limit: MAX_TERMS,
			});
		}
		let basis = match weights {
			WeightsMode::Constant => Basis::constant(model),
			WeightsMode::Committed(widths) => Basis::committed(model, widths)?,
		};
		let plan = cheapest_plan(&basis)?;
		if basis.widths.is_none() {
			return Self::with_plan(basis, visibility, plan);
		}
		let pairs = plan.with_words(&basis, WordShape::Pairs);
		let circuit = Self::with_plan(basis.clone(), visibility, plan);
		let with_pairs = Self::with_plan(basis, visibility, pairs);
		match (&circuit, &with_pairs) {
			(Ok(any), Ok(pairs)) if pairs.family_domains() < any.family_domains() => with_pairs,
			(Err(_), Ok(_)) => with_pairs,
			_ => circuit,
		}
	}

	/// What the keys of the circuit's family cost, to be compared: whether weights can be registered at all, then the domain of this
	/// circuit, which is paid for with each proof, then that of the registration.
	fn family_domains(&self) -> (bool, usize, Option<usize>) {
		let registration = self.registration_domain;
		(registration.is_none(), self.size.domain, registration)
	}

	/// The circuit of a plan, whether it is the cheapest or not.
	pub(crate) fn with_plan(
		basis: Basis,
		visibility: InputVisibility,
		plan: Plan,
	) -> Result<Self, CircuitError> {
		let architecture = basis.model.architecture();
		let shape = StatementShape {
			visibility,
			input_len: architecture.input_len(),
			output_len: architecture.output_len(),
		};
		let mut builder = Builder::counting();
		synthesise(&mut builder, &basis, visibility, &plan, None)?;
		let mut circuit = Self {
			size: CircuitSize::of(builder, shape)?,
			basis,
			visibility,
			plan,
			registration_domain: None,
		};
		// Without weights, and with more than can be registered, there is no family.
		if let Ok(registration) = RegistrationCircuit::of(&circuit) {
			let domain = registration.size().domain;
			circuit.size.spread(domain);
			circuit.registration_domain = Some(domain);
		}
		Ok(circuit)
	}

	/// The model.
	pub fn model(&self) -> &Arc<Model> {
		&self.basis.model
	}

	/// The declared widths, where weights are committed to.
	pub fn widths(&self) -> Option<&DeclaredWidths> {
		self.basis.widths.as_ref()
	}

	/// The words of the model's weights with this mask: the values of the weights' segment, none where weights are constants.
	/// The mask is uniformly random, fresh for each version of a model, and as secret as the weights.
	pub fn words(&self, mask: Fr) -> Vec<Fr> {
		if self.plan.packings.is_empty() {
			return Vec::new();
		}
		packing::words(self.model(), &self.plan.packings, mask)
	}

	/// The columns whose values are the same in every proof about the same weights: the words and their copies.
	pub fn lasting_columns(&self) -> [Range<usize>; 2] {
		let segments = self.size.segments;
		// The copies come right behind the unit.
		let copies = segments.rest_columns().start + 1;
		[segments.weight_columns(), copies..copies + segments.weights]
	}

	/// Whether the input is part of the statement.
	pub fn visibility(&self) -> InputVisibility {
		self.visibility
	}

	/// How large the circuit is.
	pub fn size(&self) -> &CircuitSize {
		&self.size
	}

	/// Runs the model on an input and states the result. The salt is used where the input is hashed; it must be fresh
	/// and uniformly random then.
	pub fn execute(&self, binding: Binding, input: &[i8], salt: [u8; 32]) -> Result<Execution, CircuitError> {
		let trace = self.model().trace(input)?;
		let input = match self.visibility {
			InputVisibility::Public => StatementInput::Public(input.to_vec()),
			InputVisibility::Hashed => StatementInput::Hashed(salted_input_hash(&salt, input)),
		};
		let statement = Statement {
			binding,
			input,
			output: trace.output().to_vec(),
		};
		Ok(Execution {
			statement,
			trace,
			salt,
		})
	}

	/// The constraint matrices: row i is the one at point i of the domain. Words of weights have rows at every
	/// [`weight_stride`](CircuitSize::weight_stride)-th point.
	pub fn matrices(&self) -> Result<Matrices, CircuitError> {
		Ok(self
			.unspread_matrices()?
			.with_spread_weights(self.size.weight_stride))
	}

	/// The constraint matrices in the order of the circuit's parts.
	pub(crate) fn unspread_matrices(&self) -> Result<Matrices, CircuitError> {
		let mut builder = Builder::of_matrices(self.size.segments);
		synthesise(&mut builder, &self.basis, self.visibility, &self.plan, None)?;
		Ok(builder
			.into_matrices()
			.expect("the builder was asked for matrices"))
	}

	/// The values of the committed segment: what is fixed before the challenges are drawn.
	pub fn commit(&self, execution: &Execution) -> Result<Vec<Fr>, CircuitError> {
		let mut builder = Builder::of_committed();
		self.run(&mut builder, execution, &[])?;
		Ok(builder.into_values())
	}

	/// As [`assign_with_words`](Self::assign_with_words), where weights are constants.
	pub fn assign(
		&self,
		execution: &Execution,
		committed: &[Fr],
		challenges: &Challenges,
	) -> Result<Vec<Fr>, CircuitError> {
		self.assign_with_words(execution, &[], committed, challenges)
	}

	/// The full assignment z = (1, r, b, f | committed | weights | rest) of an execution, with the values of
	/// [`words`](Self::words) and [`commit`](Self::commit). It satisfies the matrices if the trace is that of the model with these
	/// weights and agrees with the statement, but for challenges that happen to be among the looked-up values.
	pub fn assign_with_words(
		&self,
		execution: &Execution,
		words: &[Fr],
		committed: &[Fr],
		challenges: &Challenges,
	) -> Result<Vec<Fr>, CircuitError> {
		let segments = self.size.segments;
		if words.len() != segments.weights {
			return Err(CircuitError::WordsLength {
				expected: segments.weights,
				found: words.len(),
			});
		}
		if committed.len() != segments.committed {
			return Err(CircuitError::CommittedLength {
				expected: segments.committed,
				found: committed.len(),
			});
		}
		let public = execution.statement.public_inputs(challenges);
		let public = public.map_err(|_| CircuitError::StatementShape)?;
		let mut builder = Builder::of_rest(*challenges);
		self.run(&mut builder, execution, words)?;
		let mut assignment = Vec::with_capacity(segments.variables());
		assignment.push(Fr::ONE);
		assignment.extend(public);
		assignment.extend_from_slice(committed);
		assignment.extend_from_slice(words);
		assignment.extend(builder.into_values());
		Ok(assignment)
	}

	/// Checks an execution against every constraint without proving, and names the first part that fails.
	pub fn mock(&self, execution: &Execution) -> Result<(), MockError> {
		let matrices = self.unspread_matrices()?;
		let words = self.words(Fr::ONE);
		let committed = self.commit(execution)?;
		let assignment = self.assign_with_words(execution, &words, &committed, &mock_challenges())?;
		self.size.check(&matrices, &assignment)
	}

	/// The tables that values are looked up in.
	#[cfg(test)]
	pub(crate) fn tables(&self) -> &[crate::tables::Table] {
		&self.plan.tables
	}

	/// Runs over the circuit with the values of an execution.
	fn run(&self, builder: &mut Builder, execution: &Execution, words: &[Fr]) -> Result<(), CircuitError> {
		self.check_shape(execution)?;
		let run = Run {
			trace: &execution.trace,
			salt: &execution.salt,
			words,
		};
		synthesise(builder, &self.basis, self.visibility, &self.plan, Some(run))
	}

	fn check_shape(&self, execution: &Execution) -> Result<(), CircuitError> {
		let architecture = self.model().architecture();
		let shapes = architecture.shapes();
		let statement = &execution.statement;
		let input_fits = match (&statement.input, self.visibility) {
			(StatementInput::Public(values), InputVisibility::Public) => {
				values.len() == architecture.input_len() as usize
			}
			(StatementInput::Hashed(_), InputVisibility::Hashed) => true,
			_ => false,
		};
		if !input_fits || statement.output.len() != architecture.output_len() as usize {
			return Err(CircuitError::StatementShape);
		}
		let trace = &execution.trace;
		let layer_fits = |index: usize| {
			let elements = shapes[index + 1].elements() as usize;
			let accumulators = if architecture.layers()[index].operator.has_accumulators() {
				elements
			} else {
				0
			};
			trace.layers[index].accumulators.len() == accumulators
		};
		let trace_fits = trace.input.len() == architecture.input_len() as usize
			&& trace.layers.len() == architecture.layers().len()
			&& (0..trace.layers.len()).all(layer_fits);
		trace_fits.then_some(()).ok_or(CircuitError::TraceShape)
	}
}

/// Challenges for a check that nobody has to be convinced by: no fraction with a small denominator is looked up.
pub(crate) fn mock_challenges() -> Challenges {
	let inverse = |denominator: u64| {
		Fr::from(denominator)
			.inverse()
			.expect("a number below the field's order is not zero")
	};
	Challenges {
		r: inverse(0xffff_ffff_ffff_ffc5),
		b: inverse(0xffff_ffff_ffff_ff53),
	}
}
