/* SPDX-License-Identifier: MPL-2.0 */
/*
 * syslog(2), klogctl(3): the log as lines "<priority>[seconds.microseconds] text". Reading (action 2) consumes; reading all and clearing do not.
 * As on Debian only CAP_SYSLOG may look (dmesg_restrict, proc(5)).
 */
#include <lib/printf.h>
#include <frame/clock.h>
#include <frame/log.h>
#include "abi/process.h"
#include "fs/dev/kmsg.h"
#include "mm/alloc.h"
#include "object/cred.h"
#include "sync/mutex.h"
#include "syscall/args.h"
#include "syscall/handlers.h"

enum { LOG_CLOSE, LOG_OPEN, LOG_READ, LOG_READ_ALL, LOG_READ_CLEAR, LOG_CLEAR, LOG_CONSOLE_OFF, LOG_CONSOLE_ON, LOG_CONSOLE_LEVEL, LOG_SIZE_UNREAD, LOG_SIZE_BUFFER };

#define LINE_MAX (LOG_TEXT_MAX + 48)
#define BUFFER_BYTES (64 << 10)		/* frame/log.h */
#define LEVEL_LEAST 1

static struct mutex read_mutex = MUTEX_INIT("syslog", read_mutex);
static u64 read_seq;			/* [read_mutex] next record of action 2 */
static size_t read_offset;		/* [read_mutex] of its line, read already */
static u32 saved_level = ~0u;		/* [a] while the console is off */

/* The line of the first record from *seq on; its length, 0: none. */
static size_t make_line(u64 *seq, char line[LINE_MAX], char text[LOG_TEXT_MAX])
{
	struct log_record rec;

	if (!log_read(seq, &rec, text, LOG_TEXT_MAX))
		return 0;
	return (size_t)scnprintf(line, LINE_MAX, "<%u>[%5lu.%06lu] %.*s\n", rec.facility * 8 + rec.level, rec.time_ns / NSEC_PER_SEC,
				 rec.time_ns % NSEC_PER_SEC / NSEC_PER_USEC, (int)rec.len, text);
}

struct buffers {
	char line[LINE_MAX], text[LOG_TEXT_MAX];
};

/* Action 2: waits for a first line, then gives whole and partial lines. */
static s64 read_some(struct buffers *b, uaddr_t to, size_t len)
{
	size_t done = 0;

	while (done < len) {
		u64 seq = read_seq;
		size_t n = make_line(&seq, b->line, b->text), part;

		if (!n)
			break;
		if (seq != read_seq) {
			read_seq = seq;
			read_offset = 0;
		}
		part = min(n - read_offset, len - done);
		if (uput(uaddr_add(to, done), b->line + read_offset, part))
			return done ? (s64)done : -EFAULT;
		done += part;
		read_offset += part;
		if (read_offset == n) {
			read_seq = seq + 1;
			read_offset = 0;
		}
	}
	return (s64)done;
}

static s64 read_and_consume(struct buffers *b, uaddr_t to, size_t len)
{
	int err = mutex_lock_killable(&read_mutex);
	s64 n;

	if (err)
		return err;
	while (!(n = read_some(b, to, len))) {
		mutex_unlock(&read_mutex);
		err = WAIT_EVENT(kmsg_waitq(), READ_ONCE(read_seq) < log_next_seq(), SLEEP_INTERRUPTIBLE, SLEEP_FOREVER);
		if (!err)
			err = mutex_lock_killable(&read_mutex);
		if (err)
			return err;
	}
	mutex_unlock(&read_mutex);
	return n;
}

/* The last lines, as many as fit. */
static s64 read_all(struct buffers *b, uaddr_t to, size_t len)
{
	u64 first = max(kmsg_cleared_seq(), log_first_seq()), end = log_next_seq();
	size_t size = 0, done = 0, n;

	for (u64 seq = first; seq < end && (n = make_line(&seq, b->line, b->text)) != 0; seq++)
		size += n;
	for (; first < end && size > len && (n = make_line(&first, b->line, b->text)) != 0; first++)
		size -= min(n, size);
	for (; first < end && (n = make_line(&first, b->line, b->text)) != 0 && n <= len - done; first++) {
		if (uput(uaddr_add(to, done), b->line, n))
			return -EFAULT;
		done += n;
	}
	return (s64)done;
}

static s64 read_action(u32 action, uaddr_t to, s32 len)
{
	struct buffers *b;
	s64 n;

	if (!to.v || len < 0)
		return -EINVAL;
	if (!len)
		return 0;
	b = kmalloc(sizeof(*b), ALLOC_SLEEP | ALLOC_USER);
	if (!b)
		return -ENOMEM;
	n = action == LOG_READ ? read_and_consume(b, to, (size_t)len) : read_all(b, to, (size_t)len);
	if (n >= 0 && action == LOG_READ_CLEAR)
		kmsg_clear();
	kfree(b);
	return n;
}

static s64 size_unread(void)
{
	struct buffers *b = kmalloc(sizeof(*b), ALLOC_SLEEP | ALLOC_USER);
	size_t size = 0, n;

	if (!b)
		return -ENOMEM;
	mutex_lock(&read_mutex);
	for (u64 seq = read_seq; (n = make_line(&seq, b->line, b->text)) != 0; seq++)
		size += n;
	size -= min(read_offset, size);
	mutex_unlock(&read_mutex);
	kfree(b);
	return (s64)size;
}

static s64 switch_console(bool is_on)
{
	u32 old;

	if (is_on) {
		old = __atomic_exchange_n(&saved_level, ~0u, __ATOMIC_ACQ_REL);
		if (old != ~0u)
			(void)log_console_level(old);
		return 0;
	}
	old = log_console_level(LEVEL_LEAST);
	if (__atomic_load_n(&saved_level, __ATOMIC_ACQUIRE) == ~0u)
		__atomic_store_n(&saved_level, old, __ATOMIC_RELEASE);
	return 0;
}

static s64 set_level(s32 level)
{
	if (level < LEVEL_LEAST || level > 8)
		return -EINVAL;
	(void)log_console_level((u32)level);
	__atomic_store_n(&saved_level, ~0u, __ATOMIC_RELEASE);
	return 0;
}

s64 sys_syslog(const struct syscall_args *a)
{
	u32 action = (u32)a->v[0];
	s32 len = (s32)a->v[2];

	if (!capable(&init_user_ns, CAP_SYSLOG) && !capable(&init_user_ns, CAP_SYS_ADMIN))
		return -EPERM;
	switch (action) {
	case LOG_CLOSE:
	case LOG_OPEN:
		return 0;
	case LOG_READ:
	case LOG_READ_ALL:
	case LOG_READ_CLEAR:
		return read_action(action, arg_uaddr(a, 1), len);
	case LOG_CLEAR:
		kmsg_clear();
		return 0;
	case LOG_CONSOLE_OFF:
	case LOG_CONSOLE_ON:
		return switch_console(action == LOG_CONSOLE_ON);
	case LOG_CONSOLE_LEVEL:
		return set_level(len);
	case LOG_SIZE_UNREAD:
		return size_unread();
	case LOG_SIZE_BUFFER:
		return BUFFER_BYTES;
	default:
		return -EINVAL;
	}
}
