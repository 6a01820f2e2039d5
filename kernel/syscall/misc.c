/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters: uname(2), sethostname(2), sysinfo(2), arch_prctl(2), personality(2), reboot(2), getrandom(2). */
#include <lib/printf.h>
#include <lib/string.h>
#include <frame/clock.h>
#include <frame/log.h>
#include <frame/machine.h>
#include <frame/user.h>
#include "abi/process.h"
#include "mm/alloc.h"
#include "object/nsproxy.h"
#include "object/random.h"
#include "proc/thread.h"
#include "proc/uts.h"
#include "syscall/args.h"
#include "syscall/handlers.h"
#include "syscall/trace.h"

/* --- names */

/* personality(2): UNAME26 wants 2.6.(60 + minor); PER_LINUX32 a 32-bit machine. */
static void fill_release(char out[UTS_LEN + 1], u32 personality)
{
	u32 major = 0, minor = 0;
	const char *dot = strchr(KEEL_RELEASE, '.'), *rest = dot + 1;

	(void)strlcpy(out, KEEL_RELEASE, UTS_LEN + 1);
	if (!(personality & UNAME26))
		return;
	while (char_is_digit(*rest))
		rest++;
	if (parse_u32(KEEL_RELEASE, (size_t)(dot - KEEL_RELEASE), 10, &major) || parse_u32(dot + 1, (size_t)(rest - dot - 1), 10, &minor))
		return;
	while (*rest == '.' || char_is_digit(*rest))
		rest++;
	(void)scnprintf(out, UTS_LEN + 1, "2.6.%u%s", minor + 60, rest);
}

s64 sys_uname(const struct syscall_args *a)
{
	u32 personality = current_process()->personality;
	struct new_utsname u;

	memset(&u, 0, sizeof(u));
	(void)strlcpy(u.sysname, "Linux", sizeof(u.sysname));
	uts_get(current_actor()->ns->uts, u.nodename, u.domainname);
	fill_release(u.release, personality);
	(void)strlcpy(u.version, uts_version(), sizeof(u.version));
	(void)strlcpy(u.machine, (personality & PER_MASK) == PER_LINUX32 ? "i686" : machine_name(), sizeof(u.machine));
	return uput(arg_uaddr(a, 0), &u, sizeof(u));
}

static s64 set_name(const struct syscall_args *a, void (*set)(struct uts_ns *ns, const char *name, size_t len))
{
	char name[UTS_LEN];
	s32 len = (s32)a->v[1];

	if (!capable(current_cred()->ns, CAP_SYS_ADMIN))
		return -EPERM;
	if (len < 0 || len > UTS_LEN)
		return -EINVAL;
	if (uget(name, arg_uaddr(a, 0), (size_t)len))
		return -EFAULT;
	set(current_actor()->ns->uts, name, (size_t)len);
	return 0;
}

s64 sys_sethostname(const struct syscall_args *a)
{
	return set_name(a, uts_set_nodename);
}

s64 sys_setdomainname(const struct syscall_args *a)
{
	return set_name(a, uts_set_domainname);
}

/* --- the machine */

s64 sys_sysinfo(const struct syscall_args *a)
{
	struct sysinfo out;
	struct mem_stat mem;
	u64 loads[3];

	memset(&out, 0, sizeof(out));
	mem_stat(&mem);
	sched_loadavg(loads);
	out.uptime = (s64)DIV_ROUND_UP(clock_now_ns(), NSEC_PER_SEC);
	for (u32 i = 0; i < 3; i++)
		out.loads[i] = loads[i] << (SI_LOAD_SHIFT - 11);
	out.totalram = mem.total * PAGE_SIZE;
	out.freeram = mem.free * PAGE_SIZE;
	out.sharedram = mem.shmem * PAGE_SIZE;
	out.bufferram = mem.buffers * PAGE_SIZE;
	out.procs = (u16)min(proc_count(), (u32)U16_MAX);
	out.mem_unit = 1;
	return uput(arg_uaddr(a, 0), &out, sizeof(out));
}

