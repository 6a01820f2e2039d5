/* SPDX-License-Identifier: MPL-2.0 */
/*
 * /dev/kmsg: one record a read, "priority,sequence,microseconds,flags;text\n", with what is not printable as \xNN (Linux's Documentation/ABI/testing/dev-kmsg);
 * a write is a record from user space, "<priority>text".
 *
 * An open file stands at a sequence number (file->private points to it); its mutex keeps readers that share the file in order. The log itself
 * needs no lock. Every reader reads all records; nothing is consumed.
 */
#include <lib/printf.h>
#include <lib/string.h>
#include <frame/clock.h>
#include <frame/log.h>
#include "abi/fcntl.h"
#include "abi/process.h"
#include "fs/dev/kmsg.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "mm/alloc.h"
#include "object/cred.h"
#include "sync/wait.h"

#define WRITE_MAX 1024		/* Linux's limit of one record; the log keeps LOG_TEXT_MAX of it */
#define RECORD_MAX (64 + LOG_TEXT_MAX * 4)	/* every byte escaped */
#define FACILITY_USER 1u

struct reader {
	struct mutex mutex;
	u64 seq;			/* [mutex; a for poll] next record to read */
	char raw[LOG_TEXT_MAX];		/* [mutex] */
	char text[RECORD_MAX];		/* [mutex] */
};

static struct waitq readers = WAITQ_INIT("kmsg", readers);
static u64 cleared_seq;			/* [a] */

struct waitq *kmsg_waitq(void)
{
	return &readers;
}

u64 kmsg_cleared_seq(void)
{
	return READ_ONCE(cleared_seq);
}

void kmsg_clear(void)
{
	WRITE_ONCE(cleared_seq, log_next_seq());
}

static void new_records(void)
{
	waitq_wake(&readers, 0, KPOLLIN | KPOLLRDNORM);
}

void kmsg_init(void)
{
	log_set_listener(new_records);
}

static int kmsg_open(struct inode *inode, struct file *file)
{
	struct reader *r = NULL;

	(void)inode;
	/* As on Debian (dmesg_restrict, proc(5)); writing is for whom the node's mode lets. */
	if ((file->mode & FMODE_READ) && !capable(&init_user_ns, CAP_SYSLOG) && !capable(&init_user_ns, CAP_SYS_ADMIN))
		return -EPERM;
	if (file->mode & FMODE_READ) {
		r = kmalloc(sizeof(*r), ALLOC_USER);
		if (!r)
			return -ENOMEM;
		mutex_init(&r->mutex, "kmsg reader");
		r->seq = log_first_seq();
	}
	file->private = r;
	return 0;
}

static void kmsg_release(struct file *file)
{
	kfree(file->private);
}

static size_t format_record(struct reader *r, const struct log_record *rec)
{
	size_t n = (size_t)scnprintf(r->text, sizeof(r->text), "%u,%lu,%lu,-;", rec->facility * 8 + rec->level, rec->seq,
				     rec->time_ns / NSEC_PER_USEC);

	for (size_t i = 0; i < rec->len; i++) {
		char c = r->raw[i];

		if (c == '\\' || (u8)c < ' ' || (u8)c >= 127)
			n += (size_t)scnprintf(r->text + n, sizeof(r->text) - n, "\\x%02x", (u8)c);
		else
			r->text[n++] = c;
	}
	r->text[n++] = '\n';
	return n;
}

/* A record is there now. */
static bool has_record(const struct reader *r)
{
	return READ_ONCE(r->seq) < log_next_seq();
}

/* The next record into r->text: its length; -EPIPE: records were overwritten, the reader stands at the oldest; 0: none. */
static ssize_t next_record_locked(struct reader *r)
{
	u64 seq = r->seq;
	struct log_record rec;

	if (seq < log_first_seq()) {
		WRITE_ONCE(r->seq, log_first_seq());
		return -EPIPE;
	}
	if (!log_read(&seq, &rec, r->raw, sizeof(r->raw)))
		return 0;
	if (seq != r->seq) {
		WRITE_ONCE(r->seq, seq);
		return -EPIPE;
	}
	return (ssize_t)format_record(r, &rec);
}

