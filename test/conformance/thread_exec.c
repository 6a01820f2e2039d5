/* SPDX-License-Identifier: MPL-2.0 */
/* execve(2) in a process with threads: whatever the others do, they are gone; what is kept and what is lost; races with exec, exit and fork. */
#include "tap.h"
#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

static char self[256];

static int ms_sleep(long ms)
{
	return nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

static void run_self(const char *what, long arg)
{
	char pid[16], number[24];

	snprintf(pid, sizeof(pid), "%d", getpid());
	snprintf(number, sizeof(number), "%ld", arg);
	execve(self, (char *[]){ "self", (char *)what, pid, number, NULL }, NULL);
	_exit(90);
}

/* --- the new program */

static int count_tasks(void)
{
	DIR *d = opendir("/proc/self/task");
	struct dirent *e;
	int n = 0;

	while (d && (e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

static int be_leader(pid_t pid)
{
	if (getpid() != pid || gettid() != pid)
		return 1;
	return count_tasks() == 1 ? 0 : 2;
}

/* Waits for the children that other threads made; none may hang. */
static int be_parent(pid_t pid)
{
	int r = be_leader(pid);

	while (waitpid(-1, NULL, __WALL) > 0)
		;
	return r ? r : errno == ECHILD ? 0 : 3;
}

static int be_signals(void)
{
	sigset_t pending, mask;
	struct sigaction usr1, usr2;
	stack_t alt;

	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	sigaction(SIGUSR1, NULL, &usr1);
	sigaction(SIGUSR2, NULL, &usr2);
	sigaltstack(NULL, &alt);
	if (!sigismember(&pending, SIGTERM))
		return 1;	/* to the process */
	if (!sigismember(&pending, SIGHUP))
		return 2;	/* to the thread that called execve */
	if (sigismember(&pending, SIGQUIT))
		return 3;	/* to another thread */
	if (!sigismember(&mask, SIGHUP) || sigismember(&mask, SIGWINCH))
		return 4;	/* the caller's mask, not the leader's */
	if (usr1.sa_handler != SIG_DFL || usr2.sa_handler != SIG_IGN)
		return 5;
	return alt.ss_flags & SS_DISABLE ? 0 : 6;
}

static int be_timers(long id)
{
	struct itimerspec ts;
	struct itimerval tv;

	if (syscall(SYS_timer_gettime, (int)id, &ts) != -1 || errno != EINVAL)
		return 1;
	return getitimer(ITIMER_REAL, &tv) || tv.it_value.tv_sec < 100 ? 2 : 0;
}

static int be_thread(void)
{
	cpu_set_t cpus;
	char name[16];

	if (syscall(SYS_getpriority, PRIO_PROCESS, 0) != 20 - 5)
		return 1;
	if (sched_getaffinity(0, sizeof(cpus), &cpus) || CPU_COUNT(&cpus) != 1)
		return 2;
	if (getuid() != 4321 || geteuid() != 4321)
		return 3;
	if (prctl(PR_GET_NAME, name) || strncmp(name, "thread_exec", 11))
		return 4;
	return 0;
}

/* Is the lock of this process on the file still held? A child asks. */
static int be_locks(int fd)
{
	struct flock l = { .l_type = F_WRLCK };
	pid_t parent = getpid(), pid = fork();
	int status = -1;

	if (pid == 0)
		_exit(fcntl(fd, F_GETLK, &l) ? 1 : l.l_type != F_WRLCK ? 2 : l.l_pid != parent ? 3 : 0);
	waitpid(pid, &status, 0);
	return status / 256;
}

static int be(char **argv)
{
	long arg = atol(argv[3]);
	pid_t pid = atoi(argv[2]);

	if (strcmp(argv[1], "leader") == 0)
		return be_leader(pid);
	if (strcmp(argv[1], "parent") == 0)
		return be_parent(pid);
	if (strcmp(argv[1], "signals") == 0)
		return be_signals();
	if (strcmp(argv[1], "timers") == 0)
		return be_timers(arg);
	if (strcmp(argv[1], "thread") == 0)
		return be_thread();
	if (strcmp(argv[1], "locks") == 0)
		return be_locks((int)arg);
	return 99;
}

/* --- what the other threads do meanwhile */

static pthread_barrier_t barrier;
static int pipe_fds[2];

static void *in_read(void *arg)
{
	char c;

	pthread_barrier_wait(&barrier);
	return (void *)(read(pipe_fds[0], &c, 1) + (intptr_t)arg);
}

static void *in_futex(void *arg)
{
	static int word;

	pthread_barrier_wait(&barrier);
	syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
	return arg;
}

static void *in_nanosleep(void *arg)
{
	pthread_barrier_wait(&barrier);
	ms_sleep(1000000);
	return arg;
}

static void *in_poll(void *arg)
{
	struct pollfd p = { .fd = pipe_fds[0], .events = POLLIN };

	pthread_barrier_wait(&barrier);
	poll(&p, 1, -1);
	return arg;
}

static void *in_ppoll(void *arg)
{
	struct pollfd p = { .fd = pipe_fds[0], .events = POLLIN };
	sigset_t all;

	sigfillset(&all);
	pthread_barrier_wait(&barrier);
	ppoll(&p, 1, NULL, &all);
	return arg;
}

static void *in_wait(void *arg)
{
	pthread_barrier_wait(&barrier);
	waitpid(-1, NULL, 0);
	return arg;
}

static void *in_sigsuspend(void *arg)
{
	sigset_t all;

	sigfillset(&all);
	pthread_barrier_wait(&barrier);
	sigsuspend(&all);
	return arg;
}

static void *in_sigwait(void *arg)
{
	sigset_t all;
	int sig;

	sigfillset(&all);
	pthread_barrier_wait(&barrier);
	sigwait(&all, &sig);
	return arg;
}

static void *in_user_mode(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&barrier);
	for (;;)
		;
	return NULL;
}

/* vfork's parent sleeps until the child is done; the child must not outlive its memory's use. */
static void *in_vfork(void *arg)
{
	pid_t pid;

	pthread_barrier_wait(&barrier);
	pid = vfork();
	if (pid == 0) {
		poll(NULL, 0, 50);
		_exit(0);
	}
	return arg;
}

static void *in_calls(void *arg)
{
	pthread_barrier_wait(&barrier);
	for (;;) {
		void *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		int fd = dup(0);

		if (p != MAP_FAILED)
			memset(p, 1, 65536);
		munmap(p, 65536);
		close(fd);
	}
	return arg;
}

static void *exec_leader(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&barrier);
	ms_sleep(10);	/* most others will be asleep by now; it does not matter */
	run_self("leader", 0);
	return NULL;
}

static void *exec_parent(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&barrier);
	ms_sleep(10);
	run_self("parent", 0);
	return NULL;
}

static pid_t start_with(void *(*leader)(void *), void *(*other)(void *), void *(*exec)(void *), int has_child)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		pthread_t t;

		if (has_child && fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			ms_sleep(200);
			_exit(0);
		}
		pthread_barrier_init(&barrier, NULL, 4);
		pthread_create(&t, NULL, other, NULL);
		pthread_create(&t, NULL, other, NULL);
		pthread_create(&t, NULL, exec, NULL);
		leader(NULL);
		_exit(91);
	}
	return pid;
}

