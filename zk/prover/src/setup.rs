//! Set-up on one machine.

use crate::key::ProvingKey;
use ark_bls12_381::Bls12_381;
use ark_groth16::Groth16;
use opensand_nn::Model;
use opensand_zk_circuit::{CircuitError, InferenceCircuit};
use opensand_zk_verifier::{InputVisibility, KeyError, KeyOrigin, VerifyingKey};
use rand::{CryptoRng, RngCore};
use std::sync::Arc;
use thiserror::Error;

/// Why no key could be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SetupError {
	/// The model has no circuit within the limits.
	#[error(transparent)]
	Circuit(#[from] CircuitError),
	/// The generator refused the circuit; this is a fault of the compiler. Report it with the model.
	#[error("set-up failed: {0}")]
	Generator(String),
	/// The key does not pass the verifier's checks. The random number generator is broken, or the circuit leaves a
	/// public input unused. Report it with the model.
	#[error("the new key is refused: {0}")]
	Key(KeyError),
}

/// Makes the keys of a model's circuit on this machine, marked as development keys.
///
/// The secrets are drawn from `rng` and dropped. Whoever could observe them, or reproduce `rng`, can prove anything
/// under the key, so chains other than development chains refuse it.
pub fn setup_dev(
	model: Arc<Model>,
	visibility: InputVisibility,
	rng: &mut (impl RngCore + CryptoRng),
) -> Result<(ProvingKey, VerifyingKey), SetupError> {
	let circuit = InferenceCircuit::new(model, visibility)?;
	let points =
		Groth16::<Bls12_381>::generate_random_parameters_with_reduction(circuit.without_execution(), rng)
			.map_err(|error| SetupError::Generator(error.to_string()))?;
	let key = ProvingKey::new(KeyOrigin::Development, points).map_err(SetupError::Key)?;
	let verifying = key.verifying_key().clone();
	Ok((key, verifying))
}
