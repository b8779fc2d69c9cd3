//! What an ONNX file can be refused for, each with its own error that names the node.

use opensand_nn::ModelError;
use opensand_zk_cli::onnx::{
	proto::{attribute_type, data_type, *},
	read, OnnxError, MAX_ONNX_BYTES,
};
use prost::Message;

fn dimensions(dims: &[i64]) -> Vec<DimensionProto> {
	dims.iter()
		.map(|dim| DimensionProto {
			dim_value: Some(*dim),
			dim_param: None,
		})
		.collect()
}

fn value(name: &str, dims: &[i64]) -> ValueInfoProto {
	let shape = Some(TensorShapeProto {
		dim: dimensions(dims),
	});
	let tensor_type = Some(TensorTypeProto {
		elem_type: data_type::FLOAT,
		shape,
	});
	ValueInfoProto {
		name: name.into(),
		r#type: Some(TypeProto { tensor_type }),
	}
}

fn constant(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
	TensorProto {
		name: name.into(),
		dims: dims.to_vec(),
		data_type: data_type::FLOAT,
		float_data: values.to_vec(),
		..Default::default()
	}
}

fn shape_constant(name: &str, values: &[i64]) -> TensorProto {
	TensorProto {
		name: name.into(),
		dims: vec![values.len() as i64],
		data_type: data_type::INT64,
		int64_data: values.to_vec(),
		..Default::default()
	}
}

fn node(op_type: &str, inputs: &[&str], output: &str) -> NodeProto {
	NodeProto {
		op_type: op_type.into(),
		name: format!("{output}.node"),
		input: inputs.iter().map(ToString::to_string).collect(),
		output: vec![output.into()],
		..Default::default()
	}
}

fn with_int(mut node: NodeProto, name: &str, i: i64) -> NodeProto {
	node.attribute.push(AttributeProto {
		name: name.into(),
		r#type: attribute_type::INT,
		i,
		..Default::default()
	});
	node
}

fn with_ints(mut node: NodeProto, name: &str, ints: &[i64]) -> NodeProto {
	let attribute = AttributeProto {
		name: name.into(),
		r#type: attribute_type::INTS,
		ints: ints.to_vec(),
		..Default::default()
	};
	node.attribute.push(attribute);
	node
}

fn with_string(mut node: NodeProto, name: &str, s: &str) -> NodeProto {
	node.attribute.push(AttributeProto {
		name: name.into(),
		r#type: attribute_type::STRING,
		s: s.into(),
		..Default::default()
	});
	node
}

/// A graph from `x` of shape `input` to `y`.
fn graph(input: &[i64], node: Vec<NodeProto>, initializer: Vec<TensorProto>) -> ModelProto {
	ModelProto {
		ir_version: 8,
		opset_import: vec![OperatorSetIdProto {
			domain: String::new(),
			version: 17,
		}],
		graph: Some(GraphProto {
			name: "graph".into(),
			node,
			initializer,
			input: vec![value("x", input)],
			output: vec![value("y", &[1, 1])],
			..Default::default()
		}),
	}
}

fn error(model: &ModelProto) -> OnnxError {
	read(&model.encode_to_vec()).unwrap_err()
}

/// The message for a graph of one node over an image of 2 × 3 × 3.
fn image_node_error(node: NodeProto, constants: Vec<TensorProto>) -> String {
	error(&graph(&[1, 2, 3, 3], vec![node], constants)).to_string()
}

#[test]
fn bytes_that_are_no_model() {
	assert!(matches!(read(b"\x3b\x3c"), Err(OnnxError::Malformed(_))));
	assert!(matches!(
		read(b"\x3a\xff\xff\xff\xff\x0f"),
		Err(OnnxError::Malformed(_))
	));
	assert!(matches!(read(b""), Err(OnnxError::NoGraph)));
	let large = vec![0; MAX_ONNX_BYTES + 1];
	assert!(matches!(read(&large), Err(OnnxError::TooLarge { .. })));
	// A name that is not UTF-8.
	assert!(matches!(
		read(b"\x3a\x03\x12\x01\xff"),
		Err(OnnxError::Malformed(_))
	));
}

