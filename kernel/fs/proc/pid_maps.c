/* SPDX-License-Identifier: MPL-2.0 */
/* /proc/PID/maps, smaps, smaps_rollup (proc(5)). */
#include <lib/printf.h>
#include <lib/string.h>
#include "fs/proc/internal.h"
#include "mm/alloc.h"

#define KB(pages) ((pages) * (PAGE_SIZE / 1024))
#define NAME_COLUMN 73

struct walk {
	struct proc_text *t;
	const struct mm *mm;
	char *name;			/* FS_PATH_MAX bytes of scratch */
	struct vma_usage sum;
	u64 first, last;		/* rollup's range */
};

static const char *special_name(const struct vma *v, const struct mm *mm)
{
	if (v->special)
		return v->special;
	if (v->file || !mm)
		return NULL;
	if (v->start <= mm->brk && v->end >= mm->start_brk && mm->brk > mm->start_brk)
		return "[heap]";
	if (v->start <= mm->start_stack && v->end >= mm->start_stack)
		return "[stack]";
	return NULL;
}

static void add_name(struct walk *w, const struct vma *v, size_t line_start)
{
	const char *name = special_name(v, w->mm);
	ssize_t n = 0;

	if (!name && v->file && v->ops->name) {
		n = v->ops->name(v->file, w->name, FS_PATH_MAX - 1);
		if (n > 0) {
			w->name[n] = 0;
			name = w->name;
		}
	}
	if (name) {
		while (w->t->len - line_start < NAME_COLUMN && !w->t->has_failed)
			pt_add(w->t, " ");
		pt_escaped(w->t, name, "\n");
	}
	pt_add(w->t, "\n");
}

static int add_map(const struct vma *v, void *arg)
{
	struct walk *w = arg;
	size_t line_start = w->t->len;
	u32 major = 0, minor = 0;
	u64 ino = 0;

	if (v->file && v->ops->ids)
		v->ops->ids(v->file, &major, &minor, &ino);
	pt_add(w->t, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", v->start, v->end, v->flags & VMA_READ ? 'r' : '-', v->flags & VMA_WRITE ? 'w' : '-',
	       v->flags & VMA_EXEC ? 'x' : '-', v->flags & VMA_SHARED ? 's' : 'p', v->file ? v->pgoff << PAGE_SHIFT : 0, major, minor, ino);
	add_name(w, v, line_start);
	return 0;
}

static void add_usage(struct proc_text *t, const struct vma_usage *u)
{
	pt_add(t, "Rss:            %8lu kB\nPss:            %8lu kB\nShared_Clean:   %8lu kB\nShared_Dirty:   %8lu kB\nPrivate_Clean:  %8lu kB\nPrivate_Dirty:  %8lu kB\n",
	       KB(u->rss), u->pss_bytes / 1024, KB(u->shared_clean), KB(u->shared_dirty), KB(u->private_clean), KB(u->private_dirty));
	pt_add(t, "Referenced:     %8lu kB\nAnonymous:      %8lu kB\nSwap:           %8lu kB\n", KB(u->referenced), KB(u->anonymous), 0ul);
}

/* Two letters a flag, in proc(5)'s order. An area to be left alone is of page frames rather than pages ("pf"); the vDSO does not expand ("de"). */
static const struct {
	u32 flag;
	const char *name;
} flag_names[] = {
	{ VMA_READ, "rd" }, { VMA_WRITE, "wr" }, { VMA_EXEC, "ex" }, { VMA_SHARED, "sh" }, { VMA_MAY_READ, "mr" }, { VMA_MAY_WRITE, "mw" },
	{ VMA_MAY_EXEC, "me" }, { VMA_GROWSDOWN, "gd" }, { VMA_IO, "pf" }, { VMA_LOCKED, "lo" }, { VMA_IO, "io" }, { VMA_SEQ_READ, "sr" },
	{ VMA_RAND_READ, "rr" }, { VMA_DONTFORK, "dc" }, { VMA_VDSO, "de" }, { VMA_ACCOUNT, "ac" }, { VMA_NORESERVE, "nr" }, { VMA_WIPEONFORK, "wf" },
	{ VMA_DONTDUMP, "dd" }, { VMA_HUGE, "hg" }, { VMA_NOHUGE, "nh" },
};

static int add_smap(const struct vma *v, void *arg)
{
	struct walk *w = arg;
	struct vma_usage u;

	add_map(v, w);
	mm_vma_usage(v, &u);
	pt_add(w->t, "Size:           %8lu kB\nKernelPageSize: %8lu kB\nMMUPageSize:    %8lu kB\n", (v->end - v->start) / 1024, PAGE_SIZE / 1024, PAGE_SIZE / 1024);
	add_usage(w->t, &u);
	pt_add(w->t, "VmFlags:");
	for (u32 i = 0; i < ARRAY_SIZE(flag_names); i++)
		if (v->flags & flag_names[i].flag)
			pt_add(w->t, " %s", flag_names[i].name);
	pt_add(w->t, "\n");
	return 0;
}

static int sum_up(const struct vma *v, void *arg)
{
	struct walk *w = arg;
	struct vma_usage u;

	mm_vma_usage(v, &u);
	w->first = w->first ? w->first : v->start;
	w->last = v->end;
	w->sum.rss += u.rss;
	w->sum.pss_bytes += u.pss_bytes;
	w->sum.shared_clean += u.shared_clean;
	w->sum.shared_dirty += u.shared_dirty;
	w->sum.private_clean += u.private_clean;
	w->sum.private_dirty += u.private_dirty;
	w->sum.referenced += u.referenced;
	w->sum.anonymous += u.anonymous;
	return 0;
}

static int walk_vmas(struct proc_text *t, const struct proc_subject *s, int (*fn)(const struct vma *v, void *arg), struct walk *w)
{
	struct mm *mm = proc_mm(s);
	int err;

	*w = (struct walk){ .t = t, .mm = mm };
	if (!mm)
		return 0;
	w->name = kmalloc(FS_PATH_MAX, ALLOC_SLEEP | ALLOC_USER);
	err = w->name ? mm_each_vma(mm, fn, w) : -ENOMEM;
	kfree(w->name);
	mm_put(mm);
	return err;
}

int proc_show_maps(struct proc_text *t, const struct proc_subject *s)
{
	struct walk w;

	return walk_vmas(t, s, add_map, &w);
}

int proc_show_smaps(struct proc_text *t, const struct proc_subject *s)
{
	struct walk w;

	return walk_vmas(t, s, add_smap, &w);
}

int proc_show_smaps_rollup(struct proc_text *t, const struct proc_subject *s)
{
	struct walk w;
	int err = walk_vmas(t, s, sum_up, &w);

	if (err || !w.mm)
		return err;
	pt_add(t, "%08lx-%08lx ---p 00000000 00:00 0 %*s[rollup]\n", w.first, w.last, 23, "");
	add_usage(t, &w.sum);
	return 0;
}
