/* SPDX-License-Identifier: MPL-2.0 */
/* clone(2) beyond fork and pthread_create: odd mixes of sharing, tids in memory; what belongs to a thread and what to the process; the end of each. */
#include "tap.h"
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

static char stack[4][65536] __attribute__((aligned(16)));

static int reap(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		;
	return status;
}

static pid_t spawn(unsigned long flags, int (*fn)(void *), void *arg, int *ptid, int *ctid)
{
	return clone(fn, stack[0] + sizeof(stack[0]), (int)flags, arg, ptid, NULL, ctid);
}

static int ms_sleep(long ms)
{
	return nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* --- what is shared. The child changes one of everything. */

static int value;
static int spare_fd;

static int change_all(void *arg)
{
	struct sigaction sa = { .sa_handler = SIG_IGN };

	(void)arg;
	value = 2;
	if (close(spare_fd) || chdir("/") || sigaction(SIGUSR2, &sa, NULL))
		return 1;
	umask(077);
	return 0;
}

#define S_VM 1
#define S_FILES 2
#define S_FS 4
#define S_SIGHAND 8

static int what_changed(unsigned long flags)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	char cwd[256];
	int seen = 0;

	value = 1;
	spare_fd = open("/", O_RDONLY);
	umask(022);
	sigaction(SIGUSR2, &sa, NULL);
	if (chdir("/tmp") || reap(spawn(flags | SIGCHLD, change_all, NULL, NULL, NULL)))
		return -1;
	sigaction(SIGUSR2, NULL, &sa);
	seen |= value == 2 ? S_VM : 0;
	seen |= fcntl(spare_fd, F_GETFD) < 0 ? S_FILES : 0;
	seen |= strcmp(getcwd(cwd, sizeof(cwd)) ? cwd : "", "/") == 0 && umask(022) == 077 ? S_FS : 0;
	seen |= sa.sa_handler == SIG_IGN ? S_SIGHAND : 0;
	signal(SIGUSR2, SIG_DFL);
	close(spare_fd);
	umask(022);
	return seen;
}

static void sharing(void)
{
	char cwd[256];
	int bad = 0;

	if (!getcwd(cwd, sizeof(cwd)))
		bail_out("getcwd");
	is_int(what_changed(0), 0, "nothing is shared without flags");
	is_int(what_changed(CLONE_VM), S_VM, "CLONE_VM");
	is_int(what_changed(CLONE_FILES), S_FILES, "CLONE_FILES");
	is_int(what_changed(CLONE_FS), S_FS, "CLONE_FS");
	is_int(what_changed(CLONE_VM | CLONE_SIGHAND), S_VM | S_SIGHAND, "CLONE_VM and CLONE_SIGHAND");
	for (int mix = 0; mix < 16; mix++) {
		unsigned long flags = (mix & S_VM ? CLONE_VM : 0) | (mix & S_FILES ? CLONE_FILES : 0) | (mix & S_FS ? CLONE_FS : 0) |
				      (mix & S_SIGHAND ? CLONE_SIGHAND : 0);

		if ((mix & S_VM || !(mix & S_SIGHAND)) && what_changed(flags) != mix)
			bad++;
	}
	is_int(bad, 0, "every mix of the four shares just those");
	if (chdir(cwd))
		bail_out("chdir");
}

/* --- flags that do not go together */

static void combinations(void)
{
	static const struct {
		unsigned long flags;
		const char *name;
	} bad[] = {
		{ CLONE_SIGHAND | CLONE_FILES, "CLONE_SIGHAND with CLONE_FILES only" },
		{ CLONE_THREAD | CLONE_SIGHAND, "a thread without CLONE_VM" },
		{ CLONE_THREAD | CLONE_VM | CLONE_FILES, "a thread without CLONE_SIGHAND" },
		{ CLONE_NEWUSER | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, "CLONE_NEWUSER for a thread" },
		{ CLONE_NEWPID | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, "CLONE_NEWPID for a thread" },
		{ CLONE_PIDFD | CLONE_DETACHED, "CLONE_PIDFD with CLONE_DETACHED" },
		{ CLONE_PIDFD | CLONE_PARENT_SETTID, "CLONE_PIDFD with CLONE_PARENT_SETTID" },
		{ CLONE_PIDFD | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, "CLONE_PIDFD for a thread" },
		{ CLONE_NEWIPC | CLONE_SYSVSEM, "CLONE_NEWIPC with CLONE_SYSVSEM" },
	};
	int id = 0;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_errno(syscall(SYS_clone, bad[i].flags | SIGCHLD, NULL, &id, NULL, 0) == -1, EINVAL, "%s", bad[i].name);
}

