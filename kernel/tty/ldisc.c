/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The line discipline N_TTY: what happens to each byte that arrives (termios(3)).
 *
 * Input is one ring. In canonical mode the bytes from line_head to head are the line being edited; those before line_head are complete lines, whose last bytes
 * are marked in is_end. In non-canonical mode every byte is at once readable (line_head follows head). Everything here runs with tty->lock held.
 */
#include <lib/utf8.h>
#include "signal/signal.h"
#include "tty/tty.h"

#define MASK (TTY_INPUT_BYTES - 1)
#define CC(t, i) ((t)->termios.c_cc[i])
#define DISABLED 0	/* _POSIX_VDISABLE */

static bool has(const struct tty *t, u32 lflag)
{
	return (t->termios.c_lflag & lflag) != 0;
}

static bool is_cc(const struct tty *t, u32 index, u8 c)
{
	return CC(t, index) == c && c != DISABLED;
}

static void set_bit_to(u64 *map, u32 pos, bool value)
{
	if (value)
		map[(pos & MASK) / 64] |= 1ul << (pos % 64);
	else
		map[(pos & MASK) / 64] &= ~(1ul << (pos % 64));
}

static bool bit_at(const u64 *map, u32 pos)
{
	return map[(pos & MASK) / 64] >> (pos % 64) & 1;
}

/* --- storing */

/* One place is kept for the byte that ends a line. */
static bool store(struct tty *t, u8 c, bool is_end, bool is_eof)
{
	u32 limit = has(t, ICANON) && !is_end ? TTY_INPUT_BYTES - 1 : TTY_INPUT_BYTES;

	if (t->head - t->tail >= limit) {
		t->has_overflowed = true;
		if (t->termios.c_iflag & IMAXBEL)
			output_char(t, '\a');
		return false;
	}
	t->input[t->head & MASK] = c;
	set_bit_to(t->is_end, t->head, is_end);
	set_bit_to(t->is_eof, t->head, is_eof);
	t->head++;
	if (is_end || !has(t, ICANON))
		t->line_head = t->erase_from = t->head;
	return true;
}

void ldisc_flush_input(struct tty *t)
{
	t->tail = t->line_head = t->erase_from = t->head;
	t->literal_next = false;
}

/* Leaving canonical mode makes an unfinished line readable; entering it makes what is there a line of its own. */
void ldisc_termios_changed(struct tty *t, const struct ktermios *old)
{
	if (!((old->c_lflag ^ t->termios.c_lflag) & ICANON))
		return;
	if (has(t, ICANON) && t->head != t->tail)
		set_bit_to(t->is_end, t->head - 1, true);
	t->line_head = t->erase_from = t->head;
	t->literal_next = false;
}

/* --- editing */

/* Columns that the line takes up to `end`, from where it began on the screen. */
static u32 column_at(const struct tty *t, u32 end)
{
	u32 column = t->line_start_column;

	for (u32 p = t->line_head; p != end; p++) {
		u8 c = t->input[p & MASK];

		if (c == '\t')
			column = (column | 7) + 1;
		else if (c < ' ' || c == 0x7f)
			column += has(t, ECHOCTL) ? 2 : 0;
		else if (!((t->termios.c_iflag & IUTF8) && (c & 0xc0) == 0x80))
			column++;
	}
	return column;
}

static void rub_out(struct tty *t, u32 from_column, u32 to_column, bool is_tab)
{
	for (; from_column > to_column; from_column--)
		echo_raw(t, is_tab ? "\b" : "\b \b");
}

/* Takes the last character (all bytes of it) off the line. */
static void erase_one(struct tty *t)
{
	u32 end = t->head, before = column_at(t, end);
	bool is_tab;

	do {
		t->head--;
	} while ((t->termios.c_iflag & IUTF8) && t->head != t->line_head && (t->input[t->head & MASK] & 0xc0) == 0x80);
	is_tab = t->input[t->head & MASK] == '\t';
	if (!has(t, ECHO))
		return;
	if (has(t, ECHOE))
		rub_out(t, before, column_at(t, t->head), is_tab);
	else
		echo_char(t, CC(t, VERASE));
}

