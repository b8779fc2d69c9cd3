//! What only those with the key may know of a file besides its content.

use codec::{Decode, Encode};
use thiserror::Error;
use zeroize::Zeroizing;

/// The longest file name, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 1024;
/// The longest media type, in bytes.
pub const MAX_MEDIA_TYPE_BYTES: usize = 255;

/// The encoding is filled up with zeros to a multiple of this, so that its length says little of the name's.
pub(crate) const PADDING_BYTES: usize = 256;
/// The most bytes of a padded encoding.
pub(crate) const MAX_PADDED_BYTES: usize =
	(1 + (2 + MAX_NAME_BYTES) + (2 + MAX_MEDIA_TYPE_BYTES) + 9).next_multiple_of(PADDING_BYTES);

const VERSION: u8 = 1;

/// A file's private metadata.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Metadata {
	/// The file's name, without a path; may be empty.
	pub name: String,
	/// Its media type, for example `text/plain`; may be empty.
	pub media_type: String,
	/// When it was last changed, in seconds since 1970.
	pub modified: Option<u64>,
}

/// Why metadata are refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum MetadataError {
	/// Longer than [`MAX_NAME_BYTES`].
	#[error("a file name of {0} bytes is too long; take one of at most {MAX_NAME_BYTES}")]
	LongName(usize),
	/// `.`, `..`, or a name with a path separator or a control character: it could not be written to disk safely.
	#[error("the file name is a path or has control characters; take a plain name")]
	UnsafeName,
	/// Longer than [`MAX_MEDIA_TYPE_BYTES`], or not printable ASCII.
	#[error("the media type is not at most {MAX_MEDIA_TYPE_BYTES} printable ASCII characters")]
	MediaType,
	/// Not an encoding of metadata, or one of a later version.
	#[error("the metadata are malformed or of an unknown version; update the client")]
	Malformed,
}

impl Metadata {
	/// Whether a stranger's metadata can be shown and the name be used as one. It holds for what is decoded.
	pub fn check(&self) -> Result<(), MetadataError> {
		if self.name.len() > MAX_NAME_BYTES {
			return Err(MetadataError::LongName(self.name.len()));
		}
		let is_path = matches!(self.name.as_str(), "." | "..") || self.name.contains(['/', '\\']);
		if is_path || self.name.chars().any(char::is_control) {
			return Err(MetadataError::UnsafeName);
		}
		let printable = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
		if self.media_type.len() > MAX_MEDIA_TYPE_BYTES || !self.media_type.bytes().all(printable) {
			return Err(MetadataError::MediaType);
		}
		Ok(())
	}

	/// Version, SCALE encoding and padding: what a manifest has sealed.
	///
	/// # Errors
	/// When [`Self::check`] finds fault.
	pub fn to_padded(&self) -> Result<Zeroizing<Vec<u8>>, MetadataError> {
		self.check()?;
		let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_PADDED_BYTES));
		bytes.push(VERSION);
		(&self.name, &self.media_type, self.modified).encode_to(&mut *bytes);
		let padded = bytes.len().next_multiple_of(PADDING_BYTES);
		bytes.resize(padded, 0);
		Ok(bytes)
	}

	/// Reads what [`Self::to_padded`] gives, and nothing else.
	///
	/// # Errors
	/// When it is something else.
	pub fn from_padded(bytes: &[u8]) -> Result<Self, MetadataError> {
		let Some((&VERSION, mut rest)) = bytes.split_first() else {
			return Err(MetadataError::Malformed);
		};
		let (name, media_type, modified) = Decode::decode(&mut rest).map_err(|_| MetadataError::Malformed)?;
		let metadata = Self {
			name,
			media_type,
			modified,
		};
		if metadata.to_padded()?.as_slice() == bytes {
			Ok(metadata)
		} else {
			Err(MetadataError::Malformed)
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn named(name: &str) -> Metadata {
		Metadata {
			name: name.into(),
			media_type: "text/plain; charset=utf-8".into(),
			modified: Some(1_700_000_000),
		}
	}

	#[test]
	fn metadata_survive_encoding() {
		let longest = Metadata {
			name: "n".repeat(MAX_NAME_BYTES),
			media_type: "m".repeat(MAX_MEDIA_TYPE_BYTES),
			modified: Some(u64::MAX),
		};
		for metadata in [Metadata::default(), named("Ein Bild.png"), longest] {
			let bytes = metadata.to_padded().unwrap();
			assert!(bytes.len() % PADDING_BYTES == 0 && bytes.len() <= MAX_PADDED_BYTES);
			assert_eq!(Metadata::from_padded(&bytes), Ok(metadata));
		}
	}

	#[test]
	fn names_that_are_no_plain_names_are_refused() {
		for name in [
			".",
			"..",
			"a/b",
			"/etc/passwd",
			"..\\x",
			"bell\u{7}",
			"line\n",
			"\u{9b}31m",
			"nul\0",
		] {
			assert_eq!(named(name).check(), Err(MetadataError::UnsafeName), "{name:?}");
		}
		assert_eq!(
			named(&"n".repeat(1025)).check(),
			Err(MetadataError::LongName(1025))
		);
		for media_type in ["\u{e4}", "a\tb", &"m".repeat(256)] {
			let metadata = Metadata {
				media_type: media_type.into(),
				..Metadata::default()
			};
			assert_eq!(metadata.check(), Err(MetadataError::MediaType), "{media_type:?}");
		}
	}

	#[test]
	fn what_differs_from_the_one_encoding_is_refused() {
		let bytes = named("name").to_padded().unwrap();
		let mut padded = bytes.to_vec();
		*padded.last_mut().unwrap() = 1;
		let longer = [bytes.as_slice(), &[0; PADDING_BYTES]].concat();
		let mut version = bytes.to_vec();
		version[0] = 2;
		for wrong in [
			padded.as_slice(),
			&longer,
			&version,
			&bytes[..bytes.len() - 1],
			&[],
			&[1],
			&[1, 0xff],
		] {
			assert_eq!(Metadata::from_padded(wrong), Err(MetadataError::Malformed));
		}
	}
}
