/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Futexes with priority inheritance (futex(2)): the word is 0, or the owner's thread id, with FUTEX_WAITERS while the kernel knows of the lock, and
 * FUTEX_OWNER_DIED once an owner ended with it.
 *
 * The word changes under the bucket's lock, together with what pi.c knows, but by compare-and-exchange, since programs change it too; what was seen in between decides, and when
 * it has changed everything is looked at again. A bit FUTEX_WAITERS too many does no harm: the owner comes to the kernel and finds nobody.
 */
#include <lib/errno.h>
#include "abi/process.h"
#include "ipc/pi.h"
#include "mm/alloc.h"
#include "object/uaccess.h"

/* One look at a lock, with its bucket locked, for `who`. */
struct attempt {
	uaddr_t addr;
	const struct mm_key *key;
	struct thread *who;
	bool is_trying;			/* will not wait */
	struct pi_lock *fresh;		/* for the first who waits; NULL once in use */
	struct thread *owner;		/* a reference to be put outside the lock */
	struct pi_lock *lock;		/* what came out: to be joined */
};
enum { JOIN, TAKEN, LOOK_AGAIN };	/* or -errno; -EFAULT: the word's page is not there */

static int exchange(uaddr_t addr, u32 old, u32 new)
{
	u32 seen;
	int err = ucopy_cmpxchg32(current_uspace(), addr, old, new, &seen);

	return err ? -EFAULT : seen == old ? 0 : LOOK_AGAIN;
}

static u32 tid_of(const struct thread *t)
{
	return (u32)thread_tid(t);
}

static bool has_plain_waiter(const struct bucket *b, const struct mm_key *key)
{
	const struct futex_waiter *w;

	list_for_each_entry(w, &b->waiters, node)
		if (futex_is_same(&w->key, key))
			return true;
	return false;
}

/* The owner that the word names cannot be found: unless the word is another by now, there is none. */
static int no_owner(const struct attempt *a, u32 word)
{
	u32 now;

	if (ucopy_load32(current_uspace(), a->addr, &now))
		return -EFAULT;
	return now == word ? -ESRCH : LOOK_AGAIN;
}

/* The first to wait for the owner that the word names. */
static int begin(struct attempt *a, struct bucket *b, u32 word)
{
	int r;

	a->owner = thread_find_get((s32)(word & FUTEX_TID_MASK));
	if (!a->owner)
		return no_owner(a, word);
	if (a->is_trying)
		return JOIN;
	r = exchange(a->addr, word, word | FUTEX_WAITERS);
	if (r)
		return r;
	if (pi_begin(b, a->fresh, a->key, a->owner))
		return no_owner(a, word | FUTEX_WAITERS);
	a->lock = a->fresh;
	a->fresh = NULL;
	return JOIN;
}

static int look(struct attempt *a)
{
	struct bucket *b = bucket_of(a->key);
	u32 word;
	int r;

	a->lock = NULL;
	if (ucopy_load32(current_uspace(), a->addr, &word))
		return -EFAULT;
	if ((word & FUTEX_TID_MASK) == tid_of(a->who))
		return -EDEADLK;
	a->lock = pi_find(b, a->key);
	if (a->lock)
		return a->lock->is_unmarked || (word & FUTEX_TID_MASK) == tid_of(a->lock->owner) ? JOIN : -EINVAL;
	if (has_plain_waiter(b, a->key))
		return -EINVAL;
	if (word & FUTEX_TID_MASK)
		return begin(a, b, word);
	r = exchange(a->addr, word, tid_of(a->who) | (word & FUTEX_OWNER_DIED));
	return r ? r : TAKEN;
}

static void end_attempt(struct attempt *a)
{
	if (a->owner)
		thread_put(a->owner);
	a->owner = NULL;
}

