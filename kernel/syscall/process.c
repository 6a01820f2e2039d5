/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters: clone(2), execve(2), exit(2), wait(2), ids, process groups and sessions. */
#include <lib/string.h>
#include "abi/fcntl.h"
#include "abi/process.h"
#include "abi/signal.h"
#include "object/pid.h"
#include "fs/vfs.h"
#include "proc/thread.h"
#include "signal/policy.h"
#include "syscall/args.h"
#include "syscall/handlers.h"
#include "syscall/usage.h"

/* --- making */

s64 sys_clone(const struct syscall_args *a)
{
	const struct clone_request rq = {
		.flags = (u32)a->v[0] & ~(u64)CSIGNAL, .exit_signal = (s32)(a->v[0] & CSIGNAL), .stack_top = a->v[1],
		.parent_tid = arg_uaddr(a, 2), .pidfd = arg_uaddr(a, 2), .child_tid = arg_uaddr(a, 3), .tls = a->v[4],
	};

	return proc_clone(&rq);
}

s64 sys_fork(const struct syscall_args *a)
{
	const struct clone_request rq = { .exit_signal = SIGCHLD };

	(void)a;
	return proc_clone(&rq);
}

s64 sys_vfork(const struct syscall_args *a)
{
	const struct clone_request rq = { .flags = CLONE_VFORK | CLONE_VM, .exit_signal = SIGCHLD };

	(void)a;
	return proc_clone(&rq);
}

/* A struct that has grown: what the caller has beyond ours must be zero, what it lacks is zero (clone(2), openat2(2)). */
static int get_clone_args(uaddr_t from, u64 size, struct clone_args *out)
{
	u8 more[64];

	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	for (u64 at = sizeof(*out); at < size; at += sizeof(more)) {
		size_t n = min(sizeof(more), size - at);

		if (uget(more, uaddr_add(from, at), n))
			return -EFAULT;
		if (memchr_inv(more, 0, n))
			return -E2BIG;
	}
	memset(out, 0, sizeof(*out));
	return uget(out, from, min(size, (u64)sizeof(*out)));
}

/* clone3's own rules; those of the flags are proc_clone's. */
static int check_clone_args(const struct clone_args *c)
{
	const u64 known = 0xffffffffull | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP;

	if (c->set_tid_size > PID_MAX_LEVELS || !c->set_tid != !c->set_tid_size)
		return -EINVAL;
	if (c->exit_signal > SIG_COUNT || (c->flags & (~known | CLONE_DETACHED | (CSIGNAL & ~CLONE_NEWTIME))))
		return -EINVAL;
	if ((c->flags & (CLONE_THREAD | CLONE_PARENT)) && c->exit_signal)
		return -EINVAL;
	if (!c->stack != !c->stack_size || c->stack_size > USPACE_END || c->stack > USPACE_END - c->stack_size)
		return -EINVAL;
	return 0;
}

s64 sys_clone3(const struct syscall_args *a)
{
	s32 set_tid[PID_MAX_LEVELS];
	struct clone_request rq;
	struct clone_args c;
	int err = get_clone_args(arg_uaddr(a, 0), a->v[1], &c);

	if (!err)
		err = check_clone_args(&c);
	if (!err && c.set_tid_size)
		err = uget(set_tid, uaddr(c.set_tid), c.set_tid_size * sizeof(set_tid[0]));
	if (err)
		return err;
	rq = (struct clone_request){
		.flags = c.flags, .exit_signal = (s32)c.exit_signal, .stack_top = c.stack + c.stack_size, .parent_tid = uaddr(c.parent_tid),
		.pidfd = uaddr(c.pidfd), .child_tid = uaddr(c.child_tid), .tls = c.tls, .set_tid = set_tid, .n_set_tid = c.set_tid_size,
	};
	return proc_clone(&rq);
}

s64 sys_execve(const struct syscall_args *a)
{
	const struct exec_request rq = { .dirfd = AT_FDCWD_KEEL, .path = arg_uaddr(a, 0), .argv = arg_uaddr(a, 1), .envp = arg_uaddr(a, 2) };

	return proc_exec(&rq);
}

s64 sys_execveat(const struct syscall_args *a)
{
	const struct exec_request rq = {
		.dirfd = (s32)a->v[0], .path = arg_uaddr(a, 1), .argv = arg_uaddr(a, 2), .envp = arg_uaddr(a, 3), .at_flags = (u32)a->v[4],
	};

	return proc_exec(&rq);
}

/* --- ending and waiting */

s64 sys_exit(const struct syscall_args *a)
{
	thread_exit((s32)a->v[0]);
}

s64 sys_exit_group(const struct syscall_args *a)
{
	process_exit(((s32)a->v[0] & 0xff) << 8);
}

