//! The backend that is always there: all cores of this machine.

use crate::{
	backend::{BackendError, ProverBackend, ResidentBases, ResidentRows, ResidentScalars},
	odd_coset::OddCoset,
	query::Query,
	rows::Rows,
};
use ark_bls12_381::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::short_weierstrass::{Affine, Projective};
use opensand_zk_msm::{multiply, Bases, Curve, Scalars};
use rayon::prelude::*;
use zeroize::Zeroizing;

/// Multi-scalar multiplication by `opensand-zk-msm`, on the threads of the current rayon pool.
#[derive(Clone, Copy, Debug, Default)]
pub struct CpuBackend;

/// Scalars as multiplications and as rows take them.
struct Loaded {
	classified: Scalars,
	/// None for products on the coset, which no rows are for.
	values: Option<Zeroizing<Vec<Fr>>>,
}

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
	let Loaded { classified, .. } = scalars.get()?;
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

	fn load_rows(&self, rows: Rows) -> Result<ResidentRows, BackendError> {
		match OddCoset::new(rows.domain()) {
			Some(_) => Ok(ResidentRows::new(rows.segments(), rows.domain(), rows)),
			None => Err(BackendError::TransformLength(rows.domain())),
		}
	}

	fn load_scalars(&self, scalars: &[Fr]) -> Result<ResidentScalars, BackendError> {
		let loaded = Loaded {
			classified: Scalars::new(scalars),
			values: Some(Zeroizing::new(scalars.to_vec())),
		};
		Ok(ResidentScalars::new(scalars.len(), loaded))
	}

	fn quotient(&self, rows: &ResidentRows, z: &ResidentScalars) -> Result<ResidentScalars, BackendError> {
		let rows: &Rows = rows.get(z)?;
		let Loaded { values, .. } = z.get()?;
		let values = values.as_ref().ok_or(BackendError::Foreign)?;
		let coset = OddCoset::new(rows.domain());
		let coset = coset.ok_or(BackendError::TransformLength(rows.domain()))?;
		let [mut a, mut b] = rows.products(values).map(Zeroizing::new);
		let extension = coset.extension();
		rayon::join(|| extension.extend(&mut a), || extension.extend(&mut b));
		a.par_iter_mut()
			.with_min_len(1024)
			.zip(b.par_iter())
			.for_each(|(a, b)| *a *= b);
		drop(b);
		let loaded = Loaded {
			classified: Scalars::new(&a),
			values: None,
		};
		Ok(ResidentScalars::new(a.len(), loaded))
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
