//! What a circuit is made from, and the bounds that follow from it.

use crate::{
	error::CircuitError,
	plan::hull,
	requantise::{clamp_range, Requantisation},
	tables::image,
	widths::DeclaredWidths,
};
use opensand_nn::{Activation, Architecture, Interval, Model, Operator};
use std::sync::Arc;

/// A model, the declared widths if its weights are committed to, and the bounds that circuits of either kind may use.
#[derive(Clone, Debug)]
pub(crate) struct Basis {
	pub(crate) model: Arc<Model>,
	/// None where weights are constants.
	pub(crate) widths: Option<DeclaredWidths>,
	/// For each layer the interval of each channel's accumulators; empty where it does not accumulate. Of a layer with committed
	/// weights, the declared one: nothing has proven it.
	accumulators: Vec<Vec<Interval>>,
	/// For each tensor an interval that its elements lie in: proven, whatever the weights are if they are committed.
	tensors: Vec<Interval>,
}

impl Basis {
	/// Of a model whose weights are constants.
	pub(crate) fn constant(model: Arc<Model>) -> Self {
		let layers = model.architecture().layers().len();
		let whole = |tensor| {
			let bounds = model.tensor_bounds(tensor).iter().copied();
			bounds.reduce(hull).unwrap_or(Interval::INT8)
		};
		Self {
			accumulators: (0..layers)
				.map(|layer| model.accumulator_bounds(layer).to_vec())
				.collect(),
			tensors: (0..=layers).map(whole).collect(),
			widths: None,
			model,
		}
	}

	/// Of a model whose weights are committed to. Nothing but [`model`](Self::model) depends on them.
	pub(crate) fn committed(model: Arc<Model>, widths: DeclaredWidths) -> Result<Self, CircuitError> {
		let architecture = model.architecture();
		widths.check(&model)?;
		let mut tensors = vec![Interval::INT8];
		let mut accumulators = Vec::new();
		for index in 0..architecture.layers().len() {
			let (sums, outputs) = bounds(architecture, index, &tensors)?;
			let channels = architecture.shapes()[index + 1].channels as usize;
			accumulators.push(sums.map_or_else(Vec::new, |sums| vec![sums; channels]));
			tensors.push(outputs);
		}
		for (layer, widths) in widths.by_layer(architecture) {
			accumulators[layer].fill(widths.accumulators());
		}
		Ok(Self {
			widths: Some(widths),
			accumulators,
			tensors,
			model,
		})
	}

	/// For each channel of a layer where its accumulators lie: for certain, or where they are
	/// [claimed](Self::claims), as declared.
	pub(crate) fn accumulators(&self, layer: usize) -> &[Interval] {
		&self.accumulators[layer]
	}

	/// What is known of a channel's accumulators when they are requantised.
	pub(crate) fn requantisation(
		&self,
		layer: usize,
		channel: usize,
		shift: u8,
		activation: Activation,
	) -> Requantisation {
		let interval = self.accumulators[layer][channel];
		if self.claims(layer) {
			Requantisation::claimed(interval, shift, activation)
		} else {
			Requantisation::new(interval, shift, activation)
		}
	}

	/// Where the elements of a tensor lie.
	pub(crate) fn tensor(&self, tensor: usize) -> Interval {
		self.tensors[tensor]
	}

	/// Whether a layer's accumulators are claimed by the prover, as they are where weights are committed to: until they are
	/// requantised nothing is proven of them.
	pub(crate) fn claims(&self, layer: usize) -> bool {
		let layers = self.model.architecture().layers();
		self.widths.is_some() && layers[layer].operator.has_weights()
	}
}

/// Where a layer's accumulators, if it has any that follow from tensors alone, and its outputs lie whatever the weights are.
fn bounds(
	architecture: &Architecture,
	index: usize,
	tensors: &[Interval],
) -> Result<(Option<Interval>, Interval), CircuitError> {
	let layer = &architecture.layers()[index];
	let from = tensors[usize::from(layer.input)];
	let scaled = |factor: i64, interval: Interval| {
		let ends = [interval.lower, interval.upper].map(|end| factor * i64::from(end));
		[ends[0].min(ends[1]).min(0), ends[0].max(ends[1]).max(0)]
	};
	let interval = |[lower, upper]: [i64; 2]| match (i32::try_from(lower), i32::try_from(upper)) {
		(Ok(lower), Ok(upper)) => Ok(Some(Interval::new(lower, upper))),
		_ => Err(CircuitError::TooLarge {
			what: "bits of an accumulator",
			limit: i32::BITS.into(),
		}),
	};
	let sums = match &layer.operator {
		Operator::AvgPool(pool) => interval(scaled(pool.window.area() as i64, from))?,
		Operator::Add(add) => {
			let [left, right] = add.multipliers.map(i64::from);
			let (x, y) = (scaled(left, from), scaled(right, tensors[usize::from(add.other)]));
			interval([x[0] + y[0], x[1] + y[1]])?
		}
		Operator::MatMul(matmul) => {
			let other = tensors[usize::from(matmul.other)];
			let terms = i64::from(architecture.shapes()[usize::from(layer.input)].width);
			let [left, right] = [from, other].map(|interval| [interval.lower, interval.upper].map(i64::from));
			let ends = left.map(|x| right.map(|y| terms * x * y));
			let ends = ends.as_flattened().iter().copied();
			interval([ends.clone().min().unwrap_or(0), ends.max().unwrap_or(0)])?
		}
		// As declared.
		operator if operator.has_weights() && operator.has_accumulators() => Some(Interval::new(0, 0)),
		_ => None,
	};
	let others = layer.operator.other_inputs().iter();
	let outputs = match (&layer.operator, layer.operator.requantisation(0)) {
		(_, Some((_, activation))) => clamp_range(activation),
		(Operator::Relu, _) => Interval::new(0, from.upper.max(0)),
		(Operator::Softmax(_), _) => Interval::new(0, i8::MAX.into()),
		(Operator::Embedding(_), _) => Interval::INT8,
		(Operator::Lut(images), _) => {
			let images = (from.lower..=from.upper).map(|x| image(images, x) as i32);
			let images = images.map(|image| Interval::new(image, image));
			images.reduce(hull).unwrap_or(Interval::INT8)
		}
		_ => others.map(|other| tensors[usize::from(*other)]).fold(from, hull),
	};
	Ok((sums, hull(outputs, Interval::new(0, 0))))
}