static int status_of(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static void whatever_they_do(void)
{
	static const struct {
		void *(*fn)(void *);
		const char *name;
		int has_child;
	} how[] = {
		{ in_read, "read", 0 }, { in_futex, "futex", 0 }, { in_nanosleep, "nanosleep", 0 }, { in_poll, "poll", 0 }, { in_ppoll, "ppoll", 0 },
		{ in_wait, "waitpid", 1 }, { in_sigsuspend, "sigsuspend", 0 }, { in_sigwait, "sigwait", 0 }, { in_user_mode, "user mode", 0 },
		{ in_vfork, "vfork", 0 }, { in_calls, "one call after the other", 0 },
	};
	int bad = 0;

	if (pipe(pipe_fds))
		bail_out("pipe");
	for (unsigned i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		void *(*exec)(void *) = how[i].has_child || how[i].fn == in_vfork ? exec_parent : exec_leader;

		if (how[i].fn == in_vfork)	/* its leader must not return into _exit before the exec */
			is_int(status_of(start_with(in_nanosleep, how[i].fn, exec, 0)), 0, "a thread calls execve, others are in %s", how[i].name);
		else
			is_int(status_of(start_with(how[i].fn, how[i].fn, exec, how[i].has_child)), 0, "a thread calls execve, all others are in %s", how[i].name);
	}
	for (int i = 0; i < 10; i++) {
		pid_t pid = start_with(in_nanosleep, in_user_mode, exec_leader, 0);

		for (int k = 0; k < 6; k++) {
			ms_sleep(i % 3);
			kill(pid, SIGSTOP);
			ms_sleep(3);
			kill(pid, SIGCONT);
		}
		bad += status_of(pid) != 0;
	}
	is_int(bad, 0, "stopped and continued meanwhile");
	bad = 0;
	for (int i = 0; i < 10; i++) {
		pid_t pid = start_with(in_nanosleep, in_calls, exec_leader, 0);
		int status;

		ms_sleep(8 + i % 5);
		kill(pid, SIGKILL);
		status = status_of(pid);
		bad += status != 0 && status != SIGKILL;
	}
	is_int(bad, 0, "killed meanwhile");
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

/* The leader has left by exit(2) before. */
static void *exec_when_alone(void *arg)
{
	(void)arg;
	ms_sleep(20);
	run_self("leader", 0);
	return NULL;
}

static int leader_left(void)
{
	pthread_t t;

	pthread_create(&t, NULL, exec_when_alone, NULL);
	syscall(SYS_exit, 3);
	return 1;
}

/* An execve that fails leaves all as it was. */
static void *exec_nothing(void *arg)
{
	execve("/no/such/file", (char *[]){ "x", NULL }, NULL);
	return (void *)(intptr_t)(errno == ENOENT && !arg ? 0 : 1);
}

static int failing(void)
{
	pthread_t a, b;
	void *r;

	if (pipe(pipe_fds))
		return 1;
	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&a, NULL, in_read, NULL);
	pthread_barrier_wait(&barrier);
	pthread_create(&b, NULL, exec_nothing, NULL);
	pthread_join(b, &r);
	if (write(pipe_fds[1], "x", 1) != 1 || pthread_join(a, NULL))
		return 2;
	return r != NULL;
}

/* --- what is kept */

static void on_signal(int sig)
{
	(void)sig;
}

static void *exec_signals(void *arg)
{
	static char stack[16384];
	stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) };
	sigset_t set;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGQUIT);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	sigaltstack(&alt, NULL);
	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, SIG_IGN);
	kill(getpid(), SIGTERM);
	syscall(SYS_tgkill, getpid(), gettid(), SIGHUP);
	syscall(SYS_tgkill, getpid(), getpid(), SIGQUIT);
	run_self("signals", 0);
	return NULL;
}

