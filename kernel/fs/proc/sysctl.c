/* SPDX-License-Identifier: MPL-2.0 */
/* /proc/sys (proc(5)): the kernel's settings, one value a file. */
#include <lib/printf.h>
#include <lib/string.h>
#include <frame/log.h>
#include "abi/process.h"
#include "fs/epoll.h"
#include "fs/fdtable.h"
#include "fs/inotify.h"
#include "fs/pipe.h"
#include "fs/proc/internal.h"
#include "mm/alloc.h"
#include "mm/page_alloc.h"
#include "object/pid_ns.h"
#include "object/random.h"
#include "object/uaccess.h"
#include "object/user_ns.h"
#include "proc/policy.h"
#include "proc/sysrq.h"
#include "proc/thread.h"
#include "proc/uts.h"


/* --- numbers */

static int parse(const char *text, size_t len, u64 *v)
{
	while (len && (text[len - 1] == '\n' || text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	while (len && (*text == ' ' || *text == '\t')) {
		text++;
		len--;
	}
	return parse_u64(text, len, 10, v) ? -EINVAL : 0;
}

static int show_number(struct proc_text *t, const struct proc_subject *s)
{
	const struct proc_number *n = s->node->number;

	pt_add(t, "%lu\n", n->is_wide ? READ_ONCE(*(u64 *)n->var) : READ_ONCE(*(u32 *)n->var));
	return 0;
}

static int write_number(const struct proc_subject *s, const char *text, size_t len)
{
	const struct proc_number *n = s->node->number;
	u64 v;
	int err = parse(text, len, &v);

	if (err || v < n->min || v > n->max)
		return -EINVAL;
	if (n->is_wide)
		WRITE_ONCE(*(u64 *)n->var, v);
	else
		WRITE_ONCE(*(u32 *)n->var, (u32)v);
	return 0;
}

static int show_text(struct proc_text *t, const struct proc_subject *s)
{
	pt_add(t, "%s\n", s->node->text);
	return 0;
}

/* --- kernel */

static int show_names(struct proc_text *t, const struct proc_subject *s)
{
	char node[UTS_LEN + 1], domain[UTS_LEN + 1];

	uts_get(&init_uts_ns, node, domain);
	pt_add(t, "%s\n", s->node->text[0] == 'h' ? node : domain);
	return 0;
}

static int write_names(const struct proc_subject *s, const char *text, size_t len)
{
	if (len && text[len - 1] == '\n')
		len--;
	len = min_t(size_t, len, UTS_LEN);
	if (s->node->text[0] == 'h')
		uts_set_nodename(&init_uts_ns, text, len);
	else
		uts_set_domainname(&init_uts_ns, text, len);
	return 0;
}

static int show_release(struct proc_text *t, const struct proc_subject *s)
{
	(void)s;
	pt_add(t, "%s\n", KEEL_RELEASE);
	return 0;
}

static int show_version(struct proc_text *t, const struct proc_subject *s)
{
	(void)s;
	pt_add(t, "%s\n", uts_version());
	return 0;
}

static int show_pid_max(struct proc_text *t, const struct proc_subject *s)
{
	(void)s;
	pt_add(t, "%d\n", pid_max_get());
	return 0;
}

static int write_pid_max(const struct proc_subject *s, const char *text, size_t len)
{
	u64 v;

	(void)s;
	return parse(text, len, &v) || v > PID_LIMIT ? -EINVAL : pid_max_set((s32)v);
}

/* At most as many as a futex word can name. */
static int show_threads_max(struct proc_text *t, const struct proc_subject *s)
{
	(void)s;
	pt_add(t, "%u\n", thread_limit());
	return 0;
}

static int write_threads_max(const struct proc_subject *s, const char *text, size_t len)
{
	u64 v;

	(void)s;
	if (parse(text, len, &v) || v < 1 || v > FUTEX_TID_MASK)
		return -EINVAL;
	thread_limit_set((u32)v);
	return 0;
}

static int show_trace(struct proc_text *t, const struct proc_subject *s)
{
	char what[64];

	(void)s;
	proc_policy_trace_get(what, sizeof(what));
	pt_add(t, "%s\n", what);
	return 0;
}

static int write_trace(const struct proc_subject *s, const char *text, size_t len)
{
	(void)s;
	(void)len;
	return proc_policy_trace_set(text);
}

static int show_printk(struct proc_text *t, const struct proc_subject *s)
{
	(void)s;
	pt_add(t, "%u\t4\t1\t7\n", log_console_level(~0u));
	return 0;
}

static int write_printk(const struct proc_subject *s, const char *text, size_t len)
{
	u64 v;

	(void)s;
	(void)len;
	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	v = (u64)(text[0] - '0');
	(void)log_console_level((u32)v);
	return 0;
}

#ifdef KEEL_DEBUG
static int show_failalloc(struct proc_text *t, const struct proc_subject *s)
{
	char words[32];

	(void)s;
	alloc_inject_get(words, sizeof(words));
	pt_add(t, "%s\n", words);
	return 0;
}

static int write_failalloc(const struct proc_subject *s, const char *text, size_t len)
{
	(void)s;
	return alloc_inject_set(text, len);
}
#endif

/* --- random */

static void add_uuid(struct proc_text *t, const u8 b[16])
{
	for (u32 i = 0; i < 16; i++)
		pt_add(t, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", b[i]);
	pt_add(t, "\n");
}

static void make_uuid(u8 b[16])
{
	random_bytes(b, 16);
	b[6] = (u8)((b[6] & 0x0f) | 0x40);	/* RFC 4122: version 4, variant 1 */
	b[8] = (u8)((b[8] & 0x3f) | 0x80);
}

static int show_uuid(struct proc_text *t, const struct proc_subject *s)
{
	u8 b[16];

	(void)s;
	make_uuid(b);
	add_uuid(t, b);
	return 0;
}

static int show_boot_id(struct proc_text *t, const struct proc_subject *s)
{
	static struct spinlock lock = SPINLOCK_INIT("boot id");
	static u8 id[16];
	static bool is_made;
	u8 copy[16];

	(void)s;
	spin_lock(&lock);
	if (!is_made)
		make_uuid(id);
	is_made = true;
	memcpy(copy, id, sizeof(copy));
	spin_unlock(&lock);
	add_uuid(t, copy);
	return 0;
}

static int show_entropy(struct proc_text *t, const struct proc_subject *s)
{
	(void)s;
	pt_add(t, "%u\n", random_entropy_bits());
	return 0;
}

/* --- vm, fs */

/* 1: the page cache, 2: names and inodes, 3: both; 4: Linux logs no more of it, and nothing is logged here. */
static int write_drop_caches(const struct proc_subject *s, const char *text, size_t len)
{
	u64 v;

	(void)s;
	if (parse(text, len, &v) || v < 1 || v > 4)
		return -EINVAL;
	mem_drop_caches(v & 1, v & 2);
	return 0;
}

static int show_file_nr(struct proc_text *t, const struct proc_subject *s)
{
	(void)s;
	pt_add(t, "%lu\t0\t%lu\n", file_count(), READ_ONCE(fs_tunables.file_max));
	return 0;
}

static int show_inode_nr(struct proc_text *t, const struct proc_subject *s)
{
	(void)s;
	pt_add(t, "%lu\t0\n", inode_count());		/* an inode that nobody uses is not kept */
	return 0;
}

static int show_inode_state(struct proc_text *t, const struct proc_subject *s)
{
	(void)s;
	pt_add(t, "%lu\t0\t0\t0\t0\t0\t0\n", inode_count());
	return 0;
}

static int show_pipe_max(struct proc_text *t, const struct proc_subject *s)
{
	(void)s;
	pt_add(t, "%u\n", READ_ONCE(pipe_limits.max_bytes));
	return 0;
}

static int write_pipe_max(const struct proc_subject *s, const char *text, size_t len)
{
	u64 v;

	(void)s;
	return parse(text, len, &v) || v > 0xffffffff ? -EINVAL : pipe_limits_set_max((u32)v);
}

/* --- the tables */

#define NUMBER(n, v, wide, lo, hi)													\
	{ .name = (n), .kind = PROC_FILE, .mode = 0644, .is_setting = true, .show = show_number, .write = write_number,			\
	  .number = &(const struct proc_number){ &(v), (wide), (lo), (hi) } }
#define CONSTANT(n, s) { .name = (n), .kind = PROC_FILE, .mode = 0444, .is_setting = true, .show = show_text, .text = (s) }
#define SHOWN(n, fn) { .name = (n), .kind = PROC_FILE, .mode = 0444, .is_setting = true, .show = (fn) }
#define SETTING(n, fn, w) { .name = (n), .kind = PROC_FILE, .mode = 0644, .is_setting = true, .show = (fn), .write = (w) }
#define DIRECTORY(n, c) { .name = (n), .kind = PROC_DIR, .mode = 0555, .children = (c), .n_children = ARRAY_SIZE(c) }

static const struct proc_node random_files[] = {
	SHOWN("boot_id", show_boot_id), SHOWN("entropy_avail", show_entropy), CONSTANT("poolsize", "256"), SHOWN("uuid", show_uuid),
};

static const struct proc_node kernel_files[] = {
	CONSTANT("cap_last_cap", "40"), CONSTANT("dmesg_restrict", "1"),
	{ .name = "domainname", .kind = PROC_FILE, .mode = 0644, .is_setting = true, .show = show_names, .write = write_names, .text = "domain" },
	{ .name = "hostname", .kind = PROC_FILE, .mode = 0644, .is_setting = true, .show = show_names, .write = write_names, .text = "host" },
#ifdef KEEL_DEBUG
	SETTING("keel_failalloc", show_failalloc, write_failalloc),
#endif
	SETTING("keel_trace", show_trace, write_trace), CONSTANT("ngroups_max", "65536"), SHOWN("osrelease", show_release), CONSTANT("ostype", "Linux"),
	CONSTANT("overflowgid", "65534"), CONSTANT("overflowuid", "65534"), SETTING("pid_max", show_pid_max, write_pid_max),
	SETTING("printk", show_printk, write_printk), DIRECTORY("random", random_files),
	CONSTANT("sched_rr_timeslice_ms", "100"), CONSTANT("sched_rt_period_us", "1000000"), CONSTANT("sched_rt_runtime_us", "950000"),
	NUMBER("sysrq", sysrq_allowed, false, 0, 0x7fffffff), SETTING("threads-max", show_threads_max, write_threads_max), NUMBER("randomize_va_space", mm_tunables.randomize_va_space, false, 0, 2), SHOWN("version", show_version),
};

static const struct proc_node vm_files[] = {
	NUMBER("admin_reserve_kbytes", mm_tunables.admin_reserve_kbytes, true, 0, ~0ull >> 1),
	{ .name = "drop_caches", .kind = PROC_FILE, .mode = 0200, .is_setting = true, .write = write_drop_caches },
	NUMBER("max_map_count", mm_tunables.max_map_count, false, 0, 0x7fffffff), NUMBER("mmap_min_addr", mm_tunables.mmap_min_addr, true, 0, ~0ull >> 1),
	NUMBER("overcommit_kbytes", mm_tunables.overcommit_kbytes, true, 0, ~0ull >> 1), NUMBER("overcommit_memory", mm_tunables.overcommit_memory, false, 0, 2),
	NUMBER("overcommit_ratio", mm_tunables.overcommit_ratio, false, 0, 0x7fffffff),
	NUMBER("user_reserve_kbytes", mm_tunables.user_reserve_kbytes, true, 0, ~0ull >> 1),
};

static const struct proc_node inotify_files[] = {
	NUMBER("max_queued_events", inotify_limits.max_queued_events, false, 0, 0x7fffffff),
	NUMBER("max_user_instances", inotify_limits.max_user_instances, false, 0, 0x7fffffff),
	NUMBER("max_user_watches", inotify_limits.max_user_watches, false, 0, 0x7fffffff),
};

static const struct proc_node epoll_files[] = {
	NUMBER("max_user_watches", epoll_limits.max_user_watches, true, 0, ~0ull >> 1),
};

static const struct proc_node fs_files[] = {
	DIRECTORY("epoll", epoll_files), NUMBER("file-max", fs_tunables.file_max, true, 0, ~0ull >> 1), SHOWN("file-nr", show_file_nr),
	DIRECTORY("inotify", inotify_files), SHOWN("inode-nr", show_inode_nr), SHOWN("inode-state", show_inode_state), NUMBER("lease-break-time", fs_tunables.lease_break_time, false, 0, 0x7fffffff),
	NUMBER("leases-enable", fs_tunables.leases_enable, false, 0, 1), NUMBER("nr_open", fs_tunables.nr_open, false, 64, 0x7fffffc0), CONSTANT("overflowgid", "65534"), CONSTANT("overflowuid", "65534"),
	SETTING("pipe-max-size", show_pipe_max, write_pipe_max),
	NUMBER("pipe-user-pages-hard", pipe_limits.user_pages_hard, false, 0, 0x7fffffff),
	NUMBER("pipe-user-pages-soft", pipe_limits.user_pages_soft, false, 0, 0x7fffffff),
	NUMBER("protected_fifos", fs_tunables.protected_fifos, false, 0, 2), NUMBER("protected_hardlinks", fs_tunables.protected_hardlinks, false, 0, 1),
	NUMBER("protected_regular", fs_tunables.protected_regular, false, 0, 2), NUMBER("protected_symlinks", fs_tunables.protected_symlinks, false, 0, 1),
};

const struct proc_node proc_sys_children[PROC_SYS_CHILDREN] = {
	DIRECTORY("fs", fs_files),
	DIRECTORY("kernel", kernel_files),
	DIRECTORY("vm", vm_files),
};
