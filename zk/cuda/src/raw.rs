//! The plug-in's C interface, made safe: all of the unsafe code.
//!
//! `native/include/opensand_prover.h` is the contract that the comments below speak of. What it asks of callers is checked here:
//! arrays have the lengths that are passed with them, handles belong to the prover that they are used with and are freed before
//! it is closed. What it asks of plug-ins cannot be checked.

use crate::plugin::PluginError;
use libloading::Library;
use opensand_zk_prover::{BackendError, DeviceDescription, DeviceStage, StageStatistics, Statistics};
use std::{
	ffi::{c_char, c_void, CStr},
	mem::ManuallyDrop,
	path::Path,
	ptr::{self, NonNull},
	sync::Arc,
	time::Duration,
};

/// `OPENSAND_PROVER_ABI`.
pub const ABI: u32 = 1;
/// `opensand_status`.
const OK: i32 = 0;
const NO_DEVICE: i32 = 1;
const UNSUPPORTED: i32 = 2;
const OUT_OF_MEMORY: i32 = 3;
const DEVICE_LOST: i32 = 4;
const INVALID_ARGUMENT: i32 = 5;
const HOST_FAILURE: i32 = 6;
/// The most devices that are listed.
const MAX_DEVICES: usize = 64;
const STAGES: usize = DeviceStage::ALL.len();

/// Which group points are of: `opensand_group`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
	G1 = 1,
	G2 = 2,
}

impl Group {
	/// Limbs of a coordinate.
	pub const fn limbs(self) -> usize {
		match self {
			Self::G1 => 6,
			Self::G2 => 12,
		}
	}
}

/// `opensand_device`.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawDevice {
	name: [u8; 96],
	driver: [u8; 32],
	memory_bytes: u64,
	free_bytes: u64,
	compute_major: u32,
	compute_minor: u32,
	multiprocessors: u32,
	reserved: u32,
}

impl RawDevice {
	const EMPTY: Self = Self {
		name: [0; 96],
		driver: [0; 32],
		memory_bytes: 0,
		free_bytes: 0,
		compute_major: 0,
		compute_minor: 0,
		multiprocessors: 0,
		reserved: 0,
	};

	fn describe(&self) -> DeviceDescription {
		DeviceDescription {
			name: text(&self.name),
			driver: text(&self.driver),
			plugin: String::new(),
			memory_bytes: self.memory_bytes,
			free_bytes: self.free_bytes,
			compute: (self.compute_major, self.compute_minor),
			multiprocessors: self.multiprocessors,
		}
	}
}

/// A text up to its zero byte, or to the array's end where it has none.
fn text(bytes: &[u8]) -> String {
	let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
	String::from_utf8_lossy(text).into_owned()
}

/// `opensand_statistics`.
#[repr(C)]
#[derive(Default)]
struct RawStatistics {
	stage_nanoseconds: [u64; STAGES],
	stage_calls: [u64; STAGES],
	busy_nanoseconds: u64,
	device_bytes: u64,
	peak_device_bytes: u64,
	limit_bytes: u64,
}

/// `opensand_matrices`.
#[repr(C)]
struct RawMatrices {
	variables: u64,
	constraints: u64,
	public_variables: u64,
	domain: u64,
	starts: [*const u32; 2],
	entries: [*const u32; 2],
	coefficients: *const u64,
	coefficient_count: u64,
}

