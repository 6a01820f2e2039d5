/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Address spaces of processes: the tree of VMAs is the truth, page tables may be dropped at any time.
 *
 * Locks: mm->lock (rwsem): read for faults and look-ups, write for changes of the tree. Then mapping->vmas_lock, anonymous family lock, page-table cursors.
 * uspace is first in need: container_of(current_uspace(), struct mm, us) is the current mm.
 * Private file pages and anonymous memory: copy-on-write reuse is decided by UPTE_EXCLUSIVE, never by the reference count; anonymous pages
 * carry (family, index) in owner/index so that reverse mapping and swap fit. Key: [m] mm->lock, [a] atomic, [I] immutable.
 */
#ifndef MM_MM_H
#define MM_MM_H

#include <lib/types.h>
#include <lib/rbtree.h>
#include <frame/uspace.h>
#include <frame/ucopy.h>
#include "object/ref.h"
#include "object/current.h"
#include "sync/mutex.h"
#include "mm/mapping.h"

struct file;
struct anon_family;

enum vma_flags {
	VMA_READ = 1, VMA_WRITE = 2, VMA_EXEC = 4,		/* current protection */
	VMA_MAY_READ = 0x10, VMA_MAY_WRITE = 0x20, VMA_MAY_EXEC = 0x40,	/* what mprotect may give */
	VMA_SHARED = 0x80, VMA_GROWSDOWN = 0x100, VMA_LOCKED = 0x200, VMA_NORESERVE = 0x400, VMA_DONTFORK = 0x800,
	VMA_WIPEONFORK = 0x1000, VMA_DONTDUMP = 0x2000, VMA_STACK = 0x4000, VMA_ACCOUNT = 0x8000, VMA_VDSO = 0x10000,
	VMA_RAND_READ = 0x20000, VMA_SEQ_READ = 0x40000, VMA_NOHUGE = 0x80000, VMA_HUGE = 0x100000, VMA_LOCK_ONFAULT = 0x200000,
	VMA_IO = 0x400000,					/* not to be looked into from outside: ptrace(2), /proc/PID/mem */
};

/* What a VMA maps besides anonymous memory; defined by fs/ (files) so that mm needs not know struct file. */
struct vma_ops {
	void (*get)(struct file *f);		/* one more VMA refers to it */
	void (*put)(struct file *f);		/* task context; may sleep */
	ssize_t (*name)(struct file *f, char *buf, size_t max);	/* path for /proc/PID/maps; ids below */
	void (*ids)(struct file *f, u32 *dev_major, u32 *dev_minor, u64 *ino);
	void (*written)(struct file *f);	/* a write fault on a shared page: the file's times, mmap(2); does not sleep */
};

struct vma {
	struct rb_node node;		/* [m] in mm->vmas, by start; augmented with the largest gap */
	u64 start, end;			/* [m, mapping->vmas_lock] bytes */
	u64 gap, sub_start, sub_end;	/* [m] augmentation: largest gap inside the subtree, and what the subtree spans */
	u64 pgoff;			/* [m, mapping->vmas_lock] pages: offset in the mapping, or start/PAGE_SIZE for anonymous */
	u32 flags;			/* [m] enum vma_flags */
	struct mm *mm;			/* [I] */
	struct mapping *mapping;	/* [I] NULL: anonymous (shared anonymous memory has a tmpfs-like mapping of its own) */
	struct file *file;		/* [I] kept alive for the mapping; may be NULL */
	const struct vma_ops *ops;	/* [I] for file */
	struct anon_family *family;	/* [m to change, mm->family_lock to set the first time; a] */
	struct rb_node mapping_node;	/* [mapping->vmas_lock] */
	u64 mapping_max;		/* augmentation of the interval tree */
	struct list family_node;	/* [family lock]; of a dead VMA: [m] mm->dead */
	const char *special;		/* [I] "[vdso]" … or NULL */
};

