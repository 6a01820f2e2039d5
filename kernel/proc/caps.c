/* SPDX-License-Identifier: MPL-2.0 */
/* Capability sets of threads: capget(2), capset(2), and prctl(2)'s operations on the bounding set, the ambient set and the securebits (capabilities(7)). */
#include <lib/errno.h>
#include "abi/process.h"
#include "proc/identity.h"
#include "proc/internal.h"

#define BIT_OF(cap) (1ull << (cap))
#define SECURE(bit) (1u << (bit))

bool cap_is_valid(u64 cap)
{
	return cap <= CAP_LAST_CAP;
}

void identity_capget(const struct thread *t, struct cap_sets *out)
{
	const struct cred *c = cred_get_of(&t->sched.actor);

	*out = (struct cap_sets){ c->effective, c->permitted, c->inheritable };
	cred_put(c);
}

/* capset(2), under "ERRORS": EPERM. */
static int check_capset(const struct cred *old, const struct cap_sets *s)
{
	bool may_set = capable(old->ns, CAP_SETPCAP);

	if (!may_set && (s->inheritable & ~(old->inheritable | old->permitted)))
		return -EPERM;
	if (s->inheritable & ~(old->inheritable | old->bounding))
		return -EPERM;
	if ((s->permitted & ~old->permitted) || (s->effective & ~s->permitted))
		return -EPERM;
	return 0;
}

int identity_capset(const struct cap_sets *sets)
{
	struct cap_sets s = *sets;
	const cap_set_t known = BIT_OF(CAP_LAST_CAP + 1) - 1;
	struct cred *new;
	int err;

	s.effective &= known;
	s.permitted &= known;
	s.inheritable &= known;
	err = check_capset(current_cred(), &s);
	if (!err)
		err = cred_prepare(&new);
	if (err)
		return err;
	new->effective = s.effective;
	new->permitted = s.permitted;
	new->inheritable = s.inheritable;
	new->ambient &= s.permitted & s.inheritable;
	return identity_commit(new);
}

int identity_drop_bounding(u64 cap)
{
	struct cred *new;
	int err;

	if (!capable(current_cred()->ns, CAP_SETPCAP))
		return -EPERM;
	if (!cap_is_valid(cap))
		return -EINVAL;
	err = cred_prepare(&new);
	if (err)
		return err;
	new->bounding &= ~BIT_OF(cap);
	return identity_commit(new);
}

int identity_set_securebits(u64 bits)
{
	u32 old = current_cred()->securebits;
	struct cred *new;
	int err;

	/* A lock bit stands one above the bit it locks. */
	if (((old & SECURE_ALL_LOCKS) >> 1 & (old ^ bits)) || (old & SECURE_ALL_LOCKS & ~bits) || (bits & ~(u64)(SECURE_ALL_LOCKS | SECURE_ALL_BITS)) ||
	    !capable(current_cred()->ns, CAP_SETPCAP))
		return -EPERM;
	err = cred_prepare(&new);
	if (err)
		return err;
	new->securebits = (u32)bits;
	return identity_commit(new);
}

int identity_set_keepcaps(bool is_on)
{
	struct cred *new;
	int err;

	if (current_cred()->securebits & SECURE(SECURE_KEEP_CAPS_LOCKED))
		return -EPERM;
	err = cred_prepare(&new);
	if (err)
		return err;
	new->securebits = (new->securebits & ~SECURE(SECURE_KEEP_CAPS)) | (is_on ? SECURE(SECURE_KEEP_CAPS) : 0);
	return identity_commit(new);
}

int identity_set_no_new_privs(void)
{
	struct cred *new;
	int err = cred_prepare(&new);

	if (err)
		return err;
	new->no_new_privs = true;
	return identity_commit(new);
}

int identity_ambient(u64 op, u64 cap)
{
	const struct cred *old = current_cred();
	struct cred *new;
	int err;

	if (op != PR_CAP_AMBIENT_CLEAR_ALL && !cap_is_valid(cap))
		return -EINVAL;
	if (op == PR_CAP_AMBIENT_IS_SET)
		return (old->ambient & BIT_OF(cap)) != 0;
	if (op != PR_CAP_AMBIENT_CLEAR_ALL && op != PR_CAP_AMBIENT_RAISE && op != PR_CAP_AMBIENT_LOWER)
		return -EINVAL;
	if (op == PR_CAP_AMBIENT_RAISE &&
	    (!(old->permitted & old->inheritable & BIT_OF(cap)) || (old->securebits & SECURE(SECURE_NO_CAP_AMBIENT_RAISE))))
		return -EPERM;
	err = cred_prepare(&new);
	if (err)
		return err;
	if (op == PR_CAP_AMBIENT_CLEAR_ALL)
		new->ambient = 0;
	else if (op == PR_CAP_AMBIENT_RAISE)
		new->ambient |= BIT_OF(cap);
	else
		new->ambient &= ~BIT_OF(cap);
	return identity_commit(new);
}
