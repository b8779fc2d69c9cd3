# Everything that people do with this repository, each by one command. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The environment of a build: target directory, WebAssembly toolchain.
ENV := . scripts/env.sh;
# Where `make release` and `make weights` build: other features, hence other artifacts.
RELEASE_DIR = $${OPENSAND_CACHE}/target-release
WEIGHTS_DIR = $${OPENSAND_CACHE}/target-weights
# Where the benchmarks of single crates build.
BENCH_DIR = $${OPENSAND_CACHE}/target-bench

# What `make build` builds, and the programs that measure: all targets, so that dependencies have the same features.
WITH_FIGURES = --release --workspace --exclude opensand-benchmark-runner \
	--features opensand-node/fast-runtime,opensand-node/try-runtime --all-targets

# The pallets of this project, whose weights `make weights` measures.
PALLETS := dsm inference models
STEPS ?= 50
REPEAT ?= 20

.PHONY: help setup build demo test test-long lint format bench bench-storage bench-zk cuda weights fuzz release chain-specs

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what is missing to build, run and test (Debian, Ubuntu)
	@scripts/setup.sh

build: ## Build everything as tests and the demonstration use it
	@scripts/setup.sh --build-only
	@$(ENV) cargo build $$OPENSAND_WORKSPACE --all-targets

demo: ## Pay for an inference and see it proven and verified; KEEP=1 leaves the chain running
	@scripts/setup.sh --build-only
	@$(ENV) cargo build $$OPENSAND_WORKSPACE --all-targets
	@$(ENV) KEEP=$(KEEP) "$$CARGO_TARGET_DIR"/release/demo

test: ## Lint, unit, property, client and network tests; ends with `N passed, N failed`
	@scripts/setup.sh
	@scripts/test.sh

test-long: ## The network tests that wait long: an election, faults, repair and loss of stored data
	@scripts/setup.sh
	@scripts/test.sh --long

lint: ## Formatting and clippy, warnings as errors
	@scripts/lint.sh

format: ## Format the Rust sources
	@$(ENV) cargo fmt --all

bench: ## Measure the figures in benchmarking/README.md and write them there
	@scripts/setup.sh --build-only
	@$(ENV) cargo build $(WITH_FIGURES)
	@$(ENV) "$$CARGO_TARGET_DIR"/release/figures benchmarking/README.md

bench-storage: ## Measure the figures in benchmarking/storage.md and write them there; NETWORK_MIB=64 is quicker
	@scripts/setup.sh --build-only
	@$(ENV) cargo build $(WITH_FIGURES)
	@$(ENV) "$$CARGO_TARGET_DIR"/release/storage-figures write benchmarking/storage.md
	# What single steps are compared to.
	@$(ENV) export CARGO_TARGET_DIR=$(BENCH_DIR); \
	cargo run --release --package opensand-slices --example bench-slices; \
	cargo bench --package opensand-storage-proof; \
	cargo bench --package opensand-blocks

bench-zk: ## Measure the figures in benchmarking/zk.md, EZKL's and ark-groth16's beside ours, and write them there
	@scripts/setup.sh --build-only
	@$(ENV) cargo build $(WITH_FIGURES)
	@$(ENV) scripts/ezkl.sh
	@$(ENV) CARGO_TARGET_DIR=$(BENCH_DIR) cargo bench --package opensand-zk-prover >"$$OPENSAND_CACHE"/provers.json
	@$(ENV) "$$CARGO_TARGET_DIR"/release/zk-figures write benchmarking/zk.md \
		--provers "$$OPENSAND_CACHE"/provers.json --ezkl "$$OPENSAND_CACHE"/ezkl/bin/python

cuda: ## Build the plug-in that proves on NVIDIA's devices; installs a compiler if there is none
	@scripts/cuda.sh

weights: ## Benchmark the pallets of this project and write their weights
	@scripts/setup.sh --build-only
	# Apart: what the runner brings does not compile with the features of the runtime that it runs.
	@$(ENV) export CARGO_TARGET_DIR=$(WEIGHTS_DIR); \
	cargo build --release --package opensand-benchmark-runner; \
	cargo build --release --package opensand-runtime --features runtime-benchmarks; \
	for pallet in $(PALLETS); do \
		"$$CARGO_TARGET_DIR"/release/opensand-benchmark-runner pallet \
			--runtime "$$CARGO_TARGET_DIR"/release/wbuild/opensand-runtime/opensand_runtime.compact.compressed.wasm \
			--genesis-builder runtime --pallet "pallet_$$pallet" --extrinsic '*' --steps $(STEPS) --repeat $(REPEAT) \
			--template benchmarking/weights.hbs --output "pallets/$$pallet/src/weights.rs"; \
	done; \
	cargo fmt $(PALLETS:%=--package pallet-%)

fuzz: ## Fuzz every decoder for FUZZ_SECONDS (default 60) each; needs a nightly toolchain
	@scripts/fuzz.sh

release: ## Build the node to ship: full-length periods, metadata hash in the runtime
	@scripts/setup.sh --build-only
	@$(ENV) CARGO_TARGET_DIR=$(RELEASE_DIR) cargo build $$OPENSAND_CRATES --locked --bin opensand-node \
		--features opensand-node/metadata-hash
	@$(ENV) ls -lh $(RELEASE_DIR)/release/opensand-node \
		$(RELEASE_DIR)/release/wbuild/opensand-runtime/opensand_runtime.compact.compressed.wasm

chain-specs: release ## Write the plain and raw chain specs under chain-specs/
	@scripts/chain-specs.sh
