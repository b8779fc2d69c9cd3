//! From a job's input to the values that the worker process proves with.

use opensand_primitives::proving::{JobFailure, JobInput, ProvingJob};
use opensand_zk_envelope::{open, Context, SecretKey};
use opensand_zk_verifier::poseidon::salted_input_hash;

use super::protocol::ClearInput;

/// The input of `job` in the clear; a sealed one is opened with the node's key and checked against the hash that
/// the proof will show.
///
/// Errors: [`JobFailure::BadEnvelope`] where it was sealed to another key, chain, model or worker, was changed, or
/// does not hash to what the request says.
pub fn reveal(job: &ProvingJob, secret: &SecretKey) -> Result<ClearInput, JobFailure> {
	match &job.input {
		JobInput::Public(values) => Ok(ClearInput {
			values: signed(values),
			salt: None,
		}),
		JobInput::Sealed { hash, envelope } => {
			let context = Context {
				genesis: job.genesis,
				model: job.model.0,
				worker: *job.worker.as_ref(),
			};
			let opened = open(&context, envelope, secret).map_err(|_| JobFailure::BadEnvelope)?;
			let clear = ClearInput {
				values: signed(&opened.input),
				salt: Some(*opened.salt),
			};
			if salted_input_hash(&opened.salt, &clear.values) == *hash {
				Ok(clear)
			} else {
				Err(JobFailure::BadEnvelope)
			}
		}
	}
}

/// The int8 values that `bytes` hold in two's complement.
fn signed(bytes: &[u8]) -> Vec<i8> {
	bytes.iter().map(|byte| byte.cast_signed()).collect()
}

#[cfg(test)]
mod tests {
	use super::*;
	use opensand_primitives::{AccountId, KeyId, ModelId};

	const SALT: [u8; 32] = [7; 32];

	fn secret() -> SecretKey {
		SecretKey::from_bytes([9; 32])
	}

	fn job(input: JobInput) -> ProvingJob {
		ProvingJob {
			genesis: [1; 32],
			model: ModelId::repeat_byte(2),
			key: KeyId::repeat_byte(3),
			commitment: None,
			request: 4,
			worker: AccountId::from([5; 32]),
			input,
			deadline: 100,
		}
	}

	fn sealed(values: &[i8], hashed: &[i8], model: [u8; 32]) -> ProvingJob {
		let context = Context {
			genesis: [1; 32],
			model,
			worker: [5; 32],
		};
		let bytes: Vec<u8> = values.iter().map(|value| value.cast_unsigned()).collect();
		let envelope = opensand_zk_envelope::seal(&context, &SALT, &bytes, &secret().public_key()).unwrap();
		job(JobInput::Sealed {
			hash: salted_input_hash(&SALT, hashed),
			envelope,
		})
	}

	#[test]
	fn public_values_keep_their_sign() {
		let clear = reveal(&job(JobInput::Public(vec![0, 127, 128, 255])), &secret()).unwrap();
		assert_eq!(
			(clear.values.as_slice(), clear.salt),
			(&[0, 127, -128, -1][..], None)
		);
	}

	#[test]
	fn sealed_values_come_with_their_salt() {
		let clear = reveal(&sealed(&[-1, 2, -3], &[-1, 2, -3], [2; 32]), &secret()).unwrap();
		assert_eq!(
			(clear.values.as_slice(), clear.salt),
			(&[-1, 2, -3][..], Some(SALT))
		);
	}

	#[test]
	fn envelopes_that_do_not_fit_the_job_are_refused() {
		let another_hash = sealed(&[-1, 2, -3], &[-1, 2, -4], [2; 32]);
		assert_eq!(
			reveal(&another_hash, &secret()).err(),
			Some(JobFailure::BadEnvelope)
		);
		let another_model = sealed(&[-1, 2, -3], &[-1, 2, -3], [0; 32]);
		assert_eq!(
			reveal(&another_model, &secret()).err(),
			Some(JobFailure::BadEnvelope)
		);
		let another_key = sealed(&[-1, 2, -3], &[-1, 2, -3], [2; 32]);
		assert_eq!(
			reveal(&another_key, &SecretKey::generate()).err(),
			Some(JobFailure::BadEnvelope)
		);
		let garbage = job(JobInput::Sealed {
			hash: [0; 32],
			envelope: vec![1; 200],
		});
		assert_eq!(reveal(&garbage, &secret()).err(), Some(JobFailure::BadEnvelope));
	}
}
