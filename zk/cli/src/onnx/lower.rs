//! The graph, node by node in order, to layers.

use super::{
	attributes::{display_name, form},
	error::OnnxError,
	nodes, patterns,
	proto::{data_type, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto},
	tensor::{floats, integers, FloatTensor},
};
use crate::float::{FloatLayer, FloatModel, FloatOperator, Parameters, Quantisation};
use opensand_nn::{limits::MAX_OPERATORS, Architecture, Layer, ModelError, Shape, TensorIndex};
use std::{
	collections::{HashMap, HashSet},
	rc::Rc,
};

/// Operator sets whose definitions of the supported operators this importer follows.
const OPSETS: (i64, i64) = (11, 24);

/// Lowers a decoded model.
pub fn lower(model: &ModelProto) -> Result<FloatModel, OnnxError> {
	let graph = model.graph.as_ref().ok_or(OnnxError::NoGraph)?;
	let opset = check_opset(model)?;
	if !graph.sparse_initializer.is_empty() {
		let problem = "sparse constants are not supported; export them dense";
		return Err(OnnxError::BadConstant {
			name: "sparse_initializer".into(),
			problem,
		});
	}
	let output = exactly_one("outputs", graph.output.iter().map(|output| output.name.as_str()))?;
	let rewritten = patterns::rewrite(graph);
	let nodes = graph.node.iter().enumerate();
	let nodes = nodes.map(|(index, node)| rewritten.get(&index).unwrap_or(node));
	let nodes = needed(nodes.collect(), output);
	let mut builder = Builder::new(graph, &nodes, opset)?;
	for node in nodes {
		nodes::lower(&mut builder, node)?;
	}
	builder.finish(output)
}

/// A value of the graph.
#[derive(Clone)]
pub(super) enum Value<'a> {
	Tensor(Tensor),
	Constant(&'a TensorProto),
	/// A constant that was dequantised.
	Floats(Rc<FloatTensor>),
	/// The integers between QuantizeLinear and DequantizeLinear, by what they stand for.
	Quantised(Tensor, Quantisation),
}

/// A tensor that depends on the input.
#[derive(Clone, Copy)]
pub struct Tensor {
	/// Its index among the model's tensors.
	pub index: TensorIndex,
	/// Its shape without the batch.
	pub shape: Shape,
	/// Its rank in the graph: 2 for [1, features], 3 for [1, channels, length], 4 for [1, channels, height, width].
	pub rank: u8,
}

/// What is known of the graph so far, and the layers made of it.
pub struct Builder<'a> {
	/// The operator set.
	opset: i64,
	/// Whether the graph's input is of tokens.
	takes_tokens: bool,
	pub(super) values: HashMap<&'a str, Value<'a>>,
	/// How many nodes and outputs read a value.
	readers: HashMap<&'a str, usize>,
	/// Tensors that have a second name with readers of its own.
	pub(super) shared: HashSet<TensorIndex>,
	pub(super) layers: Vec<FloatLayer>,
	pub(super) shapes: Vec<Shape>,
	pub(super) quantisations: Vec<Option<Quantisation>>,
}

