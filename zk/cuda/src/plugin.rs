//! The plug-in: where it is, and whether it can be used.

use crate::raw::{Api, ABI};
use opensand_zk_prover::{BackendError, DeviceDescription};
use std::{
	env,
	path::{Path, PathBuf},
	sync::Arc,
};
use thiserror::Error;

/// The name of the CUDA plug-in's file, which is beside the executable unless another place is named.
pub const PLUGIN_FILE: &str = "libopensand_prover_cuda.so";

/// Why a file is no plug-in that this program can use.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PluginError {
	/// There is no such file. Name the right one, or build it with `make cuda`.
	#[error("there is no plug-in at {}", .0.display())]
	Missing(PathBuf),
	/// The system cannot load it: it is no shared library of this machine's kind, or a library that it needs is missing.
	#[error("{} cannot be loaded: {reason}", path.display())]
	Unloadable {
		/// The file.
		path: PathBuf,
		/// What the system says.
		reason: String,
	},
	/// It is a shared library and no plug-in. Name the right file.
	#[error("{} is no prover plug-in: it has no {symbol}", path.display())]
	NoPlugin {
		/// The file.
		path: PathBuf,
		/// The first function that is missing.
		symbol: String,
	},
	/// It was built with another version of this program. Build it again, or install the one that came with this program.
	#[error("{} has version {found} of the plug-in interface and this program {ABI}; install the plug-in that came with it", path.display())]
	OtherVersion {
		/// The file.
		path: PathBuf,
		/// Its version.
		found: u32,
	},
}

impl From<PluginError> for BackendError {
	fn from(error: PluginError) -> Self {
		Self::PluginMismatch(error.to_string())
	}
}

/// A loaded plug-in. It stays loaded until the process ends.
#[derive(Clone)]
pub struct Plugin {
	path: PathBuf,
	version: String,
	pub(crate) api: Arc<Api>,
}

impl Plugin {
	/// Loads the plug-in in the file `path`, which runs code of it. Its version and every function are checked before.
	pub fn load(path: &Path) -> Result<Self, PluginError> {
		// A path without a directory would be looked for in the system's.
		let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
		if !path.exists() {
			return Err(PluginError::Missing(path));
		}
		let api = Arc::new(Api::load(&path)?);
		Ok(Self {
			version: api.version(),
			path,
			api,
		})
	}

	/// Loads the plug-in `named`, or else the one beside the executable if there is one.
	pub fn find(named: Option<&Path>) -> Result<Option<Self>, PluginError> {
		match named {
			Some(path) => Self::load(path).map(Some),
			None => Self::beside_executable()
				.filter(|path| path.exists())
				.map(|path| Self::load(&path))
				.transpose(),
		}
	}

	/// Where the plug-in is looked for unless it is named; none where the executable's place is not known.
	pub fn beside_executable() -> Option<PathBuf> {
		Some(env::current_exe().ok()?.parent()?.join(PLUGIN_FILE))
	}

	/// The file.
	pub fn path(&self) -> &Path {
		&self.path
	}

	/// Name, version and what it was compiled for.
	pub fn version(&self) -> &str {
		&self.version
	}

	/// The devices, in the order in which [`CudaBackend::open`](crate::CudaBackend::open) counts them; at least one.
	///
	/// # Errors
	///
	/// [`NoDevice`](BackendError::NoDevice) and [`UnsupportedDriver`](BackendError::UnsupportedDriver) where there is none of use;
	/// others where the driver fails.
	pub fn devices(&self) -> Result<Vec<DeviceDescription>, BackendError> {
		let devices = self.api.devices()?;
		if devices.is_empty() {
			return Err(BackendError::NoDevice("the plug-in lists none".into()));
		}
		Ok(devices
			.into_iter()
			.map(|device| DeviceDescription {
				plugin: self.version.clone(),
				..device
			})
			.collect())
	}
}
