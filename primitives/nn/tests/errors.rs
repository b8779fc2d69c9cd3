//! Every way in which a model can be wrong has its own error.

use opensand_nn::{
	limits::{MAX_ARCHITECTURE_BYTES, MAX_CONCAT, MAX_ENCODED_WEIGHT_BYTES, MAX_OPERATORS},
	Activation, Add, Architecture, AvgPool, Concat, Conv2d, DilatedConv2d, Embedding, Layer,
	LayerNormalization, LayerWeights, Linear, MatMul, Model, ModelError, Operator, Shape, Softmax, Weights,
	Window,
};

fn linear(outputs: u32) -> Operator {
	Operator::Linear(Linear {
		outputs,
		shifts: vec![0; outputs as usize],
		activation: Activation::Identity,
	})
}

fn unit_window() -> Window {
	Window {
		kernel: [1, 1],
		stride: [1, 1],
		padding: [0; 4],
	}
}

fn conv(outputs: u32, groups: u32) -> Conv2d {
	let shifts = vec![0; outputs as usize];
	Conv2d {
		outputs,
		window: unit_window(),
		groups,
		shifts,
		activation: Activation::Identity,
	}
}

/// The error of a chain of operators over an input.
fn chain(input: Shape, operators: Vec<Operator>) -> ModelError {
	let layers = (0..)
		.zip(operators)
		.map(|(input, operator)| Layer { input, operator })
		.collect();
	Architecture::new(input, layers).unwrap_err()
}

/// The error of a two-to-one Linear with these weights.
fn weights(weights: Vec<i8>, biases: Vec<i32>, shift: u8) -> Result<Model, ModelError> {
	let operator = Operator::Linear(Linear {
		outputs: 1,
		shifts: vec![shift],
		activation: Activation::Identity,
	});
	let architecture = Architecture::new(Shape::vector(2), vec![Layer { input: 0, operator }]).unwrap();
	Model::new(
		architecture,
		Weights::new(vec![LayerWeights { weights, biases }]).unwrap(),
	)
}

#[test]
fn encodings() {
	let layers = vec![Layer {
		input: 0,
		operator: Operator::Relu,
	}];
	let bytes = Architecture::new(Shape::vector(2), layers).unwrap().to_bytes();
	for len in 4..bytes.len() {
		assert_eq!(
			Architecture::from_bytes(&bytes[..len]),
			Err(ModelError::Malformed),
			"{len} bytes"
		);
	}
	for len in 0..4 {
		assert_eq!(Architecture::from_bytes(&bytes[..len]), Err(ModelError::BadMagic));
	}
	assert_eq!(
		Architecture::from_bytes(&[&bytes[..], &[0, 0]].concat()),
		Err(ModelError::TrailingBytes(2))
	);
	let mut newer = bytes.clone();
	newer[4] = 2;
	assert_eq!(
		Architecture::from_bytes(&newer),
		Err(ModelError::UnsupportedVersion {
			found: 2,
			supported: 1
		})
	);
	let mut unknown_operator = bytes.clone();
	*unknown_operator.last_mut().unwrap() = 15;
	assert_eq!(
		Architecture::from_bytes(&unknown_operator),
		Err(ModelError::Malformed)
	);

	let bytes = Weights::new(vec![]).unwrap().to_bytes();
	assert_eq!(Weights::from_bytes(&bytes).unwrap().layers(), []);
	assert_eq!(
		Weights::from_bytes(&[&bytes[..], &[0]].concat()),
		Err(ModelError::TrailingBytes(1))
	);
	assert_eq!(Architecture::from_bytes(&bytes), Err(ModelError::BadMagic));
	// A length of one in four bytes where one byte would do.
	assert_eq!(
		Weights::from_bytes(b"OSNW\x01\x00\x06\x00\x00\x00"),
		Err(ModelError::Malformed)
	);
}

#[test]
fn sizes_of_encodings() {
	let max = MAX_ARCHITECTURE_BYTES;
	assert_eq!(
		Architecture::from_bytes(&vec![0; max + 1]),
		Err(ModelError::TooManyBytes { len: max + 1, max })
	);
	let max = MAX_ENCODED_WEIGHT_BYTES;
	assert_eq!(
		Weights::from_bytes(&vec![0; max + 1]),
		Err(ModelError::TooManyBytes { len: max + 1, max })
	);
	// A compact count of 2^30 - 1 layers in four bytes.
	let many = ModelError::TooManyOperators((1 << 30) - 1);
	assert_eq!(Weights::from_bytes(b"OSNW\x01\x00\xfe\xff\xff\xff"), Err(many));
	assert_eq!(
		Architecture::from_bytes(b"OSNA\x01\x00aaaabbbbcccc\xfe\xff\xff\xff"),
		Err(many)
	);
	// Vectors whose length runs past the end.
	assert_eq!(
		Weights::from_bytes(b"OSNW\x01\x00\x04\xfe\xff\xff\xff"),
		Err(ModelError::Malformed)
	);
}