#[test]
fn messages_that_would_grow_in_memory() {
	// Two bytes a node, two hundred in memory.
	let nodes = [0x0a, 0x00].repeat(1 << 17);
	let mut model = vec![0x3a];
	prost::encoding::encode_varint(nodes.len() as u64, &mut model);
	model.extend(nodes);
	assert!(matches!(read(&model), Err(OnnxError::TooManyItems { .. })));
	// One byte a packed integer, eight in memory.
	let mut tensor = TensorProto {
		int64_data: vec![1; 1 << 17],
		..Default::default()
	};
	tensor.dims = vec![1];
	let model = graph(&[1, 1], vec![node("Relu", &["x"], "y")], vec![tensor]);
	assert!(matches!(error(&model), OnnxError::TooManyItems { .. }));
}

#[test]
fn versions_inputs_and_outputs() {
	let good = graph(&[1, 3], vec![node("Relu", &["x"], "y")], vec![]);
	assert!(read(&good.encode_to_vec()).is_ok());
	let change = |change: &dyn Fn(&mut GraphProto)| {
		let mut model = good.clone();
		change(model.graph.as_mut().unwrap());
		error(&model)
	};
	for version in [10, 25] {
		let mut model = good.clone();
		model.opset_import[0].version = version;
		assert!(matches!(error(&model), OnnxError::UnsupportedOpset { found, .. } if found == version));
	}
	let no_input = change(&|graph| graph.input.clear());
	assert!(matches!(
		no_input,
		OnnxError::NotOne {
			what: "inputs",
			found: 0
		}
	));
	let two_outputs = change(&|graph| graph.output.push(value("x", &[1, 3])));
	assert!(matches!(
		two_outputs,
		OnnxError::NotOne {
			what: "outputs",
			found: 2
		}
	));
	for dims in [
		&[2, 3][..],
		&[],
		&[1],
		&[1, 0],
		&[1, -1],
		&[1, 1, 2, 3, 4],
		&[1, 1 << 40],
	] {
		let error = change(&|graph| graph.input[0] = value("x", dims));
		assert!(matches!(error, OnnxError::BadInput { .. }), "{dims:?}: {error}");
	}
	let named = change(&|graph| {
		let dim = DimensionProto {
			dim_value: None,
			dim_param: Some("n".into()),
		};
		let tensor_type = graph.input[0]
			.r#type
			.as_mut()
			.unwrap()
			.tensor_type
			.as_mut()
			.unwrap();
		tensor_type.shape.as_mut().unwrap().dim[1] = dim;
	});
	assert!(matches!(named, OnnxError::BadInput { .. }));
	let sparse = change(&|graph| graph.sparse_initializer.push(vec![]));
	assert!(matches!(sparse, OnnxError::BadConstant { .. }));
}

#[test]
fn unsupported_operators_are_named_with_a_remedy() {
	let message = error(&graph(&[1, 3], vec![node("Softmax", &["x"], "y")], vec![])).to_string();
	assert_eq!(
		message,
		"node `y.node`: operator Softmax is not supported; end the model at the logits: their order is the same"
	);
	for (operator, remedy) in [
		("Dropout", "evaluation mode"),
		("PRelu", "LeakyRelu"),
		("QLinearConv", "(QDQ)"),
		("DynamicQuantizeLinear", "(QDQ)"),
		("ReduceMean", "GlobalAveragePool"),
		("Pad", "to the Conv or pooling"),
		("GroupNormalization", "LayerNormalization"),
		("Resize", "without upsampling"),
	] {
		let message = image_node_error(node(operator, &["x"], "y"), vec![]);
		assert!(
			message.starts_with(&format!("node `y.node`: operator {operator} is not supported"))
				&& message.contains(remedy),
			"{message}"
		);
	}
	let message = image_node_error(node("Einsum", &["x"], "y"), vec![]);
	assert!(message.contains("operator Einsum") && message.contains("supported are Gemm"));
	let mut foreign = node("Relu", &["x"], "y");
	foreign.domain = "com.example".into();
	foreign.name.clear();
	assert!(image_node_error(foreign, vec![]).starts_with("node `y`: operator Relu"));
}

/// The message for a graph of one node over tokens of shape 4 × 6.
fn tokens_node_error(node: NodeProto, constants: Vec<TensorProto>) -> String {
	error(&graph(&[1, 4, 6], vec![node], constants)).to_string()
}

