#!/usr/bin/env bash
# Installs EZKL, beside which `make bench-zk` measures, into a Python environment of its own: $OPENSAND_CACHE/ezkl.
set -euo pipefail

environment=${OPENSAND_CACHE:-$HOME/.cache/opensand}/ezkl
packages=(ezkl==23.0.5 numpy==2.4.6 onnx==1.23.2)

if [ "$(cat "$environment/packages" 2>/dev/null)" = "${packages[*]}" ]; then
	exit 0
fi
printf '==> EZKL\n    installing %s\n' "${packages[*]}"
rm -rf "$environment"
python3 -m venv "$environment"
"$environment/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"
echo "${packages[*]}" >"$environment/packages"
