/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Terminals as files: open, read, write, poll, close; the devices /dev/ttyN, /dev/tty (the controlling terminal) and /dev/console.
 */
#include <lib/string.h>
#include "abi/fcntl.h"
#include "abi/process.h"
#include "fs/chrdev.h"
#include "fs/poll.h"
#include "mm/alloc.h"
#include "object/user_ns.h"
#include "proc/thread.h"
#include "tty/tty.h"

#define CHUNK 256
#define TTY_AUX_MAJOR 5	/* /dev/tty, /dev/console */

static struct tty *console;		/* [a] */

struct tty *tty_get(struct tty *t)
{
	ref_get(&t->refs);
	return t;
}

/* Terminals of drivers exist for ever: the driver keeps the first reference. */
void tty_put(struct tty *t)
{
	BUG_ON(ref_put(&t->refs));
}

static struct tty *tty_console(void)
{
	return __atomic_load_n(&console, __ATOMIC_ACQUIRE);
}

void tty_set_console(struct tty *t)
{
	__atomic_store_n(&console, t, __ATOMIC_RELEASE);
}

/* An open terminal. It is hung up for those who opened it before the last hangup. */
struct tty_file {			/* file->private; immutable */
	struct tty *tty;
	u32 hangups;
};

static struct tty *tty_of_file(const struct file *file)
{
	return ((const struct tty_file *)file->private)->tty;
}

static bool is_hung_up(const struct file *file)
{
	const struct tty_file *tf = file->private;

	return READ_ONCE(tf->tty->n_hangups) != tf->hangups;
}

/* --- open and close */

static int open_tty(struct tty *t, struct file *file)
{
	struct tty_file *tf = kmalloc(sizeof(*tf), ALLOC_SLEEP | ALLOC_USER);

	if (!tf)
		return -ENOMEM;
	spin_lock_soft(&t->lock);
	if (t->is_exclusive && t->n_open && !capable(&init_user_ns, CAP_SYS_ADMIN)) {
		spin_unlock_soft(&t->lock);
		kfree(tf);
		return -EBUSY;
	}
	t->n_open++;
	*tf = (struct tty_file){ tty_get(t), t->n_hangups };
	spin_unlock_soft(&t->lock);
	file->private = tf;
	if (!(file->flags & O_NOCTTY))
		tty_opened_by_leader(t);
	return 0;
}

static int tty_open(struct inode *inode, struct file *file)
{
	void *t;

	if (!chrdev_find(inode->rdev, &t))
		return -ENXIO;
	return open_tty(t, file);
}

static int current_tty_open(struct inode *inode, struct file *file)
{
	struct tty *t = tty_of_current();
	int err;

	(void)inode;
	if (!t)
		return -ENXIO;
	file->flags |= O_NOCTTY;
	err = open_tty(t, file);
	tty_put(t);
	return err;
}

/* The console never becomes a controlling terminal by being opened (console(4)). */
static int console_open(struct inode *inode, struct file *file)
{
	(void)inode;
	if (!tty_console())
		return -ENODEV;
	file->flags |= O_NOCTTY;
	return open_tty(tty_console(), file);
}

static void tty_release(struct file *file)
{
	struct tty *t = tty_of_file(file);

	spin_lock_soft(&t->lock);
	if (--t->n_open == 0)
		t->is_exclusive = false;
	spin_unlock_soft(&t->lock);
	kfree(file->private);
	tty_put(t);
}

/* --- read: termios(3), "Canonical and noncanonical mode" */

static size_t take(struct tty *t, u8 *buf, size_t n, bool *is_end)
{
	SPIN_GUARD_SOFT(&t->lock);
	return ldisc_take(t, buf, n, is_end);
}

