#!/usr/bin/env bash
# Measures the device of this machine. Needs only what `scripts/cuda.sh bench DIRECTORY` has put beside this script: no Rust, no
# network.
#
# Usage: run.sh OUT [part...]     parts: floors transforms g1 g2 quotients; default: all, under nine minutes each
#
# Writes OUT/<part>.json, one line of JSON a figure, and ends with what failed, if anything did.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?where to?}
shift
mkdir -p "$out"
[ $# -gt 0 ] || set -- floors transforms g1 g2 quotients
failed=
for part in "$@"; do
	case $part in
	floors) range="30 30" ;;
	g2) range="16 22" ;;
	quotients) range="16 22" ;;
	*) range="18 24" ;;
	esac
	timeout 530 "$here/opensand-gpu-bench" "$here/libopensand_prover_cuda.so" "$part" $range | tee "$out/$part.json" || failed+=" $part"
done
[ -z "$failed" ] || { echo "failed:$failed" >&2; exit 1; }
