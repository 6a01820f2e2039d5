#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Uses the busybox shell on the console as a person would, and checks what that person sees.

Run by `./keel test console`, or by hand: test/console/shell.py ./keel run [OPTIONS]
"""

import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools"))

from run.expect import Person, Tap, launch_command  # noqa: E402

BOOT_SECONDS = 120
SLOW = 60


def main():
    tap = Tap()
    with Person(launch_command(), patience=30) as person:
        tap.step("boots to a prompt", lambda: bool(person.wait_prompt(BOOT_SECONDS)))
        if tap.failed:
            return tap.finish()
        for text, function in STEPS:
            tap.step(text, function, person)
            if tap.failed and not recover(person):
                break
    return tap.finish()


def recover(person):
    """After a failed step: back to an empty prompt, if the shell still lives."""
    for keys in ("\x1b", ":q!\r", "q", "\x03", "\x15\r", "stty sane\r"):
        if person.process.poll() is None:
            person.type(keys)
            person.pause(0.5)
    return person.process.poll() is None


def equal(person, line, wanted, seconds=None):
    """The command prints exactly this; else say what it printed."""
    printed = person.command(line, seconds)
    return printed == wanted or f"{line}: {printed!r}, not {wanted!r}"


def matches(person, line, pattern, seconds=None):
    printed = person.command(line, seconds)
    return bool(re.search(pattern, printed)) or f"{line}: {printed!r} lacks {pattern!r}"


def start(person, line):
    """Start a program that stays in the foreground, and let it get ready for input: what is
    typed while the shell changes the terminal's mode may be lost, on Linux too."""
    person.type(line + "\r")
    person.wait(r"\n")
    person.pause(0.5)


# --- the line ---------------------------------------------------------------------------------

def simple_command(person):
    return equal(person, "echo one two", "one two")


def backspace(person):
    person.type("echo wronk")
    person.press("backspace")
    person.type("g\r")
    return bool(person.wait(r"\nwrong\n")) and bool(person.wait_prompt())


def arrows(person):
    person.type("echo bd")
    person.press("left")
    person.type("c")
    person.press("home")
    for _ in range(5):
        person.press("right")
    person.type("a")
    person.press("end")
    person.type("e\r")
    return bool(person.wait(r"\nabcde\n")) and bool(person.wait_prompt())


def history(person):
    person.command("echo first-line")
    person.command("echo second-line")
    person.press("up", "up")
    person.wait_screen(lambda screen: screen.current_line().endswith("echo first-line"))
    person.press("down")
    person.wait_screen(lambda screen: screen.current_line().endswith("echo second-line"))
    person.press("enter")
    return bool(person.wait(r"\nsecond-line\n")) and bool(person.wait_prompt())


def completion(person):
    person.type("cat /etc/host")
    person.press("tab")
    person.type("n")
    person.press("tab", "enter")
    return bool(person.wait(r"\nkeel\n")) and bool(person.wait_prompt())


def typed_ahead(person):
    person.type("sleep 1\recho typed ahead\r")
    # The terminal echoes what comes while it is canonical: "\ntyped ahead\n" may be such an echo.
    person.wait(r"# echo typed ahead\ntyped ahead\n")
    return bool(person.wait_prompt())


def abandoned_line(person):
    person.type("echo never")
    person.press("ctrl-c")
    person.wait_prompt()
    return equal(person, "echo $?", "130")


# --- programs on the whole screen -------------------------------------------------------------

def vi(person):
    person.type("vi poem\r")
    person.wait_screen(lambda screen: screen.lines()[1] == "~" and "poem" in screen.lines()[23])
    person.type("iroses are red\rviolets are bleu")
    person.press("escape")
    person.wait_screen(lambda screen: screen.lines()[1] == "violets are bleu")
    person.type("hrue")       # on the e of "bleu": "eu" is to become "ue"
    person.press("escape")
    person.type("x")
    person.wait_screen(lambda screen: screen.lines()[1] == "violets are blu")
    person.type("ae")
    person.press("escape")
    person.type("yyp")
    person.wait_screen(lambda screen: screen.lines()[2] == "violets are blue")
    person.type("dd:w\r")
    person.wait_screen(lambda screen: "poem" in screen.lines()[23])
    person.type(":q\r")
    person.wait_prompt()
    return equal(person, "cat poem", "roses are red\nviolets are blue")


