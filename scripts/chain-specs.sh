#!/usr/bin/env bash
# Writes the plain and the raw chain specification of every built-in chain under chain-specs/, from the node that
# `make release` built: specifications carry the runtime, and it is the shipping one that belongs into them.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh

node="$OPENSAND_CACHE/target-release/release/opensand-node"
[ -x "$node" ] || {
	echo "no node at $node: run \`make release\` first" >&2
	exit 1
}
for chain in dev local testnet; do
	"$node" export-chain-spec --chain "$chain" --output "chain-specs/$chain.json"
	"$node" export-chain-spec --chain "$chain" --raw --output "chain-specs/$chain-raw.json"
done
ls -lh chain-specs/*.json