/* --- tids in memory, the thread pointer */

static int report_tid(void *arg)
{
	return *(int *)arg == getpid() ? 0 : 1;
}

static int just_exit(void *arg)
{
	return (int)(intptr_t)arg;
}

static int exit_later(void *arg)
{
	(void)arg;
	ms_sleep(50);
	return 0;
}

static int count_to_zero(volatile int *word)
{
	long err = 0;
	int v;

	while ((v = __atomic_load_n(word, __ATOMIC_SEQ_CST)) && !err)
		err = syscall(SYS_futex, word, FUTEX_WAIT, v, NULL, NULL, 0) && errno != EAGAIN && errno != EINTR ? errno : 0;
	return (int)err;
}

static void tids(void)
{
	static int word, parents;
	int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	word = -1;
	pid = spawn(CLONE_CHILD_SETTID | SIGCHLD, report_tid, &word, NULL, &word);
	is_int(reap(pid), 0, "CLONE_CHILD_SETTID: in the child's memory before it runs");
	is_int(word, -1, "and not in the parent's");
	pid = spawn(CLONE_PARENT_SETTID | SIGCHLD, just_exit, NULL, &parents, NULL);
	is_int(parents, pid, "CLONE_PARENT_SETTID: in the parent's memory");
	reap(pid);
	pid = spawn(CLONE_CHILD_SETTID | CLONE_VM | SIGCHLD, report_tid, &word, NULL, &word);
	is_int(reap(pid), 0, "CLONE_CHILD_SETTID with shared memory");
	is_int(word, pid, "seen by both");

	word = 7;
	pid = spawn(CLONE_CHILD_CLEARTID | CLONE_VM | SIGCHLD, exit_later, NULL, NULL, &word);
	is_int(count_to_zero(&word), 0, "CLONE_CHILD_CLEARTID clears the word and wakes in a shared space");
	reap(pid);
	*shared = 7;
	pid = spawn(CLONE_CHILD_CLEARTID | SIGCHLD, just_exit, NULL, NULL, shared);
	reap(pid);
	is_int(*shared, 7, "but nothing in a space with a single user");
	pid = spawn(CLONE_CHILD_CLEARTID | CLONE_VM | SIGCHLD, just_exit, NULL, NULL, (int *)8);
	is_int(reap(pid), 0, "a bad address does no harm");
	pid = spawn(CLONE_CHILD_SETTID | SIGCHLD, just_exit, NULL, NULL, (int *)8);
	is_int(reap(pid), 0, "neither for CLONE_CHILD_SETTID");
	munmap(shared, 4096);
}

static int tid_address(void *arg)
{
	static int other = 5;
	int *want = arg, got = (int)syscall(SYS_set_tid_address, want ? want : &other);

	return got == gettid() ? 0 : 1;
}

static int read_fs(void *arg)
{
	unsigned long base = 0;

	syscall(SYS_arch_prctl, 0x1003 /* ARCH_GET_FS */, &base);
	return base == (unsigned long)arg ? 0 : 1;
}

static void addresses(void)
{
	static uint64_t tls[64];
	static int word = 9;
	pid_t pid = spawn(CLONE_VM | SIGCHLD, tid_address, &word, NULL, NULL);

	is_int(reap(pid), 0, "set_tid_address gives the caller's tid");
	is_int(word, 0, "and is like CLONE_CHILD_CLEARTID");
	word = 9;
	pid = spawn(CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, tid_address, NULL, NULL, &word);
	is_int(reap(pid), 0, "it replaces what clone was given");
	is_int(word, 9, "which stays as it is");
	tls[32] = (uint64_t)&tls[32];
	tls[34] = (uint64_t)&tls[32];
	pid = clone(read_fs, stack[0] + sizeof(stack[0]), CLONE_SETTLS | SIGCHLD, &tls[32], NULL, &tls[32], NULL);
	is_int(reap(pid), 0, "CLONE_SETTLS sets the thread pointer");
}

