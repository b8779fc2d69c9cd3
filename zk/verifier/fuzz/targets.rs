//! What the fuzz targets do with arbitrary bytes. `tests/corpus.rs` runs the same on the committed corpora.

use codec::{Decode, Encode};
use opensand_zk_verifier::{
	fold, verify, verify_batch, BatchItem, Challenges, Fr, Host, Native, Proof, Statement, StatementInput,
	StatementShape, VerifyingKey, WeightsCommitment, G1_LEN, PROOF_LEN,
};

/// A proof decodes alike with both backends and has one encoding of each form.
pub fn proof(bytes: &[u8]) {
	let native = Proof::from_bytes_with::<Native>(bytes);
	assert_eq!(native, Proof::from_bytes_with::<Host>(bytes));
	if let Ok(proof) = native {
		assert_eq!(proof.to_bytes(), bytes);
		let compressed = proof.to_compressed_bytes();
		assert_eq!(Proof::from_compressed_bytes_with::<Native>(&compressed), native);
	}
	let native = Proof::from_compressed_bytes_with::<Native>(bytes);
	assert_eq!(native, Proof::from_compressed_bytes_with::<Host>(bytes));
	if let Ok(proof) = native {
		assert_eq!(proof.to_compressed_bytes(), bytes);
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

/// A statement's words are as many as its shape says, and its encoding is the only one.
pub fn statement(bytes: &[u8]) {
	let mut rest = bytes;
	let Ok(statement) = Statement::decode(&mut rest) else {
		return;
	};
	assert_eq!(statement.encode(), &bytes[..bytes.len() - rest.len()]);
	if let Ok(words) = statement.words() {
		let input_len = match &statement.input {
			StatementInput::Public(values) => values.len(),
			StatementInput::Hashed(_) => 32,
		};
		let shape = StatementShape {
			visibility: statement.input.visibility(),
			input_len: input_len as u32,
			output_len: statement.output.len() as u32,
		};
		assert_eq!(words.len(), shape.words());
		let challenges = Challenges {
			r: Fr::from(2u64),
			b: Fr::from(3u64),
		};
		let folded = fold(&words, &challenges.r);
		let inputs = [challenges.r, challenges.b, folded];
		assert_eq!(statement.public_inputs(&challenges), Ok(inputs));
	}
}

/// Both backends come to the same end on any points of the curve, in whatever subgroup: a key, a proof, a commitment
/// to weights where the key takes one, and a statement.
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
	// Points off the subgroup reach the pairing through the key and the commitment, which are trusted to have been
	// checked.
	let Ok(key) = VerifyingKey::from_trusted_bytes(key) else {
		return;
	};
	let Ok(proof) = Proof::from_bytes(proof) else {
		return;
	};
	let (weights, mut rest) = match rest.split_first_chunk::<G1_LEN>() {
		Some((weights, rest)) if key.has_weights() => (Some(weights), rest),
		_ => (None, rest),
	};
	let Ok(weights) = weights.map(WeightsCommitment::from_trusted_bytes).transpose() else {
		return;
	};
	let Ok(mut statement) = Statement::decode(&mut rest) else {
		return;
	};
	// A changed key has another id: the statement follows, so that the equation is reached.
	statement.binding.key = key.id();
	let native = verify::<Native>(&key, &statement, weights.as_ref(), &proof);
	assert_eq!(native, verify::<Host>(&key, &statement, weights.as_ref(), &proof));
	let items = [BatchItem {
		key: &key,
		statement: &statement,
		weights: weights.as_ref(),
		proof: &proof,
	}; 2];
	let native = verify_batch::<Native>(&items);
	assert_eq!(native.is_ok(), verify_batch::<Host>(&items).is_ok());
}
