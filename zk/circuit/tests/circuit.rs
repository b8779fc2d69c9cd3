//! The circuit computes what `opensand-nn` computes, and nothing else satisfies it.

use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field};
use opensand_nn::{
	testing::{self, Size},
	Activation, Add, Architecture, AvgPool, Concat, Conv2d, DilatedConv2d, Interval, Layer, LayerWeights,
	Linear, Model, Operator, Shape, Weights, Window,
};
use opensand_zk_circuit::{CircuitError, Execution, InferenceCircuit, MockError, MAX_CONSTRAINTS, MAX_TERMS};
use opensand_zk_r1cs::Matrices;
use opensand_zk_verifier::{
	fold, poseidon::salted_input_hash, Binding, Challenges, InputVisibility, StatementInput, PUBLIC_INPUTS,
};
use proptest::prelude::*;
use std::sync::Arc;

const SALT: [u8; 32] = [0x5a; 32];
const VISIBILITIES: [InputVisibility; 2] = [InputVisibility::Public, InputVisibility::Hashed];

fn binding() -> Binding {
	Binding {
		genesis: [1; 32],
		key: [2; 32],
		model: [3; 32],
		request: 4,
		worker: [5; 32],
	}
}

fn circuit(model: Model, visibility: InputVisibility) -> InferenceCircuit {
	InferenceCircuit::new(Arc::new(model), visibility).unwrap()
}

fn run(circuit: &InferenceCircuit, input: &[i8]) -> Execution {
	circuit.execute(binding(), input, SALT).unwrap()
}

/// Any challenges: what a hash would give.
fn challenges() -> Challenges {
	Challenges {
		r: Fr::from(0x0123_4567_89ab_cdefu64).pow([11]),
		b: Fr::from(0xfedc_ba98_7654_3210u64).pow([13]),
	}
}

/// The assignment of an execution.
fn assign(circuit: &InferenceCircuit, execution: &Execution) -> Vec<Fr> {
	let committed = circuit.commit(execution).unwrap();
	circuit.assign(execution, &committed, &challenges()).unwrap()
}

/// A model of these layers on a vector, each reading the one before.
fn chain(inputs: u32, operators: Vec<Operator>, weights: Vec<LayerWeights>) -> Model {
	let layers = (0u16..)
		.zip(operators)
		.map(|(input, operator)| Layer { input, operator })
		.collect();
	Model::new(
		Architecture::new(Shape::vector(inputs), layers).unwrap(),
		Weights::new(weights).unwrap(),
	)
	.unwrap()
}

fn linear(outputs: u32, shift: u8, activation: Activation) -> Operator {
	Operator::Linear(Linear {
		outputs,
		shifts: vec![shift; outputs as usize],
		activation,
	})
}

/// Every private variable is determined: no other value of any single one satisfies the constraints.
fn assert_every_variable_is_determined(matrices: &Matrices, assignment: &[Fr]) {
	assert_eq!(matrices.first_unsatisfied(assignment), None);
	let mut mutated = assignment.to_vec();
	for index in matrices.instance_len()..assignment.len() {
		let original = assignment[index];
		let others = [
			original + Fr::ONE,
			original - Fr::ONE,
			Fr::ONE - original,
			-original,
			original + Fr::from(256u64),
			Fr::from(0x1234_5678_9abc_def0u64),
			Fr::from(2u64).inverse().unwrap(),
			Fr::ZERO,
		];
		for other in others.into_iter().filter(|other| *other != original) {
			mutated[index] = other;
			assert!(
				matrices.first_unsatisfied(&mutated).is_some(),
				"variable {index} may be {other}"
			);
		}
		mutated[index] = original;
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(200))]

	#[test]
	fn every_execution_satisfies_the_circuit(seed: u64, hashed: bool) {
		let model = testing::model(seed, Size::SMALL);
		let circuit = circuit(model, VISIBILITIES[usize::from(hashed)]);
		let matrices = circuit.matrices().unwrap();
		prop_assert_eq!(matrices.constraints(), circuit.size().constraints);
		prop_assert_eq!(matrices.segments(), circuit.size().segments);
		prop_assert_eq!(matrices.instance_len(), PUBLIC_INPUTS + 1);
		for input_seed in 0..4 {
			let input = testing::input(seed ^ input_seed, circuit.model());
			let execution = run(&circuit, &input);
			prop_assert_eq!(&execution.statement.output, &circuit.model().evaluate(&input).unwrap());
			let assignment = assign(&circuit, &execution);
			prop_assert_eq!(&assignment[1..matrices.instance_len()], &execution.statement.public_inputs(&challenges()).unwrap()[..]);
			prop_assert_eq!(execution.statement.words().unwrap().len(), circuit.size().shape.words());
			prop_assert_eq!(matrices.first_unsatisfied(&assignment), None);
		}
	}

	#[test]
	fn no_other_output_satisfies_the_circuit(seed: u64, position: prop::sample::Index, change in 1u8..) {
		let circuit = circuit(testing::model(seed, Size::SMALL), InputVisibility::Public);
		let mut execution = run(&circuit, &testing::input(seed, circuit.model()));
		let position = position.index(execution.statement.output.len());
		let value = &mut execution.statement.output[position];
		*value = value.wrapping_add_unsigned(change);
		let refused_in = match circuit.mock(&execution) {
			Err(MockError::Unsatisfied { part, .. }) => part,
			other => format!("{other:?}"),
		};
		prop_assert_eq!(refused_in, "statement");
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(60))]

	#[test]
	fn every_variable_is_determined(seed: u64) {
		let size = Size { layers: 3, channels: 3, side: 3 };
		let circuit = circuit(testing::model(seed, size), InputVisibility::Public);
		let matrices = circuit.matrices().unwrap();
		let execution = run(&circuit, &testing::input(seed, circuit.model()));
		assert_every_variable_is_determined(&matrices, &assign(&circuit, &execution));
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(10))]

	#[test]
	fn larger_models_satisfy_their_circuits(seed: u64) {
		let circuit = circuit(testing::model(seed, Size::MEDIUM), InputVisibility::Hashed);
		let execution = run(&circuit, &testing::input(seed, circuit.model()));
		prop_assert_eq!(circuit.mock(&execution), Ok(()));
	}
}