/* After LOOK_AGAIN and -EFAULT, no lock held: 0 to try again. */
static int prepare_again(int r, uaddr_t addr)
{
	if (r == -EFAULT)
		return ucopy_prefault(current_uspace(), addr, sizeof(u32), true) ? -EFAULT : 0;
	sched_check();
	return task_work(current_task()) & TASK_WORK_KILL ? -ERESTARTNOINTR : 0;
}

/* --- waiting for a lock */

static struct pi_lock *end_if_idle(struct pi_lock *l)
{
	return pi_end_if_idle(l) ? l : NULL;
}

static int sleep_in_queue(const struct pi_waiter *w, u64 deadline_ns)
{
	int err = 0;

	while (!err) {
		sched_prepare_sleep(SLEEP_INTERRUPTIBLE);
		if (LOAD_ACQUIRE(w->stage) != PI_QUEUED)
			break;
		err = waitq_sleep(SLEEP_INTERRUPTIBLE, deadline_ns);
	}
	sched_cancel_sleep();
	return err;
}

static int write_name(uaddr_t addr)
{
	u32 word, tid = tid_of(current_thread());

	for (;;) {
		int r = ucopy_load32(current_uspace(), addr, &word) ? -EFAULT : exchange(addr, word, tid | FUTEX_WAITERS | FUTEX_OWNER_DIED);

		if (!r)
			return 0;
		if (r == -EFAULT && ucopy_prefault(current_uspace(), addr, sizeof(u32), true))
			return -EFAULT;
	}
}

/* The former owner died, and this thread is the next: the word is to say so. If it cannot be written, the lock goes on to the next. */
static int mark(struct pi_lock *l, uaddr_t addr)
{
	struct bucket *b = bucket_of(&l->key);
	struct pi_waiter *next = NULL;
	struct pi_lock *idle;
	int err = write_name(addr);

	spin_lock(&b->lock);
	if (err)
		next = pi_first(l);
	if (next) {
		pi_hand_over(l, next);
		pi_grant(next, true);
	} else {
		pi_set_unmarked(l, false);
	}
	idle = end_if_idle(l);
	spin_unlock(&b->lock);
	kfree(idle);
	return err;
}

/* `w` is queued at a lock whose word is at addr: 0 with the lock, or why not. */
static int wait_for_lock(struct pi_waiter *w, const struct mm_key *key, uaddr_t addr, u64 deadline_ns)
{
	struct bucket *b = bucket_of(key);
	struct pi_lock *idle = NULL;
	int err = sleep_in_queue(w, deadline_ns);

	if (LOAD_ACQUIRE(w->stage) == PI_QUEUED) {
		bool is_queued;

		spin_lock(&b->lock);
		is_queued = w->stage == PI_QUEUED;
		if (is_queued) {
			pi_leave(w);
			idle = end_if_idle(w->lock);
		}
		spin_unlock(&b->lock);
		kfree(idle);
		if (is_queued)
			return err;
	}
	return w->must_mark ? mark(w->lock, addr) : 0;
}

/* One try with the key at hand. */
static int lock_once(struct attempt *a, u64 deadline_ns, bool *may_retry)
{
	struct bucket *b = bucket_of(a->key);
	struct pi_waiter w = { .thread = a->who };
	struct pi_lock *idle = NULL;
	int r;

	spin_lock(&b->lock);
	r = look(a);
	*may_retry = r == LOOK_AGAIN || r == -EFAULT;
	if (r == JOIN && a->is_trying) {
		r = -EAGAIN;
	} else if (r == JOIN) {
		r = pi_join(a->lock, &w);
		if (r)
			idle = end_if_idle(a->lock);
		else
			r = JOIN;
	}
	spin_unlock(&b->lock);
	kfree(idle);
	end_attempt(a);
	if (r == TAKEN)
		return 0;
	return r == JOIN ? wait_for_lock(&w, a->key, a->addr, deadline_ns) : r;
}

