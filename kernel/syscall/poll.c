/* SPDX-License-Identifier: MPL-2.0 */
/* Adapters of poll(2), ppoll(2), select(2), pselect(2): timeouts in and what is left of them out, signal masks, restarts. */
#include "abi/poll.h"
#include "abi/process.h"
#include "fs/poll.h"
#include "proc/thread.h"
#include "syscall/deadline.h"
#include "syscall/handlers.h"

/* --- poll(2): a restart goes on with the deadline that the call began with. */

static s64 poll_restart(struct restart_block *rb);

static s64 run_poll(const struct poll_request *rq)
{
	s64 n = poll_run(rq);

	if (n != -ERESTARTNOHAND)
		return n;
	current_thread()->restart = (struct restart_block){ .fn = poll_restart, .args = { rq->fds.v, rq->n, rq->deadline_ns } };
	return -ERESTART_RESTARTBLOCK;
}

static s64 poll_restart(struct restart_block *rb)
{
	struct poll_request rq = { uaddr(rb->args[0]), (u32)rb->args[1], rb->args[2] };

	return run_poll(&rq);
}

s64 sys_poll(const struct syscall_args *a)
{
	struct poll_request rq = { arg_uaddr(a, 0), (u32)a->v[1], SLEEP_FOREVER };
	s32 ms = (s32)a->v[2];

	if (ms == 0)
		rq.deadline_ns = 0;
	else if (ms > 0)
		rq.deadline_ns = clock_now_ns() + (u64)ms * NSEC_PER_MSEC;
	return run_poll(&rq);
}

/* --- Timeouts and masks of the others */

enum timeout_kind { TIMESPEC, TIMEVAL };

struct waiting {
	uaddr_t timeout;		/* the user's struct, or NULL */
	enum timeout_kind kind;
	u64 deadline_ns;		/* 0: do not wait */
	bool has_mask;
};

/* select(2) lets microseconds go beyond a second. */
static int timeval_get(uaddr_t from, u64 *ns)
{
	struct __kernel_old_timeval tv;
	s64 sec, usec;

	if (uget(&tv, from, sizeof(tv)))
		return -EFAULT;
	usec = tv.tv_usec % 1000000;
	if (add_overflows(tv.tv_sec, tv.tv_usec / 1000000, &sec) || sec < 0 || usec < 0)
		return -EINVAL;
	if (mul_overflows((u64)sec, NSEC_PER_SEC, ns) || add_overflows(*ns, (u64)usec * NSEC_PER_USEC, ns) || *ns > DEADLINE_FAR)
		*ns = DEADLINE_FAR;
	return 0;
}

static int waiting_begin(struct waiting *w, uaddr_t timeout, enum timeout_kind kind)
{
	u64 ns;
	int err;

	*w = (struct waiting){ .timeout = timeout, .kind = kind, .deadline_ns = SLEEP_FOREVER };
	if (!timeout.v)
		return 0;
	err = kind == TIMEVAL ? timeval_get(timeout, &ns) : timeout_get(timeout, &ns);
	if (!err)
		w->deadline_ns = ns ? min(clock_now_ns() + ns, DEADLINE_FAR) : 0;
	return err;
}

static int waiting_mask(struct waiting *w, uaddr_t mask, u64 size)
{
	sigset_k set;

	if (!mask.v)
		return 0;
	if (size != sizeof(set))
		return -EINVAL;
	if (uget(&set, mask, sizeof(set)))
		return -EFAULT;
	signal_set_temporary(set);
	w->has_mask = true;
	return 0;
}

static int put_left(const struct waiting *w)
{
	u64 now = clock_now_ns(), left = w->deadline_ns > now ? w->deadline_ns - now : 0;
	struct __kernel_timespec ts = { .tv_sec = (s64)(left / NSEC_PER_SEC), .tv_nsec = (s64)(left % NSEC_PER_SEC) };
	struct __kernel_old_timeval tv = { .tv_sec = ts.tv_sec, .tv_usec = ts.tv_nsec / (s64)NSEC_PER_USEC };

	return w->kind == TIMEVAL ? uput(w->timeout, &tv, sizeof(tv)) : uput(w->timeout, &ts, sizeof(ts));
}

/* The time left goes into the user's struct; where it cannot, the call has still succeeded, but cannot be restarted as it would wait anew. */
static s64 waiting_end(const struct waiting *w, s64 ret)
{
	if (w->has_mask && ret != -ERESTARTNOHAND)
		signal_end_temporary();
	if (!w->timeout.v || !w->deadline_ns)
		return ret;
	if (!(READ_ONCE(current_process()->personality) & STICKY_TIMEOUTS) && !put_left(w))
		return ret;
	return ret == -ERESTARTNOHAND ? -EINTR : ret;
}

s64 sys_ppoll(const struct syscall_args *a)
{
	struct poll_request rq = { .fds = arg_uaddr(a, 0), .n = (u32)a->v[1] };
	struct waiting w;
	s64 ret = waiting_begin(&w, arg_uaddr(a, 2), TIMESPEC);

	if (!ret)
		ret = waiting_mask(&w, arg_uaddr(a, 3), a->v[4]);
	if (ret)
		return ret;
	rq.deadline_ns = w.deadline_ns;
	ret = poll_run(&rq);
	return waiting_end(&w, ret);
}

static s64 do_select(const struct syscall_args *a, struct waiting *w)
{
	struct select_request rq = { (s32)a->v[0], arg_uaddr(a, 1), arg_uaddr(a, 2), arg_uaddr(a, 3), w->deadline_ns };

	return waiting_end(w, select_run(&rq));
}

s64 sys_select(const struct syscall_args *a)
{
	struct waiting w;
	int err = waiting_begin(&w, arg_uaddr(a, 4), TIMEVAL);

	return err ? err : do_select(a, &w);
}

s64 sys_pselect6(const struct syscall_args *a)
{
	struct { u64 mask, size; } sig = { 0, 0 };	/* select(2), "C library/kernel differences" */
	struct waiting w;
	int err;

	if (a->v[5] && uget(&sig, arg_uaddr(a, 5), sizeof(sig)))
		return -EFAULT;
	err = waiting_begin(&w, arg_uaddr(a, 4), TIMESPEC);
	if (!err)
		err = waiting_mask(&w, uaddr(sig.mask), sig.size);
	return err ? err : do_select(a, &w);
}
