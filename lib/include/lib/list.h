/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/list.h: intrusive linked lists.
 *
 * struct list     circular and doubly linked; the head is a struct list too. Every operation is O(1)
 *                 but the walks. A node not on a list points to itself (list_init), so that
 *                 list_is_linked() tells and a second list_del() does no harm. A zeroed node must be
 *                 initialised before list_del() or list_is_linked().
 * struct hlist_*  a head of one pointer, for hash tables; a zeroed head is empty, a zeroed node is
 *                 unlinked.
 *
 * Locking: none here; writers exclude each other by the caller's lock. The _rcu functions let
 * readers walk without it: publication is a release store, each step an acquire load, and a removed
 * node keeps its forward pointer until the caller has waited for a grace period and frees or
 * re-uses it. Lists read under RCU must be changed with the _rcu functions only.
 */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include <lib/types.h>

struct list {
	struct list *next;
	struct list *prev;
};

#define LIST_INIT(name)                                                                            \
	{                                                                                          \
		.next = &(name), .prev = &(name)                                                   \
	}
#define LIST_HEAD_DEFINE(name) struct list name = LIST_INIT(name)

static inline void list_init(struct list *node)
{
	node->next = node;
	node->prev = node;
}

static inline bool list_empty(const struct list *head)
{
	return READ_ONCE(head->next) == head;
}

static inline bool list_is_linked(const struct list *node)
{
	return READ_ONCE(node->next) != node;
}

static inline bool list_is_singular(const struct list *head)
{
	return head->next != head && head->next == head->prev;
}

/* Private: put @node between two neighbours. */
static inline void __list_insert(struct list *node, struct list *prev, struct list *next)
{
	node->next = next;
	node->prev = prev;
	next->prev = node;
	WRITE_ONCE(prev->next, node);
}

static inline void __list_unlink(struct list *node)
{
	node->next->prev = node->prev;
	WRITE_ONCE(node->prev->next, node->next);
}

static inline void list_push_front(struct list *head, struct list *node)
{
	__list_insert(node, head, head->next);
}

static inline void list_push_back(struct list *head, struct list *node)
{
	__list_insert(node, head->prev, head);
}

static inline void list_insert_before(struct list *where, struct list *node)
{
	__list_insert(node, where->prev, where);
}

static inline void list_insert_after(struct list *where, struct list *node)
{
	__list_insert(node, where, where->next);
}

/* Unlinks @node and leaves it initialised. */
static inline void list_del(struct list *node)
{
	__list_unlink(node);
	list_init(node);
}

static inline void list_move_front(struct list *head, struct list *node)
{
	__list_unlink(node);
	list_push_front(head, node);
}

static inline void list_move_back(struct list *head, struct list *node)
{
	__list_unlink(node);
	list_push_back(head, node);
}

/* @node takes the place of @old, which is left initialised. */
static inline void list_replace(struct list *old, struct list *node)
{
	node->next = old->next;
	node->prev = old->prev;
	node->next->prev = node;
	node->prev->next = node;
	list_init(old);
}

