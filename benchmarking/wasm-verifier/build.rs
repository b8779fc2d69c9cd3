//! Compiles this crate to WebAssembly when it is built for the program that measures it.

fn main() {
	#[cfg(feature = "std")]
	substrate_wasm_builder::WasmBuilder::build_using_defaults();
}
