//! The circuit of a model.

use crate::{
	builder::{Builder, Part, MAX_CONSTRAINTS},
	error::{CircuitError, MockError},
	wire::Wire,
};
use ark_bls12_381::Fr;
use ark_ff::AdditiveGroup;
use ark_relations::gr1cs::{
	ConstraintSynthesizer, ConstraintSystem, ConstraintSystemRef, SynthesisError, SynthesisMode,
	R1CS_PREDICATE_LABEL,
};
use opensand_nn::{Model, Trace};
use opensand_zk_r1cs::{Matrices, Segments};
use opensand_zk_verifier::{
	poseidon::salted_input_hash, public_input_count, Binding, InputVisibility, Statement, StatementInput,
	MAX_PUBLIC_INPUTS,
};
use std::sync::Arc;

/// The most multiply-additions of a circuit's model: they become entries of matrices, of 40 bytes while they are made.
pub const MAX_TERMS: u64 = 1 << 25;

/// How large a circuit is, known before any set-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitSize {
	/// Constraints.
	pub constraints: usize,
	/// Public inputs, without the constant one.
	pub public_inputs: usize,
	/// Private variables.
	pub witnesses: usize,
	/// The power of two that holds constraints, public inputs and the constant: the length of the prover's FFTs.
	pub domain: usize,
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

/// The circuit that a model and a visibility determine.
#[derive(Clone, Debug)]
pub struct InferenceCircuit {
	model: Arc<Model>,
	visibility: InputVisibility,
	size: CircuitSize,
}

impl InferenceCircuit {
	/// Compiles a model: counts constraints and checks the limits. Matrices are not made yet.
	pub fn new(model: Arc<Model>, visibility: InputVisibility) -> Result<Self, CircuitError> {
		let architecture = model.architecture();
		if architecture.multiply_adds() > MAX_TERMS {
			return Err(CircuitError::TooLarge {
				what: "multiply-additions",
				limit: MAX_TERMS,
			});
		}
		let public_inputs = public_input_count(
			visibility,
			architecture.input_len() as usize,
			architecture.output_len() as usize,
		);
		if public_inputs > MAX_PUBLIC_INPUTS {
			return Err(CircuitError::TooManyPublicInputs {
				needed: public_inputs,
				limit: MAX_PUBLIC_INPUTS,
			});
		}
		let mut circuit = Self {
			model,
			visibility,
			size: CircuitSize {
				constraints: 0,
				public_inputs,
				witnesses: 0,
				domain: 0,
				parts: Vec::new(),
			},
		};
		let cs = ConstraintSystem::new_ref();
		cs.set_mode(SynthesisMode::Prove {
			construct_matrices: false,
			generate_lc_assignments: false,
		});
		let (parts, constraints) = circuit.synthesise(cs.clone(), None)?;
		let rows = constraints + public_inputs + 1;
		if rows as u64 > MAX_CONSTRAINTS {
			return Err(CircuitError::TooLarge {
				what: "constraints",
				limit: MAX_CONSTRAINTS,
			});
		}
		circuit.size = CircuitSize {
			constraints,
			public_inputs,
			witnesses: cs.num_witness_variables(),
			domain: rows.next_power_of_two(),
			parts,
		};
		Ok(circuit)
	}

