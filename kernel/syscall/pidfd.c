/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters: pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2). */
#include "object/pid_ns.h"
#include "proc/kill.h"
#include "proc/pidfd.h"
#include "syscall/handlers.h"
#include "syscall/siginfo.h"

s64 sys_pidfd_open(const struct syscall_args *a)
{
	struct pid *pid;
	s64 fd;

	if ((s32)a->v[0] <= 0)
		return -EINVAL;
	pid = pid_find_get(&init_pid_ns, (s32)a->v[0]);
	if (!pid)
		return -ESRCH;
	fd = pidfd_open(pid, (u32)a->v[1]);
	pid_put(pid);
	return fd;
}

static int send_signal(struct pid *pid, u32 sig, uaddr_t from)
{
	bool is_to_self = pid == current_process()->pids[PID_TGID];
	struct siginfo_k info;
	int err;

	if (!from.v) {
		siginfo_user(&info, sig, 0);
		return kill_by_pid(pid, &info);
	}
	err = siginfo_get(from, &info);
	if (!err && info.signo != (s32)sig)
		err = -EINVAL;
	if (!err)
		err = siginfo_check(&info, is_to_self);
	return err ? err : kill_by_pid(pid, &info);
}

s64 sys_pidfd_send_signal(const struct syscall_args *a)
{
	struct pid *pid;
	bool is_nonblock;
	int err;

	if ((u32)a->v[3])
		return -EINVAL;
	err = pidfd_pid((s32)a->v[0], true, &pid, &is_nonblock);
	if (err)
		return err;
	err = send_signal(pid, (u32)a->v[1], arg_uaddr(a, 2));
	pid_put(pid);
	return err;
}

s64 sys_pidfd_getfd(const struct syscall_args *a)
{
	struct pid *pid;
	bool is_nonblock;
	s64 fd;

	if ((u32)a->v[2])
		return -EINVAL;
	fd = pidfd_pid((s32)a->v[0], false, &pid, &is_nonblock);
	if (fd)
		return fd;
	fd = pidfd_getfd(pid, (s32)a->v[1]);
	pid_put(pid);
	return fd;
}
