/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Futexes (futex(2)): threads asleep on a word of user memory.
 *
 * Waiters hang in a hash table by the word's identity (struct mm_key: private ones by mm and address, shared ones by mapping and offset). A bucket's lock makes
 * "the word still has the expected value" and "I am on the list" one step against a waker, who changes the word first and then looks at the list.
 * User memory is read under that lock without faulting; when the page is absent the lock is dropped, the page brought in, and everything tried again.
 * A waiter is off every list once `bucket` is NULL; a thread that waits on several words (futex_waitv) has one for each. Two bucket locks are taken in address order.
 */
#include <lib/errno.h>
#include <lib/hash.h>
#include "abi/process.h"
#include "ipc/pi.h"
#include "mm/alloc.h"
#include "proc/policy.h"

#define BUCKET_BITS 8
#define MATCH_ANY FUTEX_BITSET_MATCH_ANY

static struct bucket buckets[1 << BUCKET_BITS];

void futex_init(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(buckets); i++) {
		spin_init(&buckets[i].lock, "futex bucket");
		list_init(&buckets[i].waiters);
		list_init(&buckets[i].pi_locks);
	}
}

struct bucket *bucket_of(const struct mm_key *k)
{
	return &buckets[hash_bits(hash_combine(hash_u64(k->a ^ k->off), k->b), BUCKET_BITS)];
}

bool futex_is_same(const struct mm_key *a, const struct mm_key *b)
{
	return a->a == b->a && a->b == b->b && a->off == b->off && a->is_shared == b->is_shared;
}

int futex_get_key(uaddr_t addr, bool is_private, bool is_write, struct mm_key *key)
{
	if (addr.v % sizeof(u32))
		return -EINVAL;
	return mm_futex_key(current_mm(), addr.v, is_private, is_write, key);
}

/* --- waiting */

int futex_enqueue(struct futex_waiter *w, const struct futex_request *rq)
{
	struct bucket *b = bucket_of(&w->key);
	u32 value;

	SPIN_GUARD(&b->lock);
	if (ucopy_load32(current_uspace(), rq->addr, &value))
		return -EFAULT;
	if (value != rq->value)
		return -EAGAIN;
	w->bucket = b;
	list_push_back(&b->waiters, &w->node);
	return 0;
}

/* Off the list if still on one. True if somebody else took it off: woken. */
bool futex_dequeue(struct futex_waiter *w)
{
	struct bucket *b;

	while ((b = LOAD_ACQUIRE(w->bucket)) != NULL) {
		SPIN_GUARD(&b->lock);
		if (w->bucket != b)
			continue;	/* requeued meanwhile */
		list_del(&w->node);
		w->bucket = NULL;
		return false;
	}
	return true;
}

static bool is_any_woken(const struct futex_waiter *w, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (!LOAD_ACQUIRE(w[i].bucket))
			return true;
	return false;
}

static int sleep_until_woken(const struct futex_waiter *w, u32 n, u64 deadline_ns)
{
	int err = 0;

	while (!err) {
		sched_prepare_sleep(SLEEP_INTERRUPTIBLE);
		if (is_any_woken(w, n))
			break;
		err = waitq_sleep(SLEEP_INTERRUPTIBLE, deadline_ns);
	}
	sched_cancel_sleep();
	return err;
}

static int get_wait_keys(struct futex_waiter *w, const struct futex_request *rq, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		int err = futex_get_key(rq[i].addr, rq[i].is_private, false, &w[i].key);

		if (err) {
			while (i-- > 0)
				mm_futex_key_put(&w[i].key);
			return err;
		}
	}
	return 0;
}

/* One try. The index of a word that was woken, or an error; *n_queued: how far the queueing came. */
static int try_wait(struct futex_waiter *w, const struct futex_request *rq, u32 n, u32 *n_queued)
{
	int woken = -1, err = get_wait_keys(w, rq, n);
	u32 queued = 0;

	*n_queued = n;
	if (err)
		return err;
	while (!err && queued < n) {
		err = futex_enqueue(&w[queued], &rq[queued]);
		queued += !err;
	}
	if (!err)
		err = sleep_until_woken(w, n, rq->deadline_ns);
	for (u32 i = 0; i < queued; i++)
		if (futex_dequeue(&w[i]))
			woken = (int)i;
	for (u32 i = 0; i < n; i++)
		mm_futex_key_put(&w[i].key);
	*n_queued = queued;
	return woken >= 0 ? woken : err;
}

