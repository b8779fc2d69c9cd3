#!/usr/bin/env bash
# Runs every suite, keeps going after a failure, and closes with the counts of all of them: `N passed, N failed`.
# Called by `make test` and, with --long, by `make test-long`; scripts/setup.sh has run before.
#
# Tests of networks mostly wait for blocks, and lints and unit tests only compute: they run side by side, the latter with
# what the former leave. Every suite's whole output is kept in $OPENSAND_CACHE/logs.
set -uo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh

logs=$OPENSAND_CACHE/logs
rm -rf "$logs"
mkdir -p "$logs"
# The nodes that tests start log here, one file each.
export OPENSAND_LOGS=$logs/nodes
# A line a suite, of all that ran side by side: name, passed, failed.
counts=$logs/counts
: >"$counts"

count() { # <suite> <passed> <failed>
	printf '%s\t%d\t%d\n' "$1" "$2" "$3" >>"$counts"
	printf '    %s: %d passed, %d failed\n' "$1" "$2" "$3"
}

finish() {
	echo
	awk -F '\t' -v logs="$logs" '
		$3 > 0 { file = $1; gsub(/ /, "-", file); printf "failed: %s (see %s/%s.log)\n", $1, logs, file }
		{ passed += $2; failed += $3 }
		END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 }' "$counts"
	exit $?
}

stop_after_failure() {
	awk -F '\t' '{ failed += $3 } END { exit failed > 0 }' "$counts" || finish
}

# Runs a command, shows its output and keeps it; the caller reads $log and $status.
record() { # <suite> <command...>
	local suite=$1
	shift
	log="$logs/${suite// /-}.log"
	printf '\n==> %s\n' "$suite"
	local start=$SECONDS
	"$@" 2>&1 | tee "$log"
	status=${PIPESTATUS[0]}
	printf '    %d s\n' $((SECONDS - start))
}

# A check that passes or fails as a whole counts as one.
check() {
	record "$@"
	if [ "$status" -eq 0 ]; then count "$1" 1 0; else count "$1" 0 1; fi
}

# Sums what a test runner says. A command that fails without a failed test, such as a crash, counts as one failure.
tests() { # <pattern of passed> <pattern of failed> <suite> <command...>
	local passed=$1 failed=$2
	shift 2
	record "$@"
	local ok bad
	ok=$(sed -n "$passed" "$log" | awk '{ n += $1 } END { print n + 0 }')
	bad=$(sed -n "$failed" "$log" | awk '{ n += $1 } END { print n + 0 }')
	if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
	count "$1" "$ok" "$bad"
}

# libtest's "test result:" lines.
rust_tests() { # <suite> <command...>
	tests 's/^test result: .* \([0-9]*\) passed;.*/\1/p' 's/^test result: .* \([0-9]*\) failed;.*/\1/p' "$@"
}

# The closing lines of Node.js' test runner.
node_tests() { # <suite> <command...>
	tests 's/^# pass \([0-9]*\)$/\1/p' 's/^# fail \([0-9]*\)$/\1/p' "$@"
}

workspace() { # <cargo subcommand> <arguments...>
	local subcommand=$1
	shift
	# shellcheck disable=SC2086 -- a list of words
	cargo "$subcommand" $OPENSAND_WORKSPACE "$@"
}

# Each starts nodes. Those of a list run one after the other, and the lists side by side.
chain_tests=(network faults replay committed_weights subxt_client)
storage_tests=(storage market storage_commands)
service_tests=(archive hidden_input database demo observed)

# Builds the network tests and notes where their programs are: cargo would wait for whatever else is being compiled.
build_network_tests() {
	local artifacts=$logs/network-tests.json
	# shellcheck disable=SC2046 -- a list of words
	workspace test --no-run --message-format json-render-diagnostics \
		$(printf -- '--test %s ' "${chain_tests[@]}" "${storage_tests[@]}" "${service_tests[@]}") >"$artifacts" || return
	sed -n 's/.*"kind":\["test"\].*"name":"\([^"]*\)","src_path".*"executable":"\([^"]*\)".*/\1 \2/p' "$artifacts" \
		>"$logs/network-tests"
}

run_network_tests() { # <test...>
	local name program status=0
	for name in "$@"; do
		program=$(awk -v name="$name" '$1 == name { print $2 }' "$logs/network-tests")
		(cd tests && "${program:?no program of $name}" --test-threads=1) || status=1
	done
	return $status
}

chain_networks() {
	rust_tests "network tests" run_network_tests "${chain_tests[@]}"
	node_tests "JavaScript clients" npm --prefix tests/clients test --silent
}

storage_networks() {
	rust_tests "storage network tests" run_network_tests "${storage_tests[@]}"
}

service_networks() {
	rust_tests "network tests of services" run_network_tests "${service_tests[@]}"
}

# Runs a function beside what follows, in a process group of its own, so that its nodes end with it.
lanes=()
beside() { # <function>
	set -m
	"$1" >"$logs/$1.txt" 2>&1 &
	set +m
	lanes+=($!)
}

end_lanes() {
	local lane
	for lane in "${lanes[@]}"; do kill -- "-$lane" 2>/dev/null; done
}

if [ "${1:-}" = --long ]; then
	check "build" workspace build --all-targets
	stop_after_failure
	check "clippy of the figures" scripts/lint.sh clippy-figures
	rust_tests "long proofs on the mock device" workspace test --test proofs_long
	rust_tests "long network tests" workspace test --no-fail-fast --test network_long --test storage_long \
		--test storage_faults -- --test-threads=1
	finish
fi

check "formatting" scripts/lint.sh formatting
check "no panics in pallets" scripts/lint.sh panics
check "one SDK line" scripts/check-duplicates.sh
check "licences and sources" "$OPENSAND_CACHE/tools/bin/cargo-deny" --log-level error --workspace check --hide-inclusion-graph licenses bans sources
check "build" workspace build --all-targets
check "build of the network tests" build_network_tests
stop_after_failure

printf '\n==> the network tests have begun; what they say follows at the end\n'
trap end_lanes EXIT
beside chain_networks
beside storage_networks
beside service_networks
check "clippy" nice -n 10 scripts/lint.sh clippy
check "clippy of the network tests" nice -n 10 scripts/lint.sh clippy-network-tests
# shellcheck disable=SC2086 -- a list of words
rust_tests "unit and property tests" nice -n 10 cargo test $OPENSAND_WORKSPACE --no-fail-fast
wait "${lanes[@]}"
trap - EXIT
cat "$logs"/{chain,storage,service}_networks.txt
finish
