/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The run agent: process 1 of a guest that `./keel run -- CMD` boots (rdinit=/.keel/agent).
 *
 * It takes a command over the second serial port (the protocol: link.h), runs it with pipes for
 * standard input, output and error (command.c), passes the bytes on, and reports how the
 * command ended. Static, without a C library, and it needs few calls, since it is the first
 * program that a young kernel has to run.
 *
 * One poll() loop, one thread. The states:
 *
 *	idle		no command: START begins one
 *	running		bytes flow until the monitor reports the end
 *	draining	what the command left in its pipes is still passed on: just so many bytes as
 *			were there when it ended, because a process it left behind may write for ever
 *
 * After that all processes but this one are killed, so the next command meets a clean slate.
 */
#include "command.h"
#include "link.h"
#include "sys.h"

#include <asm/errno.h>
#include <asm/fcntl.h>
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/reboot.h>
#include <linux/wait.h>

#define LINK_DEVICE "/dev/ttyS1"

enum {
	CREDIT_STEP = LINK_WINDOW / 3,	/* report used-up bytes in batches of this */
	OUTPUT = 1,			/* stream numbers on the link */
	ERROR = 2,
};

enum state { IDLE, RUNNING, DRAINING };

struct stream {
	int *fd;		/* the pipe's end in agent.cmd */
	uint8_t type;
	uint32_t window;	/* bytes that may still be sent */
	int left;		/* draining: bytes still to be passed on */
};

static struct {
	enum state state;
	struct command cmd;
	struct stream streams[3];	/* [OUTPUT], [ERROR] */
	uint32_t status;
	uint8_t input[LINK_WINDOW];	/* received, not yet taken by the command */
	size_t input_start, input_end;
	int input_eof;
	uint32_t used;			/* bytes to report in the next CREDIT */
} agent;

static int loop(void);
static void prepare_root(void);
static void fill_standard_fds(void);
static _Noreturn void die(const char *what, long err);
static _Noreturn void power_off(void);

int program_main(int argc, char **argv, char **envp);

int program_main(int argc, char **argv, char **envp)
{
	const uint32_t hello[2] = {LINK_VERSION, LINK_WINDOW};
	/* 1 is SIG_IGN; children that pid 1 inherits are then reaped by the kernel (wait(2)). */
	const struct { unsigned long handler, flags, restorer, mask; } ignore = {1, 0, 0, 0};
	int err;

	(void)argc, (void)argv, (void)envp;
	prepare_root();
	fill_standard_fds();
	SYS4(__NR_rt_sigaction, SIGPIPE, &ignore, 0, sizeof(ignore.mask));
	SYS4(__NR_rt_sigaction, SIGCHLD, &ignore, 0, sizeof(ignore.mask));
	err = link_open(LINK_DEVICE);
	if (err < 0)
		die("cannot open " LINK_DEVICE, err);
	agent.cmd.stdin_fd = agent.cmd.output_fd = agent.cmd.error_fd = agent.cmd.status_fd = -1;
	err = link_send_words(LINK_HELLO, hello, 2);
	if (err == 0)
		err = loop();
	die("the run link failed", err);
}

/* --- input: host to command ------------------------------------------------------------ */

static int input_used(size_t bytes)
{
	const uint32_t credit[2] = {0, agent.used + (uint32_t)bytes};

	agent.used = credit[1];
	if (agent.used < CREDIT_STEP)
		return 0;
	agent.used = 0;
	return link_send_words(LINK_CREDIT, credit, 2);
}

/* The command takes no more: forget what is buffered and tell the host to stop. */
static int input_closed(void)
{
	const uint32_t stream = 0;
	size_t rest = agent.input_end - agent.input_start;
	int err;

	command_close(&agent.cmd.stdin_fd);
	agent.input_start = agent.input_end = 0;
	err = input_used(rest);
	if (err < 0 || agent.input_eof)
		return err;
	return link_send_words(LINK_CLOSE, &stream, 1);
}

static int input_flush(void)
{
	size_t len = agent.input_end - agent.input_start;
	long n;

	if (len == 0) {
		if (agent.input_eof)
			command_close(&agent.cmd.stdin_fd);
		return 0;
	}
	n = sys_write(agent.cmd.stdin_fd, agent.input + agent.input_start, len);
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n < 0)
		return input_closed();
	agent.input_start += (size_t)n;
	if (agent.input_start == agent.input_end)
		agent.input_start = agent.input_end = 0;
	if (agent.input_eof && agent.input_end == 0)
		command_close(&agent.cmd.stdin_fd);
	return input_used((size_t)n);
}

