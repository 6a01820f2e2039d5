/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Descriptor tables.
 *
 * A table points to an array of file pointers, replaced by a larger one when it grows and freed by RCU; the first 64 slots live in the table itself.
 * Which descriptors are taken is a bitmap tree (lib/idalloc.h): the lowest free one in O(log n).
 * Look-up: RCU, load the array, load the slot, take a reference if there is one left, look at the slot again: files come from type-stable memory, so a
 * freed and re-used one is at worst another file, which the second look tells. If nobody else uses the table (one reference), only this thread can
 * close in it, and it needs no reference at all.
 * A reserved descriptor is taken in the bitmap while its slot is NULL: to others it is not open yet.
 * Locks: t->lock for all changes; it nests in nothing and nothing nests in it.
 */
#include <lib/bitmap.h>
#include <lib/idalloc.h>
#include <lib/string.h>
#include "abi/fcntl.h"
#include "fs/internal.h"
#include "fs/fdtable.h"
#include "fs/locks.h"
#include "mm/alloc.h"

#define FD_FIRST 64
#define FD_MAX (1u << 30)

struct fdarray {
	u32 n;
	struct rcu_head rcu;
	struct file **files;		/* [t->lock; RCU to read] */
	u64 *cloexec;			/* [t->lock] */
	void *id_memory;		/* [t->lock] */
};

struct fdtable {
	struct ref refs;		/* threads that share it, and those who look at it for a moment */
	struct spinlock lock;
	struct fdarray *array;		/* [lock; RCU to read] */
	struct idalloc ids;		/* [lock] */
	struct fdarray first;
	struct file *first_files[FD_FIRST];
	u64 first_cloexec[1];
	u64 first_ids[1];
};

static struct fdtable *current_table(void)
{
	return current_actor()->files;
}

/* --- Making and growing */

static struct fdtable *table_new(void)
{
	struct fdtable *t = kmalloc(sizeof(*t), ALLOC_SLEEP | ALLOC_USER | ALLOC_ZERO);

	if (!t)
		return NULL;
	_Static_assert(FD_FIRST == 64, "first_ids is one word");
	ref_init(&t->refs);
	spin_init(&t->lock, "descriptor table");
	t->first.n = FD_FIRST;
	t->first.files = t->first_files;
	t->first.cloexec = t->first_cloexec;
	t->array = &t->first;
	idalloc_init(&t->ids, t->first_ids, FD_FIRST);
	return t;
}

int fdtable_create(struct fdtable **out)
{
	*out = table_new();
	return *out ? 0 : -ENOMEM;
}

/* One block: array, slots, close-on-exec bits, room for the bitmap tree. */
static struct fdarray *array_new(u32 n)
{
	size_t slots = size_mul(n, sizeof(struct file *)), bits = BITMAP_WORDS(n) * sizeof(u64);
	char *block = kmalloc(size_add(sizeof(struct fdarray) + bits + idalloc_bytes(n), slots), ALLOC_SLEEP | ALLOC_USER | ALLOC_ZERO);
	struct fdarray *a = (struct fdarray *)(void *)block;

	if (!a)
		return NULL;
	block += sizeof(struct fdarray);
	a->n = n;
	a->files = (struct file **)(void *)block;
	a->cloexec = (u64 *)(void *)(block + slots);
	a->id_memory = block + slots + bits;
	return a;
}

static void array_free_rcu(struct rcu_head *head)
{
	kfree(container_of(head, struct fdarray, rcu));
}

/* Makes room for descriptor `fd`. May sleep; the table is not locked and may have grown by another's doing: fine. */
static int grow(struct fdtable *t, u32 fd)
{
	u32 n = (u32)roundup_pow2((u64)fd + 1);
	struct fdarray *new, *old;

	if (fd >= READ_ONCE(fs_tunables.nr_open))
		return -EMFILE;
	new = array_new(n);
	if (!new)
		return fd >= FD_MAX / 64 ? -EMFILE : -ENOMEM;
	spin_lock(&t->lock);
	old = t->array;
	if (old->n >= n) {
		spin_unlock(&t->lock);
		kfree(new);
		return 0;
	}
	memcpy(new->files, old->files, old->n * sizeof(struct file *));
	memcpy(new->cloexec, old->cloexec, BITMAP_WORDS(old->n) * sizeof(u64));
	idalloc_grow(&t->ids, new->id_memory, n);
	rcu_publish(t->array, new);
	spin_unlock(&t->lock);
	if (old != &t->first)
		rcu_call(&old->rcu, array_free_rcu);
	return 0;
}

