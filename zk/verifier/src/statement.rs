//! What a proof says, and the field elements that its tensors are packed into.

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

/// The shape that every statement under a key has: whether its input is shown, and the lengths of its tensors.
///
/// It stands in the verifying key. Packing is injective only among tensors of one length: a missing value packs like
/// −128. So the verifier compares lengths, not numbers of words.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct StatementShape {
	/// Whether the input or its salted hash stands in the statement.
	pub visibility: InputVisibility,
	/// Number of int8 values of the model's input, also where only their hash is shown.
	pub input_len: u32,
	/// Number of int8 values of the model's output.
	pub output_len: u32,
}

impl StatementShape {
	/// The shape of registrations: no input, no output and so no word. Their statement is the commitment to weights.
	pub const REGISTRATION: Self = Self {
		visibility: InputVisibility::Public,
		input_len: 0,
		output_len: 0,
	};

	/// The number K of words that the fold runs over, 0 for [registrations](Self::REGISTRATION).
	pub const fn words(&self) -> usize {
		let input_words = match self.visibility {
			InputVisibility::Public => word_count(self.input_len as usize),
			InputVisibility::Hashed => 1,
		};
		input_words.saturating_add(word_count(self.output_len as usize))
	}
}

/// Why a statement has no words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StatementError {
	/// The input hash is not a canonical field element. Take the bytes as `salted_input_hash` returns them.
	#[error("the input hash is not a canonical field element")]
	NonCanonicalHash,
}

/// The statement: the model under `binding.model` maps `input` to `output`. Under a registration key: the commitment that
/// is verified with it opens to weights of `binding.model`, and `input` and `output` are empty.
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
	/// What is proven under a registration key.
	pub fn registration(binding: Binding) -> Self {
		Self {
			binding,
			input: StatementInput::Public(Vec::new()),
			output: Vec::new(),
		}
	}

	/// Words that the fold runs over: input words or hash, then output words.
	pub fn words(&self) -> Result<Vec<Fr>, StatementError> {
		let mut words = Vec::new();
		match &self.input {
			StatementInput::Public(values) => words.extend(pack_words(values)),
			StatementInput::Hashed(bytes) => {
				words.push(decode_fr(bytes).ok_or(StatementError::NonCanonicalHash)?)
			}
		}
		words.extend(pack_words(&self.output));
		Ok(words)
	}
}

/// The number of words that hold `len` int8 values.
pub const fn word_count(len: usize) -> usize {
	len.div_ceil(BYTES_PER_WORD)
}

/// Packs int8 values, 31 to a word: Σ (vᵢ + 128)·256^i, the last word with fewer bytes.
///
/// Injective for a fixed number of values, which the key's [`StatementShape`] fixes.
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