/* Waits for the first byte or line, as mode, VMIN and VTIME say. 0, -EAGAIN, -ERESTARTSYS; *none: return 0 bytes now. */
static int await_input(struct tty *t, const struct file *file, bool *none)
{
	const cc_t *cc = t->termios.c_cc;
	bool is_canonical = (t->termios.c_lflag & ICANON) != 0;
	u64 deadline = SLEEP_FOREVER;
	int err;

	*none = false;
	if (ldisc_has_input(t))
		return 0;
	if (is_hung_up(file) || (!is_canonical && cc[VMIN] == 0 && cc[VTIME] == 0)) {
		*none = true;
		return 0;
	}
	if (file->flags & O_NONBLOCK)
		return -EAGAIN;
	if (!is_canonical && cc[VMIN] == 0)
		deadline = clock_now_ns() + cc[VTIME] * 100 * NSEC_PER_MSEC;
	err = WAIT_EVENT_EXCLUSIVE(&t->read_wait, ldisc_has_input(t) || is_hung_up(file), SLEEP_INTERRUPTIBLE, deadline);
	*none = err == -ETIMEDOUT;
	return err == -ETIMEDOUT ? 0 : err;
}

/* In non-canonical mode with VMIN > 1: between bytes, waits on until VMIN are there, or VTIME runs out after a byte. */
static bool await_more(struct tty *t, const struct file *file, size_t done, size_t wanted)
{
	const cc_t *cc = t->termios.c_cc;
	u64 deadline = cc[VTIME] ? clock_now_ns() + cc[VTIME] * 100 * NSEC_PER_MSEC : SLEEP_FOREVER;

	if ((t->termios.c_lflag & ICANON) || done >= min_t(size_t, cc[VMIN], wanted) || (file->flags & O_NONBLOCK) || is_hung_up(file))
		return false;
	return WAIT_EVENT(&t->read_wait, ldisc_has_input(t) || is_hung_up(file), SLEEP_INTERRUPTIBLE, deadline) == 0;
}

static ssize_t copy_out(struct tty *t, struct file *file, struct iov_iter *it)
{
	size_t wanted = it->count;
	bool is_end = false;
	u8 buf[CHUNK];
	ssize_t done = 0;

	while (it->count && !is_end) {
		size_t n = take(t, buf, min(it->count, sizeof(buf)), &is_end), copied = iov_copy_to(it, buf, n);

		done += (ssize_t)copied;
		if (copied < n)
			return done ? done : -EFAULT;
		if (n == 0 && !is_end && !await_more(t, file, (size_t)done, wanted))
			break;
	}
	return done;
}

static ssize_t tty_read(struct file *file, struct iov_iter *it, u64 *pos)
{
	struct tty *t = tty_of_file(file);
	bool none;
	int err;

	(void)pos;
	err = tty_check_background(t, KSIGTTIN);
	if (!err)
		err = await_input(t, file, &none);
	if (err)
		return err;
	return none || it->count == 0 ? 0 : copy_out(t, file, it);
}

/* --- write */

static size_t put(struct tty *t, const u8 *buf, size_t n)
{
	SPIN_GUARD_SOFT(&t->lock);
	return t->is_stopped ? 0 : output_process(t, buf, n);
}

static bool can_write(const struct file *file)
{
	struct tty *t = tty_of_file(file);

	SPIN_GUARD_SOFT(&t->lock);
	return is_hung_up(file) || (!t->is_stopped && t->ops->write_room(t) > 8);
}

/* All n bytes, sleeping for room; how many went out, or -errno if none. */
static ssize_t put_chunk(struct tty *t, const struct file *file, const u8 *buf, size_t n)
{
	size_t done = 0;
	int err = 0;

	while (done < n) {
		size_t part = put(t, buf + done, n - done);

		done += part;
		if (is_hung_up(file))
			err = -EIO;
		else if (part)
			continue;
		else if (file->flags & O_NONBLOCK)
			err = -EAGAIN;
		else
			err = WAIT_EVENT(&t->write_wait, can_write(file), SLEEP_INTERRUPTIBLE, SLEEP_FOREVER);
		if (err)
			break;
	}
	return done ? (ssize_t)done : err;
}

