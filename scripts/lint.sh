#!/usr/bin/env bash
# Checks how the Rust sources are written; warnings are errors. Called by `make lint`, and check by check by
# scripts/test.sh, which counts them.
#
# Usage: scripts/lint.sh [formatting|panics|clippy|clippy-network-tests|clippy-figures]...
# Without arguments, all but the last, which compiles the programs that measure and what they bring.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh

clippy() { # <arguments that select targets...>
	# Without the WASM: clippy would be taken for the compiler that its build has to use.
	# shellcheck disable=SC2086 -- a list of words
	SKIP_WASM_BUILD=1 cargo clippy $OPENSAND_WORKSPACE "$@" -- -D warnings
}

# FRAME's macro expands to `expect`, so that clippy has to allow it in the modules that hold pallets.
panics() {
	awk '
		/\.(expect|unwrap)\(/ && previous !~ /\/\/ may panic: / { print FILENAME ":" FNR ": " $0; found = 1 }
		{ previous = $0 }
		END {
			if (found) print "a pallet must not panic; where it may, say why on the line before: // may panic: ..."
			exit found
		}' pallets/*/src/lib.rs >&2
}

[ $# -gt 0 ] || set -- formatting panics clippy clippy-network-tests
for check in "$@"; do
	case $check in
	formatting) cargo fmt --all --check ;;
	clippy) clippy --all-targets ;;
	# Cargo leaves targets with `test = false` out of "all targets".
	clippy-network-tests) clippy --test '*' ;;
	clippy-figures) # as the Makefile builds them, so that no dependency is checked with a third set of features
		SKIP_WASM_BUILD=1 cargo clippy --release --workspace --exclude opensand-benchmark-runner \
			--features opensand-node/fast-runtime,opensand-node/try-runtime --all-targets -- -D warnings
		;;
	panics) panics ;;
	*)
		echo "there is no check \"$check\"" >&2
		exit 2
		;;
	esac
done
