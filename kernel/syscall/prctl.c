/* SPDX-License-Identifier: MPL-2.0 */
/* prctl(2): one function an operation, found by number. What an operation does not use of the arguments is ignored or must be zero as the man page says. */
#include <lib/string.h>
#include "abi/process.h"
#include "proc/identity.h"
#include "proc/thread.h"
#include "syscall/args.h"
#include "syscall/handlers.h"

struct prctl_op {
	u32 op;
	u32 must_be_zero;		/* bit n: argument n (1 … 4) */
	s64 (*fn)(const struct syscall_args *a);
};

static s64 put_int(uaddr_t to, s32 value)
{
	return uput(to, &value, sizeof(value));
}

/* --- the thread */

static s64 set_pdeathsig(const struct syscall_args *a)
{
	if (a->v[1] > SIG_COUNT)
		return -EINVAL;
	current_thread()->pdeath_signal = (s32)a->v[1];
	return 0;
}

static s64 get_pdeathsig(const struct syscall_args *a)
{
	return put_int(arg_uaddr(a, 1), current_thread()->pdeath_signal);
}

static s64 set_name(const struct syscall_args *a)
{
	char name[16] = { 0 };
	ssize_t n = ucopy_string(current_uspace(), name, arg_uaddr(a, 1), sizeof(name) - 1);

	if (n == -EFAULT)
		return -EFAULT;
	memcpy(current_sched()->comm, name, sizeof(name));
	return 0;
}

static s64 get_name(const struct syscall_args *a)
{
	char name[16] = { 0 };

	(void)strlcpy(name, current_sched()->comm, sizeof(name));
	return uput(arg_uaddr(a, 1), name, sizeof(name));
}

static s64 set_timerslack(const struct syscall_args *a)
{
	struct thread *t = current_thread();

	t->timer_slack_ns = (s64)a->v[1] <= 0 ? t->default_slack_ns : (u32)min(a->v[1], (u64)U32_MAX);
	return 0;
}

static s64 get_timerslack(const struct syscall_args *a)
{
	(void)a;
	return current_thread()->timer_slack_ns;
}

static s64 get_tid_address(const struct syscall_args *a)
{
	u64 at = current_thread()->clear_child_tid.v;

	return uput(arg_uaddr(a, 1), &at, sizeof(at));
}

/* --- the process */

static s64 get_dumpable(const struct syscall_args *a)
{
	(void)a;
	return READ_ONCE(current_process()->dumpable);
}

static s64 set_dumpable(const struct syscall_args *a)
{
	if (a->v[1] > 1)
		return -EINVAL;
	process_set_dumpable(current_process(), a->v[1] != 0);
	return 0;
}

static s64 get_timing(const struct syscall_args *a)
{
	(void)a;
	return PR_TIMING_STATISTICAL;
}

static s64 set_timing(const struct syscall_args *a)
{
	return a->v[1] == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
}

static s64 get_tsc(const struct syscall_args *a)
{
	return put_int(arg_uaddr(a, 1), PR_TSC_ENABLE);
}

static s64 set_subreaper(const struct syscall_args *a)
{
	SPIN_GUARD_SOFT(&proc_tree_lock);
	current_process()->is_subreaper = a->v[1] != 0;
	return 0;
}

static s64 get_subreaper(const struct syscall_args *a)
{
	return put_int(arg_uaddr(a, 1), READ_ONCE(current_process()->is_subreaper));
}

/* There are no fields of the address space to set here (a kernel without CONFIG_CHECKPOINT_RESTORE), but who may not is told so first. */
static s64 set_mm(const struct syscall_args *a)
{
	(void)a;
	return capable(&init_user_ns, CAP_SYS_RESOURCE) ? -EINVAL : -EPERM;
}

static s64 set_thp_disable(const struct syscall_args *a)
{
	WRITE_ONCE(current_process()->is_thp_disabled, a->v[1] != 0);
	return 0;
}