#[test]
fn unsupported_forms_of_transformers_are_named() {
	let row = || constant("w", &[6], &[0.5; 6]);
	let floats = |node: NodeProto, name: &str, f: f32| {
		let mut node = node;
		node.attribute.push(AttributeProto {
			name: name.into(),
			r#type: attribute_type::FLOAT,
			f,
			..Default::default()
		});
		node
	};
	let norm = || node("LayerNormalization", &["x", "w"], "y");
	let gather = || node("Gather", &["w", "x"], "y");
	let cases = [
		(
			with_int(node("Softmax", &["x"], "y"), "axis", 1),
			vec![],
			"axis = 1; use the last axis",
		),
		(
			with_int(norm(), "axis", 1),
			vec![row()],
			"axis = 1; use the last axis",
		),
		(
			floats(norm(), "epsilon", -1.0),
			vec![row()],
			"epsilon = -1; give a small positive number",
		),
		(with_int(norm(), "stash_type", 0), vec![row()], "stash_type = 0"),
		(
			norm(),
			vec![constant("w", &[4], &[0.5; 4])],
			"a constant has the shape [4]",
		),
		(
			node("LayerNormalization", &["x"], "y"),
			vec![],
			"input 1 is missing",
		),
		(
			node("MatMul", &["x", "x"], "y"),
			vec![],
			"the operands of MatMul do not fit each other",
		),
		(
			node("MatMul", &["w", "x"], "y"),
			vec![constant("w", &[4, 4], &[0.5; 16])],
			"an input is constant",
		),
		(
			node("MatMul", &["x", "w"], "y"),
			vec![constant("w", &[4, 6], &[0.5; 24])],
			"its weights take 4 features, its input has 6",
		),
		(
			node("MatMul", &["x", "w"], "y"),
			vec![constant("w", &[1, 6, 6], &[0.5; 36])],
			"its weights are not a matrix",
		),
		(
			gather(),
			vec![constant("w", &[4, 3], &[0.5; 12])],
			"its indices are not the graph's input",
		),
		(
			node("Gather", &["x", "w"], "y"),
			vec![shape_constant("w", &[0])],
			"it takes elements of an activation; gather rows of a constant table; take the mean of tokens",
		),
		(
			with_int(gather(), "axis", 1),
			vec![constant("w", &[4, 3], &[0.5; 12])],
			"axis = 1; gather rows",
		),
		(
			with_ints(node("ReduceMean", &["x"], "y"), "axes", &[2]),
			vec![],
			"take it over the tokens",
		),
		(
			node("Add", &["x", "w"], "y"),
			vec![constant("w", &[2, 4, 6], &[0.5; 48])],
			"a constant has the shape [2, 4, 6]",
		),
		(
			node("Mul", &["x", "x"], "y"),
			vec![],
			"multiplies two activations that are no Silu",
		),
	];
	for (node, constants, expected) in cases {
		let operator = node.op_type.clone();
		let message = tokens_node_error(node, constants);
		assert!(
			message.starts_with("node `y.node`") && message.contains(expected),
			"{operator}: {message}"
		);
	}
	let vectors = graph(
		&[1, 4],
		vec![node("Relu", &["x"], "r"), node("MatMul", &["x", "r"], "y")],
		vec![],
	);
	assert!(error(&vectors).to_string().contains("no matrices of one rank"));
	let wide = graph(
		&[1, 1, 257],
		vec![norm()],
		vec![constant("w", &[257], &[1.0; 257])],
	);
	assert!(error(&wide).to_string().contains("rows of at most 256 elements"));
}

