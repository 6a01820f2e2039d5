/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Spinlocks. The type states the innermost context that takes the lock, and its functions disable accordingly:
 *
 *	struct spinlock		task context only		disables preemption
 *	struct spinlock_soft	also soft work			disables soft work
 *	struct spinlock_hard	also hard interrupt handlers	disables interrupts
 *
 * Not fair: whoever finds it free gets it, for a queue of virtual CPUs stands still whenever the one whose turn it is does not run. Not recursive. Nothing may sleep while one is held. In the debug build each lock belongs to a class (its
 * initialiser or spin_init's `name`) and the order of classes is checked: frame/debug/lockdep.c; two locks of one class nest
 * only through spin_lock_nested.
 * The guards release at the end of the scope: `SPIN_GUARD(&x->lock);`
 */
#ifndef FRAME_SPINLOCK_H
#define FRAME_SPINLOCK_H

#include <lib/types.h>
#include <frame/preempt.h>
#include <frame/lockdep.h>

struct spin_word {
	u32 is_held;	/* [a] */
};

struct spinlock {
	struct spin_word word;
	struct lock_debug debug;
};
struct spinlock_soft {
	struct spin_word word;
	struct lock_debug debug;
};
struct spinlock_hard {
	struct spin_word word;
	struct lock_debug debug;
};

/* Static initialiser: struct spinlock l = SPINLOCK_INIT("name"); for all three types. Same name = same class. */
#define SPINLOCK_INIT(name) { .debug = LOCK_DEBUG_INIT(name) }

void spin_contended(struct spin_word *w);	/* waits for it and takes it */

static inline __must_check bool spin_word_try(struct spin_word *w)
{
	return !__atomic_exchange_n(&w->is_held, 1, __ATOMIC_ACQUIRE);
}

static inline void spin_word_take(struct spin_word *w)
{
	if (__builtin_expect(!spin_word_try(w), 0))
		spin_contended(w);
}

static inline void spin_word_give(struct spin_word *w)
{
	__atomic_store_n(&w->is_held, 0, __ATOMIC_RELEASE);
}

static inline bool spin_word_held(const struct spin_word *w)
{
	return __atomic_load_n(&w->is_held, __ATOMIC_RELAXED);
}

static inline void spin_init(struct spinlock *l, const char *name)
{
	l->word = (struct spin_word){ 0 };
	lock_debug_init(&l->debug, name);
}

static inline void spin_init_soft(struct spinlock_soft *l, const char *name)
{
	l->word = (struct spin_word){ 0 };
	lock_debug_init(&l->debug, name);
}

static inline void spin_init_hard(struct spinlock_hard *l, const char *name)
{
	l->word = (struct spin_word){ 0 };
	lock_debug_init(&l->debug, name);
}

static inline void spin_lock_nested(struct spinlock *l, u32 subclass)
{
	preempt_disable();
	lock_debug_acquire(&l->debug, LOCK_TASK, subclass);
	spin_word_take(&l->word);
}

static inline void spin_lock(struct spinlock *l)
{
	spin_lock_nested(l, 0);
}

static inline __must_check bool spin_trylock(struct spinlock *l)
{
	preempt_disable();
	if (spin_word_try(&l->word)) {
		lock_debug_acquired_try(&l->debug, LOCK_TASK);
		return true;
	}
	preempt_enable();
	return false;
}

static inline void spin_unlock(struct spinlock *l)
{
	lock_debug_release(&l->debug);
	spin_word_give(&l->word);
	preempt_enable();
}

static inline bool spin_is_locked(const struct spinlock *l)
{
	return spin_word_held(&l->word);
}

static inline void spin_lock_soft(struct spinlock_soft *l)
{
	soft_disable();
	lock_debug_acquire(&l->debug, LOCK_SOFT, 0);
	spin_word_take(&l->word);
}

static inline void spin_lock_soft_nested(struct spinlock_soft *l, u32 subclass)
{
	soft_disable();
	lock_debug_acquire(&l->debug, LOCK_SOFT, subclass);
	spin_word_take(&l->word);
}

static inline void spin_unlock_soft(struct spinlock_soft *l)
{
	lock_debug_release(&l->debug);
	spin_word_give(&l->word);
	soft_enable();
}

static inline void spin_lock_hard_nested(struct spinlock_hard *l, u32 subclass)
{
	irq_disable();
	lock_debug_acquire(&l->debug, LOCK_HARD, subclass);
	spin_word_take(&l->word);
}

static inline void spin_lock_hard(struct spinlock_hard *l)
{
	spin_lock_hard_nested(l, 0);
}

static inline __must_check bool spin_trylock_hard(struct spinlock_hard *l)
{
	irq_disable();
	if (spin_word_try(&l->word)) {
		lock_debug_acquired_try(&l->debug, LOCK_HARD);
		return true;
	}
	irq_enable();
	return false;
}

static inline void spin_unlock_hard(struct spinlock_hard *l)
{
	lock_debug_release(&l->debug);
	spin_word_give(&l->word);
	irq_enable();
}

static inline void spin_guard_end(struct spinlock **l)
{
	spin_unlock(*l);
}

static inline void spin_guard_end_soft(struct spinlock_soft **l)
{
	spin_unlock_soft(*l);
}

static inline void spin_guard_end_hard(struct spinlock_hard **l)
{
	spin_unlock_hard(*l);
}

static inline struct spinlock *spin_guard_begin(struct spinlock *l)
{
	spin_lock(l);
	return l;
}

static inline struct spinlock_soft *spin_guard_begin_soft(struct spinlock_soft *l)
{
	spin_lock_soft(l);
	return l;
}

static inline struct spinlock_hard *spin_guard_begin_hard(struct spinlock_hard *l)
{
	spin_lock_hard(l);
	return l;
}

#define FRAME_GUARD_CAT2_(a, b) a##b
#define FRAME_GUARD_CAT_(a, b) FRAME_GUARD_CAT2_(a, b)
#define SPIN_GUARD(l) struct spinlock *FRAME_GUARD_CAT_(guard_, __LINE__) \
	__attribute__((cleanup(spin_guard_end), unused)) = spin_guard_begin(l)
#define SPIN_GUARD_SOFT(l) struct spinlock_soft *FRAME_GUARD_CAT_(guard_, __LINE__) \
	__attribute__((cleanup(spin_guard_end_soft), unused)) = spin_guard_begin_soft(l)
#define SPIN_GUARD_HARD(l) struct spinlock_hard *FRAME_GUARD_CAT_(guard_, __LINE__) \
	__attribute__((cleanup(spin_guard_end_hard), unused)) = spin_guard_begin_hard(l)

#endif
