#!/usr/bin/env bash
# Runs every suite, keeps going after a failure, and closes with the counts of all of them: `N passed, N failed`.
# Called by `make test` and, with --long, by `make test-long`; scripts/setup.sh has run before.
#
# Every suite's whole output is kept in $OPENSAND_CACHE/logs.
set -uo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh

logs=$OPENSAND_CACHE/logs
rm -rf "$logs"
mkdir -p "$logs"
# The nodes that tests start log here, one file each.
export OPENSAND_LOGS=$logs/nodes
passed=0
failed=0
failures=()

count() { # <suite> <passed> <failed>
	passed=$((passed + $2))
	failed=$((failed + $3))
	[ "$3" -eq 0 ] || failures+=("$1")
	printf '    %s: %d passed, %d failed\n' "$1" "$2" "$3"
}

finish() {
	echo
	for suite in ${failures[@]+"${failures[@]}"}; do
		echo "failed: $suite (see $logs/${suite// /-}.log)"
	done
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ] || exit 1
	exit 0
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

# Sums libtest's "test result:" lines. A command that fails without a failed test, such as a crash, counts as one failure.
rust_tests() {
	record "$@"
	local ok bad
	ok=$(sed -n 's/^test result: .* \([0-9]*\) passed;.*/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
	bad=$(sed -n 's/^test result: .* \([0-9]*\) failed;.*/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
	if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
	count "$1" "$ok" "$bad"
}

# Sums the closing lines of Node.js' test runner.
node_tests() {
	record "$@"
	local ok bad
	ok=$(sed -n 's/^# pass \([0-9]*\)$/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
	bad=$(sed -n 's/^# fail \([0-9]*\)$/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
	if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
	count "$1" "$ok" "$bad"
}

workspace() { # <cargo subcommand> <arguments...>
	local subcommand=$1
	shift
	# shellcheck disable=SC2086 -- a list of words
	cargo "$subcommand" $OPENSAND_WORKSPACE "$@"
}

# Each starts nodes; one runs at a time.
network_tests=(--test network --test faults --test replay --test storage --test market --test subxt_client)

if [ "${1:-}" = --long ]; then
	check "build" workspace build --all-targets
	[ "$failed" -eq 0 ] || finish
	rust_tests "long network tests" workspace test --no-fail-fast --test network_long --test storage_long -- --test-threads=1
	finish
fi

check "formatting" scripts/lint.sh formatting
check "one SDK line" scripts/check-duplicates.sh
check "licences and sources" "$OPENSAND_CACHE/tools/bin/cargo-deny" --log-level error --workspace check --hide-inclusion-graph licenses bans sources
check "build" workspace build --all-targets
[ "$failed" -eq 0 ] || finish
check "clippy" scripts/lint.sh clippy
check "clippy of the network tests" scripts/lint.sh clippy-network-tests
rust_tests "unit and property tests" workspace test --no-fail-fast
rust_tests "network tests" workspace test --no-fail-fast "${network_tests[@]}" -- --test-threads=1
node_tests "JavaScript clients" npm --prefix tests/clients test --silent
finish
