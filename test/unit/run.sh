#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# Runs host test programs one after the other and prints one TAP stream; exits 1 if anything failed.
# usage: run.sh PROGRAM...
for program in "$@"; do
	timeout 120 "$program" >"$program.tap" 2>"$program.err"
	sed '/^1\.\.[0-9]*$/d' "$program.tap"
	# A sanitizer's report, or a program that ended without a line for every test of its plan.
	want=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' "$program.tap")
	have=$(grep -c -E '^(not )?ok ' "$program.tap")
	if [ -s "$program.err" ] || [ "$have" -lt 1 ] || [ "$have" -lt "${want:-1}" ]; then
		echo "not ok 0 - $(basename "$program"): ended early or with a report"
		sed 's/^/# /' "$program.err" | head -60
	fi
done | awk '
	/^(not )?ok / { n++; sub(/ok [0-9]+ /, "ok " n " "); if (/^not /) bad++ }
	{ print; fflush() }
	END { printf "1..%d\n# %d passed, %d failed\n", n, n - bad, bad; exit bad || !n }'
