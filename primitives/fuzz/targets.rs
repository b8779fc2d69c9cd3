//! What the fuzz targets do with arbitrary bytes. `tests/corpus.rs` runs the same on the committed corpora.

use codec::{Decode, Encode};
use opensand_primitives::{
	inference::{RequestInput, SignedResults, MAX_OUTPUT_BYTES, MAX_RESULTS},
	market::{Purchase, PurchaseKey, PurchaseStatus},
	proving::{JobResult, ProvingJob},
	storage::{OrderTerms, ProviderTerms, ShardCommitment, MAX_SEALED_KEY_BYTES, MAX_SEGMENTS},
};

/// What decodes has one encoding, and encodes to what was read.
fn one_encoding<T: Decode + Encode>(bytes: &[u8]) -> Option<T> {
	let mut rest = bytes;
	let value = T::decode(&mut rest).ok()?;
	assert_eq!(value.encode(), &bytes[..bytes.len() - rest.len()]);
	Some(value)
}

/// A job's id depends on nothing but what was decoded.
pub fn proving_job(bytes: &[u8]) {
	if let Some(job) = one_encoding::<ProvingJob>(bytes) {
		assert_eq!(job.id(), job.clone().id());
	}
}

/// A result.
pub fn job_result(bytes: &[u8]) {
	one_encoding::<JobResult>(bytes);
}

/// A request's input.
pub fn request_input(bytes: &[u8]) {
	if let Some(input) = one_encoding::<RequestInput>(bytes) {
		input.visibility();
	}
}

/// Results that one transaction delivers.
pub fn signed_results(bytes: &[u8]) {
	if let Some(results) = one_encoding::<SignedResults>(bytes) {
		assert!(results.len() <= MAX_RESULTS as usize);
		assert!(results
			.iter()
			.all(|result| result.output.len() <= MAX_OUTPUT_BYTES as usize));
	}
}

/// The terms of a storage order.
pub fn order_terms(bytes: &[u8]) {
	if let Some(terms) = one_encoding::<OrderTerms>(bytes) {
		terms.code.is_valid();
		terms.regions.iter().for_each(|region| {
			region.is_valid();
		});
	}
}

/// The commitments to a shard, of which an order has one for each.
pub fn shard_commitment(bytes: &[u8]) {
	if let Some(commitment) = one_encoding::<ShardCommitment>(bytes) {
		assert!(commitment.segments.len() <= MAX_SEGMENTS as usize);
	}
}

/// What a storage provider says of itself.
pub fn provider_terms(bytes: &[u8]) {
	one_encoding::<ProviderTerms>(bytes);
}

/// The key that a buyer buys with.
pub fn purchase_key(bytes: &[u8]) {
	one_encoding::<PurchaseKey>(bytes);
}

/// A purchase, as clients read it.
pub fn purchase(bytes: &[u8]) {
	if let Some(PurchaseStatus::Delivered { sealed_key, .. }) =
		one_encoding::<Purchase>(bytes).map(|purchase| purchase.status)
	{
		assert!(sealed_key.len() <= MAX_SEALED_KEY_BYTES as usize);
	}
}
