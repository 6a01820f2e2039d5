/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Terminals by their ioctls (tty_ioctl(4)): modes, queues, flow, exclusive use, window sizes, faked input; sessions and foreground groups.
 * The terminal is the first serial port. Nobody types there: all input is TIOCSTI's. What is written to it is little, and blank.
 */
#include "fs_util.h"
#include <asm/termbits.h>
#include <linux/serial.h>
#include <sys/sysmacros.h>

static const char *const node = "terminal";	/* a node of our own, for everybody */
static int tty;
static struct termios2 original;

static void type(const char *text)
{
	for (; *text; text++)
		ioctl(tty, TIOCSTI, text);
}

static int waiting(void)
{
	int n = -1;

	ioctl(tty, FIONREAD, &n);
	return n;
}

/* Without echo; `lflags` beside that. */
static void set_modes(tcflag_t lflags)
{
	struct termios2 t = original;

	t.c_lflag = lflags;
	t.c_oflag = 0;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	ioctl(tty, TCSETSF2, &t);
}

static void modes(void)
{
	static const struct {
		unsigned long op, get;
		bool flushes;
		const char *name;
	} sets[] = { { TCSETS, TCGETS, false, "TCSETS" }, { TCSETSW, TCGETS, false, "TCSETSW" }, { TCSETSF, TCGETS, true, "TCSETSF" },
		     { TCSETS2, TCGETS2, false, "TCSETS2" }, { TCSETSW2, TCGETS2, false, "TCSETSW2" }, { TCSETSF2, TCGETS2, true, "TCSETSF2" } };
	struct termios2 one, two;
	char buf[16];

	memset(&one, 0xee, sizeof(one));
	memset(&two, 0xee, sizeof(two));
	is_int(ioctl(tty, TCGETS, &one), 0, "TCGETS");
	is_int(ioctl(tty, TCGETS2, &two), 0, "TCGETS2");
	ok(!memcmp(&one, &two, sizeof(struct termios)), "say the same");
	ok(one.c_ospeed == 0xeeeeeeee && two.c_ospeed > 0 && two.c_ospeed != 0xeeeeeeee, "but for the speeds, which are TCGETS2's alone");
	set_modes(0);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		int left = -1;

		type("abc");
		is_int(waiting(), 3, "%s: three bytes wait", sets[i].name);
		ioctl(tty, TCGETS2, &one);
		one.c_cc[VTIME] = (cc_t)(10 + i);
		one.c_cc[VMIN] = 2;
		one.c_lflag = i & 1 ? TOSTOP : 0;
		write(tty, "          \r", 11);
		is_int(ioctl(tty, sets[i].op, &one), 0, "%s", sets[i].name);
		ioctl(tty, TIOCOUTQ, &left);
		ok(sets[i].op == TCSETS || sets[i].op == TCSETS2 ? left >= 0 && left <= 11 : left == 0, "what was written is out, if it waits for that");
		ioctl(tty, sets[i].get, &two);
		ok(!memcmp(&one, &two, sizeof(struct termios)) && two.c_cc[VTIME] == 10 + i, "sets all modes");
		is_int(waiting(), sets[i].flushes ? 0 : 3, sets[i].flushes ? "what was not read is gone" : "what was not read is still there");
		is_int(read(tty, buf, sizeof(buf)), sets[i].flushes ? -1 : 3, "to be read");
		is_errno(ioctl(tty, sets[i].op, BAD_PTR) == -1, EFAULT, "a bad pointer");
		is_errno(ioctl(tty, sets[i].get, BAD_PTR) == -1, EFAULT, "to get to one");
	}
	ioctl(tty, TCSETS2, &original);
	ioctl(tty, TCGETS2, &two);
	ok(!memcmp(&original, &two, sizeof(two)), "all modes are back");
}

