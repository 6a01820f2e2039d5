# SPDX-License-Identifier: MPL-2.0
# keel-test: root=debian-min seconds=60
# Python's threads, processes, selectors, signals, timers, shared memory, files.
cat >suite.py <<'END'
import fcntl, mmap, os, queue, select, selectors, signal, stat, subprocess, sys, tempfile, threading, time

def section(name):
    print("==", name, flush=True)

section("threads")
lock, total = threading.Lock(), 0
def add():
    global total
    for _ in range(2000):
        with lock:
            total += 1
threads = [threading.Thread(target=add) for _ in range(16)]
for t in threads: t.start()
for t in threads: t.join()
print(total, threading.active_count())
q, out = queue.Queue(5), queue.Queue()
def worker():
    while (item := q.get()) is not None:
        out.put(item * item)
        q.task_done()
workers = [threading.Thread(target=worker) for _ in range(4)]
for w in workers: w.start()
for i in range(200): q.put(i)
q.join()
for w in workers: q.put(None)
for w in workers: w.join()
print(sum(out.get() for _ in range(200)))
event, barrier, seen = threading.Event(), threading.Barrier(5), []
def waiter(n):
    event.wait(); barrier.wait(); seen.append(n)
ts = [threading.Thread(target=waiter, args=(n,)) for n in range(5)]
for t in ts: t.start()
event.set()
for t in ts: t.join()
print(sorted(seen), event.wait(0))
cond = threading.Condition()
with cond: print("cond", cond.wait(0.05))
sem = threading.BoundedSemaphore(2); print(sem.acquire(), sem.acquire(), sem.acquire(timeout=0.05))
local = threading.local(); local.x = 1
t = threading.Thread(target=lambda: print("local", hasattr(local, "x"))); t.start(); t.join()
timer = threading.Timer(0.05, print, ["timer"]); timer.start(); timer.join()
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool: print(sum(pool.map(lambda n: n % 13, range(1000))))

section("subprocess")
print(subprocess.run(["cat"], input=b"through", capture_output=True).stdout)
p = subprocess.Popen(["sh", "-c", "read a; echo got $a; echo err >&2; exit 3"], stdin=-1, stdout=-1, stderr=-1, text=True)
print(p.communicate("word\n"), p.returncode)
try: subprocess.run(["sleep", "10"], timeout=0.2)
except subprocess.TimeoutExpired as e: print("timeout", e.cmd)
a = subprocess.Popen(["seq", "1", "20000"], stdout=-1); b = subprocess.Popen(["sort", "-rn"], stdin=a.stdout, stdout=-1)
a.stdout.close(); c = subprocess.check_output(["head", "-n", "2"], stdin=b.stdout); b.stdout.close()
print(c, a.wait(), b.wait() in (0, -13))
p = subprocess.Popen(["sleep", "10"]); p.send_signal(signal.SIGINT); print(p.wait())
try: subprocess.run(["no-such-program"])
except FileNotFoundError as e: print(e.errno)
print(subprocess.run("exit 9", shell=True, start_new_session=True, cwd="/tmp").returncode)
r, w = os.pipe(); os.set_inheritable(w, True)
subprocess.run(["sh", "-c", f"echo fd >&{w}"], pass_fds=[w]); os.close(w); print(os.read(r, 10)); os.close(r)
big = subprocess.run(["cat"], input=bytes(1 << 20), capture_output=True).stdout; print(len(big))

section("selectors")
for cls in (selectors.SelectSelector, selectors.PollSelector):
    with cls() as sel:
        pipes = [os.pipe() for _ in range(10)]
        for n, (r, w) in enumerate(pipes): sel.register(r, selectors.EVENT_READ, n)
        print(cls.__name__, sel.select(0))
        for n in (7, 2): os.write(pipes[n][1], b"x")
        print(sorted(k.data for k, _ in sel.select(1)))
        os.close(pipes[4][1]); print(sorted(k.data for k, _ in sel.select(1)))
        sel.register(pipes[1][1], selectors.EVENT_WRITE, "w"); print(sorted(str(k.data) for k, _ in sel.select()))
        sel.unregister(pipes[2][0])
        for n, (r, w) in enumerate(pipes):
            os.close(r)
            if n != 4: os.close(w)
poll = select.poll(); r, w = os.pipe(); poll.register(w, select.POLLOUT); os.close(r); print(poll.poll(0)[0][1])

section("signals")
got = []
for s in (signal.SIGUSR1, signal.SIGALRM, signal.SIGVTALRM, signal.SIGCHLD): signal.signal(s, lambda n, f: got.append(signal.Signals(n).name))
os.kill(os.getpid(), signal.SIGUSR1); print(got)
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
while got.count("SIGALRM") < 3: signal.pause()
signal.setitimer(signal.ITIMER_REAL, 0); print(signal.getitimer(signal.ITIMER_REAL))
signal.setitimer(signal.ITIMER_VIRTUAL, 0.05)
while "SIGVTALRM" not in got: sum(range(1000))
print("virtual")
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2]); os.kill(os.getpid(), signal.SIGUSR2)
print(signal.sigpending(), signal.sigwait([signal.SIGUSR2]), signal.sigtimedwait([signal.SIGUSR2], 0.05))
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
info = (os.kill(os.getpid(), signal.SIGRTMIN), signal.sigwaitinfo([signal.SIGRTMIN]))[1]
print(info.si_signo == signal.SIGRTMIN, info.si_code, info.si_pid == os.getpid())
t = threading.Thread(target=lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)); t.start(); t.join()
time.sleep(0.01); print(got.count("SIGUSR1"))
if (pid := os.fork()) == 0: os._exit(0)
os.waitpid(pid, 0); time.sleep(0.01); print("SIGCHLD" in got)
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
r, w = os.pipe(); os.set_blocking(w, False); signal.set_wakeup_fd(w); os.kill(os.getpid(), signal.SIGUSR1); print(os.read(r, 1)[0]); signal.set_wakeup_fd(-1)

