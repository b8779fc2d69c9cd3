//! NumPy's `.npy` files, the format of images and labels.
//!
//! Reads versions 1 to 3 in C order with little-endian elements of one of the types in [`Element`]. The header is a Python
//! dictionary with exactly the keys `descr`, `fortran_order` and `shape`.

use thiserror::Error;

/// Bytes of a file that are read at most.
pub const MAX_NPY_BYTES: usize = 512 * 1024 * 1024;

/// First bytes of every file.
const MAGIC: &[u8] = b"\x93NUMPY";

/// Dimensions of an array at most.
const MAX_DIMENSIONS: usize = 8;

/// Why bytes are not a usable `.npy` file.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum NpyError {
	/// The file is larger than what is read.
	#[error("the file has {0} bytes, at most 512 MiB are read; split it")]
	TooLarge(usize),
	/// The bytes do not start as an `.npy` file.
	#[error("not an .npy file; write it with numpy.save")]
	BadMagic,
	/// A version that is not known.
	#[error(".npy version {0} is not known; write the file with numpy.save")]
	UnsupportedVersion(u8),
	/// The header cannot be read.
	#[error("the .npy header is malformed: {0}; write the file with numpy.save")]
	BadHeader(&'static str),
	/// The elements have a type that is not supported.
	#[error("elements of type `{0}` are not supported; convert with astype to float32, float64, int8 to int64 or uint8")]
	UnsupportedType(String),
	/// The array is in Fortran order.
	#[error("the array is in Fortran order; convert it with numpy.ascontiguousarray")]
	FortranOrder,
	/// There are not as many bytes as the shape says.
	#[error("the array has {found} bytes of data, its shape says {expected}; the file is damaged")]
	WrongLength {
		/// Bytes of data.
		found: usize,
		/// Bytes that shape and type ask for.
		expected: usize,
	},
	/// A float is not finite, or an integer is needed and something else stands there.
	#[error("element {0} cannot be used: images must be finite, labels integers from 0 to 65535")]
	BadElement(usize),
}

/// Types of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
	F4,
	F8,
	I1,
	U1,
	I2,
	I4,
	I8,
}

impl Element {
	fn parse(descr: &str) -> Option<Self> {
		Some(match descr {
			"<f4" => Element::F4,
			"<f8" => Element::F8,
			"|i1" => Element::I1,
			"|u1" => Element::U1,
			"<i2" => Element::I2,
			"<i4" => Element::I4,
			"<i8" => Element::I8,
			_ => return None,
		})
	}

	const fn size(self) -> usize {
		match self {
			Element::I1 | Element::U1 => 1,
			Element::I2 => 2,
			Element::F4 | Element::I4 => 4,
			Element::F8 | Element::I8 => 8,
		}
	}
}

/// An array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
	/// Dimensions, outermost first.
	pub shape: Vec<usize>,
	/// Elements, row-major, all finite.
	pub values: Vec<f64>,
}

impl Array {
	/// The elements as class labels.
	pub fn labels(&self) -> Result<Vec<u16>, NpyError> {
		let label = |(index, value): (usize, &f64)| {
			let label = *value as u16;
			(f64::from(label) == *value)
				.then_some(label)
				.ok_or(NpyError::BadElement(index))
		};
		self.values.iter().enumerate().map(label).collect()
	}
}

/// Reads an array from arbitrary bytes.
pub fn read(bytes: &[u8]) -> Result<Array, NpyError> {
	if bytes.len() > MAX_NPY_BYTES {
		return Err(NpyError::TooLarge(bytes.len()));
	}
	let rest = bytes.strip_prefix(MAGIC).ok_or(NpyError::BadMagic)?;
	let ended = NpyError::BadHeader("the file ends in it");
	let ([major, _], rest) = rest
		.split_first_chunk()
		.ok_or(NpyError::BadHeader("the file ends before it"))?;
	let (len, rest) = match major {
		1 => rest
			.split_first_chunk()
			.map(|(len, rest)| (usize::from(u16::from_le_bytes(*len)), rest)),
		2 | 3 => rest
			.split_first_chunk()
			.map(|(len, rest)| (u32::from_le_bytes(*len) as usize, rest)),
		other => return Err(NpyError::UnsupportedVersion(*other)),
	}
	.ok_or(NpyError::BadHeader("the file ends before it"))?;
	let (header, data) = rest.split_at_checked(len).ok_or(ended)?;
	let header = std::str::from_utf8(header).map_err(|_| NpyError::BadHeader("it is not text"))?;
	let Header { element, shape } = Parser { rest: header }.header()?;
	let expected = shape
		.iter()
		.try_fold(element.size(), |size, dim| size.checked_mul(*dim))
		.unwrap_or(usize::MAX);
	if data.len() != expected {
		return Err(NpyError::WrongLength {
			found: data.len(),
			expected,
		});
	}
	let values = values(element, data);
	match values.iter().position(|value| !value.is_finite()) {
		None => Ok(Array { shape, values }),
		Some(index) => Err(NpyError::BadElement(index)),
	}
}

