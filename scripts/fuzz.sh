#!/usr/bin/env bash
# Fuzzes every decoder with cargo-fuzz, FUZZ_SECONDS (default 60) each, starting from the corpora in the repository.
# Finds are kept in $OPENSAND_CACHE/fuzz; a crash ends the run and names the input that caused it. To turn one into a
# test, copy it into the target's corpus: CI replays the corpora.
#
# Usage: scripts/fuzz.sh [target...]     default: all
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh

seconds=${FUZZ_SECONDS:-60}
cargo_fuzz_version=0.13.2

rustup toolchain list | grep -q '^nightly' || rustup toolchain install nightly --profile minimal
if [ "$("$OPENSAND_CACHE/tools/bin/cargo-fuzz" --version 2>/dev/null)" != "cargo-fuzz $cargo_fuzz_version" ]; then
	CARGO_TARGET_DIR="$OPENSAND_CACHE/tools/target" cargo install --quiet --locked --root "$OPENSAND_CACHE/tools" \
		--version "$cargo_fuzz_version" cargo-fuzz
fi
export PATH="$OPENSAND_CACHE/tools/bin:$PATH" CARGO_TARGET_DIR="$OPENSAND_CACHE/target-fuzz"

for manifest in $(git ls-files '*fuzz/Cargo.toml'); do
	directory=$(dirname "$manifest")
	for source in "$directory"/fuzz_targets/*.rs; do
		target=$(basename "$source" .rs)
		[ $# -eq 0 ] || [[ " $* " == *" $target "* ]] || continue
		finds="$OPENSAND_CACHE/fuzz/$target"
		mkdir -p "$finds" "$directory/corpus/$target"
		echo "==> $directory: $target"
		cargo +nightly fuzz run --fuzz-dir "$directory" "$target" "$finds" "$directory/corpus/$target" -- \
			-max_total_time="$seconds" -rss_limit_mb=2048
	done
done
