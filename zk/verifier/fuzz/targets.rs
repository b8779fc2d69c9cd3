//! What the fuzz targets do with arbitrary bytes. `tests/corpus.rs` runs the same on the committed corpora.

use codec::{Decode, Encode};
use opensand_zk_verifier::{
	public_input_count, verify, verify_batch, BatchItem, Fr, Host, Native, Proof, Statement, StatementInput,
	VerifyingKey, PROOF_LEN,
};

/// A proof decodes alike with both backends and has one encoding.
pub fn proof(bytes: &[u8]) {
	let native = Proof::from_bytes_with::<Native>(bytes);
	assert_eq!(native, Proof::from_bytes_with::<Host>(bytes));
	if let Ok(proof) = native {
		assert_eq!(proof.to_bytes(), bytes);
	}
}

/// A key decodes alike with both backends and has one encoding; what is accepted in full is accepted as trusted.
pub fn verifying_key(bytes: &[u8]) {
	let native = VerifyingKey::from_bytes_with::<Native>(bytes);
	assert_eq!(native, VerifyingKey::from_bytes_with::<Host>(bytes));
	let trusted = VerifyingKey::from_trusted_bytes(bytes);
	if let Ok(key) = &native {
		assert_eq!(key.to_bytes(), bytes);
		assert_eq!(trusted.as_ref(), Ok(key));
	}
	if let Ok(key) = trusted {
		assert_eq!(key.to_bytes(), bytes);
	}
}

/// A statement's public inputs are as many as its shape says, and its encoding is the only one.
pub fn statement(bytes: &[u8]) {
	let mut rest = bytes;
	let Ok(statement) = Statement::decode(&mut rest) else {
		return;
	};
	assert_eq!(statement.encode(), &bytes[..bytes.len() - rest.len()]);
	if let Ok(inputs) = statement.public_inputs() {
		let input_len = match &statement.input {
			StatementInput::Public(values) => values.len(),
			StatementInput::Hashed(_) => 32,
		};
		let count = public_input_count(statement.input.visibility(), input_len, statement.output.len());
		assert_eq!(inputs.len(), count);
	}
}

/// Both backends come to the same end on any points of the curve, in whatever subgroup: a key, then a proof, then
/// public inputs of 8 bytes each.
pub fn verification(bytes: &[u8]) {
	let Some((len, rest)) = bytes.split_first_chunk::<2>() else {
		return;
	};
	let Some((key, rest)) = rest.split_at_checked(u16::from_le_bytes(*len).into()) else {
		return;
	};
	let Some((proof, rest)) = rest.split_at_checked(PROOF_LEN) else {
		return;
	};
	// Points off the subgroup reach the pairing through the key, which is trusted to have been checked.
	let Ok(key) = VerifyingKey::from_trusted_bytes(key) else {
		return;
	};
	let Ok(proof) = Proof::from_bytes(proof) else {
		return;
	};
	let inputs: Vec<Fr> = rest
		.as_chunks::<8>()
		.0
		.iter()
		.map(|word| Fr::from(u64::from_le_bytes(*word)))
		.collect();
	let native = verify::<Native>(&key, &inputs, &proof);
	assert_eq!(native, verify::<Host>(&key, &inputs, &proof));
	let items = [BatchItem {
		key: &key,
		inputs: &inputs,
		proof: &proof,
	}; 2];
	let native = verify_batch::<Native>(&items);
	assert_eq!(native.is_ok(), verify_batch::<Host>(&items).is_ok());
}