#[test]
fn tokens_are_read_by_gather_alone() {
	let with_input = |dims: &[i64], nodes, table: TensorProto| {
		let mut model = graph(dims, nodes, vec![table]);
		let input = &mut model.graph.as_mut().unwrap().input[0];
		let kind = input.r#type.as_mut().unwrap().tensor_type.as_mut().unwrap();
		kind.elem_type = data_type::INT64;
		model
	};
	let gather = || node("Gather", &["w", "x"], "y");
	let table = |rows: i64| constant("w", &[rows, 2], &vec![0.5; 2 * rows as usize]);
	assert!(read(&with_input(&[1, 3], vec![gather()], table(128)).encode_to_vec()).is_ok());
	let message = |model: &ModelProto| error(model).to_string();
	assert!(message(&with_input(&[1, 3], vec![gather()], table(129))).contains("a vocabulary of 1 to 128"));
	assert!(message(&with_input(&[1, 3, 2], vec![gather()], table(4)))
		.contains("tokens have not the shape [1, tokens]"));
	let computes = with_input(&[1, 3], vec![node("Relu", &["x"], "y")], table(4));
	assert!(message(&computes)
		.contains("node `y.node` (Relu): it computes with the tokens of the input; let Gather alone"));
	let vector = with_input(&[1, 3], vec![gather()], constant("w", &[4], &[0.5; 4]));
	assert!(message(&vector).contains("its table is not a matrix"));
}

