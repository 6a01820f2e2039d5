/* SPDX-License-Identifier: MPL-2.0 */
/*
 * /sys/devices/system: CPUs and memory, as glibc (sysconf(3), get_nprocs(3)), lscpu(1) and numactl(8) read them.
 *
 * CPUs do not come and go, all memory is one node, and the topology is what /proc/cpuinfo says: one package, one thread a core.
 * Formats: Linux's Documentation/admin-guide/cputopology.rst and numa/numaperf, by way of the files themselves on Linux 6.1.
 */
#include <lib/errno.h>
#include <lib/printf.h>
#include <frame/percpu.h>
#include "fs/sys/internal.h"
#include "mm/alloc.h"

static u32 numbers[FRAME_MAX_CPUS];	/* [I after start-up] numbers[n] == n: a CPU's object */

static u32 number_of(const void *object)
{
	return *(const u32 *)object;
}

/* --- sets of CPUs: the one, or all */

static size_t show_all_list(const void *object, char *buf, size_t max)
{
	(void)object;
	return (size_t)(cpu_count() > 1 ? scnprintf(buf, max, "0-%u\n", cpu_count() - 1) : scnprintf(buf, max, "0\n"));
}

static size_t show_own_list(const void *object, char *buf, size_t max)
{
	return (size_t)scnprintf(buf, max, "%u\n", number_of(object));
}

static size_t show_no_list(const void *object, char *buf, size_t max)
{
	(void)object;
	return (size_t)scnprintf(buf, max, "\n");
}

/* As many hexadecimal digits as there are CPUs for, in groups of 32 bits. */
static size_t show_mask(u64 mask, char *buf, size_t max)
{
	int digits = (int)((cpu_count() - 1) % 32 / 4 + 1);

	if (cpu_count() > 32)
		return (size_t)scnprintf(buf, max, "%0*x,%08x\n", digits, (u32)(mask >> 32), (u32)mask);
	return (size_t)scnprintf(buf, max, "%0*x\n", digits, (u32)mask);
}

static size_t show_all_mask(const void *object, char *buf, size_t max)
{
	(void)object;
	return show_mask(~0ul >> (64 - cpu_count()), buf, max);
}

static size_t show_own_mask(const void *object, char *buf, size_t max)
{
	return show_mask(1ul << number_of(object), buf, max);
}

static size_t show_zero(const void *object, char *buf, size_t max)
{
	(void)object;
	return (size_t)scnprintf(buf, max, "0\n");
}

/* --- CPUs */

static size_t show_kernel_max(const void *object, char *buf, size_t max)
{
	(void)object;
	return (size_t)scnprintf(buf, max, "%u\n", FRAME_MAX_CPUS - 1);
}

#define SHOWN(n, fn) { .name = (n), .mode = 0444, .show = (fn) }

static const struct sysfs_attr cpus_files[] = {
	SHOWN("online", show_all_list), SHOWN("possible", show_all_list), SHOWN("present", show_all_list), SHOWN("offline", show_no_list),
	SHOWN("isolated", show_no_list), SHOWN("kernel_max", show_kernel_max),
};

static const struct sysfs_attr topology_files[] = {
	SHOWN("physical_package_id", show_zero), SHOWN("die_id", show_zero), SHOWN("core_id", show_own_list),
	SHOWN("thread_siblings", show_own_mask), SHOWN("thread_siblings_list", show_own_list), SHOWN("core_cpus", show_own_mask),
	SHOWN("core_cpus_list", show_own_list), SHOWN("core_siblings", show_all_mask), SHOWN("core_siblings_list", show_all_list),
	SHOWN("die_cpus", show_all_mask), SHOWN("die_cpus_list", show_all_list), SHOWN("package_cpus", show_all_mask),
	SHOWN("package_cpus_list", show_all_list),
};