int futex_lock_pi(const struct futex_request *rq, bool is_trying)
{
	struct mm_key key;
	struct attempt a = { .addr = rq->addr, .key = &key, .who = current_thread(), .is_trying = is_trying };
	bool may_retry = true;
	int r = 0;

	while (!r && may_retry) {
		if (!is_trying && !a.fresh)
			a.fresh = kmalloc(sizeof(*a.fresh), ALLOC_SLEEP | ALLOC_ZERO | ALLOC_USER);
		if (!is_trying && !a.fresh)
			return -ENOMEM;
		r = futex_get_key(rq->addr, rq->is_private, true, &key);
		if (r)
			break;
		r = lock_once(&a, rq->deadline_ns, &may_retry);
		mm_futex_key_put(&key);
		if (may_retry)
			r = prepare_again(r, rq->addr);
	}
	kfree(a.fresh);
	return r == -ERESTARTSYS ? -ERESTARTNOINTR : r;
}

/* --- unlocking. Bucket locked: 0, LOOK_AGAIN, -EFAULT, or another error; *idle is to be freed. */
static int unlock(struct bucket *b, const struct mm_key *key, uaddr_t addr, struct pi_lock **idle)
{
	struct pi_waiter *next;
	struct pi_lock *l;
	u32 word;
	int r;

	if (ucopy_load32(current_uspace(), addr, &word))
		return -EFAULT;
	if ((word & FUTEX_TID_MASK) != tid_of(current_thread()))
		return -EPERM;
	l = pi_find(b, key);
	if (!l)
		return has_plain_waiter(b, key) ? -EINVAL : exchange(addr, word, 0);
	next = pi_first(l);
	if (l->owner != current_thread() || l->is_unmarked || !next)
		return -EINVAL;
	r = exchange(addr, word, tid_of(next->thread) | FUTEX_WAITERS);
	if (r)
		return r;
	pi_hand_over(l, next);
	*idle = end_if_idle(l);
	pi_grant(next, false);
	return 0;
}

int futex_unlock_pi(const struct futex_request *rq)
{
	struct pi_lock *idle = NULL;
	struct mm_key key;
	struct bucket *b;
	u32 word;
	int r;

	/* As on Linux, whether it is the caller's is asked before whether it is a word at all. */
	if (uget(&word, rq->addr, sizeof(word)))
		return -EFAULT;
	if ((word & FUTEX_TID_MASK) != tid_of(current_thread()))
		return -EPERM;
	do {
		r = futex_get_key(rq->addr, rq->is_private, true, &key);
		if (r)
			return r;
		b = bucket_of(&key);
		spin_lock(&b->lock);
		r = unlock(b, &key, rq->addr, &idle);
		spin_unlock(&b->lock);
		kfree(idle);
		mm_futex_key_put(&key);
		if (r != LOOK_AGAIN && r != -EFAULT)
			return r;
		r = prepare_again(r, rq->addr);
	} while (!r);
	return r;
}

/* --- waiting for something else, with the lock on return */

int futex_wait_requeue_pi(const struct futex_request *rq)
{
	struct pi_waiter p = { .thread = current_thread() };
	struct futex_waiter w = { .task = current_task(), .bitset = FUTEX_BITSET_MATCH_ANY, .pi = &p };
	struct two_keys keys;
	int err, lock_err;

	do {
		err = futex_get_keys(rq, true, &keys);
		if (err)
			return err;
		w.key = keys.first;
		w.pi_key = keys.second;
		err = futex_is_same(&keys.first, &keys.second) ? -EINVAL : futex_enqueue(&w, rq);
		if (err)
			futex_put_keys(&keys);
	} while (err == -EFAULT && ucopy_prefault(current_uspace(), rq->addr, sizeof(u32), false) == 0);
	if (err)
		return err;
	err = sleep_in_queue(&p, rq->deadline_ns);
	if (!futex_dequeue(&w)) {	/* nobody has moved it */
		futex_put_keys(&keys);
		return err == -ERESTARTSYS ? -ERESTARTNOINTR : err;
	}
	lock_err = wait_for_lock(&p, &keys.second, rq->addr2, err ? 0 : rq->deadline_ns);
	futex_put_keys(&keys);
	if (lock_err && lock_err != -EFAULT && err)
		lock_err = err;		/* it was over already, and the lock did not come meanwhile */
	return lock_err == -ERESTARTSYS ? -EAGAIN : lock_err;	/* the first word's value has changed by now */
}

