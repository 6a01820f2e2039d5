/* SPDX-License-Identifier: MPL-2.0 */
/* futex(2), futex_waitv, robust lists: decoding. */
#include "abi/process.h"
#include "ipc/futex.h"
#include "mm/alloc.h"
#include "proc/thread.h"
#include "syscall/deadline.h"
#include "syscall/handlers.h"
#include "time/wall.h"

/* FUTEX_WAIT's timeout is relative and monotonic; FUTEX_WAIT_BITSET's absolute, on the clock that the flag says. */
static int get_deadline(uaddr_t from, u32 cmd, bool is_realtime, u64 *deadline_ns)
{
	bool is_relative = cmd == FUTEX_WAIT;
	int err = is_relative ? deadline_get(from, deadline_ns) : timeout_get(from, deadline_ns);

	if (!err && !is_relative)
		*deadline_ns = is_realtime ? wall_to_deadline((s64)*deadline_ns) : wall_monotonic_to_deadline(*deadline_ns);
	return err;
}

/* A wait with a timeout goes on with what is left after a stop or an ignored signal. */
static s64 restart_wait(struct restart_block *rb)
{
	struct futex_request rq = {
		.addr = uaddr(rb->args[0]), .value = (u32)rb->args[1], .bitset = (u32)rb->args[2], .deadline_ns = rb->args[3], .is_private = rb->args[4] != 0,
	};
	int err = futex_wait(&rq);

	if (err != -ERESTARTSYS)
		return err;
	rb->fn = restart_wait;
	return -ERESTART_RESTARTBLOCK;
}

static s64 wait(const struct futex_request *rq)
{
	int err = futex_wait(rq);

	if (err != -ERESTARTSYS || rq->deadline_ns == SLEEP_FOREVER)
		return err;
	current_thread()->restart = (struct restart_block){
		restart_wait, { rq->addr.v, rq->value, rq->bitset, rq->deadline_ns, rq->is_private },
	};
	return -ERESTART_RESTARTBLOCK;
}

static bool has_timeout(u32 cmd)
{
	return cmd == FUTEX_WAIT || cmd == FUTEX_WAIT_BITSET || cmd == FUTEX_LOCK_PI || cmd == FUTEX_LOCK_PI2 || cmd == FUTEX_WAIT_REQUEUE_PI;
}

static bool takes_clock(u32 cmd)
{
	return cmd == FUTEX_WAIT_BITSET || cmd == FUTEX_LOCK_PI2 || cmd == FUTEX_WAIT_REQUEUE_PI;
}

static s64 pi_operation(u32 cmd, struct futex_request *rq, const struct syscall_args *a)
{
	switch (cmd) {
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return futex_lock_pi(rq, false);
	case FUTEX_TRYLOCK_PI:
		return futex_lock_pi(rq, true);
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(rq);
	case FUTEX_WAIT_REQUEUE_PI:
		return futex_wait_requeue_pi(rq);
	case FUTEX_CMP_REQUEUE_PI:
		rq->value = (u32)a->v[5];
		return futex_requeue_pi(rq, (u32)a->v[2], (u32)a->v[3]);
	default:
		return -ENOSYS;
	}
}

s64 sys_futex(const struct syscall_args *a)
{
	u32 op = (u32)a->v[1], cmd = op & (u32)FUTEX_CMD_MASK;
	struct futex_request rq = {
		.addr = arg_uaddr(a, 0), .addr2 = arg_uaddr(a, 4), .is_private = (op & FUTEX_PRIVATE_FLAG) != 0, .value = (u32)a->v[2],
		.bitset = FUTEX_BITSET_MATCH_ANY, .deadline_ns = SLEEP_FOREVER,
	};
	bool is_realtime = (op & FUTEX_CLOCK_REALTIME) != 0;

	if (is_realtime && !takes_clock(cmd))
		return -ENOSYS;
	if (has_timeout(cmd) && a->v[3]) {
		int err = get_deadline(arg_uaddr(a, 3), cmd, is_realtime || cmd == FUTEX_LOCK_PI, &rq.deadline_ns);

		if (err)
			return err;
	}
	switch (cmd) {
	case FUTEX_WAIT_BITSET:
		rq.bitset = (u32)a->v[5];
		/* fallthrough */
	case FUTEX_WAIT:
		return wait(&rq);
	case FUTEX_WAKE_BITSET:
		rq.bitset = (u32)a->v[5];
		/* fallthrough */
	case FUTEX_WAKE:
		return futex_wake(&rq, max_t(u32, rq.value, 1));
	case FUTEX_REQUEUE:
		return futex_requeue(&rq, (u32)a->v[2], (u32)a->v[3], false);
	case FUTEX_CMP_REQUEUE:
		rq.value = (u32)a->v[5];
		return futex_requeue(&rq, (u32)a->v[2], (u32)a->v[3], true);
	case FUTEX_WAKE_OP:
		return futex_wake_op(&rq, (u32)a->v[2], (u32)a->v[3], (u32)a->v[5]);
	default:
		return pi_operation(cmd, &rq, a);
	}
}

