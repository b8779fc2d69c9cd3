//! Plug-ins for tests, compiled by the build script.

use crate::plugin::Plugin;
use std::path::Path;

/// A plug-in with a device of the processor's, which does what it should.
pub fn plugin() -> &'static Path {
	Path::new(env!("OPENSAND_PLUGIN_MOCK"))
}

/// A mock device of its own for a test, in `directory`, which must have none yet: what fails on it fails on no other.
///
/// # Panics
///
/// Where the plug-in cannot be copied or loaded.
pub fn load(directory: &Path) -> Plugin {
	// The system loads a file once, whatever its name.
	let copy = directory.join("mock.so");
	std::fs::copy(plugin(), &copy).expect("the plug-in can be copied");
	Plugin::load(&copy).expect("the mock is a plug-in")
}

/// Makes a mock device fail, in the words of `native/include/opensand_mock.h`; "" for a device without faults, which is found again
/// if it was lost.
///
/// # Panics
///
/// Where the plug-in is no mock, or does not know the words.
pub fn plan(plugin: &Plugin, plan: &str) {
	plugin.api.plan(plan);
}

/// A plug-in that finds no device.
pub fn no_device() -> &'static Path {
	Path::new(env!("OPENSAND_PLUGIN_NO_DEVICE"))
}

/// A plug-in whose driver is too old.
pub fn old_driver() -> &'static Path {
	Path::new(env!("OPENSAND_PLUGIN_OLD_DRIVER"))
}

/// A plug-in of another version of the interface.
pub fn other_version() -> &'static Path {
	Path::new(env!("OPENSAND_PLUGIN_OTHER_VERSION"))
}

/// A shared library that is no plug-in.
pub fn no_plugin() -> &'static Path {
	Path::new(env!("OPENSAND_PLUGIN_NO_PLUGIN"))
}

/// A plug-in whose results are not on the curve.
pub fn off_curve() -> &'static Path {
	Path::new(env!("OPENSAND_PLUGIN_OFF_CURVE"))
}