/* wait4's pid: > 0 that child, −1 any, 0 our group, < −1 that group. */
static int decode_wait4(s32 pid, struct wait_request *rq)
{
	if (pid == S32_MIN)
		return -ESRCH;
	if (pid == -1)
		rq->id_type = P_ALL;
	else
		rq->id_type = pid > 0 ? P_PID : P_PGID;
	rq->id = pid < 0 ? -pid : pid;
	return 0;
}

s64 sys_wait4(const struct syscall_args *a)
{
	struct wait_request rq = { .options = (u32)a->v[2] | WEXITED };
	struct wait_result res;
	struct rusage usage;
	int r = decode_wait4((s32)a->v[0], &rq);

	if (!r)
		r = proc_wait(&rq, &res);
	if (r <= 0)
		return r;
	if (a->v[1] && uput(arg_uaddr(a, 1), &res.wait_status, sizeof(res.wait_status)))
		return -EFAULT;
	if (a->v[3]) {
		usage_to_abi(&res.usage, &usage);
		if (uput(arg_uaddr(a, 3), &usage, sizeof(usage)))
			return -EFAULT;
	}
	return res.pid;
}

/* waitid(2): only these members of the siginfo are written, and they are zero if no child was found. */
static int put_wait_info(uaddr_t to, const struct wait_result *res, bool has_found)
{
	s32 first[3] = { has_found ? SIGCHLD : 0, 0, has_found ? res->code : 0 };
	s32 then[3] = { has_found ? res->pid : 0, has_found ? (s32)res->uid : 0, has_found ? res->status : 0 };

	_Static_assert(offsetof(siginfo_t, si_pid) == 16 && offsetof(siginfo_t, si_status) == 24, "siginfo_t");
	if (uput(to, first, sizeof(first)) || uput(uaddr_add(to, offsetof(siginfo_t, si_pid)), then, sizeof(then)))
		return -EFAULT;
	return 0;
}

static int check_waitid(s32 id_type, s32 id, u32 options)
{
	if (!(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	switch (id_type) {
	case P_ALL:
		return 0;
	case P_PID:
		return id > 0 ? 0 : -EINVAL;
	case P_PGID:
		return id >= 0 ? 0 : -EINVAL;
	case P_PIDFD:
		return id >= 0 ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

s64 sys_waitid(const struct syscall_args *a)
{
	const struct wait_request rq = { .id_type = (u32)a->v[0], .id = (s32)a->v[1], .options = (u32)a->v[3] };
	struct wait_result res;
	struct rusage usage;
	int r = check_waitid((s32)rq.id_type, rq.id, rq.options);

	if (!r)
		r = proc_wait(&rq, &res);
	if (r > 0 && a->v[4]) {
		usage_to_abi(&res.usage, &usage);
		if (uput(arg_uaddr(a, 4), &usage, sizeof(usage)))
			return -EFAULT;
	}
	if (a->v[2] && put_wait_info(arg_uaddr(a, 2), &res, r > 0))
		return -EFAULT;
	return r > 0 ? 0 : r;
}

/* --- ids */

s64 sys_getpid(const struct syscall_args *a)
{
	(void)a;
	return process_tgid(current_process());
}

s64 sys_gettid(const struct syscall_args *a)
{
	(void)a;
	return thread_tid(current_thread());
}

s64 sys_getppid(const struct syscall_args *a)
{
	(void)a;
	return process_ppid(current_process());
}

s64 sys_set_tid_address(const struct syscall_args *a)
{
	current_thread()->clear_child_tid = arg_uaddr(a, 0);
	return thread_tid(current_thread());
}

s64 sys_restart_syscall(const struct syscall_args *a)
{
	(void)a;
	return signal_policy_restart();
}

/* --- groups and sessions */

static s64 id_of(s32 pid, s32 (*get)(const struct process *p))
{
	struct thread *t;
	s64 id;

	if (pid == 0)
		return get(current_process());
	t = thread_find_get(pid);
	if (!t)
		return -ESRCH;
	id = get(t->process);
	thread_put(t);
	return id;
}

s64 sys_getpgid(const struct syscall_args *a)
{
	return id_of((s32)a->v[0], process_pgid);
}

s64 sys_getpgrp(const struct syscall_args *a)
{
	(void)a;
	return process_pgid(current_process());
}

s64 sys_getsid(const struct syscall_args *a)
{
	return id_of((s32)a->v[0], process_sid);
}

s64 sys_setpgid(const struct syscall_args *a)
{
	return proc_setpgid((s32)a->v[0], (s32)a->v[1]);
}

s64 sys_setsid(const struct syscall_args *a)
{
	(void)a;
	return proc_setsid();
}
