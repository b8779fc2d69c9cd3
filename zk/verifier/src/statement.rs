//! What a proof says, and how it becomes field elements.
//!
//! Public inputs, in order: the binding; the input, as packed words or as one hash; the output, as packed words.

use crate::hash::hash_to_field;
use alloc::vec::Vec;
use ark_bls12_381::Fr;
use ark_ff::{BigInt, PrimeField};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use thiserror::Error;

/// Number of int8 values packed into one field element.
///
/// 31 bytes are 248 bits, below the 255-bit group order, so a word never wraps.
pub const BYTES_PER_WORD: usize = 31;

const BINDING_TAG: &[u8] = b"OpenSand/inference-binding/v1";

/// What ties a proof to one request on one chain, so that it cannot be used elsewhere or by another worker.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Binding {
	/// Hash of the chain's genesis block.
	pub genesis: [u8; 32],
	/// Id of the verifying key.
	pub key: [u8; 32],
	/// Id of the model.
	pub model: [u8; 32],
	/// Id of the request.
	pub request: u64,
	/// Account of the worker that is paid for the result.
	pub worker: [u8; 32],
}

impl Binding {
	/// The binding as one public input: BLAKE2b-512 over all parts, reduced modulo r.
	pub fn to_field(&self) -> Fr {
		hash_to_field(
			BINDING_TAG,
			&[
				&self.genesis,
				&self.key,
				&self.model,
				&self.request.to_le_bytes(),
				&self.worker,
			],
		)
	}
}

/// Whether a model's input is part of the statement or only its salted hash is.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub enum InputVisibility {
	/// The input stands in the statement.
	Public,
	/// The statement has the salted Poseidon hash of the input.
	Hashed,
}

/// The input of an inference as the statement shows it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum StatementInput {
	/// The input tensor, int8, in the model's layout.
	Public(Vec<i8>),
	/// [`salted_input_hash`](crate::poseidon::salted_input_hash) of the input: a canonical little-endian field element.
	Hashed([u8; 32]),
}

impl StatementInput {
	/// The visibility this input has.
	pub fn visibility(&self) -> InputVisibility {
		match self {
			Self::Public(_) => InputVisibility::Public,
			Self::Hashed(_) => InputVisibility::Hashed,
		}
	}
}

/// Why a statement has no public inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StatementError {
	/// The input hash is not a canonical field element. Take the bytes as `salted_input_hash` returns them.
	#[error("the input hash is not a canonical field element")]
	NonCanonicalHash,
}

/// The statement: the model under `binding.model` maps `input` to `output`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Statement {
	/// Chain, key, model, request and worker.
	pub binding: Binding,
	/// The input or its hash.
	pub input: StatementInput,
	/// The output tensor, int8, in the model's layout.
	pub output: Vec<i8>,
}

impl Statement {
	/// The public inputs of the proof, in the circuit's order.
	pub fn public_inputs(&self) -> Result<Vec<Fr>, StatementError> {
		let mut inputs = Vec::new();
		inputs.push(self.binding.to_field());
		match &self.input {
			StatementInput::Public(values) => inputs.extend(pack_words(values)),
			StatementInput::Hashed(bytes) => {
				inputs.push(decode_fr(bytes).ok_or(StatementError::NonCanonicalHash)?)
			}
		}
		inputs.extend(pack_words(&self.output));
		Ok(inputs)
	}
}

/// The number of public inputs of a model with the given visibility and tensor lengths; a key must have as many.
pub const fn public_input_count(visibility: InputVisibility, input_len: usize, output_len: usize) -> usize {
	let input_words = match visibility {
		InputVisibility::Public => word_count(input_len),
		InputVisibility::Hashed => 1,
	};
	1usize
		.saturating_add(input_words)
		.saturating_add(word_count(output_len))
}

/// The number of words that hold `len` int8 values.
pub const fn word_count(len: usize) -> usize {
	len.div_ceil(BYTES_PER_WORD)
}

/// Packs int8 values, 31 to a word: Σ (vᵢ + 128)·256^i, the last word with fewer bytes.
///
/// Injective for a fixed number of values, which the model's architecture fixes.
pub fn pack_words(values: &[i8]) -> impl Iterator<Item = Fr> + '_ {
	values.chunks(BYTES_PER_WORD).map(|chunk| {
		let mut bytes = [0u8; 32];
		for (byte, value) in bytes.iter_mut().zip(chunk) {
			// v + 128 in two's complement: the sign bit flipped.
			*byte = value.cast_unsigned() ^ 0x80;
		}
		Fr::from_le_bytes_mod_order(&bytes)
	})
}

/// A canonical little-endian field element.
fn decode_fr(bytes: &[u8; 32]) -> Option<Fr> {
	let mut limbs = [0u64; 4];
	for (limb, word) in limbs.iter_mut().zip(bytes.as_chunks::<8>().0) {
		*limb = u64::from_le_bytes(*word);
	}
	Fr::from_bigint(BigInt::new(limbs))
}
