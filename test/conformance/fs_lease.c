/* SPDX-License-Identifier: MPL-2.0 */
/* Leases (fcntl(2), F_SETLEASE, F_GETLEASE): who may have one, who breaks it, what the holder is told, how long the breaker waits. */
#include "tap.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define NAME "/tmp/leased"
#define BREAK_TIME "/proc/sys/fs/lease-break-time"

static volatile sig_atomic_t n_told;
static siginfo_t told;

static void on_io(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	told = *info;
	n_told++;
}

static int opened(int flags)
{
	int fd = open(NAME, flags);

	if (fd < 0)
		bail_out("open: %s", strerror(errno));
	return fd;
}

static void write_number(const char *path, int v)
{
	FILE *f = fopen(path, "w");

	if (!f || fprintf(f, "%d\n", v) < 0 || fclose(f))
		bail_out("%s", path);
}

static void until_told(int n)
{
	while (n_told < n)
		usleep(500);
}

/* --- who may have one */

static int as_user(void)
{
	int fd = opened(O_RDONLY);

	if (setgid(77) || setuid(77))
		return 1;
	return fcntl(fd, F_SETLEASE, F_RDLCK) == -1 && errno == EACCES ? 0 : 2;
}

static void setting(void)
{
	int rd = opened(O_RDONLY), other, pipes[2], dir = open("/tmp", O_RDONLY);

	is_int(fcntl(rd, F_GETLEASE), F_UNLCK, "none at first");
	is_int(fcntl(rd, F_SETLEASE, F_RDLCK), 0, "a read lease");
	is_int(fcntl(rd, F_GETLEASE), F_RDLCK, "is there");
	is_int(fcntl(rd, F_SETLEASE, F_RDLCK), 0, "set again");
	other = opened(O_RDONLY);
	is_int(fcntl(other, F_GETLEASE), F_UNLCK, "another open file has none");
	is_int(fcntl(other, F_SETLEASE, F_RDLCK), 0, "but can have one too");
	is_errno(fcntl(rd, F_SETLEASE, F_WRLCK) == -1, EAGAIN, "a write lease, with the file open twice");
	close(other);
	is_int(fcntl(rd, F_SETLEASE, F_WRLCK), 0, "with the other closed");
	is_int(fcntl(rd, F_GETLEASE), F_WRLCK, "is there");
	is_int(fcntl(rd, F_SETLEASE, F_RDLCK), 0, "turned into a read lease");
	is_int(fcntl(rd, F_SETLEASE, F_UNLCK), 0, "removed");
	is_int(fcntl(rd, F_GETLEASE), F_UNLCK, "gone");
	is_errno(fcntl(rd, F_SETLEASE, F_UNLCK) == -1, EAGAIN, "there is none to remove");
	is_errno(fcntl(rd, F_SETLEASE, 77) == -1, EINVAL, "no lease");
	other = opened(O_RDWR);
	is_errno(fcntl(rd, F_SETLEASE, F_RDLCK) == -1, EAGAIN, "a read lease of what is open for writing");
	is_errno(fcntl(other, F_SETLEASE, F_RDLCK) == -1, EAGAIN, "even by the holder");
	close(rd);
	is_int(fcntl(other, F_SETLEASE, F_WRLCK), 0, "a write lease of a file open for reading and writing");
	close(other);
	if (pipe(pipes))
		bail_out("pipe");
	is_errno(fcntl(pipes[0], F_SETLEASE, F_RDLCK) == -1, EINVAL, "a pipe");
	is_errno(fcntl(dir, F_SETLEASE, F_RDLCK) == -1, EINVAL, "a directory");
	is_errno(fcntl(-1, F_SETLEASE, F_RDLCK) == -1, EBADF, "no descriptor");
	is_int(in_child(as_user), 0, "another's file");
	close(dir);
	close(pipes[0]);
	close(pipes[1]);
}

/* --- breaking without waiting */

static void nonblocking(void)
{
	int fd = opened(O_RDONLY), other, before = n_told;

	fcntl(fd, F_SETLEASE, F_RDLCK);
	other = opened(O_RDONLY);
	close(other);
	is_int(n_told, before, "a reader does not break a read lease");
	is_errno(open(NAME, O_WRONLY | O_NONBLOCK) == -1, EWOULDBLOCK, "a writer does: EWOULDBLOCK with O_NONBLOCK");
	until_told(before + 1);
	is_int(fcntl(fd, F_GETLEASE), F_UNLCK, "and F_GETLEASE says what it is to become");
	is_errno(open(NAME, O_WRONLY | O_NONBLOCK) == -1, EWOULDBLOCK, "still");
	is_int(n_told, before + 1, "told once");
	is_int(fcntl(fd, F_SETLEASE, F_UNLCK), 0, "the holder lets go");
	other = open(NAME, O_WRONLY | O_NONBLOCK);
	ok(other >= 0, "and the writer may");
	close(other);
	close(fd);
	fd = opened(O_RDONLY);
	fcntl(fd, F_SETSIG, SIGUSR1);
	fcntl(fd, F_SETLEASE, F_WRLCK);
	is_errno(open(NAME, O_RDONLY | O_NONBLOCK) == -1, EWOULDBLOCK, "a reader breaks a write lease");
	until_told(before + 2);
	ok(told.si_signo == SIGUSR1 && told.si_fd == fd && told.si_code == POLL_MSG, "F_SETSIG: the signal says which, POLL_MSG");
	is_int(fcntl(fd, F_GETLEASE), F_RDLCK, "a read lease would do");
	is_errno(open(NAME, O_RDWR | O_NONBLOCK) == -1, EWOULDBLOCK, "a writer wants more");
	until_told(before + 3);
	is_int(fcntl(fd, F_GETLEASE), F_UNLCK, "none would do now");
	is_int(fcntl(fd, F_SETLEASE, F_UNLCK), 0, "let go");
	is_int(fcntl(fd, F_SETLEASE, F_WRLCK), 0, "and taken again");
	close(fd);
	other = open(NAME, O_RDWR | O_NONBLOCK);
	ok(other >= 0, "closing lets go");
	close(other);
}

