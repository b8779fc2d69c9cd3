//! The semantics of each operator on small cases computed by hand.

use opensand_nn::{
	requantise, Activation, Add, Architecture, AvgPool, Concat, Conv2d, DilatedConv2d, FastModel, Interval,
	Layer, LayerWeights, Linear, Model, Operator, Shape, Weights, Window,
};

const IDENTITY: Activation = Activation::Identity;

/// A model of `operators`, each on the output of the one before.
fn chain(input: Shape, operators: Vec<Operator>, weights: Vec<LayerWeights>) -> Model {
	let layers = (0..)
		.zip(operators)
		.map(|(input, operator)| Layer { input, operator })
		.collect();
	Model::new(
		Architecture::new(input, layers).unwrap(),
		Weights::new(weights).unwrap(),
	)
	.unwrap()
}

/// Evaluates by both paths.
fn evaluate(model: &Model, input: &[i8]) -> Vec<i8> {
	let output = model.evaluate(input).unwrap();
	let fast = FastModel::new(model);
	assert_eq!(fast.evaluate(input).unwrap(), output);
	assert_eq!(fast.trace(input), model.trace(input));
	output
}

fn window(kernel: [u16; 2], stride: [u16; 2], padding: [u16; 4]) -> Window {
	Window {
		kernel,
		stride,
		padding,
	}
}

#[test]
fn requantisation_rounds_half_up_and_clamps() {
	// 3/2 and -3/2 round up; 5/4 rounds down.
	assert_eq!(requantise(3, 1, IDENTITY), 2);
	assert_eq!(requantise(-3, 1, IDENTITY), -1);
	assert_eq!(requantise(-1, 1, IDENTITY), 0);
	assert_eq!(requantise(5, 2, IDENTITY), 1);
	assert_eq!(requantise(-5, 2, IDENTITY), -1);
	assert_eq!(requantise(-6, 2, IDENTITY), -1);
	assert_eq!(requantise(-7, 2, IDENTITY), -2);
	// A shift of 0 only clamps.
	assert_eq!(requantise(127, 0, IDENTITY), 127);
	assert_eq!(requantise(128, 0, IDENTITY), 127);
	assert_eq!(requantise(-129, 0, IDENTITY), -128);
	assert_eq!(requantise(-5, 0, Activation::Relu), 0);
	assert_eq!(requantise(5, 0, Activation::Relu), 5);
	// Nothing wraps at the ends of int32.
	assert_eq!(requantise(i32::MAX, 31, IDENTITY), 1);
	assert_eq!(requantise(i32::MIN, 31, IDENTITY), -1);
	assert_eq!(requantise(i32::MAX, 1, IDENTITY), 127);
	assert_eq!(requantise(i32::MIN, 1, IDENTITY), -128);
	// A shift beyond the limit counts as 31.
	assert_eq!(requantise(i32::MIN, 255, IDENTITY), -1);
}

#[test]
fn linear_accumulates_rows_and_shifts_each_output() {
	let linear = Linear {
		outputs: 2,
		shifts: vec![0, 2],
		activation: IDENTITY,
	};
	let weights = LayerWeights {
		weights: vec![1, 2, 3, -4, 5, -6],
		biases: vec![10, -1],
	};
	let model = chain(Shape::vector(3), vec![Operator::Linear(linear)], vec![weights]);
	// 10 + 1 + 4 + 9 = 24; -1 - 4 + 10 - 18 = -13, (-13 + 2) >> 2 = -3.
	assert_eq!(evaluate(&model, &[1, 2, 3]), [24, -3]);
	let trace = model.trace(&[1, 2, 3]).unwrap();
	assert_eq!(trace.layers[0].accumulators, [24, -13]);
	// 10 ± (1 + 2 + 3) and -1 ± (4 + 5 + 6), with -128 and 127 at the ends.
	let bounds = [
		Interval::new(10 - 6 * 128, 10 + 6 * 127),
		Interval::new(-1 - 4 * 127 - 5 * 128 - 6 * 127, -1 + 4 * 128 + 5 * 127 + 6 * 128),
	];
	assert_eq!(model.accumulator_bounds(0), bounds);
	assert_eq!(model.tensor_bounds(1), [Interval::INT8, Interval::INT8]);
}