#[test]
fn the_largest_models_have_encodings() {
	// As many shifts as elements of all tensors allow, and the weights at their limit.
	let layer = |weights| LayerWeights {
		weights: vec![0; weights],
		biases: vec![0; 1],
	};
	let largest = Weights::new(vec![layer((16 << 20) - 4)]).unwrap();
	assert_eq!(Weights::from_bytes(&largest.to_bytes()).unwrap(), largest);
	let over = ModelError::TooManyWeights((16 << 20) + 1);
	assert_eq!(Weights::new(vec![layer((16 << 20) - 3)]), Err(over));
	let depthwise = |input| Layer {
		input,
		operator: Operator::Conv2d(conv(1 << 20, 1 << 20)),
	};
	let architecture = Architecture::new(Shape::vector(1 << 20), (0..3).map(depthwise).collect()).unwrap();
	assert_eq!(
		Architecture::from_bytes(&architecture.to_bytes()).unwrap(),
		architecture
	);
}

#[test]
fn counts_of_operators() {
	assert_eq!(chain(Shape::vector(1), vec![]), ModelError::NoOperators);
	let many = vec![Operator::Relu; MAX_OPERATORS + 1];
	assert_eq!(
		chain(Shape::vector(1), many),
		ModelError::TooManyOperators(MAX_OPERATORS + 1)
	);
	let many = vec![
		LayerWeights {
			weights: vec![],
			biases: vec![]
		};
		MAX_OPERATORS + 1
	];
	assert_eq!(
		Weights::new(many),
		Err(ModelError::TooManyOperators(MAX_OPERATORS + 1))
	);
}

#[test]
fn sizes_of_tensors() {
	for shape in [Shape::new(0, 1, 1), Shape::new(1, 0, 1), Shape::new(1, 1, 0)] {
		assert_eq!(
			chain(shape, vec![Operator::Relu]),
			ModelError::EmptyTensor { tensor: 0 }
		);
	}
	assert_eq!(
		chain(Shape::vector(1), vec![linear(0)]),
		ModelError::EmptyTensor { tensor: 1 }
	);
	let large = Shape::new(1 << 11, 1 << 10, 1);
	assert_eq!(
		chain(large, vec![Operator::Relu]),
		ModelError::TensorTooLarge { tensor: 0 }
	);
	let overflowing = Shape::new(u32::MAX, u32::MAX, u32::MAX);
	assert_eq!(
		chain(overflowing, vec![Operator::Relu]),
		ModelError::TensorTooLarge { tensor: 0 }
	);
	let overflowing = Operator::Reshape(Shape::new(1 << 16, 1 << 16, 1));
	assert_eq!(
		chain(Shape::vector(1), vec![overflowing]),
		ModelError::ReshapeMismatch { layer: 0 }
	);
	assert_eq!(
		chain(Shape::vector(1 << 20), vec![Operator::Relu; 4]),
		ModelError::TooManyElements
	);
}

#[test]
fn work_and_weights() {
	// 2^19 positions of 2^14 taps.
	let window = Window {
		kernel: [128, 128],
		stride: [1, 1],
		padding: [0; 4],
	};
	assert_eq!(
		chain(Shape::new(1, 1024, 1024), vec![Operator::MaxPool(window)]),
		ModelError::TooMuchWork
	);
	let error = chain(Shape::vector(1 << 13), vec![linear(1 << 11), linear(1)]);
	assert_eq!(error, ModelError::TooManyWeights((1 << 24) + (1 << 13)));
}

#[test]
fn references() {
	let relu = |input| Layer {
		input,
		operator: Operator::Relu,
	};
	let new = |layers| Architecture::new(Shape::vector(1), layers).unwrap_err();
	assert_eq!(
		new(vec![relu(1)]),
		ModelError::UnknownTensor { layer: 0, tensor: 1 }
	);
	assert_eq!(
		new(vec![relu(0), relu(65535)]),
		ModelError::UnknownTensor {
			layer: 1,
			tensor: 65535
		}
	);
	assert_eq!(
		new(vec![relu(0), relu(0)]),
		ModelError::UnusedTensor { tensor: 1 }
	);
	let add = |other| {
		Operator::Add(Add {
			other,
			multipliers: [1, 1],
			shift: 0,
			activation: Activation::Identity,
		})
	};
	let error = new(vec![Layer {
		input: 0,
		operator: add(1),
	}]);
	assert_eq!(error, ModelError::UnknownTensor { layer: 0, tensor: 1 });
}

