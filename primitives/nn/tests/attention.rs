//! The operators of transformers: cases computed by hand, plain references, and how far they are from real arithmetic.

use opensand_nn::{
	requantise, Activation, Architecture, Embedding, EvaluateError, FastModel, Interval, Layer,
	LayerNormalization, LayerWeights, Linear, MatMul, Model, Operator, Shape, Softmax, Weights,
};
use proptest::prelude::*;

/// A model of one operator.
fn single(input: Shape, operator: Operator, weights: Vec<LayerWeights>) -> Model {
	let architecture = Architecture::new(input, vec![Layer { input: 0, operator }]).unwrap();
	Model::new(architecture, Weights::new(weights).unwrap()).unwrap()
}

/// Evaluates by both paths.
fn evaluate(model: &Model, input: &[i8]) -> Vec<i8> {
	let output = model.evaluate(input).unwrap();
	let fast = FastModel::new(model);
	assert_eq!(fast.evaluate(input).unwrap(), output);
	assert_eq!(fast.trace(input), model.trace(input));
	output
}

/// A product of two halves of one input: `x` of channels × rows × inner, and the other behind it.
fn product(channels: u32, [rows, inner, columns]: [u32; 3], transposed: bool, shift: u8) -> Model {
	let (left, right) = (channels * rows * inner, channels * inner * columns);
	let linear = |len: u32| {
		Operator::Linear(Linear {
			outputs: len,
			shifts: vec![0; len as usize],
			activation: Activation::Identity,
		})
	};
	let pick = |first: u32, len: u32| LayerWeights {
		weights: (0..len)
			.flat_map(|output| (0..left + right).map(move |input| i8::from(input == first + output)))
			.collect(),
		biases: vec![0; len as usize],
	};
	let other = if transposed {
		Shape::new(channels, columns, inner)
	} else {
		Shape::new(channels, inner, columns)
	};
	let layers = vec![
		Layer {
			input: 0,
			operator: linear(left),
		},
		Layer {
			input: 0,
			operator: linear(right),
		},
		Layer {
			input: 2,
			operator: Operator::Reshape(other),
		},
		Layer {
			input: 1,
			operator: Operator::Reshape(Shape::new(channels, rows, inner)),
		},
		Layer {
			input: 4,
			operator: Operator::MatMul(MatMul {
				other: 3,
				transposed,
				shift,
			}),
		},
	];
	let architecture = Architecture::new(Shape::vector(left + right), layers).unwrap();
	let weights = Weights::new(vec![pick(0, left), pick(left, right)]).unwrap();
	Model::new(architecture, weights).unwrap()
}

#[test]
fn matrices_are_multiplied_channel_by_channel() {
	// Two channels of 1 × 2 times 2 × 2.
	let model = product(2, [1, 2, 2], false, 0);
	let input = [1, 2, 3, -4, 5, 6, 7, 8, 1, 0, 0, -1];
	// 1·5 + 2·7, 1·6 + 2·8; 3·1, -4·-1.
	assert_eq!(evaluate(&model, &input), [19, 22, 3, 4]);
	let transposed = product(2, [1, 2, 2], true, 0);
	// 1·5 + 2·6, 1·7 + 2·8; 3·1, -4·-1.
	assert_eq!(evaluate(&transposed, &input), [17, 23, 3, 4]);
	// Products of int8 with int8: two of -128..=127 each.
	assert_eq!(
		model.accumulator_bounds(4),
		[Interval::new(-2 * 128 * 127, 2 * 128 * 128); 2]
	);
	assert_eq!(model.architecture().multiply_adds(), 4 * 12 + 8 * 12 + 8 + 4 + 8);
}

proptest! {
	#[test]
	fn products_equal_a_plain_sum(
		sizes in (1u32..4, 1u32..5, 1u32..20, 1u32..5),
		transposed: bool,
		shift in 0u8..12,
		seed: u64,
	) {
		let (channels, rows, inner, columns) = sizes;
		let model = product(channels, [rows, inner, columns], transposed, shift);
		let input = opensand_nn::testing::input(seed, &model);
		let (x, y) = input.split_at((channels * rows * inner) as usize);
		let mut expected = Vec::new();
		for channel in 0..channels {
			for row in 0..rows {
				for column in 0..columns {
					let sum: i32 = (0..inner).map(|k| {
						let x = x[((channel * rows + row) * inner + k) as usize];
						let place = if transposed { column * inner + k } else { k * columns + column };
						i32::from(x) * i32::from(y[(channel * inner * columns + place) as usize])
					}).sum();
					expected.push(requantise(sum, shift, Activation::Identity));
				}
			}
		}
		prop_assert_eq!(evaluate(&model, &input), expected);
	}
}

/// The table and the bits that the importer gives rows of `width` at `scale`.
fn softmax(width: u32, scale: f64) -> Softmax {
	let magnitude = (256 * width).next_power_of_two().min(1 << 16) - 1;
	Softmax {
		exponentials: Box::new(core::array::from_fn(|distance| {
			(f64::from(magnitude) * (-(distance as f64) * scale).exp()).round() as u16
		})),
		bits: ((magnitude + 1).ilog2() + 10).min(26) as u8,
	}
}

