#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""`./keel run -- CMD` as scripts use it: data, ends of file, statuses, limits. And the ways out of
an interactive run: the escape, a signal, a reboot.

Run by `./keel test console`, or by hand: test/console/command.py ./keel run [OPTIONS]
"""

import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools"))

from run.expect import Person, Tap, launch_command  # noqa: E402

SECONDS = 120
RUN = launch_command()


def run(*command, options=(), **how):
    """Run one command in a guest of its own; returns subprocess's result."""
    how.setdefault("stdin", None if "input" in how else subprocess.DEVNULL)
    return subprocess.run([*RUN, *options, "--", *command], capture_output=True, timeout=SECONDS,
                          **{key: value for key, value in how.items() if value is not None})


def told(done, status, output=None, error=None):
    """Compare with what is expected; True, or a description of what came instead."""
    good = (done.returncode == status and output in (None, done.stdout)
            and error in (None, done.stderr))
    return good or (f"status {done.returncode}, output {done.stdout[:500]!r}, "
                    f"error {done.stderr[-2000:]!r}")


def both_outputs_and_status():
    script = 'echo "$1" "$2"; echo error >&2; exit 42'
    return told(run("sh", "-c", script, "sh", "two words", "a'b\"c\\"), 42,
                b"two words a'b\"c\\\n", b"error\n")


def nothing_but_its_output():
    return told(run("true"), 0, b"", b"")


def binary_data_both_ways():
    data = random.Random(1).randbytes(300_000)
    done = run("cat", input=data)
    return done.stdout == data or told(done, 0, hashlib.sha1(data).hexdigest())


def every_byte_value():
    data = bytes(range(256)) * 3
    return told(run("cat", input=data), 0, data, b"")


def end_of_input():
    return told(run("sh", "-c", "wc -c; cat", input=b"12345"), 0, b"5\n", b"")


def no_input_at_all():
    return told(run("sh", "-c", "cat; echo $?", stdin=subprocess.DEVNULL), 0, b"0\n", b"")


def input_that_stays_open():
    reader, writer = os.pipe()
    try:
        return told(run("echo", "early", stdin=reader), 0, b"early\n", b"")
    finally:
        os.close(reader)
        os.close(writer)


def input_that_nobody_reads():
    """The writer must learn that the command closed its input."""
    source = subprocess.Popen(["yes"], stdout=subprocess.PIPE)
    done = run("sh", "-c", "exec <&-; sleep 1; echo done", stdin=source.stdout)
    source.stdout.close()
    status = source.wait(10)
    return status == -signal.SIGPIPE and told(done, 0, b"done\n", b"") or f"{status} {done}"