#[test]
fn shapes() {
	assert_eq!(
		chain(Shape::new(1, 2, 1), vec![linear(1)]),
		ModelError::NotAVector { layer: 0 }
	);
	let reshape = Operator::Reshape(Shape::vector(3));
	assert_eq!(
		chain(Shape::vector(2), vec![reshape]),
		ModelError::ReshapeMismatch { layer: 0 }
	);
	let add = Operator::Add(Add {
		other: 0,
		multipliers: [1, 1],
		shift: 0,
		activation: Activation::Identity,
	});
	assert_eq!(
		chain(Shape::vector(2), vec![linear(3), add]),
		ModelError::AddMismatch { layer: 1 }
	);
	let concat = |others: usize| {
		Operator::Concat(Concat {
			others: vec![0; others],
		})
	};
	let mismatch = ModelError::ConcatMismatch { layer: 0 };
	assert_eq!(chain(Shape::vector(2), vec![concat(0)]), mismatch);
	assert_eq!(chain(Shape::vector(2), vec![concat(MAX_CONCAT)]), mismatch);
	let layers = [
		Operator::Transpose([2, 1, 0]),
		Operator::Concat(Concat { others: vec![0] }),
	];
	assert_eq!(
		chain(Shape::new(1, 1, 2), layers.to_vec()),
		ModelError::ConcatMismatch { layer: 1 }
	);
	assert_eq!(
		chain(Shape::new(1 << 19, 1, 1), vec![concat(2)]),
		ModelError::TensorTooLarge { tensor: 1 }
	);
	for axes in [[0, 0, 1], [0, 1, 3], [2, 1, 2], [1, 1, 1]] {
		let error = chain(Shape::vector(2), vec![Operator::Transpose(axes)]);
		assert_eq!(error, ModelError::BadPermutation { layer: 0 });
	}
	for (outputs, groups) in [(2, 0), (3, 2), (2, 3), (2, 4)] {
		let error = chain(Shape::vector(2), vec![Operator::Conv2d(conv(outputs, groups))]);
		assert_eq!(error, ModelError::BadGroups { layer: 0 });
	}
}

#[test]
fn matrices_and_rows() {
	let matmul = |transposed, shift| {
		Operator::MatMul(MatMul {
			other: 0,
			transposed,
			shift,
		})
	};
	let matrix = Shape::new(2, 3, 4);
	let mismatch = ModelError::MatMulMismatch { layer: 0 };
	assert_eq!(chain(matrix, vec![matmul(false, 0)]), mismatch);
	assert_eq!(
		chain(matrix, vec![matmul(true, 32)]),
		ModelError::BadShift { layer: 0 }
	);
	// As many columns as rows, but other channels.
	let layers = vec![
		Operator::Transpose([1, 0, 2]),
		Operator::MatMul(MatMul {
			other: 0,
			transposed: true,
			shift: 0,
		}),
	];
	assert_eq!(
		chain(Shape::new(2, 3, 4), layers),
		ModelError::MatMulMismatch { layer: 1 }
	);

	let softmax = |first, others, bits| {
		let mut exponentials = Box::new([others; 256]);
		exponentials[0] = first;
		Operator::Softmax(Softmax { exponentials, bits })
	};
	let row = Shape::new(1, 1, 4);
	let error = ModelError::BadSoftmax { layer: 0 };
	assert_eq!(chain(row, vec![softmax(0, 1, 20)]), error);
	assert_eq!(chain(row, vec![softmax(1, 0, 27)]), error);
	assert_eq!(chain(row, vec![softmax(1, 0, 0)]), error);
	assert_eq!(chain(row, vec![softmax(1, 16385, 16)]), error);
	assert_eq!(chain(row, vec![softmax(16385, 1, 16)]), error);
	let layer = |operator| vec![Layer { input: 0, operator }];
	assert!(Architecture::new(row, layer(softmax(1, 16384, 16))).is_ok());

	let normalization = |epsilon, shift| Operator::LayerNormalization(LayerNormalization { epsilon, shift });
	let error = ModelError::BadLayerNormalization { layer: 0 };
	assert_eq!(chain(row, vec![normalization(0, 1)]), error);
	assert_eq!(chain(Shape::new(1, 1, 257), vec![normalization(1, 1)]), error);
	assert_eq!(
		chain(row, vec![normalization(1, 32)]),
		ModelError::BadShift { layer: 0 }
	);

	let embedding = |vocabulary, width| Operator::Embedding(Embedding { vocabulary, width });
	let error = ModelError::BadEmbedding { layer: 0 };
	assert_eq!(chain(Shape::vector(3), vec![embedding(0, 1)]), error);
	assert_eq!(chain(Shape::vector(3), vec![embedding(129, 1)]), error);
	assert_eq!(chain(Shape::new(1, 3, 1), vec![embedding(5, 1)]), error);
	assert_eq!(
		chain(Shape::vector(3), vec![embedding(5, 0)]),
		ModelError::EmptyTensor { tensor: 1 }
	);
}

