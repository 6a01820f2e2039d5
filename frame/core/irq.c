/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Interrupt lines: handlers and counts. Each line has its own vector, VECTOR_DEVICE_FIRST + gsi.
 *
 * Dispatch takes no lock: it walks the line's list, whose registrations are added and removed with single stores. Handlers run
 * with interrupts disabled, so when a call has been answered by every CPU, no handler that was running before it still is:
 * that is how irq_detach waits, after which the record may be used again.
 *
 * A line that fires and fires with nobody claiming it would keep its CPU for ever (level-triggered, or a mad device): it is
 * turned off after UNCLAIMED_MAX interrupts in a row.
 *
 * Locking: `lock` for attach and detach (task context). Per-CPU counts belong to their CPU.
 */
#include <frame/core/internal.h>
#include <frame/ipi.h>
#include <frame/irq.h>
#include <frame/log.h>
#include <frame/percpu.h>
#include <frame/spinlock.h>
#include <lib/errno.h>

#define LINES_MAX (VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1)
#define HANDLERS_MAX 128u
#define UNCLAIMED_MAX 10000u

struct handler {
	struct handler *next;		/* [l to write, interrupts off to read] */
	bool (*fn)(void *arg);		/* [I while listed] NULL: the record is not in use */
	void *arg;			/* [I while listed] */
	const char *name;		/* [I while listed] */
};

struct line {
	struct handler *first;		/* [l to write, interrupts off to read] */
	u32 unclaimed;			/* [a] in a row */
};

struct counts {
	u64 of[LINES_MAX];
};

static struct spinlock lock = SPINLOCK_INIT("irq_lines");
static struct line lines[LINES_MAX];
static struct handler handlers[HANDLERS_MAX];	/* [l] */
static PERCPU(struct counts, counts);		/* [its CPU writes, interrupts off] */

static u32 line_count(void)
{
	return min(irqchip_lines(), (u32)LINES_MAX);
}

static struct handler *handler_alloc_locked(void)
{
	for (u32 i = 0; i < HANDLERS_MAX; i++)
		if (!handlers[i].fn)
			return &handlers[i];
	return NULL;
}

int irq_attach(u32 gsi, bool (*handler)(void *arg), void *arg, const char *name)
{
	struct handler *h, **end;

	if (gsi >= line_count())
		return -EINVAL;
	gsi = irqchip_resolve(gsi);
	if (gsi >= line_count())
		return -EINVAL;
	if (irqchip_is_reserved(gsi))
		return -EBUSY;
	SPIN_GUARD(&lock);
	h = handler_alloc_locked();
	if (!h)
		return -ENOMEM;
	*h = (struct handler){ .fn = handler, .arg = arg, .name = name };
	for (end = &lines[gsi].first; *end; end = &(*end)->next)
		;
	__atomic_store_n(end, h, __ATOMIC_RELEASE);
	if (end == &lines[gsi].first) {
		lines[gsi].unclaimed = 0;
		irqchip_enable(gsi, (u8)(VECTOR_DEVICE_FIRST + gsi));
	}
	return 0;
}

static struct handler *unlink_locked(u32 gsi, void *arg)
{
	for (struct handler **h = &lines[gsi].first; *h; h = &(*h)->next) {
		struct handler *found = *h;

		if (found->arg != arg)
			continue;
		__atomic_store_n(h, found->next, __ATOMIC_RELEASE);
		if (!lines[gsi].first)
			irqchip_disable(gsi);
		return found;
	}
	return NULL;
}

static void nothing(void *arg)
{
	(void)arg;
}

void irq_detach(u32 gsi, void *arg)
{
	struct cpuset all = { { 0 } };
	struct handler *h;

	gsi = irqchip_resolve(gsi);
	BUG_ON(gsi >= line_count());
	spin_lock(&lock);
	h = unlink_locked(gsi, arg);
	spin_unlock(&lock);
	BUG_ON(!h);
	for (u32 i = 0; i < cpu_count(); i++)
		cpuset_add(&all, i);
	ipi_call(&all, nothing, NULL);
	spin_lock(&lock);
	*h = (struct handler){ 0 };
	spin_unlock(&lock);
}

bool irq_stat(u32 gsi, u32 cpu, u64 *count, const char **name)
{
	const struct handler *h;

	if (gsi >= line_count())
		return false;
	*count = cpu < cpu_count() ? READ_ONCE(cpu_var(counts, cpu)->of[gsi]) : 0;
	SPIN_GUARD(&lock);
	h = lines[gsi].first;
	*name = h ? h->name : NULL;
	return true;
}

static void line_fired(u32 gsi)
{
	struct line *line = &lines[gsi];
	bool is_claimed = false;

	WRITE_ONCE(this_cpu(counts)->of[gsi], this_cpu(counts)->of[gsi] + 1);
	for (struct handler *h = LOAD_ACQUIRE(line->first); h; h = LOAD_ACQUIRE(h->next))
		is_claimed |= h->fn(h->arg);
	if (likely(is_claimed)) {
		if (unlikely(READ_ONCE(line->unclaimed)))
			WRITE_ONCE(line->unclaimed, 0);
		return;
	}
	if (__atomic_add_fetch(&line->unclaimed, 1, __ATOMIC_RELAXED) == UNCLAIMED_MAX) {
		irqchip_disable(gsi);
		klog(LOG_ERR, "irq %u: %u interrupts that no driver claims; line turned off", gsi, UNCLAIMED_MAX);
	}
}

void irq_dispatch(u32 vector)
{
	if (vector >= VECTOR_DEVICE_FIRST && vector <= VECTOR_DEVICE_LAST)
		line_fired(vector - VECTOR_DEVICE_FIRST);
	else if (vector == VECTOR_TIMER)
		clock_event_fired();
	else if (vector == VECTOR_CALL || vector == VECTOR_RESCHEDULE)
		ipi_handle(vector);
	else if (vector == VECTOR_SPURIOUS)
		return;			/* not to be acknowledged */
	apic_eoi();
}
