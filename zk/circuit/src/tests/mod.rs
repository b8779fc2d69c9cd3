//! Circuits by every method, whatever they cost: what they compute, and what they refuse.

mod adversary;
mod attention;
mod committed;
mod determined;
mod forgeries;
mod mock;
mod models;
mod semantics;
mod target;

use crate::{
	basis::Basis,
	plan::{pair_tables, Choice, Choices, Plan},
	Execution, InferenceCircuit,
};
use ark_bls12_381::Fr;
use ark_ff::Field;
use opensand_nn::{
	testing, Activation, Architecture, Conv2d, Embedding, Layer, LayerNormalization, LayerWeights, Linear,
	MatMul, Model, Operator, Shape, Softmax, Weights, Window,
};
use opensand_zk_verifier::{Binding, Challenges, InputVisibility};
use std::sync::Arc;

const BINDING: Binding = Binding {
	genesis: [1; 32],
	key: [2; 32],
	model: [3; 32],
	request: 4,
	worker: [5; 32],
};

/// A circuit whose layers all look up in a range of 2^range_bits, pooled where they can be.
fn looking_up(model: Model, range_bits: u32, pooled: bool) -> InferenceCircuit {
	let mut layers = vec![Choice::LookUps; model.architecture().layers().len()];
	if pooled {
		for (layer, pool) in crate::cost::pools(&model).into_iter().enumerate() {
			if let Some(pool) = pool {
				(layers[layer], layers[pool]) = (Choice::Pooled, Choice::Pooled);
			}
		}
	}
	let choices = Choices {
		range_bits,
		bytes: true,
		layers,
	};
	planned(
		Basis::constant(Arc::new(model)),
		InputVisibility::Public,
		&choices,
	)
}

/// The circuit of these choices.
fn planned(basis: Basis, visibility: InputVisibility, choices: &Choices) -> InferenceCircuit {
	let plan = Plan::new(&basis, choices, &pair_tables(&basis));
	InferenceCircuit::with_plan(basis, visibility, plan).unwrap()
}

/// A circuit without any table.
fn by_bits(model: Model) -> InferenceCircuit {
	let bits = Choices {
		range_bits: 0,
		bytes: false,
		layers: vec![Choice::Bits; model.architecture().layers().len()],
	};
	planned(Basis::constant(Arc::new(model)), InputVisibility::Public, &bits)
}

/// Some input, or tokens where the model takes tokens.
fn input(model: &Model) -> Vec<i8> {
	let values: Vec<i8> = (0..model.architecture().input_len())
		.map(|index| [100, -7, 33, -120, 5][index as usize % 5])
		.collect();
	if model.evaluate(&values).is_ok() {
		values
	} else {
		testing::input(1, model)
	}
}

fn run(circuit: &InferenceCircuit, input: &[i8]) -> Execution {
	circuit.execute(BINDING, input, [6; 32]).unwrap()
}

/// Any challenges: what a hash would give.
fn challenges() -> Challenges {
	Challenges {
		r: Fr::from(0x0123_4567_89ab_cdefu64).pow([11]),
		b: Fr::from(0xfedc_ba98_7654_3210u64).pow([13]),
	}
}

fn assign(circuit: &InferenceCircuit, execution: &Execution) -> Vec<Fr> {
	let committed = circuit.commit(execution).unwrap();
	circuit.assign(execution, &committed, &challenges()).unwrap()
}

/// A model of layers that each read the one before.
fn chain(input: Shape, operators: Vec<Operator>, weights: Vec<LayerWeights>) -> Model {
	let layers = (0u16..).zip(operators);
	let layers = layers
		.map(|(input, operator)| Layer { input, operator })
		.collect();
	let architecture = Architecture::new(input, layers).unwrap();
	Model::new(architecture, Weights::new(weights).unwrap()).unwrap()
}

/// y = requantise(weight · x + bias) of one value.
fn neuron(weight: i8, bias: i32, shift: u8, activation: Activation) -> Model {
	let operator = Operator::Linear(Linear {
		outputs: 1,
		shifts: vec![shift],
		activation,
	});
	let weights = LayerWeights {
		weights: vec![weight],
		biases: vec![bias],
	};
	chain(Shape::vector(1), vec![operator], vec![weights])
}