/* All of @from to the end (or the front) of @to; @from is left empty. */
static inline void list_splice_back(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

static inline void list_splice_front(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->prev->next = to->next;
	to->next->prev = from->prev;
	from->next->prev = to;
	to->next = from->next;
	list_init(from);
}

/* Unlinks and returns the first node, NULL if there is none. */
static inline struct list *list_pop_front(struct list *head)
{
	struct list *node = head->next;

	if (node == head)
		return NULL;
	list_del(node);
	return node;
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
#define list_last_entry(head, type, member) list_entry((head)->prev, type, member)
#define list_first_entry_or_null(head, type, member)                                               \
	(list_empty(head) ? NULL : list_first_entry(head, type, member))
#define list_next_entry(pos, member) list_entry((pos)->member.next, __typeof__(*(pos)), member)
#define list_prev_entry(pos, member) list_entry((pos)->member.prev, __typeof__(*(pos)), member)
#define list_entry_is_head(pos, head, member) (&(pos)->member == (head))

#define list_for_each(node, head)                                                                  \
	for ((node) = (head)->next; (node) != (head); (node) = (node)->next)
#define list_for_each_entry(pos, head, member)                                                     \
	for ((pos) = list_first_entry(head, __typeof__(*(pos)), member);                           \
	     !list_entry_is_head(pos, head, member); (pos) = list_next_entry(pos, member))
#define list_for_each_entry_reverse(pos, head, member)                                             \
	for ((pos) = list_last_entry(head, __typeof__(*(pos)), member);                            \
	     !list_entry_is_head(pos, head, member); (pos) = list_prev_entry(pos, member))
/* @pos may be unlinked or freed in the body; @tmp, of the same type, may not. */
#define list_for_each_entry_safe(pos, tmp, head, member)                                           \
	for ((pos) = list_first_entry(head, __typeof__(*(pos)), member),                           \
	    (tmp) = list_next_entry(pos, member);                                                  \
	     !list_entry_is_head(pos, head, member);                                               \
	     (pos) = (tmp), (tmp) = list_next_entry(tmp, member))
/* Goes on with the entry after @pos. */
#define list_for_each_entry_continue(pos, head, member)                                            \
	for ((pos) = list_next_entry(pos, member); !list_entry_is_head(pos, head, member);         \
	     (pos) = list_next_entry(pos, member))

/* RCU: readers follow next only. */
static inline void list_push_front_rcu(struct list *head, struct list *node)
{
	struct list *next = head->next;

	node->next = next;
	node->prev = head;
	STORE_RELEASE(head->next, node);
	next->prev = node;
}

static inline void list_push_back_rcu(struct list *head, struct list *node)
{
	struct list *prev = head->prev;

	node->next = head;
	node->prev = prev;
	STORE_RELEASE(prev->next, node);
	head->prev = node;
}

/* @node keeps its next for readers; list_init() it before re-use, after a grace period. */
static inline void list_del_rcu(struct list *node)
{
	__list_unlink(node);
	node->prev = node;
}

#define list_for_each_entry_rcu(pos, head, member)                                                 \
	for ((pos) = list_entry(LOAD_ACQUIRE((head)->next), __typeof__(*(pos)), member);           \
	     !list_entry_is_head(pos, head, member);                                               \
	     (pos) = list_entry(LOAD_ACQUIRE((pos)->member.next), __typeof__(*(pos)), member))

/* Hash chains. */
struct hlist_node {
	struct hlist_node *next;
	struct hlist_node **pprev; /* what points here; NULL: unlinked */
};

struct hlist_head {
	struct hlist_node *first;
};

static inline void hlist_init(struct hlist_head *head)
{
	head->first = NULL;
}

static inline void hlist_node_init(struct hlist_node *node)
{
	node->next = NULL;
	node->pprev = NULL;
}

static inline bool hlist_empty(const struct hlist_head *head)
{
	return READ_ONCE(head->first) == NULL;
}

static inline bool hlist_is_linked(const struct hlist_node *node)
{
	return READ_ONCE(node->pprev) != NULL;
}

static inline void hlist_add(struct hlist_head *head, struct hlist_node *node)
{
	node->next = head->first;
	node->pprev = &head->first;
	if (node->next)
		node->next->pprev = &node->next;
	head->first = node;
}

/* Unlinks @node and leaves it initialised; harmless if it was not linked. */
static inline void hlist_del(struct hlist_node *node)
{
	if (!node->pprev)
		return;
	*node->pprev = node->next;
	if (node->next)
		node->next->pprev = node->pprev;
	hlist_node_init(node);
}

static inline void hlist_add_rcu(struct hlist_head *head, struct hlist_node *node)
{
	struct hlist_node *first = head->first;

	node->next = first;
	node->pprev = &head->first;
	STORE_RELEASE(head->first, node);
	if (first)
		first->pprev = &node->next;
}

/*
 * @node keeps its next for readers; hlist_is_linked() is false at once. Harmless if it was not
 * linked.
 */
static inline void hlist_del_rcu(struct hlist_node *node)
{
	if (!node->pprev)
		return;
	WRITE_ONCE(*node->pprev, node->next);
	if (node->next)
		node->next->pprev = node->pprev;
	WRITE_ONCE(node->pprev, NULL);
}

#define hlist_entry(ptr, type, member) container_of(ptr, type, member)
#define __hlist_entry_or_null(ptr, type, member, n)                                                \
	({                                                                                         \
		__auto_type n = (ptr);                                                             \
		n ? hlist_entry(n, type, member) : NULL;                                           \
	})
#define hlist_entry_or_null(ptr, type, member)                                                     \
	__hlist_entry_or_null(ptr, type, member, __lib_unique(hlist_n))

#define hlist_for_each_entry(pos, head, member)                                                    \
	for ((pos) = hlist_entry_or_null((head)->first, __typeof__(*(pos)), member); (pos);        \
	     (pos) = hlist_entry_or_null((pos)->member.next, __typeof__(*(pos)), member))
/* @pos may be unlinked or freed in the body; @tmp is a struct hlist_node *. */
#define hlist_for_each_entry_safe(pos, tmp, head, member)                                          \
	for ((pos) = hlist_entry_or_null((head)->first, __typeof__(*(pos)), member);               \
	     (pos) && ((tmp) = (pos)->member.next, true);                                          \
	     (pos) = hlist_entry_or_null(tmp, __typeof__(*(pos)), member))
#define hlist_for_each_entry_rcu(pos, head, member)                                                \
	for ((pos) = hlist_entry_or_null(LOAD_ACQUIRE((head)->first), __typeof__(*(pos)), member); \
	     (pos); (pos) = hlist_entry_or_null(LOAD_ACQUIRE((pos)->member.next),                  \
						__typeof__(*(pos)), member))

#endif