s64 sys_arch_prctl(const struct syscall_args *a)
{
	u64 value;

	switch ((u32)a->v[0]) {
	case ARCH_SET_FS:
		return user_set_tls(a->v[1]);
	case ARCH_SET_GS:
		return user_set_gs(a->v[1]);
	case ARCH_GET_FS:
		value = user_tls(current_task());
		break;
	case ARCH_GET_GS:
		value = user_gs(current_task());
		break;
	default:
		return -EINVAL;
	}
	return uput(arg_uaddr(a, 1), &value, sizeof(value));
}

s64 sys_personality(const struct syscall_args *a)
{
	struct process *p = current_process();
	u32 old = READ_ONCE(p->personality);

	if ((u32)a->v[0] != 0xffffffffu)
		WRITE_ONCE(p->personality, (u32)a->v[0]);
	return old;
}

static bool is_reboot_magic(u32 magic, u32 magic2)
{
	return magic == LINUX_REBOOT_MAGIC1 && (magic2 == LINUX_REBOOT_MAGIC2 || magic2 == LINUX_REBOOT_MAGIC2A ||
						magic2 == LINUX_REBOOT_MAGIC2B || magic2 == LINUX_REBOOT_MAGIC2C);
}

s64 sys_reboot(const struct syscall_args *a)
{
	char command[256];
	ssize_t n;

	if (!capable(&init_user_ns, CAP_SYS_BOOT))
		return -EPERM;
	if (!is_reboot_magic((u32)a->v[0], (u32)a->v[1]))
		return -EINVAL;
	switch ((u32)a->v[2]) {
	case LINUX_REBOOT_CMD_RESTART2:
		n = ucopy_string(current_uspace(), command, arg_uaddr(a, 3), sizeof(command));
		if (n == -EFAULT)
			return -EFAULT;
		trace_last();
		klog(LOG_EMERG, "restarting the system with a command");
		machine_reboot();
	case LINUX_REBOOT_CMD_RESTART:
		trace_last();
		klog(LOG_EMERG, "restarting the system");
		machine_reboot();
	case LINUX_REBOOT_CMD_HALT:
		trace_last();
		klog(LOG_EMERG, "system halted");
		machine_halt();
	case LINUX_REBOOT_CMD_POWER_OFF:
		trace_last();
		klog(LOG_EMERG, "power down");
		slab_report_live();
		machine_power_off();
	case LINUX_REBOOT_CMD_CAD_ON:	/* no keyboard driver sends Ctrl-Alt-Del: nothing to switch */
	case LINUX_REBOOT_CMD_CAD_OFF:
		return 0;
	default:
		return -EINVAL;
	}
}

/* --- random numbers */

/* Until the hardware has given enough entropy (it may never), the timing of the scheduler has to do, as random(7) says of boot. */
static void gather_jitter(void)
{
	u64 sample[64];

	for (u32 i = 0; i < ARRAY_SIZE(sample); i++) {
		sched_yield();
		sample[i] = clock_now_ns();
	}
	random_mix(sample, sizeof(sample));
}

static s64 fill_random(uaddr_t to, u64 len)
{
	u8 block[256];
	u64 done = 0;

	while (done < len) {
		size_t n = min(len - done, (u64)sizeof(block)), left;

		random_bytes(block, n);
		left = ucopy_to(current_uspace(), uaddr_add(to, done), block, n);
		done += n - left;
		if (left)
			return done ? (s64)done : -EFAULT;
		if (done % PAGE_SIZE == 0 && done < len) {
			if (current_interrupted())
				break;
			sched_check();
		}
	}
	memset(block, 0, sizeof(block));
	return (s64)done;
}

s64 sys_getrandom(const struct syscall_args *a)
{
	u32 flags = (u32)a->v[2];

	if ((flags & (GRND_INSECURE | GRND_RANDOM)) == (GRND_INSECURE | GRND_RANDOM))
		return -EINVAL;
	if (!(flags & (GRND_INSECURE | GRND_NONBLOCK)) && !random_is_ready())
		gather_jitter();
	return fill_random(arg_uaddr(a, 0), min(a->v[1], (u64)S32_MAX & PAGE_MASK));
}
