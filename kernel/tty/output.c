/* SPDX-License-Identifier: MPL-2.0 */
/* Output processing (termios(3), c_oflag) and echo. Columns are counted so that tabs and erased tabs come out right. */
#include <lib/string.h>
#include "tty/tty.h"

#define TAB 8

static bool put_all(struct tty *t, const char *bytes, size_t n)
{
	return t->ops->write_room(t) >= n && t->ops->write(t, (const u8 *)bytes, n) == n;
}

static bool put_one(struct tty *t, u8 c)
{
	return t->ops->write(t, &c, 1) == 1;
}

static bool put_newline(struct tty *t)
{
	u32 flags = t->termios.c_oflag;

	if ((flags & ONLCR) ? !put_all(t, "\r\n", 2) : !put_one(t, '\n'))
		return false;
	if (flags & (ONLCR | ONLRET))
		t->column = t->line_start_column = 0;
	return true;
}

static bool put_return(struct tty *t)
{
	u32 flags = t->termios.c_oflag;

	if ((flags & ONOCR) && t->column == 0)
		return true;
	if (flags & OCRNL)
		return put_newline(t);
	t->column = t->line_start_column = 0;
	return put_one(t, '\r');
}

static bool put_tab(struct tty *t)
{
	u32 width = TAB - t->column % TAB;

	if ((t->termios.c_oflag & TABDLY) == XTABS ? !put_all(t, "        ", width) : !put_one(t, '\t'))
		return false;
	t->column += width;
	return true;
}

bool output_char(struct tty *t, u8 c)
{
	if (!(t->termios.c_oflag & OPOST))
		return put_one(t, c);
	switch (c) {
	case '\n':
		return put_newline(t);
	case '\r':
		return put_return(t);
	case '\t':
		return put_tab(t);
	case '\b':
		if (!put_one(t, c))
			return false;
		t->column -= t->column > 0;
		return true;
	default:
		if ((t->termios.c_oflag & OLCUC) && c >= 'a' && c <= 'z')
			c = (u8)(c - 'a' + 'A');
		if (!put_one(t, c))
			return false;
		/* A continuation byte of UTF-8 takes no column. */
		if (c >= ' ' && c != 0x7f && !((t->termios.c_iflag & IUTF8) && (c & 0xc0) == 0x80))
			t->column++;
		return true;
	}
}

size_t output_process(struct tty *t, const u8 *bytes, size_t n)
{
	size_t done = 0;

	if (!(t->termios.c_oflag & OPOST))
		return t->ops->write(t, bytes, n);
	while (done < n && output_char(t, bytes[done]))
		done++;
	return done;
}

void echo_char(struct tty *t, u8 c)
{
	if ((t->termios.c_lflag & ECHOCTL) && (c < ' ' || c == 0x7f) && c != '\n' && c != '\t') {
		if (t->ops->write_room(t) < 2)
			return;
		output_char(t, '^');
		output_char(t, c ^ 0x40);
	} else {
		output_char(t, c);
	}
}

void echo_raw(struct tty *t, const char *text)
{
	while (*text && output_char(t, (u8)*text))
		text++;
}
