//! Attributes of a node, typed, each asked for by name; what nobody asked for is refused.

use super::{
	error::OnnxError,
	proto::{attribute_type, AttributeProto, NodeProto, TensorProto},
};

/// The attributes of one node.
pub struct Attributes<'a> {
	node: &'a NodeProto,
	left: Vec<&'a AttributeProto>,
}

impl<'a> Attributes<'a> {
	/// All attributes of `node`.
	pub fn new(node: &'a NodeProto) -> Self {
		Self {
			node,
			left: node.attribute.iter().collect(),
		}
	}

	/// An integer.
	pub fn int(&mut self, name: &str, default: i64) -> Result<i64, OnnxError> {
		Ok(self
			.take(name, attribute_type::INT)?
			.map_or(default, |attribute| attribute.i))
	}

	/// A float.
	pub fn float(&mut self, name: &str, default: f32) -> Result<f32, OnnxError> {
		Ok(self
			.take(name, attribute_type::FLOAT)?
			.map_or(default, |attribute| attribute.f))
	}

	/// A list of integers.
	pub fn ints(&mut self, name: &str) -> Result<Option<&'a [i64]>, OnnxError> {
		Ok(self
			.take(name, attribute_type::INTS)?
			.map(|attribute| attribute.ints.as_slice()))
	}

	/// A string.
	pub fn string(&mut self, name: &str) -> Result<Option<&'a [u8]>, OnnxError> {
		Ok(self
			.take(name, attribute_type::STRING)?
			.map(|attribute| attribute.s.as_slice()))
	}

	/// A tensor.
	pub fn tensor(&mut self, name: &str) -> Result<Option<&'a TensorProto>, OnnxError> {
		Ok(self
			.take(name, attribute_type::TENSOR)?
			.and_then(|attribute| attribute.t.as_ref()))
	}

	/// An integer that must have its default value.
	pub fn fixed(&mut self, name: &str, value: i64, remedy: &'static str) -> Result<(), OnnxError> {
		match self.int(name, value)? {
			found if found == value => Ok(()),
			found => Err(form(self.node, format!("{name} = {found}"), remedy)),
		}
	}

	/// Refuses attributes that were not asked for.
	pub fn finish(self) -> Result<(), OnnxError> {
		match self.left.first() {
			None => Ok(()),
			Some(attribute) => Err(form(
				self.node,
				format!("attribute `{}` is not supported", attribute.name),
				"export without it, or with a plainer layer",
			)),
		}
	}

	fn take(&mut self, name: &str, kind: i32) -> Result<Option<&'a AttributeProto>, OnnxError> {
		let Some(position) = self.left.iter().position(|attribute| attribute.name == name) else {
			return Ok(None);
		};
		let attribute = self.left.swap_remove(position);
		if attribute.r#type != kind {
			return Err(form(
				self.node,
				format!("attribute `{name}` has the wrong type"),
				"export the model again",
			));
		}
		Ok(Some(attribute))
	}
}

/// An [`OnnxError::UnsupportedForm`] of `node`.
pub fn form(node: &NodeProto, problem: impl Into<String>, remedy: &'static str) -> OnnxError {
	OnnxError::UnsupportedForm {
		node: display_name(node),
		operator: node.op_type.clone(),
		problem: problem.into(),
		remedy,
	}
}

/// The node's name; exporters may leave it empty, then that of its first output.
pub fn display_name(node: &NodeProto) -> String {
	match (node.name.as_str(), node.output.first()) {
		("", Some(output)) => output.clone(),
		(name, _) => name.to_string(),
	}
}
