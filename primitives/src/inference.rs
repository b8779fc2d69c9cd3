//! Paid inference: what the chain records of workers and requests, and what workers sign.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use opensand_zk_verifier::{InputVisibility, ProofError, StatementShape, MAX_WORDS, PROOF_LEN};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32};
use sp_crypto_hashing::blake2_256;

use crate::{worker_key, AccountId, Balance, BlockNumber, KeyId, ModelId, RequestId};

/// The longest input that a request carries, in bytes (one an int8 value): three channels of 64×64.
pub const MAX_INPUT_BYTES: u32 = 12_288;
/// The longest output that a result carries, in bytes (one an int8 value).
pub const MAX_OUTPUT_BYTES: u32 = 2_048;
/// The longest sealed envelope: an input of the longest kind, its salt and what sealing adds.
pub const MAX_ENVELOPE_BYTES: u32 = MAX_INPUT_BYTES + 256;
/// The most requests that one worker can have open.
pub const MAX_OPEN_REQUESTS: u32 = 32;
/// The most results that one transaction can deliver.
pub const MAX_RESULTS: u32 = 64;
/// The most models that one worker can offer.
pub const MAX_OFFERS: u32 = 32;

/// The most words that the statement of a request can have.
pub const MAX_STATEMENT_WORDS: u32 = StatementShape {
	visibility: InputVisibility::Public,
	input_len: MAX_INPUT_BYTES,
	output_len: MAX_OUTPUT_BYTES,
}
.words() as u32;

const _: () = assert!(
	MAX_STATEMENT_WORDS as usize <= MAX_WORDS,
	"every input and output that a request may have must fit into a key"
);

/// A result's int8 output, two's complement, one byte a value.
pub type OutputBytes = BoundedVec<u8, ConstU32<MAX_OUTPUT_BYTES>>;
/// An encoded proof. Its exact length is checked when it is verified, so that a wrong one is the worker's fault.
pub type ProofBytes = BoundedVec<u8, ConstU32<{ PROOF_LEN as u32 }>>;
/// The ids of the requests that one worker has open.
pub type OpenRequests = BoundedVec<RequestId, ConstU32<MAX_OPEN_REQUESTS>>;

/// A result as its worker signed it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct SignedResult {
	/// The request that it answers.
	#[codec(compact)]
	pub request: RequestId,
	/// The model's output.
	pub output: OutputBytes,
	/// The encoded proof.
	pub proof: ProofBytes,
	/// The assigned worker's, over [`result_payload`].
	pub signature: worker_key::Signature,
}

/// Results that one transaction delivers.
pub type SignedResults = BoundedVec<SignedResult, ConstU32<MAX_RESULTS>>;

/// A request's input.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum RequestInput {
	/// The int8 values themselves, two's complement, one byte a value.
	Public(BoundedVec<u8, ConstU32<MAX_INPUT_BYTES>>),
	/// The input's salted Poseidon hash, with input and salt sealed to the named worker's X25519 key.
	Hashed {
		/// The hash as `salted_input_hash` returns it.
		hash: [u8; 32],
		/// The sealed envelope, opaque to the chain.
		envelope: BoundedVec<u8, ConstU32<MAX_ENVELOPE_BYTES>>,
	},
}

impl RequestInput {
	/// Whether the chain sees the input.
	pub fn visibility(&self) -> InputVisibility {
		match self {
			Self::Public(_) => InputVisibility::Public,
			Self::Hashed { .. } => InputVisibility::Hashed,
		}
	}
}

/// A worker's terms for one model.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Offer {
	/// The model.
	pub model: ModelId,
	/// The worker's pay for one inference, apart from the owner's royalty and the protocol's fee.
	pub price: Balance,
	/// The least number of blocks that the worker wants between a request and its deadline.
	pub turnaround: BlockNumber,
}

/// Whether a worker takes requests.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub enum WorkerStatus {
	/// It takes requests for what it offers while it has a free slot.
	Active,
	/// It has deregistered: no new requests; its bond is free from this block on, once no request is open.
	Unbonding {
		/// First block in which the bond can be withdrawn.
		until: BlockNumber,
	},
}