	/// The model.
	pub fn model(&self) -> &Arc<Model> {
		&self.model
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
		let trace = self.model.trace(input)?;
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

	/// The constraint matrices.
	pub fn matrices(&self) -> Result<Matrices, CircuitError> {
		let cs = ConstraintSystem::new_ref();
		cs.set_mode(SynthesisMode::Setup);
		self.synthesise(cs.clone(), None)?;
		let mut matrices = cs.to_matrices()?;
		let rows = matrices
			.remove(R1CS_PREDICATE_LABEL)
			.and_then(|rows| rows.try_into().ok());
		let rows = rows.ok_or(SynthesisError::PredicateNotFound)?;
		Ok(Matrices::new(
			rows,
			Segments {
				public: cs.num_instance_variables(),
				rest: cs.num_witness_variables(),
				..Segments::default()
			},
		))
	}

	/// The full assignment z = (1, public inputs, witness) of an execution. It satisfies the matrices if the trace is the
	/// model's and agrees with the statement.
	pub fn assign(&self, execution: &Execution) -> Result<Vec<Fr>, CircuitError> {
		let cs = ConstraintSystem::new_ref();
		cs.set_mode(SynthesisMode::Prove {
			construct_matrices: false,
			generate_lc_assignments: false,
		});
		self.synthesise(cs.clone(), Some(execution))?;
		let cs = cs.into_inner().ok_or(SynthesisError::MissingCS)?;
		let mut assignment = cs.assignments.instance_assignment;
		assignment.extend(cs.assignments.witness_assignment);
		Ok(assignment)
	}

	/// Checks an execution against every constraint without proving, and names the first part that fails.
	pub fn mock(&self, execution: &Execution) -> Result<(), MockError> {
		let matrices = self.matrices()?;
		let assignment = self.assign(execution)?;
		let Some(constraint) = matrices.first_unsatisfied(&assignment) else {
			return Ok(());
		};
		let part = self
			.size
			.parts
			.iter()
			.find(|part| part.constraints.contains(&constraint));
		Err(MockError::Unsatisfied {
			part: part.map_or_else(String::new, |part| part.name.clone()),
			constraint,
			constraints: matrices.constraints(),
		})
	}

	/// A synthesiser with the values of an execution, for other provers of arkworks' constraint systems.
	pub fn with_execution<'a>(&'a self, execution: &'a Execution) -> impl ConstraintSynthesizer<Fr> + 'a {
		Synthesiser {
			circuit: self,
			execution: Some(execution),
		}
	}

	/// A synthesiser without values, for set-up.
	pub fn without_execution(&self) -> impl ConstraintSynthesizer<Fr> + '_ {
		Synthesiser {
			circuit: self,
			execution: None,
		}
	}

	/// Builds everything in order; returns the parts and the number of constraints.
	fn synthesise(
		&self,
		cs: ConstraintSystemRef<Fr>,
		execution: Option<&Execution>,
	) -> Result<(Vec<Part>, usize), CircuitError> {
		let architecture = self.model.architecture();
		let (input_len, output_len) = (
			architecture.input_len() as usize,
			architecture.output_len() as usize,
		);
		let public_values = match execution {
			Some(execution) => {
				self.check_shape(execution)?;
				execution
					.statement
					.public_inputs()
					.map_err(|_| CircuitError::StatementShape)?
			}
			None => vec![Fr::ZERO; self.size.public_inputs],
		};
		let zeros = vec![0; if execution.is_some() { 0 } else { input_len }];
		let (input, salt) = execution.map_or((&zeros, &[0; 32]), |execution| {
			(&execution.trace.input, &execution.salt)
		});

		let mut builder = Builder::new(cs);
		let public = builder.public_variables(&public_values, output_len)?;
		builder.bind(public.binding, public_values[0])?;
		let mut tensors: Vec<Vec<Wire>> = vec![builder.input(self.visibility, &public.input, input, salt)?];
		for index in 0..architecture.layers().len() {
			let trace = execution.map(|execution| &execution.trace.layers[index]);
			let outputs = builder.layer(&self.model, index, &tensors, trace)?;
			tensors.push(outputs);
		}
		let output = tensors.pop().unwrap_or_default();
		builder.output(&output, &public.output)?;
		Ok(builder.finish())
	}

	fn check_shape(&self, execution: &Execution) -> Result<(), CircuitError> {
		let architecture = self.model.architecture();
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

struct Synthesiser<'a> {
	circuit: &'a InferenceCircuit,
	execution: Option<&'a Execution>,
}

impl ConstraintSynthesizer<Fr> for Synthesiser<'_> {
	fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
		match self.circuit.synthesise(cs, self.execution) {
			Ok(_) => Ok(()),
			Err(_) => Err(SynthesisError::AssignmentMissing),
		}
	}
}
