#!/usr/bin/env bash
# Builds a Rust toolchain that can compile the runtime to `wasm32v1-none` from Debian's packages, and links it into
# rustup. It is the second choice of `scripts/setup.sh`, for machines that cannot reach rustup's server.
#
# The compiler, Cargo and the linker are Debian's. The target's standard library is not packaged, so `core` and `alloc`
# are compiled here once, with their bitcode embedded because the runtime is linked with thin LTO.
#
# Usage: scripts/wasm-toolchain.sh <toolchain name> <folder>
# The folder is rebuilt when Debian's compiler changes, and left alone otherwise.
set -euo pipefail

name=$1
folder=$2
target=wasm32v1-none
host=x86_64-unknown-linux-gnu

# Debian's tools only: rustup's proxies stand first in a developer's PATH.
debian() {
	env -u RUSTUP_TOOLCHAIN -u CARGO -u RUSTC -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS -u CARGO_BUILD_RUSTFLAGS \
		PATH=/usr/bin:/bin "$@"
}

sysroot=$(debian rustc --print sysroot)
stamp=$(debian rustc -vV)

if [ "$(cat "$folder/stamp" 2>/dev/null)" = "$stamp" ]; then
	echo "    the toolchain in $folder is current"
	rustup toolchain link "$name" "$folder"
	exit 0
fi

echo "    compiling core and alloc for $target (about half a minute)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/crate/src"
cat >"$work/crate/Cargo.toml" <<-'TOML'
	[package]
	name = "std-probe"
	version = "0.0.0"
	edition = "2021"

	[workspace]
TOML
printf '#![no_std]\nextern crate alloc;\n' >"$work/crate/src/lib.rs"
(
	cd "$work/crate"
	debian RUSTC_BOOTSTRAP=1 RUSTFLAGS="-C embed-bitcode=yes" CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 \
		CARGO_TARGET_DIR="$work/target" cargo build --quiet --release --target "$target" -Z build-std=core,alloc
)

# Assembled beside its place and moved in at the end, so that an interruption leaves no half toolchain behind.
new="$work/toolchain"
rustlib="$new/lib/rustlib"
mkdir -p "$new/bin" "$rustlib/$target/lib"
for crate in core alloc compiler_builtins; do
	cp "$work/target/$target/release/deps/lib$crate"-*.rlib "$rustlib/$target/lib/"
done
for part in "$host" src etc; do
	ln -s "$sysroot/lib/rustlib/$part" "$rustlib/$part"
done
cat >"$new/bin/rustc" <<-SH
	#!/bin/sh
	exec /usr/bin/rustc --sysroot "$folder" "\$@"
SH
cat >"$new/bin/rustdoc" <<-SH
	#!/bin/sh
	exec /usr/bin/rustdoc --sysroot "$folder" "\$@"
SH
cat >"$new/bin/cargo" <<-SH
	#!/bin/sh
	exec /usr/bin/cargo "\$@"
SH
chmod +x "$new/bin/"*
printf '%s\n' "$stamp" >"$new/stamp"

mkdir -p "$(dirname "$folder")"
rm -rf "$folder"
mv "$new" "$folder"
rustup toolchain link "$name" "$folder"