/// A convolution of 2 × 2 to two channels with a max-pool of 2 × 2 after it, on an image of 4 × 4.
fn pooled_convolution(activation: Activation) -> Model {
	let window = |stride| Window {
		kernel: [2, 2],
		stride: [stride; 2],
		padding: [0, 0, 1, 1],
	};
	let conv = Conv2d {
		outputs: 2,
		window: window(1),
		groups: 1,
		shifts: vec![6, 7],
		activation,
	};
	let weights = LayerWeights {
		weights: vec![90, -70, 50, 31, -120, 40, 16, 103],
		biases: vec![200, -1100],
	};
	let operators = vec![Operator::Conv2d(conv), Operator::MaxPool(window(2))];
	chain(Shape::new(1, 4, 4), operators, vec![weights])
}

/// A tensor of matrices times itself.
fn product(shape: Shape, transposed: bool, shift: u8) -> Model {
	let matmul = MatMul {
		other: 0,
		transposed,
		shift,
	};
	chain(shape, vec![Operator::MatMul(matmul)], vec![])
}

/// Softmax of rows, with exponentials that halve from `greatest` on.
fn softmax_row(width: u32, rows: u32, greatest: u16, bits: u8) -> Model {
	let exponentials = Box::new(std::array::from_fn(|distance| {
		greatest.checked_shr(distance as u32).unwrap_or(0)
	}));
	let softmax = Softmax { exponentials, bits };
	chain(
		Shape::new(1, rows, width),
		vec![Operator::Softmax(softmax)],
		vec![],
	)
}

/// Layer normalisation of rows as long as the weights.
fn normalised_row(rows: u32, weights: Vec<i8>, biases: Vec<i32>, shift: u8) -> Model {
	let shape = Shape::new(rows, 1, weights.len() as u32);
	let normalization = LayerNormalization { epsilon: 1, shift };
	chain(
		shape,
		vec![Operator::LayerNormalization(normalization)],
		vec![LayerWeights { weights, biases }],
	)
}

/// One token and its row of a table.
fn embedded(vocabulary: u32, table: Vec<i8>) -> Model {
	let embedding = Embedding {
		vocabulary,
		width: table.len() as u32 / vocabulary,
	};
	let weights = LayerWeights {
		weights: table,
		biases: vec![],
	};
	chain(
		Shape::vector(1),
		vec![Operator::Embedding(embedding)],
		vec![weights],
	)
}

/// Three tokens of four features, normalised; queries, keys and values of two features by Linears over the last axis; attention.
fn attention_head() -> Model {
	let linear = |activation| {
		Operator::Conv2d(Conv2d {
			outputs: 2,
			window: Window {
				kernel: [1, 1],
				stride: [1, 1],
				padding: [0; 4],
			},
			groups: 1,
			shifts: vec![7, 8],
			activation,
		})
	};
	let normalization = LayerNormalization {
		epsilon: 40,
		shift: 22,
	};
	let matmul = |other, transposed, shift| {
		Operator::MatMul(MatMul {
			other,
			transposed,
			shift,
		})
	};
	let softmax = Softmax {
		exponentials: Box::new(std::array::from_fn(|distance| {
			(1023.0 * (-(distance as f64) / 16.0).exp()) as u16
		})),
		bits: 20,
	};
	let to_matrix = || Operator::Reshape(Shape::new(1, 2, 3));
	let layers = [
		(0, Operator::LayerNormalization(normalization)),
		(1, Operator::Transpose([2, 1, 0])),
		(2, linear(Activation::Identity)),
		(2, linear(Activation::Identity)),
		(2, linear(Activation::Relu)),
		(3, to_matrix()),
		(6, Operator::Transpose([0, 2, 1])),
		(4, to_matrix()),
		(5, to_matrix()),
		(7, matmul(8, false, 5)),
		(10, Operator::Softmax(softmax)),
		(11, matmul(9, true, 7)),
	];
	let layers = layers.map(|(input, operator)| Layer { input, operator });
	let architecture = Architecture::new(Shape::new(3, 1, 4), layers.to_vec()).unwrap();
	let linears = [
		[90, -70, 50, 31, -120, 40, 16, 103],
		[3, 80, -9, 60, 127, -8, 33, 5],
		[1, 50, 70, -60, 20, 9, 110, 4],
	];
	let linears = linears.map(|weights| LayerWeights {
		weights: weights.to_vec(),
		biases: vec![200, -1100],
	});
	let normalization = LayerWeights {
		weights: vec![100, 90, 127, -80],
		biases: vec![0, 5 << 20, -(9 << 20), 77],
	};
	let weights = std::iter::once(normalization).chain(linears).collect();
	Model::new(architecture, Weights::new(weights).unwrap()).unwrap()
}
