//! Set-up on one machine.

use crate::{
	generator::{generate, GeneratorError, Trapdoors},
	key::{ProvingKey, ProvingKeyError},
};
use opensand_nn::Model;
use opensand_zk_circuit::{
	CircuitError, CircuitSize, DeclaredWidths, InferenceCircuit, RegistrationCircuit, WeightsMode,
};
use opensand_zk_r1cs::Matrices;
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

/// The keys of an architecture whose weights are committed to. Both have the same elements for weights, so that one commitment is
/// registered under the one and proven about under the other.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyFamily {
	/// Under it a commitment is proven to be one to well-formed weights.
	pub registration: ProvingKey,
	/// Under it answers are proven.
	pub inference: ProvingKey,
}

/// Makes the keys of an architecture on this machine, marked as development keys: α, β, τ and δ_w are shared, and each key has the domain of its
/// circuit, where the larger one has a multiple of δ_w ([`Trapdoors::spread`]). The model is any with that architecture whose weights
/// fit the widths; the keys do not depend on its weights.
///
/// The secrets are drawn from `rng` and erased, as in [`setup_dev`].
pub fn setup_family_dev(
	model: Arc<Model>,
	visibility: InputVisibility,
	widths: DeclaredWidths,
	rng: &mut (impl RngCore + CryptoRng),
) -> Result<KeyFamily, SetupError> {
	let inference = InferenceCircuit::with_weights(model, visibility, WeightsMode::Committed(widths))?;
	let registration = RegistrationCircuit::of(&inference)?;
	let smallest = inference.size().domain.min(registration.size().domain);
	let trapdoors = Trapdoors::random(rng);
	let key = |matrices: Matrices, trapdoors: &Trapdoors, size: &CircuitSize| {
		let trapdoors = trapdoors.spread(smallest, size.weight_stride)?;
		let (points, verifying) = generate(&matrices, &trapdoors)?;
		let verifying = verifying.into_key(KeyOrigin::Development, size.shape)?;
		Ok::<_, SetupError>(ProvingKey::new(verifying, points)?)
	};
	Ok(KeyFamily {
		registration: key(registration.matrices()?, &trapdoors, registration.size())?,
		inference: key(inference.matrices()?, &trapdoors.sibling(rng), inference.size())?,
	})
}