static void speeds(void)
{
	struct termios2 t;

	ioctl(tty, TCGETS2, &t);
	t.c_cflag = (t.c_cflag & ~CBAUD) | B9600;
	ioctl(tty, TCSETS2, &t);
	ioctl(tty, TCGETS2, &t);
	is_int(t.c_ospeed, 9600, "a speed by its code");
	t.c_cflag = (t.c_cflag & ~CBAUD) | BOTHER;
	t.c_ispeed = t.c_ospeed = 57600;
	is_int(ioctl(tty, TCSETSW2, &t), 0, "a speed by its number");
	ioctl(tty, TCGETS2, &t);
	is_int(t.c_ospeed, 57600, "is set");
	ioctl(tty, TCSETS2, &original);
}

/* --- queues and flow */

static void queues(void)
{
	int left = -1;

	set_modes(0);
	type("0123456789");
	is_int(ioctl(tty, TCFLSH, TCOFLUSH), 0, "TCFLSH of the output");
	is_int(waiting(), 10, "leaves the input");
	is_int(ioctl(tty, TCFLSH, TCIFLUSH), 0, "of the input");
	is_int(waiting(), 0, "drops it");
	type("xyz");
	is_int(ioctl(tty, TCFLSH, TCIOFLUSH), 0, "of both");
	is_int(waiting(), 0, "too");
	is_errno(ioctl(tty, TCFLSH, 3) == -1, EINVAL, "of what there is not");
	write(tty, "\r", 1);
	is_int(ioctl(tty, TIOCOUTQ, &left), 0, "TIOCOUTQ");
	ok(left >= 0 && left <= 1, "says how much is to go out");
	is_int(ioctl(tty, TCSBRK, 1), 0, "TCSBRK 1 waits for it");
	ioctl(tty, TIOCOUTQ, &left);
	is_int(left, 0, "to be out");
	is_errno(ioctl(tty, TIOCOUTQ, BAD_PTR) == -1, EFAULT, "TIOCOUTQ to a bad pointer");
	is_errno(ioctl(tty, FIONREAD, BAD_PTR) == -1, EFAULT, "FIONREAD to one");
}

static short writable(void)
{
	struct pollfd p = { tty, POLLOUT, 0 };

	return poll(&p, 1, 0) == 1 ? p.revents : 0;
}

static void flow(void)
{
	static char blanks[1000];
	int n = 0, left = -1;
	long t0;

	memset(blanks, ' ', sizeof(blanks));
	set_modes(0);
	is_int(ioctl(tty, TCXONC, TCOOFF), 0, "TCXONC stops output");
	while (n < 1000 && write(tty, blanks, sizeof(blanks)) > 0)
		n++;
	is_errno(n < 1000, EAGAIN, "then writes that must not wait come to an end");
	is_int(writable(), 0, "and poll says so");
	is_int(ioctl(tty, TCFLSH, TCOFLUSH), 0, "what has not gone out is dropped");
	ioctl(tty, TIOCOUTQ, &left);
	is_int(left, 0, "all of it");
	is_int(ioctl(tty, TCXONC, TCOON), 0, "TCXONC lets it go on");
	is_int(writable(), POLLOUT, "poll says so");
	is_int(write(tty, "\r", 1), 1, "and write");
	is_int(ioctl(tty, TCXONC, TCIOFF), 0, "TCXONC asks the other side to stop");
	is_int(ioctl(tty, TCXONC, TCION), 0, "and to go on");
	is_errno(ioctl(tty, TCXONC, 4) == -1, EINVAL, "TCXONC of what there is not");
	t0 = now_ms();
	is_int(ioctl(tty, TCSBRKP, 2), 0, "TCSBRKP: a break of two tenths of a second");
	ok(now_ms() - t0 >= 190, "takes as long");
}

