//! One device of a plug-in as a prover's backend.

use crate::{
	layout::{self, Layout},
	plugin::Plugin,
	raw::{Bases, Matrices, Prover, Rows as DeviceRows, Scalars},
};
use ark_bls12_381::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::short_weierstrass::{Affine, Projective};
use ark_ff::FftField;
use opensand_zk_prover::{
	BackendError, DeviceDescription, ProverBackend, Query, ResidentBases, ResidentRows, ResidentScalars,
	Rows, Statistics,
};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A device that proofs are computed on. Keys stay in its memory until they are dropped.
///
/// A key that does not fit is refused with [`OutOfMemory`](BackendError::OutOfMemory) and the device stays usable; prove for it on
/// the CPU. After [`DeviceLost`](BackendError::DeviceLost) only a new process can use the device.
pub struct CudaBackend {
	prover: Arc<Prover>,
	device: DeviceDescription,
}

impl CudaBackend {
	/// Opens a device by its place in [`Plugin::devices`], with at most `memory_limit` bytes of its memory: nine tenths of what
	/// is free unless given.
	///
	/// # Errors
	///
	/// Those of [`Plugin::devices`]; [`NoDevice`](BackendError::NoDevice) where there is no such place;
	/// [`OutOfMemory`](BackendError::OutOfMemory) where the limit is more than is free or too little to work in.
	pub fn open(plugin: &Plugin, device: usize, memory_limit: Option<u64>) -> Result<Self, BackendError> {
		let mut devices = plugin.devices()?;
		if device >= devices.len() {
			return Err(BackendError::NoDevice(format!(
				"there are {} devices, none of which is number {device}",
				devices.len()
			)));
		}
		let prover = Prover::open(plugin.api.clone(), device as u32, memory_limit.unwrap_or(0))?;
		Ok(Self {
			prover: Arc::new(prover),
			device: devices.swap_remove(device),
		})
	}

	/// Copies scalars back, for tests and for measuring. They are erased when dropped.
	pub fn read_scalars(&self, scalars: &ResidentScalars) -> Result<Zeroizing<Vec<Fr>>, BackendError> {
		let scalars: &Scalars = scalars.get()?;
		let mut limbs = Zeroizing::new(vec![0; scalars.count() * layout::SCALAR_LIMBS]);
		self.prover.read_scalars(scalars, &mut limbs)?;
		layout::read_scalars(&limbs)
			.map(Zeroizing::new)
			.ok_or_else(|| impossible("scalars that are no field elements"))
	}

	fn load<P: Layout>(&self, bases: Query<Affine<P>>) -> Result<ResidentBases, BackendError> {
		let scalars = bases.scalars();
		let (indices, points) = bases.into_parts();
		let (indices, limbs) = layout::points::<P>(indices, &points);
		// A key has gigabytes: one copy of it at a time.
		drop(points);
		let bases = self.prover.load_bases(P::GROUP, &limbs, &indices, scalars)?;
		Ok(ResidentBases::new(scalars, bases))
	}

	fn multiply<P: Layout>(
		&self,
		bases: &[&ResidentBases],
		scalars: &ResidentScalars,
	) -> Result<Vec<Projective<P>>, BackendError> {
		let bases = bases
			.iter()
			.map(|bases| bases.get::<Bases>(scalars))
			.collect::<Result<Vec<_>, _>>()?;
		let sums = self.prover.multiply(P::GROUP, &bases, scalars.get()?)?;
		layout::sums(&sums).ok_or_else(|| impossible("a sum that is not on the curve"))
	}
}

/// The device computed what cannot be.
fn impossible(what: &str) -> BackendError {
	BackendError::Device(format!("the device computed {what}; test its memory"))
}

impl ProverBackend for CudaBackend {
	fn name(&self) -> &str {
		"cuda"
	}

	fn device(&self) -> Option<DeviceDescription> {
		Some(self.device.clone())
	}

	fn statistics(&self) -> Result<Option<Statistics>, BackendError> {
		self.prover.statistics().map(Some)
	}

	fn load_g1(&self, bases: Query<G1Affine>) -> Result<ResidentBases, BackendError> {
		self.load(bases)
	}

	fn load_g2(&self, bases: Query<G2Affine>) -> Result<ResidentBases, BackendError> {
		self.load(bases)
	}

	fn load_rows(&self, rows: Rows) -> Result<ResidentRows, BackendError> {
		let (segments, domain) = (rows.segments(), rows.domain());
		if Fr::get_root_of_unity(domain as u64 * 2).is_none() {
			return Err(BackendError::TransformLength(domain));
		}
		let entries = [0, 1].map(|matrix| -> Vec<u32> {
			let entries = rows.entries(matrix).iter();
			entries
				.flat_map(|(column, coefficient)| [*column, *coefficient])
				.collect()
		});
		// Coefficients are public; erasing them does no harm.
		let coefficients = layout::scalars(rows.coefficients());
		let matrices = Matrices {
			variables: segments.variables(),
			public_variables: segments.public,
			domain,
			starts: [rows.starts(0), rows.starts(1)],
			entries: [&entries[0], &entries[1]],
			coefficients: &coefficients,
		};
		let loaded: DeviceRows = self.prover.load_rows(&matrices)?;
		Ok(ResidentRows::new(segments, domain, loaded))
	}

	fn load_scalars(&self, scalars: &[Fr]) -> Result<ResidentScalars, BackendError> {
		let loaded = self.prover.load_scalars(&layout::scalars(scalars))?;
		Ok(ResidentScalars::new(scalars.len(), loaded))
	}

	fn quotient(&self, rows: &ResidentRows, z: &ResidentScalars) -> Result<ResidentScalars, BackendError> {
		let products = self.prover.quotient(rows.get(z)?, z.get()?)?;
		Ok(ResidentScalars::new(products.count(), products))
	}

	fn multiply_g1(
		&self,
		bases: &[&ResidentBases],
		scalars: &ResidentScalars,
	) -> Result<Vec<G1Projective>, BackendError> {
		self.multiply(bases, scalars)
	}

	fn multiply_g2(
		&self,
		bases: &[&ResidentBases],
		scalars: &ResidentScalars,
	) -> Result<Vec<G2Projective>, BackendError> {
		self.multiply(bases, scalars)
	}
}
