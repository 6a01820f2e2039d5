# SPDX-License-Identifier: MPL-2.0
"""Programs that use up what there is, in a small machine. They end, or are refused; init and the shell
that started them live, and afterwards the machine has its memory back and works."""

from keel.testing.fault import POWER_OFF, Case
from programs import shell

# What shows that the machine is usable, once the last of the eaters has gone (until then whoever asks for memory may be the next victim): processes, a pipe, a file, and three quarters of the free memory of before.
SCRIPT = """
free() { sed -n 's/^MemAvailable: *\\([0-9]*\\).*/\\1/p' /proc/meminfo; }
before=$(free)
ulimit -c 0
%s
status=$?
echo "ended with $status"
until pidof eater > /dev/null; [ $? = 1 ]; do sleep 0.1; done
n=0
until [ $(free) -gt $((before * 3 / 4)) ] || [ $n = 100 ]; do sleep 0.1; n=$((n + 1)); done
[ $n = 100 ] && { echo "of $before kB free there are $(free)"; poweroff -f; }
seq 1 1000 > /tmp/f && seq 1 1000 | cmp - /tmp/f && echo "all is well"
poweroff -f
"""
KILLED = r"out of memory: killed process \d+ \(eater\), \d+ kB, oom_score_adj 0"


def _eats(name, *says, command=None, **more):
    return Case(name, says=(*says, "all is well"), ends=POWER_OFF, append=("quiet", "loglevel=4"),
                initrd=lambda: shell(SCRIPT % (command or f"/eater {name}"), ["eater"]), **{"debug_mem": "96M", **more})


CASES = [
    _eats("memory", KILLED, "ended with 137"),
    _eats("memory_of_128M", KILLED, "ended with 137", command="/eater memory", mem="128M", debug_mem="160M"),
    _eats("sparse", KILLED, "ended with 137"),
    _eats("forks", KILLED),
    _eats("stopped", KILLED, "survived"),
    _eats("pipes", r"ended with"),
    _eats("bomb", r"ended with"),
    _eats("bomb_under_a_limit", "ended with 0", command="su -s /bin/sh nobody -c 'ulimit -u 20; /eater bomb'", never="out of memory"),
    _eats("threads", r"after many threads", "ended with 0"),
    _eats("files", "Too many open files after 20000 descriptors", "ended with 0"),
    _eats("maps", "Cannot allocate memory after 65530 mappings", "ended with 0"),
    _eats("many_threads", "10000 threads", "10000 threads", "ended with 0", command="/eater many-threads", mem="768M", debug_mem="1280M"),
    _eats("many_maps", "100000 mappings, each in its time", "unmapped", "ended with 0", command="/eater many-maps 100000", mem="128M", debug_mem="192M"),
    _eats("a_million_maps", "1000000 mappings, each in its time", "unmapped", "ended with 0", command="/eater many-maps 1000000", mem="768M",
          debug_mem="1280M", is_long=True),
    _eats("tmpfs", "No space left on device", "ended with 0"),
]
