//! A circuit, part by part.

use crate::{
	builder::{Builder, Result},
	plan::Plan,
	wire::Wire,
};
use opensand_nn::{Model, Trace};
use opensand_zk_verifier::InputVisibility;

/// Builds everything in order: of an execution's trace and salt, or without values.
pub(crate) fn synthesise(
	builder: &mut Builder,
	model: &Model,
	visibility: InputVisibility,
	plan: &Plan,
	execution: Option<(&Trace, &[u8; 32])>,
) -> Result<()> {
	let trace = execution.map(|(trace, _)| trace);
	let salt = execution.map_or(&[0; 32], |(_, salt)| salt);
	builder.challenges_part()?;
	builder.add_tables(&plan.tables)?;
	let input = synthesise_input(builder, model, plan, trace)?;
	let mut words = builder.input_words(visibility, &input, salt)?;
	let output = synthesise_layers(builder, model, plan, input, trace)?;
	words.extend(builder.packed(&output));
	builder.fold(&words)?;
	builder.close_tables()
}

/// Builds the input and the layers, and nothing else: part 0 is the input, part i + 1 layer i.
pub(crate) fn synthesise_model(builder: &mut Builder, model: &Model, plan: &Plan) -> Result<()> {
	builder.add_tables(&plan.tables)?;
	let input = synthesise_input(builder, model, plan, None)?;
	synthesise_layers(builder, model, plan, input, None)?;
	Ok(())
}

fn synthesise_input(
	builder: &mut Builder,
	model: &Model,
	plan: &Plan,
	trace: Option<&Trace>,
) -> Result<Vec<Wire>> {
	match trace {
		Some(trace) => builder.input(&trace.input, plan.bytes),
		None => {
			let zeros = vec![0; model.architecture().input_len() as usize];
			builder.input(&zeros, plan.bytes)
		}
	}
}

/// Builds the layers from the input's wires; returns the output's.
fn synthesise_layers(
	builder: &mut Builder,
	model: &Model,
	plan: &Plan,
	input: Vec<Wire>,
	trace: Option<&Trace>,
) -> Result<Vec<Wire>> {
	let trace = trace.map(|trace| trace.layers.as_slice());
	let mut tensors = vec![input];
	for (index, layer) in plan.layers.iter().enumerate() {
		let outputs = builder.layer(model, index, &tensors, trace, *layer)?;
		tensors.push(outputs);
	}
	Ok(tensors.pop().unwrap_or_default())
}