/// The matrices of a constraint system in arrays.
pub struct Matrices<'a> {
	pub variables: usize,
	pub public_variables: usize,
	pub domain: usize,
	/// For each matrix, the offsets into its entries: one more than there are constraints.
	pub starts: [&'a [u32]; 2],
	/// For each matrix, column and coefficient of each entry.
	pub entries: [&'a [u32]; 2],
	/// The table of coefficients in limbs.
	pub coefficients: &'a [u64],
}

type Handle = *mut c_void;

/// The functions of a plug-in.
pub struct Api {
	version: unsafe extern "C" fn() -> *const c_char,
	error: unsafe extern "C" fn() -> *const c_char,
	devices: unsafe extern "C" fn(*mut RawDevice, u32, *mut u32) -> i32,
	open: unsafe extern "C" fn(u32, u64, *mut Handle) -> i32,
	close: unsafe extern "C" fn(Handle),
	load_bases: unsafe extern "C" fn(Handle, u32, *const u64, *const u32, u64, u64, *mut Handle) -> i32,
	free_bases: unsafe extern "C" fn(Handle),
	load_scalars: unsafe extern "C" fn(Handle, *const u64, u64, *mut Handle) -> i32,
	free_scalars: unsafe extern "C" fn(Handle),
	load_rows: unsafe extern "C" fn(Handle, *const RawMatrices, *mut Handle) -> i32,
	free_rows: unsafe extern "C" fn(Handle),
	quotient: unsafe extern "C" fn(Handle, Handle, Handle, *mut Handle) -> i32,
	multiply: unsafe extern "C" fn(Handle, *const Handle, u32, Handle, *mut u64) -> i32,
	read_scalars: unsafe extern "C" fn(Handle, Handle, *mut u64, u64) -> i32,
	statistics: unsafe extern "C" fn(Handle, *mut RawStatistics) -> i32,
	/// Never unloaded: a driver's threads may still run code of it.
	_library: ManuallyDrop<Library>,
}

impl Api {
	/// Loads a shared library and finds every function in it.
	pub fn load(path: &Path) -> Result<Self, PluginError> {
		// SAFETY: this runs initialisers of a library that whoever runs this program named, or put beside it.
		let library = unsafe { Library::new(path) }.map_err(|error| PluginError::Unloadable {
			path: path.to_path_buf(),
			reason: error.to_string(),
		})?;
		let library = ManuallyDrop::new(library);
		macro_rules! symbol {
			($name:literal) => {{
				// SAFETY: the type is the one that the header declares for this name, and the pointer is kept with the library,
				// which is never unloaded.
				let found = unsafe { library.get(concat!($name, "\0").as_bytes()) };
				*found.map_err(|_| PluginError::NoPlugin {
					path: path.to_path_buf(),
					symbol: $name.into(),
				})?
			}};
		}
		let abi: unsafe extern "C" fn() -> u32 = symbol!("opensand_prover_abi");
		// SAFETY: it takes nothing, and stays the same in every version of the interface.
		let found = unsafe { abi() };
		if found != ABI {
			return Err(PluginError::OtherVersion {
				path: path.to_path_buf(),
				found,
			});
		}
		Ok(Self {
			version: symbol!("opensand_prover_version"),
			error: symbol!("opensand_prover_error"),
			devices: symbol!("opensand_prover_devices"),
			open: symbol!("opensand_prover_open"),
			close: symbol!("opensand_prover_close"),
			load_bases: symbol!("opensand_prover_load_bases"),
			free_bases: symbol!("opensand_prover_free_bases"),
			load_scalars: symbol!("opensand_prover_load_scalars"),
			free_scalars: symbol!("opensand_prover_free_scalars"),
			load_rows: symbol!("opensand_prover_load_rows"),
			free_rows: symbol!("opensand_prover_free_rows"),
			quotient: symbol!("opensand_prover_quotient"),
			multiply: symbol!("opensand_prover_multiply"),
			read_scalars: symbol!("opensand_prover_read_scalars"),
			statistics: symbol!("opensand_prover_statistics"),
			_library: library,
		})
	}

	/// Name, version and what it was compiled for.
	pub fn version(&self) -> String {
		// SAFETY: the text is a constant of the plug-in's.
		unsafe { copied((self.version)()) }
	}

	/// What a status means; `Ok` for `OPENSAND_OK`.
	fn check(&self, status: i32) -> Result<(), BackendError> {
		if status == OK {
			return Ok(());
		}
		// SAFETY: the text is valid until this thread's next call, and is copied before.
		let reason = unsafe { copied((self.error)()) };
		Err(match status {
			NO_DEVICE => BackendError::NoDevice(reason),
			UNSUPPORTED => BackendError::UnsupportedDriver(reason),
			OUT_OF_MEMORY => BackendError::OutOfMemory(reason),
			DEVICE_LOST => BackendError::DeviceLost(reason),
			INVALID_ARGUMENT => BackendError::Device(format!("invalid argument: {reason}")),
			HOST_FAILURE => BackendError::Host(reason),
			status => BackendError::Device(format!("unknown status {status}: {reason}")),
		})
	}

	/// The status, and the handle that a call made.
	fn made(&self, status: i32, handle: Handle) -> Result<NonNull<c_void>, BackendError> {
		self.check(status)?;
		NonNull::new(handle).ok_or_else(|| BackendError::Device("the plug-in gave a null handle".into()))
	}

	/// Tells a mock device how to fail, in the words of `native/include/opensand_mock.h`.
	///
	/// # Panics
	///
	/// Where the plug-in is no mock, or does not know the words.
	#[cfg(feature = "mock")]
	pub fn plan(&self, plan: &str) {
		type Plan = unsafe extern "C" fn(*const c_char) -> i32;
		let plan = std::ffi::CString::new(plan).expect("a plan is words");
		// SAFETY: the type is the one that the header declares, the library is never unloaded, and the text ends with a zero
		// byte and is only read.
		let status = unsafe {
			let set = self._library.get::<Plan>(b"opensand_mock_plan\0");
			set.expect("it is the mock")(plan.as_ptr())
		};
		assert_eq!(status, OK, "the mock does not know a word of {plan:?}");
	}

	/// The devices, at most [`MAX_DEVICES`] of them.
	pub fn devices(&self) -> Result<Vec<DeviceDescription>, BackendError> {
		let mut devices = vec![RawDevice::EMPTY; MAX_DEVICES];
		let mut count = 0;
		// SAFETY: there is room for as many devices as are said to fit; any bytes are such devices.
		let status = unsafe { (self.devices)(devices.as_mut_ptr(), MAX_DEVICES as u32, &mut count) };
		self.check(status)?;
		let listed = devices.iter().take(count as usize);
		Ok(listed.map(RawDevice::describe).collect())
	}
}

/// A copy of a text; empty for none.
///
/// # Safety
///
/// `text` is null or ends with a zero byte.
unsafe fn copied(text: *const c_char) -> String {
	if text.is_null() {
		return String::new();
	}
	// SAFETY: as the caller promises.
	unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// An open device. It is closed after its last handle is freed, each of which keeps it.
pub struct Prover {
	api: Arc<Api>,
	handle: NonNull<c_void>,
}

// SAFETY: any call may be made from any thread at any time.
unsafe impl Send for Prover {}
// SAFETY: as above.
unsafe impl Sync for Prover {}

impl Drop for Prover {
	fn drop(&mut self) {
		// SAFETY: every handle holds an `Arc` of this prover, so all are freed; nobody has this one any more.
		unsafe { (self.api.close)(self.handle.as_ptr()) }
	}
}

macro_rules! handles {
	($($(#[$comment:meta])* $name:ident $free:ident { $($field:ident: $type:ty),* })*) => { $(
		$(#[$comment])*
		pub struct $name {
			prover: Arc<Prover>,
			handle: NonNull<c_void>,
			$($field: $type,)*
		}

		// SAFETY: any call may be made from any thread at any time.
		unsafe impl Send for $name {}
		// SAFETY: as above.
		unsafe impl Sync for $name {}

		impl Drop for $name {
			fn drop(&mut self) {
				// SAFETY: the prover is still open, as this keeps it, and nobody has the handle any more.
				unsafe { (self.prover.api.$free)(self.handle.as_ptr()) }
			}
		}
	)* };
}

handles! {
	/// Bases on a device.
	Bases free_bases { group: Group, scalars: usize }
	/// Scalars on a device.
	Scalars free_scalars { count: usize }
	/// Matrices on a device.
	Rows free_rows { variables: usize, domain: usize }
}

impl Prover {
	/// Opens a device by its place in the list, with at most `memory_limit` bytes of its memory; 0 leaves that to the plug-in.
	pub fn open(api: Arc<Api>, device: u32, memory_limit: u64) -> Result<Self, BackendError> {
		let mut handle = ptr::null_mut();
		// SAFETY: the handle's place is there to write to.
		let status = unsafe { (api.open)(device, memory_limit, &mut handle) };
		let handle = api.made(status, handle)?;
		Ok(Self { api, handle })
	}

	/// Takes points, each with the index of its scalar out of `scalars`. Indices ascend strictly.
	pub fn load_bases(
		self: &Arc<Self>,
		group: Group,
		points: &[u64],
		indices: &[u32],
		scalars: usize,
	) -> Result<Bases, BackendError> {
		let ascend = indices.windows(2).all(|pair| pair[0] < pair[1]);
		let within = indices.last().is_none_or(|last| (*last as usize) < scalars);
		if points.len() != indices.len() * 2 * group.limbs() || !ascend || !within {
			return Err(BackendError::LengthMismatch {
				scalars,
				bases: indices.len(),
			});
		}
		let mut handle = ptr::null_mut();
		// SAFETY: there are as many indices as said, which ascend and are below the number of scalars, and a point for each.
		let status = unsafe {
			(self.api.load_bases)(
				self.handle.as_ptr(),
				group as u32,
				points.as_ptr(),
				indices.as_ptr(),
				indices.len() as u64,
				scalars as u64,
				&mut handle,
			)
		};
		Ok(Bases {
			handle: self.api.made(status, handle)?,
			prover: self.clone(),
			group,
			scalars,
		})
	}

	/// Takes scalars, four limbs each.
	pub fn load_scalars(self: &Arc<Self>, limbs: &[u64]) -> Result<Scalars, BackendError> {
		let count = limbs.len() / 4;
		let mut handle = ptr::null_mut();
		// SAFETY: there are four limbs for each scalar.
		let status = unsafe {
			(self.api.load_scalars)(self.handle.as_ptr(), limbs.as_ptr(), count as u64, &mut handle)
		};
		Ok(Scalars {
			handle: self.api.made(status, handle)?,
			prover: self.clone(),
			count,
		})
	}

	/// Takes the matrices of a constraint system.
	pub fn load_rows(self: &Arc<Self>, matrices: &Matrices) -> Result<Rows, BackendError> {
		let constraints = matrices.starts[0].len().checked_sub(1);
		let coefficients = matrices.coefficients.len() / 4;
		let is_whole = |matrix: usize| {
			let (starts, entries) = (matrices.starts[matrix], matrices.entries[matrix]);
			starts.first() == Some(&0)
				&& starts.windows(2).all(|pair| pair[0] <= pair[1])
				&& starts
					.last()
					.is_some_and(|end| *end as usize * 2 == entries.len())
				&& entries.chunks_exact(2).all(|entry| {
					(entry[0] as usize) < matrices.variables && (entry[1] as usize) < coefficients
				})
		};
		let constraints = constraints
			.filter(|constraints| {
				matrices.starts[1].len() == constraints + 1
					&& matrices.public_variables <= matrices.variables
					&& constraints + matrices.public_variables <= matrices.domain
					&& is_whole(0) && is_whole(1)
			})
			.ok_or_else(|| BackendError::Device("the matrices do not hold together".into()))?;
		let raw = RawMatrices {
			variables: matrices.variables as u64,
			constraints: constraints as u64,
			public_variables: matrices.public_variables as u64,
			domain: matrices.domain as u64,
			starts: matrices.starts.map(<[u32]>::as_ptr),
			entries: matrices.entries.map(<[u32]>::as_ptr),
			coefficients: matrices.coefficients.as_ptr(),
			coefficient_count: coefficients as u64,
		};
		let mut handle = ptr::null_mut();
		// SAFETY: the arrays are there during the call, have the lengths that their counts and offsets say, and columns and
		// indices are below their bounds, as was checked.
		let status = unsafe { (self.api.load_rows)(self.handle.as_ptr(), &raw, &mut handle) };
		Ok(Rows {
			handle: self.api.made(status, handle)?,
			prover: self.clone(),
			variables: matrices.variables,
			domain: matrices.domain,
		})
	}

	/// The products on the coset.
	pub fn quotient(self: &Arc<Self>, rows: &Rows, z: &Scalars) -> Result<Scalars, BackendError> {
		self.owns(&rows.prover)?;
		self.owns(&z.prover)?;
		if z.count != rows.variables {
			return Err(BackendError::LengthMismatch {
				scalars: z.count,
				bases: rows.variables,
			});
		}
		let mut handle = ptr::null_mut();
		// SAFETY: both handles are this prover's, and the scalars as many as the matrices have columns.
		let status = unsafe {
			(self.api.quotient)(
				self.handle.as_ptr(),
				rows.handle.as_ptr(),
				z.handle.as_ptr(),
				&mut handle,
			)
		};
		Ok(Scalars {
			handle: self.api.made(status, handle)?,
			prover: self.clone(),
			count: rows.domain,
		})
	}

	/// The sums for each of the bases, in Jacobian coordinates.
	pub fn multiply(
		self: &Arc<Self>,
		group: Group,
		bases: &[&Bases],
		scalars: &Scalars,
	) -> Result<Vec<u64>, BackendError> {
		self.owns(&scalars.prover)?;
		for bases in bases {
			self.owns(&bases.prover)?;
			if bases.group != group {
				return Err(BackendError::Foreign);
			}
			if bases.scalars != scalars.count {
				return Err(BackendError::LengthMismatch {
					scalars: scalars.count,
					bases: bases.scalars,
				});
			}
		}
		let handles: Vec<Handle> = bases.iter().map(|bases| bases.handle.as_ptr()).collect();
		let mut sums = vec![0; bases.len() * 3 * group.limbs()];
		// SAFETY: all handles are this prover's, the bases are of one group and for as many scalars as there are, and there is
		// room for a sum for each.
		let status = unsafe {
			(self.api.multiply)(
				self.handle.as_ptr(),
				handles.as_ptr(),
				handles.len() as u32,
				scalars.handle.as_ptr(),
				sums.as_mut_ptr(),
			)
		};
		self.api.check(status)?;
		Ok(sums)
	}

	/// The scalars' limbs, into as many as they have.
	pub fn read_scalars(self: &Arc<Self>, scalars: &Scalars, limbs: &mut [u64]) -> Result<(), BackendError> {
		self.owns(&scalars.prover)?;
		if limbs.len() != scalars.count * 4 {
			return Err(BackendError::LengthMismatch {
				scalars: scalars.count,
				bases: limbs.len() / 4,
			});
		}
		// SAFETY: the handle is this prover's, and there is room for four limbs for each scalar.
		let status = unsafe {
			(self.api.read_scalars)(
				self.handle.as_ptr(),
				scalars.handle.as_ptr(),
				limbs.as_mut_ptr(),
				scalars.count as u64,
			)
		};
		self.api.check(status)
	}

	/// What the device did so far.
	pub fn statistics(&self) -> Result<Statistics, BackendError> {
		let mut raw = RawStatistics::default();
		// SAFETY: there is room for the figures.
		let status = unsafe { (self.api.statistics)(self.handle.as_ptr(), &mut raw) };
		self.api.check(status)?;
		let mut stages = [StageStatistics::default(); STAGES];
		for (place, stage) in stages.iter_mut().enumerate() {
			stage.time = Duration::from_nanos(raw.stage_nanoseconds[place]);
			stage.calls = raw.stage_calls[place];
		}
		Ok(Statistics {
			stages,
			busy: Duration::from_nanos(raw.busy_nanoseconds),
			device_bytes: raw.device_bytes,
			peak_device_bytes: raw.peak_device_bytes,
			limit_bytes: raw.limit_bytes,
		})
	}

	/// Refuses what another prover made.
	fn owns(self: &Arc<Self>, owner: &Arc<Self>) -> Result<(), BackendError> {
		Arc::ptr_eq(self, owner)
			.then_some(())
			.ok_or(BackendError::Foreign)
	}
}

impl Scalars {
	/// The number of scalars.
	pub fn count(&self) -> usize {
		self.count
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn structures_are_as_long_as_the_headers() {
		assert_eq!(size_of::<RawDevice>(), 96 + 32 + 16 + 16);
		assert_eq!(size_of::<RawStatistics>(), 16 * 8);
		assert_eq!(size_of::<RawMatrices>(), 10 * 8);
	}

	#[test]
	fn texts_end_at_their_zero_or_with_their_array() {
		assert_eq!(text(b"GPU\0rest"), "GPU");
		assert_eq!(text(b"GPU"), "GPU");
		assert_eq!(text(b"\0"), "");
	}
}
