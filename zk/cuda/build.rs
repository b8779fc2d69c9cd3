//! Compiles the plug-ins that tests load, where the feature `mock` asks for them. A plain build compiles nothing here.

use std::{
	env,
	path::{Path, PathBuf},
	process::Command,
};

/// Broken plug-ins, by the name that `fake/plugin.cpp` knows them by.
const FAKES: [&str; 5] = [
	"NO_DEVICE",
	"OLD_DRIVER",
	"OTHER_VERSION",
	"NO_PLUGIN",
	"OFF_CURVE",
];

fn main() {
	for changed in ["build.rs", "fake", "native"] {
		println!("cargo::rerun-if-changed={changed}");
	}
	if env::var_os("CARGO_FEATURE_MOCK").is_none() {
		return;
	}
	let native = Path::new("native");
	let list = native.join("mock-sources.txt");
	let sources = std::fs::read_to_string(&list)
		.unwrap_or_else(|error| panic!("the mock's sources are listed in {}: {error}", list.display()));
	let sources: Vec<_> = sources
		.lines()
		.map(str::trim)
		.filter(|line| !line.is_empty() && !line.starts_with('#'))
		.map(|line| native.join(line))
		.collect();
	compile("MOCK", &[], &sources);
	for fake in FAKES {
		compile(
			fake,
			&[format!("-DFAKE_{fake}")],
			&[PathBuf::from("fake/plugin.cpp")],
		);
	}
}

/// Makes a shared library of `sources` and tells the crate where it is.
fn compile(name: &str, definitions: &[String], sources: &[PathBuf]) {
	println!("cargo::rerun-if-env-changed=CXX");
	let compiler = env::var_os("CXX").unwrap_or_else(|| "g++".into());
	let directory = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names a directory for outputs"));
	let output = directory.join(format!("{}.so", name.to_lowercase()));
	let status = Command::new(&compiler)
		.args([
			"-std=c++17",
			"-O2",
			"-fPIC",
			"-shared",
			"-fvisibility=hidden",
			"-pthread",
		])
		.args(["-I", "native/include"])
		.args(definitions)
		.args(sources)
		.arg("-o")
		.arg(&output)
		.status()
		.unwrap_or_else(|error| {
			panic!("tests need a C++ compiler, and {compiler:?} does not start: {error}")
		});
	assert!(
		status.success(),
		"{compiler:?} could not compile the plug-in {name}"
	);
	println!("cargo::rustc-env=OPENSAND_PLUGIN_{name}={}", output.display());
}