/* The highest descriptor in use + 1, as descriptors in the making (reserved, slot NULL) don't count. */
static u32 count_used(const struct fdtable *t)
{
	const struct fdarray *a = t->array;
	size_t last = bitmap_find_last(idalloc_bits(&t->ids), a->n);
	u32 n = last < a->n ? (u32)last + 1 : 0;

	while (n && !a->files[n - 1])
		n--;
	return n;
}

/* The files of 64 descriptors, `taken` among them, each with one more reference. Returns those of `taken` that are open. */
static u64 copy_files(struct file **to, struct file *const *from, u64 taken)
{
	u64 open = taken;

	for (u64 left = taken; left; left &= left - 1) {
		u32 i = (u32)__builtin_ctzll(left);
		struct file *f = from[i];

		if (likely(f))
			ref_get(&f->refs);
		else
			open &= ~(1ul << i);
		to[i] = f;
	}
	return open;
}

/* Descriptors 0 … n-1 into a new table with room for them, by words of its bitmaps: an array's size is a multiple of 64. */
static void copy_locked(struct fdtable *t, const struct fdtable *old, u32 n)
{
	const struct fdarray *from = old->array;
	struct fdarray *to = t->array;

	for (u32 word = 0; word < BITMAP_WORDS(n); word++) {
		u64 open = copy_files(&to->files[word * 64], &from->files[word * 64], idalloc_bits(&old->ids)[word]);

		to->cloexec[word] = from->cloexec[word] & open;
		idalloc_take_word(&t->ids, word, open);
	}
}

int fdtable_fork(struct fdtable *old, struct fdtable **out)
{
	struct fdtable *t = table_new();
	u32 n;

	if (!t)
		return -ENOMEM;
	for (;;) {
		int err;

		spin_lock(&old->lock);
		n = count_used(old);
		if (n <= t->array->n)
			break;
		spin_unlock(&old->lock);
		err = grow(t, n - 1);
		if (err) {
			fdtable_put(t);
			return err;
		}
	}
	copy_locked(t, old, n);
	spin_unlock(&old->lock);
	*out = t;
	return 0;
}

struct fdtable *fdtable_get(struct fdtable *t)
{
	ref_get(&t->refs);
	return t;
}

static inline int close_file(struct fdtable *t, struct file *f)
{
	int err = f->ops && f->ops->flush ? f->ops->flush(f) : 0;

	if (unlikely(f->inode->locks) && !(f->mode & FMODE_PATH))
		locks_release_owner(t, f);
	if (ref_put(&f->refs))
		file_end(f);
	return err;
}

/* Errors of flush are lost here, as exit(2) has nobody to tell. */
void fdtable_put(struct fdtable *t)
{
	struct fdarray *a = t->array;

	if (!ref_put(&t->refs))
		return;
	for (u32 word = 0; word < BITMAP_WORDS(a->n); word++) {
		struct file *const *files = &a->files[word * 64];

		for (u64 left = idalloc_bits(&t->ids)[word]; left; left &= left - 1) {
			struct file *f = files[__builtin_ctzll(left)];

			if (likely(f))
				(void)close_file(t, f);
		}
	}
	if (a != &t->first)
		kfree(a);
	kfree(t);
}

int fdtable_unshare(void)
{
	struct fdtable *old = current_table(), *t;
	int err;

	if (ref_count(&old->refs) == 1)
		return 0;
	err = fdtable_fork(old, &t);
	if (err)
		return err;
	current_actor()->files = t;
	fdtable_put(old);
	return 0;
}

/* --- Look-up */

/* Under RCU. */
static struct file *slot_read(const struct fdtable *t, u32 fd)
{
	const struct fdarray *a = rcu_deref(t->array);

	return likely(fd < a->n) ? rcu_deref(a->files[fd]) : NULL;
}

static struct file *get_counted(const struct fdtable *t, u32 fd)
{
	struct file *f;

	for (;;) {
		bool has_ref;

		rcu_read_lock();
		f = slot_read(t, fd);
		has_ref = f && ref_try_get(&f->refs);
		if (!f || (has_ref && likely(slot_read(t, fd) == f))) {
			rcu_read_unlock();
			return f;
		}
		rcu_read_unlock();
		if (has_ref)
			file_put(f);
	}
}

/* Of a table that others share. */
static __noinline struct fdref lookup_counted(const struct fdtable *t, s32 fd, u32 refused_modes)
{
	struct file *f = get_counted(t, (u32)fd);

	if (likely(f && !(f->mode & refused_modes)))
		return (struct fdref){ f, true };
	if (f)
		file_put(f);
	return (struct fdref){ NULL, false };
}

