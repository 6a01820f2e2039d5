/* SPDX-License-Identifier: MPL-2.0 */
/* System calls of mmap(2)'s family. Adapters only: the calls are in mm/. */
#include "abi/mman.h"
#include "fs/mmap.h"
#include "mm/mm.h"
#include "mm/policy.h"
#include "syscall/handlers.h"

/* What MAP_SHARED_VALIDATE knows; all else is -EOPNOTSUPP with it, while MAP_SHARED and MAP_PRIVATE ignore flags they don't know. */
#define VALIDATED (MAP_SHARED_VALIDATE | MAP_FIXED | MAP_ANONYMOUS | MAP_32BIT | MAP_GROWSDOWN | MAP_DENYWRITE | MAP_EXECUTABLE | MAP_LOCKED | \
		   MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_FIXED_NOREPLACE | MAP_UNINITIALIZED)

static u32 prot_of(u64 prot)
{
	return (prot & PROT_READ ? VMA_READ : 0) | (prot & PROT_WRITE ? VMA_WRITE : 0) | (prot & PROT_EXEC ? VMA_EXEC : 0);
}

static struct mm_map_request request_of(const struct syscall_args *a)
{
	u64 flags = a->v[3];

	return (struct mm_map_request){
		.addr = a->v[0],
		.len = a->v[1],
		.prot = prot_of(a->v[2]),
		.vma_flags = (flags & MAP_LOCKED ? VMA_LOCKED : 0) | (flags & MAP_NORESERVE ? VMA_NORESERVE : 0),
		.is_fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE),
		.is_noreplace = flags & MAP_FIXED_NOREPLACE,
		.is_populate = (flags & MAP_POPULATE) && !(flags & MAP_NONBLOCK),
		.is_low = flags & MAP_32BIT,
		.pgoff = a->v[5] >> PAGE_SHIFT,
	};
}

static s64 map(const struct mm_map_request *rq)
{
	u64 addr;
	int err = mm_map(current_mm(), rq, &addr);

	return err ? err : (s64)addr;
}

static s64 map_anonymous(struct mm_map_request *rq, u64 flags)
{
	u64 len = ALIGN_UP(rq->len, PAGE_SIZE);
	s64 result;
	int err;

	switch (flags & MAP_TYPE) {
	case MAP_PRIVATE:
		rq->vma_flags |= flags & MAP_GROWSDOWN ? VMA_GROWSDOWN : 0;
		rq->pgoff = 0;
		return map(rq);
	case MAP_SHARED:
		break;
	default:
		return -EINVAL;
	}
	if (flags & MAP_GROWSDOWN)
		return -EINVAL;
	if (!rq->len)
		return -EINVAL;
	if (!len || len > USPACE_END)
		return -ENOMEM;
	err = mm_shared_anon(len, &rq->mapping, &rq->file, &rq->ops);
	if (err)
		return err;
	rq->pgoff = 0;
	rq->vma_flags |= VMA_SHARED;
	result = map(rq);
	rq->ops->put(rq->file);
	return result;
}

static s64 map_file(struct mm_map_request *rq, s32 fd, u64 flags)
{
	u64 type = flags & MAP_TYPE;
	bool is_shared = type != MAP_PRIVATE;
	s64 result;
	int err;

	err = file_mmap_request(fd, rq->prot, is_shared, rq);
	if (err)
		return err;
	if (type == MAP_SHARED_VALIDATE && (flags & ~(u64)VALIDATED))
		result = -EOPNOTSUPP;
	else if ((type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE) || (flags & (MAP_GROWSDOWN | MAP_HUGETLB)))
		result = -EINVAL;
	else {
		rq->vma_flags |= is_shared ? VMA_SHARED : 0;
		result = map(rq);
	}
	file_mmap_done(rq);
	return result;
}

s64 sys_mmap(const struct syscall_args *a)
{
	struct mm_map_request rq = request_of(a);

	if (a->v[5] & ~PAGE_MASK)
		return -EINVAL;
	if ((a->v[3] & MAP_ANONYMOUS) && (a->v[3] & MAP_HUGETLB))
		return a->v[1] ? -ENOMEM : -EINVAL;	/* the pool of huge pages is empty */
	if (a->v[3] & MAP_ANONYMOUS)
		return map_anonymous(&rq, a->v[3]);
	return map_file(&rq, (s32)a->v[4], a->v[3]);
}

s64 sys_munmap(const struct syscall_args *a)
{
	return mm_unmap(current_mm(), a->v[0], a->v[1]);
}

#define MPROTECT_BITS (PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM | PROT_GROWSDOWN | PROT_GROWSUP)

s64 sys_mprotect(const struct syscall_args *a)
{
	u64 prot = a->v[2];

	if (a->v[1] && (prot & ~(u64)MPROTECT_BITS))	/* of length 0 nothing is looked at */
		return -EINVAL;
	return mm_protect(current_mm(), a->v[0], a->v[1], prot_of(prot), prot & PROT_GROWSDOWN, prot & PROT_GROWSUP);
}

s64 sys_mremap(const struct syscall_args *a)
{
	u64 addr;
	int err;

	if (a->v[3] > U32_MAX)
		return -EINVAL;
	err = mm_remap(current_mm(), a->v[0], a->v[1], a->v[2], (u32)a->v[3], a->v[4], &addr);
	return err ? err : (s64)addr;
}

s64 sys_brk(const struct syscall_args *a)
{
	return (s64)mm_brk(current_mm(), a->v[0]);
}

s64 sys_madvise(const struct syscall_args *a)
{
	return mm_advise(current_mm(), a->v[0], a->v[1], (s32)a->v[2]);
}

s64 sys_msync(const struct syscall_args *a)
{
	return mm_sync(current_mm(), a->v[0], a->v[1], (u32)a->v[2]);
}

s64 sys_mincore(const struct syscall_args *a)
{
	return mm_incore(current_mm(), a->v[0], a->v[1], arg_uaddr(a, 2));
}

s64 sys_mlock(const struct syscall_args *a)
{
	return mm_lock_range(current_mm(), a->v[0], a->v[1], true, false);
}

s64 sys_mlock2(const struct syscall_args *a)
{
	u32 flags = (u32)a->v[2];

	if (flags & ~(u32)MLOCK_ONFAULT)
		return -EINVAL;
	return mm_lock_range(current_mm(), a->v[0], a->v[1], true, flags & MLOCK_ONFAULT);
}

s64 sys_munlock(const struct syscall_args *a)
{
	return mm_lock_range(current_mm(), a->v[0], a->v[1], false, false);
}

s64 sys_mlockall(const struct syscall_args *a)
{
	u32 flags = (u32)a->v[0];

	return flags ? mm_lock_all(current_mm(), flags) : -EINVAL;
}

s64 sys_munlockall(const struct syscall_args *a)
{
	(void)a;
	return mm_lock_all(current_mm(), 0);
}
