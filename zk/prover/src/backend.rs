//! The arithmetic of proving, behind one trait.

use crate::{query::Query, rows::Rows};
use ark_bls12_381::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use opensand_zk_r1cs::Segments;
use std::{any::Any, time::Duration};
use thiserror::Error;

/// Why a backend could not compute.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BackendError {
	/// Bases, rows or scalars were given to a backend that did not load them for this use. Load the key with the backend that
	/// proves.
	#[error("these bases, rows or scalars were loaded by another backend, or for another use")]
	Foreign,
	/// There are not as many scalars as the bases or rows are for. The key is another circuit's.
	#[error("{scalars} scalars for bases of {bases}")]
	LengthMismatch {
		/// Scalars given.
		scalars: usize,
		/// Scalars that the bases or rows are for.
		bases: usize,
	},
	/// The domain is larger than the field has roots of unity for. Use a smaller circuit.
	#[error("there is no transform of length {0}")]
	TransformLength(usize),
	/// There is no device, or no driver for it. Prove on the CPU.
	#[error("no device: {0}")]
	NoDevice(String),
	/// The driver or the device is older than the plug-in needs. Update the driver, or prove on the CPU.
	#[error("unsupported driver or device: {0}")]
	UnsupportedDriver(String),
	/// The key or the proof does not fit into the memory that the device has left, or into the limit that was set. The backend
	/// stays usable: raise the limit, or prove for this key on the CPU.
	#[error("out of device memory: {0}")]
	OutOfMemory(String),
	/// The device failed or is gone, and every further call fails alike. Start a new process, and prove again there.
	#[error("device lost: {0}")]
	DeviceLost(String),
	/// There is no plug-in, it is of another version, or is none. Install the plug-in that was built with this program.
	#[error("plug-in: {0}")]
	PluginMismatch(String),
	/// This machine, not the device, could not give memory or a thread. Free some, and prove again.
	#[error("out of this machine's memory or threads: {0}")]
	Host(String),
	/// The backend failed otherwise, or computed something impossible. Prove on the CPU, and report it.
	#[error("device failure: {0}")]
	Device(String),
}

impl BackendError {
	/// Whether the backend stays usable for other keys and this one can be proven with on the CPU.
	pub fn is_about_size(&self) -> bool {
		matches!(self, Self::OutOfMemory(_))
	}

	/// Whether only a new process can use the device again.
	pub fn is_final(&self) -> bool {
		matches!(self, Self::DeviceLost(_))
	}
}

/// The device that a backend computes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceDescription {
	/// As its driver names it.
	pub name: String,
	/// The driver's version, as its maker writes it.
	pub driver: String,
	/// The plug-in that drives it: name, version, and what it was compiled for.
	pub plugin: String,
	/// All its memory, in bytes.
	pub memory_bytes: u64,
	/// What is free of it, to this process, when it was looked at, in bytes.
	pub free_bytes: u64,
	/// NVIDIA's compute capability, major and minor, or zeros.
	pub compute: (u32, u32),
	/// Multiprocessors.
	pub multiprocessors: u32,
}

/// What a device spends its time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceStage {
	/// Copies of bases, rows and scalars to the device.
	Upload,
	/// Sparse products A·z and B·z.
	Rows,
	/// Transforms, and the products on the coset.
	Transform,
	/// Multiplications in G1.
	MultiplyG1,
	/// Multiplications in G2.
	MultiplyG2,
	/// Waiting while other calls used the device.
	Queue,
}

impl DeviceStage {
	/// All of them, in the order of [`Statistics::stages`].
	pub const ALL: [Self; 6] = [
		Self::Upload,
		Self::Rows,
		Self::Transform,
		Self::MultiplyG1,
		Self::MultiplyG2,
		Self::Queue,
	];
}

/// What a stage took in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageStatistics {
	/// Time on the device where the device can tell, else of this machine.
	pub time: Duration,
	/// Times that the stage was passed.
	pub calls: u64,
}

/// What a device did since its backend was opened, and what it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
	/// Each stage of [`DeviceStage::ALL`].
	pub stages: [StageStatistics; DeviceStage::ALL.len()],
	/// Time in which the device computed anything.
	pub busy: Duration,
	/// Device memory that is taken now, in bytes.
	pub device_bytes: u64,
	/// The most that was taken so far, in bytes.
	pub peak_device_bytes: u64,
	/// The most that may be taken, in bytes.
	pub limit_bytes: u64,
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

