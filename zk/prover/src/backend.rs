//! The arithmetic of proving, behind one trait.

use ark_bls12_381::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use std::any::Any;
use thiserror::Error;

/// Why a backend could not compute.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BackendError {
	/// Bases were given to a backend that did not load them. Load the key with the backend that proves.
	#[error("these bases were loaded by another backend")]
	ForeignBases,
	/// There are more scalars than bases. The key is another circuit's.
	#[error("{scalars} scalars for {bases} bases")]
	LengthMismatch {
		/// Scalars given.
		scalars: usize,
		/// Bases loaded.
		bases: usize,
	},
	/// The length is not a power of two, or larger than the field has roots of unity for.
	#[error("there is no transform of length {0}")]
	TransformLength(usize),
	/// The device failed. Prove again, or with the CPU backend.
	#[error("device failure: {0}")]
	Device(String),
}

/// A number-theoretic transform over the scalar field, in place. The coset is that of the field's generator, 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transform {
	/// Coefficients to values on the roots of unity.
	Forward,
	/// Values on the roots of unity to coefficients.
	Inverse,
	/// Coefficients to values on the coset.
	CosetForward,
	/// Values on the coset to coefficients.
	CosetInverse,
}

/// Bases that a backend keeps where it computes: in memory, or on a device.
pub struct ResidentBases {
	len: usize,
	data: Box<dyn Any + Send + Sync>,
}

impl ResidentBases {
	/// Bases in the form that the backend chose.
	pub fn new(len: usize, data: impl Any + Send + Sync) -> Self {
		Self {
			len,
			data: Box::new(data),
		}
	}

	/// The number of bases.
	pub fn len(&self) -> usize {
		self.len
	}

	/// Whether there are none.
	pub fn is_empty(&self) -> bool {
		self.len == 0
	}

	/// The backend's own form, if it is `T` and there are enough bases for `scalars` scalars.
	pub fn get<T: Any>(&self, scalars: usize) -> Result<&T, BackendError> {
		if scalars > self.len {
			return Err(BackendError::LengthMismatch {
				scalars,
				bases: self.len,
			});
		}
		self.data.downcast_ref().ok_or(BackendError::ForeignBases)
	}
}

/// Multi-scalar multiplications and transforms: all of the proving that is worth a device.
///
/// Every backend gives the same group elements; a proof does not depend on the backend that made it.
pub trait ProverBackend: Send + Sync {
	/// A name for logs, such as `cpu`.
	fn name(&self) -> &str;

	/// Takes bases of G1 to where they are multiplied; the identity may be among them.
	fn load_g1(&self, bases: Vec<G1Affine>) -> Result<ResidentBases, BackendError>;

	/// As [`load_g1`](Self::load_g1), for G2.
	fn load_g2(&self, bases: Vec<G2Affine>) -> Result<ResidentBases, BackendError>;

	/// Σ sᵢ·Pᵢ over the first bases, as many as there are scalars.
	fn msm_g1(&self, bases: &ResidentBases, scalars: &[Fr]) -> Result<G1Projective, BackendError>;

	/// As [`msm_g1`](Self::msm_g1), for G2.
	fn msm_g2(&self, bases: &ResidentBases, scalars: &[Fr]) -> Result<G2Projective, BackendError>;

	/// Transforms `values` in place; their number is a power of two.
	fn ntt(&self, values: &mut Vec<Fr>, transform: Transform) -> Result<(), BackendError>;
}
