//! From a result's bytes to a verdict.

use alloc::vec::Vec;
use opensand_primitives::{
	inference::{RequestInput, RequestRecord, ResultFault},
	models::ModelView,
	RequestId,
};
use opensand_zk_verifier::{verify, Binding, Proof, Statement, StatementInput, VerifyingKey};
use sp_runtime::DispatchError;

use crate::{Config, Error, Inputs, Pallet};

/// What is wrong with a result, if anything, and how many words its statement has.
pub(crate) type Verdict = (Result<(), ResultFault>, u32);

impl<T: Config> Pallet<T> {
	/// Checks that `output` and `proof` answer `request`. An error is the chain's fault, not the worker's.
	pub(crate) fn verify(
		request: RequestId,
		record: &RequestRecord,
		output: &[u8],
		proof: &[u8],
	) -> Result<Verdict, DispatchError> {
		let key = T::Models::verifying_key(&record.key).ok_or(Error::<T>::MissingKey)?;
		let key = VerifyingKey::from_trusted_bytes(&key).map_err(|_| Error::<T>::MissingKey)?;
		let input = Inputs::<T>::get(request).ok_or(Error::<T>::UnknownRequest)?;
		let words = u32::try_from(key.shape().words()).unwrap_or(u32::MAX);
		Ok((Self::judge(request, record, &key, input, output, proof), words))
	}

	fn judge(
		request: RequestId,
		record: &RequestRecord,
		key: &VerifyingKey,
		input: RequestInput,
		output: &[u8],
		proof: &[u8],
	) -> Result<(), ResultFault> {
		if output.len() != record.output_len as usize {
			return Err(ResultFault::WrongOutputLength);
		}
		let proof = Proof::from_bytes_with::<T::Curve>(proof)?;
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
		Ok(verify::<T::Curve>(key, &statement, None, &proof)?)
	}
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
