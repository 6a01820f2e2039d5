/* SPDX-License-Identifier: MPL-2.0 */
/* execve(2): what the new program gets, what it keeps, what it loses. It runs itself again: argv[1] says what to be. */
#include "tap.h"
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static char self[256];
static char *const *volatile bad_pointer = (char *const *)8;

static int status_of(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* What keeps a program that waits for it running until release(). */
static int hold[2];
static char hold_fd[12];

static void take_hold(void)
{
	if (pipe(hold) || fcntl(hold[1], F_SETFD, FD_CLOEXEC))
		bail_out("pipe");
	snprintf(hold_fd, sizeof(hold_fd), "%d", hold[0]);
}

static void release(void)
{
	close(hold[1]);
	close(hold[0]);
}

/* Runs `path` with these arguments in a child: its exit status, or 128 + signal, or 1000 + errno of execve. */
static int run(const char *path, char *const argv[], char *const envp[])
{
	int err[2], e = 0, status;
	pid_t pid;

	if (pipe2(err, O_CLOEXEC))
		bail_out("pipe");
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		execve(path, argv, envp);
		e = errno;
		if (write(err[1], &e, sizeof(e)) != sizeof(e))
			_exit(99);
		_exit(98);
	}
	close(err[1]);
	if (read(err[0], &e, sizeof(e)) != sizeof(e))
		e = 0;
	close(err[0]);
	status = status_of(pid);
	return e ? 1000 + e : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_self(const char *what)
{
	return run(self, (char *[]){ "self", (char *)what, NULL }, (char *[]){ "A=1", NULL });
}

/* --- what the new program checks about itself: 0 all well */

static unsigned long sum_of(const char *s)
{
	unsigned long sum = 0;

	while (*s)
		sum = sum * 31 + (unsigned char)*s++;
	return sum;
}

static int be_args(int argc, char **argv, char **envp)
{
	if (argc != 5 || strcmp(argv[0], "self") || strcmp(argv[2], "") || strcmp(argv[3], "a b\n\x80") || strlen(argv[4]) != 5000 || argv[5])
		return 1;
	if (!envp[0] || strcmp(envp[0], "X=1") || !envp[1] || strcmp(envp[1], "Y=") || envp[2])
		return 2;
	return 0;
}

static int be_auxv(void)
{
	const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
	unsigned char all = 0;

	if (getauxval(AT_PAGESZ) != 4096 || getauxval(AT_CLKTCK) != 100 || getauxval(AT_SECURE) != 0)
		return 1;
	if (getauxval(AT_UID) != getuid() || getauxval(AT_EUID) != geteuid() || getauxval(AT_GID) != getgid() || getauxval(AT_EGID) != getegid())
		return 2;
	if (strcmp((const char *)getauxval(AT_PLATFORM), "x86_64") || strcmp((const char *)getauxval(AT_EXECFN), self))
		return 3;
	for (int i = 0; i < 16; i++)
		all |= random[i];
	if (!all || !getauxval(AT_HWCAP) || getauxval(AT_MINSIGSTKSZ) < 1024 || getauxval(AT_MINSIGSTKSZ) > 16384)
		return 4;
	if (getauxval(AT_PHENT) != 56 || getauxval(AT_PHNUM) < 2 || !getauxval(AT_PHDR) || !getauxval(AT_ENTRY) || getauxval(AT_BASE))
		return 5;
	return ((unsigned long)&all & 0xf) < 16 && (getauxval(AT_RANDOM) & 7) < 8 ? 0 : 6;
}

static int be_signals(void)
{
	struct sigaction one, two;
	sigset_t set;
	stack_t ss;

	sigaction(SIGUSR1, NULL, &one);
	sigaction(SIGUSR2, NULL, &two);
	sigprocmask(SIG_BLOCK, NULL, &set);
	sigaltstack(NULL, &ss);
	if (one.sa_handler != SIG_DFL || two.sa_handler != SIG_IGN)
		return 1;
	if (!sigismember(&set, SIGTERM) || !(ss.ss_flags & SS_DISABLE))
		return 2;
	sigpending(&set);
	if (!sigismember(&set, SIGTERM))
		return 3;
	return alarm(0) > 50 ? 0 : 4;
}

static int be_comm(const char *want)
{
	char name[16];

	prctl(PR_GET_NAME, name);
	return strcmp(name, want) != 0;
}

static int be_fds(void)
{
	return fcntl(50, F_GETFD) == -1 && errno == EBADF && fcntl(51, F_GETFD) == 0 ? 0 : 1;
}

static int be_leader(const char *pid)
{
	return getpid() == atoi(pid) && gettid() == atoi(pid) ? 0 : 1;
}

static int be_stack(void)
{
	char big[200000];

	memset(big, 1, sizeof(big));
	return big[100] - 1;
}

static int be(int argc, char **argv, char **envp)
{
	if (!strcmp(argv[1], "args"))
		return be_args(argc, argv, envp);
	if (!strcmp(argv[1], "auxv"))
		return be_auxv();
	if (!strcmp(argv[1], "signals"))
		return be_signals();
	if (!strcmp(argv[1], "comm"))
		return be_comm(argv[2]);
	if (!strcmp(argv[1], "fds"))
		return be_fds();
	if (!strcmp(argv[1], "leader"))
		return be_leader(argv[2]);
	if (!strcmp(argv[1], "stack"))
		return be_stack();
	if (!strcmp(argv[1], "sum"))
		return argc == 4 && sum_of(argv[2]) == strtoul(argv[3], NULL, 10) ? 0 : 1;
	if (!strcmp(argv[1], "count"))
		return argc == atoi(argv[2]) ? 0 : 1;
	if (!strcmp(argv[1], "wait"))	/* for the end of what it can read there */
		while (read(atoi(argv[2]), argv[2], 1) > 0)
			;
	return argv[1][0] == '#' ? atoi(argv[1] + 1) : 0;
}

/* --- success */

static void passing(void)
{
	static char long_arg[5001];
	struct sigaction sa = { .sa_handler = (void (*)(int))abort };
	stack_t ss = { .ss_sp = malloc(65536), .ss_size = 65536 };
	sigset_t set;
	char pid[16];

	memset(long_arg, 'z', 5000);
	is_int(run(self, (char *[]){ "self", "args", "", "a b\n\x80", long_arg, NULL }, (char *[]){ "X=1", "Y=", NULL }), 0, "arguments and environment");
	is_int(run_self("auxv"), 0, "the auxiliary vector");
	is_int(run_self("#42"), 42, "an exit status");
	is_int(run_self("stack"), 0, "the stack grows");
	sigaction(SIGUSR1, &sa, NULL);
	signal(SIGUSR2, SIG_IGN);
	sigaltstack(&ss, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	fflush(stdout);
	snprintf(pid, sizeof(pid), "x");
	if (fork() == 0) {
		alarm(100);
		sigprocmask(SIG_BLOCK, &set, NULL);
		raise(SIGTERM);
		execve(self, (char *[]){ "self", "signals", NULL }, NULL);
		_exit(99);
	}
	int status;

	wait(&status);
	is_int(status, 0, "handlers and alternate stack go; ignored, mask, pending and alarm stay");
	signal(SIGUSR1, SIG_DFL);
	dup2(2, 50);
	dup2(2, 51);
	fcntl(50, F_SETFD, FD_CLOEXEC);
	is_int(run_self("fds"), 0, "close-on-exec");
	close(50);
	close(51);
}

static void names(void)
{
	unlink("/tmp/a_rather_long_program_name");
	if (symlink(self, "/tmp/a_rather_long_program_name"))
		bail_out("symlink");
	is_int(run("/tmp/a_rather_long_program_name", (char *[]){ "x", "comm", "a_rather_long_p", NULL }, NULL), 0, "the name is the file's, cut at 15 bytes");
	unlink("/tmp/a_rather_long_program_name");
	is_int(run(self, NULL, NULL), 77, "argv NULL: the program gets one empty argument");
	is_int(run(self, (char *[]){ NULL }, NULL), 77, "as does an empty argv");
}

/* --- sizes */

static void sizes(void)
{
	char *arg = malloc(131073), sum[32];
	char **many = calloc(30001, sizeof(char *));

	memset(arg, 'q', 131072);
	arg[131071] = 0;
	snprintf(sum, sizeof(sum), "%lu", sum_of(arg));
	is_int(run(self, (char *[]){ "self", "sum", arg, sum, NULL }, NULL), 0, "an argument of 128 KiB with its NUL");
	arg[131071] = 'q';
	arg[131072] = 0;
	is_int(run(self, (char *[]){ "self", "sum", arg, sum, NULL }, NULL), 1000 + E2BIG, "one byte more");
	is_int(run(self, (char *[]){ "self", "x", NULL }, (char *[]){ arg, NULL }), 1000 + E2BIG, "the same in the environment");
	arg[131071] = 0;
	for (int i = 0; i < 30000; i++)
		many[i] = "ab";
	many[0] = "self";
	many[1] = "count";
	many[2] = "30000";
	is_int(run(self, many, NULL), 0, "30000 arguments");
	for (int i = 3; i < 20; i++)
		many[i] = arg;
	many[20] = NULL;
	is_int(run(self, many, NULL), 1000 + E2BIG, "17 arguments of 128 KiB with a stack limit of 8 MiB");
	free(arg);
	free(many);
}

/* --- errors */

static void errors(void)
{
	static char long_name[300], long_path[5000];
	char *const argv[] = { "x", NULL };

	memset(long_name, 'n', sizeof(long_name) - 1);
	memset(long_path, '/', sizeof(long_path) - 1);
	is_int(run("/nonexistent/x", argv, NULL), 1000 + ENOENT, "no such file");
	is_int(run("", argv, NULL), 1000 + ENOENT, "an empty path");
	is_int(run("/tmp", argv, NULL), 1000 + EACCES, "a directory");
	is_int(run("/dev/null", argv, NULL), 1000 + EACCES, "a device");
	is_int(run(long_name, argv, NULL), 1000 + ENAMETOOLONG, "a long name");
	is_int(run(long_path, argv, NULL), 1000 + ENAMETOOLONG, "a long path");
	is_int(run((char *)8, argv, NULL), 1000 + EFAULT, "a bad path pointer");
	is_int(run(self, bad_pointer, NULL), 1000 + EFAULT, "a bad argv");
	is_int(run(self, (char *[]){ "x", (char *)8, NULL }, NULL), 1000 + EFAULT, "a bad argument");
	is_int(run(self, argv, (char *[]){ (char *)8, NULL }), 1000 + EFAULT, "a bad variable");
	is_int(run("/nonexistent/x", bad_pointer, NULL), 1000 + EFAULT, "arguments are looked at before the file");
	char file_path[300];
	snprintf(file_path, sizeof(file_path), "%s/x", self);
	is_int(run(file_path, argv, NULL), 1000 + ENOTDIR, "a path through a file");
	unlink("/tmp/loop");
	if (symlink("loop", "/tmp/loop") == 0)
		is_int(run("/tmp/loop", argv, NULL), 1000 + ELOOP, "a symbolic link to itself");
	unlink("/tmp/loop");
}

/* argv whose last pointer stands right before unmapped memory. */
static void at_the_border(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char **argv = (char **)(page + 4096) - 3;

	munmap(page + 4096, 4096);
	argv[0] = "self";
	argv[1] = "#21";
	argv[2] = NULL;
	is_int(run(self, argv, NULL), 21, "argv at the end of a mapping");
	argv[2] = "x";
	is_int(run(self, argv, NULL), 1000 + EFAULT, "and one that goes on beyond");
	strcpy(page + 4096 - 4, "#22");
	is_int(run(self, (char *[]){ "self", page + 4096 - 4, NULL }, NULL), 22, "a string at the end of a mapping");
	memcpy(page + 4096 - 4, "#222", 4);
	is_int(run(self, (char *[]){ "self", page + 4096 - 4, NULL }, NULL), 1000 + EFAULT, "and one without NUL");
}

/* --- writers */

static void busy(void)
{
	char copy[] = "/tmp/exec_copy";
	int in = open(self, O_RDONLY), out = open(copy, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	char buf[65536];
	ssize_t n;
	pid_t pid;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			bail_out("write");
	close(in);
	is_int(run(copy, (char *[]){ "x", "#1", NULL }, NULL), 1000 + ETXTBSY, "a file open for writing");
	close(out);
	is_int(run(copy, (char *[]){ "x", "#1", NULL }, NULL), 1, "closed again");
	fflush(stdout);
	take_hold();
	pid = vfork();
	if (pid == 0) {
		execve(copy, (char *[]){ "x", "wait", hold_fd, NULL }, NULL);
		_exit(99);
	}
	is_errno(open(copy, O_WRONLY) == -1, ETXTBSY, "writing to a program that runs");
	is_errno(truncate(copy, 0) == -1, ETXTBSY, "truncating it");
	release();
	is_int(status_of(pid), 0, "it ends");
	out = open(copy, O_WRONLY);
	ok(out >= 0, "now it can be written");
	close(out);
	chmod(copy, 0644);
	is_int(run(copy, (char *[]){ "x", "#1", NULL }, NULL), 1000 + EACCES, "no permission to execute, not even for root");
	chmod(copy, 0111);
	is_int(run(copy, (char *[]){ "x", "#5", NULL }, NULL), 5, "executable but not readable");
	unlink(copy);
}

/* --- threads */

static pthread_barrier_t barrier;

static void *spin(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&barrier);
	for (;;)
		;
	return NULL;
}

static void *sleep_on(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&barrier);
	for (;;)
		pause();
	return NULL;
}

static void *exec_leader(void *arg)
{
	(void)arg;
	char pid[16];

	pthread_barrier_wait(&barrier);
	snprintf(pid, sizeof(pid), "%d", getpid());
	execve(self, (char *[]){ "self", "leader", pid, NULL }, NULL);
	_exit(90);
}

static int exec_by(void *(*fn)(void *))
{
	pthread_t t;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		pthread_barrier_init(&barrier, NULL, 4);
		pthread_create(&t, NULL, spin, NULL);
		pthread_create(&t, NULL, sleep_on, NULL);
		if (!fn)
			pthread_create(&t, NULL, sleep_on, NULL);
		else
			pthread_create(&t, NULL, fn, NULL);
		if (!fn)
			exec_leader(NULL);
		sleep_on(NULL);
	}
	return status_of(pid);
}