static int with_signals(void)
{
	sigset_t all;
	pthread_t t;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	pthread_create(&t, NULL, exec_signals, NULL);
	for (;;)
		pause();
	return 1;
}

static void *exec_timers(void *arg)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerval tv = { .it_value.tv_sec = 1000 };
	int id;

	if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &id) || setitimer(ITIMER_REAL, &tv, NULL))
		_exit(50);
	run_self("timers", id);
	return arg;
}

static void *exec_thread(void *arg)
{
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(1, &cpu);
	prctl(PR_SET_NAME, "another");
	if (sched_setaffinity(0, sizeof(cpu), &cpu) || syscall(SYS_setpriority, PRIO_PROCESS, 0, 5) || syscall(SYS_setuid, 4321))
		_exit(50);
	run_self("thread", 0);
	return arg;
}

static void *exec_locks(void *arg)
{
	int fd = open("exec-lock", O_RDWR | O_CREAT, 0600);
	struct flock l = { .l_type = F_WRLCK };

	if (fd < 0 || fcntl(fd, F_SETLK, &l))
		_exit(50);
	run_self("locks", fd);
	return arg;
}

static void *(*exec_fn)(void *);

static int by_thread(void)
{
	pthread_t t;

	pthread_create(&t, NULL, exec_fn, NULL);
	for (;;)
		pause();
	return 1;
}