def top(person):
    person.type("top\r")
    person.wait_screen(lambda screen: any(re.match(r"Mem: \d+K used", line)
                                          for line in screen.lines()))
    person.wait_screen(lambda screen: any(re.match(r"\s*PID\s+PPID\s+USER", line)
                                          for line in screen.lines()))
    person.wait_screen(lambda screen: any(re.match(r"\s*\d+\s+\d+ root .*\btop$", line)
                                          for line in screen.lines()))
    person.type("q")
    return bool(person.wait_prompt())


def less(person):
    person.type("seq 1 100 | less\r")
    person.wait_screen(lambda screen: screen.lines()[:3] == ["1", "2", "3"])
    person.type(" ")
    person.wait_screen(lambda screen: "46" in screen.lines())
    person.pause(0.5)
    person.type("/77\r")
    person.wait_screen(lambda screen: "77" in screen.lines())
    person.type("q")
    return bool(person.wait_prompt())


# --- jobs and signals -------------------------------------------------------------------------

def interrupt_sleep(person):
    started = time.monotonic()
    start(person, "sleep 100")
    person.press("ctrl-c")
    person.wait_prompt()
    return time.monotonic() - started < 50 and equal(person, "echo $?", "130")


def interrupt_cat(person):
    start(person, "cat")
    person.type("to and fro\r")
    person.wait(r"to and fro\nto and fro\n")
    person.press("ctrl-c")
    person.wait_prompt()
    return equal(person, "echo $?", "130")


def end_of_file(person):
    start(person, "wc -c")
    person.type("12345\r")
    person.wait("12345\n")
    person.press("ctrl-d")
    person.wait(r"\b6\n")
    return bool(person.wait_prompt())


def quit_signal(person):
    start(person, "sleep 100")
    person.press("ctrl-\\")
    person.wait_prompt()
    return equal(person, "echo $?", "131")


def stop_and_foreground(person):
    start(person, "sleep 3; echo slept")
    person.press("ctrl-z")
    person.wait(r"Stopped")
    person.wait_prompt()
    person.type("fg\r")
    person.wait(r"sleep 3")
    return bool(person.wait_prompt(SLOW))


def stop_and_background(person):
    start(person, "sleep 2")
    person.press("ctrl-z")
    person.wait(r"Stopped")
    person.wait_prompt()
    state = person.command("jobs")
    person.command("bg")
    running = person.command("jobs")
    person.command("wait")
    ended = person.command("jobs")
    return ("Stopped" in state and "Running" in running and "Running" not in ended
            or f"{state!r} {running!r} {ended!r}")


def background_jobs(person):
    person.command("(sleep 1; echo one > job1) & (sleep 1; echo two > job2) &")
    person.command("wait")
    return equal(person, "cat job1 job2", "one\ntwo")


def background_reader_stops(person):
    person.command("cat &")
    person.pause(1)
    state = person.command("jobs")
    person.command("kill -KILL %1; wait")
    return "Stopped (tty input)" in state or state


def kill_a_job(person):
    person.command("sleep 1000 &")
    return matches(person, "kill $!; wait $!; echo status $?", r"status 143")


# --- pipes, files, trees ----------------------------------------------------------------------

def pipeline(person):
    return equal(person, "seq 1 1000 | grep 7 | sort -r | head -n 2 | tr '\\n' ,; echo", "997,987,")


def broken_pipe(person):
    return equal(person, "yes | head -n 100000 | tail -n 1", "y", SLOW)


def here_document(person):
    person.type("tr a-z A-Z <<END\r")
    person.type("shout\r")
    person.type("END\r")
    person.wait(r"\nSHOUT\n")
    return bool(person.wait_prompt())


def find_count(person):
    applets = int(person.command("busybox --list | wc -l"))
    found = int(person.command("find / -xdev | wc -l", SLOW))
    return found > applets or f"{found} files, {applets} applets"