/* The header counts as used up at once, the payload when the command's pipe has it. */
static int input_add(const uint8_t *data, size_t len)
{
	int err = input_used(LINK_HEADER);

	if (err < 0)
		return err;
	if (agent.state != RUNNING || agent.cmd.stdin_fd < 0)
		return input_used(len);
	if (len > sizeof(agent.input) - (agent.input_end - agent.input_start))
		return -EPROTO;	/* beyond the window */
	if (len > sizeof(agent.input) - agent.input_end) {
		memmove(agent.input, agent.input + agent.input_start,
			agent.input_end - agent.input_start);
		agent.input_end -= agent.input_start;
		agent.input_start = 0;
	}
	memcpy(agent.input + agent.input_end, data, len);
	agent.input_end += len;
	return input_flush();
}

/* --- output: command to host ----------------------------------------------------------- */

/* Pass on one buffer; *fd is closed at its end. */
static int output_pump(struct stream *s)
{
	static uint8_t buf[LINK_PAYLOAD_MAX];
	size_t want = s->window < sizeof(buf) ? s->window : sizeof(buf);
	long n;

	if (agent.state == DRAINING && want > (size_t)s->left)
		want = (size_t)s->left;
	if (*s->fd < 0 || want == 0)
		return 0;
	n = sys_read(*s->fd, buf, want);
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n <= 0) {
		command_close(s->fd);
		return 0;
	}
	s->window -= (uint32_t)n;
	s->left -= (int)n;
	return link_send(s->type, buf, (size_t)n);
}

static void drain_begin(void)
{
	agent.state = DRAINING;
	for (int i = OUTPUT; i <= ERROR; i++) {
		struct stream *s = &agent.streams[i];

		s->left = 0;
		if (*s->fd >= 0 && sys_ioctl(*s->fd, FIONREAD, &s->left) < 0)
			command_close(s->fd);
	}
}

static int drained(const struct stream *s)
{
	return *s->fd < 0 || s->left <= 0;
}

static void kill_all(void)
{
	sys_kill(-1, SIGKILL);	/* all but process 1, which we are: kill(2) */
	while (sys_wait4(-1, NULL, __WALL) != -ECHILD)
		;
}

static int finish(void)
{
	command_close(&agent.cmd.stdin_fd);
	command_close(&agent.cmd.output_fd);
	command_close(&agent.cmd.error_fd);
	command_close(&agent.cmd.status_fd);
	kill_all();
	agent.state = IDLE;
	return link_send_words(LINK_EXIT, &agent.status, 1);
}

/* --- frames ---------------------------------------------------------------------------- */

static int start(void)
{
	static const char message[] = "keel: the agent cannot start the command\n";
	int err;

	agent.input_start = agent.input_end = 0;
	agent.input_eof = 0;
	err = command_start(&agent.cmd);
	command_block_reset();
	if (err < 0) {
		agent.status = 126 << 8;
		err = link_send(LINK_ERROR, message, sizeof(message) - 1);
		return err < 0 ? err : finish();
	}
	agent.streams[OUTPUT] = (struct stream){&agent.cmd.output_fd, LINK_OUTPUT,
						agent.cmd.window, 0};
	agent.streams[ERROR] = (struct stream){&agent.cmd.error_fd, LINK_ERROR,
					       agent.cmd.window, 0};
	agent.state = RUNNING;
	return 0;
}

/* CREDIT and CLOSE for a stream of the command. */
static int handle_stream(const struct link_frame *frame)
{
	uint32_t words[2] = {0, 0};

	if (frame->len > sizeof(words))
		return -EPROTO;
	memcpy(words, frame->payload, frame->len);
	if (words[0] != OUTPUT && words[0] != ERROR)
		return -EPROTO;
	if (agent.state == IDLE)
		return 0;	/* for the command that has just ended */
	if (frame->type == LINK_CREDIT)
		agent.streams[words[0]].window += words[1];
	else
		command_close(agent.streams[words[0]].fd);
	return 0;
}

static int handle_frame(const struct link_frame *frame)
{
	int err;

	switch (frame->type) {
	case LINK_BLOCK:
		err = command_block_add(frame->payload, frame->len);
		return err < 0 ? err : input_used(LINK_HEADER + frame->len);
	case LINK_START:
		return agent.state == IDLE ? start() : -EPROTO;
	case LINK_INPUT:
		return input_add(frame->payload, frame->len);
	case LINK_EOF:
		agent.input_eof = 1;
		return agent.cmd.stdin_fd < 0 ? 0 : input_flush();
	case LINK_CREDIT:
	case LINK_CLOSE:
		return handle_stream(frame);
	case LINK_KILL:
		if (agent.state != IDLE)
			sys_kill(-1, SIGKILL);
		return 0;
	case LINK_QUIT:
		power_off();
	default:
		return -EPROTO;
	}
}

static int handle_link(void)
{
	struct link_frame frame;
	int rc = link_fill();

	while (rc == 0 && (rc = link_next(&frame)) > 0)
		rc = handle_frame(&frame);
	return rc;
}

