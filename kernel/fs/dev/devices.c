/* SPDX-License-Identifier: MPL-2.0 */
/*
 * null(4), zero(4), full(4), random(4). No state and no locks of their own.
 *
 * random and urandom are one here, as random(7) describes today's: the generator is seeded before the first program runs (by the processor's generator or, where
 * there is none, from timing jitter), so neither waits.
 */
#include <lib/string.h>
#include <frame/log.h>
#include <frame/uspace.h>
#include "abi/process.h"
#include "fs/chrdev.h"
#include "fs/dev/devices.h"
#include "fs/dev/kmsg.h"
#include "fs/poll.h"
#include "fs/vfs.h"
#include "mm/policy.h"
#include "object/random.h"
#include "object/uaccess.h"
#include "object/user_ns.h"
#include "sched/sched.h"

#define MEM_MAJOR 1u
#define ZERO_CHUNK (64ul << 10)
#define RANDOM_CHUNK 256u
#define POOL_BYTES_MAX 512u	/* what one ioctl or one step of a write mixes in */

/* --- null */

static ssize_t null_read(struct file *file, struct iov_iter *it, u64 *pos)
{
	(void)file;
	(void)it;
	(void)pos;
	return 0;
}

static ssize_t null_write(struct file *file, struct iov_iter *it, u64 *pos)
{
	size_t n = it->count;

	(void)file;
	(void)pos;
	iov_advance(it, n);
	return (ssize_t)n;
}

/* Everywhere is the beginning. */
static s64 null_lseek(struct file *file, s64 off, u32 whence)
{
	(void)off;
	(void)whence;
	file->pos = 0;
	return 0;
}

/* --- zero, full */

/* A signal may end a long read between pieces. */
static bool must_stop(void)
{
	sched_check();
	return current_interrupted();
}

static ssize_t zero_read(struct file *file, struct iov_iter *it, u64 *pos)
{
	ssize_t done = 0;

	(void)file;
	(void)pos;
	while (it->count) {
		size_t n = min(it->count, ZERO_CHUNK), zeroed = iov_zero(it, n);

		done += (ssize_t)zeroed;
		if (zeroed < n)
			return done ? done : -EFAULT;
		if (it->count && must_stop())
			break;
	}
	return done;
}

/* Private: plain anonymous memory. Shared: memory of its own, as MAP_ANONYMOUS | MAP_SHARED gives. */
static int zero_mmap(struct file *file, struct mm_map_request *rq)
{
	const struct vma_ops *ops;
	struct mapping *mapping;
	struct file *memory;
	int err;

	if (!(rq->vma_flags & VMA_SHARED))
		return 0;
	if (!rq->len || rq->len > USPACE_END)
		return rq->len ? -ENOMEM : -EINVAL;
	err = mm_shared_anon(ALIGN_UP(rq->len, PAGE_SIZE), &mapping, &memory, &ops);
	if (err)
		return err;
	rq->ops->put(file);
	rq->mapping = mapping;
	rq->file = memory;
	rq->ops = ops;
	rq->pgoff = 0;
	return 0;
}

static ssize_t full_write(struct file *file, struct iov_iter *it, u64 *pos)
{
	(void)file;
	(void)pos;
	return it->count ? -ENOSPC : 0;
}

/* --- random, urandom */

static ssize_t random_read(struct file *file, struct iov_iter *it, u64 *pos)
{
	u8 bytes[RANDOM_CHUNK] __uninitialized;
	ssize_t done = 0;

	(void)file;
	(void)pos;
	while (it->count) {
		size_t n = min(it->count, sizeof(bytes)), copied;

		random_bytes(bytes, n);
		copied = iov_copy_to(it, bytes, n);
		done += (ssize_t)copied;
		if (copied < n && !done)
			done = -EFAULT;
		if (copied < n || (it->count && done % (ssize_t)PAGE_SIZE == 0 && must_stop()))
			break;
	}
	memset(bytes, 0, sizeof(bytes));
	__atomic_signal_fence(__ATOMIC_SEQ_CST);	/* so that the compiler does not drop it */
	return done;
}

