//! Compiles this crate to WebAssembly when it is built for the program that measures it.

fn main() {
	#[cfg(feature = "std")]
	substrate_wasm_builder::WasmBuilder::init_with_defaults()
		// It is no runtime and has no version.
		.disable_runtime_version_section_check()
		.build();
}
