# SPDX-License-Identifier: MPL-2.0
"""Commands for gdb on a stopped Keel: keel-tasks, keel-bt TID, keel-log. ./keel debug loads it.

They read memory only: nothing in the guest runs for them.
"""

import gdb

LIST_LIMIT = 100000  # a damaged list must not hold us for ever
STACK_LIMIT = 64 << 10


def members(head, kind, field):
    """The structs of type `kind` on a list, whose links are their member `field`."""
    kind = gdb.lookup_type(kind)
    offset = next(part.bitpos // 8 for part in kind.fields() if part.name == field)
    node = head["next"]
    for _ in range(LIST_LIMIT):
        if int(node) == int(head.address):
            return
        yield gdb.Value(int(node) - offset).cast(kind.pointer())
        node = node["next"]


def processes(first):
    """A process and all its descendants."""
    yield first
    for child in members(first["children"], "struct process", "sibling"):
        yield from processes(child)


def threads():
    """All threads, as pointers to struct thread."""
    first = gdb.parse_and_eval("'kernel/proc/init.c'::init")
    if not int(first):
        return
    for process in processes(first):
        yield from members(process["threads"], "struct thread", "process_node")


def number(thread):
    return int(thread["pid"]["numbers"][0]["nr"]) if int(thread["pid"]) else 0


def task(thread):
    return thread["sched"]["actor"]["task"]


class Tasks(gdb.Command):
    """keel-tasks: thread id, process id, CPU, state, name and address of every user thread."""

    def __init__(self):
        super().__init__("keel-tasks", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        print("    TID     PID CPU STATE     NAME             THREAD")
        for thread in threads():
            sched, leader = thread["sched"], thread["process"]["leader"]
            state = "on CPU" if int(task(thread)["on_cpu"]) else self.state(sched)
            print(f"{number(thread):7} {number(leader):7} {int(sched['cpu']):3} {state:9} "
                  f"{sched['comm'].string():16} {int(thread):#x}")

    @staticmethod
    def state(sched):
        kind = gdb.lookup_type("enum sched_state")
        names = {int(field.enumval): field.name for field in kind.fields()}
        return names.get(int(sched["state"]), "?").removeprefix("TASK_").lower()


class Backtrace(gdb.Command):
    """keel-bt TID: where a thread that is not running stands in the kernel."""

    def __init__(self):
        super().__init__("keel-bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        wanted = int(gdb.parse_and_eval(argument or "0"))
        thread = next((found for found in threads() if number(found) == wanted), None)
        if thread is None:
            raise gdb.GdbError(f"no thread {wanted}; see keel-tasks")
        if int(task(thread)["on_cpu"]):
            raise gdb.GdbError("it is on a CPU: use `thread N` and `bt`")
        for depth, address in enumerate(self.frames(task(thread))):
            print(f"#{depth:<3}{address:#x} {self.place(address)}")

    @staticmethod
    def frames(of):
        """Return addresses: what switch_stacks left (r15 r14 r13 r12 rbx rbp, return address),
        then the chain of frame pointers within the stack."""
        word = gdb.lookup_type("unsigned long").pointer()
        saved = gdb.Value(int(of["sp"])).cast(word)
        low, frame = int(of["stack"]), int(saved[5])
        yield int(saved[6])
        while low <= frame < low + STACK_LIMIT and frame % 8 == 0:
            at = gdb.Value(frame).cast(word)
            if not int(at[1]):
                return
            yield int(at[1])
            if int(at[0]) <= frame:
                return
            frame = int(at[0])

    @staticmethod
    def place(address):
        block = gdb.block_for_pc(address - 1)
        while block and not block.function:
            block = block.superblock
        line = gdb.find_pc_line(address - 1)
        where = f" at {line.symtab.filename}:{line.line}" if line.symtab else ""
        return f"{block.function if block else '??'}{where}"


class Log(gdb.Command):
    """keel-log: the kernel log, oldest record first (frame/core/log.c describes the ring)."""

    def __init__(self):
        super().__init__("keel-log", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        memory = gdb.selected_inferior()
        ring, slots = (gdb.parse_and_eval(f"&'frame/core/log.c'::{name}") for name in ("ring", "slots"))
        data = bytes(memory.read_memory(int(ring), ring.type.target().sizeof))
        table = bytes(memory.read_memory(int(slots), slots.type.target().sizeof))
        records = sorted(int.from_bytes(table[at:at + 8], "little") for at in range(0, len(table), 8))
        for record in filter(None, records):
            at = (record & 0xffffff) * 8 % len(data)
            head = (data + data)[at:at + 16]
            size = int.from_bytes(head[12:14], "little")
            text = (data + data)[at + 16:at + 16 + size].decode(errors="replace")
            seconds = int.from_bytes(head[:8], "little") / 1e9
            print(f"[{seconds:12.6f}] {text}")


Tasks()
Backtrace()
Log()
