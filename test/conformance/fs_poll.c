/* SPDX-License-Identifier: MPL-2.0 */
/* poll(2), ppoll(2): events, timeouts, many descriptors, signals and masks, restarts, errors. */
#include "fs_util.h"
#include <pthread.h>

struct kernel_timespec {
	long sec, nsec;
};

static long raw_ppoll(struct pollfd *fds, unsigned n, struct kernel_timespec *ts, const void *mask, size_t size)
{
	return syscall(SYS_ppoll, fds, n, ts, mask, size);
}

static void events(void)
{
	struct pollfd p[5];
	int pipefd[2], file = open("file", O_CREAT | O_RDWR, 0644), path = open("file", O_PATH), dir = open(".", O_RDONLY);

	pipe(pipefd);
	p[0] = (struct pollfd){ pipefd[0], POLLIN, 77 };
	p[1] = (struct pollfd){ pipefd[1], POLLOUT, 77 };
	p[2] = (struct pollfd){ -1, POLLIN, 77 };
	p[3] = (struct pollfd){ 999, POLLIN, 77 };
	p[4] = (struct pollfd){ file, POLLIN | POLLOUT | POLLPRI, 77 };
	is_int(poll(p, 5, -1), 3, "three are ready");
	is_int(p[0].revents, 0, "an empty pipe");
	is_int(p[1].revents, POLLOUT, "a pipe with room");
	is_int(p[2].revents, 0, "a negative descriptor is left out");
	is_int(p[3].revents, POLLNVAL, "one that is not open");
	is_int(p[4].revents, POLLIN | POLLOUT, "a file is always ready, both ways");
	p[0] = (struct pollfd){ file, 0, 77 };
	is_int(poll(p, 1, 0), 0, "no events asked");
	is_int(p[0].revents, 0, "none told");
	p[0] = (struct pollfd){ file, POLLRDNORM | POLLWRNORM | POLLRDBAND | POLLWRBAND, 0 };
	poll(p, 1, 0);
	is_int(p[0].revents, POLLRDNORM | POLLWRNORM, "POLLRDNORM, POLLWRNORM");
	p[0] = (struct pollfd){ path, POLLIN, 0 };
	poll(p, 1, 0);
	is_int(p[0].revents, POLLNVAL, "an O_PATH descriptor");
	p[0] = (struct pollfd){ dir, POLLIN, 0 };
	poll(p, 1, 0);
	is_int(p[0].revents, POLLIN, "a directory");
	p[0] = p[1] = (struct pollfd){ pipefd[1], POLLOUT, 0 };
	is_int(poll(p, 2, 0), 2, "the same descriptor twice counts twice");
	close(file);
	close(path);
	close(dir);
	close(pipefd[0]);
	close(pipefd[1]);
}

/* What is asked and never comes, what comes unasked, and what comes only if asked. */
static void each_bit(void)
{
	static const struct {
		short asked, file, room, empty, full;	/* told of a file, a pipe's write end, its read end without and with data */
	} rows[] = {
		{ POLLIN, POLLIN, 0, 0, POLLIN },
		{ POLLPRI, 0, 0, 0, 0 },
		{ POLLOUT, POLLOUT, POLLOUT, 0, 0 },
		{ POLLERR, 0, 0, 0, 0 },
		{ POLLHUP, 0, 0, 0, 0 },
		{ POLLNVAL, 0, 0, 0, 0 },
		{ POLLRDNORM, POLLRDNORM, 0, 0, POLLRDNORM },
		{ POLLRDBAND, 0, 0, 0, 0 },
		{ POLLWRNORM, POLLWRNORM, POLLWRNORM, 0, 0 },
		{ POLLWRBAND, 0, 0, 0, 0 },
		{ POLLMSG, 0, 0, 0, 0 },
		{ POLLRDHUP, 0, 0, 0, 0 },
	};
	int p[2], file = open("bits", O_CREAT | O_RDWR, 0644);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		short asked = rows[i].asked;
		struct pollfd fds[] = { { file, asked, 0 }, { -1, asked, 0 }, { -1, asked, 0 }, { -1, asked, 0 } };

		pipe(p);
		fds[1].fd = p[1];
		fds[2].fd = p[0];
		poll(fds, 3, 0);
		write(p[1], "x", 1);
		fds[3].fd = p[0];
		poll(fds + 3, 1, 0);
		ok(fds[0].revents == rows[i].file && fds[1].revents == rows[i].room && fds[2].revents == rows[i].empty && fds[3].revents == rows[i].full,
		   "event %#x asked of a file and a pipe", asked);
		close(p[1]);
		is_int(poll(fds + 3, 1, -1), 1, "the writer gone, it wakes whatever was asked");
		is_int(fds[3].revents, rows[i].full | POLLHUP, "with POLLHUP, asked or not");
		pipe(p);
		close(p[0]);
		fds[1].fd = p[1];
		is_int(poll(fds + 1, 1, -1), 1, "so does the reader gone");
		is_int(fds[1].revents, rows[i].room | POLLERR, "with POLLERR");
		fds[1].fd = 999;
		is_int(poll(fds + 1, 1, -1), 1, "and what is not open");
		is_int(fds[1].revents, POLLNVAL, "with POLLNVAL");
		close(p[1]);
		close(fds[3].fd);
	}
	close(file);
}

