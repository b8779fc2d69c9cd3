//! From a result's bytes to a verdict.

use alloc::vec::Vec;
use opensand_primitives::{
	inference::{RequestInput, RequestRecord, ResultFault},
	models::ModelView,
	RequestId,
};
use opensand_zk_verifier::{
	verify, BatchItem, Binding, Proof, Statement, StatementInput, VerifyError, VerifyingKey,
	WeightsCommitment,
};
use sp_runtime::DispatchError;

use crate::{Config, Error, Inputs, Pallet};

/// What is wrong with a result, if anything. An error beside it is the chain's fault, not the worker's.
pub(crate) type Verdict = Result<(), ResultFault>;

/// A decoded result: what is to be verified under its request's key.
pub(crate) struct Claim {
	statement: Statement,
	weights: Option<WeightsCommitment>,
	proof: Proof,
}

impl Claim {
	/// The claim as an item of a batch.
	pub(crate) fn item<'a>(&'a self, key: &'a VerifyingKey) -> BatchItem<'a> {
		BatchItem {
			key,
			statement: &self.statement,
			weights: self.weights.as_ref(),
			proof: &self.proof,
		}
	}

	/// Verifies the claim by itself.
	pub(crate) fn verify<T: Config>(&self, key: &VerifyingKey) -> Result<Verdict, DispatchError> {
		match verify::<T::Curve>(key, &self.statement, self.weights.as_ref(), &self.proof) {
			Ok(()) => Ok(Ok(())),
			Err(VerifyError::InvalidProof) => Ok(Err(ResultFault::InvalidProof)),
			// The statement is of the chain's making, and so is the choice of key and commitment.
			Err(_) => Err(Error::<T>::MissingKey.into()),
		}
	}
}

impl<T: Config> Pallet<T> {
	/// Checks that `output` and `proof` answer `request`. Returns the number of the statement's words too.
	pub(crate) fn verify(
		request: RequestId,
		record: &RequestRecord,
		output: &[u8],
		proof: &[u8],
	) -> Result<(Verdict, u32), DispatchError> {
		let key = Self::key_of(record)?;
		let verdict = match Self::claim(request, record, &key, output, proof)? {
			Ok(claim) => claim.verify::<T>(&key)?,
			Err(fault) => Err(fault),
		};
		Ok((verdict, words_under(&key)))
	}

	/// The verifying key of a request.
	pub(crate) fn key_of(record: &RequestRecord) -> Result<VerifyingKey, DispatchError> {
		let bytes = T::Models::verifying_key(&record.key).ok_or(Error::<T>::MissingKey)?;
		VerifyingKey::from_trusted_bytes(&bytes).map_err(|_| Error::<T>::MissingKey.into())
	}

	/// What `output` and `proof` claim, with the chain's own records for all the rest; or what is wrong with the bytes.
	pub(crate) fn claim(
		request: RequestId,
		record: &RequestRecord,
		key: &VerifyingKey,
		output: &[u8],
		proof: &[u8],
	) -> Result<Result<Claim, ResultFault>, DispatchError> {
		let input = Inputs::<T>::get(request).ok_or(Error::<T>::UnknownRequest)?;
		let weights = match key.has_weights() {
			true => {
				let bytes = T::Models::commitment(&record.model).ok_or(Error::<T>::MissingKey)?;
				let weights = WeightsCommitment::from_trusted_bytes(&bytes);
				Some(weights.map_err(|_| Error::<T>::MissingKey)?)
			}
			false => None,
		};
		if output.len() != record.output_len as usize {
			return Ok(Err(ResultFault::WrongOutputLength));
		}
		let proof = match Proof::from_bytes_with::<T::Curve>(proof) {
			Ok(proof) => proof,
			Err(error) => return Ok(Err(error.into())),
		};
		let binding = Binding {
			genesis: Self::genesis_hash(),
			key: record.key.0,
			model: record.model.0,
			request,
			worker: record.worker.clone().into(),
		};
		let input = match input {
			RequestInput::Public(bytes) => StatementInput::Public(signed(&bytes)),
			RequestInput::Hashed { hash, .. } => StatementInput::Hashed(hash),
		};
		let statement = Statement {
			binding,
			input,
			output: signed(output),
		};
		Ok(Ok(Claim {
			statement,
			weights,
			proof,
		}))
	}
}

/// How many words statements under a key have.
pub(crate) fn words_under(key: &VerifyingKey) -> u32 {
	u32::try_from(key.shape().words()).unwrap_or(u32::MAX)
}

/// Bytes as the int8 values they stand for.
fn signed(bytes: &[u8]) -> Vec<i8> {
	bytes.iter().map(|byte| byte.cast_signed()).collect()
}

/// Whether a hash is one that a statement can carry.
pub(crate) fn is_canonical_hash(hash: [u8; 32]) -> bool {
	let binding = Binding {
		genesis: [0; 32],
		key: [0; 32],
		model: [0; 32],
		request: 0,
		worker: [0; 32],
	};
	Statement {
		binding,
		input: StatementInput::Hashed(hash),
		output: Vec::new(),
	}
	.words()
	.is_ok()
}