def tar_tree(person):
    for line in ("mkdir -p tree/a/b tree/c; cp /bin/busybox tree/a", "seq 1 5000 > tree/a/b/n",
                 "ln -s ../a/b/n tree/c/link; ln tree/a/b/n tree/c/hard", "chmod 640 tree/c/hard",
                 "tar -czf tree.tgz tree && mkdir copy && tar -xzf tree.tgz -C copy",
                 "columns='{print $1, $2, $3, $5, $NF}'",
                 "list() { find . ! -type d | sort | xargs ls -ld | awk \"$columns\"; }",
                 "(cd tree; list) > list1; (cd copy/tree; list) > list2"):
        printed = person.command(line, SLOW)
        if printed:
            return f"{line}: {printed}"
    return equal(person, "diff -r tree copy/tree && cmp list1 list2 && wc -l < list1", "4", SLOW)


# --- the system -------------------------------------------------------------------------------

def processes(person):
    return matches(person, "ps", r"(?s)PID +USER +.*\n +1 root +.*init.*(\bps|\{ps\}.*)$")


def mounts(person):
    return matches(person, "mount", r"(?s)(^|\n)proc on /proc type proc \(rw")


def mount_tmpfs(person):
    person.command("mkdir -p /mnt/t; mount -t tmpfs -o size=1m none /mnt/t; echo in > /mnt/t/f")
    inside = person.command("cat /mnt/t/f; df -k /mnt/t | tail -n 1")
    full = person.command("dd if=/dev/zero of=/mnt/t/big bs=64k count=32 2>&1 | tail -n 3")
    person.command("umount /mnt/t")
    after = person.command("ls /mnt/t | wc -l")
    good = (re.search(r"^in\n\S+ +1024 ", inside) and "No space left" in full and after == "0")
    return bool(good) or f"{inside!r} {full!r} {after!r}"


def disk_free(person):
    return matches(person, "df -a", r"(?s)^Filesystem .*\n\w+ +\d+ +\d+ +\d+ +\d+% /dev\n")


def memory_free(person):
    return matches(person, "free", r"(?s)total +used +free.*\nMem: +\d+ +\d+ +\d+ ")


def kernel_log(person):
    return matches(person, "dmesg | wc -l", r"^[1-9]\d*$")


def load(person):
    return matches(person, "uptime", r"up .*load average: \d+\.\d\d, \d+\.\d\d, \d+\.\d\d")


def terminal(person):
    return equal(person, "tty; stty size", "/dev/ttyS0\n24 80")


def survives_raw_mode(person):
    person.command("stty -echo; stty echo")
    return matches(person, "stty -a", r"(?s)\bisig\b.*\bicanon\b|\bicanon\b.*\bisig\b")


def exit_powers_off(person):
    person.type("exit\r")
    status = person.wait_end(SLOW)
    return status == 0 or f"exit status {status}"


STEPS = [
    ("a simple command", simple_command),
    ("the terminal's name and size", terminal),
    ("backspace edits the line", backspace),
    ("arrow keys, home and end edit the line", arrows),
    ("history with up and down", history),
    ("tab completes a file name", completion),
    ("what is typed ahead is kept", typed_ahead),
    ("Ctrl-C abandons a line", abandoned_line),
    ("a pipeline", pipeline),
    ("a writer ends with its reader", broken_pipe),
    ("a here-document", here_document),
    ("vi writes a file", vi),
    ("top shows itself, q ends it", top),
    ("less pages and searches", less),
    ("Ctrl-C ends sleep", interrupt_sleep),
    ("Ctrl-C ends cat", interrupt_cat),
    ("Ctrl-D ends input", end_of_file),
    ("Ctrl-\\ quits", quit_signal),
    ("Ctrl-Z stops, fg continues", stop_and_foreground),
    ("Ctrl-Z stops, bg continues", stop_and_background),
    ("background jobs", background_jobs),
    ("a background reader of the terminal stops", background_reader_stops),
    ("kill ends a job", kill_a_job),
    ("ps", processes),
    ("find / | wc -l", find_count),
    ("tar and gzip of a tree give it back", tar_tree),
    ("mount", mounts),
    ("mount and fill a tmpfs", mount_tmpfs),
    ("df", disk_free),
    ("free", memory_free),
    ("dmesg", kernel_log),
    ("uptime", load),
    ("the terminal's modes are in order", survives_raw_mode),
    ("exit switches the machine off", exit_powers_off),
]

if __name__ == "__main__":
    sys.exit(main())