#[test]
fn bounds_narrow_behind_a_relu() {
	let linear = |activation| {
		Operator::Linear(Linear {
			outputs: 1,
			shifts: vec![0],
			activation,
		})
	};
	let layer = |weight, bias| LayerWeights {
		weights: vec![weight],
		biases: vec![bias],
	};
	let model = chain(
		Shape::vector(1),
		vec![linear(Activation::Relu), linear(IDENTITY)],
		vec![layer(1, -100), layer(2, 1)],
	);
	// -228..=27 becomes 0..=27, then 1..=55.
	assert_eq!(model.accumulator_bounds(0), [Interval::new(-228, 27)]);
	assert_eq!(model.tensor_bounds(1), [Interval::new(0, 27)]);
	assert_eq!(model.accumulator_bounds(1), [Interval::new(1, 55)]);
	// Bounds of tensors always contain zero.
	assert_eq!(model.tensor_bounds(2), [Interval::new(0, 55)]);
	assert!(model.accumulator_bounds(2).is_empty());
	assert!(model.tensor_bounds(3).is_empty());
}

#[test]
fn convolution_strides_and_pads_with_zeros() {
	let conv = Conv2d {
		outputs: 1,
		window: window([2, 2], [2, 1], [1, 0, 0, 1]),
		groups: 1,
		shifts: vec![0],
		activation: IDENTITY,
	};
	let weights = LayerWeights {
		weights: vec![1, 2, 3, 4],
		biases: vec![5],
	};
	let model = chain(Shape::new(1, 3, 2), vec![Operator::Conv2d(conv)], vec![weights]);
	assert_eq!(model.architecture().output_shape(), Shape::new(1, 2, 2));
	// Rows: 1 2 / 3 4 / 5 6, a row of zeros above and a column right.
	// (0·1 + 0·2 + 1·3 + 2·4) + 5 = 16; (0 + 0 + 2·3 + 0) + 5 = 11;
	// (3·1 + 4·2 + 5·3 + 6·4) + 5 = 55; (4·1 + 0 + 6·3 + 0) + 5 = 27.
	assert_eq!(evaluate(&model, &[1, 2, 3, 4, 5, 6]), [16, 11, 55, 27]);
}

#[test]
fn convolution_keeps_groups_apart() {
	let conv = Conv2d {
		outputs: 4,
		window: window([1, 1], [1, 1], [0; 4]),
		groups: 2,
		shifts: vec![0; 4],
		activation: IDENTITY,
	};
	// Two inputs and two outputs a group.
	let weights = LayerWeights {
		weights: vec![1, 0, 0, 1, 1, 1, 2, -1],
		biases: vec![0, 0, 0, 1],
	};
	let model = chain(Shape::new(4, 1, 1), vec![Operator::Conv2d(conv)], vec![weights]);
	assert_eq!(evaluate(&model, &[10, 20, 30, 40]), [10, 20, 70, 21]);
}

