//! The backend that is always there: all cores of this machine.

use crate::{
	backend::{BackendError, ProverBackend, ResidentBases, ResidentScalars},
	odd_coset::OddCoset,
	query::Query,
};
use ark_bls12_381::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::short_weierstrass::{Affine, Projective};
use opensand_zk_msm::{multiply, Bases, Curve, Scalars};
use rayon::prelude::*;
use zeroize::Zeroizing;

/// Multi-scalar multiplication by `opensand-zk-msm`, on the threads of the current rayon pool.
#[derive(Clone, Copy, Debug, Default)]
pub struct CpuBackend;

fn load<P: Curve>(bases: Query<Affine<P>>) -> Result<ResidentBases, BackendError> {
	let scalars = bases.scalars();
	let (indices, points) = bases.into_parts();
	let bases = if indices.len() == scalars {
		Bases::new(points)
	} else {
		Bases::sparse(points, &indices, scalars)
	};
	let bases = bases.map_err(|error| BackendError::Device(error.to_string()))?;
	Ok(ResidentBases::new(scalars, bases))
}

fn products<P: Curve>(
	bases: &[&ResidentBases],
	scalars: &ResidentScalars,
) -> Result<Vec<Projective<P>>, BackendError> {
	let classified: &Scalars = scalars.get()?;
	let bases = bases
		.iter()
		.map(|bases| bases.get::<Bases<P>>(scalars))
		.collect::<Result<Vec<_>, _>>()?;
	Ok(bases
		.par_iter()
		.map(|bases| multiply(bases, classified))
		.collect())
}

impl ProverBackend for CpuBackend {
	fn name(&self) -> &str {
		"cpu"
	}

	fn load_g1(&self, bases: Query<G1Affine>) -> Result<ResidentBases, BackendError> {
		load(bases)
	}

	fn load_g2(&self, bases: Query<G2Affine>) -> Result<ResidentBases, BackendError> {
		load(bases)
	}

	fn load_scalars(&self, scalars: &[Fr]) -> Result<ResidentScalars, BackendError> {
		Ok(ResidentScalars::new(scalars.len(), Scalars::new(scalars)))
	}

	fn odd_products(&self, a: Vec<Fr>, b: Vec<Fr>) -> Result<ResidentScalars, BackendError> {
		let (mut a, mut b) = (Zeroizing::new(a), Zeroizing::new(b));
		let coset = OddCoset::new(a.len()).filter(|_| a.len() == b.len());
		let coset = coset.ok_or(BackendError::TransformLength(a.len()))?;
		let extension = coset.extension();
		rayon::join(|| extension.extend(&mut a), || extension.extend(&mut b));
		a.par_iter_mut()
			.with_min_len(1024)
			.zip(b.par_iter())
			.for_each(|(a, b)| *a *= b);
		self.load_scalars(&a)
	}

	fn multiply_g1(
		&self,
		bases: &[&ResidentBases],
		scalars: &ResidentScalars,
	) -> Result<Vec<G1Projective>, BackendError> {
		products(bases, scalars)
	}

	fn multiply_g2(
		&self,
		bases: &[&ResidentBases],
		scalars: &ResidentScalars,
	) -> Result<Vec<G2Projective>, BackendError> {
		products(bases, scalars)
	}
}
