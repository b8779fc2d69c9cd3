//! Set-up on one machine.

use crate::{
	generator::{generate, GeneratorError, Trapdoors},
	key::{ProvingKey, ProvingKeyError},
};
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
	/// The generator refused the circuit.
	#[error(transparent)]
	Generator(#[from] GeneratorError),
	/// The key does not pass the verifier's checks. The random number generator is broken, or the circuit leaves a
	/// public input unused. Report it with the model.
	#[error("the new key is refused: {0}")]
	Key(#[from] KeyError),
	/// The points of the two keys do not fit each other; this is a fault of the generator. Report it with the model.
	#[error(transparent)]
	ProvingKey(#[from] ProvingKeyError),
}

/// Makes the keys of a model's circuit on this machine, marked as development keys.
///
/// The secrets are drawn from `rng` and erased. Whoever could observe them, or reproduce `rng`, can prove anything
/// under the key, so chains other than development chains refuse it.
pub fn setup_dev(
	model: Arc<Model>,
	visibility: InputVisibility,
	rng: &mut (impl RngCore + CryptoRng),
) -> Result<(ProvingKey, VerifyingKey), SetupError> {
	let circuit = InferenceCircuit::new(model, visibility)?;
	let (points, verifying) = generate(&circuit.matrices()?, &Trapdoors::random(rng))?;
	let verifying = verifying.into_key(KeyOrigin::Development, circuit.size().shape)?;
	Ok((ProvingKey::new(verifying.clone(), points)?, verifying))
}
