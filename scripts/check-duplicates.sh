#!/usr/bin/env bash
# Fails if Cargo.lock holds two versions of a crate that fixes the SDK's release line. Two of them mean that a dependency
# was taken from another line, and types of the one are not types of the other.
#
# Fails too if a fuzz crate asks for another version of a dependency than the root manifest or another fuzz crate: each is
# a workspace of its own and has to repeat versions.
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

# shellcheck disable=SC2046 -- a list of files
awk '
	/^\[/ { section = $1 }
	section == "[workspace.dependencies]" || section == "[dependencies]" {
		if (match($0, /version = "[^"]*"/)) version = substr($0, RSTART + 11, RLENGTH - 12)
		else if ($0 ~ /^[A-Za-z0-9_-]+ = "/) { split($0, parts, "\""); version = parts[2] }
		else next
		if (!($1 in versions)) { versions[$1] = version; source[$1] = FILENAME }
		else if (versions[$1] != version) {
			printf "%s asks for %s %s, and %s for %s\n", FILENAME, $1, version, source[$1], versions[$1]
			differ = 1
		}
	}
	END { exit differ }
' Cargo.toml $(find . -path ./target -prune -o -path '*fuzz/Cargo.toml' -print) >&2 || found=1
exit $found
