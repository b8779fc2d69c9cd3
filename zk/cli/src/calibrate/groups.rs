//! Tensors that must, or had better, have one scale.

use super::scales::Statistics;
use crate::float::{FloatModel, FloatOperator};

/// For each tensor the scale that it should have for the sake of others, if there are such.
///
/// Operators that only move or choose elements pass integers on, so what they read and make forms a group. The operands of a
/// Concat are one group: with one scale they are joined without being requantised. And where a quantised model rounds one
/// tensor of a group, its grid is meant for all of them. The scale is the coarsest that such a tensor wants.
pub fn shared_scales(float: &FloatModel, statistics: &Statistics) -> Vec<Option<f64>> {
	let tensors = float.shapes.len();
	let mut groups: Vec<usize> = (0..tensors).collect();
	for (index, layer) in float.layers.iter().enumerate() {
		if !layer.operator.keeps_scale() {
			continue;
		}
		for input in std::iter::once(&layer.input).chain(layer.operator.others()) {
			let (from, to) = (groups[usize::from(*input)], groups[index + 1]);
			groups
				.iter_mut()
				.filter(|group| **group == from)
				.for_each(|group| *group = to);
		}
	}
	let joins = |tensor: usize| {
		let layer = tensor.checked_sub(1).map(|layer| &float.layers[layer]);
		layer.is_some_and(|layer| matches!(layer.operator, FloatOperator::Concat(_)))
	};
	let rounds = |tensor: usize| float.quantisations[tensor].is_some();
	let wanted = |group: usize, counts: &dyn Fn(usize) -> bool| {
		let members = (0..tensors).filter(|tensor| groups[*tensor] == group && counts(*tensor));
		members
			.map(|tensor| statistics.scale(tensor, 0.0))
			.reduce(f64::max)
	};
	// Tokens are integers, whatever they stand for.
	let names_rows = |tensor: usize| {
		float.layers.iter().any(|layer| {
			matches!(layer.operator, FloatOperator::Embedding { .. }) && usize::from(layer.input) == tensor
		})
	};
	let scale = |tensor: usize| wanted(groups[tensor], &rounds).or_else(|| wanted(groups[tensor], &joins));
	(0..tensors)
		.map(|tensor| {
			if names_rows(tensor) {
				Some(1.0)
			} else {
				scale(tensor)
			}
		})
		.collect()
}