/// All requantisations of one accumulator that takes every value of its bounds.
#[test]
fn requantisation_is_exact_at_every_accumulator() {
	for activation in [Activation::Identity, Activation::Relu] {
		for shift in [0u8, 1, 2, 3, 5, 9, 16, 31] {
			for (weight, bias) in [
				(1i8, 0i32),
				(3, 40),
				(-5, -300),
				(127, 1000),
				(-128, 77),
				(1, 200),
				(1, -200),
				(127, 40_000),
				(0, 5),
			] {
				let weights = vec![LayerWeights {
					weights: vec![weight],
					biases: vec![bias],
				}];
				let model = chain(1, vec![linear(1, shift, activation)], weights);
				let circuit = circuit(model, InputVisibility::Public);
				let matrices = circuit.matrices().unwrap();
				for input in i8::MIN..=i8::MAX {
					let assignment = assign(&circuit, &run(&circuit, &[input]));
					assert_eq!(
						matrices.first_unsatisfied(&assignment),
						None,
						"{activation:?}, shift {shift}, {weight} · {input} + {bias}"
					);
				}
				for input in [i8::MIN, -3, 0, 2, i8::MAX] {
					let assignment = assign(&circuit, &run(&circuit, &[input]));
					assert_every_variable_is_determined(&matrices, &assignment);
				}
			}
		}
	}
}

#[test]
fn tables_are_exact_at_every_index_of_every_range() {
	let tables: [fn(i8) -> i8; 5] = [
		|x| (f64::from(x) / 20.0).tanh().mul_add(100.0, 0.5).floor() as i8,
		|x| x.wrapping_mul(37).wrapping_add(11),
		|x| x,
		|x| if x > 3 { 1 } else { -1 },
		|_| 9,
	];
	for table in tables {
		let table = Box::new(std::array::from_fn(|i| table((i as i32 - 128) as i8)));
		// A shift narrows the range of the index, ReLU halves it.
		for (shift, activation) in [
			(0, Activation::Identity),
			(0, Activation::Relu),
			(3, Activation::Identity),
			(6, Activation::Relu),
			(7, Activation::Relu),
		] {
			let weights = vec![LayerWeights {
				weights: vec![1],
				biases: vec![0],
			}];
			let model = chain(
				1,
				vec![linear(1, shift, activation), Operator::Lut(table.clone())],
				weights,
			);
			let circuit = circuit(model, InputVisibility::Public);
			let matrices = circuit.matrices().unwrap();
			for input in i8::MIN..=i8::MAX {
				let assignment = assign(&circuit, &run(&circuit, &[input]));
				assert_eq!(
					matrices.first_unsatisfied(&assignment),
					None,
					"shift {shift}, input {input}"
				);
			}
			let assignment = assign(&circuit, &run(&circuit, &[-7]));
			assert_every_variable_is_determined(&matrices, &assignment);
		}
	}
}

