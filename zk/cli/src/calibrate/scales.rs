//! What the tensors of a float model look like on the calibration images, and the scales that suit them.

use super::{error::CalibrateError, quantise::quantise};
use crate::{dataset::Dataset, float::FloatModel};
use rayon::prelude::*;
use std::ops::RangeInclusive;

/// Exponents that are tried around the one that just covers all values: finer ones clip outliers, coarser ones may be
/// exact too and make smaller accumulators.
const CANDIDATES: RangeInclusive<i32> = -3..=4;

/// Exponents of scales. Within them no product or quotient of scales leaves float64.
const EXPONENTS: RangeInclusive<i32> = -120..=120;

/// What is known of one tensor.
#[derive(Clone, Debug)]
pub struct Statistics {
	/// The greatest magnitude of each tensor.
	maxima: Vec<f64>,
	/// For each tensor and candidate the summed squared error.
	errors: Vec<Vec<f64>>,
}

impl Statistics {
	/// Evaluates the model twice on every image: for the ranges, then for the errors of the candidates.
	pub fn gather(
		float: &FloatModel,
		images: &Dataset,
		tick: &(dyn Fn() + Sync),
	) -> Result<Self, CalibrateError> {
		let images = images.images();
		let maximum = |tensor: &Vec<f32>| tensor.iter().fold(0.0, |max, x| f64::from(x.abs()).max(max));
		let maxima_of_images = images.par_iter().enumerate().map(|(image, input)| {
			let tensors = float.tensors(input);
			tick();
			match tensors
				.iter()
				.position(|tensor| tensor.iter().any(|x| !x.is_finite()))
			{
				None => Ok(tensors.iter().map(maximum).collect::<Vec<f64>>()),
				Some(tensor) => {
					let layer = tensor.checked_sub(1).and_then(|layer| float.layers.get(layer));
					let node = layer.map_or_else(|| "input".into(), |layer| layer.name.clone());
					Err(CalibrateError::NotFinite { node, image })
				}
			}
		});
		let maxima_of_images = maxima_of_images.collect::<Result<Vec<_>, _>>()?;
		let mut maxima = vec![0f64; float.shapes.len()];
		for image in maxima_of_images {
			maxima
				.iter_mut()
				.zip(image)
				.for_each(|(max, x)| *max = max.max(x));
		}
		let errors_of_images = images.par_iter().map(|input| {
			let tensors = float.tensors(input);
			tick();
			let errors = |(tensor, max): (&Vec<f32>, &f64)| {
				CANDIDATES
					.map(|candidate| squared_error(tensor, exponent(*max, candidate)))
					.collect::<Vec<f64>>()
			};
			tensors.iter().zip(&maxima).map(errors).collect::<Vec<_>>()
		});
		let errors_of_images = errors_of_images.collect::<Vec<_>>();
		let mut errors = vec![vec![0f64; CANDIDATES.count()]; float.shapes.len()];
		// In the order of the images, so that the sums are the same on every run.
		for image in errors_of_images {
			for (sums, image) in errors.iter_mut().zip(image) {
				sums.iter_mut().zip(image).for_each(|(sum, error)| *sum += error);
			}
		}
		Ok(Self { maxima, errors })
	}

	/// The greatest magnitude of tensor `tensor` on the calibration images.
	pub fn maximum(&self, tensor: usize) -> f64 {
		self.maxima[tensor]
	}

	/// The power of two, at least `floor`, that represents tensor `tensor` with the least squared error; the coarsest of
	/// equals.
	pub fn scale(&self, tensor: usize, floor: f64) -> f64 {
		let best = CANDIDATES.zip(&self.errors[tensor]).fold(
			None,
			|best: Option<(i32, f64)>, (candidate, error)| match best {
				Some((_, least)) if least < *error => best,
				_ => Some((candidate, *error)),
			},
		);
		let chosen = power(exponent(
			self.maxima[tensor],
			best.map_or(0, |(candidate, _)| candidate),
		));
		let least = power((floor.log2().ceil() as i32).clamp(*EXPONENTS.start(), *EXPONENTS.end()));
		if chosen < floor {
			least
		} else {
			chosen
		}
	}
}

/// The exponent `candidate` steps coarser than the one that just covers `max`.
fn exponent(max: f64, candidate: i32) -> i32 {
	let covering = if max > 0.0 {
		(max / 127.0).log2().ceil() as i32
	} else {
		0
	};
	covering
		.saturating_add(candidate)
		.clamp(*EXPONENTS.start(), *EXPONENTS.end())
}

/// `2^exponent`, exact.
fn power(exponent: i32) -> f64 {
	2f64.powi(exponent)
}

/// The summed squared error of the values at scale `2^exponent`.
fn squared_error(values: &[f32], exponent: i32) -> f64 {
	let scale = power(exponent);
	let error = |x: &f32| f64::from(*x) - f64::from(quantise((*x).into(), scale)) * scale;
	values.iter().map(error).map(|error| error * error).sum()
}
