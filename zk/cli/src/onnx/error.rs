//! Why an ONNX file cannot be imported.

use opensand_nn::ModelError;
use thiserror::Error;

/// Why an ONNX file cannot be imported. Messages name the node, the cause and the remedy.
#[derive(Debug, Error)]
pub enum OnnxError {
	/// The file is larger than any model within the limits.
	#[error("the file has {len} bytes, at most {max} are read; a model may have 16 MiB of weights as int8")]
	TooLarge {
		/// Bytes of the file.
		len: usize,
		/// Bytes read at most.
		max: usize,
	},
	/// The file has more fields than any model within the limits needs.
	#[error(
		"the file has more than {max} protobuf fields; export weights as raw data and drop unused nodes"
	)]
	TooManyItems {
		/// Fields allowed.
		max: u32,
	},
	/// The bytes are not an ONNX protobuf message.
	#[error("not an ONNX file ({0}); check that the file is complete and was written by an ONNX exporter")]
	Malformed(String),
	/// The file holds no graph.
	#[error("the file holds no graph; export the model again")]
	NoGraph,
	/// The model is written against an operator set that this importer does not know.
	#[error("operator set {found} is not supported; export with one from {min} to {max}")]
	UnsupportedOpset {
		/// Version in the file.
		found: i64,
		/// First version known.
		min: i64,
		/// Last version known.
		max: i64,
	},
	/// The graph does not have exactly one input, or not exactly one output.
	#[error("the graph has {found} {what}; export a model with exactly one")]
	NotOne {
		/// "inputs" or "outputs".
		what: &'static str,
		/// How many it has.
		found: usize,
	},
	/// The graph's input has a shape that cannot be used.
	#[error(
		"input `{name}`: {problem}; export with shape [1, features], [1, channels, length] or [1, channels, height, width] of float, or [1, tokens] of int64"
	)]
	BadInput {
		/// Name of the input.
		name: String,
		/// What is wrong.
		problem: &'static str,
	},
	/// An operator that has no integer semantics here.
	#[error("node `{node}`: operator {operator} is not supported; {remedy}")]
	UnsupportedOperator {
		/// Name of the node.
		node: String,
		/// Type of the operator.
		operator: String,
		/// What to do about it.
		remedy: &'static str,
	},
	/// An operator that is supported, in a form that is not.
	#[error("node `{node}` ({operator}): {problem}; {remedy}")]
	UnsupportedForm {
		/// Name of the node.
		node: String,
		/// Type of the operator.
		operator: String,
		/// What is wrong.
		problem: String,
		/// What to do about it.
		remedy: &'static str,
	},
	/// A node reads a value that nothing before it makes.
	#[error("node `{node}` reads `{value}`, which no earlier node, input or initialiser makes; the file is damaged")]
	UnknownValue {
		/// Name of the node.
		node: String,
		/// Name of the value.
		value: String,
	},
	/// The graph's output is made by no node.
	#[error("output `{0}` is made by no node; export the model again")]
	NoOutput(String),
	/// A constant cannot be read.
	#[error("constant `{name}`: {problem}")]
	BadConstant {
		/// Name of the constant.
		name: String,
		/// What is wrong and what to do.
		problem: &'static str,
	},
	/// A layer does not fit the model format.
	#[error("node `{node}`: {source}")]
	Layer {
		/// Name of the node.
		node: String,
		/// The limit or shape that it violates.
		source: ModelError,
	},
	/// The whole model does not fit the model format.
	#[error("the model does not fit the format: {0}")]
	Model(ModelError),
}
