//! What each layer loses by its integers.

use super::{quantise_all, Calibrated};
use crate::{dataset::Dataset, float::FloatModel};
use opensand_nn::{EvaluateError, Trace};
use rayon::prelude::*;
use serde::Serialize;

/// One layer of an integer model beside the float tensor that it stands for.
#[derive(Clone, Debug, Serialize)]
pub struct LayerLoss {
	/// Name of the ONNX node.
	pub node: String,
	/// Name of the integer operator.
	pub operator: &'static str,
	/// The real value of one step of the output.
	pub scale: f64,
	/// The least and the greatest requantisation shift of its channels, if it requantises. With weights, the channel's weight
	/// scale is `output scale / input scale / 2^shift`.
	pub shifts: Option<[u8; 2]>,
	/// The greatest magnitude of the float values.
	pub maximum: f64,
	/// Percentage of the outputs that are at an end of int8, -128 or 127.
	pub saturated: f64,
	/// Power of the float values over that of the difference, in decibels; none where there is no difference.
	pub signal_to_noise: Option<f64>,
}

/// Sums over the elements of one tensor.
#[derive(Clone, Copy, Default)]
struct Sums {
	maximum: f64,
	signal: f64,
	noise: f64,
	saturated: u64,
	elements: u64,
}

impl Sums {
	fn of(float: &[f32], integers: &[i8], scale: f64) -> Self {
		let mut sums = Sums::default();
		for (x, integer) in float.iter().zip(integers) {
			let x = f64::from(*x);
			sums.maximum = sums.maximum.max(x.abs());
			sums.signal += x * x;
			sums.noise += (x - f64::from(*integer) * scale).powi(2);
			sums.saturated += u64::from(matches!(*integer, i8::MIN | i8::MAX));
			sums.elements += 1;
		}
		sums
	}

	fn add(&mut self, other: &Self) {
		self.maximum = self.maximum.max(other.maximum);
		self.signal += other.signal;
		self.noise += other.noise;
		self.saturated += other.saturated;
		self.elements += other.elements;
	}
}

impl Calibrated {
	/// What each layer loses on `images`, in order. Calls `tick` after each image.
	pub fn losses(
		&self,
		float: &FloatModel,
		images: &Dataset,
		tick: &(dyn Fn() + Sync),
	) -> Result<Vec<LayerLoss>, EvaluateError> {
		let of_images = images.images().into_par_iter().map(|image| {
			let tensors = float.tensors(image);
			let trace = self.model.trace(&quantise_all(image, self.input_scale()))?;
			tick();
			Ok(self.sums(&tensors, &trace))
		});
		let of_images = of_images.collect::<Result<Vec<_>, EvaluateError>>()?;
		let layers = self.model.architecture().layers();
		let mut sums = vec![Sums::default(); layers.len()];
		// In the order of the images, so that the sums are the same on every run.
		for image in of_images {
			sums.iter_mut()
				.zip(image)
				.for_each(|(sums, image)| sums.add(&image));
		}
		let losses = layers.iter().zip(sums).enumerate().map(|(index, (layer, sums))| {
			let shifts = (0..).map_while(|channel| layer.operator.requantisation(channel));
			// Sums and averages have one shift for however many channels.
			let channels = self.model.accumulator_bounds(index).len();
			let shifts = shifts.take(channels).map(|(shift, _)| shift);
			let shifts: Vec<u8> = shifts.collect();
			let ends = shifts.iter().min().zip(shifts.iter().max());
			let source = self.sources[index + 1];
			LayerLoss {
				node: source
					.checked_sub(1)
					.map_or_else(|| "input".into(), |layer| float.layers[layer].name.clone()),
				operator: layer.operator.name(),
				scale: self.scales[index + 1],
				shifts: ends.map(|(least, greatest)| [*least, *greatest]),
				maximum: sums.maximum,
				saturated: 100.0 * sums.saturated as f64 / sums.elements as f64,
				signal_to_noise: (sums.noise > 0.0).then(|| 10.0 * (sums.signal / sums.noise).log10()),
			}
		});
		Ok(losses.collect())
	}

	fn sums(&self, tensors: &[Vec<f32>], trace: &Trace) -> Vec<Sums> {
		let layers = trace.layers.iter().enumerate();
		let sums = layers.map(|(index, layer)| {
			let float = &tensors[self.sources[index + 1]];
			Sums::of(float, &layer.outputs, self.scales[index + 1])
		});
		sums.collect()
	}
}
