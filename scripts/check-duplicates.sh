#!/usr/bin/env bash
# Fails if Cargo.lock holds two versions of a crate that fixes the SDK's release line. Two of them mean that a dependency
# was taken from another line, and types of the one are not types of the other.
set -euo pipefail
cd "$(dirname "$0")/.."

found=0
for crate in sp-runtime sp-core sc-service; do
	versions=$(awk -v crate="$crate" '$0 == "name = \"" crate "\"" { getline; gsub(/version = |"/, ""); print }' Cargo.lock)
	count=$(printf '%s\n' "$versions" | grep -c . || true)
	if [ "$count" -ne 1 ]; then
		echo "$crate appears $count times in Cargo.lock: $(echo $versions)" >&2
		echo "  cargo tree --workspace -i $crate@<version>  shows who asks for it" >&2
		found=1
	fi
done
exit $found