static void *race(void *arg)
{
	pthread_barrier_wait(&barrier);
	execve(self, (char *[]){ "self", "leader", arg, NULL }, NULL);
	_exit(90);
}

static int racing(void)
{
	static char pid[16];
	pthread_t t;

	snprintf(pid, sizeof(pid), "%d", getpid());
	pthread_barrier_init(&barrier, NULL, 4);
	for (int i = 0; i < 3; i++)
		pthread_create(&t, NULL, race, pid);
	race(pid);
	return 91;
}

static void threads(void)
{
	int bad = 0;

	is_int(exec_by(NULL), 0, "execve by the leader ends the other threads");
	is_int(exec_by(exec_leader), 0, "execve by another thread: it becomes the leader, with the process's id");
	for (int i = 0; i < 20; i++)
		bad += in_child(racing) != 0;
	is_int(bad, 0, "four threads calling execve at once: one wins");
}

/* --- vfork and execveat */

static void others(void)
{
	volatile int before = 1;
	int dir, fd;
	pid_t pid;

	take_hold();
	pid = vfork();
	if (pid == 0) {
		before = 2;
		execve(self, (char *[]){ "self", "wait", hold_fd, NULL }, NULL);
		_exit(99);
	}
	is_int(waitpid(pid, NULL, WNOHANG), 0, "vfork's parent goes on at execve, not at exit");
	is_int(before, 2, "and has waited until then");
	release();
	is_int(status_of(pid), 0, "the program ends");
	fd = open(self, O_PATH | O_CLOEXEC);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		syscall(SYS_execveat, fd, "", (char *[]){ "self", "#11", NULL }, NULL, AT_EMPTY_PATH);
		_exit(99);
	}
	is_int(status_of(pid), 11 << 8, "execveat of a descriptor");
	char dir_name[256], *base;

	strcpy(dir_name, self);
	base = strrchr(dir_name, '/');
	*base++ = 0;
	dir = open(*dir_name ? dir_name : "/", O_RDONLY | O_DIRECTORY);
	if ((pid = fork()) == 0) {
		syscall(SYS_execveat, dir, base, (char *[]){ "self", "#12", NULL }, NULL, 0);
		_exit(99);
	}
	is_int(status_of(pid), 12 << 8, "execveat below a directory");
	is_errno(syscall(SYS_execveat, fd, "", (char *[]){ "x", NULL }, NULL, 0) == -1, ENOENT, "an empty path without AT_EMPTY_PATH");
	is_errno(syscall(SYS_execveat, -1, "x", (char *[]){ "x", NULL }, NULL, 0) == -1, EBADF, "a bad descriptor");
	is_errno(syscall(SYS_execveat, AT_FDCWD, self, (char *[]){ "x", NULL }, NULL, 0x10) == -1, EINVAL, "an unknown flag");
	is_errno(syscall(SYS_execveat, fd, "x", (char *[]){ "x", NULL }, NULL, 0) == -1, ENOTDIR, "below a file");
	unlink("/tmp/exec_link");
	if (symlink(self, "/tmp/exec_link") == 0)
		is_errno(syscall(SYS_execveat, AT_FDCWD, "/tmp/exec_link", (char *[]){ "x", NULL }, NULL, AT_SYMLINK_NOFOLLOW) == -1, ELOOP, "AT_SYMLINK_NOFOLLOW");
	unlink("/tmp/exec_link");
}