#[test]
fn softmax_divides_127_by_shares() {
	let mut exponentials = Box::new([0; 256]);
	exponentials[..3].copy_from_slice(&[4, 2, 1]);
	let operator = Operator::Softmax(Softmax {
		exponentials,
		bits: 10,
	});
	let model = single(Shape::new(2, 1, 3), operator, vec![]);
	// 4 + 2 + 1: R = 146, 127 · 146 · (4, 2, 1) / 1024 = 72.4, 36.2, 18.1. Then 0 + 4 + 4: R = 128, 63.5 each, which rounds up.
	assert_eq!(
		evaluate(&model, &[5, 4, 3, -128, 127, 127]),
		[72, 36, 18, 0, 64, 64]
	);
	assert_eq!(model.tensor_bounds(1), [Interval::new(0, 127); 2]);
	assert!(model.accumulator_bounds(0).is_empty());
}

#[test]
fn one_element_has_the_whole_share() {
	let model = single(Shape::new(3, 1, 1), Operator::Softmax(softmax(1, 0.1)), vec![]);
	assert_eq!(evaluate(&model, &[-128, 0, 127]), [127; 3]);
}

proptest! {
	#[test]
	fn softmax_equals_a_plain_reference_and_is_within_a_step_of_the_real_one(
		row in prop::collection::vec(any::<i8>(), 1..300),
		exponent in 0i32..9,
	) {
		let scale = 2f64.powi(-exponent);
		let width = row.len() as u32;
		let operator = softmax(width, scale);
		let model = single(Shape::new(1, 1, width), Operator::Softmax(operator.clone()), vec![]);
		let output = evaluate(&model, &row);
		let maximum = i32::from(*row.iter().max().unwrap());
		let exponentials: Vec<u128> =
			row.iter().map(|x| operator.exponentials[(maximum - i32::from(*x)) as usize].into()).collect();
		let sum: u128 = exponentials.iter().sum();
		let one = 1u128 << operator.bits;
		let real: f64 = row.iter().map(|x| (scale * f64::from(i32::from(*x) - maximum)).exp()).sum();
		let magnitude = f64::from(operator.exponentials[0]);
		let bound = 0.5 + 63.5 * f64::from(width + 1) / magnitude + 127.0 * magnitude / one as f64;
		for ((x, y), exponential) in row.iter().zip(&output).zip(&exponentials) {
			let share = 127 * exponential * (one / sum);
			prop_assert_eq!(i128::from(*y), ((share + one / 2) / one) as i128);
			let exact = 127.0 * (scale * f64::from(i32::from(*x) - maximum)).exp() / real;
			prop_assert!((f64::from(*y) - exact).abs() <= bound, "{} for {}", y, exact);
			prop_assert!(!(4..=256).contains(&width) || bound <= 1.0, "{}", bound);
		}
	}

	#[test]
	fn roots_are_the_nearest(squares in 1u64..1 << 40) {
		let root = u128::from(LayerNormalization::reciprocal_root(squares));
		let squares = u128::from(squares);
		prop_assert!((2 * root - 1).pow(2) * squares <= 1 << 48);
		prop_assert!(1 << 48 < (2 * root + 1).pow(2) * squares);
	}

	#[test]
	fn normalisation_equals_a_plain_reference_and_is_near_the_real_one(
		rows in prop::collection::vec(prop::collection::vec(any::<i8>(), 64), 1..4),
		weight in -127i8..,
		bias in -100_000_000i32..100_000_000,
		spread in 1i8..,
	) {
		let shift = 20;
		let operator = Operator::LayerNormalization(LayerNormalization { epsilon: 671, shift });
		let weights = LayerWeights { weights: vec![weight; 64], biases: vec![bias; 64] };
		let model = single(Shape::new(rows.len() as u32, 1, 64), operator, vec![weights]);
		let rows: Vec<Vec<i8>> = rows.iter().map(|row| row.iter().map(|x| x % spread).collect()).collect();
		let input = rows.concat();
		let trace = model.trace(&input).unwrap();
		prop_assert_eq!(evaluate(&model, &input), trace.output());
		let bounds = model.accumulator_bounds(0)[0];
		for (row, sums) in rows.iter().zip(trace.layers[0].accumulators.chunks(64)) {
			let sum: i128 = row.iter().map(|x| i128::from(*x)).sum();
			let distances: Vec<i128> = row.iter().map(|x| 64 * i128::from(*x) - sum).collect();
			let squares: i128 = distances.iter().map(|d| d * d).sum::<i128>() + 671;
			let mean = sum as f64 / 64.0;
			let variance = row.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / 64.0;
			for ((x, d), acc) in row.iter().zip(&distances).zip(sums) {
				let root = (0..).find(|root: &i128| (2 * root + 1).pow(2) * squares > 1 << 48).unwrap();
				prop_assert_eq!(i128::from(*acc), i128::from(weight) * d * root + i128::from(bias));
				prop_assert!(bounds.contains(*acc));
				// 671 is 64³ times the real epsilon.
				let real = (f64::from(*x) - mean) / (variance + 671.0 / 64f64.powi(3)).sqrt();
				let real = f64::from(weight) * real * f64::from(1 << 20) + f64::from(bias);
				// R is off by half a step of at least 2^23 / √V.
				let error = f64::from(weight).abs() * (*d as f64).abs() / 2.0 + 1.0;
				prop_assert!((f64::from(*acc) - real).abs() <= error, "{} for {}", acc, real);
			}
		}
	}
}

