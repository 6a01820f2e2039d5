/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Starts the run agent's command.
 *
 * The agent must sleep in poll() and still learn when the command ends. It forks a monitor
 * that forks the command, waits for it and writes the status into a pipe: plain calls only, no
 * signal handler, so the agent runs on a kernel that has little more than fork, exec and wait.
 * A monitor that is killed closes the pipe without a status; that counts as death by SIGKILL.
 *
 * All descriptors of the agent are close-on-exec, so the command sees 0, 1 and 2 alone.
 */
#include "command.h"
#include "sys.h"

#include <asm/errno.h>
#include <asm/fcntl.h>
#include <asm/signal.h>

enum {
	BLOCK_MAX = 2 << 20,	/* what execve takes with an 8 MiB stack: execve(2), "Limits on size" */
	STRINGS_MAX = BLOCK_MAX / 9,	/* a pointer and at least one byte each */
	NOT_FOUND = 127,	/* exit statuses of a shell: POSIX XCU 2.8.2 */
	NOT_EXECUTABLE = 126,
	PATH_MAX_BYTES = 4096,
};

struct spec {
	char *cwd;
	char **argv;
	char **envp;
	uint32_t flags;
};

static uint8_t block[BLOCK_MAX + 1];
static size_t block_len;
static char *strings[STRINGS_MAX + 2];

static int decode_block(struct spec *spec, struct command *cmd);
static void close_pair(int pair[2]);
static _Noreturn void monitor_main(const struct spec *spec, int status_fd, const int std[3]);

int command_block_add(const uint8_t *data, size_t len)
{
	if (len > BLOCK_MAX - block_len)
		return -E2BIG;
	memcpy(block + block_len, data, len);
	block_len += len;
	return 0;
}

void command_block_reset(void)
{
	block_len = 0;
}

int command_start(struct command *cmd)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1}, status[2] = {-1, -1};
	struct spec spec;
	long pid;
	long rc = decode_block(&spec, cmd);

	if (rc < 0)
		return (int)rc;
	if ((rc = sys_pipe2(in, O_CLOEXEC)) < 0 || (rc = sys_pipe2(out, O_CLOEXEC)) < 0 ||
	    (rc = sys_pipe2(err, O_CLOEXEC)) < 0 || (rc = sys_pipe2(status, O_CLOEXEC)) < 0)
		goto fail;
	pid = sys_fork();
	if (pid == 0) {
		const int std[3] = {in[0], out[1], err[1]};

		/* The other ends must not live on here: they would hide end of file. */
		sys_close(in[1]);
		sys_close(out[0]);
		sys_close(err[0]);
		sys_close(status[0]);
		monitor_main(&spec, status[1], std);
	}
	rc = pid;
	if (pid < 0)
		goto fail;
	sys_close(in[0]);
	sys_close(out[1]);
	sys_close(err[1]);
	sys_close(status[1]);
	/* Only the agent's ends: the command's own 0, 1 and 2 stay blocking. */
	sys_fcntl(in[1], F_SETFL, O_WRONLY | O_NONBLOCK);
	sys_fcntl(out[0], F_SETFL, O_RDONLY | O_NONBLOCK);
	sys_fcntl(err[0], F_SETFL, O_RDONLY | O_NONBLOCK);
	cmd->stdin_fd = in[1];
	cmd->output_fd = out[0];
	cmd->error_fd = err[0];
	cmd->status_fd = status[0];
	return 0;
fail:
	close_pair(in);
	close_pair(out);
	close_pair(err);
	close_pair(status);
	return (int)rc;
}

int command_poll_status(struct command *cmd, uint32_t *status)
{
	int raw;
	long n = sys_read(cmd->status_fd, &raw, sizeof(raw));

	if (n == -EINTR || n == -EAGAIN)
		return 0;
	*status = n == sizeof(raw) ? (uint32_t)raw : SIGKILL;
	command_close(&cmd->status_fd);
	return 1;
}

void command_close(int *fd)
{
	if (*fd >= 0)
		sys_close(*fd);
	*fd = -1;
}

static void close_pair(int pair[2])
{
	command_close(&pair[0]);
	command_close(&pair[1]);
}

/* The string at *at, which moves behind it; NULL at the end of the block. */
static char *next_string(size_t *at)
{
	char *str = (char *)block + *at;

	if (*at >= block_len)
		return NULL;
	while (block[*at] != '\0')	/* block[block_len] is 0 */
		(*at)++;
	(*at)++;
	return str;
}