struct mm {
	struct uspace us;
	struct ref users;		/* threads that run in it (and those who look at its memory): mm_get/mm_put */
	struct rwsem lock;
	struct rb_root vmas;		/* [m] */
	struct vma *last_hit;		/* [a] cache of the last look-up, checked before use */
	u32 n_vmas;			/* [m] */
	struct spinlock family_lock;	/* gives a VMA its first family */
	struct list dead;		/* [m] VMAs taken out, freed after the lock is dropped (their files' last put may take inode locks) */
	u64 committed_pages;		/* [m] charged to the overcommit account */
	u64 total_pages, locked_pages, data_pages, exec_pages, stack_pages;	/* [m] */
	u64 rss_anon, rss_file, rss_shmem, rss_peak;		/* [a] pages */
	u64 peak_pages;			/* [m] */
	u64 mmap_base, mmap_legacy;	/* [I] top-down search starts here */
	u64 start_code, end_code, start_data, end_data, start_brk, brk, start_stack;	/* [m] */
	u64 arg_start, arg_end, env_start, env_end;				/* [m] */
	u64 auxv[64]; u32 n_auxv;	/* [I] as given to the program */
	u32 def_flags;			/* [m] mlockall(MCL_FUTURE) */
	struct file *exe;		/* [m] executable, for /proc/PID/exe; with exe_ops */
	const struct vma_ops *exe_ops;
	bool dumpable;			/* [a] */
	u32 membarrier;			/* [a] commands registered for (proc/membarrier.c) */
	u32 n_faults_minor, n_faults_major;	/* [a] */
};

static inline struct mm *current_mm(void)
{
	return current_actor()->mm;
}

__must_check int mm_create(struct mm **out);			/* empty; -ENOMEM. Laid out by RLIMIT_STACK and randomize_va_space */
/* Lays out again, before anything is mapped: exec of a program with ADDR_NO_RANDOMIZE, or with another stack limit. */
void mm_layout(struct mm *mm, u64 stack_limit_bytes, bool is_random);
/* The executable: takes over the caller's reference (get was called); a former one is put. */
void mm_set_exe(struct mm *mm, struct file *exe, const struct vma_ops *ops);
__must_check int mm_fork(struct mm *parent, struct mm **out);	/* copy-on-write copy; -ENOMEM, -EINTR (killed) */
struct mm *mm_get(struct mm *mm);
void mm_put(struct mm *mm);					/* the last one unmaps everything: task context, sleeps, cannot fail */
void mm_zap_for_oom(struct mm *mm);				/* drops anonymous pages of a dying mm early */

/* --- Calls (mmap(2) and family); addresses and lengths as the program gave them; results and errors as the pages have them. */
struct mm_map_request {
	u64 addr, len;		/* bytes */
	u32 prot;		/* VMA_READ | VMA_WRITE | VMA_EXEC */
	u32 vma_flags;		/* VMA_SHARED, VMA_GROWSDOWN, VMA_NORESERVE, VMA_LOCKED, VMA_STACK, … and VMA_MAY_* limits for files (0: all) */
	bool is_fixed, is_noreplace, is_populate;
	bool is_low;		/* MAP_32BIT: in the first 2 GiB */
	struct mapping *mapping;
	struct file *file;	/* referenced through ops->get for each VMA made */
	const struct vma_ops *ops;
	u64 pgoff;
	const char *special;
};
__must_check int mm_map(struct mm *mm, const struct mm_map_request *rq, u64 *addr);
__must_check int mm_unmap(struct mm *mm, u64 addr, u64 len);
__must_check int mm_protect(struct mm *mm, u64 addr, u64 len, u32 prot, bool grows_down, bool grows_up);
__must_check int mm_remap(struct mm *mm, u64 old, u64 old_len, u64 new_len, u32 flags, u64 new_addr, u64 *addr);	/* flags: MREMAP_* values */
u64 mm_brk(struct mm *mm, u64 brk);				/* as the system call: the resulting break */
__must_check int mm_advise(struct mm *mm, u64 addr, u64 len, s32 advice);
__must_check int mm_sync(struct mm *mm, u64 addr, u64 len, u32 flags);
__must_check int mm_incore(struct mm *mm, u64 addr, u64 len, uaddr_t vec);
__must_check int mm_lock_range(struct mm *mm, u64 addr, u64 len, bool lock, bool on_fault);
__must_check int mm_lock_all(struct mm *mm, u32 flags);	/* MCL_*; 0 unlocks */