#[test]
fn weights_of_rows() {
	let new = |operator, input, weights: usize, biases: usize, bias| {
		let architecture = Architecture::new(input, vec![Layer { input: 0, operator }]).unwrap();
		let weights = LayerWeights {
			weights: vec![127; weights],
			biases: vec![bias; biases],
		};
		Model::new(architecture, Weights::new(vec![weights]).unwrap()).map(|_| ())
	};
	let row = Shape::new(2, 1, 3);
	let normalization = || {
		Operator::LayerNormalization(LayerNormalization {
			epsilon: 1,
			shift: 21,
		})
	};
	assert_eq!(new(normalization(), row, 3, 3, 1 << 29), Ok(()));
	let overflow = ModelError::AccumulatorOverflow { layer: 0, channel: 0 };
	assert_eq!(
		new(normalization(), row, 3, 3, i32::MAX - (1 << 29)),
		Err(overflow)
	);
	let weights = |found, expected| {
		Err(ModelError::WrongWeightCount {
			layer: 0,
			found,
			expected,
		})
	};
	let biases = |found, expected| {
		Err(ModelError::WrongBiasCount {
			layer: 0,
			found,
			expected,
		})
	};
	assert_eq!(new(normalization(), row, 2, 3, 0), weights(2, 3));
	assert_eq!(new(normalization(), row, 3, 2, 0), biases(2, 3));
	let embedding = Operator::Embedding(Embedding {
		vocabulary: 4,
		width: 5,
	});
	let tokens = Shape::vector(2);
	assert_eq!(new(embedding.clone(), tokens, 20, 0, 0), Ok(()));
	assert_eq!(new(embedding.clone(), tokens, 19, 0, 0), weights(19, 20));
	assert_eq!(new(embedding, tokens, 20, 2, 0), biases(2, 0));
}

#[test]
fn dilations() {
	let dilated = |kernel, padding, dilation| {
		let window = Window {
			kernel,
			stride: [1, 1],
			padding,
		};
		let conv = Conv2d { window, ..conv(1, 1) };
		Operator::DilatedConv2d(DilatedConv2d { conv, dilation })
	};
	let error =
		|kernel, padding, dilation| chain(Shape::new(1, 5, 5), vec![dilated(kernel, padding, dilation)]);
	let (dilation, window) = (
		ModelError::BadDilation { layer: 0 },
		ModelError::BadWindow { layer: 0 },
	);
	assert_eq!(error([2, 2], [0; 4], [1, 1]), dilation);
	assert_eq!(error([2, 2], [0; 4], [0, 2]), dilation);
	assert_eq!(error([3, 2], [0; 4], [u16::MAX, 1]), dilation);
	assert_eq!(error([0, 2], [0; 4], [2, 2]), dilation);
	// Three rows over seven of five; over a stretch of 1025; a padding as large as the stretch.
	assert_eq!(error([3, 1], [0; 4], [3, 1]), window);
	assert_eq!(error([2, 1], [0; 4], [1024, 1]), window);
	assert_eq!(error([2, 1], [3, 0, 0, 0], [2, 1]), window);
	let layers = vec![Layer {
		input: 0,
		operator: dilated([2, 1], [2, 0, 2, 0], [2, 1]),
	}];
	let shape = Architecture::new(Shape::new(1, 1, 1), layers).unwrap();
	assert_eq!(shape.output_shape(), Shape::new(1, 3, 1));
}