impl<'a> Builder<'a> {
	fn new(graph: &'a GraphProto, nodes: &[&'a NodeProto], opset: i64) -> Result<Self, OnnxError> {
		let mut values: HashMap<&str, Value> = HashMap::new();
		for constant in &graph.initializer {
			values.insert(&constant.name, Value::Constant(constant));
		}
		let inputs = graph
			.input
			.iter()
			.filter(|input| !values.contains_key(input.name.as_str()));
		let input = exactly_one("inputs", inputs)?;
		let (shape, rank, takes_tokens) = input_shape(input)?;
		values.insert(
			&input.name,
			Value::Tensor(Tensor {
				index: 0,
				shape,
				rank,
			}),
		);
		let mut readers = HashMap::new();
		let read = nodes
			.iter()
			.flat_map(|node| &node.input)
			.chain(graph.output.iter().map(|output| &output.name));
		for value in read {
			*readers.entry(value.as_str()).or_default() += 1;
		}
		Ok(Self {
			opset,
			takes_tokens,
			values,
			readers,
			shared: HashSet::new(),
			layers: Vec::new(),
			shapes: vec![shape],
			quantisations: vec![None],
		})
	}

	/// Input `position` of `node`, which must depend on the graph's input.
	pub fn tensor(&self, node: &NodeProto, position: usize) -> Result<Tensor, OnnxError> {
		match self.value(node, position)? {
			Value::Tensor(tensor) if self.takes_tokens && tensor.index == 0 => Err(form(
				node,
				"it computes with the tokens of the input",
				"let Gather alone read the tokens, as rows of a constant table",
			)),
			Value::Tensor(tensor) => Ok(tensor),
			Value::Constant(_) | Value::Floats(_) => Err(form(
				node,
				"an input is constant",
				"export with constant folding, so that constants meet weights only",
			)),
			Value::Quantised(..) => Err(form(
				node,
				"it computes with quantised integers",
				"export with a DequantizeLinear behind each QuantizeLinear (QDQ)",
			)),
		}
	}

	/// The model's operator set.
	pub fn opset(&self) -> i64 {
		self.opset
	}

	/// Input `position` of `node`, which must be the graph's input of tokens.
	pub fn tokens(&self, node: &NodeProto, position: usize) -> Result<Tensor, OnnxError> {
		match self.value(node, position)? {
			Value::Tensor(tensor) if self.takes_tokens && tensor.index == 0 => Ok(tensor),
			_ => Err(form(
				node,
				"its indices are not the graph's input",
				"give the tokens as the input, of type int64 or int32 and shape [1, tokens]",
			)),
		}
	}

	/// The tensor that `node` has made, or named.
	pub fn output(&self, node: &NodeProto) -> Result<Tensor, OnnxError> {
		let name = node.output.first().map_or("", String::as_str);
		match self.values.get(name) {
			Some(Value::Tensor(tensor)) => Ok(*tensor),
			_ => Err(OnnxError::NoOutput(name.into())),
		}
	}

	/// Input `position` of `node`, which must come from a QuantizeLinear.
	pub fn quantised(&self, node: &NodeProto, position: usize) -> Result<(Tensor, Quantisation), OnnxError> {
		match self.value(node, position)? {
			Value::Quantised(tensor, quantisation) => Ok((tensor, quantisation)),
			_ => Err(form(
				node,
				"its input comes from no QuantizeLinear and is no constant",
				"export with a QuantizeLinear before each DequantizeLinear (QDQ)",
			)),
		}
	}

	/// Input `position` of `node`, which must be a constant of floats.
	pub fn floats(&self, node: &NodeProto, position: usize) -> Result<FloatTensor, OnnxError> {
		match self.value(node, position)? {
			Value::Floats(values) => Ok(values.as_ref().clone()),
			_ => floats(self.constant(node, position)?),
		}
	}

	/// Input `position` of `node` if it is a constant of floats; `None` where it depends on the graph's input.
	pub fn maybe_floats(&self, node: &NodeProto, position: usize) -> Result<Option<FloatTensor>, OnnxError> {
		match self.value(node, position)? {
			Value::Tensor(_) | Value::Quantised(..) => Ok(None),
			Value::Constant(_) | Value::Floats(_) => self.floats(node, position).map(Some),
		}
	}

	/// Input `position` of `node` if it is a constant of the file.
	pub fn maybe_constant(
		&self,
		node: &NodeProto,
		position: usize,
	) -> Result<Option<&'a TensorProto>, OnnxError> {
		match self.value(node, position)? {
			Value::Constant(constant) => Ok(Some(constant)),
			_ => Ok(None),
		}
	}

	/// Input `position` of `node`, which must be a constant of integers.
	pub fn integers(&self, node: &NodeProto, position: usize) -> Result<Vec<i64>, OnnxError> {
		integers(self.constant(node, position)?)
	}

	/// Whether `node` has input `position`.
	pub fn has_input(node: &NodeProto, position: usize) -> bool {
		node.input.get(position).is_some_and(|name| !name.is_empty())
	}

	/// Makes the output of `node` a constant.
	pub fn set_constant(&mut self, node: &'a NodeProto, constant: &'a TensorProto) {
		self.set(node, Value::Constant(constant));
	}

	/// Makes the output of `node` a constant of `values`.
	pub fn set_floats(&mut self, node: &'a NodeProto, values: FloatTensor) {
		self.set(node, Value::Floats(Rc::new(values)));
	}

	/// Rounds input 0 of `node`, and makes its output the integers.
	pub fn quantise(&mut self, node: &'a NodeProto, quantisation: Quantisation) -> Result<(), OnnxError> {
		let mut tensor = self.tensor(node, 0)?;
		let before = self.quantisations[usize::from(tensor.index)];
		// Rounding twice to one grid is rounding once.
		if before != Some(quantisation) {
			let alone = self.reads_alone(node, 0).is_some();
			// Where a grid begins at zero, quantisers leave out a ReLU before it, or a Clip to its end.
			let (least, greatest) = quantisation.range();
			let rectifies = least == 0.0 && tensor.index > 0 && !self.is_rectified(tensor.index);
			let fused = rectifies && self.fuse_relu(node, Some(greatest as f32));
			if before.is_some() || !alone || rectifies && !fused {
				let operator = match rectifies {
					true => FloatOperator::Relu,
					false => FloatOperator::Reshape(tensor.shape),
				};
				self.push(node, tensor, &[], operator, tensor.rank)?;
				tensor = self.output(node)?;
			}
			self.quantisations[usize::from(tensor.index)] = Some(quantisation);
		}
		self.set(node, Value::Quantised(tensor, quantisation));
		Ok(())
	}

	/// Fuses a ReLU, with a ceiling if there is one, to the layer that makes input 0 of `node`; false where it cannot be.
	pub fn fuse_relu(&mut self, node: &NodeProto, ceiling: Option<f32>) -> bool {
		let fusible = |operator: &FloatOperator| {
			matches!(operator, FloatOperator::Add(_)) || operator.parameters().is_some()
		};
		match self.sole_maker(node, 0) {
			Some(layer) if fusible(&layer.operator) => {
				layer.relu = true;
				layer.ceiling = ceiling;
				true
			}
			_ => false,
		}
	}

	/// Whether a tensor comes from a ReLU, with nothing behind it but pooling and moving.
	fn is_rectified(&self, tensor: TensorIndex) -> bool {
		let mut layer = usize::from(tensor).checked_sub(1);
		while let Some(found) = layer.and_then(|layer| self.layers.get(layer)) {
			let passes = match found.operator {
				FloatOperator::Concat(_) => false,
				FloatOperator::AvgPool(_) => true,
				_ => found.operator.keeps_scale(),
			};
			if found.relu || matches!(found.operator, FloatOperator::Relu) {
				return true;
			}
			layer = usize::from(found.input).checked_sub(1).filter(|_| passes);
		}
		false
	}

	/// Makes the output of `node` another name of `tensor`.
	pub fn set_alias(&mut self, node: &'a NodeProto, tensor: Tensor) {
		let shares = |name: &String| {
			let same = match self.values.get(name.as_str()) {
				Some(Value::Tensor(named) | Value::Quantised(named, _)) => named.index == tensor.index,
				_ => false,
			};
			same && self.readers.get(name.as_str()) != Some(&1)
		};
		if node.input.iter().any(shares) {
			self.shared.insert(tensor.index);
		}
		self.set(node, Value::Tensor(tensor));
	}

	/// Adds a layer over `input` whose output is `node`'s, of rank `rank`. `others` are the further operands of an Add or Concat.
	pub fn push(
		&mut self,
		node: &'a NodeProto,
		input: Tensor,
		others: &[Tensor],
		operator: FloatOperator,
		rank: u8,
	) -> Result<(), OnnxError> {
		let layer = self.layers.len();
		let wrap = |source| OnnxError::Layer {
			node: display_name(node),
			source,
		};
		let others: Vec<Shape> = others.iter().map(|tensor| tensor.shape).collect();
		let shape = operator.output_shape(layer, input.shape, &others).map_err(wrap)?;
		if layer >= MAX_OPERATORS {
			return Err(wrap(ModelError::TooManyOperators(layer + 1)));
		}
		let index =
			TensorIndex::try_from(layer + 1).map_err(|_| wrap(ModelError::TooManyOperators(layer + 1)))?;
		self.layers.push(FloatLayer {
			name: display_name(node),
			input: input.index,
			operator,
			relu: false,
			ceiling: None,
		});
		self.shapes.push(shape);
		self.quantisations.push(None);
		self.set(node, Value::Tensor(Tensor { index, shape, rank }));
		Ok(())
	}

	/// The layer that makes input `position` of `node`, if nothing else reads that value and neither a ReLU nor rounding
	/// follows yet: it may take up what `node` does.
	pub fn sole_producer(&mut self, node: &NodeProto, position: usize) -> Option<&mut FloatLayer> {
		let tensor = self.reads_alone(node, position)?;
		if self.quantisations[usize::from(tensor.index)].is_some() {
			return None;
		}
		let layer = usize::from(tensor.index).checked_sub(1)?;
		self.layers.get_mut(layer).filter(|layer| !layer.relu)
	}

	/// Takes the last layer away if it is a channelwise scale that only `node` reads, as input `position`, and `wanted`:
	/// its factors and summands, and the tensor that it read.
	pub fn take_scale(
		&mut self,
		node: &NodeProto,
		position: usize,
		wanted: impl FnOnce(&Parameters) -> bool,
	) -> Option<(Parameters, Tensor)> {
		let rank = self.reads_alone(node, position)?.rank;
		let index = usize::from(self.reads_alone(node, position)?.index);
		let layer = self.sole_producer(node, position)?;
		let (scale, from) = (layer.operator.as_scale()?.clone(), layer.input);
		if index != self.layers.len() || !wanted(&scale) {
			return None;
		}
		self.layers.pop();
		self.shapes.pop();
		self.quantisations.pop();
		let shape = *self.shapes.get(usize::from(from))?;
		let tensor = Tensor {
			index: from,
			shape,
			rank,
		};
		Some((scale, tensor))
	}

	/// The tensor that is input `position` of `node`, if nothing else reads that value.
	pub(super) fn reads_alone(&self, node: &NodeProto, position: usize) -> Option<Tensor> {
		let name = node.input.get(position)?;
		if self.readers.get(name.as_str()) != Some(&1) {
			return None;
		}
		match self.values.get(name.as_str()) {
			Some(Value::Tensor(tensor)) if !self.shared.contains(&tensor.index) => Some(*tensor),
			_ => None,
		}
	}

	fn value(&self, node: &NodeProto, position: usize) -> Result<Value<'a>, OnnxError> {
		let Some(name) = node.input.get(position).filter(|name| !name.is_empty()) else {
			return Err(form(
				node,
				format!("input {position} is missing"),
				"the file is damaged: export the model again",
			));
		};
		let unknown = || OnnxError::UnknownValue {
			node: display_name(node),
			value: name.clone(),
		};
		self.values.get(name.as_str()).cloned().ok_or_else(unknown)
	}

	/// Input `position` of `node`, which must be a constant of the file.
	pub fn constant(&self, node: &NodeProto, position: usize) -> Result<&'a TensorProto, OnnxError> {
		match self.value(node, position)? {
			Value::Constant(constant) => Ok(constant),
			Value::Floats(_) => Err(form(
				node,
				format!("input {position} is dequantised where integers are needed"),
				"export the model again",
			)),
			Value::Tensor(_) | Value::Quantised(..) => Err(form(
				node,
				format!("input {position} is not a constant"),
				"only MatMul multiplies two activations; export with weights as constants",
			)),
		}
	}

	pub(super) fn set(&mut self, node: &'a NodeProto, value: Value<'a>) {
		if let Some(output) = node.output.first() {
			self.values.insert(output, value);
		}
	}

	fn finish(mut self, output: &str) -> Result<FloatModel, OnnxError> {
		match self.values.get(output) {
			Some(Value::Tensor(tensor)) if usize::from(tensor.index) == self.layers.len() => {}
			_ => return Err(OnnxError::NoOutput(output.into())),
		}
		self.drop_unread();
		let layer = |layer: &FloatLayer| Layer {
			input: layer.input,
			operator: layer.operator.skeleton(),
		};
		// Sizes, work and weights are checked on the integer layers that these will become.
		let skeleton = Architecture::new(self.shapes[0], self.layers.iter().map(layer).collect());
		let multiply_adds = skeleton.map_err(OnnxError::Model)?.multiply_adds();
		Ok(FloatModel {
			layers: self.layers,
			shapes: self.shapes,
			quantisations: self.quantisations,
			multiply_adds,
		})
	}
}

