/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Terminals: what a driver gives (struct tty_ops), what a program sees (files, termios(3), tty_ioctl(4)), and between them the one line discipline, N_TTY.
 *
 * Bytes: the driver calls tty_receive in soft context; the discipline edits, echoes, turns control characters into signals and stores what can be read. Writes go
 * through output processing into the driver's queue.
 * Locks: tty->lock (soft) guards termios, the input buffer, column state and flow state; the driver's own hard lock nests inside it. tty->write_mutex keeps the
 * bytes of one write together. job_lock (job.c) guards session and foreground group.
 * Key: [l] tty->lock, [j] job_lock, [I] immutable, [a] atomic.
 */
#ifndef TTY_TTY_H
#define TTY_TTY_H

#include <lib/bitmap.h>
#include <lib/types.h>
#include <frame/spinlock.h>
#include "abi/tty.h"
#include "object/pid.h"
#include "object/ref.h"
#include "sync/mutex.h"
#include "sync/wait.h"

#define TTY_INPUT_BYTES 4096	/* as N_TTY's buffer: canonical lines are at most 4095 bytes (termios(3)) */

struct tty;
struct siginfo_k;

struct tty_ops {
	/* Takes up to n bytes for output; returns how many fitted. tty->lock held. When room comes back the driver calls tty_output_room. */
	size_t (*write)(struct tty *t, const u8 *bytes, size_t n);
	size_t (*write_room)(struct tty *t);
	size_t (*pending)(struct tty *t);	/* bytes not yet on the wire */
	void (*stop)(struct tty *t, bool is_stopped);	/* output flow control (^S, TCOOFF). tty->lock held */
	void (*flush_output)(struct tty *t);	/* forgets what is queued. tty->lock held */
	void (*configure)(struct tty *t);	/* termios changed: speed, size, parity. tty->lock held */
	void (*send_break)(struct tty *t, bool on);
};

struct tty {
	struct ref refs;
	const struct tty_ops *ops;		/* [I] */
	void *driver;				/* [I] */
	u32 major, minor;			/* [I] */
	char name[16];				/* [I] */
	struct spinlock_soft lock;
	struct mutex write_mutex;
	struct ktermios termios;		/* [l] */
	struct winsize_k window;		/* [l] */
	/* input: positions run freely, masked on use */
	u8 input[TTY_INPUT_BYTES];		/* [l] */
	u64 is_end[TTY_INPUT_BYTES / 64];	/* [l] this byte ends a canonical line */
	u64 is_eof[TTY_INPUT_BYTES / 64];	/* [l] … by being the EOF character: not given to the reader */
	u32 head, tail, line_head;		/* [l] next in, next out, end of the last complete line */
	u32 erase_from;				/* [l] first byte of the line being edited that is on the screen */
	bool literal_next;			/* [l] ^V was typed */
	bool has_overflowed;			/* [l] */
	/* output */
	u32 column, line_start_column;		/* [l] */
	bool is_stopped;			/* [l] ^S */
	u32 n_hangups;				/* [l; a] files opened before the last one are dead */
	bool is_exclusive;			/* [l] TIOCEXCL */
	u32 n_open;				/* [l] */
	struct waitq read_wait, write_wait;
	/* job control */
	struct pid *session, *foreground;	/* [j] referenced */
};

/* --- drivers */
void tty_init_struct(struct tty *t, const struct tty_ops *ops, void *driver, u32 major, u32 minor, const char *name);
__must_check int tty_register(struct tty *t);		/* makes its device node: -EBUSY, -ENOMEM */
enum tty_mark { TTY_NORMAL, TTY_BREAK, TTY_PARITY, TTY_OVERRUN };
void tty_receive(struct tty *t, u8 byte, enum tty_mark mark);	/* soft context */
void tty_receive_done(struct tty *t);			/* after a batch: wakes readers */
void tty_output_room(struct tty *t);			/* wakes writers; any context */
void tty_hangup(struct tty *t);				/* carrier lost, session leader gone: readers get EOF, writers EIO. Task context */

void tty_set_console(struct tty *t);			/* the terminal that /dev/console stands for */
void tty_init(void);					/* /dev/tty, /dev/console */

struct tty *tty_get(struct tty *t);
void tty_put(struct tty *t);

/* --- job.c: sessions and foreground groups (termios(3), credentials(7)) */
struct tty *tty_of_current(void);			/* controlling terminal, referenced; NULL: none */
struct process;
u32 tty_number_of(const struct process *p, s32 *foreground);	/* for /proc/PID/stat: device number as stat shows it, and its foreground group (-1: none) */
void tty_opened_by_leader(struct tty *t);		/* a session leader without terminal opened it without O_NOCTTY */
/* A background process touches the terminal: 0 go on; -ERESTARTSYS its group was sent `sig`; -EIO (orphaned, or SIGTTIN ignored). */
__must_check int tty_check_background(struct tty *t, u32 sig);
__must_check int tty_job_ioctl(struct tty *t, u32 cmd, u64 arg);	/* TIOCSCTTY … ; -ENOIOCTLCMD: not one of these */
void tty_signal_foreground(struct tty *t, u32 sig);
void tty_drop_session(struct tty *t);			/* hangup: the session has no terminal any more */

/* --- ldisc.c, output.c; all with tty->lock held */
void ldisc_flush_input(struct tty *t);
void ldisc_termios_changed(struct tty *t, const struct ktermios *old);
bool ldisc_readable(const struct tty *t);		/* poll: a line, or VMIN bytes */
bool ldisc_has_input(const struct tty *t);		/* a line, or a byte */
size_t ldisc_take(struct tty *t, u8 *buf, size_t n, bool *is_eof);	/* what one read may have now */
size_t ldisc_available(const struct tty *t);		/* FIONREAD */
size_t output_process(struct tty *t, const u8 *bytes, size_t n);	/* how many were taken */
bool output_char(struct tty *t, u8 c);			/* one byte with OPOST; false: no room, nothing done */
void echo_char(struct tty *t, u8 c);			/* as ECHO and ECHOCTL have it; dropped without room */
void echo_raw(struct tty *t, const char *text);

/* --- ioctl.c */
s64 tty_ioctl(struct tty *t, u32 cmd, u64 arg);

#endif