static ssize_t random_write(struct file *file, struct iov_iter *it, u64 *pos)
{
	u8 bytes[RANDOM_CHUNK] __uninitialized;
	ssize_t done = 0;

	(void)file;
	(void)pos;
	while (it->count) {
		size_t n = min(it->count, sizeof(bytes)), copied = iov_copy_from(it, bytes, n);

		if (copied)
			random_mix(bytes, copied);
		done += (ssize_t)copied;
		if (copied < n)
			return done ? done : -EFAULT;
		if (it->count && done % (ssize_t)PAGE_SIZE == 0 && must_stop())
			break;
	}
	return done;
}

/* struct rand_pool_info, { int entropy_count; int buf_size; u32 buf[] }: mixed in; what it is said to be worth is not believed, nor needed. */
static s64 add_entropy(uaddr_t arg)
{
	u8 bytes[POOL_BYTES_MAX];
	s32 head[2];

	if (uget(head, arg, sizeof(head)))
		return -EFAULT;
	if (head[0] < 0 || head[1] < 0)
		return -EINVAL;
	arg = uaddr_add(arg, sizeof(head));
	for (u32 left = (u32)head[1]; left;) {
		u32 n = min(left, POOL_BYTES_MAX);

		if (uget(bytes, arg, n))
			return -EFAULT;
		random_mix(bytes, n);
		arg = uaddr_add(arg, n);
		left -= n;
		if (must_stop())
			break;
	}
	return 0;
}

static s64 random_ioctl(struct file *file, u32 cmd, u64 arg)
{
	bool is_admin = capable(&init_user_ns, CAP_SYS_ADMIN);
	s32 n = (s32)random_entropy_bits();

	(void)file;
	switch (cmd) {
	case RNDGETENTCNT:
		return uput(uaddr(arg), &n, sizeof(n));
	case RNDADDTOENTCNT:
		if (!is_admin)
			return -EPERM;
		if (uget(&n, uaddr(arg), sizeof(n)))
			return -EFAULT;
		return n < 0 ? -EINVAL : 0;
	case RNDADDENTROPY:
		return is_admin ? add_entropy(uaddr(arg)) : -EPERM;
	case RNDZAPENTCNT:
	case RNDCLEARPOOL:
		return is_admin ? 0 : -EPERM;
	case RNDRESEEDCRNG:
		if (!is_admin)
			return -EPERM;
		random_mix("reseed", 6);
		return 0;
	default:
		return -EINVAL;
	}
}

static u32 random_poll(struct file *file, struct poll_wait *pw)
{
	(void)file;
	(void)pw;
	return KPOLLIN | KPOLLRDNORM | KPOLLOUT | KPOLLWRNORM;
}

static s64 stay(struct file *file, s64 off, u32 whence)
{
	(void)off;
	(void)whence;
	return (s64)file->pos;
}

static const struct file_ops null_ops = { .read = null_read, .write = null_write, .lseek = null_lseek };
static const struct file_ops zero_ops = { .read = zero_read, .write = null_write, .lseek = null_lseek, .mmap = zero_mmap };
static const struct file_ops full_ops = { .read = zero_read, .write = full_write, .lseek = null_lseek };
static const struct file_ops random_ops = { .read = random_read, .write = random_write, .lseek = stay, .ioctl = random_ioctl, .poll = random_poll };

void devices_init(void)
{
	static const struct {
		const char *name;
		u32 minor, mode;
		const struct file_ops *ops;
	} devices[] = {
		{ "null", 3, 0666, &null_ops }, { "zero", 5, 0666, &zero_ops }, { "full", 7, 0666, &full_ops },
		{ "random", 8, 0666, &random_ops }, { "urandom", 9, 0666, &random_ops }, { "kmsg", 11, 0644, &kmsg_ops },
	};

	kmsg_init();
	for (u32 i = 0; i < ARRAY_SIZE(devices); i++)
		if (chrdev_register(MEM_MAJOR, devices[i].minor, devices[i].name, devices[i].mode, devices[i].ops, NULL))
			klog(LOG_ERR, "/dev/%s: not registered", devices[i].name);
}