fn values(element: Element, data: &[u8]) -> Vec<f64> {
	fn convert<const N: usize>(data: &[u8], convert: impl Fn([u8; N]) -> f64) -> Vec<f64> {
		data.as_chunks::<N>()
			.0
			.iter()
			.map(|bytes| convert(*bytes))
			.collect()
	}
	match element {
		Element::F4 => convert(data, |bytes| f32::from_le_bytes(bytes).into()),
		Element::F8 => convert(data, f64::from_le_bytes),
		Element::I1 => convert(data, |bytes| i8::from_le_bytes(bytes).into()),
		Element::U1 => convert(data, |bytes| u8::from_le_bytes(bytes).into()),
		Element::I2 => convert(data, |bytes| i16::from_le_bytes(bytes).into()),
		Element::I4 => convert(data, |bytes| i32::from_le_bytes(bytes).into()),
		Element::I8 => convert(data, |bytes| i64::from_le_bytes(bytes) as f64),
	}
}

/// What the header says.
struct Header {
	element: Element,
	shape: Vec<usize>,
}

/// A parser of the header's dictionary.
struct Parser<'a> {
	rest: &'a str,
}

impl<'a> Parser<'a> {
	fn header(mut self) -> Result<Header, NpyError> {
		let (mut descr, mut order, mut shape) = (None, None, None);
		self.expect("{")?;
		while !self.accept("}") {
			let key = self.string()?;
			self.expect(":")?;
			let repeated = match key {
				"descr" => descr.replace(self.string()?).is_some(),
				"fortran_order" => order.replace(self.boolean()?).is_some(),
				"shape" => shape.replace(self.tuple()?).is_some(),
				_ => return Err(NpyError::BadHeader("an unknown key")),
			};
			if repeated {
				return Err(NpyError::BadHeader("a key twice"));
			}
			if !self.accept(",") {
				self.expect("}")?;
				break;
			}
		}
		if !self.rest.trim().is_empty() {
			return Err(NpyError::BadHeader("something after the dictionary"));
		}
		let (Some(descr), Some(fortran_order), Some(shape)) = (descr, order, shape) else {
			return Err(NpyError::BadHeader("a key is missing"));
		};
		if fortran_order && shape.len() > 1 {
			return Err(NpyError::FortranOrder);
		}
		let element = Element::parse(descr).ok_or_else(|| NpyError::UnsupportedType(descr.into()))?;
		Ok(Header { element, shape })
	}

	fn accept(&mut self, token: &str) -> bool {
		match self.rest.trim_start().strip_prefix(token) {
			Some(rest) => {
				self.rest = rest;
				true
			}
			None => false,
		}
	}

	fn expect(&mut self, token: &str) -> Result<(), NpyError> {
		self.accept(token)
			.then_some(())
			.ok_or(NpyError::BadHeader("an unexpected character"))
	}

	fn string(&mut self) -> Result<&'a str, NpyError> {
		self.expect("'")?;
		let (string, rest) = self
			.rest
			.split_once('\'')
			.ok_or(NpyError::BadHeader("a string does not end"))?;
		self.rest = rest;
		Ok(string)
	}

	fn boolean(&mut self) -> Result<bool, NpyError> {
		if self.accept("True") {
			return Ok(true);
		}
		self.expect("False").map(|()| false)
	}

	fn tuple(&mut self) -> Result<Vec<usize>, NpyError> {
		let mut items = Vec::new();
		self.expect("(")?;
		while !self.accept(")") {
			if items.len() == MAX_DIMENSIONS {
				return Err(NpyError::BadHeader("more than 8 dimensions"));
			}
			items.push(self.number()?);
			if !self.accept(",") {
				self.expect(")")?;
				break;
			}
		}
		Ok(items)
	}

	fn number(&mut self) -> Result<usize, NpyError> {
		let rest = self.rest.trim_start();
		let end = rest
			.find(|character: char| !character.is_ascii_digit())
			.unwrap_or(rest.len());
		let (digits, rest) = rest.split_at(end);
		self.rest = rest;
		digits
			.parse()
			.map_err(|_| NpyError::BadHeader("a dimension is not a number"))
	}
}