/* Both buckets locked. Takes the lock for the waiter, or has him wait for it. */
static int move_one(struct futex_waiter *w, struct attempt *a, struct pi_lock **idle)
{
	int r;

	a->who = w->pi->thread;
	r = look(a);
	if (r == JOIN) {
		r = pi_join(a->lock, w->pi);
		if (r)
			*idle = end_if_idle(a->lock);
		else
			r = JOIN;
	}
	if (r != JOIN && r != TAKEN)
		return r;
	list_del(&w->node);
	STORE_RELEASE(w->bucket, NULL);
	if (r == TAKEN)
		pi_grant(w->pi, false);
	return 0;
}

static int move_all(struct bucket *from, const struct two_keys *keys, struct attempt *a, u64 most, u64 *count, struct pi_lock **idle)
{
	struct futex_waiter *w, *next;
	int r;

	list_for_each_entry_safe(w, next, &from->waiters, node) {
		if (*count == most)
			break;
		if (!futex_is_same(&w->key, &keys->first))
			continue;
		if (!w->pi || !futex_is_same(&w->pi_key, &keys->second))
			return -EINVAL;
		r = move_one(w, a, idle);
		if (r)
			return r;
		++*count;
	}
	return 0;
}

static int requeue_once(const struct futex_request *rq, const struct two_keys *keys, struct attempt *a, u64 most, u64 *count, bool *may_retry)
{
	struct bucket *from = bucket_of(&keys->first), *to = bucket_of(&keys->second);
	struct pi_lock *idle = NULL;
	u32 value = rq->value;
	int r;

	futex_lock_both(from, to);
	r = *count || !ucopy_load32(current_uspace(), rq->addr, &value) ? 0 : -EFAULT;
	if (!r && value != rq->value)
		r = -EAGAIN;
	*may_retry = r == -EFAULT;
	if (!r) {
		r = pi_find(from, &keys->first) ? -EINVAL : move_all(from, keys, a, most, count, &idle);
		*may_retry = r == LOOK_AGAIN || r == -EFAULT;
	}
	futex_unlock_both(from, to);
	kfree(idle);
	end_attempt(a);
	return r;
}

s64 futex_requeue_pi(const struct futex_request *rq, u32 n, u32 n_move)
{
	struct two_keys keys;
	struct attempt a = { .addr = rq->addr2, .key = &keys.second };
	bool may_retry = true;
	u64 count = 0;
	int r = 0;

	if (n != 1 || (s32)n_move < 0 || rq->addr.v == rq->addr2.v)
		return -EINVAL;
	while (!r && may_retry) {
		if (!a.fresh)
			a.fresh = kmalloc(sizeof(*a.fresh), ALLOC_SLEEP | ALLOC_ZERO | ALLOC_USER);
		r = a.fresh ? futex_get_keys(rq, true, &keys) : -ENOMEM;
		if (r)
			break;
		r = futex_is_same(&keys.first, &keys.second) ? -EINVAL : requeue_once(rq, &keys, &a, 1 + (u64)n_move, &count, &may_retry);
		if (may_retry && r == -EINVAL)
			may_retry = false;
		futex_put_keys(&keys);
		if (may_retry)
			r = r == -EFAULT && ucopy_prefault(current_uspace(), rq->addr, sizeof(u32), false) ? -EFAULT : prepare_again(r, rq->addr2);
	}
	kfree(a.fresh);
	return r ? r : (s64)count;
}
