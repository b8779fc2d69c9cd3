//! Functions of one number, which the integer model has as tables.

/// A function that the integer model has as a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Function {
	/// `1 / (1 + e^-x)`.
	Sigmoid,
	/// The hyperbolic tangent.
	Tanh,
	/// `min(max(x, lower), upper)`.
	Clip {
		/// The least value.
		lower: f32,
		/// The greatest value.
		upper: f32,
	},
	/// `x`, or `slope · x` below zero.
	LeakyRelu {
		/// The slope below zero.
		slope: f32,
	},
	/// `x`, or `alpha · (e^x - 1)` below zero.
	Elu {
		/// The distance to the limit on the left.
		alpha: f32,
	},
	/// `min(max(slope · x + offset, 0), 1)`.
	HardSigmoid {
		/// The slope between 0 and 1.
		slope: f32,
		/// The value at zero.
		offset: f32,
	},
	/// `x · min(max(x + 3, 0), 6) / 6`.
	HardSwish,
	/// `x · sigmoid(beta · x)`; with a `beta` of 1 also called SiLU.
	Swish {
		/// The factor inside the sigmoid.
		beta: f32,
	},
	/// `x · (1 + erf(x / √2)) / 2`.
	Gelu,
	/// `x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2`.
	GeluTanh,
	/// The error function.
	Erf,
	/// `ln(1 + e^x)`.
	Softplus,
}

impl Function {
	/// The function's value at `x`.
	pub fn at(self, x: f64) -> f64 {
		match self {
			Function::Sigmoid => sigmoid(x),
			Function::Tanh => x.tanh(),
			Function::Clip { lower, upper } => x.max(lower.into()).min(upper.into()),
			Function::LeakyRelu { slope } if x < 0.0 => f64::from(slope) * x,
			Function::Elu { alpha } if x < 0.0 => f64::from(alpha) * x.exp_m1(),
			Function::LeakyRelu { .. } | Function::Elu { .. } => x,
			Function::HardSigmoid { slope, offset } => {
				(f64::from(slope) * x + f64::from(offset)).clamp(0.0, 1.0)
			}
			Function::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
			Function::Swish { beta } => x * sigmoid(f64::from(beta) * x),
			Function::Gelu => x * 0.5 * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2)),
			Function::GeluTanh => {
				let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x);
				x * 0.5 * (1.0 + inner.tanh())
			}
			Function::Erf => erf(x),
			// Without overflow for large x.
			Function::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
		}
	}
}

fn sigmoid(x: f64) -> f64 {
	1.0 / (1.0 + (-x).exp())
}

/// The error function to float64's precision: `2/√π · e^(-x²) · Σ 2^n x^(2n+1) / (1·3·…·(2n+1))`, whose terms have one sign
/// (Abramowitz and Stegun, 7.1.6).
fn erf(x: f64) -> f64 {
	// Beyond this the distance to one is below float64's resolution.
	const LIMIT: f64 = 6.0;
	if x.abs() > LIMIT {
		return x.signum();
	}
	let (mut term, mut sum, mut odd) = (x, x, 1.0);
	while term.abs() > sum.abs() * f64::EPSILON {
		odd += 2.0;
		term *= 2.0 * x * x / odd;
		sum += term;
	}
	std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn values_at_some_points() {
		// Abramowitz and Stegun, table 7.1.
		for (x, value) in [
			(0.0, 0.0),
			(0.5, 0.520_499_877_8),
			(1.0, 0.842_700_792_9),
			(2.0, 0.995_322_265_0),
			(-1.5, -0.966_105_146_5),
			(5.5, 1.0),
			(7.0, 1.0),
		] {
			assert!((erf(x) - value).abs() < 1e-10, "erf({x}) = {}", erf(x));
		}
		let leaky = Function::LeakyRelu { slope: 0.25 };
		assert_eq!((leaky.at(-2.0), leaky.at(2.0)), (-0.5, 2.0));
		let clip = Function::Clip {
			lower: -1.0,
			upper: f32::INFINITY,
		};
		assert_eq!((clip.at(-3.0), clip.at(9.0)), (-1.0, 9.0));
		assert_eq!(Function::HardSwish.at(-3.0), 0.0);
		assert_eq!(Function::HardSwish.at(4.0), 4.0);
		assert_eq!(Function::Softplus.at(1000.0), 1000.0);
		assert!((Function::Gelu.at(1.0) - 0.841_344_746).abs() < 1e-9);
		assert!((Function::GeluTanh.at(1.0) - 0.841_191_990).abs() < 1e-8);
	}
}
