/* SPDX-License-Identifier: MPL-2.0 */
/* /proc's files about the system (proc(5)): every number is read from live state at the time of the read. */
#include <lib/printf.h>
#include <lib/string.h>
#include <frame/boot.h>
#include <frame/clock.h>
#include <frame/irq.h>
#include <frame/machine.h>
#include "fs/chrdev.h"
#include "fs/proc/internal.h"
#include "mm/alloc.h"
#include "object/pid_ns.h"
#include "object/random.h"
#include "proc/sysrq.h"
#include "proc/uts.h"
#include "sched/sched.h"
#include "time/wall.h"

#define LOAD_FRACTION_BITS 11

static int show_version(struct proc_text *t, const struct proc_subject *s)
{
	(void)s;
	pt_add(t, "Linux version %s (keel@keel) (cc) %s\n", KEEL_RELEASE, uts_version());
	return 0;
}

static int show_cmdline(struct proc_text *t, const struct proc_subject *s)
{
	(void)s;
	pt_add(t, "%s\n", boot_cmdline());
	return 0;
}

static int show_uptime(struct proc_text *t, const struct proc_subject *s)
{
	u64 up = clock_now_ns() / 10000000, idle = 0;

	(void)s;
	for (u32 cpu = 0; cpu < cpu_count(); cpu++) {
		struct sched_cpu_stat st;

		sched_cpu_stat(cpu, &st);
		idle += st.idle_ns + st.iowait_ns;
	}
	idle /= 10000000;
	pt_add(t, "%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
	return 0;
}

static void add_load(struct proc_text *t, u64 v)
{
	v += (1u << LOAD_FRACTION_BITS) / 200;
	pt_add(t, "%lu.%02lu ", v >> LOAD_FRACTION_BITS, ((v & ((1u << LOAD_FRACTION_BITS) - 1)) * 100) >> LOAD_FRACTION_BITS);
}

static int show_loadavg(struct proc_text *t, const struct proc_subject *s)
{
	u64 avg[3];

	(void)s;
	sched_loadavg(avg);
	for (u32 i = 0; i < 3; i++)
		add_load(t, avg[i]);
	pt_add(t, "%u/%u %d\n", sched_nr_running(), proc_count(), pid_last(&init_pid_ns));
	return 0;
}

static void add_kb(struct proc_text *t, const char *name, u64 pages)
{
	pt_add(t, "%-16s%8lu kB\n", name, pages * (PAGE_SIZE / 1024));
}

static int show_meminfo(struct proc_text *t, const struct proc_subject *s)
{
	struct mem_stat m;

	(void)s;
	mem_stat(&m);
	add_kb(t, "MemTotal:", m.total);
	add_kb(t, "MemFree:", m.free);
	add_kb(t, "MemAvailable:", m.available);
	add_kb(t, "Buffers:", m.buffers);
	add_kb(t, "Cached:", m.cached);
	add_kb(t, "SwapCached:", 0);
	add_kb(t, "Active:", m.active_anon + m.active_file);
	add_kb(t, "Inactive:", m.inactive_anon + m.inactive_file);
	add_kb(t, "Active(anon):", m.active_anon);
	add_kb(t, "Inactive(anon):", m.inactive_anon);
	add_kb(t, "Active(file):", m.active_file);
	add_kb(t, "Inactive(file):", m.inactive_file);
	add_kb(t, "Unevictable:", m.unevictable);
	add_kb(t, "Mlocked:", m.mlocked);
	add_kb(t, "SwapTotal:", 0);
	add_kb(t, "SwapFree:", 0);
	add_kb(t, "Dirty:", m.dirty);
	add_kb(t, "Writeback:", m.writeback);
	add_kb(t, "AnonPages:", m.anon);
	add_kb(t, "Mapped:", m.mapped);
	add_kb(t, "Shmem:", m.shmem);
	add_kb(t, "KReclaimable:", m.slab_reclaimable);
	add_kb(t, "Slab:", m.slab_reclaimable + m.slab_unreclaimable);
	add_kb(t, "SReclaimable:", m.slab_reclaimable);
	add_kb(t, "SUnreclaim:", m.slab_unreclaimable);
	add_kb(t, "KernelStack:", m.kernel_stack);
	add_kb(t, "PageTables:", m.page_tables);
	add_kb(t, "CommitLimit:", m.commit_limit);
	add_kb(t, "Committed_AS:", m.committed);
	return 0;
}

static void add_cpu_line(struct proc_text *t, const char *name, const struct sched_cpu_stat *c)
{
	pt_add(t, "%s %lu %lu %lu %lu %lu %lu %lu 0 0 0\n", name, c->user_ns / NS_PER_TICK, c->nice_ns / NS_PER_TICK, c->system_ns / NS_PER_TICK,
	       c->idle_ns / NS_PER_TICK, c->iowait_ns / NS_PER_TICK, c->irq_ns / NS_PER_TICK, c->soft_ns / NS_PER_TICK);
}

static u64 irq_total(u32 line)
{
	const char *name;
	u64 n = 0, count;

	for (u32 cpu = 0; cpu < cpu_count(); cpu++)
		if (irq_stat(line, cpu, &count, &name))
			n += count;
	return n;
}

static bool irq_exists(u32 line)
{
	const char *name;
	u64 count;

	return irq_stat(line, 0, &count, &name);
}

static int show_stat(struct proc_text *t, const struct proc_subject *s)
{
	struct sched_cpu_stat sum = { 0 }, c;
	u64 interrupts = 0;
	char name[12];

	(void)s;
	for (u32 cpu = 0; cpu < cpu_count(); cpu++) {
		sched_cpu_stat(cpu, &c);
		sum.user_ns += c.user_ns;
		sum.nice_ns += c.nice_ns;
		sum.system_ns += c.system_ns;
		sum.idle_ns += c.idle_ns;
		sum.iowait_ns += c.iowait_ns;
		sum.irq_ns += c.irq_ns;
		sum.soft_ns += c.soft_ns;
		sum.n_switches += c.n_switches;
	}
	add_cpu_line(t, "cpu ", &sum);
	for (u32 cpu = 0; cpu < cpu_count(); cpu++) {
		sched_cpu_stat(cpu, &c);
		scnprintf(name, sizeof(name), "cpu%u", cpu);
		add_cpu_line(t, name, &c);
	}
	for (u32 line = 0; irq_exists(line); line++)
		interrupts += irq_total(line);
	pt_add(t, "intr %lu", interrupts);
	for (u32 line = 0; irq_exists(line); line++)
		pt_add(t, " %lu", irq_total(line));
	pt_add(t, "\nctxt %lu\nbtime %ld\nprocesses %lu\nprocs_running %u\nprocs_blocked %u\n", sum.n_switches, wall_boot_ns() / (s64)NSEC_PER_SEC, sched_forks(),
	       sched_nr_running(), sched_nr_blocked());
	return 0;
}

static int show_interrupts(struct proc_text *t, const struct proc_subject *s)
{
	const char *name;
	u64 count;

	(void)s;
	pt_add(t, "    ");
	for (u32 cpu = 0; cpu < cpu_count(); cpu++)
		pt_add(t, "       CPU%u", cpu);
	pt_add(t, "\n");
	for (u32 line = 0; irq_stat(line, 0, &count, &name); line++) {
		if (!name)
			continue;
		pt_add(t, "%3u:", line);
		for (u32 cpu = 0; cpu < cpu_count() && irq_stat(line, cpu, &count, &name); cpu++)
			pt_add(t, " %10lu", count);
		pt_add(t, "  IO-APIC  %s\n", name);
	}
	return 0;
}

static int show_cpuinfo(struct proc_text *t, const struct proc_subject *s)
{
	struct machine_cpu_info *c = kmalloc(sizeof(*c), ALLOC_SLEEP);

	(void)s;
	if (!c)
		return -ENOMEM;
	for (u32 cpu = 0; cpu < cpu_count(); cpu++) {
		machine_cpu_info(cpu, c);
		pt_add(t, "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n", cpu, c->vendor, c->family, c->model,
		       c->model_name, c->stepping);
		pt_add(t, "cpu MHz\t\t: %lu.%03lu\nphysical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\nfpu\t\t: yes\nflags\t\t: %s\n",
		       c->mhz_times_1000 / 1000, c->mhz_times_1000 % 1000, cpu_count(), cpu, cpu_count(), c->flags);
		pt_add(t, "clflush size\t: %u\ncache_alignment\t: %u\naddress sizes\t: %u bits physical, %u bits virtual\n\n", c->cache_line_bytes, c->cache_line_bytes,
		       c->phys_bits, c->virt_bits);
	}
	kfree(c);
	return 0;
}

static int add_type(const struct fs_type *type, void *arg)
{
	pt_add(arg, "%s\t%s\n", type->needs_device ? "" : "nodev", type->name);
	return 0;
}

static int show_filesystems(struct proc_text *t, const struct proc_subject *s)
{
	(void)s;
	return fs_each_type(add_type, t);
}

/* proc(5): the major numbers, by the names that Debian's programs know for the common ones. */
static int show_devices(struct proc_text *t, const struct proc_subject *s)
{
	char name[32];
	u32 major = 0;

	(void)s;
	pt_add(t, "Character devices:\n");
	for (; chrdev_next_major(major, &major, name); major++)
		pt_add(t, "%3u %s\n", major, major == 1 ? "mem" : major == 4 ? "ttyS" : major == 5 ? "/dev/tty" : major == 10 ? "misc" : name);
	pt_add(t, "\nBlock devices:\n");
	return 0;
}

/* There are no disks: nothing, not even the heading, as on Linux then. */
static int show_no_disks(struct proc_text *t, const struct proc_subject *s)
{
	(void)t;
	(void)s;
	return 0;
}

static int show_swaps(struct proc_text *t, const struct proc_subject *s)
{
	(void)s;
	pt_add(t, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	return 0;
}

static int show_vmstat(struct proc_text *t, const struct proc_subject *s)
{
	struct mem_stat m;

	(void)s;
	mem_stat(&m);
	pt_add(t, "nr_free_pages %lu\nnr_inactive_anon %lu\nnr_active_anon %lu\nnr_inactive_file %lu\nnr_active_file %lu\nnr_unevictable %lu\nnr_mlock %lu\n", m.free,
	       m.inactive_anon, m.active_anon, m.inactive_file, m.active_file, m.unevictable, m.mlocked);
	pt_add(t, "nr_anon_pages %lu\nnr_mapped %lu\nnr_file_pages %lu\nnr_dirty %lu\nnr_writeback %lu\nnr_shmem %lu\nnr_slab_reclaimable %lu\n", m.anon, m.mapped,
	       m.cached + m.buffers, m.dirty, m.writeback, m.shmem, m.slab_reclaimable);
	pt_add(t, "nr_slab_unreclaimable %lu\nnr_page_table_pages %lu\n", m.slab_unreclaimable, m.page_tables);
	return 0;
}

static void add_slab_cache(const struct slab_stat *st, void *arg)
{
	pt_add(arg, "%-17s %6lu %6lu %6u %4u %4u : tunables    0    0    0 : slabdata %6lu %6lu      0\n", st->name, st->n_active, st->n_slabs * st->per_slab, st->size,
	       st->per_slab, st->pages, st->n_active_slabs, st->n_slabs);
}

/* slabinfo(5) */
static int show_slabinfo(struct proc_text *t, const struct proc_subject *s)
{
	(void)s;
	pt_add(t, "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
	       " : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
	slab_each(add_slab_cache, t);
	return 0;
}

static ssize_t self_link(const struct proc_subject *s, char *buf, size_t max)
{
	(void)s;
	return scnprintf(buf, max, "%d", process_tgid(current_process()));
}

static ssize_t thread_self_link(const struct proc_subject *s, char *buf, size_t max)
{
	(void)s;
	return scnprintf(buf, max, "%d/task/%d", process_tgid(current_process()), thread_tid(current_thread()));
}

static ssize_t mounts_link(const struct proc_subject *s, char *buf, size_t max)
{
	(void)s;
	return scnprintf(buf, max, "self/mounts");
}

static int write_sysrq(const struct proc_subject *s, const char *text, size_t len)
{
	(void)s;
	if (len)
		sysrq_run((u8)text[0]);
	return 0;
}

#define SYSTEM_FILE(n, fn) { .name = (n), .kind = PROC_FILE, .mode = 0444, .show = (fn) }
#define SYSTEM_LINK(n, fn) { .name = (n), .kind = PROC_LINK, .readlink = (fn) }

static const struct proc_node root_files[] = {
	SYSTEM_FILE("cmdline", show_cmdline), SYSTEM_FILE("cpuinfo", show_cpuinfo), SYSTEM_FILE("devices", show_devices),
	SYSTEM_FILE("diskstats", show_no_disks), SYSTEM_FILE("filesystems", show_filesystems),
	SYSTEM_FILE("interrupts", show_interrupts), SYSTEM_FILE("loadavg", show_loadavg), SYSTEM_FILE("locks", proc_show_locks), SYSTEM_FILE("meminfo", show_meminfo),
	SYSTEM_LINK("mounts", mounts_link), SYSTEM_FILE("partitions", show_no_disks), SYSTEM_LINK("self", self_link),
	{ .name = "slabinfo", .kind = PROC_FILE, .mode = 0400, .show = show_slabinfo }, SYSTEM_FILE("stat", show_stat), SYSTEM_FILE("swaps", show_swaps),
	{ .name = "sys", .kind = PROC_DIR, .mode = 0555, .children = proc_sys_children, .n_children = PROC_SYS_CHILDREN },
	{ .name = "sysrq-trigger", .kind = PROC_FILE, .mode = 0200, .write = write_sysrq },
	SYSTEM_LINK("thread-self", thread_self_link), SYSTEM_FILE("uptime", show_uptime), SYSTEM_FILE("version", show_version), SYSTEM_FILE("vmstat", show_vmstat),
};

const struct proc_node proc_root_node = { .name = "/", .kind = PROC_BY_PID, .mode = 0555, .children = root_files, .n_children = ARRAY_SIZE(root_files) };