static void timeouts(void)
{
	struct kernel_timespec ts;
	struct pollfd p;
	long t0, dt;
	int pipefd[2];

	pipe(pipefd);
	p = (struct pollfd){ pipefd[0], POLLIN, 0 };
	t0 = now_ms();
	is_int(poll(&p, 1, 100), 0, "nothing comes in 100 ms");
	dt = now_ms() - t0;
	ok(dt >= 100 && dt < 1500, "it took that long");
	t0 = now_ms();
	is_int(poll(NULL, 0, 50), 0, "poll of nothing sleeps");
	dt = now_ms() - t0;
	ok(dt >= 50 && dt < 1500, "as long as it should");
	is_int(poll(&p, 1, 0), 0, "no time at all");
	ts = (struct kernel_timespec){ 0, 30000000 };
	is_int(raw_ppoll(&p, 1, &ts, NULL, 0), 0, "ppoll, 30 ms");
	ok(ts.sec == 0 && ts.nsec == 0, "nothing is left of it");
	write(pipefd[1], "x", 1);
	ts = (struct kernel_timespec){ 50, 0 };
	is_int(raw_ppoll(&p, 1, &ts, NULL, 0), 1, "ppoll finds something");
	ok((ts.sec == 49 && ts.nsec > 0) || ts.sec == 50, "the time left is written back");
	ts = (struct kernel_timespec){ 0, 0 };
	is_int(raw_ppoll(&p, 1, &ts, NULL, 0), 1, "no time, but ready");
	ts = (struct kernel_timespec){ -1, 0 };
	is_errno(raw_ppoll(&p, 1, &ts, NULL, 0) == -1, EINVAL, "negative seconds");
	ts = (struct kernel_timespec){ 0, 1000000000 };
	is_errno(raw_ppoll(&p, 1, &ts, NULL, 0) == -1, EINVAL, "too many nanoseconds");
	is_errno(raw_ppoll(&p, 1, BAD_PTR, NULL, 0) == -1, EFAULT, "a bad timespec");
	is_errno(raw_ppoll(&p, 1, NULL, &ts, 4) == -1, EINVAL, "a mask of another size");
	is_errno(raw_ppoll(&p, 1, NULL, BAD_PTR, 8) == -1, EFAULT, "a bad mask");
	is_int(raw_ppoll(&p, 1, NULL, NULL, 4), 1, "no mask: its size does not count");
	close(pipefd[0]);
	close(pipefd[1]);
}

static void errors(void)
{
	struct rlimit old, few;
	struct pollfd p = { 0, 0, 0 };
	struct pollfd *edge = (struct pollfd *)fs_edge() - 1;

	is_errno(poll(BAD_PTR, 1, 0) == -1, EFAULT, "a bad array");
	is_int(poll(BAD_PTR, 0, 0), 0, "a bad array of none");
	*edge = (struct pollfd){ -1, 0, 5 };
	is_int(poll(edge, 1, 0), 0, "an array at the edge");
	is_int(edge->revents, 0, "revents is written");
	is_errno(poll(edge, 2, 0) == -1, EFAULT, "half of the array is there");
	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = 20;
	setrlimit(RLIMIT_NOFILE, &few);
	is_errno(poll(BAD_PTR, 21, 0) == -1, EINVAL, "more than RLIMIT_NOFILE");
	is_errno(poll(BAD_PTR, 20, 0) == -1, EFAULT, "just as many");
	is_errno(poll(&p, -1u, 0) == -1, EINVAL, "4294967295 of them");
	setrlimit(RLIMIT_NOFILE, &old);
}

static void many(void)
{
	enum { N = 900 };
	static struct pollfd p[N];
	int pipefd[2], wrong = 0;

	pipe(pipefd);
	for (int i = 0; i < N; i++)
		p[i] = (struct pollfd){ pipefd[0], POLLIN, 9 };
	is_int(poll(p, N, 20), 0, "900 times an empty pipe");
	for (int i = 0; i < N; i++)
		wrong += p[i].revents != 0;
	p[N - 1].fd = pipefd[1];
	p[N - 1].events = POLLOUT;
	is_int(poll(p, N, -1), 1, "the last of 900 is ready");
	is_int(p[N - 1].revents, POLLOUT, "POLLOUT there");
	write(pipefd[1], "x", 1);
	is_int(poll(p, N, -1), N, "all of them");
	is_int(wrong, 0, "revents of all were cleared");
	close(pipefd[0]);
	close(pipefd[1]);
}