#[test]
fn windows() {
	let good = Window {
		kernel: [2, 2],
		stride: [1, 1],
		padding: [1; 4],
	};
	let bad = [
		Window {
			kernel: [0, 2],
			..good
		},
		Window {
			kernel: [2, 1025],
			..good
		},
		Window {
			stride: [1, 0],
			..good
		},
		Window {
			stride: [1025, 1],
			..good
		},
		Window {
			padding: [2, 1, 1, 1],
			..good
		},
		Window {
			padding: [1, 1, 1, 2],
			..good
		},
		Window {
			kernel: [6, 2],
			..good
		},
	];
	let shape = Shape::new(1, 3, 3);
	for window in bad {
		let error = ModelError::BadWindow { layer: 0 };
		assert_eq!(chain(shape, vec![Operator::MaxPool(window)]), error);
		assert_eq!(
			chain(shape, vec![Operator::AvgPool(AvgPool { window, shift: 0 })]),
			error
		);
		assert_eq!(
			chain(shape, vec![Operator::Conv2d(Conv2d { window, ..conv(1, 1) })]),
			error
		);
	}
}

#[test]
fn shifts_and_multipliers() {
	let shifted = |outputs, shifts| {
		Operator::Linear(Linear {
			outputs,
			shifts,
			activation: Activation::Identity,
		})
	};
	let input = Shape::vector(1);
	let count = |found| ModelError::WrongShiftCount {
		layer: 0,
		found,
		expected: 2,
	};
	assert_eq!(chain(input, vec![shifted(2, vec![0])]), count(1));
	assert_eq!(chain(input, vec![shifted(2, vec![0; 3])]), count(3));
	let error = ModelError::BadShift { layer: 0 };
	assert_eq!(chain(input, vec![shifted(1, vec![32])]), error);
	assert_eq!(
		chain(
			input,
			vec![Operator::AvgPool(AvgPool {
				window: unit_window(),
				shift: 32
			})]
		),
		error
	);
	let add = |multipliers, shift| {
		Operator::Add(Add {
			other: 0,
			multipliers,
			shift,
			activation: Activation::Relu,
		})
	};
	assert_eq!(chain(input, vec![add([1, 1], 32)]), error);
	for multipliers in [[0, 1], [1, 0], [32769, 1], [1, 65535]] {
		assert_eq!(
			chain(input, vec![add(multipliers, 0)]),
			ModelError::BadMultiplier { layer: 0 }
		);
	}
}

#[test]
fn weights_that_do_not_fit() {
	let wrong = |found| {
		Err(ModelError::WrongWeightCount {
			layer: 0,
			found,
			expected: 2,
		})
	};
	assert_eq!(weights(vec![1], vec![0], 0), wrong(1));
	assert_eq!(weights(vec![1; 3], vec![0], 0), wrong(3));
	let wrong = |found| {
		Err(ModelError::WrongBiasCount {
			layer: 0,
			found,
			expected: 1,
		})
	};
	assert_eq!(weights(vec![1; 2], vec![], 0), wrong(0));
	assert_eq!(weights(vec![1; 2], vec![0; 2], 0), wrong(2));
	let relu = || {
		Architecture::new(
			Shape::vector(1),
			vec![Layer {
				input: 0,
				operator: Operator::Relu,
			}],
		)
		.unwrap()
	};
	let extra = Weights::new(vec![LayerWeights {
		weights: vec![],
		biases: vec![],
	}])
	.unwrap();
	assert_eq!(
		Model::new(relu(), extra),
		Err(ModelError::WrongLayerCount {
			found: 1,
			expected: 0
		})
	);
}

#[test]
fn accumulators_that_could_overflow() {
	let overflow = Err(ModelError::AccumulatorOverflow { layer: 0, channel: 0 });
	// Two weights of 1 add -256..=254 to the bias.
	assert!(weights(vec![1; 2], vec![i32::MAX - 254], 0).is_ok());
	assert_eq!(weights(vec![1; 2], vec![i32::MAX - 253], 0), overflow);
	assert!(weights(vec![1; 2], vec![i32::MIN + 256], 0).is_ok());
	assert_eq!(weights(vec![1; 2], vec![i32::MIN + 255], 0), overflow);
	// The rounding of a shift counts too.
	assert!(weights(vec![1; 2], vec![i32::MAX - 254 - (1 << 30)], 31).is_ok());
	assert_eq!(
		weights(vec![1; 2], vec![i32::MAX - 253 - (1 << 30)], 31),
		overflow
	);
}

#[test]
fn every_error_says_something() {
	let errors = [
		ModelError::BadMagic,
		ModelError::AccumulatorOverflow { layer: 3, channel: 5 },
		ModelError::TooManyBytes { len: 2, max: 1 },
	];
	let texts = errors.map(|error| error.to_string());
	assert_eq!(
		texts[1],
		"layer 3: the accumulator of channel 5 could overflow int32"
	);
	assert!(texts.iter().all(|text| !text.is_empty()));
}
