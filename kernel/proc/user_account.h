/* SPDX-License-Identifier: MPL-2.0 */
/* What a user has in use, over all his processes: the per-user limits of getrlimit(2). One account a kuid, while anybody refers to it. */
#ifndef PROC_USER_ACCOUNT_H
#define PROC_USER_ACCOUNT_H

#include <lib/list.h>
#include <frame/rcu.h>
#include "object/cred.h"
#include "object/ref.h"

struct user_account {
	struct ref refs;
	struct rcu_head rcu;
	struct hlist_node node;		/* [table lock; RCU to read] */
	kuid_t uid;			/* [I] */
	u32 n_threads;			/* [a] RLIMIT_NPROC */
	u32 n_signals;			/* [a] RLIMIT_SIGPENDING */
};

void user_account_init(void);
/* The user's account, made if there is none. -ENOMEM */
__must_check int user_account_get(kuid_t uid, struct user_account **out);
struct user_account *user_account_ref(struct user_account *a);
void user_account_put(struct user_account *a);

#endif