static int late_fd;

static void *write_later(void *arg)
{
	sleep_ms(40);
	write(late_fd, "x", 1);
	(void)arg;
	return NULL;
}

static void *close_later(void *arg)
{
	sleep_ms(40);
	close(late_fd);
	(void)arg;
	return NULL;
}

static void wakes(void)
{
	struct pollfd p[2];
	int a[2], b[2];
	pthread_t t;

	pipe(a);
	pipe(b);
	p[0] = (struct pollfd){ a[0], POLLIN, 0 };
	p[1] = (struct pollfd){ b[0], POLLIN, 0 };
	late_fd = b[1];
	pthread_create(&t, NULL, write_later, NULL);
	is_int(poll(p, 2, -1), 1, "a write wakes");
	ok(p[0].revents == 0 && p[1].revents == POLLIN, "for the second pipe");
	pthread_join(t, NULL);
	p[1].fd = -1;
	late_fd = a[1];
	pthread_create(&t, NULL, close_later, NULL);
	is_int(poll(p, 2, -1), 1, "a hang-up wakes, asked for or not");
	is_int(p[0].revents, POLLHUP, "POLLHUP");
	pthread_join(t, NULL);
	close(a[0]);
	close(b[0]);
	close(b[1]);
}

static volatile sig_atomic_t n_alarms;

static void on_alarm(int sig)
{
	(void)sig;
	n_alarms++;
}

static void signals(void)
{
	struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	struct kernel_timespec ts = { 100, 0 };
	sigset_t block, empty, now;
	int pipefd[2];
	struct pollfd p;

	pipe(pipefd);
	p = (struct pollfd){ pipefd[0], POLLIN, 7 };
	sigaction(SIGALRM, &sa, NULL);
	alarm_ms(50);
	is_errno(poll(&p, 1, -1) == -1, EINTR, "a handler ends poll, SA_RESTART or not");
	is_int(p.revents, 0, "revents is written all the same");
	alarm_ms(50);
	is_errno(raw_ppoll(&p, 1, &ts, NULL, 0) == -1, EINTR, "and ppoll");
	ok(ts.sec == 99 && ts.nsec > 0, "the time left is written");
	sigemptyset(&block);
	sigaddset(&block, SIGALRM);
	sigprocmask(SIG_BLOCK, &block, NULL);
	n_alarms = 0;
	raise(SIGALRM);
	is_int(poll(&p, 1, 20), 0, "a blocked signal does not");
	is_int(n_alarms, 0, "and stays pending");
	sigemptyset(&empty);
	ts = (struct kernel_timespec){ 100, 0 };
	is_errno(raw_ppoll(&p, 1, &ts, &empty, 8) == -1, EINTR, "ppoll unblocks it");
	is_int(n_alarms, 1, "and it was delivered");
	sigprocmask(SIG_BLOCK, NULL, &now);
	ok(sigismember(&now, SIGALRM), "the mask is what it was");
	write(pipefd[1], "x", 1);
	raise(SIGALRM);
	is_int(raw_ppoll(&p, 1, NULL, &empty, 8), 1, "what is ready wins over a signal");
	is_int(n_alarms, 1, "which is still pending");
	sigprocmask(SIG_BLOCK, NULL, &now);
	ok(sigismember(&now, SIGALRM), "the mask is what it was");
	sigprocmask(SIG_UNBLOCK, &block, NULL);
	is_int(n_alarms, 2, "until it is unblocked");
	close(pipefd[0]);
	close(pipefd[1]);
}

/* Stopped and continued without a handler, poll goes on with the time it had. */
static void stopped(void)
{
	long t0 = now_ms(), dt;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct pollfd p = { -1, 0, 0 };

		_exit(poll(&p, 1, 300) == 0 ? 0 : 1);
	}
	sleep_ms(60);
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	sleep_ms(60);
	kill(pid, SIGCONT);
	waitpid(pid, &status, 0);
	dt = now_ms() - t0;
	is_int(status, 0, "poll survives a stop");
	ok(dt >= 300 && dt < 1500, "and does not start over");
}

int main(void)
{
	fs_begin();
	events();
	each_bit();
	timeouts();
	errors();
	many();
	wakes();
	signals();
	stopped();
	return fs_end();
}