section("processes and memory")
m = mmap.mmap(-1, 1 << 16)
children = []
for n in range(8):
    if (pid := os.fork()) == 0:
        m[n * 8192:n * 8192 + 3] = b"%03d" % n
        os._exit(n)
    children.append(pid)
print([os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]) for p in children], b"".join(m[n * 8192:n * 8192 + 3] for n in range(8)))
with tempfile.TemporaryFile() as f:
    f.truncate(8192)
    s, c = mmap.mmap(f.fileno(), 8192), mmap.mmap(f.fileno(), 8192, access=mmap.ACCESS_COPY)
    s[4096:4100] = b"both"; c[0:4] = b"mine"; s.flush()
    print(os.pread(f.fileno(), 4, 4096), os.pread(f.fileno(), 4, 0), c[4096:4100])
    try: mmap.mmap(f.fileno(), 1 << 20)
    except ValueError as e: print(e)
import multiprocessing as mp
ctx = mp.get_context("fork")
v = ctx.Value("i", 0) if hasattr(ctx, "Value") else None
def bump(v):
    for _ in range(500):
        with v.get_lock(): v.value += 1
ps = [ctx.Process(target=bump, args=(v,)) for _ in range(4)]
for p in ps: p.start()
for p in ps: p.join()
print(v.value, [p.exitcode for p in ps])
a, b = ctx.Pipe(duplex=False); p = ctx.Process(target=lambda: b.send({"x": [1, 2]})); p.start(); print(a.recv()); p.join()
print(os.sched_getaffinity(0) != set(), os.getpriority(os.PRIO_PROCESS, 0), os.nice(3), os.getpgid(0) == os.getpgrp())

section("files")
os.umask(0o22); d = tempfile.mkdtemp(dir="."); os.chdir(d)
fd = os.open("f", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666); os.write(fd, b"0123456789"); os.lseek(fd, 3, 0)
print(os.read(fd, 4), os.pwritev(fd, [b"AB", b"CD"], 2), os.preadv(fd, bufs := [bytearray(3), bytearray(3)], 1), bufs, os.fstat(fd).st_size)
os.ftruncate(fd, 5); os.posix_fallocate(fd, 0, 100); os.fsync(fd); os.fdatasync(fd); print(os.fstat(fd).st_size)
os.link("f", "g"); os.symlink("f", "s"); os.rename("g", "h"); os.mkfifo("p"); os.makedirs("a/b/c"); os.utime("f", ns=(10**9, 2 * 10**9 + 5))
print(sorted((e.name, e.is_dir(), e.is_symlink(), stat.filemode(e.stat(follow_symlinks=False).st_mode)) for e in os.scandir()))
st = os.stat("f"); print(st.st_nlink, st.st_mtime_ns, os.readlink("s"), os.path.samefile("f", "h"), os.access("f", os.X_OK))
os.chmod("f", 0o640); os.chown("f", 1, 2); st = os.stat("f"); print(oct(st.st_mode), st.st_uid, st.st_gid)
dfd = os.open("a", os.O_DIRECTORY); os.mkdir("x", dir_fd=dfd); print(sorted(os.listdir(dfd))); os.rmdir("x", dir_fd=dfd)
for dirpath, dirs, files in os.walk("a"): print(dirpath, dirs, files)
for call in (lambda: os.rmdir("a"), lambda: os.mkdir("f"), lambda: os.open("none", 0), lambda: os.unlink("a"), lambda: os.rename("f", "a")):
    try: call()
    except OSError as e: print(type(e).__name__, e.errno)
print(os.statvfs(".").f_namemax, os.pathconf(".", "PC_PATH_MAX"))
r, w = os.pipe()
fcntl.lockf(fd, fcntl.LOCK_EX)
if (pid := os.fork()) == 0:
    try: fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as e: os.write(w, b"%d" % e.errno)
    fcntl.lockf(fd, fcntl.LOCK_EX); os.write(w, b" got"); os._exit(0)
first = os.read(r, 10); fcntl.lockf(fd, fcntl.LOCK_UN); os.waitpid(pid, 0); print(first, os.read(r, 10))
with open("f") as x, open("f") as y:
    fcntl.flock(x, fcntl.LOCK_SH); fcntl.flock(y, fcntl.LOCK_SH | fcntl.LOCK_NB)
    try: fcntl.flock(y, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError: print("flock busy")
print(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE, fcntl.fcntl(fd, fcntl.F_GETFD), os.dup2(fd, 50), os.get_inheritable(50))
os.closerange(40, 60); print(len(os.urandom(33)), os.isatty(0), os.getcwd().startswith("/tmp"))
END
python3 suite.py