#[test]
fn normalisation_of_extreme_rows_keeps_to_its_bounds() {
	for (width, epsilon) in [(1u32, 1u32), (2, 1), (3, u32::MAX), (256, 1)] {
		let operator = Operator::LayerNormalization(LayerNormalization { epsilon, shift: 23 });
		let weights = LayerWeights {
			weights: (0..width)
				.map(|place| if place % 2 == 0 { 127 } else { -128 })
				.collect(),
			biases: vec![0; width as usize],
		};
		let model = single(Shape::new(1, 1, width), operator, vec![weights]);
		let bounds = model.accumulator_bounds(0)[0];
		for kind in 0..4 {
			let row: Vec<i8> = (0..width)
				.map(|place| match kind {
					0 => 7,
					1 if place == 0 => i8::MAX,
					1 => i8::MIN,
					2 if place % 2 == 0 => i8::MIN,
					2 => i8::MAX,
					_ => i8::from(place == 0),
				})
				.collect();
			let trace = model.trace(&row).unwrap();
			assert_eq!(evaluate(&model, &row), trace.output());
			let sums = &trace.layers[0].accumulators;
			assert!(sums.iter().all(|sum| bounds.contains(*sum)), "{width}, {kind}");
			if kind == 0 {
				assert!(sums.iter().all(|sum| *sum == 0));
			}
		}
	}
}

#[test]
fn tokens_choose_rows_and_others_are_errors() {
	let embedding = Embedding {
		vocabulary: 3,
		width: 2,
	};
	let table = LayerWeights {
		weights: vec![1, 2, 3, -4, 5, 6],
		biases: vec![],
	};
	let model = single(Shape::vector(3), Operator::Embedding(embedding), vec![table]);
	assert_eq!(model.architecture().output_shape(), Shape::new(3, 1, 2));
	assert_eq!(evaluate(&model, &[2, 0, 1]), [5, 6, 1, 2, 3, -4]);
	assert_eq!(model.tensor_bounds(1), [Interval::new(-4, 6); 3]);
	for token in [3, 127, -1, -128] {
		let error = Err(EvaluateError::UnknownToken {
			layer: 0,
			token,
			vocabulary: 3,
		});
		assert_eq!(model.evaluate(&[0, token, 2]), error);
		let fast = FastModel::new(&model);
		assert_eq!(fast.evaluate(&[0, token, 2]), error);
		assert_eq!(fast.trace(&[0, token, 2]), model.trace(&[0, token, 2]));
		assert!(model.trace(&[0, token, 2]).is_err());
	}
}

#[test]
fn encodings_are_fixed() {
	let bytes = |input, operator| {
		let layer = Layer { input: 0, operator };
		let bytes = Architecture::new(input, vec![layer]).unwrap().to_bytes();
		assert_eq!(Architecture::from_bytes(&bytes).unwrap().to_bytes(), bytes);
		// Behind magic, version, shape, one layer that reads tensor 0.
		bytes[6 + 12 + 1 + 2..].to_vec()
	};
	let matmul = MatMul {
		other: 0,
		transposed: true,
		shift: 7,
	};
	assert_eq!(
		bytes(Shape::new(1, 2, 2), Operator::MatMul(matmul)),
		[11, 0, 0, 1, 7]
	);
	let mut exponentials = Box::new([0; 256]);
	exponentials[..2].copy_from_slice(&[0x102, 3]);
	let softmax = Softmax {
		exponentials,
		bits: 20,
	};
	let mut expected = vec![12, 2, 1, 3, 0];
	expected.resize(1 + 512, 0);
	expected.push(20);
	assert_eq!(bytes(Shape::new(1, 1, 2), Operator::Softmax(softmax)), expected);
	let normalization = LayerNormalization {
		epsilon: 0x102,
		shift: 21,
	};
	assert_eq!(
		bytes(Shape::new(1, 1, 2), Operator::LayerNormalization(normalization)),
		[13, 2, 1, 0, 0, 21]
	);
	let embedding = Embedding {
		vocabulary: 128,
		width: 3,
	};
	assert_eq!(
		bytes(Shape::vector(2), Operator::Embedding(embedding)),
		[14, 128, 0, 0, 0, 3, 0, 0, 0]
	);
}
