/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The lock-order checker (debug build).
 *
 * A class is a name and a subclass. "a held while b is taken" is an edge a → b; edges stay for ever. A new edge is checked for two things:
 *
 *	order	  if b already leads to a, two CPUs can each hold what the other wants;
 *	contexts  if some class that leads to a (or a) is taken in soft (hard) context, and some class that b leads to (or b) is held
 *		  elsewhere with soft work (interrupts) enabled: an interrupt there can wait for a holder that waits for the interrupted code.
 *
 * The same is checked when a class is first seen in or around such a context. What is held: spinlocks on a stack per CPU, which interrupts
 * share with what they interrupt (their edges are real); sleeping locks on a stack per task, which count only in task context.
 *
 * Locking: the graph grows under graph_lock (a bare word, interrupts disabled) and is read without: edge bits and usage bits are atomic
 * and never go away. A report that a ktest expected leaves the graph as it was.
 */
#include <lib/printf.h>
#include <lib/string.h>
#include <frame/lockdep.h>
#include <frame/log.h>
#include <frame/preempt.h>
#include <frame/spinlock.h>
#include <frame/task.h>
#include <frame/core/internal.h>

#define CLASSES 1024u
#define HASH_SIZE 2048u
#define EDGES 8192u
#define TRACE_MAX 8u
#define NO_CLASS 0u			/* class 0 is never used */
#define IMAGE_HALF 0xffffffff00000000ul	/* image addresses are kept as their low half */

/* Usage of a class. */
enum {
	USED_IN_SOFT = 1, USED_IN_HARD = 2,		/* taken in that context */
	HELD_SOFT_ON = 4, HELD_HARD_ON = 8,		/* taken with that context possible on this CPU */
};

struct lock_class {
	const char *name;			/* [I] */
	u32 subclass;				/* [I] */
	u32 next;				/* [a] in its hash chain */
	u32 usage;				/* [a] */
	u64 after[CLASSES / 64];		/* [a] edges from here */
	u32 usage_pcs[4][TRACE_MAX];		/* [graph_lock] where each usage bit was first seen */
};

struct edge {
	u16 from, to;
	u32 pcs[TRACE_MAX];			/* first seen; [0] 0: declared */
};

static struct lock_class classes[CLASSES];
static u32 n_classes = 1;			/* [graph_lock] */
static u32 hash_heads[HASH_SIZE];		/* [a] */
static struct edge edges[EDGES];		/* [graph_lock] in order of discovery: for the report only */
static u32 n_edges;				/* [graph_lock] */
static struct spin_word graph_lock;
static u16 came_from[CLASSES];			/* [graph_lock] search: predecessor, NO_CLASS if not reached */
static u16 queue[CLASSES];			/* [graph_lock] */
static bool is_off;				/* after a report, or when a table is full */

static PERCPU(struct lock_held_stack, cpu_locks);

static void graph_enter(void)
{
	irq_disable();
	spin_word_take(&graph_lock);
}

static void graph_leave(void)
{
	spin_word_give(&graph_lock);
	irq_enable_only();
}

static void give_up(const char *why)
{
	if (!__atomic_exchange_n(&is_off, true, __ATOMIC_RELAXED))
		kwarn("lock order: %s, no more checks", why);
}

static void trace_here(u32 pcs[TRACE_MAX])
{
	u64 wide[TRACE_MAX + 3];
	size_t n = task_backtrace(NULL, wide, ARRAY_SIZE(wide));

	for (size_t i = 0; i < TRACE_MAX; i++)
		pcs[i] = i + 3 < n ? (u32)wide[i + 3] : 0;
}

static void trace_print(const u32 pcs[TRACE_MAX])
{
	if (!pcs[0])
		klog(LOG_EMERG, "  declared in the lock order");
	for (u32 i = 0; i < TRACE_MAX && pcs[i]; i++)
		klog(LOG_EMERG, "  backtrace: 0x%lx", IMAGE_HALF | pcs[i]);
}

/* --- Classes */