static int repeated(void)
{
	for (int i = 0; i < 100; i++)
		if (run_self("#9") != 9)
			return 1;
	return 0;
}

/*
 * A program of one writable segment whose variables end within its last file page: it exits with the sum of the page's last 64 bytes. The file has junk
 * there (section headers, usually), the memory zeros: ld.so hands that space out as zeroed memory. At 120: xor edi, edi; mov esi, end - 64; then 64 times:
 * add dil, [rsi]; inc rsi; and exit_group(edi).
 */
static void zeroed_tail(void)
{
	enum { BASE = 0x400000, CODE = 120, FILE_END = 0x200, PAGE = 0x1000 };
	static unsigned char file[PAGE];
	static const unsigned char code[] = {
		0x31, 0xff, 0xbe, 0xc0, 0x0f, 0x40, 0x00, 0xb9, 0x40, 0x00, 0x00, 0x00,
		0x40, 0x02, 0x3e, 0xff, 0xc6, 0xff, 0xc9, 0x75, 0xf7, 0xb8, 0xe7, 0x00, 0x00, 0x00, 0x0f, 0x05,
	};
	Elf64_Ehdr head = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_EXEC, .e_machine = EM_X86_64,
		.e_version = EV_CURRENT, .e_entry = BASE + CODE, .e_phoff = sizeof(head), .e_ehsize = sizeof(head), .e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
	};
	const Elf64_Phdr segment = {
		.p_type = PT_LOAD, .p_flags = PF_R | PF_W | PF_X, .p_vaddr = BASE, .p_paddr = BASE, .p_filesz = FILE_END, .p_memsz = FILE_END + 8,
		.p_align = PAGE,
	};
	int fd = open("tail", O_WRONLY | O_CREAT | O_TRUNC, 0755);

	memset(file, 1, sizeof(file));
	memcpy(file, &head, sizeof(head));
	memcpy(file + sizeof(head), &segment, sizeof(segment));
	memcpy(file + CODE, code, sizeof(code));
	ok(fd >= 0 && write(fd, file, sizeof(file)) == sizeof(file) && close(fd) == 0, "a program is written by hand");
	is_int(run("./tail", (char *[]){ "tail", NULL }, (char *[]){ NULL }), 0, "behind the last variable its page is zero to the end");
	unlink("tail");
}

int main(int argc, char **argv, char **envp)
{
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (argc == 1 && !argv[0][0])
		return 77;
	if (n <= 0)
		strcpy(self, argv[0]);
	if (argc > 1) {
		if (getauxval(AT_EXECFN))
			strcpy(self, (const char *)getauxval(AT_EXECFN));
		return be(argc, argv, envp);
	}
	passing();
	names();
	sizes();
	errors();
	at_the_border();
	busy();
	threads();
	others();
	zeroed_tail();
	is_int(in_child(repeated), 0, "a hundred programs one after the other");
	return done_testing();
}
