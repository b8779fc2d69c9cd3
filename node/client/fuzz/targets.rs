//! What is tried on arbitrary bytes: the decoders of files that the client reads, and of what nodes answer.
//!
//! Manifests, blocks and sealed keys are fuzzed where they are decoded, in `opensand-slices` and `opensand-blocks`.

use codec::{DecodeAll, Encode};
use opensand_client::decoders::{
	account, block_number, bounded_addresses, decode_header, decoded, key_in, pair, peer_key, phrase, Locked,
	State,
};
use opensand_primitives::{
	market::{Listing, Purchase},
	storage::{DatasetEvent, Grant, OrderRecord, ProviderRecord, ShardView, StorageTerms, MAX_ADDRESS_BYTES},
	AccountId, ListingId, OrderId, PurchaseId,
};
use serde_json::Value;

/// A key file of polkadot.js is read or refused. Opening it is left out: it is made to be slow.
pub fn keystore(bytes: &[u8]) {
	if let Ok(text) = std::str::from_utf8(bytes) {
		let _ = Locked::read(text);
	}
}

/// What a key file's encryption holds is one key pair in one form.
pub fn keystore_frame(bytes: &[u8]) {
	if pair(bytes).is_ok() {
		assert_eq!(bytes.len(), 117);
	}
}

/// A recovery phrase is the key of an account, which has an access key, or is refused.
pub fn phrase_file(bytes: &[u8]) {
	let Ok(text) = std::str::from_utf8(bytes) else {
		return;
	};
	if let Some(key) = phrase(text) {
		key.access_secret().public_key();
	}
}

/// A file's key is its digits.
pub fn key_file(bytes: &[u8]) {
	if let Some(key) = key_in(bytes) {
		let digits = hex::encode(&key.to_bytes()[..]);
		assert!(bytes.trim_ascii_end().eq_ignore_ascii_case(digits.as_bytes()));
	}
}

/// What stands before a block in a transfer's file names the block that it says, or is refused.
pub fn pack_header(bytes: &[u8]) {
	let Some(header) = bytes.first_chunk() else {
		return;
	};
	if let Some((digest, length)) = decode_header(header) {
		let (cid, written) = header.split_at(36);
		assert!(cid.ends_with(&digest));
		assert_eq!(written, length.to_le_bytes());
		assert!(length <= 2 << 20);
	}
}

/// What a put has kept is read or refused; what was read is kept alike.
pub fn staging(bytes: &[u8]) {
	if let Ok(state) = State::from_json(bytes) {
		let kept = state.to_json().expect("a state is text and numbers");
		assert_eq!(State::from_json(&kept).expect("what was kept can be read"), state);
	}
}

/// The runtime's answers to the client's questions: what decodes has one encoding.
pub fn answer(bytes: &[u8]) {
	one_encoding::<StorageTerms>(bytes);
	one_encoding::<Option<ProviderRecord>>(bytes);
	one_encoding::<Option<OrderRecord>>(bytes);
	one_encoding::<Vec<ShardView>>(bytes);
	one_encoding::<Vec<OrderId>>(bytes);
	one_encoding::<Option<[u8; 32]>>(bytes);
	one_encoding::<Option<Grant>>(bytes);
	one_encoding::<Vec<AccountId>>(bytes);
	one_encoding::<Vec<DatasetEvent>>(bytes);
	one_encoding::<Option<Listing>>(bytes);
	one_encoding::<Vec<(ListingId, Listing)>>(bytes);
	one_encoding::<Option<Purchase>>(bytes);
	one_encoding::<Vec<(PurchaseId, Purchase)>>(bytes);
	// Nodes answer with text.
	if let Ok(text) = std::str::from_utf8(bytes) {
		if decoded::<OrderId>("", text).is_ok() {
			assert_eq!(text.len(), 2 + 2 * 8);
		}
	}
}

fn one_encoding<T: DecodeAll + Encode>(bytes: &[u8]) {
	if let Ok(value) = decoded::<T>("", &format!("0x{}", hex::encode(bytes))) {
		assert_eq!(value.encode(), bytes);
	}
}

/// A header as nodes tell it has a number, or none.
pub fn header(bytes: &[u8]) {
	let Ok(header) = serde_json::from_slice::<Value>(bytes) else {
		return;
	};
	if let Some(number) = block_number(&header) {
		let text = header["number"].as_str().expect("it was read from a text");
		assert!(text.to_ascii_lowercase().ends_with(&format!("{number:x}")));
	}
}

/// Accounts, peer ids and addresses, as a provider's node tells them.
pub fn provider_text(bytes: &[u8]) {
	let Ok(text) = std::str::from_utf8(bytes) else {
		return;
	};
	if let Ok(account_id) = account(text) {
		assert_eq!(
			account(&format!("0x{}", hex::encode(&account_id))),
			Ok(account_id)
		);
	}
	let _ = peer_key(text);
	if let Ok(addresses) = bounded_addresses(&[text.to_owned()]) {
		for address in addresses {
			assert!(address.len() <= MAX_ADDRESS_BYTES as usize);
		}
	}
}
