//! The circuits of the models in `zk/models`: their sizes, which the crate's documentation quotes.

use super::{planned, run};
use crate::{
	basis::Basis,
	plan::{Choice, Choices},
	DeclaredWidths, InferenceCircuit, RegistrationCircuit, WeightsMode,
};
use opensand_nn::{testing, Architecture, Model, Weights};
use opensand_zk_verifier::InputVisibility;
use std::{path::Path, sync::Arc};

fn model(name: &str) -> Arc<Model> {
	let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models").join(name);
	let read = |file| std::fs::read(folder.join(file)).unwrap();
	let architecture = Architecture::from_bytes(&read("architecture.bin")).unwrap();
	let weights = Weights::from_bytes(&read("weights.bin")).unwrap();
	Arc::new(Model::new(architecture, weights).unwrap())
}

/// Constraints, logarithm of the domain, committed variables and rest.
type Figures = [usize; 4];

fn figures(circuit: &InferenceCircuit) -> Figures {
	let size = circuit.size();
	[
		size.constraints,
		size.domain.ilog2() as usize,
		size.segments.committed,
		size.segments.rest,
	]
}

/// Compiles a model by bits alone, and as the cost model chooses; checks an execution of the latter against every
/// constraint.
fn check(name: &str, visibility: InputVisibility, by_bits: Figures, chosen: Figures) {
	let model = model(name);
	let bits = Choices {
		range_bits: 0,
		bytes: false,
		layers: vec![Choice::Bits; model.architecture().layers().len()],
	};
	let circuit = planned(Basis::constant(model.clone()), visibility, &bits);
	let before = figures(&circuit);

	let circuit = InferenceCircuit::new(model, visibility).unwrap();
	let input = testing::input(7, circuit.model());
	assert_eq!(circuit.mock(&run(&circuit, &input)), Ok(()));
	assert_eq!(
		[before, figures(&circuit)],
		[by_bits, chosen],
		"{name}, {visibility:?}"
	);
}

#[test]
fn digits() {
	check(
		"digits",
		InputVisibility::Public,
		[2216, 12, 208, 1880],
		[2025, 11, 464, 1752],
	);
}

#[test]
fn digits_hashed() {
	check(
		"digits",
		InputVisibility::Hashed,
		[2586, 12, 209, 2250],
		[2395, 12, 465, 2122],
	);
}

#[test]
fn lenet5() {
	check(
		"lenet5",
		InputVisibility::Public,
		[190_851, 18, 18_548, 161_056],
		[27_308, 15, 15_850, 25_698],
	);
}

#[test]
fn lenet5_hashed() {
	check(
		"lenet5",
		InputVisibility::Hashed,
		[192_371, 18, 18_549, 162_576],
		[28_828, 15, 15_851, 27_218],
	);
}

#[test]
fn residual() {
	check(
		"residual",
		InputVisibility::Public,
		[594_208, 20, 56_404, 508_705],
		[99_263, 17, 70_409, 99_258],
	);
}

#[test]
fn residual_hashed() {
	check(
		"residual",
		InputVisibility::Hashed,
		[599_137, 20, 56_405, 513_634],
		[104_192, 17, 70_410, 104_187],
	);
}

#[test]
fn transformer() {
	check(
		"transformer",
		InputVisibility::Public,
		[772_951, 20, 63_361, 679_225],
		[122_576, 17, 82_361, 116_678],
	);
}

#[test]
fn transformer_hashed() {
	check(
		"transformer",
		InputVisibility::Hashed,
		[773_321, 20, 63_362, 679_595],
		[122_946, 17, 82_362, 117_048],
	);
}

/// Compiles a model with committed weights; checks an execution and the weights against every constraint. Figures are those of
/// the circuit for inferences and of the one that registers, whose public inputs are as many.
fn check_committed(name: &str, words: usize, inference: Figures, registration: [usize; 2]) {
	let model = model(name);
	let mode = WeightsMode::Committed(DeclaredWidths::of(&model));
	let circuit = InferenceCircuit::with_weights(model, InputVisibility::Public, mode).unwrap();
	let registering = RegistrationCircuit::of(&circuit).unwrap();
	let input = testing::input(7, circuit.model());
	assert_eq!(circuit.mock(&run(&circuit, &input)), Ok(()));
	assert_eq!(registering.mock(), Ok(()));
	let size = registering.size();
	assert_eq!(circuit.size().segments.weights, size.segments.weights);
	assert_eq!(
		circuit.size().domain * size.weight_stride,
		size.domain * circuit.size().weight_stride
	);
	assert_eq!(
		(
			size.segments.weights,
			figures(&circuit),
			[size.constraints, size.domain.ilog2() as usize]
		),
		(words, inference, registration),
		"{name}"
	);
}

#[test]
fn digits_with_committed_weights() {
	check_committed("digits", 781, [4500, 13, 542, 4202], [5273, 13]);
}

#[test]
fn lenet5_with_committed_weights() {
	check_committed("lenet5", 7152, [93_982, 17, 31_810, 90_956], [62_193, 16]);
}

#[test]
fn residual_with_committed_weights() {
	check_committed("residual", 15_634, [525_120, 20, 143_720, 518_595], [78_425, 17]);
}

#[test]
fn transformer_with_committed_weights() {
	check_committed(
		"transformer",
		12_505,
		[303_334, 19, 140_662, 294_787],
		[75_993, 17],
	);
}
