#!/usr/bin/env bash
# Builds the prover plug-ins.
#
# Usage: scripts/cuda.sh                  the plug-in for NVIDIA's devices, beside the node's binary
#        scripts/cuda.sh mock DIRECTORY   the mock device
#        scripts/cuda.sh test             the native code's tests, on the mock device
#        scripts/cuda.sh bench DIRECTORY  the plug-in and what measures it, to be run on a machine with a device
#
# Takes nvcc from CUDA_HOME or PATH; if there is none, installs NVIDIA's compiler from PyPI into $OPENSAND_CACHE/cuda. Neither a
# device nor a driver is needed to build. CUDA_ARCHITECTURES (default "80 89 90") says for which devices, besides PTX for later
# ones; JOBS (default: the number of processors) how many compilers run at a time.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh

native=zk/cuda/native
bench=benchmarking/gpu
kept=$OPENSAND_CACHE/cuda/objects
export jobs=${JOBS:-$(nproc)}
# Machines with devices may have older libraries than this one.
static="-nodlink -cudart static -Xcompiler -static-libstdc++,-static-libgcc"
# Past 13.0, code does not load with drivers of the 580 series.
wheels=(nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-cuda-cccl==13.0.85 nvidia-cuda-runtime==13.0.96)

say() { printf '==> %s\n' "$*"; }

install_wheels() {
	local target=$OPENSAND_CACHE/cuda/wheels
	toolkit=$target/nvidia/cu13
	[ "$(cat "$target/installed" 2>/dev/null)" != "${wheels[*]}" ] || return 0
	say "no nvcc here: installing ${wheels[*]}"
	rm -rf "$target"
	python3 -m pip install --quiet --disable-pip-version-check --no-deps --target "$target" "${wheels[@]}"
	# What wheels leave out: the right to run programs, and the directory where nvcc looks for its libraries.
	find "$toolkit/bin" "$toolkit/nvvm/bin" -type f -exec chmod +x {} +
	[ -e "$toolkit/lib64" ] || ln -s lib "$toolkit/lib64"
	echo "${wheels[*]}" >"$target/installed"
}

find_compiler() {
	if [ -n "${CUDA_HOME:-}" ] && [ -x "$CUDA_HOME/bin/nvcc" ]; then
		nvcc=$CUDA_HOME/bin/nvcc
	elif ! nvcc=$(command -v nvcc); then
		install_wheels
		nvcc=$toolkit/bin/nvcc
	fi
	local architecture architectures=${CUDA_ARCHITECTURES:-80 89 90} targets=
	flags="-std=c++17 -O3 -Xcompiler -fPIC,-fvisibility=hidden -I $native/include -x cu"
	for architecture in $architectures; do
		flags+=" -gencode arch=compute_$architecture,code=sm_$architecture"
		targets+="sm_$architecture "
	done
	# Later devices translate this once, when they see it first.
	flags+=" -gencode arch=compute_$architecture,code=compute_$architecture"
	flags+=" -DOPENSAND_TARGETS=${targets// /+}PTX"
	say "$nvcc ($("$nvcc" --version | grep -o 'release [0-9.]*')) for ${targets}and later"
}

compile_one() {
	"$nvcc" $flags -c "$1" -o "$2.part"
	mv "$2.part" "$2"
}

# Compiles what has changed: objects are kept under the hash of all that goes into them. Sets `objects`.
compile() {
	export nvcc flags
	export -f compile_one
	local source object common missing=()
	common=$(find $native $bench -name '*.h' -o -name '*.cuh' | LC_ALL=C sort | xargs cat | cat - <(echo "$flags"; "$nvcc" --version) | sha256sum)
	mkdir -p "$kept"
	objects=()
	for source in "$@"; do
		object=$kept/$(echo "$common $source" | cat - "$source" | sha256sum | cut -c -32).o
		objects+=("$object")
		[ -e "$object" ] || missing+=("$source" "$object")
	done
	if [ ${#missing[@]} -ne 0 ]; then
		say "compiling $((${#missing[@]} / 2)) files"
		printf '%s\0' "${missing[@]}" | xargs -0 -n 2 -P "$jobs" bash -euc 'compile_one "$1" "$2"' compile
	fi
}

core_sources() {
	grep '^src/core/' $native/mock-sources.txt | sed "s|^|$native/|"
	echo $native/src/device/cuda.cu
}

build_plugin() {
	local output=$1/libopensand_prover_cuda.so
	find_compiler
	compile $(core_sources)
	mkdir -p "$1"
	"$nvcc" -shared $static -Xlinker --exclude-libs,ALL "${objects[@]}" -o "$output.part"
	mv "$output.part" "$output"
	say "$output, $(stat -c %s "$output") bytes"
}

build_mock() {
	mkdir -p "$1"
	(cd "$native" && ${CXX:-g++} -std=c++17 -O2 -fPIC -shared -fvisibility=hidden -pthread -I include $(cat mock-sources.txt) \
		-o "$1/libopensand_prover_mock.so")
	say "$1/libopensand_prover_mock.so"
}

# What measures, for the mock device: to test it, not to measure.
build_mock_bench() {
	${CXX:-g++} -std=c++17 -O2 -pthread $bench/bench.cpp $native/src/core/transform.cpp $native/src/device/mock.cpp -ldl -o "$1/opensand-gpu-bench"
}

run_tests() {
	local directory=$OPENSAND_CACHE/cuda/mock part
	build_mock "$directory"
	${CXX:-g++} -std=c++17 -O2 -pthread $native/tests/tests.cpp "$directory/libopensand_prover_mock.so" -Wl,-rpath,"$directory" -o "$directory/tests"
	"$directory/tests"
	build_mock_bench "$directory"
	for part in transforms g1 g2 quotients; do
		"$directory/opensand-gpu-bench" "$directory/libopensand_prover_mock.so" "$part" 8 8 >/dev/null
		echo "measuring $part: ok"
	done
}

build_bench() {
	local program=$1/opensand-gpu-bench
	compile $bench/bench.cpp $native/src/core/transform.cpp $native/src/device/cuda.cu
	"$nvcc" $static "${objects[@]}" -ldl -lpthread -o "$program"
	cp $bench/run.sh "$1/"
	say "$program, $(stat -c %s "$program") bytes"
}

case ${1:-cuda} in
cuda) build_plugin "$CARGO_TARGET_DIR/release" ;;
mock) build_mock "$(mkdir -p "${2:?which directory?}" && cd "$2" && pwd)" ;;
test) run_tests ;;
bench) build_plugin "${2:?which directory?}" && build_bench "$2" ;;
*)
	sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
