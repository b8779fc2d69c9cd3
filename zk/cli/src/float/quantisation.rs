//! The rounding that a quantised ONNX model (QDQ) does between its float operators.

/// What a QuantizeLinear and the DequantizeLinear behind it do to a value: round half to even to a grid of 256 points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantisation {
	/// The distance of two points, positive.
	pub scale: f32,
	/// The point that stands for zero.
	pub zero_point: i32,
	/// The first point: -128 or 0.
	pub first: i32,
}

impl Quantisation {
	/// Points of the grid.
	const POINTS: i32 = 256;

	/// The point of the grid that stands for `x`, as a real number.
	pub fn apply(&self, x: f32) -> f32 {
		let (first, last) = self.ends();
		(x / self.scale).round_ties_even().clamp(first, last) * self.scale
	}

	/// The least and the greatest value of the grid.
	pub fn range(&self) -> (f64, f64) {
		let (first, last) = self.ends();
		(
			f64::from(first) * f64::from(self.scale),
			f64::from(last) * f64::from(self.scale),
		)
	}

	/// First and last point, counted from the one that stands for zero.
	fn ends(&self) -> (f32, f32) {
		let first = self.first - self.zero_point;
		(first as f32, (first + Self::POINTS - 1) as f32)
	}
}
