# SPDX-License-Identifier: MPL-2.0
# The shell's own machinery: expansion, functions, traps, pipes, substitution, jobs, status.
set -u
echo "== expansion"
name=world
echo "hello ${name} ${name%ld} ${name#wo} ${#name} ${none:-default} $((7 * 6 % 11))"
for file in /etc/pass* /etc/no-such-*; do echo "$file"; done
echo "== functions and loops"
fact() { [ "$1" -le 1 ] && echo 1 || echo $(($1 * $(fact $(($1 - 1))))); }
fact 10
i=0
while [ $i -lt 3 ]; do i=$((i + 1)); [ $i -eq 2 ] && continue; echo "turn $i"; done
case abc in a?c) echo matched ;; *) echo missed ;; esac
echo "== status"
false; echo $?
(exit 7); echo $?
sh -c 'kill -TERM $$'; echo $?
true | false; echo $?
no-such-program 2>/dev/null; echo $?
echo "== redirection"
{ echo out; echo err >&2; } 2>both >&2; cat both
exec 5>five; echo to five >&5; exec 5>&-; cat five
cat <<END | tr a-z A-Z
here $name
END
echo "== substitution and pipes"
echo "$(echo nested "$(echo deeper)")"
seq 1 100000 | sort -rn | head -n 3
yes | head -n 5 | wc -l
mkfifo pipe; (echo through the fifo > pipe) & cat pipe; wait
echo "== traps and signals"
sh -c 'trap "echo caught; exit 3" USR1; kill -USR1 $$; echo not reached'; echo $?
sh -c 'trap "" TERM; kill -TERM $$; echo survived'
sh -c 'trap "echo leaving" EXIT; exit 5'; echo $?
sleep 30 & job=$!; kill $job; wait $job; echo "job: $?"
echo "== jobs in parallel"
for n in 1 2 3 4 5 6 7 8; do (i=0; while [ $i -lt 200 ]; do i=$((i + 1)); done; echo $n > done.$n) & done
wait
cat done.*
echo "== environment"
A=1 B='two words' env | grep -E '^[AB]='
env -i X=y /bin/sh -c 'echo $X ${HOME:-none}'
echo "== limits"
(ulimit -n 20; ulimit -n)
(umask 077; touch private; ls -l private | cut -c1-10)
