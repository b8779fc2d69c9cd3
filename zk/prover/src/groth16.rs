//! Groth16's prover over a backend.

use crate::{
	backend::{BackendError, ProverBackend, ResidentBases, Transform},
	key::ProvingKey,
};
use ark_bls12_381::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::CurveGroup;
use ark_ff::{FftField, Field, UniformRand};
use opensand_zk_r1cs::Matrices;
use rand::{CryptoRng, RngCore};
use rayon::prelude::*;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The blinding factors r and s of one proof: who knows them can recover the witness' commitments. Erased when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Blinding {
	pub(crate) r: Fr,
	pub(crate) s: Fr,
}

impl Blinding {
	/// Fresh factors.
	pub fn random(rng: &mut (impl RngCore + CryptoRng)) -> Self {
		Self {
			r: Fr::rand(rng),
			s: Fr::rand(rng),
		}
	}
}

/// A proving key whose bases are where the backend wants them.
pub(crate) struct ResidentKey {
	alpha_g1: G1Affine,
	beta_g1: G1Affine,
	beta_g2: G2Affine,
	delta_g1: G1Affine,
	delta_g2: G2Affine,
	a: ResidentBases,
	b_g1: ResidentBases,
	b_g2: ResidentBases,
	h: ResidentBases,
	l: ResidentBases,
}

impl ResidentKey {
	pub(crate) fn load(backend: &dyn ProverBackend, key: ProvingKey) -> Result<Self, BackendError> {
		let key = key.into_points();
		Ok(Self {
			alpha_g1: key.vk.alpha_g1,
			beta_g1: key.beta_g1,
			beta_g2: key.vk.beta_g2,
			delta_g1: key.delta_g1,
			delta_g2: key.vk.delta_g2,
			a: backend.load_g1(key.a_query)?,
			b_g1: backend.load_g1(key.b_g1_query)?,
			b_g2: backend.load_g2(key.b_g2_query)?,
			h: backend.load_g1(key.h_query)?,
			l: backend.load_g1(key.l_query)?,
		})
	}
}

/// The points A, B and C of a proof.
pub(crate) type ProofPoints = (G1Affine, G2Affine, G1Affine);

/// Proves that z satisfies the matrices, with the given blinding.
///
/// A = α + Σ zᵢ·aᵢ + r·δ, B = β + Σ zᵢ·bᵢ + s·δ, C = Σ_{private} zᵢ·lᵢ + Σ hⱼ·Hⱼ + s·A + r·B₁ − rs·δ.
pub(crate) fn prove(
	backend: &dyn ProverBackend,
	key: &ResidentKey,
	matrices: &Matrices,
	z: &[Fr],
	blinding: &Blinding,
) -> Result<ProofPoints, BackendError> {
	let Blinding { r, s } = blinding;
	// Independent of each other: small circuits leave cores idle within a single multiplication.
	let h_acc = || {
		let h = quotient(backend, matrices, z)?;
		backend.msm_g1(&key.h, &h[..h.len() - 1])
	};
	let g1 = || {
		Ok::<_, BackendError>((
			backend.msm_g1(&key.a, z)?,
			backend.msm_g1(&key.b_g1, z)?,
			backend.msm_g1(&key.l, &z[matrices.instance_len()..])?,
		))
	};
	let (h_acc, (g1, g2)) = rayon::join(h_acc, || rayon::join(g1, || backend.msm_g2(&key.b_g2, z)));
	let (h_acc, (a_acc, b_acc, l_acc), b_g2_acc) = (h_acc?, g1?, g2?);
	let a: G1Projective = a_acc + key.alpha_g1 + key.delta_g1 * r;
	let b_g1: G1Projective = b_acc + key.beta_g1 + key.delta_g1 * s;
	let b_g2: G2Projective = b_g2_acc + key.beta_g2 + key.delta_g2 * s;
	let c = l_acc + h_acc + a * s + b_g1 * r - key.delta_g1 * (*r * s);
	Ok((a.into_affine(), b_g2.into_affine(), c.into_affine()))
}

/// The coefficients of h = (A·B − C) / Z, where A, B and C interpolate the products of the matrices with z over the
/// domain and Z vanishes on it. Public inputs have rows of their own in A, after the constraints, which make their
/// polynomials independent.
fn quotient(
	backend: &dyn ProverBackend,
	matrices: &Matrices,
	z: &[Fr],
) -> Result<Zeroizing<Vec<Fr>>, BackendError> {
	let (constraints, instance_len) = (matrices.constraints(), matrices.instance_len());
	let domain = (constraints + instance_len).next_power_of_two();
	let on_coset = |matrix: usize| {
		let mut values = Zeroizing::new(Vec::with_capacity(domain));
		(0..constraints)
			.into_par_iter()
			.with_min_len(64)
			.map(|row| matrices.product(matrix, row, z))
			.collect_into_vec(&mut values);
		if matrix == 0 {
			values.extend_from_slice(&z[..instance_len]);
		}
		values.resize(domain, Fr::from(0u64));
		backend.ntt(&mut values, Transform::Inverse)?;
		backend.ntt(&mut values, Transform::CosetForward)?;
		Ok::<_, BackendError>(values)
	};
	let mut h = on_coset(0)?;
	let b = on_coset(1)?;
	let c = on_coset(2)?;
	// Z is constant on the coset: g^n − 1.
	let vanishing = (Fr::GENERATOR.pow([domain as u64]) - Fr::ONE).inverse();
	let vanishing = vanishing.ok_or(BackendError::TransformLength(domain))?;
	h.par_iter_mut()
		.with_min_len(256)
		.zip(b.par_iter())
		.zip(c.par_iter())
		.for_each(|((h, b), c)| {
			*h = (*h * b - c) * vanishing;
		});
	backend.ntt(&mut h, Transform::CosetInverse)?;
	Ok(h)
}
