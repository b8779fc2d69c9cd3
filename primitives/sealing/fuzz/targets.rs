//! What the fuzz target does with arbitrary bytes. `tests/corpus.rs` runs the same on the committed corpus.

use opensand_sealing::{check_format, Context, OpenKeyError, SecretKey, SEALED_KEY_BYTES};

/// Nothing opens but the corpus's one key, sealed to this secret in this context; the rest is refused for the right
/// reason. Returns whether it opened.
pub fn open_key(bytes: &[u8]) -> bool {
	let context = Context {
		genesis: [1; 32],
		manifest: [2; 32],
		grantee: [3; 32],
	};
	let well_formed = check_format(bytes).is_ok();
	assert_eq!(well_formed, bytes.len() == SEALED_KEY_BYTES && bytes[0] == 1);
	let opened = opensand_sealing::open_key(&context, bytes, &SecretKey::from_bytes([9; 32]));
	match &opened {
		Ok(key) => assert!(well_formed && **key == [7; 64]),
		Err(OpenKeyError::WrongLength(length)) => {
			assert!(*length == bytes.len() && *length != SEALED_KEY_BYTES);
		}
		Err(OpenKeyError::UnknownVersion(version)) => assert!(*version == bytes[0] && *version != 1),
		Err(OpenKeyError::LowOrderKey | OpenKeyError::Unauthentic) => assert!(well_formed),
	}
	opened.is_ok()
}
