/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Credentials: immutable objects, copied to be changed (credentials(7), capabilities(7)).
 *
 * An actor's cred pointer is replaced by the actor alone (cred_commit); others read it under RCU and take a reference if it still has one.
 * init_cred and the empty group list are never freed: they start with a reference that nobody gives back.
 */
#include <lib/errno.h>
#include "object/cred.h"
#include "object/policy.h"
#include "object/user_ns.h"

#define CAP_COUNT 41	/* CAP_LAST_CAP + 1 of Linux 6.1 */
#define CAPS_ALL ((1ul << CAP_COUNT) - 1)
#define OVERFLOW_ID 65534

struct user_ns init_user_ns = { .refs = { 1 } };
static struct group_list no_groups = { .refs = { 1 } };

struct cred init_cred = {
	.refs = { 1 },
	.groups = &no_groups,
	.permitted = CAPS_ALL,
	.effective = CAPS_ALL,
	.bounding = CAPS_ALL,
	.ns = &init_user_ns,
};

bool make_kuid(struct user_ns *ns, u32 uid, kuid_t *out)
{
	out->v = uid;
	return ns == &init_user_ns && uid != ~0u;
}

bool make_kgid(struct user_ns *ns, u32 gid, kgid_t *out)
{
	out->v = gid;
	return ns == &init_user_ns && gid != ~0u;
}

u32 from_kuid(struct user_ns *ns, kuid_t uid)
{
	return ns == &init_user_ns ? uid.v : OVERFLOW_ID;
}

u32 from_kgid(struct user_ns *ns, kgid_t gid)
{
	return ns == &init_user_ns ? gid.v : OVERFLOW_ID;
}

/* --- group lists */

int groups_create(u32 n, struct group_list **out)
{
	struct group_list *g = kmalloc(sizeof(*g) + n * sizeof(g->gid[0]), ALLOC_SLEEP | ALLOC_USER);

	if (!g)
		return -ENOMEM;
	ref_init(&g->refs);
	g->n = n;
	*out = g;
	return 0;
}

static void sift_down(kgid_t *v, u32 root, u32 n)
{
	for (u32 child; (child = 2 * root + 1) < n; root = child) {
		kgid_t t;

		if (child + 1 < n && v[child].v < v[child + 1].v)
			child++;
		if (v[root].v >= v[child].v)
			return;
		t = v[root];
		v[root] = v[child];
		v[child] = t;
	}
}

void groups_sort(struct group_list *g)
{
	for (u32 i = g->n / 2; i-- > 0;)
		sift_down(g->gid, i, g->n);
	for (u32 end = g->n; end > 1; end--) {
		kgid_t t = g->gid[0];

		g->gid[0] = g->gid[end - 1];
		g->gid[end - 1] = t;
		sift_down(g->gid, 0, end - 1);
	}
}

static struct group_list *groups_get(struct group_list *g)
{
	ref_get(&g->refs);
	return g;
}

void groups_put(struct group_list *g)
{
	if (ref_put(&g->refs))
		kfree(g);
}

static bool groups_have(const struct group_list *g, kgid_t gid)
{
	u32 low = 0, high = g->n;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (g->gid[mid].v < gid.v)
			low = mid + 1;
		else
			high = mid;
	}
	return low < g->n && kgid_eq(g->gid[low], gid);
}

bool cred_in_group(const struct cred *c, kgid_t gid)
{
	return kgid_eq(c->fsgid, gid) || groups_have(c->groups, gid);
}

/* --- references. A cred is const to all but these: the count is the one field that changes. */

static void cred_free(struct rcu_head *head)
{
	struct cred *c = container_of(head, struct cred, rcu);

	groups_put(c->groups);
	kfree(c);
}

static struct cred *cred_mutable(const struct cred *c)
{
	union {
		const struct cred *shared;
		struct cred *own;
	} u = { .shared = c };

	return u.own;
}

const struct cred *cred_get(const struct cred *c)
{
	ref_get(&cred_mutable(c)->refs);
	return c;
}

void cred_put(const struct cred *c)
{
	struct cred *own = cred_mutable(c);

	if (ref_put(&own->refs))
		rcu_call(&own->rcu, cred_free);
}

const struct cred *cred_get_of(const struct actor *a)
{
	const struct cred *c;

	rcu_read_lock();
	do {
		c = rcu_deref(a->cred);
	} while (!ref_try_get(&cred_mutable(c)->refs));
	rcu_read_unlock();
	return c;
}

/* --- changes */

int cred_prepare(struct cred **out)
{
	struct cred *new = kmalloc(sizeof(*new), ALLOC_SLEEP | ALLOC_USER);

	if (!new)
		return -ENOMEM;
	*new = *current_cred();
	ref_init(&new->refs);
	groups_get(new->groups);
	*out = new;
	return 0;
}

void cred_commit(struct cred *new)
{
	struct actor *a = current_actor();
	const struct cred *old = a->cred;

	rcu_publish(a->cred, new);
	cred_put(old);
}

void cred_abandon(struct cred *new)
{
	cred_put(new);
}

/* --- capabilities */

bool cred_capable(const struct cred *c, struct user_ns *ns, u32 cap)
{
	return c->ns == ns && cap < CAP_COUNT && (c->effective >> cap & 1);
}

bool capable(struct user_ns *ns, u32 cap)
{
	return cred_capable(current_cred(), ns, cap);
}