static int wait_any(struct futex_waiter *w, const struct futex_request *rq, u32 n)
{
	u32 queued;
	int r;

	for (;;) {
		r = try_wait(w, rq, n, &queued);
		if (r != -EFAULT || queued == n)
			return r;
		if (ucopy_prefault(current_uspace(), rq[queued].addr, sizeof(u32), false))
			return -EFAULT;
	}
}

int futex_wait(const struct futex_request *rq)
{
	struct futex_waiter w = { .task = current_task(), .bitset = rq->bitset };

	return rq->bitset ? wait_any(&w, rq, 1) : -EINVAL;
}

int futex_wait_any(const struct futex_request *rq, u32 n)
{
	struct futex_waiter *w = kmalloc_array(n, sizeof(*w), ALLOC_SLEEP | ALLOC_ZERO | ALLOC_USER);
	int r;

	if (!w)
		return -ENOMEM;
	for (u32 i = 0; i < n; i++) {
		w[i].task = current_task();
		w[i].bitset = rq[i].bitset;
	}
	r = wait_any(w, rq, n);
	kfree(w);
	return r;
}

/* --- waking. bucket->lock held */

static void wake_one(struct futex_waiter *w)
{
	struct task *t = w->task;

	list_del(&w->node);
	STORE_RELEASE(w->bucket, NULL);		/* its stack frame may be gone after this */
	sched_wake(t);
}

/* How many. -EINVAL: there is one who waits for a priority-inheritance lock. */
static s64 wake_matching(struct bucket *b, const struct mm_key *key, u32 bitset, u32 n)
{
	struct futex_waiter *w, *next;
	u32 woken = 0;

	if (unlikely(!list_empty(&b->pi_locks)) && pi_find(b, key))
		return -EINVAL;
	list_for_each_entry_safe(w, next, &b->waiters, node) {
		if (woken == n)
			break;
		if (!futex_is_same(&w->key, key))
			continue;
		if (w->pi)
			return -EINVAL;
		if (!(w->bitset & bitset))
			continue;
		wake_one(w);
		woken++;
	}
	return woken;
}

s64 futex_wake(const struct futex_request *rq, u32 n)
{
	struct mm_key key;
	struct bucket *b;
	s64 woken;
	int err;

	if (!rq->bitset)
		return -EINVAL;
	err = futex_get_key(rq->addr, rq->is_private, false, &key);
	if (err)
		return err;
	b = bucket_of(&key);
	spin_lock(&b->lock);
	woken = wake_matching(b, &key, rq->bitset, n);
	spin_unlock(&b->lock);
	mm_futex_key_put(&key);
	return woken;
}

void proc_policy_futex_wake(uaddr_t addr)
{
	struct futex_request rq = { .addr = addr, .bitset = MATCH_ANY };

	/* Waiters may have used either kind of key. Nobody can be told if the address is bad. */
	if (futex_wake(&rq, 1) == 0) {
		rq.is_private = true;
		if (futex_wake(&rq, 1) < 0)
			return;
	}
}

/* --- two words */

void futex_lock_both(struct bucket *a, struct bucket *b)
{
	if (a > b) {
		struct bucket *t = a;

		a = b;
		b = t;
	}
	spin_lock(&a->lock);
	if (a != b)
		spin_lock_nested(&b->lock, 1);
}

void futex_unlock_both(struct bucket *a, struct bucket *b)
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

int futex_get_keys(const struct futex_request *rq, bool is_second_written, struct two_keys *keys)
{
	int err = futex_get_key(rq->addr, rq->is_private, false, &keys->first);

	if (err)
		return err;
	err = futex_get_key(rq->addr2, rq->is_private, is_second_written, &keys->second);
	if (err)
		mm_futex_key_put(&keys->first);
	return err;
}

void futex_put_keys(struct two_keys *keys)
{
	mm_futex_key_put(&keys->first);
	mm_futex_key_put(&keys->second);
}

/* Moves up to n waiters. Each holds a reference of its own on what its key names; a file's last one is put later when it falls under a lock (file_put). */
static s64 move_matching(struct bucket *from, struct bucket *to, const struct two_keys *keys, u32 n)
{
	struct futex_waiter *w, *next;
	struct list moved = LIST_INIT(moved);
	u32 count = 0;

	list_for_each_entry_safe(w, next, &from->waiters, node) {
		if (count == n)
			break;
		if (!futex_is_same(&w->key, &keys->first))
			continue;
		if (w->pi)
			break;
		mm_futex_key_put(&w->key);
		w->key = keys->second;
		if (w->key.file)
			w->key.ops->get(w->key.file);
		list_move_back(&moved, &w->node);
		STORE_RELEASE(w->bucket, to);
		count++;
	}
	list_splice_back(&to->waiters, &moved);
	return count;
}