static ssize_t read_locked(struct reader *r, struct file *file, struct iov_iter *it)
{
	ssize_t n;
	int err;

	while (!(n = next_record_locked(r))) {
		u64 seen = log_next_seq();

		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		/* A record may be counted and not yet finished: then wait for the one who finishes it to tell. */
		err = WAIT_EVENT(&readers, has_record(r) || log_next_seq() != seen, SLEEP_INTERRUPTIBLE, clock_now_ns() + NSEC_PER_SEC);
		if (err && err != -ETIMEDOUT)
			return err;
	}
	if (n < 0)
		return n;
	if ((size_t)n > it->count)
		return -EINVAL;
	if (iov_copy_to(it, r->text, (size_t)n) < (size_t)n)
		return -EFAULT;
	WRITE_ONCE(r->seq, r->seq + 1);
	return n;
}

static ssize_t kmsg_read(struct file *file, struct iov_iter *it, u64 *pos)
{
	struct reader *r = file->private;
	ssize_t n;
	int err;

	(void)pos;
	err = mutex_lock_killable(&r->mutex);
	if (err)
		return err;
	n = read_locked(r, file, it);
	mutex_unlock(&r->mutex);
	return n;
}

/* "<N>" in front: facility and level; no facility, or the kernel's: user. */
static u32 take_prefix(const char **text, size_t *len, u32 prefix)
{
	const char *end = *len && **text == '<' ? memchr(*text, '>', min(*len, (size_t)12)) : NULL;
	u32 n;

	if (!end || parse_u32(*text + 1, (size_t)(end - *text - 1), 10, &n))
		return prefix;
	*len -= (size_t)(end + 1 - *text);
	*text = end + 1;
	return n >> 3 ? n : FACILITY_USER << 3 | (n & 7);
}

static ssize_t kmsg_write(struct file *file, struct iov_iter *it, u64 *pos)
{
	size_t len = it->count, whole = len;
	const char *text;
	char *buf;
	u32 prefix;

	(void)file;
	(void)pos;
	if (len > WRITE_MAX)
		return -EINVAL;
	buf = kmalloc(len + 1, ALLOC_USER);
	if (!buf)
		return -ENOMEM;
	if (iov_copy_from(it, buf, len) < len) {
		kfree(buf);
		return -EFAULT;
	}
	buf[len] = 0;
	text = buf;
	prefix = take_prefix(&text, &len, FACILITY_USER << 3 | LOG_WARNING);
	log_write_user(prefix, text, len);
	kfree(buf);
	return (ssize_t)whole;
}

static u32 kmsg_poll(struct file *file, struct poll_wait *pw)
{
	const struct reader *r = file->private;

	if (!r)
		return KPOLLERR | KPOLLNVAL;
	poll_wait_on(pw, &readers);
	if (!has_record(r))
		return 0;
	return KPOLLIN | KPOLLRDNORM | (READ_ONCE(r->seq) < log_first_seq() ? KPOLLERR | KPOLLPRI : 0);
}

/* Only to places that have a name: the oldest record (SET), the first after the last clear (DATA), after the newest (END). */
static s64 kmsg_lseek(struct file *file, s64 off, u32 whence)
{
	struct reader *r = file->private;
	u64 seq;

	if (!r)
		return -EBADF;
	if (off)
		return -ESPIPE;
	switch (whence) {
	case SEEK_SET:
		seq = log_first_seq();
		break;
	case SEEK_DATA:
		seq = kmsg_cleared_seq();
		break;
	case SEEK_END:
		seq = log_next_seq();
		break;
	default:
		return -EINVAL;
	}
	MUTEX_GUARD(&r->mutex);
	WRITE_ONCE(r->seq, seq);
	return 0;
}

const struct file_ops kmsg_ops = {
	.open = kmsg_open,
	.release = kmsg_release,
	.read = kmsg_read,
	.write = kmsg_write,
	.poll = kmsg_poll,
	.lseek = kmsg_lseek,
};
