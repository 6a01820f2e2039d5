/* SPDX-License-Identifier: MPL-2.0 */
/* Terminal ioctls: tty_ioctl(4). What changes the terminal asks for the foreground first, as tcsetattr(3) does. */
#include <lib/string.h>
#include "abi/process.h"
#include "object/uaccess.h"
#include "object/user_ns.h"
#include "signal/signal.h"
#include "tty/tty.h"

static int get(void *to, u64 from, size_t n)
{
	return uget(to, uaddr(from), n);
}

static int put(u64 to, const void *from, size_t n)
{
	return uput(uaddr(to), from, n);
}

/* --- termios. TCGETS takes struct termios (36 bytes), TCGETS2 struct termios2 with speeds; both are prefixes of struct ktermios. */

static int get_termios(struct tty *t, u64 arg, size_t size)
{
	struct ktermios copy;

	spin_lock_soft(&t->lock);
	copy = t->termios;
	spin_unlock_soft(&t->lock);
	return put(arg, &copy, size);
}

static u32 speed_of(u32 cflag)
{
	static const u32 low[] = { 0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400 };
	static const u32 high[] = { 0, 57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000 };
	u32 code = cflag & CBAUD;

	return code & CBAUDEX ? high[code & 15] : low[code & 15];
}

static int drain(struct tty *t)
{
	u32 hangups = t->n_hangups;

	return WAIT_EVENT(&t->write_wait, t->ops->pending(t) == 0 || READ_ONCE(t->n_hangups) != hangups, SLEEP_INTERRUPTIBLE, SLEEP_FOREVER);
}

enum when { NOW, DRAINED, FLUSHED };

static int set_termios(struct tty *t, u64 arg, size_t size, enum when when)
{
	struct ktermios new, old;
	int err = tty_check_background(t, KSIGTTOU);

	if (err)
		return err;
	spin_lock_soft(&t->lock);
	new = t->termios;
	spin_unlock_soft(&t->lock);
	if (get(&new, arg, size))
		return -EFAULT;
	if (size == sizeof(struct termios) || (new.c_cflag & CBAUD) != BOTHER)
		new.c_ispeed = new.c_ospeed = speed_of(new.c_cflag);
	if (when != NOW) {
		err = drain(t);
		if (err)
			return err;
	}
	spin_lock_soft(&t->lock);
	if (when == FLUSHED)
		ldisc_flush_input(t);
	old = t->termios;
	t->termios = new;
	ldisc_termios_changed(t, &old);
	if ((old.c_iflag & IXON) && !(new.c_iflag & IXON) && t->is_stopped) {
		t->is_stopped = false;
		t->ops->stop(t, false);
	}
	t->ops->configure(t);
	spin_unlock_soft(&t->lock);
	waitq_wake_all(&t->read_wait);
	waitq_wake_all(&t->write_wait);
	return 0;
}

/* --- window size */

static int get_window(struct tty *t, u64 arg)
{
	struct winsize_k copy;

	spin_lock_soft(&t->lock);
	copy = t->window;
	spin_unlock_soft(&t->lock);
	return put(arg, &copy, sizeof(copy));
}

static int set_window(struct tty *t, u64 arg)
{
	struct winsize_k new;
	bool has_changed;

	if (get(&new, arg, sizeof(new)))
		return -EFAULT;
	spin_lock_soft(&t->lock);
	has_changed = memcmp(&new, &t->window, sizeof(new)) != 0;
	t->window = new;
	spin_unlock_soft(&t->lock);
	if (has_changed)
		tty_signal_foreground(t, KSIGWINCH);
	return 0;
}

/* --- flow, flush, break */

static int set_flow(struct tty *t, u64 how)
{
	int err = tty_check_background(t, KSIGTTOU);

	if (err)
		return err;
	SPIN_GUARD_SOFT(&t->lock);
	switch (how) {
	case TCOOFF:
	case TCOON:
		t->is_stopped = how == TCOOFF;
		t->ops->stop(t, t->is_stopped);
		return 0;
	case TCIOFF:
	case TCION: {
		u8 c = t->termios.c_cc[how == TCIOFF ? VSTOP : VSTART];

		if (c)
			t->ops->write(t, &c, 1);
		return 0;
	}
	default:
		return -EINVAL;
	}
}

static int flush(struct tty *t, u64 which)
{
	int err = tty_check_background(t, KSIGTTOU);

	if (err)
		return err;
	if (which > TCIOFLUSH)
		return -EINVAL;
	spin_lock_soft(&t->lock);
	if (which != TCOFLUSH)
		ldisc_flush_input(t);
	if (which != TCIFLUSH)
		t->ops->flush_output(t);
	spin_unlock_soft(&t->lock);
	waitq_wake_all(&t->write_wait);
	return 0;
}

static int send_break(struct tty *t, u64 ms)
{
	int err = tty_check_background(t, KSIGTTOU);

	if (!err)
		err = drain(t);
	if (err)
		return err;
	t->ops->send_break(t, true);
	err = WAIT_EVENT(&t->write_wait, false, SLEEP_INTERRUPTIBLE, clock_now_ns() + (ms ? ms : 250) * NSEC_PER_MSEC);
	t->ops->send_break(t, false);
	return err == -ETIMEDOUT ? 0 : err;
}

/* TIOCSTI: as if typed. Into somebody else's terminal only with privilege. */
static int fake_input(struct tty *t, u64 arg)
{
	struct tty *mine = tty_of_current();
	u8 c;

	if (mine)
		tty_put(mine);
	if (mine != t && !capable(&init_user_ns, CAP_SYS_ADMIN))
		return -EPERM;
	if (get(&c, arg, 1))
		return -EFAULT;
	tty_receive(t, c, TTY_NORMAL);
	tty_receive_done(t);
	return 0;
}

static int put_count(struct tty *t, u64 arg, bool is_output)
{
	s32 n;

	spin_lock_soft(&t->lock);
	n = (s32)(is_output ? t->ops->pending(t) : ldisc_available(t));
	spin_unlock_soft(&t->lock);
	return put(arg, &n, sizeof(n));
}

static int set_exclusive(struct tty *t, bool is_exclusive)
{
	SPIN_GUARD_SOFT(&t->lock);
	t->is_exclusive = is_exclusive;
	return 0;
}

s64 tty_ioctl(struct tty *t, u32 cmd, u64 arg)
{
	int err = tty_job_ioctl(t, cmd, arg);

	if (err != -ENOIOCTLCMD)
		return err;
	switch (cmd) {
	case TCGETS:
		return get_termios(t, arg, sizeof(struct termios));
	case TCGETS2:
		return get_termios(t, arg, sizeof(struct termios2));
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_termios(t, arg, sizeof(struct termios), (enum when)(cmd - TCSETS));
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
		return set_termios(t, arg, sizeof(struct termios2), (enum when)(cmd - TCSETS2));
	case TIOCGWINSZ:
		return get_window(t, arg);
	case TIOCSWINSZ:
		return set_window(t, arg);
	case TCXONC:
		return set_flow(t, arg);
	case TCFLSH:
		return flush(t, arg);
	case TCSBRK:
		return arg ? drain(t) : send_break(t, 0);
	case TCSBRKP:
		return send_break(t, arg * 100);
	case TIOCSTI:
		return fake_input(t, arg);
	case FIONREAD:
	case TIOCOUTQ:
		return put_count(t, arg, cmd == TIOCOUTQ);
	case TIOCEXCL:
	case TIOCNXCL:
		return set_exclusive(t, cmd == TIOCEXCL);
	default:
		return -ENOTTY;
	}
}