s64 futex_requeue(const struct futex_request *rq, u32 n, u32 n_move, bool expect)
{
	struct two_keys keys;
	struct bucket *a, *b;
	s64 woken = 0, moved = 0;
	u32 value;
	int err;

	if ((s32)n < 0 || (s32)n_move < 0)
		return -EINVAL;
again:
	err = futex_get_keys(rq, false, &keys);
	if (err)
		return err;
	a = bucket_of(&keys.first);
	b = bucket_of(&keys.second);
	futex_lock_both(a, b);
	if (expect)
		err = ucopy_load32(current_uspace(), rq->addr, &value);
	if (!err && expect && value != rq->value)
		err = -EAGAIN;
	if (!err) {
		woken = pi_find(b, &keys.second) ? -EINVAL : wake_matching(a, &keys.first, MATCH_ANY, n);
		if (woken >= 0)
			moved = move_matching(a, b, &keys, n_move);
	}
	futex_unlock_both(a, b);
	futex_put_keys(&keys);
	if (err == -EFAULT && ucopy_prefault(current_uspace(), rq->addr, sizeof(u32), false) == 0)
		goto again;
	return err ? err : woken + moved;
}

/* --- FUTEX_WAKE_OP */

struct wake_op {
	u32 op, cmp;
	u32 oparg;
	s32 cmparg;
};

static int decode_op(u32 code, struct wake_op *op)
{
	*op = (struct wake_op){ .op = code >> 28 & 7, .cmp = code >> 24 & 15, .oparg = code >> 12 & 0xfff, .cmparg = (s32)(code & 0xfff) };
	if (op->oparg & 0x800)
		op->oparg |= 0xfffff000;
	if (op->cmparg & 0x800)
		op->cmparg |= (s32)0xfffff000;
	if (code >> 28 & FUTEX_OP_OPARG_SHIFT)	/* bit 31: the operand is a shift count */
		op->oparg = 1u << (op->oparg & 31);
	return op->op > FUTEX_OP_XOR || op->cmp > FUTEX_OP_CMP_GE ? -ENOSYS : 0;
}

static u32 apply(const struct wake_op *op, u32 v)
{
	switch (op->op) {
	case FUTEX_OP_SET:
		return op->oparg;
	case FUTEX_OP_ADD:
		return v + op->oparg;
	case FUTEX_OP_OR:
		return v | op->oparg;
	case FUTEX_OP_ANDN:
		return v & ~op->oparg;
	default:
		return v ^ op->oparg;
	}
}

static bool compare(const struct wake_op *op, s32 v)
{
	switch (op->cmp) {
	case FUTEX_OP_CMP_EQ:
		return v == op->cmparg;
	case FUTEX_OP_CMP_NE:
		return v != op->cmparg;
	case FUTEX_OP_CMP_LT:
		return v < op->cmparg;
	case FUTEX_OP_CMP_LE:
		return v <= op->cmparg;
	case FUTEX_OP_CMP_GT:
		return v > op->cmparg;
	default:
		return v >= op->cmparg;
	}
}

/* Changes the word; *old gets what it was. -EFAULT: absent. */
static int change_word(uaddr_t addr, const struct wake_op *op, u32 *old)
{
	u32 seen;
	int err = ucopy_load32(current_uspace(), addr, old);

	while (!err) {
		err = ucopy_cmpxchg32(current_uspace(), addr, *old, apply(op, *old), &seen);
		if (!err && seen == *old)
			break;
		*old = seen;
	}
	return err;
}

s64 futex_wake_op(const struct futex_request *rq, u32 n, u32 n2, u32 code)
{
	struct two_keys keys;
	struct bucket *a, *b;
	struct wake_op op;
	s64 woken = 0, more = 0;
	u32 old;
	int err = decode_op(code, &op);

	if (err)
		return err;
again:
	err = futex_get_keys(rq, true, &keys);
	if (err)
		return err;
	a = bucket_of(&keys.first);
	b = bucket_of(&keys.second);
	futex_lock_both(a, b);
	err = change_word(rq->addr2, &op, &old);
	if (!err) {
		woken = wake_matching(a, &keys.first, MATCH_ANY, n);
		if (woken >= 0 && compare(&op, (s32)old))
			more = wake_matching(b, &keys.second, MATCH_ANY, n2);
	}
	futex_unlock_both(a, b);
	futex_put_keys(&keys);
	if (err == -EFAULT && ucopy_prefault(current_uspace(), rq->addr2, sizeof(u32), true) == 0)
		goto again;
	return err ? err : woken < 0 ? woken : more < 0 ? more : woken + more;
}
