/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Pending signals: a set of bits, and for each queued instance an entry in a tree ordered by (signal, arrival), so that adding and taking cost O(log n)
 * however many real-time signals are queued (signal(7), "Queueing and delivery semantics").
 */
#include "mm/alloc.h"
#include "signal/internal.h"
#include "signal/policy.h"

#define KEY_SHIFT 48

static struct slab_cache *entry_cache;

void signal_init(void)
{
	entry_cache = slab_create("sigqueue", sizeof(struct sig_entry), 0, 0, NULL);
}

void sig_pending_init(struct sig_pending *p)
{
	*p = (struct sig_pending){ 0 };
}

static struct sig_entry *entry_of(struct rb_node *n)
{
	return container_of(n, struct sig_entry, node);
}

static bool entry_less(const struct rb_node *a, const struct rb_node *b)
{
	return container_of(a, const struct sig_entry, node)->key < container_of(b, const struct sig_entry, node)->key;
}

/* First entry with key ≥ `key`. */
static struct sig_entry *first_from(struct sig_pending *p, u64 key)
{
	struct rb_node *n = p->queue.node, *best = NULL;

	while (n) {
		if (entry_of(n)->key >= key) {
			best = n;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best ? entry_of(best) : NULL;
}

static void insert(struct sig_pending *p, struct sig_entry *e, const struct siginfo_k *info)
{
	u32 sig = (u32)info->signo;

	e->info = *info;
	e->key = (u64)sig << KEY_SHIFT | p->arrivals++;
	rb_add(&p->queue, &e->node, entry_less);
	p->set |= sig_bit(sig);
}

/* Standard signals are queued once; real-time ones each time, and fail when the sender's word about them would be lost. */
int sig_pending_add(struct signal_group *g, struct sig_pending *p, const struct siginfo_k *info)
{
	u32 sig = (u32)info->signo;
	bool is_realtime = sig >= KSIGRTMIN;
	bool is_charged;
	struct sig_entry *e;

	if (!is_realtime && (p->set & sig_bit(sig)))
		return 0;
	is_charged = signal_policy_charge(g);
	e = is_charged || info->code > 0 || !is_realtime ? slab_alloc(entry_cache, ALLOC_ATOMIC) : NULL;
	if (!e) {
		if (is_charged)
			signal_policy_uncharge(g);
		if (is_realtime && info->code != 0)
			return -EAGAIN;
		p->set |= sig_bit(sig);
		return 0;
	}
	e->is_charged = is_charged;
	e->source = NULL;
	insert(p, e, info);
	return 0;
}

void sig_pending_add_source(struct sig_pending *p, struct signal_source *s, const struct siginfo_k *info)
{
	s->is_queued = true;
	s->entry->queue = p;
	insert(p, s->entry, info);
}

static void free_entry(struct signal_group *g, struct sig_entry *e)
{
	if (e->is_charged)
		signal_policy_uncharge(g);
	slab_free(entry_cache, e);
}

/* info NULL: it is thrown away. */
static void remove_entry(struct signal_group *g, struct sig_pending *p, struct sig_entry *e, struct siginfo_k *info)
{
	rb_erase(&e->node, &p->queue);
	if (!e->source) {
		free_entry(g, e);
		return;
	}
	e->source->is_queued = false;
	e->source->taken(e->source, info);
}

int signal_source_create(struct signal_group *g, struct signal_source *s, void (*taken)(struct signal_source *s, struct siginfo_k *info))
{
	struct sig_entry *e = slab_alloc(entry_cache, ALLOC_SLEEP | ALLOC_USER);

	if (!e)
		return -EAGAIN;
	spin_lock_soft(&g->lock);
	e->is_charged = signal_policy_charge(g);
	spin_unlock_soft(&g->lock);
	if (!e->is_charged) {
		slab_free(entry_cache, e);
		return -EAGAIN;
	}
	e->source = s;
	*s = (struct signal_source){ .entry = e, .taken = taken };
	return 0;
}

void signal_source_destroy_locked(struct signal_group *g, struct signal_source *s, bool keeps_signal)
{
	struct sig_entry *e = s->entry, *next;
	u64 sig = e->key >> KEY_SHIFT;

	e->source = NULL;
	if (s->is_queued && keeps_signal)
		return;
	if (s->is_queued) {
		rb_erase(&e->node, &e->queue->queue);
		next = first_from(e->queue, sig << KEY_SHIFT);
		if (!next || next->key >> KEY_SHIFT != sig)
			e->queue->set &= ~sig_bit((u32)sig);
	}
	free_entry(g, e);
}

void sig_pending_discard(struct signal_group *g, struct sig_pending *p, sigset_k set)
{
	for (sigset_k left = p->set & set; left; left &= left - 1) {
		u64 sig = (u64)__builtin_ctzl(left) + 1;
		struct sig_entry *e;

		while ((e = first_from(p, sig << KEY_SHIFT)) && e->key >> KEY_SHIFT == sig)
			remove_entry(g, p, e, NULL);
	}
	p->set &= ~set;
}

u32 sig_pending_take(struct signal_group *g, struct sig_pending *p, sigset_k set, struct siginfo_k *info)
{
	sigset_k ready = p->set & set;
	struct rb_node *next;
	struct sig_entry *e;
	u64 sig;

	if (!ready)
		return 0;
	if (ready & SIGS_SYNCHRONOUS)
		ready &= SIGS_SYNCHRONOUS;
	sig = (u64)__builtin_ctzl(ready) + 1;
	e = first_from(p, sig << KEY_SHIFT);
	if (!e || e->key >> KEY_SHIFT != sig) {		/* sent without an entry */
		*info = (struct siginfo_k){ .signo = (s32)sig };
		p->set &= ~sig_bit((u32)sig);
		return (u32)sig;
	}
	*info = e->info;
	next = rb_next(&e->node);
	remove_entry(g, p, e, info);
	if (!next || entry_of(next)->key >> KEY_SHIFT != sig)
		p->set &= ~sig_bit((u32)sig);
	return (u32)sig;
}
