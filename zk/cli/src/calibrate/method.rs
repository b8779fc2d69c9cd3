//! How scales are chosen.

use std::fmt::{self, Display, Formatter};

/// How the scale of a tensor is chosen from its values on the calibration images. It is a power of two with every method.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Method {
	/// The scale with the least squared error.
	#[default]
	LeastSquares,
	/// The finest scale that covers the greatest magnitude.
	MinMax,
	/// The finest scale that covers this percentage of the magnitudes; above 0, at most 100.
	Percentile(f64),
}

impl Method {
	/// How often the method has every image evaluated.
	pub const fn passes(self) -> u64 {
		match self {
			Method::MinMax => 1,
			Method::LeastSquares | Method::Percentile(_) => 2,
		}
	}
}

impl Display for Method {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		match self {
			Method::LeastSquares => formatter.write_str("least squares"),
			Method::MinMax => formatter.write_str("min-max"),
			Method::Percentile(percentage) => write!(formatter, "percentile {percentage}"),
		}
	}
}
