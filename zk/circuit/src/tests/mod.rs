//! Circuits by every method, whatever they cost: what they compute, and what they refuse.

mod adversary;
mod committed;
mod determined;
mod forgeries;
mod mock;
mod models;
mod semantics;

use crate::{
	basis::Basis,
	plan::{pair_tables, Choice, Choices, Plan},
	Execution, InferenceCircuit,
};
use ark_bls12_381::Fr;
use ark_ff::Field;
use opensand_nn::{
	Activation, Architecture, Conv2d, Layer, LayerWeights, Linear, Model, Operator, Shape, Weights, Window,
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
