#!/usr/bin/env bash
# Checks how the Rust sources are written; warnings are errors. Called by `make lint`, and check by check by
# scripts/test.sh, which counts them.
#
# Usage: scripts/lint.sh [formatting|clippy|clippy-network-tests]...
# Without arguments, all of them.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh

clippy() { # <arguments that select targets...>
	# Without the WASM: clippy would be taken for the compiler that its build has to use.
	# shellcheck disable=SC2086 -- a list of words
	SKIP_WASM_BUILD=1 cargo clippy $OPENSAND_WORKSPACE "$@" -- -D warnings
}

[ $# -gt 0 ] || set -- formatting clippy clippy-network-tests
for check in "$@"; do
	case $check in
	formatting) cargo fmt --all --check ;;
	clippy) clippy --all-targets ;;
	# Cargo leaves targets with `test = false` out of "all targets".
	clippy-network-tests) clippy --test '*' ;;
	*)
		echo "there is no check \"$check\"" >&2
		exit 2
		;;
	esac
done
