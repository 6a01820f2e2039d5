/* SPDX-License-Identifier: MPL-2.0 */
/* File seals: fs/seals.h. */
#include <lib/errno.h>
#include "abi/fcntl.h"
#include "fs/seals.h"
#include "fs/vfs.h"

#define SEALS_ALL (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)
#define SEALS_WRITE (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)

s64 file_get_seals(struct file *f)
{
	const struct mapping *m = &f->inode->mapping;

	return m->is_sealable ? (s64)READ_ONCE(m->seals) : -EINVAL;
}

static int add_locked(struct mapping *m, u32 seals)
{
	int err;

	if (m->seals & F_SEAL_SEAL)
		return -EPERM;
	if (seals & ~m->seals & F_SEAL_WRITE) {
		err = mapping_writable_deny(m);
		if (err)
			return err;
	}
	WRITE_ONCE(m->seals, m->seals | seals);
	return 0;
}

int file_add_seals(struct file *f, u64 seals)
{
	struct mapping *m = &f->inode->mapping;
	int err;

	if (seals > U32_MAX)
		return -EINVAL;
	if (!(f->mode & FMODE_WRITE))
		return -EPERM;
	if ((seals & ~(u64)SEALS_ALL) || !m->is_sealable)
		return -EINVAL;
	rwsem_write_lock(&f->inode->lock);
	err = add_locked(m, (u32)seals);
	rwsem_write_unlock(&f->inode->lock);
	return err;
}

ssize_t seals_check_write(const struct mapping *m, u64 pos, size_t n)
{
	u64 end;

	if (likely(!(m->seals & (SEALS_WRITE | F_SEAL_GROW))))
		return (ssize_t)n;
	if (m->seals & SEALS_WRITE)
		return -EPERM;
	if (pos + n <= m->size)
		return (ssize_t)n;
	end = m->size & PAGE_MASK;
	return pos < end ? (ssize_t)(end - pos) : -EPERM;
}

int seals_check_size(const struct mapping *m, u64 size)
{
	if ((m->seals & F_SEAL_SHRINK) && size < m->size)
		return -EPERM;
	return (m->seals & F_SEAL_GROW) && size > m->size ? -EPERM : 0;
}

int seals_check_punch(const struct mapping *m)
{
	return m->seals & SEALS_WRITE ? -EPERM : 0;
}

int seals_check_map(struct mm_map_request *rq)
{
	if (likely(!(READ_ONCE(rq->mapping->seals) & F_SEAL_FUTURE_WRITE)) || !(rq->vma_flags & VMA_SHARED))
		return 0;
	if (rq->prot & VMA_WRITE)
		return -EPERM;
	rq->vma_flags &= ~(u32)VMA_MAY_WRITE;
	return 0;
}