/* --- Faults. */
enum mm_fault_result { FAULT_OK, FAULT_MAPERR, FAULT_ACCERR, FAULT_SIGBUS, FAULT_OOM, FAULT_KILLED };
/* User-mode fault or one on behalf of the user: makes the page present or says why not. Task context, may sleep. FAULT_OOM: after two seconds without memory and
 * without anybody who could be killed for it. */
__must_check enum mm_fault_result mm_fault(struct mm *mm, u64 addr, bool is_write, bool is_exec);

/* --- Another process's memory (ptrace, /proc/PID/mem, cmdline). `force`: beyond its protections, as ptrace does. Bytes done, or -EIO/-EFAULT if none. */
__must_check ssize_t mm_access(struct mm *mm, u64 addr, void *buf, size_t len, bool is_write, bool force);

/* The page that a read at addr sees, referenced: -EFAULT, -ENOMEM, -EINTR (killed). Later changes of the memory may or may not show in it. */
__must_check int mm_get_page(struct mm *mm, u64 addr, struct page **out);

struct page *zero_page_get(void);	/* a page of zeroes, not to be written to; referenced */

/* --- For exec. Limits: struct mm_limits is given by proc (RLIMIT_STACK, AS, DATA, MEMLOCK of the current process). */
struct mm_limits {
	u64 as_bytes, data_bytes, stack_bytes, memlock_bytes;
	bool can_lock;		/* CAP_IPC_LOCK */
};

/* Calls fn for each VMA in order with mm->lock held for reading; stops when fn returns non-zero and returns that. */
__must_check int mm_each_vma(struct mm *mm, int (*fn)(const struct vma *v, void *arg), void *arg);
struct vma *mm_find_vma(struct mm *mm, u64 addr);	/* first with end > addr; mm->lock held */
/* Numbers for smaps: present pages of a VMA by kind; mm->lock held for reading. */
struct vma_usage { u64 rss, pss_bytes, shared_clean, shared_dirty, private_clean, private_dirty, referenced, anonymous; };
void mm_vma_usage(const struct vma *v, struct vma_usage *out);

/* A futex word's identity: private (mm, address) or shared (mapping, offset), referenced until put. -EFAULT. */
struct mm_key { u64 a, b; u32 off; bool is_shared; struct mapping *mapping; struct file *file; const struct vma_ops *ops; };
__must_check int mm_futex_key(struct mm *mm, u64 addr, bool is_private, bool is_write, struct mm_key *key);
void mm_futex_key_put(struct mm_key *key);

/* What /proc/sys/vm and /proc/sys/kernel show and set; plain loads and stores. */
struct mm_tunables {
	u32 overcommit_memory;		/* 0 heuristic, 1 always, 2 never: proc(5) */
	u32 overcommit_ratio;		/* percent */
	u64 overcommit_kbytes;		/* if not 0, instead of the ratio */
	u32 max_map_count;
	u32 randomize_va_space;		/* 0 … 2 */
	u64 mmap_min_addr;		/* bytes */
	u64 admin_reserve_kbytes, user_reserve_kbytes;
};
extern struct mm_tunables mm_tunables;
/* Reads the command line (norandmaps) and makes the caches. Called by alloc_init. */
void mm_init(void);

/* Charges pages to the overcommit account (shared anonymous memory, tmpfs): 0 or -ENOMEM. */
__must_check int mm_commit_charge(u64 pages);
void mm_commit_uncharge(u64 pages);


#endif
