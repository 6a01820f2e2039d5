/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Address spaces: their life and their layout.
 *
 *	mmap_min_addr ……… program, brk ↑ ……… (free) ……… ↓ mmap_base ……… gap for the stack ……… stack ↓ USPACE_END
 *
 * An address space is a tree of VMAs (mm/vma.c) and page tables (the frame's struct uspace) that are a cache of what faults worked out from it: any entry
 * may be dropped if the page can be found again: from the mapping, or, for an anonymous page, never (there is no swap), so those stay.
 *
 * The calls: map.c, unmap.c, protect.c, remap.c, brk.c, advise.c, lock.c, sync.c; faults: fault.c, fault_file.c; copies: fork.c; looking in: access.c.
 * Each call checks everything first and then does it; a call that fails half-way leaves what Linux leaves (mprotect of several VMAs: the first ones done).
 *
 * Locking: mm->lock for reading by faults and look-ups, for writing by all that changes the tree; then mapping->invalidate, vmas_lock, family, cursor.
 * Two address spaces are locked together only by fork: the parent first.
 */
#include <lib/cmdline.h>
#include <lib/list.h>
#include <lib/string.h>
#include <frame/boot.h>
#include <frame/log.h>
#include "object/random.h"
#include "mm/internal.h"
#include "mm/page_lock.h"
#include "mm/policy.h"

static struct slab_cache *mm_cache;
struct page *zero_page;

void mm_init(void)
{
	const char *line = boot_cmdline();
	struct cmdline_word word;

	mm_cache = slab_create("mm", sizeof(struct mm), 0, 0, NULL);
	vma_caches_init();
	mapping_init_caches();
	page_lock_init();
	zero_page = page_alloc(0, FRAME_UNTYPED, ALLOC_ZERO);
	if (!zero_page)
		panic("no memory for the zero page");
	if (!cmdline_find(line, strlen(line), "norandmaps", &word))
		mm_tunables.randomize_va_space = 0;
}

struct page *zero_page_get(void)
{
	page_get(zero_page);
	return zero_page;
}

/* The stack may grow into the gap below USPACE_END: RLIMIT_STACK of it, but at least 128 MiB and at most five sixths of everything. */
void mm_layout(struct mm *mm, u64 stack_limit_bytes, bool is_random)
{
	const u64 stack_random = 16ul << 30, mmap_random_pages = 1ul << 28;
	u64 gap = clamp(stack_limit_bytes, 128ul << 20, USPACE_END / 6 * 5);

	gap += STACK_GUARD_GAP + (is_random ? stack_random : 0);
	gap = min(gap, USPACE_END / 6 * 5);
	mm->mmap_base = ALIGN_DOWN(USPACE_END - gap, PAGE_SIZE);
	mm->mmap_legacy = ALIGN_DOWN(USPACE_END / 3, PAGE_SIZE);
	if (is_random)
		mm->mmap_base -= random_below(mmap_random_pages) << PAGE_SHIFT;
}

static struct mm *mm_alloc(void)
{
	struct mm *mm = slab_alloc(mm_cache, ALLOC_SLEEP | ALLOC_ZERO);

	if (!mm)
		return NULL;
	if (uspace_init(&mm->us)) {
		slab_free(mm_cache, mm);
		return NULL;
	}
	ref_init(&mm->users);
	rwsem_init(&mm->lock, "mm");
	spin_init(&mm->family_lock, "mm family");
	list_init(&mm->dead);
	mm->dumpable = true;
	return mm;
}

int mm_create(struct mm **out)
{
	struct mm_limits lim;
	struct mm *mm = mm_alloc();

	if (!mm)
		return -ENOMEM;
	mm_policy_limits(&lim);
	mm_layout(mm, lim.stack_bytes, READ_ONCE(mm_tunables.randomize_va_space) != 0);
	*out = mm;
	return 0;
}

/* What a child inherits besides its VMAs. */
int mm_create_like(const struct mm *parent, struct mm **out)
{
	struct mm *mm = mm_alloc();

	if (!mm)
		return -ENOMEM;
	mm->mmap_base = parent->mmap_base;
	mm->mmap_legacy = parent->mmap_legacy;
	mm->start_code = parent->start_code;
	mm->end_code = parent->end_code;
	mm->start_data = parent->start_data;
	mm->end_data = parent->end_data;
	mm->start_brk = parent->start_brk;
	mm->brk = parent->brk;
	mm->start_stack = parent->start_stack;
	mm->arg_start = parent->arg_start;
	mm->arg_end = parent->arg_end;
	mm->env_start = parent->env_start;
	mm->env_end = parent->env_end;
	memcpy(mm->auxv, parent->auxv, sizeof(mm->auxv));
	mm->n_auxv = parent->n_auxv;
	mm->dumpable = parent->dumpable;
	mm->membarrier = READ_ONCE(parent->membarrier);
	if (parent->exe) {
		parent->exe_ops->get(parent->exe);
		mm->exe = parent->exe;
		mm->exe_ops = parent->exe_ops;
	}
	*out = mm;
	return 0;
}

struct mm *mm_get(struct mm *mm)
{
	ref_get(&mm->users);
	return mm;
}

void mm_set_exe(struct mm *mm, struct file *exe, const struct vma_ops *ops)
{
	struct file *old;
	const struct vma_ops *old_ops;

	rwsem_write_lock(&mm->lock);
	old = mm->exe;
	old_ops = mm->exe_ops;
	mm->exe = exe;
	mm->exe_ops = ops;
	rwsem_write_unlock(&mm->lock);
	if (old)
		old_ops->put(old);
}

/* VMAs that lie close together are done in one walk; what lies between them has no entries, but to find that out costs more than to skip it. */
static void zap_all(struct mm *mm)
{
	const u64 close = 16 * PAGE_SIZE;
	u64 start = 0, end = 0;
	struct vma *v;

	rb_for_each_entry(v, &mm->vmas, node) {
		if (v->start > end + close) {
			mm_zap_range(mm, start, end);
			start = v->start;
		}
		end = v->end;
	}
	mm_zap_range(mm, start, end);
}

/* Nobody else sees the address space any more but file truncation, through the mappings' interval trees; it is out of those first. */
static void mm_destroy(struct mm *mm)
{
	struct rb_node *tmp;
	struct vma *v;

	rb_for_each_entry(v, &mm->vmas, node) {
		if (v->mapping) {
			mutex_lock(&v->mapping->vmas_lock);
			mapping_vma_unlink(v);
			mutex_unlock(&v->mapping->vmas_lock);
		}
	}
	zap_all(mm);
	rb_for_each_entry_postorder_safe(v, tmp, &mm->vmas, node) {
		vma_bury(v);
		list_del(&v->family_node);
		vma_free(v);
	}
	uspace_fini(&mm->us);
	if (mm->committed_pages)
		mm_commit_uncharge(mm->committed_pages);
	if (mm->exe)
		mm->exe_ops->put(mm->exe);
	slab_free(mm_cache, mm);
}

void mm_put(struct mm *mm)
{
	if (mm && ref_put(&mm->users))
		mm_destroy(mm);
}
