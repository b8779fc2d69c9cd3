#!/usr/bin/env bash
# Installs what OpenSand needs to be built, run and tested on Debian 12 or Ubuntu 24.04, or newer, and says what it does.
# Safe to run again: what is there already is left alone, so a second run takes a second or two.
#
#   1. Debian packages: a C and C++ toolchain, libclang, protoc, OpenSSL, Node.js
#   2. rustup and the Rust toolchain that rust-toolchain.toml names
#   3. a toolchain that can compile the runtime to WebAssembly
#   4. the JavaScript clients that the tests drive the node with
#   5. cargo-deny, which checks licences and sources of the dependencies
#
# What it decides is written to $OPENSAND_CACHE/env (default ~/.cache/opensand/env), which scripts/env.sh reads.
#
# Usage: scripts/setup.sh [--build-only]     --build-only leaves out 4 and 5, which only tests need
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
cache=${OPENSAND_CACHE:-$HOME/.cache/opensand}
wasm_target=wasm32v1-none
wasm_toolchain=opensand-wasm
cargo_deny_version=0.20.2
mkdir -p "$cache"

tests_too=yes
case "${1:-}" in
"") ;;
--build-only) tests_too=no ;;
*)
	echo "unknown option $1; usage: scripts/setup.sh [--build-only]" >&2
	exit 2
	;;
esac

say() { printf '==> %s\n' "$*"; }
detail() { printf '    %s\n' "$*"; }
fail() {
	printf 'setup: %s\n' "$*" >&2
	exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif has sudo; then
		sudo "$@"
	else
		fail "need root for: $*  (run this script as root, or install sudo)"
	fi
}

# Installs those of the named packages that are missing; the package index is refreshed at most once a run.
index_is_fresh=no
apt_install() {
	local missing=()
	for package in "$@"; do
		if [ "$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null)" != "install ok installed" ]; then
			missing+=("$package")
		fi
	done
	if [ ${#missing[@]} -eq 0 ]; then
		detail "all there: $*"
		return
	fi
	has apt-get || fail "these packages are missing and this is not a Debian-like system: ${missing[*]}"
	if [ "$index_is_fresh" = no ]; then
		as_root apt-get -qq update
		index_is_fresh=yes
	fi
	detail "installing: ${missing[*]}"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends -y "${missing[@]}" >/dev/null
}

say "Debian packages"
apt_install build-essential ca-certificates clang cmake curl git libclang-dev libssl-dev pkg-config protobuf-compiler
if [ "$tests_too" = yes ]; then
	# Tests that send signals run `kill`.
	apt_install procps
	node_major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/' || true)
	if [ "${node_major:-0}" -lt 18 ]; then
		apt_install nodejs
		node_major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/' || true)
		[ "${node_major:-0}" -ge 18 ] || fail "the client tests need Node.js 18 or newer, from https://nodejs.org"
	fi
	has npm || apt_install npm
	detail "Node.js $(node --version)"
fi

say "Rust"
toolchain=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' "$root/rust-toolchain.toml")
export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
if ! has rustup; then
	detail "installing rustup from https://sh.rustup.rs"
	curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --quiet --profile minimal --default-toolchain none
fi
if rustup toolchain list | grep -q "^$toolchain"; then
	detail "Rust $toolchain is there"
else
	detail "installing Rust $toolchain"
	rustup toolchain install "$toolchain" --profile minimal --component clippy --component rustfmt
fi

say "WebAssembly target $wasm_target"
# `rustc` knows the folder of every target; the standard library is in it only where the target is installed.
wasm_target_is_installed() {
	local libdir
	libdir=$(rustc "+$toolchain" --print target-libdir --target "$wasm_target") &&
		compgen -G "$libdir/libcore-*.rlib" >/dev/null
}
wasm_build_toolchain=
use_debian_toolchain() {
	apt_install rustc-web cargo-web rust-web-src rust-web-llvm lld-22
	"$root/scripts/wasm-toolchain.sh" "$wasm_toolchain" "$cache/wasm-toolchain"
	wasm_build_toolchain=$wasm_toolchain
}
if grep -qs "^WASM_BUILD_TOOLCHAIN=$wasm_toolchain$" "$cache/env"; then
	# Another compiler would build the whole runtime again.
	detail "staying with Debian's compiler for the runtime; delete $cache/env to decide anew"
	use_debian_toolchain
elif wasm_target_is_installed; then
	detail "Rust $toolchain has it"
elif detail "rustup target add $wasm_target" &&
	timeout 300 rustup target add --toolchain "$toolchain" "$wasm_target" 2>"$cache/rustup.log"; then
	detail "added to Rust $toolchain"
else
	detail "rustup could not add it: $(grep -m1 -i error "$cache/rustup.log" || tail -n1 "$cache/rustup.log")"
	detail "taking Debian's compiler for the runtime"
	use_debian_toolchain
fi

printf '# Written by scripts/setup.sh; empty means that the toolchain of rust-toolchain.toml builds the runtime too.\nWASM_BUILD_TOOLCHAIN=%s\n' \
	"$wasm_build_toolchain" >"$cache/env"

if [ "$tests_too" = yes ]; then
	say "JavaScript clients for the tests"
	lock="$root/tests/clients/package-lock.json"
	installed="$root/tests/clients/node_modules/.package-lock.sha256"
	if [ "$(cat "$installed" 2>/dev/null)" = "$(sha256sum <"$lock")" ]; then
		detail "as locked"
	else
		(cd "$root/tests/clients" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
		sha256sum <"$lock" >"$installed"
	fi

	say "cargo-deny"
	if [ "$("$cache/tools/bin/cargo-deny" --version 2>/dev/null)" = "cargo-deny $cargo_deny_version" ]; then
		detail "$cargo_deny_version is there"
	else
		detail "compiling cargo-deny $cargo_deny_version into $cache/tools"
		# Unoptimised: it only walks a graph, and takes much longer to compile than ever to run.
		CARGO_TARGET_DIR="$cache/tools/target" CARGO_PROFILE_DEV_DEBUG=0 cargo "+$toolchain" install --quiet --debug \
			--locked --root "$cache/tools" --version "$cargo_deny_version" cargo-deny
		rm -rf "$cache/tools/target"
	fi
fi

say "ready"
