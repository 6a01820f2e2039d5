/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Per-user accounts in a hash table. Look-up under RCU; the table lock guards insertion and removal. An account leaves the table with its last reference;
 * who finds it in between, on its way out, makes a new one. Counts are changed by their owners while they hold a reference.
 */
#include <lib/errno.h>
#include <lib/hash.h>
#include <frame/spinlock.h>
#include "mm/alloc.h"
#include "proc/user_account.h"

#define TABLE_BITS 6

static struct hlist_head table[1 << TABLE_BITS];	/* [table_lock; RCU to read] */
static struct spinlock_soft table_lock = SPINLOCK_INIT("user accounts");
static struct slab_cache *account_cache;

void user_account_init(void)
{
	account_cache = slab_create("user_account", sizeof(struct user_account), 0, 0, NULL);
}

static struct hlist_head *bucket_of(kuid_t uid)
{
	return &table[hash_bits(hash_u64(uid.v), TABLE_BITS)];
}

/* Under RCU or the table lock. */
static struct user_account *find(kuid_t uid)
{
	struct user_account *a;

	hlist_for_each_entry_rcu(a, bucket_of(uid), node)
		if (kuid_eq(a->uid, uid) && ref_try_get(&a->refs))
			return a;
	return NULL;
}

int user_account_get(kuid_t uid, struct user_account **out)
{
	struct user_account *new;

	rcu_read_lock();
	*out = find(uid);
	rcu_read_unlock();
	if (*out)
		return 0;
	new = slab_alloc(account_cache, ALLOC_SLEEP | ALLOC_ZERO | ALLOC_USER);
	if (!new)
		return -ENOMEM;
	ref_init(&new->refs);
	new->uid = uid;
	spin_lock_soft(&table_lock);
	*out = find(uid);
	if (!*out) {
		hlist_add_rcu(bucket_of(uid), &new->node);
		*out = new;
		new = NULL;
	}
	spin_unlock_soft(&table_lock);
	slab_free(account_cache, new);
	return 0;
}

struct user_account *user_account_ref(struct user_account *a)
{
	ref_get(&a->refs);
	return a;
}

static void account_free(struct rcu_head *head)
{
	slab_free(account_cache, container_of(head, struct user_account, rcu));
}

void user_account_put(struct user_account *a)
{
	if (!a || !ref_put(&a->refs))
		return;
	spin_lock_soft(&table_lock);
	hlist_del_rcu(&a->node);
	spin_unlock_soft(&table_lock);
	rcu_call(&a->rcu, account_free);
}
