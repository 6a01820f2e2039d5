/* SPDX-License-Identifier: MPL-2.0 */
/* Files, memory and commands for rows. */
#include "kbench.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int make_file(const char *name, size_t size)
{
	int fd = (int)check(open(name, O_RDWR | O_CREAT | O_TRUNC, 0644), name);
	static char block[65536];

	memset(block, 'k', sizeof(block));
	while (size > 0) {
		size_t part = size < sizeof(block) ? size : sizeof(block);

		check(write(fd, block, part), "write");
		size -= part;
	}
	return fd;
}

void *map_anonymous(size_t size, int flags)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	check(memory == MAP_FAILED ? -1 : 0, "mmap");
	return memory;
}

char *touched(size_t size)
{
	char *memory = map_anonymous(size, MAP_PRIVATE);

	for (size_t at = 0; at < size; at += 4096)
		memory[at] = 1;
	return memory;
}

int run_quietly(const char *command)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
	return status;
}