/* --- CLONE_PARENT, CLONE_CLEAR_SIGHAND */

static int as_sibling(void *arg)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGUSR1, NULL, NULL, NULL, 0);

	(void)arg;
	if (pid == 0)
		_exit(9);
	return waitpid(pid, NULL, __WALL) == -1 && errno == ECHILD ? 0 : 1;
}

static void parents(void)
{
	pid_t pid = spawn(SIGCHLD, as_sibling, NULL, NULL, NULL);
	int status = 0;

	is_int(reap(pid), 0, "CLONE_PARENT: no child of its maker");
	pid = waitpid(-1, &status, 0);
	ok(pid > 0 && status == 9 << 8, "but of its maker's parent, with the maker's exit signal");
}

static void on_signal(int sig)
{
	(void)sig;
}

static void cleared(void)
{
	struct { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls; } args = {
		.flags = 0x100000000ULL /* CLONE_CLEAR_SIGHAND */, .exit_signal = SIGCHLD,
	};
	pid_t pid;

	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, SIG_IGN);
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		struct sigaction one, two;

		sigaction(SIGUSR1, NULL, &one);
		sigaction(SIGUSR2, NULL, &two);
		_exit((one.sa_handler == SIG_DFL ? 0 : 1) | (two.sa_handler == SIG_IGN ? 0 : 2));
	}
	is_int(reap(pid), 0, "CLONE_CLEAR_SIGHAND: handlers go, ignored signals stay so");
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
}

/* --- what a thread has of its own */

static int own_bad;

static void expect(bool good, int bit)
{
	if (!good)
		own_bad |= 1 << bit;
}

static void *change_own(void *arg)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	stack_t alt = { .ss_sp = stack[1], .ss_size = sizeof(stack[1]) };
	gid_t groups[2] = { 77, 78 };
	cpu_set_t cpu;
	sigset_t set;

	(void)arg;
	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	expect(sched_setaffinity(0, sizeof(cpu), &cpu) == 0, 0);
	expect(syscall(SYS_setpriority, PRIO_PROCESS, 0, 7) == 0, 1);
	expect(syscall(SYS_setgroups, 2, groups) == 0, 2);
	expect(syscall(SYS_setgid, 12345) == 0, 3);
	expect(syscall(SYS_setuid, 12345) == 0, 4);
	expect(prctl(PR_SET_NAME, "the-thread") == 0, 5);
	expect(pthread_sigmask(SIG_SETMASK, &set, NULL) == 0, 6);
	expect(sigaltstack(&alt, NULL) == 0, 7);
	expect(syscall(SYS_getuid) == 12345 && syscall(SYS_getgid) == 12345 && syscall(SYS_getgroups, 0, NULL) == 2, 8);
	expect(syscall(SYS_capget, &head, data) == 0 && !data[0].effective, 9);
	return NULL;
}

static int own(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	cpu_set_t before, after;
	int groups = getgroups(0, NULL);
	stack_t alt;
	sigset_t set;
	char name[16];
	pthread_t t;

	prctl(PR_SET_NAME, "the-leader");
	sched_getaffinity(0, sizeof(before), &before);
	pthread_create(&t, NULL, change_own, NULL);
	pthread_join(t, NULL);
	sched_getaffinity(0, sizeof(after), &after);
	expect(CPU_EQUAL(&before, &after), 10);
	expect(syscall(SYS_getpriority, PRIO_PROCESS, 0) == 20, 11);
	expect(getuid() == 0 && getgid() == 0 && getgroups(0, NULL) == groups, 12);
	expect(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "the-leader") == 0, 13);
	expect(pthread_sigmask(SIG_BLOCK, NULL, &set) == 0 && !sigismember(&set, SIGUSR1), 14);
	expect(sigaltstack(NULL, &alt) == 0 && alt.ss_flags == SS_DISABLE, 15);
	expect(syscall(SYS_capget, &head, data) == 0 && data[0].effective, 16);
	if (own_bad)
		printf("# of its own: %#x\n", (unsigned)own_bad);
	fflush(stdout);
	return own_bad != 0;
}

static void *drop_caps(void *arg)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	(void)arg;
	return (void *)(intptr_t)(syscall(SYS_capset, &head, data) || syscall(SYS_setuid, 1) != -1 || errno != EPERM);
}