static u32 name_hash(const char *name, u32 subclass)
{
	u32 h = 2166136261u + subclass;

	for (; *name; name++)
		h = (h ^ (u8)*name) * 16777619u;
	return h % HASH_SIZE;
}

static u32 class_find(const char *name, u32 subclass, u32 hash)
{
	u32 id = LOAD_ACQUIRE(hash_heads[hash]);

	while (id && (classes[id].subclass != subclass || (classes[id].name != name && strcmp(classes[id].name, name))))
		id = classes[id].next;
	return id;
}

/* NO_CLASS if the table is full. */
static u32 class_get(const char *name, u32 subclass)
{
	u32 hash, id;

	if (!name)
		name = "(unnamed)";
	hash = name_hash(name, subclass);
	id = class_find(name, subclass, hash);
	if (id)
		return id;
	graph_enter();
	id = class_find(name, subclass, hash);
	if (!id && n_classes < CLASSES) {
		id = n_classes++;
		classes[id].name = name;
		classes[id].subclass = subclass;
		classes[id].next = hash_heads[hash];
		STORE_RELEASE(hash_heads[hash], id);
	}
	graph_leave();
	if (!id)
		give_up("too many classes");
	return id;
}

static u32 class_of(struct lock_debug *d, u32 subclass)
{
	u32 id = READ_ONCE(d->class_id);

	if (id && classes[id].subclass == subclass)
		return id;
	id = class_get(d->name, subclass);
	WRITE_ONCE(d->class_id, id);
	return id;
}

/* --- The graph, under graph_lock */

static bool has_edge(u32 from, u32 to)
{
	return READ_ONCE(classes[from].after[to / 64]) >> (to % 64) & 1;
}

static void add_edge(u32 from, u32 to, const u32 *pcs)
{
	struct edge *e = &edges[n_edges];

	if (n_edges < EDGES) {
		e->from = (u16)from;
		e->to = (u16)to;
		if (pcs)
			memcpy(e->pcs, pcs, sizeof(e->pcs));
		n_edges++;
	}
	__atomic_fetch_or(&classes[from].after[to / 64], 1ul << (to % 64), __ATOMIC_RELAXED);
}

/*
 * Breadth first from `start`, along the edges or against them, until a class that is `goal` or has a bit of `usage` is met: that class, or
 * NO_CLASS. `start` itself counts for usage.
 */
static u32 search(u32 start, bool is_forward, u32 goal, u32 usage)
{
	u32 head = 0, tail = 0;

	memset(came_from, 0, sizeof(came_from));
	came_from[start] = (u16)start;
	queue[tail++] = (u16)start;
	while (head < tail) {
		u32 at = queue[head++];

		if (at == goal || (classes[at].usage & usage))
			return at;
		for (u32 next = 1; next < n_classes; next++) {
			if (came_from[next] || !(is_forward ? has_edge(at, next) : has_edge(next, at)))
				continue;
			came_from[next] = (u16)at;
			queue[tail++] = (u16)next;
		}
	}
	return NO_CLASS;
}

/* --- Reports, under graph_lock until the end */

struct name_text {
	char text[64];
};

static struct name_text class_name(u32 id)
{
	struct name_text n;

	(void)snprintf(n.text, sizeof(n.text), classes[id].subclass ? "\"%s\"/%u" : "\"%s\"", classes[id].name, classes[id].subclass);
	return n;
}

static void print_edge(u32 from, u32 to)
{
	klog(LOG_EMERG, "%s was held when %s was taken:", class_name(from).text, class_name(to).text);
	for (u32 i = 0; i < n_edges; i++) {
		if (edges[i].from == from && edges[i].to == to) {
			trace_print(edges[i].pcs);
			return;
		}
	}
}

/* The edges of the last search from its end back to its start. */
static void print_path(u32 end, bool is_forward)
{
	for (u32 at = end; came_from[at] != at; at = came_from[at]) {
		if (is_forward)
			print_edge(came_from[at], at);
		else
			print_edge(at, came_from[at]);
	}
}

