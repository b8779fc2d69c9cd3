//! What values are looked up in.

use crate::{plan::hull, requantise::clamp};
use opensand_nn::{Activation, Interval};

/// The factor of y in an entry (x, y) of a table of pairs: x + PAIR·y.
///
/// # Why one integer can stand for a pair
///
/// Let a circuit hold a looked-up x + PAIR·y, let y be looked up in a range too, of at most 2^13, and let 2^e·x be an
/// integer of magnitude below 2^(e+34), for some e ≤ 44. So it is for a wire (e = 0), and for a quotient whose remainder
/// R − 2^s·x, times 2^t, is proven to lie in 0..2^(s+t) (e = s + t). If the entry that is found is x' + PAIR·y', then
/// 2^e·(x − x') = 2^e·PAIR·(y' − y) in the field, and as both sides are integers far below its order, in the integers. If
/// y were not y', the right side would be 2^(e+40) at least in magnitude, and the left is below 2^(e+35). So y = y' and
/// x = x': what is found is what is held. Without the range of y nothing would hold: for every x there is a y in the field.
pub(crate) const PAIR: i64 = 1 << 40;

/// The widest digits of which a pair is looked up as one integer.
pub(crate) const MAX_DIGIT_BITS: u32 = 54;

/// Entries of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Table {
	/// The integers below 2^bits.
	Range {
		/// 1..=13.
		bits: u32,
	},
	/// Pairs of a quotient less `quotients.lower`, and its clamp less the clamp's floor.
	Clamp {
		/// The clamp.
		activation: Activation,
		/// Quotients that the table has.
		quotients: Interval,
	},
	/// Pairs of an index less `indices.lower`, and its image less the least image.
	Images {
		/// Entry i is the image of i − 128.
		images: Box<[i8; 256]>,
		/// Indices that the table has.
		indices: Interval,
	},
	/// Pairs of an exponential and its distance from the maximum, with the roles exchanged: see the module `softmax`.
	Exponentials {
		/// Entry i belongs to the distance i.
		values: Box<[u16; 256]>,
	},
	/// Two neighbouring digits of a word of weights, a + 2^bits·b with bytes a and b. One look-up proves both to be bytes, as no two
	/// pairs of bytes have one sum.
	Digits {
		/// The bits of a digit's place: 8..=[`MAX_DIGIT_BITS`].
		bits: u32,
	},
}

impl Table {
	/// The table's name for people.
	pub(crate) fn name(&self) -> String {
		match self {
			Table::Range { bits } => format!("range 2^{bits}"),
			Table::Clamp {
				activation,
				quotients,
			} => format!(
				"clamp of {}..={} to {}..=127",
				quotients.lower,
				quotients.upper,
				activation.floor()
			),
			Table::Images { indices, .. } => format!("images of {}..={}", indices.lower, indices.upper),
			Table::Exponentials { values } => format!("exponentials from {}", values[0]),
			Table::Digits { bits } => format!("pairs of digits of {bits} bits"),
		}
	}

	/// Grows to have the entries of another table too. False, and nothing changes, where they are of different kinds.
	pub(crate) fn grow(&mut self, other: &Table) -> bool {
		match (self, other) {
			(Table::Range { bits }, Table::Range { bits: others }) => bits == others,
			(
				Table::Clamp {
					activation,
					quotients,
				},
				Table::Clamp {
					activation: other,
					quotients: others,
				},
			) if activation == other => {
				*quotients = hull(*quotients, *others);
				true
			}
			(
				Table::Images { images, indices },
				Table::Images {
					images: other,
					indices: others,
				},
			) if images == other => {
				*indices = hull(*indices, *others);
				true
			}
			(Table::Exponentials { values }, Table::Exponentials { values: others }) => values == others,
			(Table::Digits { bits }, Table::Digits { bits: others }) => bits == others,
			_ => false,
		}
	}

	/// Number of entries.
	pub(crate) fn len(&self) -> usize {
		let width =
			|interval: &Interval| (i64::from(interval.upper) - i64::from(interval.lower) + 1) as usize;
		match self {
			Table::Range { bits } => 1 << bits,
			Table::Clamp { quotients, .. } => width(quotients),
			Table::Images { indices, .. } => width(indices),
			Table::Exponentials { values } => values.len(),
			Table::Digits { .. } => 1 << 16,
		}
	}

	/// The least index of a table of pairs, and the value that its images are counted from; zeros where there are none.
	pub(crate) fn origin(&self) -> (i64, i64) {
		match self {
			Table::Range { .. } | Table::Exponentials { .. } | Table::Digits { .. } => (0, 0),
			Table::Clamp {
				activation,
				quotients,
			} => (quotients.lower.into(), activation.floor().into()),
			Table::Images { images, indices } => {
				let least = (indices.lower..=indices.upper)
					.map(|index| image(images, index))
					.min();
				(indices.lower.into(), least.unwrap_or(0))
			}
		}
	}

	/// The entry at a position, as the integer that is looked up.
	pub(crate) fn entries(&self) -> Vec<i64> {
		let (first, least) = self.origin();
		let pair = |position: i64, value: i64| position + PAIR * (value - least);
		(0..self.len() as i64)
			.map(|position| match self {
				Table::Range { .. } => position,
				Table::Clamp { activation, .. } => pair(position, clamp(first + position, *activation)),
				Table::Images { images, .. } => pair(position, image(images, (first + position) as i32)),
				Table::Exponentials { values } => i64::from(values[position as usize]) + PAIR * position,
				Table::Digits { bits } => (position & 0xff) + ((position >> 8) << bits),
			})
			.collect()
	}
}

/// The image of an int8.
pub(crate) fn image(images: &[i8; 256], index: i32) -> i64 {
	images[(index + 128) as usize].into()
}
