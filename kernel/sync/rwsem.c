/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The reader-writer semaphore.
 *
 * `state` is the lock: a writer bit, the number of readers, and two bits about the queue. Without waiters, and without a writer in the way, taking and
 * giving are one atomic step each.
 *
 * Who does not get in queues under s->lock (oldest first) and sleeps. RW_WAITERS: somebody queues, so whoever frees the lock calls pass_on: readers at the front
 * are *granted* the lock, all that stand side by side; a writer at the front is woken and competes. A newcomer may pass those who wait (a lock handed from
 * sleeper to sleeper costs a switch each time), but only once: a front waiter who was passed, or a front writer who finds readers, sets RW_TURN, and then newcomers queue.
 * So nobody waits for ever, and readers that overlap do not keep a writer out.
 *
 * No wake is lost: a waiter sets RW_WAITERS before it looks at the state for the last time, and who frees the lock sees the bit in the same atomic step.
 * Giving may touch the semaphore after the next owner has it: an object is not freed by someone who only knows that he holds its lock.
 */
#include <frame/preempt.h>
#include <frame/log.h>
#include "sync/mutex.h"

enum { RW_WRITER = 1, RW_WAITERS = 2, RW_TURN = 4, RW_READER = 8 /* readers count from here */ };
#define RW_HELD (~(u32)(RW_WAITERS | RW_TURN))

struct rwsem_waiter {
	struct list node;	/* [s->lock] */
	struct task *task;	/* [I] */
	bool is_writer;		/* [I] */
	bool is_granted;	/* [s->lock, a] readers: it has the lock and is off the queue */
	bool is_woken;		/* [s->lock, a] writers: it may try */
};

void rwsem_init(struct rwsem *s, const char *name)
{
	s->state = 0;
	s->owner_cpu = 0;
	s->owner = NULL;
	spin_init_hard(&s->lock, "rwsem");
	list_init(&s->waiters);
	lock_debug_init(&s->debug, name);
}

/* Adds to the state unless one of the bits in `unless` is set. */
static bool state_add(struct rwsem *s, u32 add, u32 unless, int order)
{
	u32 old = __atomic_load_n(&s->state, __ATOMIC_RELAXED);

	do {
		if (old & unless)
			return false;
	} while (!__atomic_compare_exchange_n(&s->state, &old, old + add, true, order, __ATOMIC_RELAXED));
	return true;
}

static bool read_take(struct rwsem *s)
{
	return state_add(s, RW_READER, RW_WRITER | RW_TURN, __ATOMIC_ACQUIRE);
}

static void owner_set(struct rwsem *s)
{
	WRITE_ONCE(s->owner_cpu, cpu_id());
	WRITE_ONCE(s->owner, current_task());
}

/* `turn` is RW_TURN for newcomers, 0 for the front waiter, whose turn it is. */
static bool write_take(struct rwsem *s, u32 turn)
{
	if (!state_add(s, RW_WRITER, RW_HELD | turn, __ATOMIC_ACQUIRE))
		return false;
	owner_set(s);
	return true;
}

/* Spins while the writer runs on another CPU and nobody's turn is due. The owner is compared, never looked into: it may be gone. */
static bool spin_to_take(struct rwsem *s, bool is_writer)
{
	for (u32 i = 0; i < LOCK_SPIN_TURNS; i++) {
		const struct task *owner = READ_ONCE(s->owner);

		if (is_writer ? write_take(s, RW_TURN) : read_take(s))
			return true;
		if (!owner || (READ_ONCE(s->state) & RW_TURN) || preempt_resched_wanted() || !sched_runs_elsewhere(owner, READ_ONCE(s->owner_cpu)))
			return false;
		arch_relax();
	}
	return false;
}

/* --- the queue. s->lock held */

static struct rwsem_waiter *front_locked(struct rwsem *s)
{
	return list_empty(&s->waiters) ? NULL : list_first_entry(&s->waiters, struct rwsem_waiter, node);
}

/* Somebody has left the queue: whose turn it was is not known any more. */
static void left_locked(struct rwsem *s)
{
	__atomic_fetch_and(&s->state, list_empty(&s->waiters) ? RW_HELD : ~(u32)RW_TURN, __ATOMIC_RELAXED);
}

static void turn_set_locked(struct rwsem *s)
{
	__atomic_fetch_or(&s->state, RW_TURN, __ATOMIC_SEQ_CST);
}

/* Lets in the readers at the front. False: a writer is in. */
static bool grant_readers_locked(struct rwsem *s)
{
	struct rwsem_waiter *w;

	while ((w = front_locked(s)) && !w->is_writer) {
		struct task *task = w->task;

		if (!state_add(s, RW_READER, RW_WRITER, __ATOMIC_ACQUIRE))
			return false;
		list_del(&w->node);
		STORE_RELEASE(w->is_granted, true);	/* w may be gone after this */
		(void)sched_wake(task);
	}
	left_locked(s);
	return true;
}

/* The lock has become free, or the queue has another front. A newcomer may have been faster: then the front is next. */
static void pass_on_locked(struct rwsem *s)
{
	struct rwsem_waiter *w = front_locked(s);

	if (w && !w->is_writer) {
		if (!grant_readers_locked(s))
			turn_set_locked(s);
		w = front_locked(s);
	}
	if (!w || !w->is_writer)
		return;
	if (READ_ONCE(s->state) >= RW_READER) {
		turn_set_locked(s);	/* the last of them comes here again */
		return;
	}
	w->is_woken = true;
	(void)sched_wake(w->task);
}

