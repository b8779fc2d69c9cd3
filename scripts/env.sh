# Sourced by the Makefile's recipes and by .ci/run: the environment of every build in this repository.
# Sourced from the repository's root. Values that the caller has set already win.

OPENSAND_CACHE=${OPENSAND_CACHE:-$HOME/.cache/opensand}
PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"

# One target directory, outside the checkout, so that a fresh clone finds what was compiled before.
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$OPENSAND_CACHE/target}

# One profile and one feature set for building, testing and running, so that no dependency is compiled twice. What only
# measures stays out: it brings dependencies, and a WebAssembly build, that nothing else needs.
OPENSAND_CRATES="--release --workspace
	--exclude opensand-benchmark-runner --exclude opensand-figures --exclude opensand-storage-figures
	--exclude opensand-wasm-verifier --exclude opensand-zk-figures"
OPENSAND_WORKSPACE="$OPENSAND_CRATES --features opensand-node/fast-runtime,opensand-node/try-runtime"

# substrate-wasm-builder looks upwards from the target directory for Cargo.lock, where it is not to be found.
WASM_BUILD_WORKSPACE_HINT=$PWD

if [ -z "${WASM_BUILD_TOOLCHAIN:-}" ] && [ -f "$OPENSAND_CACHE/env" ]; then
	. "$OPENSAND_CACHE/env"
fi
# An empty name would be taken for a toolchain's name.
[ -n "${WASM_BUILD_TOOLCHAIN:-}" ] || unset WASM_BUILD_TOOLCHAIN

export OPENSAND_CACHE OPENSAND_CRATES OPENSAND_WORKSPACE PATH CARGO_TARGET_DIR WASM_BUILD_WORKSPACE_HINT ${WASM_BUILD_TOOLCHAIN+WASM_BUILD_TOOLCHAIN}