/// The model's operator set.
fn check_opset(model: &ModelProto) -> Result<i64, OnnxError> {
	let default_domain = |domain: &str| domain.is_empty() || domain == "ai.onnx";
	let version = model
		.opset_import
		.iter()
		.find(|import| default_domain(&import.domain));
	let found = version.map_or(1, |import| import.version);
	let (min, max) = OPSETS;
	if !(min..=max).contains(&found) {
		return Err(OnnxError::UnsupportedOpset { found, min, max });
	}
	Ok(found)
}

/// The nodes that `output` depends on, in order.
fn needed<'a>(nodes: Vec<&'a NodeProto>, output: &'a str) -> Vec<&'a NodeProto> {
	let mut wanted = HashSet::from([output]);
	let mut nodes: Vec<_> = nodes
		.into_iter()
		.rev()
		.filter(|node| {
			let makes = node
				.output
				.iter()
				.any(|output| !output.is_empty() && wanted.contains(output.as_str()));
			if makes {
				wanted.extend(node.input.iter().map(String::as_str));
			}
			makes
		})
		.collect();
	nodes.reverse();
	nodes
}

fn exactly_one<T>(what: &'static str, items: impl Iterator<Item = T>) -> Result<T, OnnxError> {
	let mut items: Vec<T> = items.collect();
	match (items.pop(), items.len()) {
		(Some(item), 0) => Ok(item),
		(None, _) => Err(OnnxError::NotOne { what, found: 0 }),
		(Some(_), others) => Err(OnnxError::NotOne {
			what,
			found: others + 1,
		}),
	}
}

