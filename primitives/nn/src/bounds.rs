//! Integer intervals and how they pass through requantisation.

use crate::{evaluate::requantise, operator::Activation};

/// A closed interval of int32 values, `lower <= upper`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
	/// The least value.
	pub lower: i32,
	/// The greatest value.
	pub upper: i32,
}

impl Interval {
	/// Every int8 value.
	pub const INT8: Interval = Interval {
		lower: i8::MIN as i32,
		upper: i8::MAX as i32,
	};

	/// The interval from `lower` to `upper`.
	pub const fn new(lower: i32, upper: i32) -> Self {
		Self { lower, upper }
	}

	/// Whether `value` lies in the interval.
	pub const fn contains(&self, value: i32) -> bool {
		self.lower <= value && value <= self.upper
	}

	/// The least interval that contains this one and zero.
	pub(crate) fn with_zero(self) -> Self {
		Self {
			lower: self.lower.min(0),
			upper: self.upper.max(0),
		}
	}

	/// The least interval that contains both.
	pub(crate) fn hull(self, other: Self) -> Self {
		Self {
			lower: self.lower.min(other.lower),
			upper: self.upper.max(other.upper),
		}
	}

	/// The image under requantisation, which is monotone.
	pub(crate) fn requantised(self, shift: u8, activation: Activation) -> Self {
		Self {
			lower: requantise(self.lower, shift, activation).into(),
			upper: requantise(self.upper, shift, activation).into(),
		}
	}
}