static __always_inline struct fdref lookup(s32 fd, u32 refused_modes)
{
	const struct fdtable *t = current_table();
	const struct fdarray *a;
	struct file *f;

	if (unlikely(!t))
		return (struct fdref){ NULL, false };
	if (unlikely(ref_count(&t->refs) != 1))
		return lookup_counted(t, fd, refused_modes);
	a = t->array;
	f = likely((u32)fd < a->n) ? a->files[(u32)fd] : NULL;
	return (struct fdref){ likely(f && !(f->mode & refused_modes)) ? f : NULL, false };
}

struct fdref fd_lookup_path(s32 fd)
{
	return lookup(fd, 0);
}

struct fdref fd_lookup(s32 fd)
{
	return lookup(fd, FMODE_PATH);
}

struct fd_slots fd_slots(void)
{
	const struct fdtable *t = current_table();

	if (!t || ref_count(&t->refs) != 1)
		return (struct fd_slots){ NULL, 0 };
	return (struct fd_slots){ t->array->files, t->array->n };
}

struct file *fd_get(s32 fd)
{
	return fdtable_file(current_table(), fd);
}

struct file *fdtable_file(struct fdtable *t, s32 fd)
{
	return t ? get_counted(t, (u32)fd) : NULL;
}

s32 fdtable_next(struct fdtable *t, s32 from)
{
	const struct fdarray *a;
	s32 found = -1;

	rcu_read_lock();
	a = rcu_deref(t->array);
	for (u32 fd = (u32)max(from, 0); fd < a->n && found < 0; fd++)
		if (rcu_deref(a->files[fd]))
			found = (s32)fd;
	rcu_read_unlock();
	return found;
}

bool fdtable_is_cloexec(struct fdtable *t, s32 fd)
{
	SPIN_GUARD(&t->lock);
	return (u32)fd < t->array->n && bitmap_test(t->array->cloexec, (u32)fd);
}

u32 fdtable_size(const struct fdtable *t)
{
	u32 n;

	rcu_read_lock();
	n = rcu_deref(t->array)->n;
	rcu_read_unlock();
	return n;
}

/* --- Installing */

/* No descriptor in [min, limit) was free in a table of n. */
static __noinline int make_room(struct fdtable *t, u32 n, u32 min, u32 limit)
{
	if (min >= limit)
		return min ? -EINVAL : -EMFILE;
	return max(n, min) >= limit ? -EMFILE : grow(t, max(n, min));
}

static u32 current_limit(void)
{
	return (u32)min_t(u64, fd_limit(), FD_MAX);
}

/* A free descriptor's close-on-exec bit is clear. */
static inline int take_lowest_locked(struct fdtable *t, u32 min, u32 limit, bool cloexec, u32 *fd)
{
	int err = idalloc_alloc(&t->ids, min, limit, fd);

	if (!err && cloexec)
		bitmap_set(t->array->cloexec, *fd);
	return err;
}

int fd_reserve(s32 min, bool cloexec)
{
	struct fdtable *t = current_table();
	u32 limit = current_limit(), fd, n;
	int err;

	for (;;) {
		spin_lock(&t->lock);
		err = take_lowest_locked(t, (u32)min, limit, cloexec, &fd);
		n = t->array->n;
		spin_unlock(&t->lock);
		if (likely(!err))
			return (s32)fd;
		err = make_room(t, n, (u32)min, limit);
		if (err)
			return err;
	}
}

int fd_dup(s32 from, s32 min, bool cloexec)
{
	struct fdtable *t = current_table();
	u32 limit = current_limit(), fd, n;
	struct file *f;
	int err;

	for (;;) {
		spin_lock(&t->lock);
		n = t->array->n;
		f = likely((u32)from < n) ? t->array->files[(u32)from] : NULL;
		err = likely(f) ? take_lowest_locked(t, (u32)min, limit, cloexec, &fd) : -EBADF;
		if (likely(!err)) {
			ref_get(&f->refs);
			rcu_publish(t->array->files[fd], f);
			spin_unlock(&t->lock);
			return (s32)fd;
		}
		spin_unlock(&t->lock);
		if (f)
			err = make_room(t, n, (u32)min, limit);
		if (err)
			return err;
	}
}

void fd_install(s32 fd, struct file *f)
{
	struct fdtable *t = current_table();

	SPIN_GUARD(&t->lock);
	BUG_ON(t->array->files[fd]);
	rcu_publish(t->array->files[fd], f);
}