/// What the chain records of a worker.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct WorkerRecord {
	/// The key that signs results; it holds no funds.
	pub key: worker_key::Public,
	/// The X25519 public key to which hidden inputs are sealed.
	pub encryption_key: [u8; 32],
	/// Held under `WorkerBond`.
	pub bond: Balance,
	/// The part of the bond that open requests have reserved.
	pub reserved: Balance,
	/// The most requests that the worker wants open at once.
	pub capacity: u32,
	/// Requests open now.
	pub open: u32,
	/// Whether it takes requests.
	pub status: WorkerStatus,
	/// What it offers.
	pub offers: BoundedVec<Offer, ConstU32<MAX_OFFERS>>,
}

impl WorkerRecord {
	/// The worker's terms for `model`, if it offers it.
	pub fn offer(&self, model: &ModelId) -> Option<&Offer> {
		self.offers.iter().find(|offer| offer.model == *model)
	}

	/// The part of the bond that no open request has reserved.
	pub fn free_bond(&self) -> Balance {
		self.bond.saturating_sub(self.reserved)
	}
}

/// An open request. Its input is kept apart.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct RequestRecord {
	/// Who asked and pays.
	pub requester: AccountId,
	/// The model asked.
	pub model: ModelId,
	/// The verifying key that the proof must satisfy.
	pub key: KeyId,
	/// The worker whose answer is awaited.
	pub worker: AccountId,
	/// Number of int8 values in the output.
	pub output_len: u32,
	/// Whom the royalty goes to.
	pub owner: AccountId,
	/// What is held from the requester, and for whom.
	pub fee: Fee,
	/// What the worker has reserved of its bond for this request and loses if it fails.
	pub bond: Balance,
	/// The block of the request.
	pub requested_at: BlockNumber,
	/// The last block in which a result is taken, unless the request is cancelled.
	pub deadline: BlockNumber,
	/// If the requester has cancelled: the last block in which a result is still taken.
	pub cancelled: Option<BlockNumber>,
}

impl RequestRecord {
	/// The last block in which a result is taken.
	pub fn closes_at(&self) -> BlockNumber {
		self.cancelled.unwrap_or(self.deadline)
	}
}

/// The parts of a request's fee.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Fee {
	/// The worker's price.
	pub worker: Balance,
	/// The model owner's royalty.
	pub royalty: Balance,
	/// The protocol's fee, split between the block's author and the treasury.
	pub protocol: Balance,
}

impl Fee {
	/// What the requester pays in all; `None` if it does not fit.
	pub fn total(&self) -> Option<Balance> {
		self.worker.checked_add(self.royalty)?.checked_add(self.protocol)
	}
}

/// What an inference would cost now.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Quote {
	/// The worker that would serve it.
	pub worker: AccountId,
	/// The X25519 public key to which a hidden input must be sealed.
	pub encryption_key: [u8; 32],
	/// The fee's parts.
	pub fee: Fee,
	/// What `max_fee` must at least be.
	pub total: Balance,
	/// The least `timeout` that the worker takes, in blocks.
	pub turnaround: BlockNumber,
	/// Whether the worker has a free slot now.
	pub available: bool,
}

/// Why a result was not accepted. Each costs the worker the bond it had reserved for the request.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
#[scale_info(capture_docs = "always")] // clients show these as they show errors
pub enum ResultFault {
	/// The output has not as many values as the model's output. Run the registered architecture.
	WrongOutputLength,
	/// The proof has not the length of an encoded proof. Send the uncompressed encoding, without framing.
	WrongProofLength,
	/// A coordinate is not smaller than the field's prime, or carries flag bits. Send canonical, uncompressed points.
	NonCanonical,
	/// A point does not satisfy the curve's equation: the bytes were damaged.
	OffCurve,
	/// A point lies outside the subgroup of prime order: the prover is broken or dishonest.
	OffSubgroup,
	/// A point is the identity, which no honest prover produces.
	Identity,
	/// The proof does not prove this output for this request by this worker under the model's key, with the weights of its
	/// commitment where it has one.
	InvalidProof,
}