static void pass_on(struct rwsem *s)
{
	SPIN_GUARD_HARD(&s->lock);
	pass_on_locked(s);
}

/* The front writer tries; if it has been passed once or finds readers it is its turn from now on. */
static bool write_try_locked(struct rwsem *s, struct rwsem_waiter *w, bool has_slept)
{
	w->is_woken = false;
	if (front_locked(s) != w)
		return false;
	if (write_take(s, 0))
		return true;
	if (has_slept || READ_ONCE(s->state) >= RW_READER)
		turn_set_locked(s);
	return write_take(s, 0);
}

static bool try_locked(struct rwsem *s, struct rwsem_waiter *w, bool has_slept)
{
	return w->is_writer ? write_try_locked(s, w, has_slept) : w->is_granted;
}

static int wait_for(struct rwsem *s, bool is_writer, enum sleep_kind kind)
{
	struct rwsem_waiter w = { .task = current_task(), .is_writer = is_writer };
	bool has_slept = false;
	int err = 0;

	spin_lock_hard(&s->lock);
	list_push_back(&s->waiters, &w.node);
	__atomic_fetch_or(&s->state, RW_WAITERS, __ATOMIC_SEQ_CST);
	if (!is_writer && front_locked(s) == &w)
		(void)grant_readers_locked(s);
	while (!try_locked(s, &w, has_slept)) {
		if (kind == SLEEP_KILLABLE && current_killed()) {
			err = -EINTR;
			break;
		}
		spin_unlock_hard(&s->lock);
		sched_prepare_sleep(kind);
		if (LOAD_ACQUIRE(w.is_granted) || LOAD_ACQUIRE(w.is_woken))
			sched_cancel_sleep();
		else
			(void)sched_sleep_until(SLEEP_FOREVER);
		has_slept = true;
		spin_lock_hard(&s->lock);
	}
	if (!w.is_granted) {
		list_del(&w.node);
		left_locked(s);
		if (err)
			pass_on_locked(s);
	}
	spin_unlock_hard(&s->lock);
	return err;
}

/* --- taking */

static __noinline int lock_contended(struct rwsem *s, bool is_writer, enum sleep_kind kind)
{
	int err = spin_to_take(s, is_writer) ? 0 : wait_for(s, is_writer, kind);

	if (err)
		lock_debug_release(&s->debug);
	return err;
}

static __always_inline int lock_kind(struct rwsem *s, bool is_writer, enum sleep_kind kind, u32 subclass)
{
	might_sleep();
	lock_debug_acquire(&s->debug, LOCK_SLEEP, subclass);
	ASSERT(READ_ONCE(s->owner) != current_task());
	return likely(is_writer ? write_take(s, RW_TURN) : read_take(s)) ? 0 : lock_contended(s, is_writer, kind);
}

void rwsem_read_lock(struct rwsem *s)
{
	(void)!lock_kind(s, false, SLEEP_UNINTERRUPTIBLE, 0);
}

int rwsem_read_lock_killable(struct rwsem *s)
{
	return lock_kind(s, false, SLEEP_KILLABLE, 0);
}

bool rwsem_read_trylock(struct rwsem *s)
{
	bool ok = read_take(s);

	if (ok)
		lock_debug_acquired_try(&s->debug, LOCK_SLEEP);
	return ok;
}

void rwsem_write_lock(struct rwsem *s)
{
	(void)!lock_kind(s, true, SLEEP_UNINTERRUPTIBLE, 0);
}

void rwsem_write_lock_nested(struct rwsem *s, u32 subclass)
{
	(void)!lock_kind(s, true, SLEEP_UNINTERRUPTIBLE, subclass);
}

int rwsem_write_lock_killable(struct rwsem *s)
{
	return lock_kind(s, true, SLEEP_KILLABLE, 0);
}

bool rwsem_write_trylock(struct rwsem *s)
{
	bool ok = write_take(s, RW_TURN);

	if (ok)
		lock_debug_acquired_try(&s->debug, LOCK_SLEEP);
	return ok;
}

/* --- giving */

void rwsem_read_unlock(struct rwsem *s)
{
	u32 old;

	lock_debug_release(&s->debug);
	old = __atomic_fetch_sub(&s->state, RW_READER, __ATOMIC_SEQ_CST);
	BUG_ON(old < RW_READER);
	if (unlikely((old & RW_WAITERS) && old < 2 * RW_READER))
		pass_on(s);
}

void rwsem_write_unlock(struct rwsem *s)
{
	lock_debug_release(&s->debug);
	BUG_ON(s->owner != current_task());
	WRITE_ONCE(s->owner, NULL);
	if (unlikely(__atomic_fetch_and(&s->state, ~(u32)RW_WRITER, __ATOMIC_SEQ_CST) & RW_WAITERS))
		pass_on(s);
}

void rwsem_downgrade(struct rwsem *s)
{
	BUG_ON(s->owner != current_task());
	WRITE_ONCE(s->owner, NULL);
	if (__atomic_fetch_add(&s->state, RW_READER - RW_WRITER, __ATOMIC_SEQ_CST) & RW_WAITERS)
		pass_on(s);	/* readers at the front of the queue */
}
