//! A circuit, part by part.

use crate::{
	basis::Basis,
	builder::{Builder, Result},
	packing::WordCopy,
	plan::Plan,
	wire::Wire,
};
use ark_bls12_381::Fr;
use opensand_nn::Trace;
use opensand_zk_verifier::InputVisibility;

/// What the values of a circuit follow from.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
	pub(crate) trace: &'a Trace,
	pub(crate) salt: &'a [u8; 32],
	/// The words of the weights; may be left out where only the committed segment is asked for.
	pub(crate) words: &'a [Fr],
}

/// Builds everything in order: with the values of a run, or without.
pub(crate) fn synthesise(
	builder: &mut Builder,
	basis: &Basis,
	visibility: InputVisibility,
	plan: &Plan,
	run: Option<Run>,
) -> Result<()> {
	let trace = run.map(|run| run.trace);
	let salt = run.map_or(&[0; 32], |run| run.salt);
	builder.unit();
	let copies = builder.weights_part(plan.words(), run.map_or(&[], |run| run.words))?;
	builder.challenges_part()?;
	builder.add_tables(&plan.tables)?;
	let input = synthesise_input(builder, basis, plan, trace)?;
	let mut words = builder.input_words(visibility, &input, salt)?;
	let output = synthesise_layers(builder, basis, plan, input, &copies, trace)?;
	words.extend(builder.packed(&output));
	builder.fold(&words)?;
	builder.close_tables()
}

/// Builds the input and the layers, and nothing else: part 0 is the input, part i + 1 layer i.
pub(crate) fn synthesise_model(builder: &mut Builder, basis: &Basis, plan: &Plan) -> Result<()> {
	builder.add_tables(&plan.tables)?;
	let input = synthesise_input(builder, basis, plan, None)?;
	let unknown = WordCopy {
		variable: Builder::UNIT,
		value: None,
	};
	let copies = vec![unknown; plan.words()];
	synthesise_layers(builder, basis, plan, input, &copies, None)?;
	Ok(())
}

fn synthesise_input(
	builder: &mut Builder,
	basis: &Basis,
	plan: &Plan,
	trace: Option<&Trace>,
) -> Result<Vec<Wire>> {
	match trace {
		Some(trace) => builder.input(&trace.input, plan.bytes),
		None => {
			let zeros = vec![0; basis.model.architecture().input_len() as usize];
			builder.input(&zeros, plan.bytes)
		}
	}
}

/// Builds the layers from the input's wires; returns the output's.
fn synthesise_layers(
	builder: &mut Builder,
	basis: &Basis,
	plan: &Plan,
	input: Vec<Wire>,
	copies: &[WordCopy],
	trace: Option<&Trace>,
) -> Result<Vec<Wire>> {
	let trace = trace.map(|trace| trace.layers.as_slice());
	let mut tensors = vec![input];
	for index in 0..plan.layers.len() {
		let outputs = builder.layer(basis, index, &tensors, copies, trace, plan)?;
		tensors.push(outputs);
	}
	Ok(tensors.pop().unwrap_or_default())
}