/* --- the loop -------------------------------------------------------------------------- */

static int wants_output(const struct stream *s)
{
	return s->fd != NULL && s->window > 0 && (agent.state != DRAINING || s->left > 0);
}

/* Sleep until something can be done; a descriptor of -1 is passed over (poll(2)). */
static int wait_for_work(struct pollfd fds[5])
{
	int has_input = agent.input_end > agent.input_start;
	const struct stream *s = agent.streams;
	long n;

	fds[0] = (struct pollfd){link_fd(), POLLIN, 0};
	/* Without POLLOUT too: POLLERR tells that the command has closed its input. */
	fds[1] = (struct pollfd){agent.cmd.stdin_fd, has_input ? POLLOUT : 0, 0};
	fds[2] = (struct pollfd){wants_output(&s[OUTPUT]) ? agent.cmd.output_fd : -1, POLLIN, 0};
	fds[3] = (struct pollfd){wants_output(&s[ERROR]) ? agent.cmd.error_fd : -1, POLLIN, 0};
	fds[4] = (struct pollfd){agent.cmd.status_fd, POLLIN, 0};
	do {
		n = sys_poll(fds, 5, -1);
	} while (n == -EINTR);
	return n < 0 ? (int)n : 0;
}

static int loop(void)
{
	struct pollfd fds[5];
	int err;

	for (;;) {
		err = wait_for_work(fds);
		if (err == 0 && fds[0].revents != 0)
			err = handle_link();
		if (err == 0 && agent.cmd.stdin_fd >= 0 && fds[1].revents != 0)
			err = (fds[1].revents & POLLERR) != 0 ? input_closed() : input_flush();
		if (err == 0 && fds[2].revents != 0)
			err = output_pump(&agent.streams[OUTPUT]);
		if (err == 0 && fds[3].revents != 0)
			err = output_pump(&agent.streams[ERROR]);
		if (err == 0 && agent.cmd.status_fd >= 0 && fds[4].revents != 0 &&
		    command_poll_status(&agent.cmd, &agent.status))
			drain_begin();
		if (err == 0 && agent.state == DRAINING && drained(&agent.streams[OUTPUT]) &&
		    drained(&agent.streams[ERROR]))
			err = finish();
		if (err < 0)
			return err;
	}
}

/* --- start and end --------------------------------------------------------------------- */

/*
 * What an init does before programs can run. Any of it may be there already, or the kernel may
 * lack the type; a program that needs what is missing will say so itself.
 */
static void prepare_root(void)
{
	static const struct { const char *type, *dir; } mounts[] = {
		{"devtmpfs", "/dev"},
		{"proc", "/proc"},
		{"sysfs", "/sys"},
		{"devpts", "/dev/pts"},
		{"tmpfs", "/dev/shm"},
	};
	/* fd(4); shells use /dev/fd for process substitution. */
	static const struct { const char *name, *target; } links[] = {
		{"/dev/fd", "/proc/self/fd"},
		{"/dev/stdin", "/proc/self/fd/0"},
		{"/dev/stdout", "/proc/self/fd/1"},
		{"/dev/stderr", "/proc/self/fd/2"},
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		sys_mkdir(mounts[i].dir, 0755);
		sys_mount(mounts[i].type, mounts[i].dir, mounts[i].type);
	}
	sys_chmod("/dev/shm", 01777);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		SYS2(__NR_symlink, links[i].target, links[i].name);
	sys_mkdir("/run", 0755);
	if (sys_mkdir("/tmp", 01777) == 0)
		sys_chmod("/tmp", 01777);	/* mkdir obeyed the umask */
}

/* The kernel opens /dev/console as 0, 1 and 2 only if the root has it. */
static void fill_standard_fds(void)
{
	long fd;

	do {
		fd = sys_open("/dev/console", O_RDWR | O_NOCTTY);
		if (fd < 0)
			fd = sys_open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd < 3);
	if (fd >= 3)
		sys_close((int)fd);
}

static _Noreturn void power_off(void)
{
	sys_sync();
	SYS3(__NR_ioctl, link_fd(), TCSBRK, 1);	/* tcdrain(3) */
	sys_reboot(LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF);
	sys_exit(1);
}

/* The console is the only way left to say anything. */
static _Noreturn void die(const char *what, long err)
{
	char line[128] = "keel agent: ";
	size_t at = 12;
	unsigned long number = err < 0 ? 0ul - (unsigned long)err : (unsigned long)err;
	char digits[20];
	int count = 0;

	for (; *what != '\0' && at < 96; what++)
		line[at++] = *what;
	memcpy(line + at, ", errno ", 8);
	at += 8;
	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (count > 0)
		line[at++] = digits[--count];
	line[at++] = '\n';
	sys_write(2, line, at);
	power_off();
}
