//! A participant's contribution to powers of tau.

use super::{
	transcript::{claims, message},
	Powers, PowersContribution, VerifiedPowers,
};
use crate::{
	ceremony::MAX_CONTRIBUTIONS,
	contribute::ContributeError,
	entropy::Entropy,
	points::{scale, scale_by_powers},
};
use ark_bls12_381::Fr;
use ark_ff::Field;

impl VerifiedPowers {
	/// Multiplies τ, α and β by secret factors, which are erased, and proves that they were known.
	///
	/// # Errors
	/// When there are [`MAX_CONTRIBUTIONS`] already.
	pub fn contribute(self, mut entropy: Entropy) -> Result<Powers, ContributeError> {
		let mut powers = self.into_powers();
		if powers.contributions.len() >= MAX_CONTRIBUTIONS {
			return Err(ContributeError::TooMany);
		}
		let [tau, alpha, beta] = [(); 3].map(|()| entropy.secret());
		let transcript = super::transcript::hashes(&powers);
		let before = powers.base();
		powers.multiply(&tau, &alpha, &beta);
		let after = powers.base();
		let message = message(&transcript[transcript.len() - 1], &after);
		let [of_tau, of_alpha, of_beta] = claims(&message, &before, &after);
		let proofs = [
			of_tau.prove(&tau, &mut entropy),
			of_alpha.prove(&alpha, &mut entropy),
			of_beta.prove(&beta, &mut entropy),
		];
		powers.contributions.push(PowersContribution { after, proofs });
		Ok(powers)
	}
}

impl Powers {
	/// The powers of τ·tau, with α·alpha and β·beta.
	pub(crate) fn multiply(&mut self, tau: &Fr, alpha: &Fr, beta: &Fr) {
		scale_by_powers(&mut self.tau_g1, &Fr::ONE, tau);
		scale_by_powers(&mut self.tau_g2, &Fr::ONE, tau);
		scale_by_powers(&mut self.alpha_g1, alpha, tau);
		scale_by_powers(&mut self.beta_g1, beta, tau);
		scale(std::slice::from_mut(&mut self.beta_g2), beta);
	}
}