#[test]
fn maxima_are_exact() {
	let window = Window {
		kernel: [1, 2],
		stride: [1, 1],
		padding: [0; 4],
	};
	let layers = vec![Layer {
		input: 0,
		operator: Operator::MaxPool(window),
	}];
	let architecture = Architecture::new(Shape::new(1, 1, 2), layers).unwrap();
	let model = Model::new(architecture, Weights::new(vec![]).unwrap()).unwrap();
	let circuit = circuit(model, InputVisibility::Public);
	let matrices = circuit.matrices().unwrap();
	for a in (i8::MIN..=i8::MAX).step_by(5) {
		for b in (i8::MIN..=i8::MAX).step_by(3) {
			let assignment = assign(&circuit, &run(&circuit, &[a, b]));
			assert_eq!(matrices.first_unsatisfied(&assignment), None, "{a}, {b}");
		}
	}
	for pair in [[3, 3], [i8::MIN, i8::MAX], [i8::MAX, i8::MIN], [0, -1]] {
		assert_every_variable_is_determined(&matrices, &assign(&circuit, &run(&circuit, &pair)));
	}
}

#[test]
fn relu_sums_and_averages_determine_every_variable() {
	let add = Operator::Add(Add {
		other: 0,
		multipliers: [3, 5],
		shift: 2,
		activation: Activation::Identity,
	});
	let pool = Operator::AvgPool(AvgPool {
		window: Window {
			kernel: [1, 1],
			stride: [1, 1],
			padding: [0; 4],
		},
		shift: 1,
	});
	let circuit = circuit(
		chain(2, vec![Operator::Relu, add, pool], vec![]),
		InputVisibility::Public,
	);
	let matrices = circuit.matrices().unwrap();
	for input in [[-128, 127], [0, 1], [-1, 64]] {
		assert_every_variable_is_determined(&matrices, &assign(&circuit, &run(&circuit, &input)));
	}
}

/// A dilated convolution, its output beside the input and the axes exchanged, then a sum over one position of each: a model
/// whose answer depends on where each element lies.
#[test]
fn dilation_concat_and_transpose_determine_every_variable() {
	let window = |kernel, stride| Window {
		kernel,
		stride,
		padding: [1, 0, 1, 0],
	};
	let conv = |outputs, window| Conv2d {
		outputs,
		window,
		groups: 1,
		shifts: vec![4; outputs as usize],
		activation: Activation::Identity,
	};
	let dilated = DilatedConv2d {
		conv: conv(2, window([2, 2], [1, 1])),
		dilation: [2, 1],
	};
	let unpadded = Window {
		padding: [0; 4],
		..window([2, 3], [1, 1])
	};
	let layers = vec![
		Layer {
			input: 0,
			operator: Operator::DilatedConv2d(dilated),
		},
		Layer {
			input: 1,
			operator: Operator::Concat(Concat { others: vec![1, 1] }),
		},
		Layer {
			input: 2,
			operator: Operator::Transpose([1, 2, 0]),
		},
		Layer {
			input: 3,
			operator: Operator::Conv2d(conv(1, unpadded)),
		},
	];
	// 1 × 2 × 3, padded to 4 rows: 2 × 2 × 2, then 6 × 2 × 2, then 2 × 2 × 6, then 1 × 1 × 4.
	let architecture = Architecture::new(Shape::new(1, 2, 3), layers).unwrap();
	assert_eq!(architecture.output_shape(), Shape::new(1, 1, 4));
	let weights = Weights::new(vec![
		LayerWeights {
			weights: vec![9, -7, 5, 31, -12, 4, 16, 3],
			biases: vec![20, -11],
		},
		LayerWeights {
			weights: (1..=12).map(|weight| weight * 5 - 33).collect(),
			biases: vec![6],
		},
	]);
	let circuit = circuit(
		Model::new(architecture, weights.unwrap()).unwrap(),
		InputVisibility::Public,
	);
	let free = circuit
		.size()
		.parts
		.iter()
		.filter(|part| part.constraints.is_empty());
	assert_eq!(
		free.map(|part| part.name.as_str()).collect::<Vec<_>>(),
		["layer 1 (Concat)", "layer 2 (Transpose)"]
	);
	let matrices = circuit.matrices().unwrap();
	for input in [[-128, 127, 3, 0, -5, 99], [0; 6], [1, 2, 3, 4, 5, 6]] {
		assert_every_variable_is_determined(&matrices, &assign(&circuit, &run(&circuit, &input)));
	}
	let mut moved = run(&circuit, &[1, 2, 3, 4, 5, 6]);
	moved.trace.layers[3].accumulators.swap(0, 3);
	assert!(matches!(
		circuit.mock(&moved),
		Err(MockError::Unsatisfied { part, .. }) if part == "layer 3 (Conv2d)"
	));
}