#[test]
fn unsupported_forms_are_named() {
	let pool = |name, ints| {
		with_ints(
			with_ints(node("MaxPool", &["x"], "y"), "kernel_shape", &[2, 2]),
			name,
			ints,
		)
	};
	let kernel = || constant("w", &[1, 2, 2, 2], &[0.5; 8]);
	let conv = || node("Conv", &["x", "w"], "y");
	let cases = [
		(pool("dilations", &[2, 2]), vec![], "dilated"),
		(pool("strides", &[1, 1, 1]), vec![], "strides"),
		(pool("strides", &[1, -1]), vec![], "strides"),
		(pool("pads", &[1, 1]), vec![], "pads"),
		(
			pool("kernel_shape", &[2, 2]),
			vec![],
			"attribute `kernel_shape` is not supported",
		),
		(node("MaxPool", &["x"], "y"), vec![], "kernel_shape is missing"),
		(
			with_int(pool("strides", &[1, 1]), "ceil_mode", 1),
			vec![],
			"ceil_mode = 1",
		),
		(
			with_int(node("MaxPool", &["x"], "y"), "kernel_shape", 2),
			vec![],
			"wrong type",
		),
		(
			with_int(node("Relu", &["x"], "y"), "alpha", 2),
			vec![],
			"attribute `alpha`",
		),
		(
			with_int(node("Flatten", &["x"], "y"), "axis", 2),
			vec![],
			"axis = 2",
		),
		(
			with_int(conv(), "group", 3),
			vec![kernel()],
			"do not fit the input's channels",
		),
		(
			with_int(conv(), "group", 0),
			vec![kernel()],
			"do not fit the input's channels",
		),
		(
			with_ints(conv(), "kernel_shape", &[3, 3]),
			vec![kernel()],
			"kernel_shape differs",
		),
		(
			conv(),
			vec![constant("w", &[1, 2, 2], &[0.5; 4])],
			"not the dimensions of its input",
		),
		(conv(), vec![], "which no earlier node"),
		(node("Conv", &["x", "x"], "y"), vec![], "not a constant"),
		(node("Conv", &["x"], "y"), vec![], "input 1 is missing"),
		(node("Relu", &["w"], "y"), vec![kernel()], "an input is constant"),
		(
			node("Gemm", &["x", "w"], "y"),
			vec![constant("w", &[2, 2], &[1.0; 4])],
			"put a Flatten before it",
		),
		(
			node("Add", &["x", "w"], "y"),
			vec![kernel()],
			"a constant has the shape [1, 2, 2, 2]",
		),
		(
			node("Mul", &["x", "w"], "y"),
			vec![constant("w", &[3], &[1.0; 3])],
			"one value, or one a channel",
		),
		(
			node("Mul", &["x", "x"], "y"),
			vec![],
			"multiplies two activations",
		),
		(
			node("Div", &["w", "x"], "y"),
			vec![constant("w", &[1], &[1.0])],
			"divisor is not constant",
		),
		(
			node("Div", &["x", "w"], "y"),
			vec![constant("w", &[1], &[0.0])],
			"leave float32",
		),
		(
			node("BatchNormalization", &["x", "w", "w", "w", "w"], "y"),
			vec![constant("w", &[3], &[1.0; 3])],
			"a constant has the shape [3]",
		),
		(
			node("BatchNormalization", &["x", "w", "w", "w", "w"], "y"),
			vec![constant("w", &[2], &[-1.0; 2])],
			"leave float32",
		),
		(
			with_int(
				node("BatchNormalization", &["x", "w", "w", "w", "w"], "y"),
				"training_mode",
				1,
			),
			vec![],
			"evaluation mode",
		),
		(
			node("Clip", &["x", "w", "z"], "y"),
			vec![constant("w", &[1], &[2.0]), constant("z", &[1], &[1.0])],
			"bounds are exchanged",
		),
		(
			node("Clip", &["x", "w"], "y"),
			vec![kernel()],
			"a bound is not one number",
		),
		(
			with_int(node("Concat", &["x", "x"], "y"), "axis", 2),
			vec![],
			"along the channels",
		),
		(
			with_int(node("Concat", &["x", "w"], "y"), "axis", 1),
			vec![kernel()],
			"an input is constant",
		),
		(
			with_ints(node("Transpose", &["x"], "y"), "perm", &[0, 1, 1, 2]),
			vec![],
			"does not order the axes",
		),
		(
			with_ints(node("Transpose", &["x"], "y"), "perm", &[0, 1, -1, 2]),
			vec![],
			"does not order the axes",
		),
		(node("Transpose", &["x"], "y"), vec![], "moves the batch"),
		(
			with_ints(node("Squeeze", &["x"], "y"), "axes", &[1]),
			vec![],
			"not all of length 1",
		),
		(
			with_ints(node("Squeeze", &["x"], "y"), "axes", &[0]),
			vec![],
			"not all of length 1",
		),
		(
			with_ints(node("Squeeze", &["x"], "y"), "axes", &[i64::MIN]),
			vec![],
			"not among 4 dimensions",
		),
		(node("Squeeze", &["x"], "y"), vec![], "the batch would go"),
		(node("Unsqueeze", &["x"], "y"), vec![], "names no axes"),
		(
			with_ints(node("Unsqueeze", &["x"], "y"), "axes", &[2]),
			vec![],
			"none of [1, features]",
		),
		(
			with_ints(node("Unsqueeze", &["x"], "y"), "axes", &[1, 1]),
			vec![],
			"names an axis twice",
		),
		(
			with_ints(with_ints(conv(), "dilations", &[2, 2]), "strides", &[1, 1, 1]),
			vec![kernel()],
			"one value of at most 1024",
		),
		(
			with_ints(conv(), "dilations", &[0, 1]),
			vec![kernel()],
			"a dilation is zero",
		),
		(
			with_ints(conv(), "dilations", &[3, 1]),
			vec![kernel()],
			"the window does not fit",
		),
		(
			with_string(with_ints(conv(), "dilations", &[2, 1]), "auto_pad", "SAME_UPPER"),
			vec![kernel()],
			"auto_pad stands beside a dilation",
		),
		(
			with_string(node("Gelu", &["x"], "y"), "approximate", "cubic"),
			vec![],
			"approximate has an unknown value",
		),
		(
			node("Reshape", &["x", "s"], "y"),
			vec![shape_constant("s", &[2, 9])],
			"none of [1, features]",
		),
		(
			node("Reshape", &["x", "s"], "y"),
			vec![shape_constant("s", &[-1, -1])],
			"does not fit",
		),
		(
			node("Reshape", &["x", "s"], "y"),
			vec![shape_constant("s", &[1, -5])],
			"does not fit",
		),
		(
			node("Reshape", &["x", "w"], "y"),
			vec![kernel()],
			"must be of type int64",
		),
		(node("Constant", &[], "y"), vec![], "it has no value"),
	];
	for (node, constants, expected) in cases {
		let operator = node.op_type.clone();
		let message = image_node_error(node, constants);
		assert!(
			message.contains(expected),
			"{operator}: `{message}` does not say `{expected}`"
		);
	}
	let padded = with_ints(
		with_ints(node("AveragePool", &["x"], "y"), "kernel_shape", &[2, 2]),
		"pads",
		&[1; 4],
	);
	assert!(image_node_error(padded, vec![]).contains("count_include_pad = 0"));
	let mut two_outputs = with_ints(node("MaxPool", &["x"], "y"), "kernel_shape", &[2, 2]);
	two_outputs.output.push("indices".into());
	assert!(image_node_error(two_outputs, vec![]).contains("several outputs"));
}

