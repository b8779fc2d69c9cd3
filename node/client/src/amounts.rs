//! Amounts of the token, sizes and durations, as people write them and as they are shown.
//!
//! All arithmetic is on integers: an amount that has more decimals than the token is refused, not rounded.

use std::{fmt, str::FromStr, time::Duration};

use opensand_primitives::Balance;
use thiserror::Error;

/// Base units of one SAND.
pub const SAND: Balance = 1_000_000_000_000;

/// Bytes of a mebibyte, by which storage is priced.
pub const MIB: u64 = 1 << 20;

/// Units of amounts, with their number of base units and of decimals, longest name first.
const AMOUNT_UNITS: [(&str, u32); 5] = [
	("mSAND", 9),
	("uSAND", 6),
	("nSAND", 3),
	("pSAND", 0),
	("SAND", 12),
];

/// Units of sizes, with their bytes.
const SIZE_UNITS: [(&str, u64); 10] = [
	("KiB", 1 << 10),
	("MiB", 1 << 20),
	("GiB", 1 << 30),
	("TiB", 1 << 40),
	("kB", 1_000),
	("MB", 1_000_000),
	("GB", 1_000_000_000),
	("TB", 1_000_000_000_000),
	("PB", 1_000_000_000_000_000),
	("B", 1),
];

/// What is wrong with a quantity.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum QuantityError {
	/// Not digits with at most one point.
	#[error("write a number such as 1.5, without sign or separators")]
	NotANumber,
	/// The unit is unknown.
	#[error("unknown unit: {0}")]
	Unit(&'static str),
	/// More decimals than the unit has.
	#[error("too many decimals: this unit has {0}")]
	Precision(u32),
	/// Too large to be represented.
	#[error("the number is too large")]
	TooLarge,
}

/// An amount of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(pub Balance);

impl FromStr for Amount {
	type Err = QuantityError;

	fn from_str(text: &str) -> Result<Self, Self::Err> {
		let (number, unit) = split_unit(text);
		let decimals = match unit {
			"" => 12,
			unit => {
				AMOUNT_UNITS
					.iter()
					.find(|(name, _)| *name == unit)
					.ok_or(QuantityError::Unit(
						"amounts are in SAND, mSAND, uSAND, nSAND or pSAND (10^-12, the smallest)",
					))?
					.1
			}
		};
		let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
		let is_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
		if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) || number.ends_with('.') {
			return Err(QuantityError::NotANumber);
		}
		let missing = decimals
			.checked_sub(u32::try_from(fraction.len()).map_err(|_| QuantityError::Precision(decimals))?)
			.ok_or(QuantityError::Precision(decimals))?;
		let number = |digits: &str| -> Result<Balance, QuantityError> {
			if digits.is_empty() {
				return Ok(0);
			}
			digits.parse().map_err(|_| QuantityError::TooLarge)
		};
		let whole = number(whole)?.checked_mul(10u128.pow(decimals));
		let fraction = number(fraction)?.checked_mul(10u128.pow(missing));
		whole
			.zip(fraction)
			.and_then(|(whole, fraction)| whole.checked_add(fraction))
			.map(Self)
			.ok_or(QuantityError::TooLarge)
	}
}

impl fmt::Display for Amount {
	fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
		let (whole, fraction) = (self.0 / SAND, self.0 % SAND);
		if fraction == 0 {
			return write!(formatter, "{whole} SAND");
		}
		let fraction = format!("{fraction:012}");
		write!(formatter, "{whole}.{} SAND", fraction.trim_end_matches('0'))
	}
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

impl FromStr for Size {
	type Err = QuantityError;

	fn from_str(text: &str) -> Result<Self, Self::Err> {
		let (number, unit) = split_unit(text);
		let bytes = match unit {
			"" => 1,
			unit => {
				SIZE_UNITS
					.iter()
					.find(|(name, _)| *name == unit)
					.ok_or(QuantityError::Unit(
						"sizes are in B, KiB, MiB, GiB, TiB or kB, MB, GB, TB, PB",
					))?
					.1
			}
		};
		if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
			return Err(QuantityError::NotANumber);
		}
		number
			.parse::<u64>()
			.ok()
			.and_then(|number| number.checked_mul(bytes))
			.map(Self)
			.ok_or(QuantityError::TooLarge)
	}
}