/* --- futex_waitv: <linux/futex.h> */

static int decode_waiter(const struct futex_waitv *w, struct futex_request *rq)
{
	if ((w->flags & ~(u32)(FUTEX_32 | FUTEX_PRIVATE_FLAG)) || !(w->flags & FUTEX_32) || w->__reserved)
		return -EINVAL;
	rq->addr = uaddr(w->uaddr);
	rq->is_private = (w->flags & FUTEX_PRIVATE_FLAG) != 0;
	rq->value = (u32)w->val;
	rq->bitset = FUTEX_BITSET_MATCH_ANY;
	return 0;
}

static int wait_any(uaddr_t from, u32 n, u64 deadline_ns)
{
	struct futex_request *rq = kmalloc_array(n, sizeof(*rq), ALLOC_SLEEP | ALLOC_ZERO | ALLOC_USER);
	struct futex_waitv w;
	int r = rq ? 0 : -ENOMEM;

	for (u32 i = 0; !r && i < n; i++)
		r = uget(&w, uaddr(from.v + i * sizeof(w)), sizeof(w)) ? -EFAULT : decode_waiter(&w, &rq[i]);
	if (!r) {
		rq->deadline_ns = deadline_ns;
		r = futex_wait_any(rq, n);
	}
	kfree(rq);
	return r;
}

s64 sys_futex_waitv(const struct syscall_args *a)
{
	u32 n = (u32)a->v[1];
	s32 clock = (s32)a->v[4];
	u64 deadline_ns = SLEEP_FOREVER;

	if ((u32)a->v[2] || !n || n > FUTEX_WAITV_MAX || !a->v[0])
		return -EINVAL;
	if (a->v[3]) {
		int err = clock == CLOCK_MONOTONIC || clock == CLOCK_REALTIME ? 0 : -EINVAL;

		if (!err)
			err = get_deadline(arg_uaddr(a, 3), FUTEX_WAIT_BITSET, clock == CLOCK_REALTIME, &deadline_ns);
		if (err)
			return err;
	}
	return wait_any(arg_uaddr(a, 0), n, deadline_ns);
}

/* --- robust lists */

/* get_robust_list(2): "the call succeeds only if the head is that small a struct". */
s64 sys_set_robust_list(const struct syscall_args *a)
{
	struct thread *t = current_thread();

	if (a->v[1] != 3 * sizeof(u64))		/* struct robust_list_head */
		return -EINVAL;
	t->robust_list = arg_uaddr(a, 0);
	t->robust_len = a->v[1];
	return 0;
}

s64 sys_get_robust_list(const struct syscall_args *a)
{
	struct thread *t = (s32)a->v[0] ? thread_find_get((s32)a->v[0]) : NULL;
	u64 head, len = 3 * sizeof(u64);
	int err = 0;

	if ((s32)a->v[0] && !t)
		return -ESRCH;
	if (t)
		err = may_ptrace_read(t);
	head = (t ? t : current_thread())->robust_list.v;
	if (t)
		thread_put(t);
	if (err)
		return err;
	if (uput(arg_uaddr(a, 2), &len, sizeof(len)) || uput(arg_uaddr(a, 1), &head, sizeof(head)))
		return -EFAULT;
	return 0;
}