static void print_held(const char *whose, const struct lock_held_stack *s)
{
	for (u32 i = 0; i < s->n && i < LOCK_HELD_MAX; i++)
		klog(LOG_EMERG, "%s holds %s, taken at 0x%lx", whose, class_name(s->held[i].class_id).text, IMAGE_HALF | s->held[i].pc);
}

static __noreturn void die(const char *what)
{
	const struct task *t = current_task();

	if (t)
		print_held("the task", &t->locks);
	print_held("this CPU", this_cpu(cpu_locks));
	panic("lock order: %s", what);
}

/* For errors that need no graph. True: go on, a ktest wanted it. */
static bool swallow(void)
{
	return is_off || panic_is_under_way() || report_swallow(REPORT_LOCKDEP);
}

static void report_plain(const char *what, const struct lock_debug *d)
{
	if (swallow())
		return;
	is_off = true;
	klog(LOG_EMERG, "lock order: %s: \"%s\"", what, d->name ? d->name : "(unnamed)");
	die(what);
}

/* --- Checks of what is new */

static void report_cycle(u32 from, u32 to)
{
	is_off = true;
	klog(LOG_EMERG, "lock order: %s is taken while %s is held (here), but elsewhere the other way round:", class_name(to).text,
	     class_name(from).text);
	print_path(from, true);
	die("deadlock possible: circular order");
}

static void report_contexts(u32 used, u32 held, const char *context, u32 used_slot, u32 held_slot)
{
	is_off = true;
	klog(LOG_EMERG, "lock order: %s is taken in %s context:", class_name(used).text, context);
	trace_print(classes[used].usage_pcs[used_slot]);
	klog(LOG_EMERG, "while %s, which that can lead to, is held with that context enabled:", class_name(held).text);
	trace_print(classes[held].usage_pcs[held_slot]);
	die("deadlock possible: interrupted holder");
}

/* True if `before` (and what leads to it) and `after` (and what it leads to) conflict in one of the two contexts; reports it. */
static bool contexts_conflict(u32 before, u32 after)
{
	for (u32 i = 0; i < 2; i++) {
		u32 used = search(before, false, NO_CLASS, USED_IN_SOFT << i);
		u32 held = used ? search(after, true, NO_CLASS, HELD_SOFT_ON << i) : NO_CLASS;

		if (!held)
			continue;
		if (!swallow())
			report_contexts(used, held, i ? "hard" : "soft", i, 2 + i);
		return true;
	}
	return false;
}

static void edge_new(u32 from, u32 to, bool is_declared)
{
	u32 pcs[TRACE_MAX] = { 0 };

	if (!is_declared)
		trace_here(pcs);
	graph_enter();
	if (has_edge(from, to))
		goto out;
	if (search(to, true, from, 0)) {
		if (swallow())
			goto out;
		report_cycle(from, to);
	}
	if (!contexts_conflict(from, to))
		add_edge(from, to, is_declared ? NULL : pcs);
out:
	graph_leave();
}

static void usage_new(u32 id, u32 usage)
{
	u32 pcs[TRACE_MAX], added;

	trace_here(pcs);
	graph_enter();
	added = usage & ~classes[id].usage;
	for (u32 i = 0; i < 4; i++)
		if (added >> i & 1)
			memcpy(classes[id].usage_pcs[i], pcs, sizeof(pcs));
	__atomic_fetch_or(&classes[id].usage, added, __ATOMIC_RELAXED);
	if (contexts_conflict(id, id))
		__atomic_fetch_and(&classes[id].usage, ~added, __ATOMIC_RELAXED);
	graph_leave();
}

/* --- Taking and releasing */

static u32 usage_now(enum lock_context ctx, bool is_try)
{
	u32 usage = 0;

	if (ctx == LOCK_SLEEP)
		return 0;
	if (in_hard())
		return is_try ? 0 : USED_IN_HARD;	/* who only tries does not wait for the interrupted */
	if (soft_running() && !is_try)
		usage |= USED_IN_SOFT;
	if (cpu_irq_depth_() == 0) {
		usage |= HELD_HARD_ON;
		if (!in_soft())
			usage |= HELD_SOFT_ON;
	}
	return usage;
}

