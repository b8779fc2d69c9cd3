//! What the fuzz target does with arbitrary bytes. `tests/corpus.rs` runs the same on the committed corpus.

use opensand_zk_envelope::{open as open_envelope, Context, OpenError, SecretKey, MAX_INPUT_BYTES, OVERHEAD};

/// The context that the corpus was sealed for.
pub const CONTEXT: Context = Context {
	genesis: [1; 32],
	model: [2; 32],
	worker: [3; 32],
};

/// The key that the corpus was sealed to.
pub fn secret() -> SecretKey {
	SecretKey::from_bytes([9; 32])
}

/// An envelope opens to an input of the length that its own has, or is refused for the right reason.
pub fn open(bytes: &[u8]) {
	let fits = (OVERHEAD..=OVERHEAD + MAX_INPUT_BYTES).contains(&bytes.len());
	match open_envelope(&CONTEXT, bytes, &secret()) {
		Ok(opened) => assert_eq!(opened.input.len() + OVERHEAD, bytes.len()),
		Err(OpenError::WrongLength(length)) => assert!(!fits && length == bytes.len()),
		Err(OpenError::UnknownVersion(version)) => assert!(fits && version != 1 && bytes[0] == version),
		Err(OpenError::LowOrderKey | OpenError::Unauthentic) => assert!(fits && bytes[0] == 1),
	}
}
