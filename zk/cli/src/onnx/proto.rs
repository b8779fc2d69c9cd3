//! The messages of `onnx.proto` that a float model uses, with the field numbers of the ONNX IR specification.
//!
//! Fields that are not listed are skipped by the decoder; where one would change what a model computes
//! (sparse initialisers, functions, external data) the field is listed so that its presence can be refused.

use prost::Message;

/// A model: graph, IR version and the operator sets it is written against.
#[derive(Clone, PartialEq, Message)]
pub struct ModelProto {
	#[prost(int64, tag = "1")]
	pub ir_version: i64,
	#[prost(message, optional, tag = "7")]
	pub graph: Option<GraphProto>,
	#[prost(message, repeated, tag = "8")]
	pub opset_import: Vec<OperatorSetIdProto>,
}

/// A version of a domain of operators; the default domain is empty.
#[derive(Clone, PartialEq, Message)]
pub struct OperatorSetIdProto {
	#[prost(string, tag = "1")]
	pub domain: String,
	#[prost(int64, tag = "2")]
	pub version: i64,
}

/// Nodes in topological order, constants, inputs and outputs.
#[derive(Clone, PartialEq, Message)]
pub struct GraphProto {
	#[prost(message, repeated, tag = "1")]
	pub node: Vec<NodeProto>,
	#[prost(string, tag = "2")]
	pub name: String,
	#[prost(message, repeated, tag = "5")]
	pub initializer: Vec<TensorProto>,
	#[prost(message, repeated, tag = "11")]
	pub input: Vec<ValueInfoProto>,
	#[prost(message, repeated, tag = "12")]
	pub output: Vec<ValueInfoProto>,
	#[prost(bytes = "vec", repeated, tag = "15")]
	pub sparse_initializer: Vec<Vec<u8>>,
}

/// One operator application. Values are named by strings; an empty name is an omitted optional one.
#[derive(Clone, PartialEq, Message)]
pub struct NodeProto {
	#[prost(string, repeated, tag = "1")]
	pub input: Vec<String>,
	#[prost(string, repeated, tag = "2")]
	pub output: Vec<String>,
	#[prost(string, tag = "3")]
	pub name: String,
	#[prost(string, tag = "4")]
	pub op_type: String,
	#[prost(message, repeated, tag = "5")]
	pub attribute: Vec<AttributeProto>,
	#[prost(string, tag = "7")]
	pub domain: String,
}

/// A named attribute; `r#type` says which of the fields holds the value.
#[derive(Clone, PartialEq, Message)]
pub struct AttributeProto {
	#[prost(string, tag = "1")]
	pub name: String,
	#[prost(float, tag = "2")]
	pub f: f32,
	#[prost(int64, tag = "3")]
	pub i: i64,
	#[prost(bytes = "vec", tag = "4")]
	pub s: Vec<u8>,
	#[prost(message, optional, tag = "5")]
	pub t: Option<TensorProto>,
	#[prost(int64, repeated, tag = "8")]
	pub ints: Vec<i64>,
	#[prost(int32, tag = "20")]
	pub r#type: i32,
}

/// Types of attributes.
pub mod attribute_type {
	pub const FLOAT: i32 = 1;
	pub const INT: i32 = 2;
	pub const STRING: i32 = 3;
	pub const TENSOR: i32 = 4;
	pub const INTS: i32 = 7;
}

/// A constant tensor, its elements in `raw_data` (little endian) or in the field of its type.
#[derive(Clone, PartialEq, Message)]
pub struct TensorProto {
	#[prost(int64, repeated, tag = "1")]
	pub dims: Vec<i64>,
	#[prost(int32, tag = "2")]
	pub data_type: i32,
	#[prost(float, repeated, tag = "4")]
	pub float_data: Vec<f32>,
	#[prost(int32, repeated, tag = "5")]
	pub int32_data: Vec<i32>,
	#[prost(int64, repeated, tag = "7")]
	pub int64_data: Vec<i64>,
	#[prost(string, tag = "8")]
	pub name: String,
	#[prost(bytes = "vec", tag = "9")]
	pub raw_data: Vec<u8>,
	#[prost(double, repeated, tag = "10")]
	pub double_data: Vec<f64>,
	#[prost(int32, tag = "14")]
	pub data_location: i32,
}

/// Element types of tensors.
pub mod data_type {
	pub const FLOAT: i32 = 1;
	pub const UINT8: i32 = 2;
	pub const INT8: i32 = 3;
	pub const INT32: i32 = 6;
	pub const INT64: i32 = 7;
	pub const DOUBLE: i32 = 11;
}

/// `TensorProto::data_location` of a tensor whose elements lie in another file.
pub const LOCATION_EXTERNAL: i32 = 1;

/// Name and type of an input or output.
#[derive(Clone, PartialEq, Message)]
pub struct ValueInfoProto {
	#[prost(string, tag = "1")]
	pub name: String,
	#[prost(message, optional, tag = "2")]
	pub r#type: Option<TypeProto>,
}

/// The type of a value; only tensors are known here.
#[derive(Clone, PartialEq, Message)]
pub struct TypeProto {
	#[prost(message, optional, tag = "1")]
	pub tensor_type: Option<TensorTypeProto>,
}

/// Element type and shape of a tensor.
#[derive(Clone, PartialEq, Message)]
pub struct TensorTypeProto {
	#[prost(int32, tag = "1")]
	pub elem_type: i32,
	#[prost(message, optional, tag = "2")]
	pub shape: Option<TensorShapeProto>,
}

/// The dimensions of a tensor.
#[derive(Clone, PartialEq, Message)]
pub struct TensorShapeProto {
	#[prost(message, repeated, tag = "1")]
	pub dim: Vec<DimensionProto>,
}

/// A dimension: a number, or a name for one that is known at run time.
#[derive(Clone, PartialEq, Message)]
pub struct DimensionProto {
	#[prost(int64, optional, tag = "1")]
	pub dim_value: Option<i64>,
	#[prost(string, optional, tag = "2")]
	pub dim_param: Option<String>,
}