/// Shape without the batch, and rank, of the graph's input, and whether it is of tokens.
fn input_shape(input: &ValueInfoProto) -> Result<(Shape, u8, bool), OnnxError> {
	let bad = |problem| OnnxError::BadInput {
		name: input.name.clone(),
		problem,
	};
	let tensor = input
		.r#type
		.as_ref()
		.and_then(|kind| kind.tensor_type.as_ref())
		.ok_or(bad("it is not a tensor"))?;
	let takes_tokens = matches!(tensor.elem_type, data_type::INT64 | data_type::INT32);
	if !takes_tokens && tensor.elem_type != data_type::FLOAT {
		return Err(bad("its type is neither float nor, for tokens, int64 or int32"));
	}
	let dims = &tensor.shape.as_ref().ok_or(bad("it has no shape"))?.dim;
	let (batch, rest) = dims.split_first().ok_or(bad("it is a scalar"))?;
	if batch.dim_value.is_some_and(|batch| batch != 1) {
		return Err(bad("its batch is not 1"));
	}
	let fixed = rest.iter().map(|dim| {
		dim.dim_value
			.and_then(|dim| u32::try_from(dim).ok())
			.filter(|dim| *dim > 0)
	});
	let dims = fixed
		.collect::<Option<Vec<u32>>>()
		.ok_or(bad("a dimension besides the batch is not fixed"))?;
	match dims.as_slice() {
		[features] => Ok((Shape::vector(*features), 2, takes_tokens)),
		_ if takes_tokens => Err(bad("tokens have not the shape [1, tokens]")),
		[channels, length] => Ok((Shape::new(*channels, 1, *length), 3, false)),
		[channels, height, width] => Ok((Shape::new(*channels, *height, *width), 4, false)),
		_ => Err(bad("it has not 2, 3 or 4 dimensions")),
	}
}