static int caps(void)
{
	pthread_t t;
	void *r;

	pthread_create(&t, NULL, drop_caps, NULL);
	pthread_join(t, &r);
	return r || syscall(SYS_setgid, 1) || syscall(SYS_setuid, 1);
}

static int altstack_kept(void *arg)
{
	stack_t alt;

	sigaltstack(NULL, &alt);
	return (alt.ss_flags & SS_DISABLE ? 1 : 0) == (arg != NULL) ? 0 : 1;
}

static void altstacks(void)
{
	stack_t alt = { .ss_sp = stack[1], .ss_size = sizeof(stack[1]) }, none = { .ss_flags = SS_DISABLE };

	sigaltstack(&alt, NULL);
	is_int(reap(spawn(SIGCHLD, altstack_kept, NULL, NULL, NULL)), 0, "a copy keeps the alternate stack");
	is_int(reap(spawn(CLONE_VM | SIGCHLD, altstack_kept, &alt, NULL, NULL)), 0, "one that shares memory has none");
	is_int(reap(spawn(CLONE_VM | CLONE_VFORK | SIGCHLD, altstack_kept, NULL, NULL, NULL)), 0, "unless its maker sleeps meanwhile");
	sigaltstack(&none, NULL);
}

/* --- signals to threads */

static int release_fd[2];

static void *hang(void *arg)
{
	char c;

	if (arg)
		__atomic_store_n((int *)arg, gettid(), __ATOMIC_SEQ_CST);
	return (void *)read(release_fd[0], &c, 1);
}

static void kills(void)
{
	siginfo_t info = { .si_code = SI_QUEUE };
	pid_t me = getpid(), child, other;
	int tid = 0;
	pthread_t t;

	if (pipe(release_fd))
		bail_out("pipe");
	pthread_create(&t, NULL, hang, &tid);
	while (!(other = __atomic_load_n(&tid, __ATOMIC_SEQ_CST)))
		sched_yield();
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	is_int(syscall(SYS_tgkill, me, other, 0), 0, "tgkill of a thread with signal 0");
	is_int(syscall(SYS_tkill, other, 0), 0, "tkill");
	is_errno(syscall(SYS_tgkill, other, other, 0) == -1, ESRCH, "a thread that is no group");
	is_errno(syscall(SYS_tgkill, me, child, 0) == -1, ESRCH, "a thread of another group");
	is_errno(syscall(SYS_tgkill, me, 0, 0) == -1, EINVAL, "tid 0");
	is_errno(syscall(SYS_tgkill, 0, me, 0) == -1, EINVAL, "group 0");
	is_errno(syscall(SYS_tgkill, -1, me, 0) == -1, EINVAL, "group -1");
	is_errno(syscall(SYS_tkill, 0, 0) == -1, EINVAL, "tkill 0");
	is_errno(syscall(SYS_tkill, -me, 0) == -1, EINVAL, "tkill of a negative");
	is_errno(syscall(SYS_tkill, me, 65) == -1, EINVAL, "signal 65");
	is_errno(syscall(SYS_tgkill, me, me, -1) == -1, EINVAL, "signal -1");
	is_errno(syscall(SYS_tkill, 4000000, 0) == -1, ESRCH, "nobody's tid");
	is_int(syscall(SYS_rt_tgsigqueueinfo, me, other, 0, &info), 0, "rt_tgsigqueueinfo");
	is_errno(syscall(SYS_rt_tgsigqueueinfo, me, child, 0, &info) == -1, ESRCH, "of another group");
	is_errno(syscall(SYS_rt_tgsigqueueinfo, 0, me, 0, &info) == -1, EINVAL, "of group 0");
	is_errno(syscall(SYS_rt_tgsigqueueinfo, me, 0, 0, &info) == -1, EINVAL, "of tid 0");
	is_errno(syscall(SYS_rt_tgsigqueueinfo, me, me, 65, &info) == -1, EINVAL, "with signal 65");
	is_errno(syscall(SYS_rt_tgsigqueueinfo, me, me, SIGUSR1, (void *)8) == -1, EFAULT, "with a bad pointer");
	info.si_code = SI_USER;
	is_errno(syscall(SYS_rt_tgsigqueueinfo, child, child, 0, &info) == -1, EPERM, "that says kill sent it");
	info.si_code = SI_TKILL;
	is_errno(syscall(SYS_rt_tgsigqueueinfo, child, child, 0, &info) == -1, EPERM, "that says tgkill sent it");
	kill(child, SIGKILL);
	reap(child);
	close(release_fd[1]);
	pthread_join(t, NULL);
	close(release_fd[0]);
	/* Who joins is woken while the thread is on its way out: clone(2), CLONE_CHILD_CLEARTID. */
	for (int i = 0; i < 10000 && syscall(SYS_tkill, other, 0) == 0; i++)
		usleep(1000);
	is_errno(syscall(SYS_tkill, other, 0) == -1, ESRCH, "a thread that has ended");
}