#[test]
fn quantised_forms_that_are_refused() {
	let scale = |name, value: f32| constant(name, &[], &[value]);
	let zero = |name, kind, values: &[i32]| TensorProto {
		name: String::from(name),
		dims: vec![values.len() as i64],
		data_type: kind,
		int32_data: values.to_vec(),
		..Default::default()
	};
	let round_trip = |constants: Vec<TensorProto>| {
		let nodes = vec![
			node("QuantizeLinear", &["x", "s", "z"], "q"),
			node("DequantizeLinear", &["q", "t", "z"], "y"),
		];
		error(&graph(&[1, 2], nodes, constants)).to_string()
	};
	let int8 = || zero("z", data_type::INT8, &[0]);
	let cases = [
		(
			vec![scale("s", 0.5), scale("t", 0.25), int8()],
			"not that of the QuantizeLinear",
		),
		(
			vec![scale("s", 0.0), scale("t", 0.0), int8()],
			"not a positive number",
		),
		(
			vec![scale("s", -0.5), scale("t", 0.5), int8()],
			"not a positive number",
		),
		(
			vec![constant("s", &[2], &[0.5; 2]), scale("t", 0.5), int8()],
			"several scales",
		),
		(
			vec![
				scale("s", 0.5),
				scale("t", 0.5),
				zero("z", data_type::INT8, &[0, 0]),
			],
			"several zero points",
		),
		(
			vec![
				scale("s", 0.5),
				scale("t", 0.5),
				zero("z", data_type::INT32, &[0]),
			],
			"neither int8 nor uint8",
		),
		(
			vec![
				scale("s", 0.5),
				scale("t", 0.5),
				zero("z", data_type::FLOAT, &[0]),
			],
			"not int8, uint8 or int32",
		),
	];
	for (constants, expected) in cases {
		let message = round_trip(constants);
		assert!(
			message.contains(expected),
			"`{message}` does not say `{expected}`"
		);
	}
	let quantised = |next: NodeProto| {
		let nodes = vec![node("QuantizeLinear", &["x", "s"], "q"), next];
		error(&graph(&[1, 2], nodes, vec![scale("s", 0.5), int8()])).to_string()
	};
	assert!(quantised(node("Relu", &["q"], "y")).contains("computes with quantised integers"));
	assert!(quantised(node("DequantizeLinear", &["x", "s"], "y")).contains("comes from no QuantizeLinear"));
	let blocks = with_int(node("DequantizeLinear", &["q", "s"], "y"), "block_size", 4);
	assert!(quantised(blocks).contains("block_size = 4"));
	// uint8 without a zero point is not int8 with one of zero.
	let other = node("DequantizeLinear", &["q", "s", "z"], "y");
	assert!(quantised(other).contains("not that of the QuantizeLinear"));

	let weights = |scales: TensorProto, integers: TensorProto| {
		let nodes = vec![
			node("DequantizeLinear", &["i", "s"], "w"),
			node("MatMul", &["x", "w"], "y"),
		];
		read(&graph(&[1, 2], nodes, vec![scales, integers]).encode_to_vec())
	};
	let integers = |dims: &[i64], raw: &[u8]| TensorProto {
		name: "i".into(),
		dims: dims.to_vec(),
		data_type: data_type::INT8,
		raw_data: raw.to_vec(),
		..Default::default()
	};
	let model = weights(
		constant("s", &[2], &[0.5, 0.25]),
		integers(&[2, 2], &[2, 4, 255, 252]),
	)
	.unwrap();
	// The axis is 1 by default: [[2·0.5, 4·0.25], [-1·0.5, -4·0.25]].
	assert_eq!(model.evaluate(&[1.0, 2.0]), [0.0, -1.0]);
	let several = weights(constant("s", &[3], &[0.5; 3]), integers(&[2, 2], &[1; 4])).unwrap_err();
	assert!(several.to_string().contains("one a channel"), "{several}");
	let short = weights(scale("s", 0.5), integers(&[2, 2], &[1; 3])).unwrap_err();
	assert!(short.to_string().contains("not as many"), "{short}");
}