static s64 get_thp_disable(const struct syscall_args *a)
{
	(void)a;
	return READ_ONCE(current_process()->is_thp_disabled);
}

/* --- privileges */

static s64 get_keepcaps(const struct syscall_args *a)
{
	(void)a;
	return (current_cred()->securebits & SECBIT_KEEP_CAPS) != 0;
}

static s64 set_keepcaps(const struct syscall_args *a)
{
	return a->v[1] > 1 ? -EINVAL : identity_set_keepcaps(a->v[1] != 0);
}

static s64 capbset_read(const struct syscall_args *a)
{
	return cap_is_valid(a->v[1]) ? (s64)(current_cred()->bounding >> a->v[1] & 1) : -EINVAL;
}

static s64 capbset_drop(const struct syscall_args *a)
{
	return identity_drop_bounding(a->v[1]);
}

static s64 get_securebits(const struct syscall_args *a)
{
	(void)a;
	return current_cred()->securebits;
}

static s64 set_securebits(const struct syscall_args *a)
{
	return identity_set_securebits(a->v[1]);
}

static s64 set_no_new_privs(const struct syscall_args *a)
{
	return a->v[1] == 1 ? identity_set_no_new_privs() : -EINVAL;
}

static s64 get_no_new_privs(const struct syscall_args *a)
{
	(void)a;
	return current_cred()->no_new_privs;
}

static s64 cap_ambient(const struct syscall_args *a)
{
	if (a->v[1] == PR_CAP_AMBIENT_CLEAR_ALL && a->v[2])
		return -EINVAL;
	return identity_ambient(a->v[1], a->v[2]);
}

#define ARGS(first) (0x1eu & ~((1u << (first)) - 1))	/* from argument `first` on */

static const struct prctl_op ops[] = {
	{ PR_SET_PDEATHSIG, 0, set_pdeathsig }, { PR_GET_PDEATHSIG, 0, get_pdeathsig },
	{ PR_GET_DUMPABLE, 0, get_dumpable }, { PR_SET_DUMPABLE, 0, set_dumpable },
	{ PR_GET_KEEPCAPS, 0, get_keepcaps }, { PR_SET_KEEPCAPS, 0, set_keepcaps },
	{ PR_SET_NAME, 0, set_name }, { PR_GET_NAME, 0, get_name },
	{ PR_GET_TIMING, 0, get_timing }, { PR_SET_TIMING, 0, set_timing }, { PR_GET_TSC, 0, get_tsc },
	{ PR_CAPBSET_READ, 0, capbset_read }, { PR_CAPBSET_DROP, 0, capbset_drop },
	{ PR_GET_SECUREBITS, 0, get_securebits }, { PR_SET_SECUREBITS, 0, set_securebits },
	{ PR_SET_TIMERSLACK, 0, set_timerslack }, { PR_GET_TIMERSLACK, 0, get_timerslack },
	{ PR_SET_CHILD_SUBREAPER, 0, set_subreaper }, { PR_GET_CHILD_SUBREAPER, 0, get_subreaper },
	{ PR_SET_NO_NEW_PRIVS, ARGS(2), set_no_new_privs }, { PR_GET_NO_NEW_PRIVS, ARGS(1), get_no_new_privs },
	{ PR_CAP_AMBIENT, ARGS(3), cap_ambient }, { PR_SET_MM, 0, set_mm }, { PR_GET_TID_ADDRESS, 0, get_tid_address },
	{ PR_SET_THP_DISABLE, ARGS(2), set_thp_disable }, { PR_GET_THP_DISABLE, ARGS(1), get_thp_disable },
};

s64 sys_prctl(const struct syscall_args *a)
{
	for (u32 i = 0; i < ARRAY_SIZE(ops); i++) {
		if (ops[i].op != (u32)a->v[0])
			continue;
		for (u32 arg = 1; arg < 5; arg++)
			if ((ops[i].must_be_zero >> arg & 1) && a->v[arg])
				return -EINVAL;
		return ops[i].fn(a);
	}
	return -EINVAL;
}