/* --- the leader's exit(2) */

static void *end_all(void *arg)
{
	char c;

	(void)arg;
	if (read(release_fd[0], &c, 1) == 1)
		_exit(5);
	return NULL;
}

static int leader_leaves(void)
{
	pthread_t t[2];

	pthread_create(&t[0], NULL, hang, NULL);
	pthread_create(&t[1], NULL, end_all, NULL);
	syscall(SYS_exit, 3);
	return 1;
}

static char state_of(pid_t pid)
{
	char path[64], line[512], *p;
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY);
	n = read(fd, line, sizeof(line) - 1);
	close(fd);
	line[n > 0 ? n : 0] = 0;
	p = strrchr(line, ')');
	return p ? p[2] : '?';
}

static int count_tasks(pid_t pid)
{
	char path[64];
	struct dirent *e;
	DIR *d;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = opendir(path);
	if (!d)
		return -1;
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void zombie_leader(void)
{
	siginfo_t info = { 0 };
	pid_t pid;

	if (pipe(release_fd))
		bail_out("pipe");
	pid = fork();
	if (pid == 0)
		_exit(leader_leaves());
	for (int i = 0; i < 2000 && state_of(pid) != 'Z'; i++)
		ms_sleep(5);
	is_int(state_of(pid), 'Z', "the leader is a zombie");
	is_int(count_tasks(pid), 3, "in a process with three tasks");
	is_int(waitpid(pid, NULL, WNOHANG), 0, "which cannot be waited for yet");
	ok(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0, "not by waitid either");
	is_int(kill(pid, 0), 0, "it can be signalled");
	is_int(syscall(SYS_tgkill, pid, pid, 0), 0, "so can its leader");
	/* A byte for each: end_all's read gets one. */
	if (write(release_fd[1], "xx", 2) != 2)
		bail_out("write");
	is_int(reap(pid), 5 << 8, "the last one's status, by exit_group, is the process's");
	close(release_fd[0]);
	close(release_fd[1]);
}

/* All threads end by exit(2): the last one's status is the process's. */
static void *just_leave(void *arg)
{
	(void)arg;
	ms_sleep(30);
	syscall(SYS_exit, 4);
	return NULL;
}

static int leave_both(void)
{
	pthread_t t;

	pthread_create(&t, NULL, just_leave, NULL);
	syscall(SYS_exit, 3);
	return 1;
}

/* --- exit_group against clone */

static void *make_threads(void *arg)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	while (arg)
		pthread_create(&t, &attr, make_threads, NULL);
	return NULL;
}

static void *make_children(void *arg)
{
	for (;;) {
		pid_t pid = (pid_t)syscall(SYS_clone, (intptr_t)arg | SIGCHLD, NULL, NULL, NULL, 0);

		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	return NULL;
}

static int end_amid(void)
{
	pthread_t t;

	pthread_create(&t, NULL, make_threads, &t);
	pthread_create(&t, NULL, make_threads, &t);
	pthread_create(&t, NULL, make_children, NULL);
	ms_sleep(3);
	_exit(6);
}

static void races(void)
{
	int good = 0;

	for (int i = 0; i < 30; i++)
		good += in_child(end_amid) == 6 << 8;
	is_int(good, 30, "exit_group ends all while threads and children are being made");
}

int main(void)
{
	sharing();
	combinations();
	tids();
	addresses();
	parents();
	cleared();
	is_int(in_child(own), 0, "credentials, name, nice, affinity, mask, alternate stack are the thread's");
	is_int(in_child(caps), 0, "capset changes the calling thread");
	altstacks();
	kills();
	zombie_leader();
	is_int(in_child(leave_both), 4 << 8, "if all leave by exit, the last one's status counts");
	races();
	return done_testing();
}