static void faked(void)
{
	char buf[64];
	int flags = fcntl(tty, F_GETFL);

	set_modes(ICANON);
	type("half");
	is_errno(read(tty, buf, sizeof(buf)) == -1, EAGAIN, "half a line is not to be read");
	is_int(waiting(), 0, "FIONREAD counts none of it");
	type(" and whole\nnext\n");
	is_int(waiting(), 20, "two lines");
	fcntl(tty, F_SETFL, flags & ~O_NONBLOCK);
	is_int(read(tty, buf, sizeof(buf)), 15, "are read one by one");
	ok(!memcmp(buf, "half and whole\n", 15), "as if typed");
	is_int(read(tty, buf, sizeof(buf)), 5, "the next");
	fcntl(tty, F_SETFL, flags);
	is_errno(ioctl(tty, TIOCSTI, BAD_PTR) == -1, EFAULT, "TIOCSTI from a bad pointer");
	set_modes(0);
}

static int steal_input(void)
{
	int fd = open(node, O_RDWR | O_NOCTTY);

	return fd < 0 ? 1 : ERRNO_OF(ioctl(fd, TIOCSTI, "x")) == EPERM ? 0 : 2;
}

static int open_code;

static int open_it(void)
{
	return ERRNO_OF(open(node, O_RDWR | O_NOCTTY | O_NONBLOCK)) == open_code ? 0 : 1;
}

static void exclusive(void)
{
	is_int(as_somebody(steal_input), 0, "TIOCSTI into another's terminal is for the privileged");
	is_int(ioctl(tty, TIOCEXCL), 0, "TIOCEXCL");
	open_code = EBUSY;
	is_int(as_somebody(open_it), 0, "nobody else may open it: EBUSY");
	open_code = 0;
	is_int(in_child(open_it), 0, "but the privileged");
	is_int(ioctl(tty, TIOCNXCL), 0, "TIOCNXCL");
	is_int(as_somebody(open_it), 0, "all may again");
}

/* --- sessions: each body in a child that leads a new one */

static volatile sig_atomic_t hangups, conts, winches, ints;

static void count(int sig)
{
	hangups += sig == SIGHUP;
	conts += sig == SIGCONT;
	winches += sig == SIGWINCH;
	ints += sig == SIGINT;
}

static void await(volatile sig_atomic_t *n)
{
	for (int i = 0; i < 2000 && !*n; i++)
		sleep_ms(5);
}

/* Opens the terminal anew: on Linux the end of a session's leader hangs it up for those who had it open. */
static int lead(void)
{
	setsid();
	tty = open(node, O_RDWR | O_NOCTTY | O_NONBLOCK);
	signal(SIGTTOU, SIG_IGN);
	signal(SIGHUP, count);
	signal(SIGCONT, count);
	signal(SIGWINCH, count);
	signal(SIGINT, count);
	return ioctl(tty, TIOCSCTTY, 0);
}

static int session(void)
{
	int id = -1, fd;

	setsid();
	if (ERRNO_OF(open("/dev/tty", O_RDWR)) != ENXIO)
		return 1;
	if (lead() || ioctl(tty, TIOCGSID, &id) || id != getpid())
		return 2;
	id = -1;
	if (ioctl(tty, TIOCGPGRP, &id) || id != getpid())
		return 3;
	if (ioctl(tty, TIOCSCTTY, 0))	/* it has it already */
		return 4;
	fd = open("/dev/tty", O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCGSID, &id) || id != getpid())
		return 5;
	if (ERRNO_OF(ioctl(tty, TIOCGSID, BAD_PTR)) != EFAULT || ERRNO_OF(ioctl(tty, TIOCGPGRP, BAD_PTR)) != EFAULT)
		return 6;
	hangups = conts = 0;
	if (ioctl(fd, TIOCNOTTY))
		return 7;
	await(&hangups);
	await(&conts);
	if (hangups != 1 || conts != 1)
		return 8;
	if (ERRNO_OF(open("/dev/tty", O_RDWR)) != ENXIO || ERRNO_OF(ioctl(tty, TIOCGSID, &id)) != ENOTTY || ERRNO_OF(ioctl(tty, TIOCGPGRP, &id)) != ENOTTY)
		return 9;
	return ERRNO_OF(ioctl(tty, TIOCNOTTY)) == ENOTTY ? 0 : 10;
}

