/* SPDX-License-Identifier: MPL-2.0 */
/* /proc/PID: the table of its files, and those that need few lines (proc(5)). */
#include <lib/printf.h>
#include <lib/string.h>
#include "abi/process.h"
#include "fs/fdtable.h"
#include "fs/proc/internal.h"
#include "mm/alloc.h"
#include "object/user_ns.h"
#include "proc/inspect.h"
#include "proc/oom.h"
#include "proc/posix_timers.h"

/* --- memory as text */

static int copy_memory(struct proc_text *t, struct mm *mm, u64 start, u64 end)
{
	char *buf = kmalloc(PAGE_SIZE, ALLOC_SLEEP | ALLOC_USER);

	if (!buf)
		return -ENOMEM;
	while (start < end) {
		ssize_t n = mm_access(mm, start, buf, min(end - start, PAGE_SIZE), false, true);

		if (n <= 0)
			break;
		pt_bytes(t, buf, (size_t)n);
		start += (u64)n;
	}
	kfree(buf);
	return 0;
}

static int show_cmdline(struct proc_text *t, const struct proc_subject *s)
{
	struct mm *mm = proc_mm(s);
	int err = mm ? copy_memory(t, mm, mm->arg_start, mm->arg_end) : 0;

	if (mm)
		mm_put(mm);
	return err;
}

static int show_environ(struct proc_text *t, const struct proc_subject *s)
{
	struct mm *mm = proc_mm(s);
	int err = mm ? copy_memory(t, mm, mm->env_start, mm->env_end) : 0;

	if (mm)
		mm_put(mm);
	return err;
}

static int show_auxv(struct proc_text *t, const struct proc_subject *s)
{
	struct mm *mm = proc_mm(s);

	if (!mm)
		return 0;
	pt_bytes(t, (const char *)mm->auxv, mm->n_auxv * sizeof(mm->auxv[0]));
	mm_put(mm);
	return 0;
}

/* --- names and settings */

static int show_comm(struct proc_text *t, const struct proc_subject *s)
{
	pt_add(t, "%s\n", s->thread->sched.comm);
	return 0;
}

static int write_comm(const struct proc_subject *s, const char *text, size_t len)
{
	char *comm = s->thread->sched.comm;
	size_t n = min(len, sizeof(s->thread->sched.comm) - 1);

	if (s->thread->process != current_process())
		return -EINVAL;
	if (n && text[n - 1] == '\n')
		n--;
	memcpy(comm, text, n);
	memset(comm + n, 0, sizeof(s->thread->sched.comm) - n);
	return 0;
}

static int show_personality(struct proc_text *t, const struct proc_subject *s)
{
	pt_add(t, "%08x\n", s->thread->process->personality);
	return 0;
}

static int show_oom_score(struct proc_text *t, const struct proc_subject *s)
{
	pt_add(t, "%lu\n", oom_score(s->thread->process));
	return 0;
}

static int show_oom_score_adj(struct proc_text *t, const struct proc_subject *s)
{
	pt_add(t, "%d\n", READ_ONCE(s->thread->process->oom_score_adj));
	return 0;
}

static int write_oom_score_adj(const struct proc_subject *s, const char *text, size_t len)
{
	bool is_negative = len && text[0] == '-';
	struct process *p = s->thread->process;
	u64 v;
	s32 adj;

	if (len && text[len - 1] == '\n')
		len--;
	if (parse_u64(text + is_negative, len - is_negative, 10, &v) || v > 1000)
		return -EINVAL;
	adj = is_negative ? -(s32)v : (s32)v;
	if (adj < p->oom_score_adj_min && !capable(&init_user_ns, CAP_SYS_RESOURCE))
		return -EACCES;
	WRITE_ONCE(p->oom_score_adj, adj);
	if (capable(&init_user_ns, CAP_SYS_RESOURCE))
		p->oom_score_adj_min = adj;
	return 0;
}

static void add_limit(struct proc_text *t, u64 v)
{
	if (v == RLIM_UNLIMITED)
		pt_add(t, "%-20s ", "unlimited");
	else
		pt_add(t, "%-20lu ", v);
}

