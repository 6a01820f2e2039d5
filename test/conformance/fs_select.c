/* SPDX-License-Identifier: MPL-2.0 */
/* select(2), pselect(2): maps in and out, timeouts, signals and masks, errors. */
#include "fs_util.h"
#include <sys/select.h>

static long raw_select(int n, void *r, void *w, void *x, void *tv)
{
	return syscall(SYS_select, n, r, w, x, tv);
}

static long raw_pselect(int n, void *r, void *w, void *x, void *ts, void *sig)
{
	return syscall(SYS_pselect6, n, r, w, x, ts, sig);
}

static void maps(void)
{
	int a[2], b[2], file = open("file", O_CREAT | O_RDWR, 0644), max;
	fd_set r, w, x;

	pipe(a);
	pipe(b);
	write(a[1], "x", 1);
	max = file > b[1] ? file : b[1];
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_ZERO(&x);
	FD_SET(a[0], &r);
	FD_SET(b[0], &r);
	FD_SET(file, &r);
	FD_SET(a[1], &w);
	FD_SET(file, &w);
	FD_SET(file, &x);
	is_int(raw_select(max + 1, &r, &w, &x, NULL), 4, "four bits are left");
	ok(FD_ISSET(a[0], &r) && !FD_ISSET(b[0], &r) && FD_ISSET(file, &r), "readable: the pipe with data and the file");
	ok(FD_ISSET(a[1], &w) && FD_ISSET(file, &w), "writable: pipe and file");
	ok(!FD_ISSET(file, &x), "nothing exceptional");
	FD_ZERO(&r);
	FD_SET(b[0], &r);
	is_int(raw_select(b[0], &r, NULL, NULL, &(struct timeval){ 0, 0 }), 0, "n excludes the descriptor");
	close(b[1]);
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(b[0], &r);
	FD_SET(b[0], &w);
	is_int(raw_select(b[0] + 1, &r, &w, NULL, NULL), 1, "a hang-up is readable");
	ok(FD_ISSET(b[0], &r) && !FD_ISSET(b[0], &w), "and not writable");
	FD_ZERO(&w);
	FD_SET(b[0], &w);
	is_int(raw_select(b[0] + 1, NULL, &w, NULL, &(struct timeval){ 0, 20000 }), 0, "for one who asks about writing it is nothing");
	close(a[0]);
	FD_ZERO(&w);
	FD_SET(a[1], &w);
	is_int(raw_select(a[1] + 1, NULL, &w, NULL, NULL), 1, "a pipe without readers is writable: the error is reported");
	close(a[1]);
	close(b[0]);
	close(file);
}

static void timeouts(void)
{
	struct timeval tv = { 0, 60000 };
	struct timespec ts;
	long t0 = now_ms(), dt;
	int p[2];
	fd_set r;

	is_int(raw_select(0, NULL, NULL, NULL, &tv), 0, "select of nothing sleeps");
	dt = now_ms() - t0;
	ok(dt >= 60 && dt < 1500, "60 ms");
	ok(tv.tv_sec == 0 && tv.tv_usec == 0, "nothing is left");
	pipe(p);
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	tv = (struct timeval){ 0, 0 };
	is_int(raw_select(p[0] + 1, &r, NULL, NULL, &tv), 0, "no time");
	ok(!FD_ISSET(p[0], &r), "the bit is cleared");
	write(p[1], "x", 1);
	FD_SET(p[0], &r);
	tv = (struct timeval){ 10, 0 };
	is_int(raw_select(p[0] + 1, &r, NULL, NULL, &tv), 1, "ready");
	ok(tv.tv_sec == 9 || tv.tv_sec == 10, "the time left is written");
	ts = (struct timespec){ 10, 0 };
	is_int(raw_pselect(p[0] + 1, &r, NULL, NULL, &ts, NULL), 1, "pselect");
	ok(ts.tv_sec == 9 || ts.tv_sec == 10, "the system call writes the time left");
	tv = (struct timeval){ 0, 1500000 };
	is_int(raw_select(p[0] + 1, &r, NULL, NULL, &tv), 1, "more than a million microseconds");
	ok(tv.tv_sec == 1, "is more than a second");
	tv = (struct timeval){ -1, 0 };
	is_errno(raw_select(p[0] + 1, &r, NULL, NULL, &tv) == -1, EINVAL, "negative seconds");
	tv = (struct timeval){ 0, -1 };
	is_errno(raw_select(p[0] + 1, &r, NULL, NULL, &tv) == -1, EINVAL, "negative microseconds");
	ts = (struct timespec){ 0, 1000000000 };
	is_errno(raw_pselect(p[0] + 1, &r, NULL, NULL, &ts, NULL) == -1, EINVAL, "pselect: a second's nanoseconds");
	close(p[0]);
	close(p[1]);
}