#[test]
fn dilation_skips_rows_and_columns() {
	let conv = Conv2d {
		outputs: 1,
		window: window([2, 2], [1, 2], [0, 1, 2, 0]),
		groups: 1,
		shifts: vec![0],
		activation: IDENTITY,
	};
	let weights = LayerWeights {
		weights: vec![1, 2, 3, 4],
		biases: vec![5],
	};
	let dilated = DilatedConv2d {
		conv,
		dilation: [2, 1],
	};
	let model = chain(
		Shape::new(1, 3, 3),
		vec![Operator::DilatedConv2d(dilated)],
		vec![weights],
	);
	assert_eq!(model.architecture().output_shape(), Shape::new(1, 3, 2));
	assert_eq!(model.architecture().multiply_adds(), 6 * 4);
	// Rows 1 2 3 / 4 5 6 / 7 8 9, a column of zeros left and two rows below. Row 0 meets row 2:
	// (0·1 + 1·2) + (0·3 + 7·4) + 5 = 35; (2·1 + 3·2) + (8·3 + 9·4) + 5 = 73. Rows 1 and 2 meet zeros:
	// 4·2 + 5 = 13; 5 + 12 + 5 = 22; 7·2 + 5 = 19; 8 + 18 + 5 = 31.
	assert_eq!(
		evaluate(&model, &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
		[35, 73, 13, 22, 19, 31]
	);
}

#[test]
fn concat_joins_channels_and_keeps_their_bounds() {
	let layers = vec![
		Layer {
			input: 0,
			operator: Operator::Relu,
		},
		Layer {
			input: 1,
			operator: Operator::Concat(Concat { others: vec![0, 1] }),
		},
	];
	let architecture = Architecture::new(Shape::new(1, 1, 2), layers).unwrap();
	assert_eq!(architecture.output_shape(), Shape::new(3, 1, 2));
	let model = Model::new(architecture, Weights::new(vec![]).unwrap()).unwrap();
	assert_eq!(evaluate(&model, &[-5, 7]), [0, 7, -5, 7, 0, 7]);
	let positive = Interval::new(0, 127);
	assert_eq!(model.tensor_bounds(2), [positive, Interval::INT8, positive]);
	assert!(model.accumulator_bounds(1).is_empty());
}

#[test]
fn transpose_takes_axes_in_another_order() {
	let transposed = |permutation| {
		let layers = vec![Operator::Transpose(permutation)];
		let model = chain(Shape::new(2, 1, 3), layers, vec![]);
		let shape = model.architecture().output_shape();
		(
			[shape.channels, shape.height, shape.width],
			evaluate(&model, &[1, 2, 3, 4, 5, 6]),
		)
	};
	assert_eq!(transposed([0, 1, 2]), ([2, 1, 3], vec![1, 2, 3, 4, 5, 6]));
	assert_eq!(transposed([0, 2, 1]), ([2, 3, 1], vec![1, 2, 3, 4, 5, 6]));
	assert_eq!(transposed([2, 1, 0]), ([3, 1, 2], vec![1, 4, 2, 5, 3, 6]));
	assert_eq!(transposed([1, 2, 0]), ([1, 3, 2], vec![1, 4, 2, 5, 3, 6]));
	assert_eq!(transposed([1, 0, 2]), ([1, 2, 3], vec![1, 2, 3, 4, 5, 6]));
}

#[test]
fn transpose_hulls_the_bounds_where_channels_move() {
	let linear = Linear {
		outputs: 2,
		shifts: vec![0; 2],
		activation: IDENTITY,
	};
	let weights = LayerWeights {
		weights: vec![0; 2],
		biases: vec![3, -4],
	};
	let operators = vec![
		Operator::Linear(linear),
		Operator::Transpose([0, 2, 1]),
		Operator::Transpose([2, 0, 1]),
	];
	let model = chain(Shape::vector(1), operators, vec![weights]);
	assert_eq!(
		model.tensor_bounds(2),
		[Interval::new(0, 3), Interval::new(-4, 0)]
	);
	assert_eq!(model.tensor_bounds(3), [Interval::new(-4, 3)]);
}

#[test]
fn max_pool_ignores_what_lies_outside() {
	let model = chain(
		Shape::new(2, 2, 2),
		vec![Operator::MaxPool(window([2, 2], [1, 1], [1, 1, 0, 0]))],
		vec![],
	);
	assert_eq!(
		evaluate(&model, &[-4, -3, -2, -1, 1, 2, 3, -128]),
		[-4, -3, -2, -1, 1, 2, 3, 3]
	);
}

#[test]
fn average_pool_sums_and_shifts() {
	let pool = AvgPool {
		window: window([2, 2], [2, 2], [0, 0, 0, 1]),
		shift: 2,
	};
	let model = chain(Shape::new(1, 2, 3), vec![Operator::AvgPool(pool)], vec![]);
	// (1 + 2 + 4 + 5 + 2) >> 2 = 3; outside counts as zero: (3 + 7 + 2) >> 2 = 3.
	assert_eq!(evaluate(&model, &[1, 2, 3, 4, 5, 7]), [3, 3]);
	assert_eq!(model.accumulator_bounds(0), [Interval::new(-512, 508)]);
}

#[test]
fn add_brings_operands_to_one_scale() {
	let layers = vec![
		Layer {
			input: 0,
			operator: Operator::Relu,
		},
		Layer {
			input: 1,
			operator: Operator::Add(Add {
				other: 0,
				multipliers: [3, 1],
				shift: 1,
				activation: IDENTITY,
			}),
		},
	];
	let architecture = Architecture::new(Shape::vector(3), layers).unwrap();
	let model = Model::new(architecture, Weights::new(vec![]).unwrap()).unwrap();
	// (3·0 - 5 + 1) >> 1 = -2; (3·7 + 7 + 1) >> 1 = 14; (3·100 + 100 + 1) >> 1 = 200, clamped.
	assert_eq!(evaluate(&model, &[-5, 7, 100]), [-2, 14, 127]);
	assert_eq!(model.accumulator_bounds(1), [Interval::new(-128, 508); 3]);
}

#[test]
fn tables_start_at_minus_128() {
	let table = core::array::from_fn(|index| (127 - index as i32) as i8);
	let model = chain(Shape::vector(4), vec![Operator::Lut(Box::new(table))], vec![]);
	// Entry i is 127 - i, so x becomes 127 - (x + 128) = -1 - x.
	assert_eq!(evaluate(&model, &[-128, -1, 0, 127]), [127, 0, -1, -128]);
}

#[test]
fn reshape_keeps_the_order_and_hulls_the_bounds() {
	let first = Linear {
		outputs: 4,
		shifts: vec![0; 4],
		activation: IDENTITY,
	};
	let weights = LayerWeights {
		weights: vec![0; 4],
		biases: vec![1, -2, 3, -4],
	};
	let model = chain(
		Shape::vector(1),
		vec![
			Operator::Linear(first),
			Operator::Reshape(Shape::new(2, 1, 2)),
			Operator::Reshape(Shape::new(1, 4, 1)),
		],
		vec![weights],
	);
	assert_eq!(evaluate(&model, &[9]), [1, -2, 3, -4]);
	assert_eq!(
		model.tensor_bounds(2),
		[Interval::new(-2, 1), Interval::new(-4, 3)]
	);
	assert_eq!(model.tensor_bounds(3), [Interval::new(-4, 3)]);
}

#[test]
fn relu_stands_alone() {
	let model = chain(Shape::vector(3), vec![Operator::Relu], vec![]);
	assert_eq!(evaluate(&model, &[-128, 0, 127]), [0, 0, 127]);
}

#[test]
fn encoding_is_fixed() {
	let model = chain(
		Shape::vector(2),
		vec![Operator::Linear(Linear {
			outputs: 1,
			shifts: vec![7],
			activation: Activation::Relu,
		})],
		vec![LayerWeights {
			weights: vec![1, -1],
			biases: vec![-2],
		}],
	);
	let architecture = [
		&b"OSNA\x01\x00"[..],
		&[2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0],
		// One layer that reads tensor 0: Linear with one output, one shift of 7, ReLU.
		&[4, 0, 0, 0, 1, 0, 0, 0, 4, 7, 1],
	];
	assert_eq!(model.architecture().to_bytes(), architecture.concat());
	let weights = [&b"OSNW\x01\x00"[..], &[4, 8, 1, 255, 4, 254, 255, 255, 255]];
	assert_eq!(model.weights().to_bytes(), weights.concat());
}
