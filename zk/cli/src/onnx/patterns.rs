//! Functions that exporters write as products of several nodes: Silu, HardSwish and Gelu.

use super::{
	proto::{attribute_type, AttributeProto, GraphProto, NodeProto, TensorProto},
	tensor::floats,
};
use std::collections::HashMap;

/// The relative difference that a constant may have from what a function needs.
const TOLERANCE: f32 = 1e-4;

/// For each node that is such a function of another value, a node of that function in its place.
pub fn rewrite(graph: &GraphProto) -> HashMap<usize, NodeProto> {
	let graph = View::new(graph);
	let products = graph.nodes.iter().enumerate();
	products
		.filter_map(|(index, node)| Some((index, graph.function(node)?)))
		.collect()
}

/// What makes each value of a graph.
struct View<'a> {
	nodes: &'a [NodeProto],
	producers: HashMap<&'a str, &'a NodeProto>,
	constants: HashMap<&'a str, &'a TensorProto>,
}

/// A product of values and of a constant.
struct Product<'a> {
	factor: f32,
	values: Vec<&'a str>,
}

impl<'a> View<'a> {
	fn new(graph: &'a GraphProto) -> Self {
		let outputs = graph.node.iter().filter_map(|node| match &node.output[..] {
			[output] => Some((output.as_str(), node)),
			_ => None,
		});
		let producers: HashMap<&str, &NodeProto> = outputs.collect();
		let initial = graph
			.initializer
			.iter()
			.map(|constant| (constant.name.as_str(), constant));
		let nodes = producers
			.iter()
			.filter(|(_, node)| node.op_type == "Constant")
			.filter_map(|(output, node)| Some((*output, node.attribute.first()?.t.as_ref()?)));
		Self {
			nodes: &graph.node,
			constants: initial.chain(nodes).collect(),
			producers,
		}
	}

	/// The node that `node` is together with those before it.
	fn function(&self, node: &NodeProto) -> Option<NodeProto> {
		let whole = self.product(node)?;
		// x itself may be a product, so a factor is taken apart only where that helps.
		let mut candidates = vec![whole];
		for value in 0..2 {
			for index in 0..candidates.len() {
				candidates.extend(self.expanded(&candidates[index], value));
			}
		}
		candidates
			.iter()
			.find_map(|product| self.matched(product))
			.map(|(operator, x, attribute)| NodeProto {
				op_type: operator.into(),
				input: vec![x.into()],
				output: node.output.clone(),
				name: node.name.clone(),
				attribute,
				domain: String::new(),
			})
	}

	/// `product` with factor `value` taken apart, if that is a product too.
	fn expanded(&self, product: &Product<'a>, value: usize) -> Option<Product<'a>> {
		let inner = self.product(self.producers.get(product.values.get(value)?)?)?;
		let mut values = product.values.clone();
		values.splice(value..=value, inner.values);
		Some(Product {
			factor: product.factor * inner.factor,
			values,
		})
	}

	/// The factors of a Mul, or of a Div by a constant.
	fn product(&self, node: &NodeProto) -> Option<Product<'a>> {
		let (left, right) = self.operands(node)?;
		match (node.op_type.as_str(), self.scalar(left), self.scalar(right)) {
			("Mul", None, None) => Some(Product {
				factor: 1.0,
				values: vec![left, right],
			}),
			("Mul", Some(factor), None) => Some(Product {
				factor,
				values: vec![right],
			}),
			("Mul", None, Some(factor)) => Some(Product {
				factor,
				values: vec![left],
			}),
			("Div", None, Some(divisor)) => Some(Product {
				factor: 1.0 / divisor,
				values: vec![left],
			}),
			_ => None,
		}
	}

	/// Operator, argument and attributes of the function that a product is.
	fn matched(&self, product: &Product<'a>) -> Option<(&'static str, &'a str, Vec<AttributeProto>)> {
		let [first, second] = product.values[..] else {
			return None;
		};
		[(first, second), (second, first)]
			.into_iter()
			.find_map(|(x, gate)| {
				let gate_node = self.producers.get(gate)?;
				let argument = gate_node.input.first()?.as_str();
				match gate_node.op_type.as_str() {
					"Sigmoid" if near(product.factor, 1.0) => {
						let beta = self.multiple(argument, x)?;
						Some(("Swish", x, vec![float("alpha", beta)]))
					}
					"HardSigmoid" if near(product.factor, 1.0) && argument == x => {
						let attribute = |name, default| {
							let mut attributes = gate_node.attribute.iter();
							attributes
								.find(|attribute| attribute.name == name)
								.map_or(default, |attribute| attribute.f)
						};
						let fits =
							near(attribute("alpha", 0.2), 1.0 / 6.0) && near(attribute("beta", 0.5), 0.5);
						fits.then_some(("HardSwish", x, vec![]))
					}
					"Clip" if near(product.factor, 1.0 / 6.0) => {
						let bounds = [1, 2].map(|bound| self.scalar(gate_node.input.get(bound)?));
						let shifted = self.plus(argument, 3.0)?;
						(bounds == [Some(0.0), Some(6.0)] && shifted == x).then_some(("HardSwish", x, vec![]))
					}
					"Add" if near(product.factor, 0.5) => {
						let erf = self.producers.get(self.plus(gate, 1.0)?)?;
						let argument = erf.input.first().filter(|_| erf.op_type == "Erf")?;
						let factor = self.multiple(argument, x)?;
						near(factor, std::f32::consts::FRAC_1_SQRT_2).then_some(("Gelu", x, vec![]))
					}
					_ => None,
				}
			})
	}

	/// What `x` is multiplied by to give `value`.
	fn multiple(&self, value: &str, x: &str) -> Option<f32> {
		if value == x {
			return Some(1.0);
		}
		let product = self.product(self.producers.get(value)?)?;
		(product.values == [x]).then_some(product.factor)
	}

	/// The value that `summand` is added to in `sum`.
	fn plus(&self, sum: &str, summand: f32) -> Option<&'a str> {
		let node = self.producers.get(sum)?;
		let (left, right) = self.operands(node).filter(|_| node.op_type == "Add")?;
		[(left, right), (right, left)]
			.into_iter()
			.find(|(_, constant)| self.scalar(constant).is_some_and(|value| near(value, summand)))
			.map(|(value, _)| value)
	}

	/// The two inputs of a node, as names that live as long as the graph.
	fn operands(&self, node: &NodeProto) -> Option<(&'a str, &'a str)> {
		let output = node.output.first()?;
		match &self.producers.get(output.as_str())?.input[..] {
			[left, right] => Some((left, right)),
			_ => None,
		}
	}

	/// The value of a constant of one element.
	fn scalar(&self, name: &str) -> Option<f32> {
		let constant = self.constants.get(name)?;
		if constant.dims.iter().any(|dim| *dim != 1) {
			return None;
		}
		match floats(constant).ok()?.values[..] {
			[value] => Some(value),
			_ => None,
		}
	}
}

fn near(value: f32, expected: f32) -> bool {
	(value / expected - 1.0).abs() < TOLERANCE
}

fn float(name: &str, value: f32) -> AttributeProto {
	AttributeProto {
		name: name.into(),
		r#type: attribute_type::FLOAT,
		f: value,
		..Default::default()
	}
}