void fd_unreserve(s32 fd)
{
	struct fdtable *t = current_table();

	SPIN_GUARD(&t->lock);
	bitmap_clear(t->array->cloexec, (u32)fd);
	idalloc_free(&t->ids, (u32)fd);
}

int fd_install_new(struct file *f, bool cloexec)
{
	int fd = fd_reserve(0, cloexec);

	if (fd >= 0)
		fd_install(fd, f);
	return fd;
}

int fd_get_cloexec(s32 fd, bool *cloexec)
{
	struct fdtable *t = current_table();

	SPIN_GUARD(&t->lock);
	if ((u32)fd >= t->array->n || !t->array->files[fd])
		return -EBADF;
	*cloexec = bitmap_test(t->array->cloexec, (u32)fd);
	return 0;
}

void fd_set_cloexec(s32 fd, bool cloexec)
{
	struct fdtable *t = current_table();

	SPIN_GUARD(&t->lock);
	if ((u32)fd < t->array->n && t->array->files[fd])
		bitmap_assign(t->array->cloexec, (u32)fd, cloexec);
}

/* --- Closing */

static inline struct file *take_locked(struct fdtable *t, u32 fd)
{
	struct fdarray *a = t->array;
	struct file *f = fd < a->n ? a->files[fd] : NULL;

	if (!f)
		return NULL;
	rcu_publish(a->files[fd], NULL);
	bitmap_clear(a->cloexec, fd);
	idalloc_free(&t->ids, fd);
	return f;
}

int fd_close(s32 fd)
{
	struct fdtable *t = current_table();
	struct file *f;

	spin_lock(&t->lock);
	f = take_locked(t, (u32)fd);
	spin_unlock(&t->lock);
	return likely(f) ? close_file(t, f) : -EBADF;
}

/* dup(2): a target that is reserved but not yet open (another thread is in open) is EBUSY. The caller has checked from != to where that matters. */
int fd_dup_to(s32 from, s32 to, bool cloexec)
{
	struct fdtable *t = current_table();
	struct file *f, *old;

	if (to < 0 || (u64)to >= min_t(u64, fd_limit(), FD_MAX))
		return -EBADF;
	f = fd_get(from);
	if (!f)
		return -EBADF;
	for (;;) {
		int err;

		spin_lock(&t->lock);
		if ((u32)to < t->array->n)
			break;
		spin_unlock(&t->lock);
		err = grow(t, (u32)to);
		if (err) {
			file_put(f);
			return err;
		}
	}
	old = t->array->files[to];
	if (!old && idalloc_take(&t->ids, (u32)to)) {
		spin_unlock(&t->lock);
		file_put(f);
		return -EBUSY;
	}
	rcu_publish(t->array->files[to], f);
	bitmap_assign(t->array->cloexec, (u32)to, cloexec);
	spin_unlock(&t->lock);
	if (old)
		(void)close_file(t, old);	/* dup(2): its errors are not reported */
	return to;
}

/* The next open one in [from, last], taken out or, for cloexec_only, marked. */
static struct file *take_next(struct fdtable *t, u32 *from, u32 last, bool cloexec_only)
{
	struct fdarray *a = t->array;

	for (; *from <= last && *from < a->n; ++*from) {
		if (!a->files[*from])
			continue;
		if (!cloexec_only)
			return take_locked(t, *from);
		bitmap_set(a->cloexec, *from);
	}
	return NULL;
}

int fd_close_range(u32 first, u32 last, bool cloexec_only, bool unshare)
{
	struct fdtable *t;
	struct file *f;

	if (first > last)
		return -EINVAL;
	if (unshare) {
		int err = fdtable_unshare();

		if (err)
			return err;
	}
	t = current_table();
	for (;;) {
		spin_lock(&t->lock);
		f = take_next(t, &first, last, cloexec_only);
		spin_unlock(&t->lock);
		if (!f)
			return 0;
		(void)close_file(t, f);	/* close_range(2): errors are ignored */
	}
}

int fdtable_exec(void)
{
	struct fdtable *t;
	int err = fdtable_unshare();
	u32 fd = 0;

	if (err)
		return err;
	t = current_table();
	for (;; fd++) {
		struct file *f;

		spin_lock(&t->lock);
		fd = (u32)bitmap_find_one(t->array->cloexec, t->array->n, fd);
		f = take_locked(t, fd);
		spin_unlock(&t->lock);
		if (fd >= t->array->n)
			return 0;
		if (f)
			(void)close_file(t, f);
	}
}
