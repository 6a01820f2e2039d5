/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters of epoll_create(2), epoll_ctl(2), epoll_wait(2) and its variants. */
#include <frame/uspace.h>
#include "abi/event.h"
#include "abi/signal.h"
#include "fs/epoll.h"
#include "fs/fdtable.h"
#include "signal/signal.h"
#include "syscall/deadline.h"
#include "syscall/handlers.h"

#define EVENTS_MAX (S32_MAX / (s32)sizeof(struct epoll_event))

s64 sys_epoll_create(const struct syscall_args *a)
{
	return (s32)a->v[0] <= 0 ? -EINVAL : epoll_create(0);
}

s64 sys_epoll_create1(const struct syscall_args *a)
{
	return epoll_create((u32)a->v[0]);
}

s64 sys_epoll_ctl(const struct syscall_args *a)
{
	struct epoll_event event = { 0 };
	struct fdref epoll, target;
	u32 op = (u32)a->v[1];
	int err;

	if (op != EPOLL_CTL_DEL && uget(&event, arg_uaddr(a, 3), sizeof(event)))
		return -EFAULT;
	err = fd_borrow((s32)a->v[0], &epoll);
	if (err)
		return err;
	err = fd_borrow((s32)a->v[2], &target);
	if (!err) {
		err = epoll_control(epoll.file, op, (s32)a->v[2], target.file, &event);
		fd_end(&target);
	}
	fd_end(&epoll);
	return err;
}

/* --- Waiting */

static inline s64 wait_until(const struct syscall_args *a, u64 deadline_ns)
{
	u32 max = (u32)a->v[2];
	struct fdref ref;
	s64 n;

	if ((s32)max <= 0 || (s32)max > EVENTS_MAX)
		return -EINVAL;
	/* Told even if no event comes about. */
	if (a->v[1] > USPACE_END - max * sizeof(struct epoll_event))
		return -EFAULT;
	n = fd_borrow((s32)a->v[0], &ref);
	if (n)
		return n;
	n = epoll_wait(ref.file, arg_uaddr(a, 1), max, deadline_ns);
	fd_end(&ref);
	return n;
}

static s64 wait_masked(const struct syscall_args *a, u64 deadline_ns)
{
	sigset_k set;
	s64 n;

	if (!a->v[4])
		return wait_until(a, deadline_ns);
	if (a->v[5] != sizeof(set))
		return -EINVAL;
	if (uget(&set, arg_uaddr(a, 4), sizeof(set)))
		return -EFAULT;
	signal_set_temporary(set);
	n = wait_until(a, deadline_ns);
	if (n != -EINTR)
		signal_end_temporary();	/* else it ends when the handler has been set up */
	return n;
}

static u64 deadline_of_ms(s32 ms)
{
	if (ms <= 0)
		return ms ? SLEEP_FOREVER : 0;
	return clock_now_ns() + (u64)ms * NSEC_PER_MSEC;
}

s64 sys_epoll_wait(const struct syscall_args *a)
{
	return wait_until(a, deadline_of_ms((s32)a->v[3]));
}

s64 sys_epoll_pwait(const struct syscall_args *a)
{
	return wait_masked(a, deadline_of_ms((s32)a->v[3]));
}

s64 sys_epoll_pwait2(const struct syscall_args *a)
{
	u64 ns, deadline_ns = SLEEP_FOREVER;
	int err;

	if (a->v[3]) {
		err = timeout_get(arg_uaddr(a, 3), &ns);
		if (err)
			return err;
		deadline_ns = ns ? min(clock_now_ns() + ns, DEADLINE_FAR) : 0;
	}
	return wait_masked(a, deadline_ns);
}