static int run_by_thread(void *(*fn)(void *))
{
	exec_fn = fn;
	return in_child(by_thread);
}

/* The calling leader's and the others' robust locks are marked, in memory that outlives them. */
static uint32_t *robust_words;

static void hold_robust(int i)
{
	static struct {
		struct robust_list_head head;
		struct { struct robust_list list; long distance; } entry;
	} r[2];

	r[i].entry.list.next = &r[i].head.list;
	r[i].head.list.next = &r[i].entry.list;
	r[i].head.futex_offset = (long)((char *)&robust_words[i * 64 + 8] - (char *)&r[i].entry.list);
	robust_words[i * 64 + 8] = (uint32_t)gettid();
	syscall(SYS_set_robust_list, &r[i].head, sizeof(r[i].head));
}

static void *exec_robust(void *arg)
{
	run_self("leader", 0);
	return arg;
}

static int exec_holding(void)
{
	hold_robust(1);
	run_self("leader", 0);
	return 1;
}

static int with_robust(void)
{
	pthread_t t;

	hold_robust(0);
	pthread_create(&t, NULL, exec_robust, NULL);
	for (;;)
		pause();
	return 1;
}

static void kept(void)
{
	is_int(in_child(with_signals), 0, "signals: pending ones of the process and the caller, the caller's mask; no handlers, no alternate stack");
	is_int(run_by_thread(exec_timers), 0, "POSIX timers are gone, the interval timer goes on");
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		is_int(run_by_thread(exec_thread), 0, "nice value, affinity and credentials are the caller's");
	else
		skip("nice value, affinity and credentials are the caller's");
	is_int(run_by_thread(exec_locks), 0, "record locks stay");
	robust_words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	is_int(in_child(with_robust), 0, "execve while another thread holds a robust lock");
	ok(robust_words[8] & FUTEX_OWNER_DIED, "which is marked");
	is_int(in_child(exec_holding), 0, "execve by one that holds a robust lock");
	ok(robust_words[72] & FUTEX_OWNER_DIED, "which is marked, too");
	munmap(robust_words, 4096);
}

/* --- races */

static void *race_exec(void *arg)
{
	pthread_barrier_wait(&barrier);
	run_self("parent", 0);
	return arg;
}

static void *race_exit(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&barrier);
	_exit(7);
}

static void *race_fork(void *arg)
{
	pthread_barrier_wait(&barrier);
	for (;;) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
	}
	return arg;
}

static void *race_clone(void *arg)
{
	pthread_attr_t attr;
	pthread_t t;

	if (arg)
		return NULL;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_barrier_wait(&barrier);
	for (;;)
		pthread_create(&t, &attr, race_clone, &t);
	return NULL;
}

static void *(*rivals[2])(void *);

static int race_body(void)
{
	pthread_t t;

	pthread_barrier_init(&barrier, NULL, 3);
	pthread_create(&t, NULL, rivals[0], NULL);
	pthread_create(&t, NULL, rivals[1], NULL);
	race_exec(NULL);
	return 91;
}

static void race(void *(*a)(void *), void *(*b)(void *), int rounds, int other_status, const char *name)
{
	int bad = 0;

	rivals[0] = a;
	rivals[1] = b;
	for (int i = 0; i < rounds; i++) {
		int status = in_child(race_body);

		if (status != 0 && status != other_status) {
			printf("# status %#x\n", (unsigned)status);
			bad++;
		}
	}
	is_int(bad, 0, "execve against %s", name);
}

int main(int argc, char **argv)
{
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (argc == 4)
		return be(argv);
	if (n <= 0)
		bail_out("no /proc/self/exe");
	whatever_they_do();
	is_int(in_child(leader_left), 0, "execve when the leader has left");
	is_int(in_child(failing), 0, "one that fails leaves the others alone");
	kept();
	race(race_exec, race_exec, 20, 0, "execve twice more");
	race(race_exit, race_exec, 20, 7 << 8, "exit_group and execve");
	race(race_fork, race_fork, 10, 0, "fork");
	race(race_clone, race_clone, 10, 0, "clone of threads");
	race(race_fork, race_exit, 10, 7 << 8, "fork and exit_group");
	return done_testing();
}