#[test]
fn hashed_inputs_determine_every_variable() {
	// Ten words: two permutations, the first of which is full.
	for len in [3u32, 10 * 31] {
		let model = chain(
			len,
			vec![linear(1, 4, Activation::Identity)],
			vec![LayerWeights {
				weights: vec![1; len as usize],
				biases: vec![3],
			}],
		);
		let circuit = circuit(model, InputVisibility::Hashed);
		let matrices = circuit.matrices().unwrap();
		let input: Vec<i8> = (0..len).map(|i| i as i8).collect();
		let execution = run(&circuit, &input);
		assert_eq!(
			execution.statement.input,
			StatementInput::Hashed(salted_input_hash(&SALT, &input))
		);
		let assignment = assign(&circuit, &execution);
		assert_eq!(matrices.first_unsatisfied(&assignment), None);
		if len == 3 {
			assert_every_variable_is_determined(&matrices, &assignment);
		}
	}
}

#[test]
fn other_statements_do_not_satisfy_the_circuit() {
	let model = || {
		chain(
			3,
			vec![linear(2, 4, Activation::Relu)],
			vec![LayerWeights {
				weights: vec![10, -20, 30, 40, 50, -60],
				biases: vec![7, 8],
			}],
		)
	};
	for visibility in VISIBILITIES {
		let circuit = circuit(model(), visibility);
		let honest = run(&circuit, &[1, 2, 3]);
		assert_eq!(circuit.mock(&honest), Ok(()));
		let fails_in = |execution: &Execution, expected: &str| match circuit.mock(execution) {
			Err(MockError::Unsatisfied { part, .. }) => assert_eq!(part, expected),
			other => panic!("{other:?}"),
		};

		let mut other_input = honest.clone();
		match &mut other_input.statement.input {
			StatementInput::Public(values) => {
				values[1] += 1;
				fails_in(&other_input, "statement");
			}
			StatementInput::Hashed(hash) => {
				*hash = salted_input_hash(&SALT, &[1, 2, 4]);
				fails_in(&other_input, "statement");
				let mut other_salt = honest.clone();
				other_salt.salt[0] ^= 1;
				fails_in(&other_salt, "statement");
			}
		}
		let mut other_output = honest.clone();
		other_output.statement.output[0] ^= 1;
		fails_in(&other_output, "statement");
		let mut other_sum = honest.clone();
		other_sum.trace.layers[0].accumulators[1] += 1 << 4;
		fails_in(&other_sum, "layer 0 (Linear)");
		// A public input alone.
		let matrices = circuit.matrices().unwrap();
		let assignment = assign(&circuit, &honest);
		for public in 1..=PUBLIC_INPUTS {
			let mut other = assignment.clone();
			other[public] += Fr::ONE;
			assert!(
				matrices.first_unsatisfied(&other).is_some(),
				"public input {public}"
			);
		}
	}
}

#[test]
fn public_columns_are_used_in_a_or_b_and_never_in_c() {
	let model = testing::model(3, Size::SMALL);
	for visibility in VISIBILITIES {
		let matrices = circuit(model.clone(), visibility).matrices().unwrap();
		for column in 0..=PUBLIC_INPUTS {
			let occurs = |matrix| {
				(0..matrices.constraints())
					.any(|row| matrices.row(matrix, row).any(|(other, _)| other == column))
			};
			assert!(occurs(0) || occurs(1), "column {column}");
			assert!(!occurs(2), "column {column}");
		}
	}
}

