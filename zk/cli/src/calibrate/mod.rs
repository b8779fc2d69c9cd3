//! Post-training calibration: a float model and sample images to an integer model.
//!
//! Every tensor gets one scale (the real value of one integer step), a power of two wherever it is free, chosen on the
//! calibration images by one of the [`Method`]s. The weights of each output channel get the scale that makes the
//! requantisation a plain shift: `weight scale = output scale / input scale / 2^shift`, with the largest shift at which
//! the channel's weights fit into int8.

mod attention;
mod error;
mod groups;
mod losses;
mod method;
mod quantise;
mod scales;

pub use error::CalibrateError;
pub use losses::LayerLoss;
pub use method::Method;
pub use quantise::{quantise, quantise_all};

use crate::{dataset::Dataset, float::FloatModel};
use opensand_nn::Model;

/// An integer model and what its integers mean.
#[derive(Clone, Debug)]
pub struct Calibrated {
	/// The model.
	pub model: Model,
	/// The real value of one step of each tensor, the input's first.
	pub scales: Vec<f64>,
	/// For each tensor the one of the float model that it stands for.
	pub sources: Vec<usize>,
}

impl Calibrated {
	/// The real value of one step of the input.
	pub fn input_scale(&self) -> f64 {
		self.scales.first().copied().unwrap_or(1.0)
	}

	/// The real value of one step of the output.
	pub fn output_scale(&self) -> f64 {
		self.scales.last().copied().unwrap_or(1.0)
	}
}

/// Calibrates `float` on `images`. Calls `tick` once after every evaluation: [`Method::passes`] times an image.
///
/// Deterministic: the same model and images give the same bytes on every machine, as long as the model has no function like
/// Sigmoid and no Softmax, whose last bits depend on the platform's mathematical library.
pub fn calibrate(
	float: &FloatModel,
	images: &Dataset,
	method: Method,
	tick: &(dyn Fn() + Sync),
) -> Result<Calibrated, CalibrateError> {
	let statistics = scales::Statistics::gather(float, images, method, tick)?;
	quantise::integer_model(float, &statistics)
}