/* --- breakers that wait */

struct breaker {
	pthread_t thread;
	int how;
	volatile int tid, is_over, result, error;
};
enum { FOR_READING, FOR_WRITING, TRUNCATING, CUTTING };

static void *break_it(void *arg)
{
	struct breaker *b = arg;

	b->tid = (int)syscall(SYS_gettid);
	if (b->how == TRUNCATING)
		b->result = truncate(NAME, 3);
	else
		b->result = open(NAME, b->how == FOR_READING ? O_RDONLY : b->how == FOR_WRITING ? O_WRONLY : O_RDONLY | O_TRUNC);
	b->error = errno;
	if (b->result > 0)
		close(b->result);
	b->is_over = 1;
	return NULL;
}

static void start(struct breaker *b, int how)
{
	int before = n_told;

	*b = (struct breaker){ .how = how };
	pthread_create(&b->thread, NULL, break_it, b);
	until_told(before + 1);
	usleep(5000);
}

static void waiting(void)
{
	static const char *const names[] = { "a reader", "a writer", "truncate", "O_TRUNC" };
	struct breaker b;

	for (int how = 0; how < 4; how++) {
		int fd = opened(O_RDONLY);

		if (fcntl(fd, F_SETLEASE, F_WRLCK))
			bail_out("F_SETLEASE: %s", strerror(errno));
		start(&b, how);
		ok(!b.is_over, "%s waits", names[how]);
		if (how == FOR_READING)
			is_int(fcntl(fd, F_SETLEASE, F_RDLCK), 0, "%s: the lease comes down", names[how]);
		else if (how == CUTTING)
			close(fd);
		else
			fcntl(fd, F_SETLEASE, F_UNLCK);
		pthread_join(b.thread, NULL);
		ok(b.result >= 0, "%s goes on", names[how]);
		if (how == FOR_READING)
			is_int(fcntl(fd, F_GETLEASE), F_RDLCK, "%s: a read lease is left", names[how]);
		close(fd);
	}
}

static void in_time(void)
{
	int fd = opened(O_RDONLY);
	struct breaker b;

	write_number(BREAK_TIME, 1);
	fcntl(fd, F_SETLEASE, F_WRLCK);
	start(&b, FOR_READING);
	pthread_join(b.thread, NULL);
	ok(b.result >= 0, "the time is over: the breaker goes on");
	is_int(fcntl(fd, F_GETLEASE), F_RDLCK, "the lease has come down by itself");
	start(&b, FOR_WRITING);
	pthread_join(b.thread, NULL);
	ok(b.result >= 0, "once more");
	is_int(fcntl(fd, F_GETLEASE), F_UNLCK, "and is gone");
	close(fd);
	write_number(BREAK_TIME, 45);
}

static void on_usr2(int sig)
{
	(void)sig;
}

static void interrupted(void)
{
	struct sigaction sa = { .sa_handler = on_usr2 };
	int fd = opened(O_RDONLY), status, before = n_told;
	struct breaker b;
	pid_t pid;

	sigaction(SIGUSR2, &sa, NULL);
	fcntl(fd, F_SETLEASE, F_WRLCK);
	start(&b, FOR_WRITING);
	pthread_kill(b.thread, SIGUSR2);
	pthread_join(b.thread, NULL);
	ok(b.result == -1 && b.error == EINTR, "a handler ends the breaker's wait");
	is_int(fcntl(fd, F_GETLEASE), F_UNLCK, "the break goes on");
	fcntl(fd, F_SETLEASE, F_UNLCK);
	close(fd);
	fd = opened(O_RDONLY);
	fcntl(fd, F_SETLEASE, F_RDLCK);
	before = n_told;
	pid = fork();
	if (!pid)
		_exit(open(NAME, O_WRONLY) < 0);
	until_told(before + 1);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "a breaker is killed");
	close(fd);
}

static void *open_often(void *arg)
{
	for (int i = 0; i < 300; i++) {
		int fd = open(NAME, (i & 1 ? O_RDONLY : O_RDWR) | O_NONBLOCK);

		if (fd >= 0)
			close(fd);
		else if (errno != EWOULDBLOCK)
			(*(int *)arg)++;
	}
	return NULL;
}

static void races(void)
{
	pthread_t t[3];
	int bad[3] = { 0 }, n_set = 0;

	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, open_often, &bad[i]);
	for (int i = 0; i < 300; i++) {
		int fd = open(NAME, O_RDONLY | O_NONBLOCK);

		n_set += fcntl(fd, F_SETLEASE, i & 1 ? F_WRLCK : F_RDLCK) == 0;
		close(fd);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	is_int(bad[0] + bad[1] + bad[2], 0, "set, broken and closed all at once");
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = on_io, .sa_flags = SA_SIGINFO | SA_RESTART };
	int fd;

	mkdir("/tmp", 01777);
	unlink(NAME);
	fd = open(NAME, O_CREAT | O_RDWR, 0644);
	if (fd < 0 || write(fd, "some text", 9) != 9)
		bail_out("cannot make " NAME);
	close(fd);
	sigaction(SIGIO, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	setting();
	nonblocking();
	waiting();
	in_time();
	interrupted();
	races();
	unlink(NAME);
	return done_testing();
}
