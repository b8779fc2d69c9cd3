//! The arithmetic of proving, behind one trait.

use crate::query::Query;
use ark_bls12_381::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use std::any::Any;
use thiserror::Error;

/// Why a backend could not compute.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BackendError {
	/// Bases or scalars were given to a backend that did not load them. Load the key with the backend that proves.
	#[error("these bases or scalars were loaded by another backend")]
	Foreign,
	/// There are not as many scalars as the bases are for. The key is another circuit's.
	#[error("{scalars} scalars for bases of {bases}")]
	LengthMismatch {
		/// Scalars given.
		scalars: usize,
		/// Scalars that the bases are for.
		bases: usize,
	},
	/// The lengths are not equal powers of two, or larger than the field has roots of unity for.
	#[error("there is no transform of length {0}")]
	TransformLength(usize),
	/// The device failed. Prove again, or with the CPU backend.
	#[error("device failure: {0}")]
	Device(String),
}

/// Something that a backend keeps where it computes: in memory, or on a device. Freed when dropped.
struct Resident {
	len: usize,
	data: Box<dyn Any + Send + Sync>,
}

impl Resident {
	fn new(len: usize, data: impl Any + Send + Sync) -> Self {
		Self {
			len,
			data: Box::new(data),
		}
	}

	fn get<T: Any>(&self) -> Result<&T, BackendError> {
		self.data.downcast_ref().ok_or(BackendError::Foreign)
	}
}

/// The bases of one query, loaded once for a key and used by all its proofs.
pub struct ResidentBases(Resident);

impl ResidentBases {
	/// Bases for `scalars` scalars, in the form that the backend chose.
	pub fn new(scalars: usize, data: impl Any + Send + Sync) -> Self {
		Self(Resident::new(scalars, data))
	}

	/// The number of scalars that these bases are for, those without a base included.
	pub fn scalars(&self) -> usize {
		self.0.len
	}

	/// The backend's own form, if it is `T` and these bases are for as many scalars as there are.
	pub fn get<T: Any>(&self, scalars: &ResidentScalars) -> Result<&T, BackendError> {
		if scalars.len() != self.scalars() {
			return Err(BackendError::LengthMismatch {
				scalars: scalars.len(),
				bases: self.scalars(),
			});
		}
		self.0.get()
	}
}

/// Scalars of one proof, classified or uploaded once, however many multiplications use them. A backend erases its copy when
/// this is dropped.
pub struct ResidentScalars(Resident);

impl ResidentScalars {
	/// `len` scalars, in the form that the backend chose.
	pub fn new(len: usize, data: impl Any + Send + Sync) -> Self {
		Self(Resident::new(len, data))
	}

	/// The number of scalars.
	pub fn len(&self) -> usize {
		self.0.len
	}

	/// Whether there are none.
	pub fn is_empty(&self) -> bool {
		self.len() == 0
	}

	/// The backend's own form, if it is `T`.
	pub fn get<T: Any>(&self) -> Result<&T, BackendError> {
		self.0.get()
	}
}

/// Multi-scalar multiplications and transforms: all of the proving that is worth a device.
///
/// Scalars are elements of BLS12-381's scalar field, points are affine and in their subgroups. A proof makes these calls:
///
/// | call | times | shape |
/// |---|---|---|
/// | [`load_g1`](Self::load_g1), [`load_g2`](Self::load_g2) | once a key: 6 and 1 | at most one point per variable; h: one per row of the domain |
/// | [`load_scalars`](Self::load_scalars) | 1, and 1 for a commitment | z, mostly zeros, bits and small integers of either sign |
/// | [`odd_products`](Self::odd_products) | 1 | two vectors of the domain's length n, a power of two |
/// | [`multiply_g1`](Self::multiply_g1) | 2, and 1 for a commitment | three queries by z; h by n full-width scalars |
/// | [`multiply_g2`](Self::multiply_g2) | 1 | one query by z |
///
/// Calls block until their results are there. They are made from several threads at a time, those of one proof and those of
/// different proofs: a backend overlaps what it can (uploads, host work) and queues what it cannot, and must not deadlock when
/// all threads of the rayon pool wait in it. Every backend gives the same group elements: a proof does not depend on the backend
/// that made it. An error leaves the backend usable unless it is [`Device`](BackendError::Device).
pub trait ProverBackend: Send + Sync {
	/// A name for logs, such as `cpu`.
	fn name(&self) -> &str;

	/// Takes bases of G1 to where they are multiplied.
	fn load_g1(&self, bases: Query<G1Affine>) -> Result<ResidentBases, BackendError>;

	/// As [`load_g1`](Self::load_g1), for G2.
	fn load_g2(&self, bases: Query<G2Affine>) -> Result<ResidentBases, BackendError>;

	/// Takes scalars to where they multiply.
	fn load_scalars(&self, scalars: &[Fr]) -> Result<ResidentScalars, BackendError>;

	/// Given the values of two polynomials of degrees below n on the n-th roots of unity, in the order of their exponents: the n
	/// products of their values on the other 2n-th roots of unity, ready to multiply. Erases what it was given.
	fn odd_products(&self, a: Vec<Fr>, b: Vec<Fr>) -> Result<ResidentScalars, BackendError>;

	/// Σ sᵢ·Pᵢ for each of the bases.
	fn multiply_g1(
		&self,
		bases: &[&ResidentBases],
		scalars: &ResidentScalars,
	) -> Result<Vec<G1Projective>, BackendError>;

	/// As [`multiply_g1`](Self::multiply_g1), for G2.
	fn multiply_g2(
		&self,
		bases: &[&ResidentBases],
		scalars: &ResidentScalars,
	) -> Result<Vec<G2Projective>, BackendError>;
}