static int show_limits(struct proc_text *t, const struct proc_subject *s)
{
	static const struct {
		const char *name, *unit;
	} names[RLIMIT_COUNT] = {
		{ "Max cpu time", "seconds" }, { "Max file size", "bytes" }, { "Max data size", "bytes" }, { "Max stack size", "bytes" },
		{ "Max core file size", "bytes" }, { "Max resident set", "bytes" }, { "Max processes", "processes" }, { "Max open files", "files" },
		{ "Max locked memory", "bytes" }, { "Max address space", "bytes" }, { "Max file locks", "locks" }, { "Max pending signals", "signals" },
		{ "Max msgqueue size", "bytes" }, { "Max nice priority", "" }, { "Max realtime priority", "" }, { "Max realtime timeout", "us" },
	};
	struct rlimit_k copy[RLIMIT_COUNT];

	spin_lock_soft(&s->thread->process->lock);
	memcpy(copy, s->thread->process->limits, sizeof(copy));
	spin_unlock_soft(&s->thread->process->lock);
	pt_add(t, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (u32 i = 0; i < RLIMIT_COUNT; i++) {
		pt_add(t, "%-25s ", names[i].name);
		add_limit(t, copy[i].soft);
		add_limit(t, copy[i].hard);
		pt_add(t, "%-10s\n", names[i].unit);
	}
	return 0;
}

static int show_io(struct proc_text *t, const struct proc_subject *s)
{
	const struct thread *th = s->thread;

	pt_add(t, "rchar: %lu\nwchar: %lu\nsyscr: %lu\nsyscw: %lu\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n", th->io_rchar, th->io_wchar, th->io_syscr,
	       th->io_syscw);
	return 0;
}

static int show_timers(struct proc_text *t, const struct proc_subject *s)
{
	static const char *const kinds[] = { [0] = "signal", [1] = "none", [2] = "thread" };	/* SIGEV_* */
	struct posix_timer_info i;

	for (s32 id = 0; posix_timer_next(s->thread->process, id, &i); id = i.id + 1) {
		bool is_thread = (i.event.notify & 4) != 0;

		pt_add(t, "ID: %d\nsignal: %d/%016lx\nnotify: %s/%s.%d\nClockID: %d\n", i.id, i.event.signo, i.event.value, kinds[i.event.notify & 3],
		       is_thread ? "tid" : "pid", i.event.tid, i.clock);
		if (i.id == S32_MAX)
			break;
	}
	return 0;
}

static int show_cgroup(struct proc_text *t, const struct proc_subject *s)
{
	(void)s;
	pt_add(t, "0::/\n");
	return 0;
}

static int show_id_map(struct proc_text *t, const struct proc_subject *s)
{
	(void)s;
	pt_add(t, "%10u %10u %10u\n", 0u, 0u, ~0u);
	return 0;
}

/* --- links */

static int follow_cwd(const struct proc_subject *s, struct path *out)
{
	struct fsctx *fs = thread_fs_get(s->thread);

	if (!fs)
		return -ENOENT;
	fsctx_cwd_of(fs, out);
	fsctx_put(fs);
	return 0;
}

static int follow_root(const struct proc_subject *s, struct path *out)
{
	struct fsctx *fs = thread_fs_get(s->thread);

	if (!fs)
		return -ENOENT;
	fsctx_root_of(fs, out);
	fsctx_put(fs);
	return 0;
}

static int follow_exe(const struct proc_subject *s, struct path *out)
{
	struct mm *mm = proc_mm(s);
	int err = -ENOENT;

	if (!mm)
		return err;
	rwsem_read_lock(&mm->lock);
	if (mm->exe) {
		*out = mm->exe->path;
		path_get(out);
		err = 0;
	}
	rwsem_read_unlock(&mm->lock);
	mm_put(mm);
	return err;
}

static ssize_t link_text(const struct proc_subject *s, char *buf, size_t max)
{
	struct path p;
	int err = s->node->follow(s, &p);

	return err ? err : proc_path_link(&p, buf, max);
}

/* --- the table */

#define PID_FILE(n, m, fn) { .name = (n), .kind = PROC_FILE, .mode = (m), .show = (fn) }
#define PID_MOUNTS(n, fn) { .name = (n), .kind = PROC_MOUNTS, .mode = 0444, .show = (fn) }
#define PID_SECRET(n, m, fn) { .name = (n), .kind = PROC_FILE, .mode = (m), .show = (fn), .needs_ptrace = true }
#define PID_SETTING(n, m, fn, w) { .name = (n), .kind = PROC_FILE, .mode = (m), .show = (fn), .write = (w) }
#define PID_LINK(n, fn) { .name = (n), .kind = PROC_LINK, .readlink = link_text, .follow = (fn), .needs_ptrace = true }

static const struct proc_node pid_files[] = {
	PID_SECRET("auxv", 0400, show_auxv), PID_FILE("cgroup", 0444, show_cgroup), PID_FILE("cmdline", 0444, show_cmdline),
	PID_SETTING("comm", 0644, show_comm, write_comm), PID_LINK("cwd", follow_cwd), PID_SECRET("environ", 0400, show_environ), PID_LINK("exe", follow_exe),
	{ .name = "fd", .kind = PROC_BY_FD, .mode = 0500, .needs_ptrace = true }, { .name = "fdinfo", .kind = PROC_BY_FDINFO, .mode = 0555, .needs_ptrace = true },
	PID_FILE("gid_map", 0644, show_id_map), PID_SECRET("io", 0400, show_io), PID_FILE("limits", 0444, show_limits), PID_SECRET("maps", 0444, proc_show_maps),
	{ .name = "mem", .kind = PROC_MEM, .mode = 0600, .needs_ptrace = true }, PID_MOUNTS("mountinfo", proc_show_mountinfo),
	PID_MOUNTS("mounts", proc_show_mounts), PID_FILE("oom_score", 0444, show_oom_score),
	PID_SETTING("oom_score_adj", 0644, show_oom_score_adj, write_oom_score_adj), PID_SECRET("personality", 0400, show_personality), PID_LINK("root", follow_root),
	PID_SECRET("smaps", 0444, proc_show_smaps), PID_SECRET("smaps_rollup", 0444, proc_show_smaps_rollup), PID_FILE("stack", 0400, proc_show_stack),
	PID_FILE("stat", 0444, proc_show_stat), PID_FILE("statm", 0444, proc_show_statm), PID_FILE("status", 0444, proc_show_status),
	PID_FILE("syscall", 0400, proc_show_syscall), { .name = "task", .kind = PROC_BY_TID, .mode = 0555, .is_process_only = true },
	{ .name = "timers", .kind = PROC_FILE, .mode = 0444, .show = show_timers, .is_process_only = true }, PID_FILE("uid_map", 0644, show_id_map), PID_FILE("wchan", 0444, proc_show_wchan),
};

const struct proc_node proc_pid_node = { .name = "pid", .kind = PROC_DIR, .mode = 0555, .children = pid_files, .n_children = ARRAY_SIZE(pid_files) };
const struct proc_node proc_task_node = { .name = "task", .kind = PROC_DIR, .mode = 0555, .children = pid_files, .n_children = ARRAY_SIZE(pid_files) };
