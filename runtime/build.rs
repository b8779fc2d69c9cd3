//! Compiles the runtime to WebAssembly when it is built for the native node.

#[cfg(all(feature = "std", not(feature = "metadata-hash")))]
fn main() {
	substrate_wasm_builder::WasmBuilder::init_with_defaults().build();
}

// The hash covers the token's symbol and decimals, so they must be those of the chain's properties.
#[cfg(all(feature = "std", feature = "metadata-hash"))]
fn main() {
	substrate_wasm_builder::WasmBuilder::init_with_defaults()
		.enable_metadata_hash("SAND", 12)
		.build();
}

// The inner build, for WebAssembly itself: nothing to do.
#[cfg(not(feature = "std"))]
fn main() {}
