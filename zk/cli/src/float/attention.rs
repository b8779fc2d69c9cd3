//! The operators of transformers in floating point.

use super::Parameters;
use opensand_nn::Shape;

/// `factor` times the product of matrices, one a channel.
pub fn matmul(x: &[f32], from: Shape, y: &[f32], columns: usize, factor: f32) -> Vec<f32> {
	let inner = from.width as usize;
	let channels = x
		.chunks_exact(from.plane() as usize)
		.zip(y.chunks_exact(inner * columns));
	let rows = channels.flat_map(|(x, y)| x.chunks_exact(inner).map(move |row| (row, y)));
	rows.flat_map(|(row, matrix)| {
		(0..columns).map(move |column| {
			let column = matrix.iter().skip(column).step_by(columns);
			let products = row.iter().zip(column).map(|(x, y)| f64::from(*x) * f64::from(*y));
			(products.sum::<f64>() * f64::from(factor)) as f32
		})
	})
	.collect()
}

/// Softmax of rows.
pub fn softmax(x: &[f32], width: usize) -> Vec<f32> {
	let rows = x.chunks_exact(width).flat_map(|row| {
		let maximum = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
		let exponentials = row.iter().map(move |x| f64::from(x - maximum).exp());
		let sum: f64 = exponentials.clone().sum();
		exponentials.map(move |exponential| (exponential / sum) as f32)
	});
	rows.collect()
}

/// Rows less their means, over their deviations, weighed.
pub fn layer_normalization(x: &[f32], width: usize, epsilon: f32, parameters: &Parameters) -> Vec<f32> {
	let rows = x.chunks_exact(width).flat_map(|row| {
		let mean = row.iter().map(|x| f64::from(*x)).sum::<f64>() / width as f64;
		let variance = row.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / width as f64;
		let deviation = (variance + f64::from(epsilon)).sqrt();
		let parameters = parameters.weights.iter().zip(&parameters.biases);
		row.iter().zip(parameters).map(move |(x, (weight, bias))| {
			(f64::from(*weight) * (f64::from(*x) - mean) / deviation + f64::from(*bias)) as f32
		})
	});
	rows.collect()
}

/// The rows of a table that tokens name; not a number where there is none.
pub fn embedding(tokens: &[f32], table: &[f32], width: usize) -> Vec<f32> {
	let rows = tokens.iter().flat_map(|token| {
		let index = Some(*token).filter(|token| *token >= 0.0 && token.fract() == 0.0);
		let row = index.and_then(|index| table.chunks_exact(width).nth(index as usize));
		(0..width).map(move |column| row.map_or(f32::NAN, |row| row[column]))
	});
	rows.collect()
}
