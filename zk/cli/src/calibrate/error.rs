//! Why a float model cannot be brought to integers.

use opensand_nn::ModelError;
use thiserror::Error;

/// Why a float model cannot be brought to integers.
#[derive(Debug, Error)]
pub enum CalibrateError {
	/// An activation leaves float32 on a calibration image.
	#[error("node `{node}`: its output is not finite on image {image}; check the scale of the images and the training")]
	NotFinite {
		/// The ONNX node.
		node: String,
		/// The image, counted from 0.
		image: usize,
	},
	/// A channel's bias does not fit the accumulator.
	#[error(
		"node `{node}`, channel {channel}: its bias is too large beside its outputs on the calibration images; check that \
		 the images are scaled as in training"
	)]
	BiasTooLarge {
		/// The ONNX node.
		node: String,
		/// The output channel.
		channel: usize,
	},
	/// The operands of a sum differ too much in scale.
	#[error(
		"node `{node}`: its operands differ in scale by more than 2^15; check that the images are scaled as in training"
	)]
	OperandsApart {
		/// The ONNX node.
		node: String,
	},
	/// The values of a product are too far from what its operands' scales allow.
	#[error(
		"node `{node}`: its product is too small or too large beside its operands; check that the images are scaled as in \
		 training"
	)]
	ProductOutOfScale {
		/// The ONNX node.
		node: String,
	},
	/// A layer is clipped below what one step of its input can make of one weight.
	#[error("node `{node}`: it is clipped to less than a step of its input times a weight; raise the bound of its Clip")]
	CeilingTooLow {
		/// The ONNX node.
		node: String,
	},
	/// The integer model violates a rule of the format.
	#[error("the integer model does not fit the format: {0}")]
	Model(#[from] ModelError),
}