static void errors(void)
{
	fd_set r;
	int p[2];

	pipe(p);
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	FD_SET(50, &r);
	is_errno(raw_select(51, &r, NULL, NULL, NULL) == -1, EBADF, "a descriptor that is not open");
	ok(FD_ISSET(p[0], &r) && FD_ISSET(50, &r), "the map stays");
	is_errno(raw_select(-1, NULL, NULL, NULL, NULL) == -1, EINVAL, "negative n");
	is_errno(raw_select(8, BAD_PTR, NULL, NULL, NULL) == -1, EFAULT, "a bad map");
	is_errno(raw_select(8, NULL, KERNEL_PTR, NULL, NULL) == -1, EFAULT, "a kernel's map");
	is_errno(raw_select(8, NULL, NULL, NULL, BAD_PTR) == -1, EFAULT, "a bad timeout");
	is_errno(raw_pselect(0, NULL, NULL, NULL, NULL, BAD_PTR) == -1, EFAULT, "pselect: a bad argument pack");
	is_errno(raw_pselect(0, NULL, NULL, NULL, NULL, &(unsigned long[2]){ (unsigned long)&r, 4 }) == -1, EINVAL, "a mask of another size");
	is_errno(raw_pselect(0, NULL, NULL, NULL, NULL, &(unsigned long[2]){ 0x10, 8 }) == -1, EFAULT, "a bad mask");
	is_int(raw_pselect(0, NULL, NULL, NULL, &(struct timespec){ 0, 0 }, &(unsigned long[2]){ 0, 99 }), 0, "no mask: its size does not count");
	is_int(raw_select(0, BAD_PTR, BAD_PTR, BAD_PTR, &(struct timeval){ 0, 0 }), 0, "n is 0: the maps are not touched");
	close(p[0]);
	close(p[1]);
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
	unsigned long empty = 0, pack[2] = { (unsigned long)&empty, 8 };
	sigset_t block, now;
	fd_set r;
	int p[2];

	pipe(p);
	sigaction(SIGALRM, &sa, NULL);
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	alarm_ms(50);
	is_errno(raw_select(p[0] + 1, &r, NULL, NULL, NULL) == -1, EINTR, "a handler ends select, SA_RESTART or not");
	ok(FD_ISSET(p[0], &r), "the map stays");
	sigemptyset(&block);
	sigaddset(&block, SIGALRM);
	sigprocmask(SIG_BLOCK, &block, NULL);
	n_alarms = 0;
	raise(SIGALRM);
	is_errno(raw_pselect(p[0] + 1, &r, NULL, NULL, NULL, pack) == -1, EINTR, "pselect unblocks a pending signal");
	is_int(n_alarms, 1, "and it was delivered");
	sigprocmask(SIG_BLOCK, NULL, &now);
	ok(sigismember(&now, SIGALRM), "the mask is what it was");
	close(p[0]);
	close(p[1]);
}

/* Descriptors beyond the first word of a map. */
static void high(void)
{
	int p[2], hi, hi2;
	fd_set r;

	pipe(p);
	hi = fcntl(p[0], F_DUPFD, 200);
	hi2 = fcntl(p[0], F_DUPFD, 900);
	write(p[1], "x", 1);
	FD_ZERO(&r);
	FD_SET(hi, &r);
	FD_SET(hi2, &r);
	is_int(raw_select(1000, &r, NULL, NULL, NULL), 2, "descriptors 200 and 900");
	ok(FD_ISSET(200, &r) && FD_ISSET(900, &r), "both bits");
	close(hi);
	close(hi2);
	close(p[0]);
	close(p[1]);
}

int main(void)
{
	fs_begin();
	maps();
	timeouts();
	errors();
	signals();
	high();
	return fs_end();
}
