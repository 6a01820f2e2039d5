/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Credentials (credentials(7), capabilities(7)). A struct cred is immutable once published: a change makes a copy and replaces it whole.
 * Users and groups inside the kernel are kuid_t/kgid_t, translated at the boundary through the user namespace (user_ns.h); only the initial namespace
 * exists so far, where the translation is the identity.
 */
#ifndef OBJECT_CRED_H
#define OBJECT_CRED_H

#include <lib/types.h>
#include <frame/rcu.h>
#include "object/ref.h"
#include "object/current.h"

typedef struct { u32 v; } kuid_t;
typedef struct { u32 v; } kgid_t;

#define KUID_ROOT ((kuid_t){ 0 })
#define KGID_ROOT ((kgid_t){ 0 })

static inline bool kuid_eq(kuid_t a, kuid_t b) { return a.v == b.v; }
static inline bool kgid_eq(kgid_t a, kgid_t b) { return a.v == b.v; }

struct user_ns;
extern struct user_ns init_user_ns;

/* Boundary translation. make_*: false if the number has no meaning in the namespace (-1 included): -EINVAL at the call. */
__must_check bool make_kuid(struct user_ns *ns, u32 uid, kuid_t *out);
__must_check bool make_kgid(struct user_ns *ns, u32 gid, kgid_t *out);
u32 from_kuid(struct user_ns *ns, kuid_t uid);	/* overflow id 65534 if unmapped */
u32 from_kgid(struct user_ns *ns, kgid_t gid);

#define NGROUPS_MAX_KEEL 65536

/* Supplementary groups, sorted, immutable, shared. */
struct group_list {
	struct ref refs;
	u32 n;
	kgid_t gid[];
};

typedef u64 cap_set_t;		/* bit = CAP_* of capabilities(7) */

struct cred {
	struct ref refs;
	struct rcu_head rcu;
	kuid_t uid, euid, suid, fsuid;
	kgid_t gid, egid, sgid, fsgid;
	struct group_list *groups;	/* never NULL */
	cap_set_t permitted, effective, inheritable, bounding, ambient;
	u32 securebits;
	bool no_new_privs;
	struct user_ns *ns;
};

extern struct cred init_cred;

/* Supplementary group lists: created private with room for n, filled, sorted, then immutable. */
__must_check int groups_create(u32 n, struct group_list **out);	/* -ENOMEM */
void groups_sort(struct group_list *g);				/* O(n log n) */
void groups_put(struct group_list *g);

static inline const struct cred *current_cred(void)
{
	return current_actor()->cred;
}

const struct cred *cred_get(const struct cred *c);
void cred_put(const struct cred *c);
/* Another actor's credentials, referenced. Any context that may enter RCU. */
const struct cred *cred_get_of(const struct actor *a);
/* A private copy of the current credentials to change; then cred_commit (takes it over) or cred_abandon. -ENOMEM */
__must_check int cred_prepare(struct cred **out);
void cred_commit(struct cred *new);
void cred_abandon(struct cred *new);
bool cred_in_group(const struct cred *c, kgid_t gid);	/* fsgid or supplementary; O(log n) */

/* Does the current actor hold CAP_x in `ns`? */
bool capable(struct user_ns *ns, u32 cap);
bool cred_capable(const struct cred *c, struct user_ns *ns, u32 cap);

#endif
