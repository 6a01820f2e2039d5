/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One command of the run agent: the start block it comes from, and its processes.
 *
 *	command_block_add	collect the start block (link.h) piece by piece
 *	command_start		decode the block and start the command
 *	command_poll_status	how it ended, once command.status_fd is readable
 */
#ifndef KEEL_USER_COMMAND_H
#define KEEL_USER_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "link.h"

struct command {
	int stdin_fd;	/* the agent's ends of the three pipes; non-blocking; -1 once closed */
	int output_fd;
	int error_fd;
	int status_fd;	/* readable, or at its end, when the command has ended */
	uint32_t window;
};

int command_block_add(const uint8_t *data, size_t len);
void command_block_reset(void);
int command_start(struct command *cmd);
int command_poll_status(struct command *cmd, uint32_t *status);
void command_close(int *fd);

#endif