#[test]
fn the_fold_weighs_the_words_by_powers_of_r() {
	let r = challenges().r;
	let words = [3u64, 5, 7].map(Fr::from);
	let expected = words[0] * r + words[1] * r.square() + words[2] * r.pow([3]);
	assert_eq!(fold(&words, &r), expected);
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
	let circuit = circuit(
		chain(
			2,
			vec![linear(1, 4, Activation::Relu)],
			vec![LayerWeights {
				weights: vec![1, 2],
				biases: vec![0],
			}],
		),
		InputVisibility::Public,
	);
	assert!(matches!(
		circuit.execute(binding(), &[1], SALT),
		Err(CircuitError::Input(_))
	));
	let honest = run(&circuit, &[1, 2]);
	let mut hashed = honest.clone();
	hashed.statement.input = StatementInput::Hashed([0; 32]);
	assert_eq!(circuit.commit(&hashed), Err(CircuitError::StatementShape));
	let mut longer = honest.clone();
	longer.statement.output.push(0);
	assert_eq!(circuit.commit(&longer), Err(CircuitError::StatementShape));
	let mut traceless = honest.clone();
	traceless.trace.layers.clear();
	assert_eq!(circuit.commit(&traceless), Err(CircuitError::TraceShape));
	let committed = circuit.commit(&honest).unwrap();
	assert_eq!(
		circuit.assign(&honest, &committed[1..], &challenges()),
		Err(CircuitError::CommittedLength {
			expected: committed.len(),
			found: committed.len() - 1
		})
	);
	let mut short = honest;
	short.trace.layers[0].accumulators.clear();
	assert_eq!(circuit.commit(&short), Err(CircuitError::TraceShape));
}

#[test]
fn limits_are_checked_before_anything_is_built() {
	let wide = chain(
		31 * 600,
		vec![linear(1, 4, Activation::Relu)],
		vec![LayerWeights {
			weights: vec![1; 31 * 600],
			biases: vec![0],
		}],
	);
	// The number of words is no limit: they are folded into one public input.
	for visibility in VISIBILITIES {
		assert_eq!(
			circuit(wide.clone(), visibility).size().segments.public,
			PUBLIC_INPUTS + 1
		);
	}
	// 2^20 look-ups of 45 constraints each: refused while counting.
	let shape = Shape::new(1, 1024, 1024);
	let identity = Operator::Lut(Box::new(std::array::from_fn(|i| (i as i32 - 128) as i8)));
	let pool = AvgPool {
		window: Window {
			kernel: [1024, 1024],
			stride: [1, 1],
			padding: [0; 4],
		},
		shift: 20,
	};
	let layers = vec![
		Layer {
			input: 0,
			operator: identity,
		},
		Layer {
			input: 1,
			operator: Operator::AvgPool(pool),
		},
	];
	let tables = Model::new(
		Architecture::new(shape, layers).unwrap(),
		Weights::new(vec![]).unwrap(),
	)
	.unwrap();
	assert_eq!(
		InferenceCircuit::new(Arc::new(tables), InputVisibility::Hashed).map(|_| ()),
		Err(CircuitError::TooLarge {
			what: "constraints",
			limit: MAX_CONSTRAINTS
		})
	);
	// 1016² outputs of 9·9 multiply-additions each.
	let conv = Conv2d {
		outputs: 1,
		window: Window {
			kernel: [9, 9],
			stride: [1, 1],
			padding: [0; 4],
		},
		groups: 1,
		shifts: vec![8],
		activation: Activation::Relu,
	};
	let layers = vec![Layer {
		input: 0,
		operator: Operator::Conv2d(conv),
	}];
	let weights = Weights::new(vec![LayerWeights {
		weights: vec![1; 81],
		biases: vec![0],
	}])
	.unwrap();
	let sums = Model::new(Architecture::new(shape, layers).unwrap(), weights).unwrap();
	assert_eq!(
		InferenceCircuit::new(Arc::new(sums), InputVisibility::Hashed).map(|_| ()),
		Err(CircuitError::TooLarge {
			what: "multiply-additions",
			limit: MAX_TERMS
		})
	);
}

/// The digits network: the figure that `zk/PROTOCOL.md` and the benchmarks quote.
#[test]
fn a_64_64_10_network_fits_a_domain_of_4096() {
	let random = testing::model(1, Size::SMALL);
	assert_eq!(random.tensor_bounds(0)[0], Interval::INT8);
	let weights = |outputs: u32, inputs: u32| LayerWeights {
		weights: (0..outputs * inputs)
			.map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as i8 / 2)
			.collect(),
		biases: (0..outputs).map(|i| i as i32 * 100 - 300).collect(),
	};
	let model = chain(
		64,
		vec![
			linear(64, 8, Activation::Relu),
			linear(10, 8, Activation::Identity),
		],
		vec![weights(64, 64), weights(10, 64)],
	);
	for visibility in VISIBILITIES {
		let circuit = circuit(model.clone(), visibility);
		println!("{visibility:?}: {:?}", circuit.size());
		assert_eq!(circuit.size().domain, 4096);
		assert_eq!(circuit.mock(&run(&circuit, &[11; 64])), Ok(()));
	}
}