static bool is_word_byte(u8 c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static void erase_word(struct tty *t)
{
	bool seen = false;

	while (t->head != t->line_head) {
		bool is_word = is_word_byte(t->input[(t->head - 1) & MASK]);

		if (seen && !is_word)
			break;
		seen |= is_word;
		erase_one(t);
	}
}

static void kill_line(struct tty *t)
{
	if (has(t, ECHO) && !(has(t, ECHOK) && has(t, ECHOKE) && has(t, ECHOE))) {
		t->head = t->line_head;
		echo_char(t, CC(t, VKILL));
		if (has(t, ECHOK))
			output_char(t, '\n');
		return;
	}
	while (t->head != t->line_head)
		erase_one(t);
}

static void reprint(struct tty *t)
{
	echo_char(t, CC(t, VREPRINT));
	output_char(t, '\n');
	for (u32 p = t->line_head; p != t->head; p++)
		echo_char(t, t->input[p & MASK]);
}

/* --- special characters. Each returns whether it consumed the byte. */

static bool take_signal(struct tty *t, u8 c)
{
	u32 sig;

	if (!has(t, ISIG))
		return false;
	if (is_cc(t, VINTR, c))
		sig = KSIGINT;
	else if (is_cc(t, VQUIT, c))
		sig = KSIGQUIT;
	else if (is_cc(t, VSUSP, c))
		sig = KSIGTSTP;
	else
		return false;
	if (!has(t, NOFLSH)) {
		ldisc_flush_input(t);
		t->ops->flush_output(t);
	}
	if (has(t, ECHO))
		echo_char(t, c);
	tty_signal_foreground(t, sig);
	return true;
}

static void set_stopped(struct tty *t, bool is_stopped)
{
	if (t->is_stopped == is_stopped)
		return;
	t->is_stopped = is_stopped;
	t->ops->stop(t, is_stopped);
}

static bool take_flow(struct tty *t, u8 c)
{
	if (!(t->termios.c_iflag & IXON))
		return false;
	if (is_cc(t, VSTART, c)) {
		set_stopped(t, false);
		return true;
	}
	if (is_cc(t, VSTOP, c)) {
		set_stopped(t, true);
		return true;
	}
	if (t->is_stopped && (t->termios.c_iflag & IXANY))
		set_stopped(t, false);
	return false;
}

static bool take_edit(struct tty *t, u8 c)
{
	bool is_extended = has(t, IEXTEN);

	if (is_cc(t, VERASE, c)) {
		if (t->head != t->line_head)
			erase_one(t);
	} else if (is_cc(t, VKILL, c)) {
		kill_line(t);
	} else if (is_extended && is_cc(t, VWERASE, c)) {
		erase_word(t);
	} else if (is_extended && is_cc(t, VLNEXT, c)) {
		t->literal_next = true;
		if (has(t, ECHO) && has(t, ECHOCTL))
			echo_raw(t, "^\b");
	} else if (is_extended && has(t, ECHO) && is_cc(t, VREPRINT, c)) {
		reprint(t);
	} else {
		return false;
	}
	return true;
}

static bool take_line_end(struct tty *t, u8 c)
{
	if (c == '\n') {
		if ((has(t, ECHO) || has(t, ECHONL)) && t->head - t->tail < TTY_INPUT_BYTES)
			output_char(t, '\n');
		store(t, c, true, false);
	} else if (is_cc(t, VEOF, c)) {
		store(t, c, true, true);
	} else if (is_cc(t, VEOL, c) || (has(t, IEXTEN) && is_cc(t, VEOL2, c))) {
		if (has(t, ECHO))
			echo_char(t, c);
		store(t, c, true, false);
	} else {
		return false;
	}
	return true;
}

static void take_plain(struct tty *t, u8 c)
{
	if (has(t, ICANON) && t->head == t->line_head)
		t->line_start_column = t->column;
	if (!store(t, c, false, false))
		return;
	if (!has(t, ECHO))
		return;
	if (c == '\n')
		output_char(t, c);
	else
		echo_char(t, c);
}

/* c_iflag's translations; false: the byte vanishes. */
static bool translate(const struct tty *t, u8 *c)
{
	u32 flags = t->termios.c_iflag;

	if (flags & ISTRIP)
		*c &= 0x7f;
	if ((flags & IUCLC) && has(t, IEXTEN) && *c >= 'A' && *c <= 'Z')
		*c = (u8)(*c - 'A' + 'a');
	if (*c == '\r') {
		if (flags & IGNCR)
			return false;
		if (flags & ICRNL)
			*c = '\n';
	} else if (*c == '\n' && (flags & INLCR)) {
		*c = '\r';
	}
	return true;
}

static void take_marked(struct tty *t, u8 c, enum tty_mark mark)
{
	u32 flags = t->termios.c_iflag;

	if (mark == TTY_BREAK) {
		if (flags & IGNBRK)
			return;
		if (flags & BRKINT) {
			ldisc_flush_input(t);
			t->ops->flush_output(t);
			tty_signal_foreground(t, KSIGINT);
			return;
		}
		c = 0;
	} else if (mark == TTY_PARITY && (flags & IGNPAR)) {
		return;
	}
	if (flags & PARMRK) {
		take_plain(t, 0xff);
		take_plain(t, 0);
	} else if (mark == TTY_PARITY) {
		c = 0;
	}
	take_plain(t, c);
}

void tty_receive(struct tty *t, u8 c, enum tty_mark mark)
{
	SPIN_GUARD_SOFT(&t->lock);
	if (!(t->termios.c_cflag & CREAD))
		return;
	if (mark == TTY_BREAK || (mark == TTY_PARITY && (t->termios.c_iflag & INPCK))) {
		take_marked(t, c, mark);
		return;
	}
	if (t->literal_next) {
		t->literal_next = false;
		take_plain(t, c);
		return;
	}
	if (t->termios.c_iflag & ISTRIP)
		c &= 0x7f;
	if (take_flow(t, c) || take_signal(t, c) || !translate(t, &c))
		return;
	if (has(t, ICANON) && (take_edit(t, c) || take_line_end(t, c)))
		return;
	if (c == 0xff && (t->termios.c_iflag & PARMRK))
		take_plain(t, c);
	take_plain(t, c);
}

void tty_receive_done(struct tty *t)
{
	bool is_ready;

	spin_lock_soft(&t->lock);
	is_ready = ldisc_has_input(t);
	spin_unlock_soft(&t->lock);
	if (is_ready)
		waitq_wake(&t->read_wait, 1, 0);
}

/* --- reading */

bool ldisc_has_input(const struct tty *t)
{
	return t->line_head != t->tail;
}

bool ldisc_readable(const struct tty *t)
{
	u32 wanted = 1;

	if (!has(t, ICANON) && CC(t, VTIME) == 0 && CC(t, VMIN) > 1)
		wanted = CC(t, VMIN);
	return t->line_head - t->tail >= wanted;
}

size_t ldisc_available(const struct tty *t)
{
	size_t n = 0;

	for (u32 p = t->tail; p != t->line_head; p++)
		n += !bit_at(t->is_eof, p);
	return n;
}

size_t ldisc_take(struct tty *t, u8 *buf, size_t n, bool *is_eof)
{
	size_t done = 0;

	*is_eof = false;
	while (t->tail != t->line_head) {
		bool is_end = has(t, ICANON) && bit_at(t->is_end, t->tail);

		if (has(t, ICANON) && bit_at(t->is_eof, t->tail)) {
			/* An end-of-file behind data that just filled the buffer ends that line silently. */
			t->tail++;
			*is_eof = true;
			break;
		}
		if (done == n)
			break;
		buf[done++] = t->input[t->tail++ & MASK];
		if (is_end) {
			*is_eof = true;		/* the line is over: no more in this read */
			break;
		}
	}
	return done;
}