static int decode_block(struct spec *spec, struct command *cmd)
{
	struct link_start start;
	size_t at = sizeof(start);
	size_t i;

	if (block_len < sizeof(start))
		return -EINVAL;
	block[block_len] = '\0';
	memcpy(&start, block, sizeof(start));
	if (start.argc == 0 || start.argc > STRINGS_MAX || start.envc > STRINGS_MAX - start.argc)
		return -E2BIG;
	spec->cwd = next_string(&at);
	spec->argv = strings;
	spec->envp = strings + start.argc + 1;
	spec->flags = start.flags;
	for (i = 0; i < start.argc; i++)
		spec->argv[i] = next_string(&at);
	spec->argv[start.argc] = NULL;
	for (i = 0; i < start.envc; i++)
		spec->envp[i] = next_string(&at);
	spec->envp[start.envc] = NULL;
	if (at != block_len || start.window == 0)
		return -EINVAL;
	cmd->window = start.window;
	return 0;
}

static size_t length(const char *str)
{
	size_t n = 0;

	while (str[n] != '\0')
		n++;
	return n;
}

static void say(const char *str)
{
	sys_write(2, str, length(str));
}

/* One line as a shell prints it, and the status that a shell gives. */
static _Noreturn void refuse(const char *what, long err)
{
	say("keel: ");
	say(what);
	switch (-err) {
	case ENOENT:
		say(": not found\n");
		break;
	case EACCES:
		say(": Permission denied\n");
		break;
	case ENOEXEC:
		say(": Exec format error\n");
		break;
	case E2BIG:
		say(": Argument list too long\n");
		break;
	case ENOMEM:
		say(": Cannot allocate memory\n");
		break;
	default:
		say(": cannot run\n");
	}
	sys_exit(err == -ENOENT ? NOT_FOUND : NOT_EXECUTABLE);
}

static const char *search_path(char *const envp[])
{
	for (; *envp != NULL; envp++) {
		if (memcmp(*envp, "PATH=", 5) == 0)
			return *envp + 5;
	}
	return "/bin:/usr/bin";
}

/*
 * As execvp(3): the first entry of PATH where the file can be executed; "not found" where none
 * has it, "permission denied" where one had it and refused.
 */
static long exec_on_path(const struct spec *spec)
{
	const char *name = spec->argv[0];
	const char *dir = search_path(spec->envp);
	size_t name_len = length(name);
	long result = -ENOENT;

	if (name_len == 0)
		return -ENOENT;
	for (size_t i = 0; i < name_len; i++) {
		if (name[i] == '/')
			return sys_execve(name, spec->argv, spec->envp);
	}
	for (;;) {
		char path[PATH_MAX_BYTES];
		size_t dir_len = 0;
		size_t at = 0;
		long err;

		while (dir[dir_len] != '\0' && dir[dir_len] != ':')
			dir_len++;
		if (dir_len + name_len + 2 <= sizeof(path)) {
			memcpy(path, dir, dir_len);
			at = dir_len;
			if (dir_len > 0)	/* an empty entry is the working directory */
				path[at++] = '/';
			memcpy(path + at, name, name_len + 1);
			err = sys_execve(path, spec->argv, spec->envp);
			if (err != -ENOENT && err != -ENOTDIR && err != -EACCES)
				return err;
			if (err == -EACCES)
				result = err;
		}
		if (dir[dir_len] == '\0')
			return result;
		dir += dir_len + 1;
	}
}

/* Signals that the agent ignores would stay ignored across execve. */
static void default_signal(int sig)
{
	struct { unsigned long handler, flags, restorer, mask; } action = {0, 0, 0, 0};

	SYS4(__NR_rt_sigaction, sig, &action, 0, sizeof(action.mask));
}

static _Noreturn void command_main(const struct spec *spec, const int std[3])
{
	long err;

	sys_setsid();
	default_signal(SIGPIPE);
	default_signal(SIGCHLD);
	for (int fd = 0; fd < 3; fd++)
		sys_dup2(std[fd], fd);	/* std[] are above 2: see fill_standard_fds in agent.c */
	if ((spec->flags & LINK_FLAG_MAKE_DIR) != 0)
		sys_mkdir(spec->cwd, 0755);
	err = sys_chdir(spec->cwd);
	if (err < 0)
		refuse(spec->cwd, err);
	refuse(spec->argv[0], exec_on_path(spec));
}

static _Noreturn void monitor_main(const struct spec *spec, int status_fd, const int std[3])
{
	int status = NOT_EXECUTABLE << 8;
	long pid;

	default_signal(SIGCHLD);	/* ignored, the child's status would be thrown away */
	pid = sys_fork();
	if (pid == 0)
		command_main(spec, std);
	if (pid < 0) {
		sys_dup2(std[2], 2);
		refuse("fork", pid);
	}
	for (int i = 0; i < 3; i++)
		sys_close(std[i]);
	while (sys_wait4((int)pid, &status, 0) == -EINTR)
		;
	sys_write(status_fd, &status, sizeof(status));
	sys_exit(0);
}