static ssize_t tty_write(struct file *file, struct iov_iter *it, u64 *pos)
{
	struct tty *t = tty_of_file(file);
	ssize_t done = 0, part = 0;
	u8 buf[CHUNK];
	int err = 0;

	(void)pos;
	if (t->termios.c_lflag & TOSTOP)
		err = tty_check_background(t, KSIGTTOU);
	if (err)
		return err;
	MUTEX_GUARD(&t->write_mutex);
	while (it->count) {
		size_t n = iov_copy_from(it, buf, min(it->count, sizeof(buf)));

		part = n ? put_chunk(t, file, buf, n) : -EFAULT;
		if (part < 0)
			break;
		done += part;
		if ((size_t)part < n)
			break;
	}
	return done ? done : part;
}

static u32 tty_poll(struct file *file, struct poll_wait *pw)
{
	struct tty *t = tty_of_file(file);
	u32 events = 0;

	poll_wait_on(pw, &t->read_wait);
	poll_wait_on(pw, &t->write_wait);
	if (can_write(file))
		events |= KPOLLOUT | KPOLLWRNORM;
	SPIN_GUARD_SOFT(&t->lock);
	if (ldisc_readable(t))
		events |= KPOLLIN | KPOLLRDNORM;
	if (is_hung_up(file))
		events |= KPOLLHUP | KPOLLIN | KPOLLRDNORM;
	return events;
}

static s64 tty_file_ioctl(struct file *file, u32 cmd, u64 arg)
{
	return is_hung_up(file) ? -EIO : tty_ioctl(tty_of_file(file), cmd, arg);
}

static s64 no_seek(struct file *file, s64 off, u32 whence)
{
	(void)file;
	(void)off;
	(void)whence;
	return -ESPIPE;
}

#define TTY_FILE_OPS(open_fn)										\
	{												\
		.open = (open_fn), .release = tty_release, .read = tty_read, .write = tty_write, .poll = tty_poll,	\
		.ioctl = tty_file_ioctl, .lseek = no_seek,						\
	}
static const struct file_ops tty_ops = TTY_FILE_OPS(tty_open), current_tty_ops = TTY_FILE_OPS(current_tty_open),
			     console_ops = TTY_FILE_OPS(console_open);

/* --- drivers' side */

static const struct ktermios default_termios = {
	.c_iflag = ICRNL | IXON,
	.c_oflag = OPOST | ONLCR,
	.c_cflag = B38400 | CS8 | CREAD | HUPCL,
	.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	.c_cc = { [VINTR] = 003, [VQUIT] = 034, [VERASE] = 0177, [VKILL] = 025, [VEOF] = 004, [VMIN] = 1, [VSTART] = 021, [VSTOP] = 023,
		  [VSUSP] = 032, [VREPRINT] = 022, [VDISCARD] = 017, [VWERASE] = 027, [VLNEXT] = 026 },
	.c_ispeed = 38400,
	.c_ospeed = 38400,
};

void tty_init_struct(struct tty *t, const struct tty_ops *ops, void *driver, u32 major, u32 minor, const char *name)
{
	*t = (struct tty){ .ops = ops, .driver = driver, .major = major, .minor = minor, .termios = default_termios };
	ref_init(&t->refs);
	spin_init_soft(&t->lock, "tty");
	mutex_init(&t->write_mutex, "tty write");
	waitq_init(&t->read_wait, "tty read");
	waitq_init(&t->write_wait, "tty write queue");
	(void)strscpy(t->name, name, sizeof(t->name));
}

int tty_register(struct tty *t)
{
	return chrdev_register(t->major, t->minor, t->name, 0620, &tty_ops, t);
}

void tty_output_room(struct tty *t)
{
	waitq_wake(&t->write_wait, 1, 0);
}

void tty_hangup(struct tty *t)
{
	spin_lock_soft(&t->lock);
	t->n_hangups++;
	ldisc_flush_input(t);
	t->ops->flush_output(t);
	spin_unlock_soft(&t->lock);
	tty_drop_session(t);
	waitq_wake_all(&t->read_wait);
	waitq_wake_all(&t->write_wait);
}

void tty_init(void)
{
	if (chrdev_register(TTY_AUX_MAJOR, 0, "tty", 0666, &current_tty_ops, NULL) ||
	    chrdev_register(TTY_AUX_MAJOR, 1, "console", 0600, &console_ops, NULL))
		klog(LOG_ERR, "tty: no memory for /dev/tty and /dev/console");
}
