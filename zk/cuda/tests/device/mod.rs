//! A mock device for each test.
#![allow(dead_code)] // each test uses its own part

use opensand_zk_cuda::{mock, CudaBackend, Plugin};
use opensand_zk_prover::BackendError;
use std::sync::Arc;
use tempfile::TempDir;

/// A mock device that no other test uses.
pub struct Device {
	/// The plug-in that has it.
	pub plugin: Plugin,
	_directory: TempDir,
}

impl Device {
	/// A device without faults.
	pub fn new() -> Self {
		let directory = TempDir::new().unwrap();
		Self {
			plugin: mock::load(directory.path()),
			_directory: directory,
		}
	}

	/// A device that fails as planned.
	pub fn failing(plan: &str) -> Self {
		let device = Self::new();
		device.plan(plan);
		device
	}

	/// Plans failures anew.
	pub fn plan(&self, plan: &str) {
		mock::plan(&self.plugin, plan);
	}

	/// Opens it.
	pub fn open(&self) -> Arc<CudaBackend> {
		Arc::new(self.try_open().unwrap())
	}

	/// Opens it, if it can be opened.
	pub fn try_open(&self) -> Result<CudaBackend, BackendError> {
		CudaBackend::open(&self.plugin, 0, None)
	}
}