/// The matrices of a constraint system, loaded once for a key and used by all its proofs.
pub struct ResidentRows {
	segments: Segments,
	domain: usize,
	resident: Resident,
}

impl ResidentRows {
	/// What was made of `rows`, in the form that the backend chose.
	pub fn new(segments: Segments, domain: usize, data: impl Any + Send + Sync) -> Self {
		Self {
			segments,
			domain,
			resident: Resident::new(segments.variables(), data),
		}
	}

	/// How the columns are divided.
	pub fn segments(&self) -> Segments {
		self.segments
	}

	/// The number of points of the domain.
	pub fn domain(&self) -> usize {
		self.domain
	}

	/// The backend's own form, if it is `T` and there is a scalar for each column.
	pub fn get<T: Any>(&self, z: &ResidentScalars) -> Result<&T, BackendError> {
		if z.len() != self.resident.len {
			return Err(BackendError::LengthMismatch {
				scalars: z.len(),
				bases: self.resident.len,
			});
		}
		self.resident.get()
	}
}

/// Multi-scalar multiplications, sparse products and transforms: all of the proving that is worth a device.
///
/// Scalars are elements of BLS12-381's scalar field, points are affine and in their subgroups. With v variables and a domain of n
/// rows, a power of two, a proof makes these calls:
///
/// | call | times | shape |
/// |---|---|---|
/// | [`load_g1`](Self::load_g1), [`load_g2`](Self::load_g2) | once a key: 6 and 1 | at most one point for each of v scalars; h: one for each of n |
/// | [`load_rows`](Self::load_rows) | once a key | A and B, at most n rows of v columns, and a table of their distinct coefficients |
/// | [`load_scalars`](Self::load_scalars) | 1, 1 more where columns last, and 1 for a commitment | z: v scalars, mostly zeros, bits and small integers of either sign |
/// | [`quotient`](Self::quotient) | 1 | v scalars to n of full width |
/// | [`multiply_g1`](Self::multiply_g1) | 2, and 1 for a commitment | three queries by z; h by n scalars of full width |
/// | [`multiply_g2`](Self::multiply_g2) | 1 | one query by z |
///
/// Calls block until their results are there. They are made from several threads at a time, those of one proof and those of
/// different proofs: a backend overlaps what it can (uploads, host work) and queues what it cannot, and must not deadlock when
/// all threads of the rayon pool wait in it. Every backend gives the same group elements: a proof does not depend on the backend
/// that made it.
///
/// # Errors
///
/// What loads answers [`OutOfMemory`](BackendError::OutOfMemory) where there is no room, and takes none then; so do quotients and
/// multiplications, which need room to work in. Each variant of [`BackendError`] says what the caller can do. The backend stays
/// usable after all of them but [`DeviceLost`](BackendError::DeviceLost).
pub trait ProverBackend: Send + Sync {
	/// A name for logs, such as `cpu`.
	fn name(&self) -> &str;

	/// The device that it computes on; none for this machine's processor.
	fn device(&self) -> Option<DeviceDescription> {
		None
	}

	/// What the device did so far; none where nothing is measured. Cheap: it may be asked for after each proof.
	fn statistics(&self) -> Result<Option<Statistics>, BackendError> {
		Ok(None)
	}

	/// Takes bases of G1 to where they are multiplied.
	fn load_g1(&self, bases: Query<G1Affine>) -> Result<ResidentBases, BackendError>;

	/// As [`load_g1`](Self::load_g1), for G2.
	fn load_g2(&self, bases: Query<G2Affine>) -> Result<ResidentBases, BackendError>;

	/// Takes the matrices of a constraint system to where they are multiplied. Answers
	/// [`TransformLength`](BackendError::TransformLength) where their domain has no coset of its size.
	fn load_rows(&self, rows: Rows) -> Result<ResidentRows, BackendError>;

	/// Takes scalars to where they multiply.
	fn load_scalars(&self, scalars: &[Fr]) -> Result<ResidentScalars, BackendError>;

	/// A·z and B·z are the values of two polynomials of degrees below n on the n-th roots of unity ωⁱ: the n products of their
	/// values at ξωⁱ, in the order of i, where ξ is a square root of ω. They can be multiplied, and are no z.
	fn quotient(&self, rows: &ResidentRows, z: &ResidentScalars) -> Result<ResidentScalars, BackendError>;

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
