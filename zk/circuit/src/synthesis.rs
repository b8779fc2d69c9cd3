//! A circuit, part by part.

use crate::{
	builder::{Builder, Result},
	plan::Plan,
	wire::Wire,
};
use opensand_nn::{Model, Trace};
use opensand_zk_verifier::InputVisibility;
use std::ops::Range;

/// Builds everything in order: of an execution's trace and salt, or without values.
pub(crate) fn synthesise(
	builder: &mut Builder,
	model: &Model,
	visibility: InputVisibility,
	plan: &Plan,
	execution: Option<(&Trace, &[u8; 32])>,
) -> Result<()> {
	let architecture = model.architecture();
	let zeros;
	let (input, salt) = match execution {
		Some((trace, salt)) => (trace.input.as_slice(), salt),
		None => {
			zeros = vec![0; architecture.input_len() as usize];
			(zeros.as_slice(), &[0; 32])
		}
	};
	builder.challenges_part()?;
	builder.add_tables(&plan.tables)?;
	let mut tensors: Vec<Vec<Wire>> = vec![builder.input(input, plan.bytes)?];
	let mut words = builder.input_words(visibility, &tensors[0], salt)?;
	for (index, layer) in plan.layers.iter().enumerate() {
		let trace = execution.map(|(trace, _)| trace.layers.as_slice());
		let outputs = builder.layer(model, index, &tensors, trace, *layer)?;
		tensors.push(outputs);
	}
	let output = tensors.last().map_or(&[][..], Vec::as_slice);
	words.extend(builder.packed(output));
	builder.fold(&words)?;
	builder.close_tables()
}

/// Which parts are the layers.
pub(crate) fn layer_parts(model: &Model, visibility: InputVisibility) -> Range<usize> {
	// Challenges and input come first.
	let first = match visibility {
		InputVisibility::Public => 2,
		InputVisibility::Hashed => 3,
	};
	first..first + model.architecture().layers().len()
}