static void check_against(const struct lock_held_stack *s, struct lock_debug *d, u32 id)
{
	for (u32 i = 0; i < s->n; i++) {
		u32 from = s->held[i].class_id;

		if (s->held[i].lock == d)
			report_plain("taken twice", d);
		else if (from == id)
			report_plain("two locks of one class without nesting", d);
		else if (!has_edge(from, id))
			edge_new(from, id, false);
	}
}

static void push(struct lock_held_stack *s, struct lock_debug *d, u32 id, enum lock_context ctx, u64 pc)
{
	if (s->n == LOCK_HELD_MAX) {
		give_up("too many locks held");
		return;
	}
	s->held[s->n++] = (struct lock_held){ .lock = d, .pc = (u32)pc, .class_id = (u16)id, .ctx = (u16)ctx };
	d->owner = ctx == LOCK_SLEEP ? (void *)current_task() : (void *)s;
}

static void acquire(struct lock_debug *d, enum lock_context ctx, u32 subclass, bool is_try, u64 pc)
{
	struct task *t = current_task();
	struct lock_held_stack *s;
	u32 id, usage;

	if (is_off || panic_is_under_way())
		return;
	if (ctx == LOCK_SLEEP && !is_try && in_atomic())
		report_plain("sleeping lock taken in atomic context", d);
	id = class_of(d, subclass);
	if (!id || (ctx == LOCK_SLEEP && !t))
		return;
	usage = usage_now(ctx, is_try);
	if (usage & ~READ_ONCE(classes[id].usage))
		usage_new(id, usage);
	if (!is_try && ctx != LOCK_SLEEP)	/* who takes sleeping locks has no spinlocks, and may be preempted */
		check_against(this_cpu(cpu_locks), d, id);
	if (!is_try && t && !in_hard() && !soft_running())
		check_against(&t->locks, d, id);
	irq_disable();		/* an interrupt must not find a half-written stack */
	s = ctx == LOCK_SLEEP ? &t->locks : this_cpu(cpu_locks);
	push(s, d, id, ctx, pc);
	irq_enable_only();
}

void lock_debug_acquire(struct lock_debug *d, enum lock_context ctx, u32 subclass)
{
	acquire(d, ctx, subclass, false, (u64)__builtin_return_address(0));
}

void lock_debug_acquired_try(struct lock_debug *d, enum lock_context ctx)
{
	acquire(d, ctx, 0, true, (u64)__builtin_return_address(0));
}

/* Interrupts disabled. */
static bool pop(struct lock_held_stack *s, const struct lock_debug *d)
{
	bool is_found = false;

	for (u32 i = s->n; i-- > 0 && !is_found;) {
		if (s->held[i].lock != d)
			continue;
		is_found = true;
		for (s->n--; i < s->n; i++)
			s->held[i] = s->held[i + 1];
	}
	return is_found;
}

void lock_debug_release(struct lock_debug *d)
{
	struct task *t = current_task();
	bool is_found;

	if (is_off || panic_is_under_way())
		return;
	d->owner = NULL;
	irq_disable();
	is_found = pop(this_cpu(cpu_locks), d) || (t && pop(&t->locks, d));
	irq_enable_only();
	if (!is_found)
		report_plain("released but not held by this CPU or task", d);
}

void lock_debug_user_entry(void)
{
	const struct task *t = current_task();
	const struct lock_held_stack *s;
	const struct lock_debug *held;

	if (is_off || panic_is_under_way())
		return;
	irq_disable();		/* stay here: were we moved between the next two lines, another CPU's locks would be taken for ours */
	s = this_cpu(cpu_locks);
	held = s->n ? s->held[s->n - 1].lock : NULL;
	irq_enable_only();
	if (!held && t->locks.n)
		held = t->locks.held[t->locks.n - 1].lock;
	if (held)
		report_plain("held on return to user mode", held);
}

void lock_debug_order(const char *before, const char *after)
{
	u32 from = class_get(before, 0), to = class_get(after, 0);

	if (from && to && from != to && !has_edge(from, to))
		edge_new(from, to, true);
}