#[test]
fn constants_that_cannot_be_read() {
	let matmul = |constant| {
		error(&graph(
			&[1, 2],
			vec![node("MatMul", &["x", "w"], "y")],
			vec![constant],
		))
		.to_string()
	};
	let good = constant("w", &[2, 1], &[1.0, 2.0]);
	let raw = |bytes: usize| TensorProto {
		float_data: vec![],
		raw_data: vec![0; bytes],
		..good.clone()
	};
	let cases = [
		(
			TensorProto {
				data_type: data_type::INT64,
				..good.clone()
			},
			"not float or double",
		),
		(
			TensorProto {
				dims: vec![2, 2],
				..good.clone()
			},
			"not as many",
		),
		(
			TensorProto {
				dims: vec![i64::MAX, i64::MAX],
				..good.clone()
			},
			"not as many",
		),
		(
			TensorProto {
				dims: vec![-2, -1],
				..good.clone()
			},
			"negative dimension",
		),
		(
			TensorProto {
				float_data: vec![1.0, f32::NAN],
				..good.clone()
			},
			"NaN",
		),
		(
			TensorProto {
				data_location: LOCATION_EXTERNAL,
				..good.clone()
			},
			"another file",
		),
		(raw(7), "within an element"),
		(raw(12), "not as many"),
		(
			TensorProto {
				dims: vec![2],
				..good.clone()
			},
			"not a matrix",
		),
		(
			TensorProto {
				dims: vec![1, 2],
				..good.clone()
			},
			"take 1 features, its input has 2",
		),
	];
	for (constant, expected) in cases {
		let message = matmul(constant);
		assert!(
			message.contains(expected),
			"`{message}` does not say `{expected}`"
		);
	}
	let double = TensorProto {
		data_type: data_type::DOUBLE,
		float_data: vec![],
		double_data: vec![1.0, 2.0],
		..good
	};
	let model = graph(&[1, 2], vec![node("MatMul", &["x", "w"], "y")], vec![double]);
	assert_eq!(
		read(&model.encode_to_vec()).unwrap().evaluate(&[3.0, 4.0]),
		[11.0]
	);
}

#[test]
fn models_beyond_the_format() {
	let relus = (0..257).map(|index| match index {
		0 => node("Sigmoid", &["x"], "0"),
		256 => node("Sigmoid", &["255"], "y"),
		_ => node("Sigmoid", &[&(index - 1).to_string()], &index.to_string()),
	});
	let many = error(&graph(&[1, 2], relus.collect(), vec![]));
	assert!(
		matches!(
			many,
			OnnxError::Layer {
				source: ModelError::TooManyOperators(257),
				..
			}
		),
		"{many}"
	);
	let large = error(&graph(&[1, 1 << 21], vec![node("Relu", &["x"], "y")], vec![]));
	assert!(
		matches!(large, OnnxError::Model(ModelError::TensorTooLarge { tensor: 0 })),
		"{large}"
	);
	let window = with_ints(node("MaxPool", &["x"], "y"), "kernel_shape", &[4, 1]);
	assert!(image_node_error(window, vec![]).contains("the window does not fit"));
	let no_layers = error(&graph(&[1, 2], vec![node("Identity", &["x"], "y")], vec![]));
	assert!(
		matches!(no_layers, OnnxError::Model(ModelError::NoOperators)),
		"{no_layers}"
	);
	let no_output = error(&graph(&[1, 2], vec![node("Relu", &["x"], "z")], vec![]));
	assert!(matches!(no_output, OnnxError::NoOutput(_)), "{no_output}");
}

#[test]
fn a_relu_is_not_fused_into_what_another_node_reads() {
	// y = relu(h) + h under two names of h.
	let nodes = vec![
		node("MatMul", &["x", "w"], "h"),
		node("Identity", &["h"], "i"),
		node("Relu", &["i"], "r"),
		node("Add", &["r", "h"], "y"),
	];
	let model = read(&graph(&[1, 1], nodes, vec![constant("w", &[1, 1], &[1.0])]).encode_to_vec()).unwrap();
	assert_eq!(model.evaluate(&[-2.0]), [-2.0]);
	assert_eq!(model.evaluate(&[2.0]), [4.0]);
}

#[test]
fn nodes_that_the_output_does_not_need_are_left_out() {
	let nodes = vec![node("Einsum", &["x"], "unused"), node("Relu", &["x"], "y")];
	assert_eq!(
		read(&graph(&[1, 1], nodes, vec![]).encode_to_vec())
			.unwrap()
			.layers
			.len(),
		1
	);
}
