/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The run link: length-framed, 8-bit-clean messages over the second serial port.
 * tools/run/link.py is the host's half and says the same in Python.
 *
 * Frame, little-endian, the same both ways:
 *
 *	0  u8   type      LINK_*
 *	1  u8   sequence  counts the frames of one direction, modulo 256
 *	2  u16  length    of the payload, at most LINK_PAYLOAD_MAX
 *	4  u32  adler32   (RFC 1950) of bytes 0..3 and the payload
 *	8  payload
 *
 * A serial line has no flow control that both kernels honour, and a byte lost would shift
 * everything after it. So the senders keep within windows, and the sequence and the sum turn
 * whatever still goes wrong into an error at once, never into wrong data or a wait for ever.
 *
 * Conversation ("host" is the launcher, "guest" the agent):
 *
 *	guest  HELLO  u32 version, u32 window   the line is raw now; nothing is sent before this
 *	host   BLOCK  bytes                     part of the start block
 *	host   START                            the start block is complete: run the command
 *	host   INPUT  bytes                     standard input
 *	host   EOF                              end of standard input
 *	host   CREDIT u32 stream, u32 bytes     so much of stream 1 or 2 was delivered
 *	host   CLOSE  u32 stream                nobody reads stream 1 or 2 any more: break the pipe
 *	host   KILL                             kill every process of the command
 *	host   QUIT                             power off
 *	guest  OUTPUT bytes / ERROR bytes       standard output, standard error
 *	guest  CREDIT u32 0, u32 bytes          so much of BLOCK and INPUT was used up
 *	guest  CLOSE  u32 0                     the command reads no more standard input
 *	guest  EXIT   u32 status                as wait4 gives it; everything written came before it
 *
 * After EXIT the host may send another start block: many commands can run in one boot. What was
 * on its way for the command that ended is used up and forgotten.
 *
 * Windows. What has arrived and was not read yet waits in the guest's terminal: 4096 bytes under
 * Linux, and a young kernel may hold less. So BLOCK and INPUT frames, headers counted, may be
 * LINK_WINDOW bytes ahead of their CREDIT; the other frames are few and small. More would not be
 * faster: the line itself is slower than the round trip. OUTPUT and ERROR have a window each, in
 * payload bytes, that the start block gives.
 *
 * Start block: u32 argc, u32 envc, u32 output window, u32 flags, then strings, each ended by a
 * NUL: the working directory, argc arguments, envc environment entries.
 */
#ifndef KEEL_USER_LINK_H
#define KEEL_USER_LINK_H

#include <stddef.h>
#include <stdint.h>

enum {
	LINK_VERSION = 1,
	LINK_WINDOW = 1536,
	LINK_PAYLOAD_MAX = 4096,
	LINK_HEADER = 8,
};

enum link_type {
	LINK_HELLO = 'H',
	LINK_BLOCK = 'B',
	LINK_START = 'S',
	LINK_INPUT = 'I',
	LINK_EOF = 'E',
	LINK_CREDIT = 'C',
	LINK_CLOSE = 'X',
	LINK_KILL = 'K',
	LINK_QUIT = 'Q',
	LINK_OUTPUT = 'O',
	LINK_ERROR = 'R',
	LINK_EXIT = 'Z',
};

/* flags in the start block */
enum {
	LINK_FLAG_MAKE_DIR = 1, /* create the working directory if it is missing */
};

struct link_start {
	uint32_t argc;
	uint32_t envc;
	uint32_t window;
	uint32_t flags;
};

struct link_frame {
	uint8_t type;
	size_t len;
	const uint8_t *payload;
};

/* All return 0 or -errno; -EPROTO means that the line lost or changed bytes. */
int link_open(const char *path);
int link_fd(void);
int link_send(uint8_t type, const void *payload, size_t len);
int link_send_words(uint8_t type, const uint32_t *words, size_t count);
/* Read what has arrived; then call link_next until it returns 0 (1: *frame is set, valid until
 * the next link_fill). */
int link_fill(void);
int link_next(struct link_frame *frame);

#endif
