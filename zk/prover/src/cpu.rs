//! The backend that is always there: arkworks on all cores.

use crate::backend::{BackendError, ProverBackend, ResidentBases, Transform};
use ark_bls12_381::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::VariableBaseMSM;
use ark_ff::{FftField, PrimeField};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use rayon::prelude::*;
use zeroize::Zeroizing;

/// Multi-scalar multiplication and transforms by arkworks, on the threads of the current rayon pool.
#[derive(Clone, Copy, Debug, Default)]
pub struct CpuBackend;

fn msm<G: VariableBaseMSM<ScalarField = Fr>>(bases: &ResidentBases, scalars: &[Fr]) -> Result<G, BackendError>
where
	G::MulBase: 'static,
{
	let bases: &Vec<G::MulBase> = bases.get(scalars.len())?;
	let scalars: Zeroizing<Vec<_>> =
		Zeroizing::new(scalars.par_iter().map(|scalar| scalar.into_bigint()).collect());
	Ok(G::msm_bigint(&bases[..scalars.len()], &scalars))
}

impl ProverBackend for CpuBackend {
	fn name(&self) -> &str {
		"cpu"
	}

	fn load_g1(&self, bases: Vec<G1Affine>) -> Result<ResidentBases, BackendError> {
		Ok(ResidentBases::new(bases.len(), bases))
	}

	fn load_g2(&self, bases: Vec<G2Affine>) -> Result<ResidentBases, BackendError> {
		Ok(ResidentBases::new(bases.len(), bases))
	}

	fn msm_g1(&self, bases: &ResidentBases, scalars: &[Fr]) -> Result<G1Projective, BackendError> {
		msm(bases, scalars)
	}

	fn msm_g2(&self, bases: &ResidentBases, scalars: &[Fr]) -> Result<G2Projective, BackendError> {
		msm(bases, scalars)
	}

	fn ntt(&self, values: &mut Vec<Fr>, transform: Transform) -> Result<(), BackendError> {
		let error = BackendError::TransformLength(values.len());
		if !values.len().is_power_of_two() {
			return Err(error);
		}
		let domain = Radix2EvaluationDomain::<Fr>::new(values.len()).ok_or(error.clone())?;
		let coset = domain.get_coset(Fr::GENERATOR).ok_or(error)?;
		match transform {
			Transform::Forward => domain.fft_in_place(values),
			Transform::Inverse => domain.ifft_in_place(values),
			Transform::CosetForward => coset.fft_in_place(values),
			Transform::CosetInverse => coset.ifft_in_place(values),
		}
		Ok(())
	}
}
