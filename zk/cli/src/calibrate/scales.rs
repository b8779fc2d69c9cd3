//! What the tensors of a float model look like on the calibration images, and the scales that suit them.

use super::{error::CalibrateError, quantise::quantise, Method};
use crate::{dataset::Dataset, float::FloatModel};
use rayon::prelude::*;
use std::ops::RangeInclusive;

/// Exponents that least squares tries around the one that just covers all values: finer ones clip outliers, coarser ones may
/// be exact too and make smaller accumulators.
const CANDIDATES: RangeInclusive<i32> = -3..=4;

/// The same for a tensor that a quantised model rounds: its grid is rarely a power of two, so one of its neighbours.
const SNAPPED: RangeInclusive<i32> = -1..=0;

/// Exponents of scales. Within them no product or quotient of scales leaves float64.
const EXPONENTS: RangeInclusive<i32> = -120..=120;

/// Bins over the magnitudes of a tensor, for percentiles.
const BINS: usize = 4096;

/// What is known of one tensor.
#[derive(Clone, Debug)]
pub struct Statistics {
	/// The greatest magnitude of each tensor.
	maxima: Vec<f64>,
	/// For each tensor the exponents that it may have, in ascending order, at least one.
	candidates: Vec<Vec<i32>>,
	/// For each tensor and candidate the summed squared error; empty where there is nothing to choose.
	errors: Vec<Vec<f64>>,
}

impl Statistics {
	/// Evaluates the model on every image for the ranges, and again for what the method chooses by.
	pub fn gather(
		float: &FloatModel,
		images: &Dataset,
		method: Method,
		tick: &(dyn Fn() + Sync),
	) -> Result<Self, CalibrateError> {
		let images = images.images();
		let maxima = maxima(float, &images, tick)?;
		let covering = match method {
			Method::Percentile(percentage) => percentiles(float, &images, &maxima, percentage, tick),
			_ => maxima.clone(),
		};
		let choice = |all: RangeInclusive<i32>| match method {
			Method::LeastSquares => all,
			_ => 0..=0,
		};
		let candidates = covering.iter().zip(&float.quantisations).map(|(reach, grid)| {
			let (reach, offsets) = match grid {
				// -128 of 127 steps: a grid of int8 around zero is covered by itself.
				Some(grid) => {
					let (first, last) = grid.range();
					(last.max(-first * 127.0 / 128.0), choice(SNAPPED))
				}
				None => (*reach, choice(CANDIDATES)),
			};
			offsets
				.map(|offset| exponent(reach, offset))
				.collect::<Vec<i32>>()
		});
		let candidates: Vec<Vec<i32>> = candidates.collect();
		let errors = match method {
			Method::LeastSquares => errors(float, &images, &candidates, tick),
			_ => Vec::new(),
		};
		Ok(Self {
			maxima,
			candidates,
			errors,
		})
	}

	/// The greatest magnitude of tensor `tensor` on the calibration images.
	pub fn maximum(&self, tensor: usize) -> f64 {
		self.maxima[tensor]
	}

	/// The power of two, at least `floor`, that the method chooses for tensor `tensor`: with least squares the coarsest of
	/// equals.
	pub fn scale(&self, tensor: usize, floor: f64) -> f64 {
		let candidates = &self.candidates[tensor];
		let errors = self.errors.get(tensor).into_iter().flatten();
		let best = candidates.iter().zip(errors).fold(
			None,
			|best: Option<(i32, f64)>, (candidate, error)| match best {
				Some((_, least)) if least < *error => best,
				_ => Some((*candidate, *error)),
			},
		);
		let chosen = power(best.map_or(candidates[0], |(candidate, _)| candidate));
		let least = power((floor.log2().ceil() as i32).clamp(*EXPONENTS.start(), *EXPONENTS.end()));
		if chosen < floor {
			least
		} else {
			chosen
		}
	}
}

/// The greatest magnitude of each tensor.
fn maxima(
	float: &FloatModel,
	images: &[&[f32]],
	tick: &(dyn Fn() + Sync),
) -> Result<Vec<f64>, CalibrateError> {
	let maximum = |tensor: &Vec<f32>| tensor.iter().fold(0.0, |max, x| f64::from(x.abs()).max(max));
	let of_images = images.par_iter().enumerate().map(|(image, input)| {
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
	let of_images = of_images.collect::<Result<Vec<_>, _>>()?;
	let mut maxima = vec![0f64; float.shapes.len()];
	for image in of_images {
		maxima
			.iter_mut()
			.zip(image)
			.for_each(|(max, x)| *max = max.max(x));
	}
	Ok(maxima)
}

/// For each tensor a magnitude that `percentage` of its elements do not exceed, to 1/[`BINS`] of the greatest.
fn percentiles(
	float: &FloatModel,
	images: &[&[f32]],
	maxima: &[f64],
	percentage: f64,
	tick: &(dyn Fn() + Sync),
) -> Vec<f64> {
	let empty = || vec![vec![0u64; BINS]; maxima.len()];
	let counts = images
		.par_iter()
		.fold(empty, |mut counts, input| {
			for ((tensor, max), counts) in float.tensors(input).iter().zip(maxima).zip(&mut counts) {
				for x in tensor {
					// The greatest magnitude itself falls into the last bin.
					let bin = (f64::from(x.abs()) / max * BINS as f64) as usize;
					counts[bin.min(BINS - 1)] += 1;
				}
			}
			tick();
			counts
		})
		.reduce(empty, |mut left, right| {
			let pairs = left.iter_mut().flatten().zip(right.iter().flatten());
			pairs.for_each(|(left, right)| *left += right);
			left
		});
	let reach = |(counts, max): (&Vec<u64>, &f64)| {
		let wanted = counts.iter().sum::<u64>() as f64 * percentage / 100.0;
		let mut seen = 0;
		let bins = counts.iter().position(|count| {
			seen += count;
			seen as f64 >= wanted
		});
		max * (bins.unwrap_or(BINS - 1) + 1) as f64 / BINS as f64
	};
	counts.iter().zip(maxima).map(reach).collect()
}

/// For each tensor and candidate the squared error, summed over all images.
fn errors(
	float: &FloatModel,
	images: &[&[f32]],
	candidates: &[Vec<i32>],
	tick: &(dyn Fn() + Sync),
) -> Vec<Vec<f64>> {
	let of_images = images.par_iter().map(|input| {
		let tensors = float.tensors(input);
		tick();
		let errors = |(tensor, candidates): (&Vec<f32>, &Vec<i32>)| {
			let errors = candidates.iter().map(|exponent| squared_error(tensor, *exponent));
			errors.collect::<Vec<f64>>()
		};
		tensors.iter().zip(candidates).map(errors).collect::<Vec<_>>()
	});
	let of_images = of_images.collect::<Vec<_>>();
	let mut errors: Vec<Vec<f64>> = candidates
		.iter()
		.map(|candidates| vec![0.0; candidates.len()])
		.collect();
	// In the order of the images, so that the sums are the same on every run.
	for image in of_images {
		for (sums, image) in errors.iter_mut().zip(image) {
			sums.iter_mut().zip(image).for_each(|(sum, error)| *sum += error);
		}
	}
	errors
}

/// The exponent `offset` steps coarser than the one that just covers `max`.
fn exponent(max: f64, offset: i32) -> i32 {
	let covering = if max > 0.0 {
		(max / 127.0).log2().ceil() as i32
	} else {
		0
	};
	covering
		.saturating_add(offset)
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
