# SPDX-License-Identifier: MPL-2.0
# keel-test: root=debian-min seconds=60
# bash's own machinery, and much of it: job control, traps, coprocesses, many processes.
echo "== arrays, here-strings, process substitution"
declare -A map=([one]=1 [two]=2 [three]=3)
for key in $(printf '%s\n' "${!map[@]}" | sort); do echo "$key=${map[$key]}"; done
list=(a 'b c' d); list+=(e); echo "${#list[@]} ${list[1]} ${list[*]:2}"
read -r first rest <<<"hello brave new world"; echo "$first|$rest"
diff <(seq 1 5) <(seq 1 2 5); echo "diff: $?"
seq 1 1000 | tee >(wc -l >lines) >(tail -n 1 >last) >/dev/null; wait; sleep 0.2; cat lines last
paste <(seq 3) <(seq 4 6) <(printf 'x\ny\nz\n')
mapfile -t words < <(tr ' ' '\n' <<<"$rest"); echo "${words[-1]} ${#words[@]}"
printf '%q %s %(%Y)T\n' "it's" "$(printf '%05.1f' 3.14159)" 0
[[ "keel-2026" =~ ^([a-z]+)-([0-9]+)$ ]] && echo "${BASH_REMATCH[2]} ${BASH_REMATCH[1]^^}"
echo "== coproc"
coproc CALC { while read -r x; do echo $((x * x)); done; }
for i in 3 12 111; do echo $i >&"${CALC[1]}"; read -r answer <&"${CALC[0]}"; echo "$i squared is $answer"; done
pid=$CALC_PID; eval "exec ${CALC[1]}>&-"; wait "$pid"; echo "coproc ended: $?"
echo "== wait -n, wait -p"
(sleep 2; exit 3) & (sleep 0.1; exit 4) &
wait -n -p which; echo "first: $?"; wait -n; echo "second: $?"; wait -n; echo "none left: $?"
echo "== traps"
bash -c 'trap "echo usr1" USR1; trap "echo term; exit 9" TERM; kill -USR1 $$; kill -TERM $$; sleep 5'; echo "status $?"
bash -c 'trap "echo bye" EXIT; set -e; false; echo not reached'; echo "status $?"
bash -c 'trap "echo err at \$LINENO" ERR; false; true; (exit 2); :'
bash -c 'trap "echo chld" CHLD; sleep 0.1 & wait; sleep 0.1 & wait; trap - CHLD'
trap 'echo interrupted wait' ALRM
(sleep 0.3; kill -ALRM $$) & sleep 20 & job=$!; wait $job; echo "wait: $?"; kill $job; wait $job 2>/dev/null
echo "== job control"
cat >jobs.sh <<'END'
set -m
sleep 30 & one=$!; sleep 31 & two=$!
kill -STOP %1; until [ "$(jobs -s | wc -l)" = 1 ]; do sleep 0.1; done; jobs | sed 's/^\(\[[0-9]*\].\) */\1 /'
kill -CONT %1; until [ "$(jobs -s | wc -l)" = 0 ]; do sleep 0.1; done; jobs -r | wc -l
kill %1 %2; wait $one; echo "one: $?"; wait $two; echo "two: $?"
(kill -STOP $BASHPID; echo continued; exit 5) & until [ "$(jobs -s | wc -l)" = 1 ]; do sleep 0.1; done
jobs -s | wc -l; fg %% >/dev/null; echo "fg: $?"
[ "$(ps -o pgid= -p $$)" != "$(sleep 5 & ps -o pgid= -p $!; kill $!)" ] && echo "own group"
END
bash jobs.sh 2>&1 | grep -v "Terminated\|jobs.sh: line"
echo "== 500 forks"
for i in $(seq 500); do (exit $((i % 7))) || echo $?; done | sort | uniq -c
for i in $(seq 100); do { read -r n; echo $((n + i)); } < <(echo 1000) & done | awk '{ s += $1 } END { print s }'
wait
f() { local n=$1; ((n == 0)) && { echo deep; return; }; (f $((n - 1))); }
f 40
echo "== signals to groups"
setsid bash -c 'trap "" HUP; (trap "echo child got it >> got" USR2; sleep 3 & wait $!) & sleep 1; trap "" USR2; kill -USR2 0; wait'; cat got
timeout 0.3 sleep 5; echo "timeout $?"; bash -c "timeout -s KILL 0.3 sleep 5; exit \$?" 2>/dev/null; echo "timeout $?"
timeout --preserve-status 3 bash -c 'trap "exit 21" TERM; sleep 30 & wait'; echo "timeout $?"
echo "== redirections"
exec {fd}<>file; echo line >&$fd; exec {fd}>&-; cat file
{ echo out; echo err >&2; } &>both; wc -l <both
cat <<-END
	tab stripped $((1 + 1))
END
echo abc >|file; set -o noclobber; (echo x >file) 2>/dev/null || echo "kept $(cat file)"
ulimit -n 20; (for i in {1..30}; do exec {x}</dev/null || break; done; echo done) 2>&1 | sed 's/.*: //' | tail -n 1
bash -c "ulimit -f 1; head -c 5000 /dev/zero >big; exit \$?" 2>/dev/null; echo "fsize $? $(stat -c %s big)"