impl fmt::Display for Size {
	fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
		let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
		let mut scale = 0;
		while scale + 1 < units.len() && self.0 >> (10 * (scale + 1)) > 0 {
			scale += 1;
		}
		let tenths = (u128::from(self.0) * 10) >> (10 * scale);
		if scale == 0 || tenths.is_multiple_of(10) {
			return write!(formatter, "{} {}", tenths / 10, units[scale]);
		}
		write!(formatter, "{}.{} {}", tenths / 10, tenths % 10, units[scale])
	}
}

/// Reads a duration such as `90s`, `15m`, `6h` or `2d`.
///
/// # Errors
/// When it is no number with one of these units.
pub fn duration(text: &str) -> Result<Duration, QuantityError> {
	let (number, unit) = split_unit(text);
	let seconds = match unit {
		"s" => 1,
		"m" => 60,
		"h" => 3_600,
		"d" => 86_400,
		_ => return Err(QuantityError::Unit("durations are in s, m, h or d")),
	};
	if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
		return Err(QuantityError::NotANumber);
	}
	number
		.parse::<u64>()
		.ok()
		.and_then(|number| number.checked_mul(seconds))
		.map(Duration::from_secs)
		.ok_or(QuantityError::TooLarge)
}

/// The number and the unit behind it; blanks between them do not matter.
fn split_unit(text: &str) -> (&str, &str) {
	let end = text
		.find(|character: char| !character.is_ascii_digit() && character != '.')
		.unwrap_or(text.len());
	let (number, unit) = text.split_at(end);
	(number, unit.trim())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn amounts_are_exact() {
		for (text, base) in [
			("1", SAND),
			("1.5", 1_500_000_000_000),
			("0.000000000001", 1),
			("2 mSAND", 2_000_000_000),
			("3uSAND", 3_000_000),
			("4.125nSAND", 4_125),
			("5pSAND", 5),
			("0", 0),
			("340282366920938463463374607.431768211455", Balance::MAX),
		] {
			assert_eq!(text.parse(), Ok(Amount(base)), "{text}");
		}
	}

	#[test]
	fn what_is_no_amount_is_refused() {
		use QuantityError::{NotANumber, Precision, TooLarge};
		for (text, error) in [
			("", NotANumber),
			(".5", NotANumber),
			("1.", NotANumber),
			("1.2.3", NotANumber),
			("0.0000000000001", Precision(12)),
			("1.5pSAND", Precision(0)),
			("340282366920938463463374608", TooLarge),
			("340282366920938463463374607.431768211456", TooLarge),
		] {
			assert_eq!(text.parse::<Amount>(), Err(error), "{text}");
		}
		for text in ["1 DOT", "-1", "1,5"] {
			assert!(
				matches!(text.parse::<Amount>(), Err(QuantityError::Unit(_))),
				"{text}"
			);
		}
	}

	#[test]
	fn amounts_are_shown_as_they_are_written() {
		for text in ["0 SAND", "1 SAND", "1.5 SAND", "0.000000000001 SAND"] {
			assert_eq!(text.parse::<Amount>().unwrap().to_string(), text);
		}
	}

	#[test]
	fn sizes_are_read_and_shown() {
		for (text, bytes) in [
			("512", 512),
			("1KiB", 1024),
			("2 GB", 2_000_000_000),
			("3TiB", 3 << 40),
			("7B", 7),
		] {
			assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
		}
		for text in ["", "1.5GiB", "GiB", "1 gib", "20000000000000 PB"] {
			assert!(text.parse::<Size>().is_err(), "{text}");
		}
		for (bytes, text) in [
			(0, "0 B"),
			(1023, "1023 B"),
			(1024, "1 KiB"),
			(1536, "1.5 KiB"),
			(10 << 30, "10 GiB"),
			(u64::MAX, "16383.9 PiB"),
		] {
			assert_eq!(Size(bytes).to_string(), text);
		}
	}

	#[test]
	fn durations_need_a_unit() {
		assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
		assert_eq!(duration("2d"), Ok(Duration::from_secs(172_800)));
		for text in ["", "5", "m", "1.5h", "99999999999999999999s"] {
			assert!(duration(text).is_err(), "{text}");
		}
	}
}
