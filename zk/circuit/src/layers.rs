//! The model's layers.

use crate::{
	basis::Basis,
	builder::{Builder, Result},
	matmul::Operand,
	packing::WordCopy,
	plan::{LayerPlan, Plan},
	requantise::{Accumulator, Requantisation},
	requantise_look_up::RequantiseTables,
	sums::{window, Sums},
	wire::Wire,
};
use opensand_nn::{Activation, LayerTrace, LayerWeights, Model, Operator, Shape, Window};

impl Builder {
	/// The wires of layer `index`, from those of the tensors before it. `copies` are those of the weights' words, where they
	/// are committed to. `trace` has the values of all layers; without it values are without meaning.
	pub(crate) fn layer(
		&mut self,
		basis: &Basis,
		index: usize,
		tensors: &[Vec<Wire>],
		copies: &[WordCopy],
		trace: Option<&[LayerTrace]>,
		plan: &Plan,
	) -> Result<Vec<Wire>> {
		let architecture = basis.model.architecture();
		let packing = plan.packing(index);
		let plan = plan.layers[index];
		let layer = &architecture.layers()[index];
		let name = |index: usize| {
			let operator = &architecture.layers()[index].operator;
			format!("{index} ({})", operator.name())
		};
		self.part(match plan {
			LayerPlan::PoolOf { layer, .. } => format!("layers {} and {}", name(layer), name(index)),
			_ => format!("layer {}", name(index)),
		});
		let accumulators = |index: usize| trace.map(|trace| trace[index].accumulators.as_slice());
		let inputs = &tensors[usize::from(layer.input)];
		let shapes = architecture.shapes();
		let (from, to) = (shapes[usize::from(layer.input)], shapes[index + 1]);
		match &layer.operator {
			Operator::MaxPool(pool) => match plan {
				LayerPlan::PoolOf { layer, .. } => {
					let sums = Sums::new(basis, layer, tensors);
					let sums = if basis.claims(layer) {
						sums.claimed(inputs)
					} else {
						sums
					};
					self.pool_accumulators(&sums, pool, to, accumulators(layer), plan)
				}
				_ => self.max_pool(pool, inputs, from, to, plan),
			},
			Operator::Reshape(_) => Ok(inputs.clone()),
			Operator::Relu => self.relu(inputs, plan),
			Operator::Lut(images) => self.images(images, inputs, plan),
			Operator::Concat(concat) => {
				let others = concat.others.iter().map(|other| &tensors[usize::from(*other)]);
				Ok(std::iter::once(inputs).chain(others).flatten().copied().collect())
			}
			Operator::Transpose(permutation) => {
				let places = from.transposed_places(*permutation);
				Ok(places.map(|place| inputs[place]).collect())
			}
			Operator::LayerNormalization(normalization) => {
				let normalised = self.layer_normalization(normalization, inputs, from, plan.range())?;
				let sums = Sums::new(basis, index, tensors).of_inputs(&normalised);
				let (values, tables) = (accumulators(index), plan.requantise_tables());
				let Some(packing) = packing else {
					return self.requantise_all(&sums, values, tables);
				};
				let claimed = self.claims(basis, index, values);
				self.packed_sums(basis, packing, &normalised, copies, &claimed)?;
				self.requantise_all(&sums.claimed(&claimed), values, tables)
			}
			Operator::Embedding(embedding) => {
				let weights = layer_weights(&basis.model, index);
				let Some(packing) = packing else {
					return self.embedding(embedding, weights, inputs);
				};
				let (outputs, indicators) =
					self.committed_embedding(embedding, weights, inputs, plan.range())?;
				self.packed_sums(basis, packing, &indicators, copies, &outputs)?;
				Ok(outputs)
			}
			_ if let Some(packing) = packing => {
				let claimed = self.claims(basis, index, accumulators(index));
				self.packed_sums(basis, packing, inputs, copies, &claimed)?;
				if plan == LayerPlan::Pooled {
					return Ok(claimed);
				}
				let sums = Sums::new(basis, index, tensors).claimed(&claimed);
				self.requantise_all(&sums, accumulators(index), plan.requantise_tables())
			}
			Operator::MatMul(matmul) => {
				let [left, right] = [layer.input, matmul.other].map(|tensor| Operand {
					wires: &tensors[usize::from(tensor)],
					shape: shapes[usize::from(tensor)],
				});
				let intervals = basis.accumulators(index);
				let tables = plan.requantise_tables();
				self.matmul(matmul, left, right, intervals, accumulators(index), tables)
			}
			Operator::Softmax(softmax) => self.softmax(softmax, inputs, from, plan),
			// Where its accumulators are pooled, the layer has no wires of its own.
			_ if plan == LayerPlan::Pooled => Ok(Vec::new()),
			_ => {
				let sums = Sums::new(basis, index, tensors);
				self.requantise_all(&sums, accumulators(index), plan.requantise_tables())
			}
		}
	}

	/// Requantises all accumulators of a layer.
	fn requantise_all(
		&mut self,
		sums: &Sums,
		accumulators: Option<&[i32]>,
		tables: Option<RequantiseTables>,
	) -> Result<Vec<Wire>> {
		let plane = sums.shape().plane() as usize;
		let mut outputs = Vec::with_capacity(sums.shape().elements() as usize);
		for channel in 0..sums.shape().channels as usize {
			let (requantisation, shift, activation) = sums.requantisation(channel);
			for position in 0..plane {
				let value = accumulators.map_or(0, |values| values[channel * plane + position].into());
				let accumulator = Accumulator {
					lc: || sums.sum(channel, position).into_lc(),
					value,
				};
				outputs.push(self.requantise(accumulator, requantisation, shift, activation, tables)?);
			}
		}
		Ok(outputs)
	}

	/// max(x, 0) of each wire.
	fn relu(&mut self, inputs: &[Wire], plan: LayerPlan) -> Result<Vec<Wire>> {
		let mut outputs = Vec::with_capacity(inputs.len());
		for input in inputs {
			if input.interval.lower >= 0 {
				outputs.push(*input);
				continue;
			}
			let accumulator = Accumulator {
				lc: || input.lc(),
				value: input.value,
			};
			let requantisation = Requantisation::new(input.interval, 0, Activation::Relu);
			outputs.push(self.requantise(
				accumulator,
				requantisation,
				0,
				Activation::Relu,
				plan.requantise_tables(),
			)?);
		}
		Ok(outputs)
	}

	/// The maximum of each window.
	fn max_pool(
		&mut self,
		pool: &Window,
		inputs: &[Wire],
		from: Shape,
		to: Shape,
		plan: LayerPlan,
	) -> Result<Vec<Wire>> {
		let mut outputs = Vec::with_capacity(to.elements() as usize);
		for channel in 0..to.channels as usize {
			let plane = &inputs[channel * from.plane() as usize..][..from.plane() as usize];
			for position in 0..to.plane() as usize {
				let elements: Vec<Wire> = window(pool, from, to, position)
					.map(|element| plane[element])
					.collect();
				outputs.push(self.maximum(&elements, plan)?);
			}
		}
		Ok(outputs)
	}
}

/// The weights of a layer that has some.
pub(crate) fn layer_weights(model: &Model, layer: usize) -> &LayerWeights {
	model
		.layer_weights(layer)
		.expect("a checked model has weights for each layer that needs them")
}