static int add_cpu(struct sysfs_node *cpus, struct sysfs_node *node, u32 cpu)
{
	struct sysfs_node *dir;
	char name[12];
	int err;

	numbers[cpu] = cpu;
	scnprintf(name, sizeof(name), "cpu%u", cpu);
	err = sysfs_add(cpus, name, NULL, 0, &numbers[cpu], &dir);
	if (!err)
		err = sysfs_add(dir, "topology", topology_files, ARRAY_SIZE(topology_files), &numbers[cpu], NULL);
	if (!err)
		err = sysfs_add_link(dir, "node0", node);
	return err ? err : sysfs_add_link(node, name, dir);
}

/* --- memory */

static size_t add_kb(char *buf, size_t max, const char *name, u64 pages)
{
	return (size_t)scnprintf(buf, max, "Node 0 %-15s%8lu kB\n", name, pages * (PAGE_SIZE / 1024));
}

static size_t show_meminfo(const void *object, char *buf, size_t max)
{
	struct mem_stat m;
	size_t n = 0;

	(void)object;
	mem_stat(&m);
	n += add_kb(buf + n, max - n, "MemTotal:", m.total);
	n += add_kb(buf + n, max - n, "MemFree:", m.free);
	n += add_kb(buf + n, max - n, "MemUsed:", m.total - m.free);
	n += add_kb(buf + n, max - n, "Active:", m.active_anon + m.active_file);
	n += add_kb(buf + n, max - n, "Inactive:", m.inactive_anon + m.inactive_file);
	n += add_kb(buf + n, max - n, "Unevictable:", m.unevictable);
	n += add_kb(buf + n, max - n, "Mlocked:", m.mlocked);
	n += add_kb(buf + n, max - n, "Dirty:", m.dirty);
	n += add_kb(buf + n, max - n, "Writeback:", m.writeback);
	n += add_kb(buf + n, max - n, "FilePages:", m.cached + m.buffers);
	n += add_kb(buf + n, max - n, "Mapped:", m.mapped);
	n += add_kb(buf + n, max - n, "AnonPages:", m.anon);
	n += add_kb(buf + n, max - n, "Shmem:", m.shmem);
	n += add_kb(buf + n, max - n, "KernelStack:", m.kernel_stack);
	n += add_kb(buf + n, max - n, "PageTables:", m.page_tables);
	n += add_kb(buf + n, max - n, "KReclaimable:", m.slab_reclaimable);
	n += add_kb(buf + n, max - n, "Slab:", m.slab_reclaimable + m.slab_unreclaimable);
	n += add_kb(buf + n, max - n, "SReclaimable:", m.slab_reclaimable);
	n += add_kb(buf + n, max - n, "SUnreclaim:", m.slab_unreclaimable);
	return n;
}

/* A node's distance to itself is 10, as in ACPI's SLIT. */
static size_t show_distance(const void *object, char *buf, size_t max)
{
	(void)object;
	return (size_t)scnprintf(buf, max, "10\n");
}

static const struct sysfs_attr nodes_files[] = {
	SHOWN("online", show_zero), SHOWN("possible", show_zero), SHOWN("has_cpu", show_zero), SHOWN("has_memory", show_zero),
	SHOWN("has_normal_memory", show_zero),
};

static const struct sysfs_attr node_files[] = {
	SHOWN("cpulist", show_all_list), SHOWN("cpumap", show_all_mask), SHOWN("distance", show_distance), SHOWN("meminfo", show_meminfo),
};

int sysfs_add_system(struct sysfs_node *devices)
{
	struct sysfs_node *system, *cpus, *nodes, *node0;
	int err = sysfs_add(devices, "system", NULL, 0, NULL, &system);

	if (!err)
		err = sysfs_add(system, "cpu", cpus_files, ARRAY_SIZE(cpus_files), NULL, &cpus);
	if (!err)
		err = sysfs_add(system, "node", nodes_files, ARRAY_SIZE(nodes_files), NULL, &nodes);
	if (!err)
		err = sysfs_add(nodes, "node0", node_files, ARRAY_SIZE(node_files), NULL, &node0);
	for (u32 cpu = 0; !err && cpu < cpu_count(); cpu++)
		err = add_cpu(cpus, node0, cpu);
	return err;
}