def output_that_nobody_reads():
    process = subprocess.Popen([*RUN, "--", "yes"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE)
    first = process.stdout.read(4)
    process.stdout.close()
    status = process.wait(SECONDS)
    return (first, status) == (b"y\ny\n", 128 + signal.SIGPIPE) or f"{first} {status}"


def slow_reader():
    """What waits for us must wait in the guest, not get lost on the way."""
    script = "seq 1 60000; echo end >&2"
    process = subprocess.Popen([*RUN, "--", "sh", "-c", script], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process.stdout.read(10)
    time.sleep(10)
    rest = process.stdout.read()
    process.wait(SECONDS)
    return len(rest) + 10 == sum(len(str(number)) + 1 for number in range(1, 60001)) or len(rest)


def output_left_behind():
    """A process left running does not hold up the end, and what was written is not lost."""
    script = "(while :; do echo x; done) & head -c 100000 /dev/zero; echo end >&2"
    done = run("sh", "-c", script)
    return (done.returncode == 0 and done.stdout.count(b"\0") == 100000
            and done.stderr == b"end\n") or told(done, 0, b"...")


def death_by_signal():
    return told(run("sh", "-c", "kill -SEGV $$"), 128 + signal.SIGSEGV, b"", b"")


def programs_that_cannot_run():
    first = told(run("no-such-program"), 127, b"", b"keel: no-such-program: not found\n")
    second = told(run("/etc/passwd"), 126, b"", b"keel: /etc/passwd: Permission denied\n")
    return first is True and second is True or f"{first} {second}"


def many_arguments():
    count = 20000
    arguments = [str(number) for number in range(count)]
    return told(run("sh", "-c", 'echo $#; shift 19999; echo "$1"', "sh", *arguments), 0,
                b"20000\n19999\n", b"")


def environment_and_directory():
    done = run("sh", "-c", 'echo "$A|$HOME"; pwd', options=["--env", "A=b c", "--cwd", "/etc"])
    return told(done, 0, b"b c|/root\n/etc\n", b"")


def words_for_init():
    """Unknown words with "=" are init's environment: the last value, in the first one's place."""
    done = run("cat", "/proc/1/environ", options=["--append", "FOO=1 TERM=vt100 FOO=2"])
    return told(done, 0, b"HOME=/\0TERM=vt100\0FOO=2\0", b"")


def timeout():
    started = time.monotonic()
    done = run("sh", "-c", "echo before; sleep 1000", options=["--timeout", "20"])
    return told(done, 124, b"before\n") is True and time.monotonic() - started < 30


def stopped_by_a_signal():
    """The machine is gone then, and so are our temporary files."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([*RUN, "--", "sleep", "1000"], stdin=subprocess.DEVNULL,
                                   env={**os.environ, "TMPDIR": folder})
        try:
            while not os.listdir(folder) and process.poll() is None:
                time.sleep(0.1)
            time.sleep(1)
            process.terminate()
            status = process.wait(SECONDS)
        finally:
            process.kill()
        left = os.listdir(folder)
    return (status, left) == (128 + signal.SIGTERM, []) or f"{status} {left}"


def no_status():
    done = run("sh", "-c", "echo b > /proc/sysrq-trigger || poweroff -f; sleep 100")
    return (done.returncode == 125 and b"without giving a status" in done.stderr
            or told(done, 125, b""))


def escape_ends_the_machine():
    with Person(RUN, patience=SECONDS) as person:
        before = termios.tcgetattr(person.terminal)
        person.wait_prompt()
        person.press("ctrl-a", "x")
        status = person.wait_end()
        after = termios.tcgetattr(person.terminal)
    return status == 0 and before == after or f"status {status}"


def terminal_comes_back_after_a_signal():
    with Person(RUN, patience=SECONDS) as person:
        before = termios.tcgetattr(person.terminal)
        person.wait_prompt()
        during = termios.tcgetattr(person.terminal)
        person.process.terminate()
        status = person.wait_end()
        after = termios.tcgetattr(person.terminal)
    return status == 143 and before == after != during or f"status {status}"


def reboot_ends_the_machine():
    with Person(RUN, patience=SECONDS) as person:
        person.wait_prompt()
        person.type("reboot -f\r")
        return person.wait_end() == 0


def piped_script():
    done = subprocess.run(RUN, input=b"echo $((6 * 7))\ntty\n", capture_output=True,
                          timeout=SECONDS)
    return (done.returncode == 0 and b"\n42\r\n" in done.stdout
            and b"/dev/ttyS0" in done.stdout) or told(done, 0, b"...")


STEPS = (both_outputs_and_status, nothing_but_its_output, binary_data_both_ways, every_byte_value,
         end_of_input, no_input_at_all, input_that_stays_open, input_that_nobody_reads,
         output_that_nobody_reads, slow_reader, output_left_behind, death_by_signal,
         programs_that_cannot_run, many_arguments, environment_and_directory, words_for_init,
         timeout, stopped_by_a_signal, no_status, escape_ends_the_machine,
         terminal_comes_back_after_a_signal, reboot_ends_the_machine, piped_script)


def main():
    tap = Tap()
    for step in STEPS:
        try:
            tap.step(step.__name__.replace("_", " "), step)
        except subprocess.TimeoutExpired as problem:
            tap.check(False, step.__name__.replace("_", " "), problem)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
