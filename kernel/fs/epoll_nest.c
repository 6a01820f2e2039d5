/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Epolls that watch epolls: no circles, and no more than EPOLL_NEST_MAX in a chain (epoll_ctl(2), ELOOP), so that polling one ends.
 *
 * Registrations of an epoll with another exclude each other by nest_mutex, so while one is checked the graph can only shrink. It is walked level by level, up
 * through those who watch and down through what is watched: an epoll is visited once a level however many ways lead to it, and each visit takes one lock alone.
 */
#include <lib/errno.h>
#include "fs/epoll_internal.h"

static struct mutex nest_mutex = MUTEX_INIT("epoll nesting", nest_mutex);
static u64 walks;			/* [nest_mutex] levels walked so far, ever */

void epoll_nest_lock(void)
{
	mutex_lock(&nest_mutex);
}

void epoll_nest_unlock(void)
{
	mutex_unlock(&nest_mutex);
}

/* `ep` belongs to the next level, even if it belongs to this one, too: then it is put off, as only the longest way counts. */
static void visit_next(struct epoll *ep, struct list *next)
{
	if (ep->walk == walks)
		return;
	ep->walk = walks;
	if (list_is_linked(&ep->walk_node)) {
		list_move_back(next, &ep->walk_node);
		return;
	}
	(void)epoll_get(ep);
	list_push_back(next, &ep->walk_node);
}

static void visit_watched(struct epoll *ep, struct list *next)
{
	struct epoll_item *it;

	MUTEX_GUARD(&ep->mutex);
	list_for_each_entry(it, &ep->nested, nested_node)
		visit_next(it->file->private, next);
}

static void visit_watching(struct epoll *ep, struct list *next)
{
	struct epoll_item *it;

	SPIN_GUARD(&ep->watchers.lock);
	list_for_each_entry(it, &ep->watchers.items, file_node)
		visit_next(it->ep, next);
}

/* Epolls in the longest chain from `ep` on; more than EPOLL_NEST_MAX if it is too long, or comes to `forbidden`. */
static u32 chain(struct epoll *ep, const struct epoll *forbidden, void (*visit)(struct epoll *ep, struct list *next))
{
	struct list now, next, *node;
	bool is_circle = false;
	u32 n = 0;

	list_init(&now);
	list_init(&next);
	list_push_back(&now, &epoll_get(ep)->walk_node);
	while (!list_empty(&now)) {
		n++;
		walks++;
		while ((node = list_pop_front(&now))) {
			ep = container_of(node, struct epoll, walk_node);
			is_circle |= ep == forbidden;
			if (n <= EPOLL_NEST_MAX && !is_circle)
				visit(ep, &next);
			epoll_put(ep);
		}
		list_splice_back(&now, &next);
	}
	return is_circle ? EPOLL_NEST_MAX + 1 : n;
}

int epoll_nest_check(struct epoll *outer, struct epoll *inner)
{
	u32 below = chain(inner, outer, visit_watched);
	u32 above = below <= EPOLL_NEST_MAX ? chain(outer, NULL, visit_watching) : 0;

	return below + above > EPOLL_NEST_MAX ? -ELOOP : 0;
}