/* A leader without terminal gets one by opening it, but for O_NOCTTY. */
static int by_opening(void)
{
	int id = -1;

	setsid();
	tty = open(node, O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (ERRNO_OF(ioctl(tty, TIOCGSID, &id)) != ENOTTY || ERRNO_OF(open("/dev/tty", O_RDWR)) != ENXIO)
		return 1;
	close(open(node, O_RDWR | O_NONBLOCK));
	if (ioctl(tty, TIOCGSID, &id) || id != getpid() || ioctl(tty, TIOCGPGRP, &id) || id != getpid())
		return 2;
	if ((fcntl(tty, F_GETFL) & (O_NOCTTY | O_NONBLOCK)) != O_NONBLOCK)
		return 3;
	signal(SIGHUP, SIG_IGN);
	return ioctl(tty, TIOCNOTTY) ? 4 : 0;
}

static int member(void)
{
	int id = -1;

	if (ERRNO_OF(ioctl(tty, TIOCSCTTY, 0)) != EPERM)	/* no leader: not even again what the session has */
		return 20;
	if (ioctl(tty, TIOCGSID, &id) || id != getppid())
		return 21;
	if (ioctl(tty, TIOCNOTTY) || ERRNO_OF(ioctl(tty, TIOCGSID, &id)) != ENOTTY || ERRNO_OF(open("/dev/tty", O_RDWR)) != ENXIO)
		return 22;
	return 0;
}

static int members(void)
{
	int id = -1, status;

	if (lead())
		return 1;
	status = in_child(member);
	if (status)
		return WEXITSTATUS(status);
	return ioctl(tty, TIOCGSID, &id) || id != getpid() ? 2 : 0;	/* the member gave up its own alone */
}

static int other_session(void)
{
	setsid();
	if (ERRNO_OF(ioctl(tty, TIOCSCTTY, 0)) != EPERM)
		return 30;
	return ioctl(tty, TIOCSCTTY, 1) ? 31 : ioctl(tty, TIOCNOTTY) ? 32 : 0;	/* given back: its end shall not hang it up */
}

static int stolen(void)
{
	int id, status;

	if (lead())
		return 1;
	status = in_child(other_session);
	if (status)
		return WEXITSTATUS(status);
	return ERRNO_OF(ioctl(tty, TIOCGSID, &id)) == ENOTTY ? 0 : 2;
}

static int foreground(void)
{
	int id = -1, none = 4000000, minus = -1, init = 1;
	pid_t pid;

	if (ERRNO_OF(ioctl(tty, TIOCSPGRP, &init)) != ENOTTY)
		return 1;
	if (lead())
		return 2;
	signal(SIGINT, SIG_DFL);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	signal(SIGINT, count);
	if (ERRNO_OF(ioctl(tty, TIOCSPGRP, &none)) != ESRCH || ERRNO_OF(ioctl(tty, TIOCSPGRP, &minus)) != EINVAL ||
	    ERRNO_OF(ioctl(tty, TIOCSPGRP, BAD_PTR)) != EFAULT)
		return 3;
	id = getppid();
	if (ERRNO_OF(ioctl(tty, TIOCSPGRP, &id)) != EPERM && ERRNO_OF(ioctl(tty, TIOCSPGRP, &id)) != ESRCH)	/* a group of another session, or none */
		return 4;
	setpgid(pid, pid);
	id = pid;
	if (ioctl(tty, TIOCSPGRP, &id))
		return 5;
	id = -1;
	if (ioctl(tty, TIOCGPGRP, &id) || id != pid)
		return 6;
	set_modes(ISIG);	/* from the background: SIGTTOU is ignored */
	type("\003");
	if (waitpid(pid, &id, 0) != pid || !WIFSIGNALED(id) || WTERMSIG(id) != SIGINT || ints)
		return 7;
	id = getpid();
	if (ioctl(tty, TIOCSPGRP, &id))
		return 8;
	type("\003");
	await(&ints);
	return ints == 1 ? 0 : 9;
}

static int window(void)
{
	struct winsize w = { 33, 77, 660, 770 }, got;

	if (lead())
		return 1;
	winches = 0;
	if (ioctl(tty, TIOCSWINSZ, &w))
		return 2;
	await(&winches);
	memset(&got, 0xee, sizeof(got));
	if (winches != 1 || ioctl(tty, TIOCGWINSZ, &got) || memcmp(&w, &got, sizeof(w)))
		return 3;
	if (ioctl(tty, TIOCSWINSZ, &w))
		return 4;
	sleep_ms(20);
	if (winches != 1)	/* nothing has changed */
		return 5;
	w.ws_row = 34;
	ioctl(tty, TIOCSWINSZ, &w);
	for (int i = 0; i < 2000 && winches < 2; i++)
		sleep_ms(5);
	if (winches != 2)
		return 6;
	return ERRNO_OF(ioctl(tty, TIOCGWINSZ, BAD_PTR)) == EFAULT && ERRNO_OF(ioctl(tty, TIOCSWINSZ, BAD_PTR)) == EFAULT ? 0 : 7;
}

static void no_terminal(void)
{
	static const unsigned long ops[] = { TCGETS, TCSETS, TCSETSW, TCSETSF, TCGETS2, TCSETS2, TCSETSW2, TCSETSF2, TCSBRK, TCSBRKP, TCXONC, TCFLSH, TIOCEXCL,
					     TIOCNXCL, TIOCSCTTY, TIOCNOTTY, TIOCGPGRP, TIOCSPGRP, TIOCGSID, TIOCOUTQ, TIOCSTI, TIOCGWINSZ, TIOCSWINSZ };
	int fd = open("file", O_CREAT | O_RDWR, 0644), null = open("/dev/null", O_RDWR), bad = 0;
	char room[256] = { 0 };

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		bad += ERRNO_OF(ioctl(fd, ops[i], room)) != ENOTTY || ERRNO_OF(ioctl(null, ops[i], room)) != ENOTTY || ERRNO_OF(ioctl(99, ops[i], room)) != EBADF;
	is_int(bad, 0, "what is no terminal answers ENOTTY to all of them");
	close(fd);
	close(null);
}

static void sessions(void)
{
	struct winsize before;

	ioctl(tty, TIOCGWINSZ, &before);
	is_int(WEXITSTATUS(in_child(session)), 0, "a leader's terminal: TIOCSCTTY, TIOCGSID, TIOCNOTTY");
	is_int(WEXITSTATUS(in_child(by_opening)), 0, "O_NOCTTY, and what it prevents");
	is_int(WEXITSTATUS(in_child(members)), 0, "others of the session");
	is_int(WEXITSTATUS(in_child(stolen)), 0, "another session, which must steal it");
	is_int(WEXITSTATUS(in_child(foreground)), 0, "the foreground group: TIOCGPGRP, TIOCSPGRP, and who gets Ctrl-C");
	is_int(WEXITSTATUS(in_child(window)), 0, "the window's size, and who hears of it");
	tty = open(node, O_RDWR | O_NOCTTY | O_NONBLOCK);
	ioctl(tty, TIOCSWINSZ, &before);
}

int main(void)
{
	fs_begin();
	mknod(node, S_IFCHR | 0666, makedev(4, 64));
	chmod(node, 0666);
	tty = open(node, O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (tty < 0)
		bail_out("no serial port: %s", strerror(errno));
	ioctl(tty, TCGETS2, &original);
	modes();
	speeds();
	queues();
	flow();
	faked();
	exclusive();
	no_terminal();
	sessions();
	ioctl(tty, TCSETSF2, &original);
	return fs_end();
}