impl From<ProofError> for ResultFault {
	fn from(error: ProofError) -> Self {
		match error {
			ProofError::WrongLength => Self::WrongProofLength,
			ProofError::NonCanonical => Self::NonCanonical,
			ProofError::OffCurve => Self::OffCurve,
			ProofError::OffSubgroup => Self::OffSubgroup,
			ProofError::Identity => Self::Identity,
		}
	}
}

/// How a request ended.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum Outcome {
	/// A proven answer was accepted and paid.
	Settled {
		/// The model's output, two's complement, one byte a value.
		output: OutputBytes,
	},
	/// The worker sent a result that did not verify; the requester got its money back and a compensation.
	Rejected {
		/// What was wrong with it.
		fault: ResultFault,
	},
	/// No result came in time; the requester got its money back and a compensation.
	Expired,
	/// The worker declined; the requester got its money back.
	Declined,
	/// The requester cancelled; it got its money back, less the worker's cancellation fee.
	Cancelled,
}

/// What stays of a request for some time after it closed.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Receipt {
	/// Who asked.
	pub requester: AccountId,
	/// The model asked.
	pub model: ModelId,
	/// The worker assigned.
	pub worker: AccountId,
	/// The block in which the request closed.
	pub closed_at: BlockNumber,
	/// How it ended.
	pub outcome: Outcome,
}

/// Where a request stands, open or closed.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum RequestState {
	/// It awaits its result.
	Open(RequestRecord),
	/// It has closed.
	Closed(Receipt),
}

/// The bytes that a worker's key signs to submit a result.
///
/// They bind the chain, the request and every byte of output and proof, under a tag that no other payload has:
/// `"opensand/inference/result/v1" ‖ genesis ‖ request (u64, little-endian) ‖ BLAKE2-256(SCALE(output) ‖ SCALE(proof))`.
pub fn result_payload(genesis: &[u8; 32], request: RequestId, output: &[u8], proof: &[u8]) -> Vec<u8> {
	let digest = (output, proof).using_encoded(blake2_256);
	(b"opensand/inference/result/v1", genesis, request, digest).encode()
}

/// The bytes that a worker's key signs to decline a request:
/// `"opensand/inference/decline/v1" ‖ genesis ‖ request (u64, little-endian)`.
pub fn decline_payload(genesis: &[u8; 32], request: RequestId) -> Vec<u8> {
	(b"opensand/inference/decline/v1", genesis, request).encode()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_fee_that_does_not_fit_has_no_total() {
		let fee = Fee {
			worker: 1,
			royalty: 2,
			protocol: 3,
		};
		assert_eq!(fee.total(), Some(6));
		assert_eq!(
			Fee {
				worker: Balance::MAX,
				..fee
			}
			.total(),
			None
		);
		assert_eq!(
			Fee {
				protocol: Balance::MAX - 2,
				..fee
			}
			.total(),
			None
		);
	}

	#[test]
	fn a_result_payload_binds_every_part_and_where_it_ends() {
		let payload = result_payload(&[1; 32], 7, b"output", b"proof");
		for other in [
			result_payload(&[2; 32], 7, b"output", b"proof"),
			result_payload(&[1; 32], 8, b"output", b"proof"),
			result_payload(&[1; 32], 7, b"outpu", b"tproof"),
			result_payload(&[1; 32], 7, b"output", b"prooF"),
			decline_payload(&[1; 32], 7),
		] {
			assert_ne!(payload, other);
		}
	}

	/// Workers' software signs these bytes too: the layout may not change unnoticed.
	#[test]
	fn payloads_have_the_documented_layout() {
		let digest =
			sp_crypto_hashing::blake2_256(&[&[6 << 2], b"output".as_slice(), &[5 << 2], b"proof"].concat());
		let request = 7u64.to_le_bytes();
		let result = [
			b"opensand/inference/result/v1".as_slice(),
			&[1; 32],
			&request,
			&digest,
		]
		.concat();
		assert_eq!(result_payload(&[1; 32], 7, b"output", b"proof"), result);
		let decline = [b"opensand/inference/decline/v1".as_slice(), &[1; 32], &request].concat();
		assert_eq!(decline_payload(&[1; 32], 7), decline);
	}
}
