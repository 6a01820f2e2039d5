/* SPDX-License-Identifier: MPL-2.0 */
/*
 * User and group ids of the current thread: setuid(2) and its family, by the rules of credentials(7), with their effects on capabilities (capabilities(7),
 * "Effect of user ID changes on capabilities"). A change makes a copy of the credentials, which either all becomes current or is dropped.
 */
#include <lib/errno.h>
#include "abi/process.h"
#include "proc/identity.h"
#include "proc/internal.h"

#define BIT_OF(cap) (1ull << (cap))
#define SECURE(bit) (1u << (bit))
/* Those that concern files, given and taken with fsuid 0. */
#define CAPS_OF_FILES (BIT_OF(CAP_CHOWN) | BIT_OF(CAP_MKNOD) | BIT_OF(CAP_DAC_OVERRIDE) | BIT_OF(CAP_DAC_READ_SEARCH) | BIT_OF(CAP_FOWNER) | \
		       BIT_OF(CAP_FSETID) | BIT_OF(CAP_LINUX_IMMUTABLE) | BIT_OF(CAP_MAC_OVERRIDE))

/* The thread is counted with its real user. setuid(2): EAGAIN if there is no memory for that; over RLIMIT_NPROC, execve(2) will complain. */
static int move_account(kuid_t uid)
{
	struct thread *t = current_thread();
	struct user_account *new, *old = t->account;
	int err;

	if (kuid_eq(old->uid, uid))
		return 0;
	err = user_account_get(uid, &new);
	if (err)
		return -EAGAIN;
	/* As Linux counts: without this thread. */
	t->is_over_nproc = __atomic_fetch_add(&new->n_threads, 1, __ATOMIC_RELAXED) > rlimit_current(KRLIMIT_NPROC) && !kuid_eq(uid, KUID_ROOT);
	__atomic_sub_fetch(&old->n_threads, 1, __ATOMIC_RELAXED);
	rcu_publish(t->account, new);
	user_account_put(old);
	return 0;
}

int identity_commit(struct cred *new)
{
	const struct cred *old = current_cred();
	int err = move_account(new->uid);

	if (err) {
		cred_abandon(new);
		return err;
	}
	/* prctl(2), PR_SET_DUMPABLE and PR_SET_PDEATHSIG: both are cleared by a change of effective ids. */
	if (!kuid_eq(old->euid, new->euid) || !kgid_eq(old->egid, new->egid) || !kuid_eq(old->fsuid, new->fsuid) ||
	    !kgid_eq(old->fsgid, new->fsgid) || (new->permitted & ~old->permitted)) {
		process_set_dumpable(current_process(), false);
		current_thread()->pdeath_signal = 0;
	}
	cred_commit(new);
	return 0;
}

/* --- effects on capabilities */

static bool has_root(const struct cred *c)
{
	return kuid_eq(c->uid, KUID_ROOT) || kuid_eq(c->euid, KUID_ROOT) || kuid_eq(c->suid, KUID_ROOT);
}

static void adjust_fs_caps(struct cred *new, const struct cred *old)
{
	if (new->securebits & SECURE(SECURE_NO_SETUID_FIXUP))
		return;
	if (kuid_eq(old->fsuid, KUID_ROOT) && !kuid_eq(new->fsuid, KUID_ROOT))
		new->effective &= ~CAPS_OF_FILES;
	if (!kuid_eq(old->fsuid, KUID_ROOT) && kuid_eq(new->fsuid, KUID_ROOT))
		new->effective |= new->permitted & CAPS_OF_FILES;
}

static void adjust_caps(struct cred *new, const struct cred *old)
{
	if (new->securebits & SECURE(SECURE_NO_SETUID_FIXUP))
		return;
	if (has_root(old) && !has_root(new)) {
		if (!(new->securebits & SECURE(SECURE_KEEP_CAPS)))
			new->permitted = new->effective = 0;
		new->ambient = 0;
	}
	if (kuid_eq(old->euid, KUID_ROOT) && !kuid_eq(new->euid, KUID_ROOT))
		new->effective = 0;
	if (!kuid_eq(old->euid, KUID_ROOT) && kuid_eq(new->euid, KUID_ROOT))
		new->effective = new->permitted;
}

static int finish_uid(struct cred *new, int err)
{
	if (err) {
		cred_abandon(new);
		return err;
	}
	new->fsuid = new->euid;
	adjust_caps(new, current_cred());
	return identity_commit(new);
}

static int finish_gid(struct cred *new, int err)
{
	if (err) {
		cred_abandon(new);
		return err;
	}
	new->fsgid = new->egid;
	return identity_commit(new);
}

/* --- users */

/* Sets *field to the id unless it is ID_KEEP. -EINVAL */
static int take_uid(u32 id, kuid_t *field)
{
	return id == ID_KEEP || make_kuid(current_cred()->ns, id, field) ? 0 : -EINVAL;
}

int identity_setuid(u32 uid)
{
	const struct cred *old = current_cred();
	struct cred *new;
	int err = cred_prepare(&new);

	if (err)
		return err;
	if (!make_kuid(old->ns, uid, &new->euid))
		err = -EINVAL;
	else if (capable(old->ns, CAP_SETUID))
		new->uid = new->suid = new->euid;
	else if (!kuid_eq(new->euid, old->uid) && !kuid_eq(new->euid, old->suid))
		err = -EPERM;
	return finish_uid(new, err);
}

int identity_setreuid(u32 ruid, u32 euid)
{
	const struct cred *old = current_cred();
	bool is_free = capable(old->ns, CAP_SETUID);
	struct cred *new;
	int err = cred_prepare(&new);

	if (err)
		return err;
	if (take_uid(ruid, &new->uid) || take_uid(euid, &new->euid))
		err = -EINVAL;
	else if (!is_free && !kuid_eq(new->uid, old->uid) && !kuid_eq(new->uid, old->euid))
		err = -EPERM;
	else if (!is_free && !kuid_eq(new->euid, old->uid) && !kuid_eq(new->euid, old->euid) && !kuid_eq(new->euid, old->suid))
		err = -EPERM;
	if (ruid != ID_KEEP || (euid != ID_KEEP && !kuid_eq(new->euid, old->uid)))
		new->suid = new->euid;
	return finish_uid(new, err);
}

static bool is_one_of_uids(const struct cred *c, kuid_t id)
{
	return kuid_eq(id, c->uid) || kuid_eq(id, c->euid) || kuid_eq(id, c->suid);
}

int identity_setresuid(u32 ruid, u32 euid, u32 suid)
{
	const struct cred *old = current_cred();
	struct cred *new;
	int err = cred_prepare(&new);

	if (err)
		return err;
	if (take_uid(ruid, &new->uid) || take_uid(euid, &new->euid) || take_uid(suid, &new->suid))
		err = -EINVAL;
	else if (!capable(old->ns, CAP_SETUID) &&
		 !(is_one_of_uids(old, new->uid) && is_one_of_uids(old, new->euid) && is_one_of_uids(old, new->suid)))
		err = -EPERM;
	return finish_uid(new, err);
}

u32 identity_setfsuid(u32 uid)
{
	const struct cred *old = current_cred();
	u32 former = from_kuid(old->ns, old->fsuid);
	struct cred *new;
	kuid_t id;

	if (!make_kuid(old->ns, uid, &id) || kuid_eq(id, old->fsuid) || (!is_one_of_uids(old, id) && !capable(old->ns, CAP_SETUID)))
		return former;
	if (cred_prepare(&new))
		return former;
	new->fsuid = id;
	adjust_fs_caps(new, old);
	if (identity_commit(new))
		klog(LOG_DEBUG, "setfsuid: no change");		/* the call has no way to say so */
	return former;
}

/* --- groups */

static int take_gid(u32 id, kgid_t *field)
{
	return id == ID_KEEP || make_kgid(current_cred()->ns, id, field) ? 0 : -EINVAL;
}

int identity_setgid(u32 gid)
{
	const struct cred *old = current_cred();
	struct cred *new;
	int err = cred_prepare(&new);

	if (err)
		return err;
	if (!make_kgid(old->ns, gid, &new->egid))
		err = -EINVAL;
	else if (capable(old->ns, CAP_SETGID))
		new->gid = new->sgid = new->egid;
	else if (!kgid_eq(new->egid, old->gid) && !kgid_eq(new->egid, old->sgid))
		err = -EPERM;
	return finish_gid(new, err);
}

int identity_setregid(u32 rgid, u32 egid)
{
	const struct cred *old = current_cred();
	bool is_free = capable(old->ns, CAP_SETGID);
	struct cred *new;
	int err = cred_prepare(&new);

	if (err)
		return err;
	if (take_gid(rgid, &new->gid) || take_gid(egid, &new->egid))
		err = -EINVAL;
	else if (!is_free && !kgid_eq(new->gid, old->gid) && !kgid_eq(new->gid, old->egid))
		err = -EPERM;
	else if (!is_free && !kgid_eq(new->egid, old->gid) && !kgid_eq(new->egid, old->egid) && !kgid_eq(new->egid, old->sgid))
		err = -EPERM;
	if (rgid != ID_KEEP || (egid != ID_KEEP && !kgid_eq(new->egid, old->gid)))
		new->sgid = new->egid;
	return finish_gid(new, err);
}

static bool is_one_of_gids(const struct cred *c, kgid_t id)
{
	return kgid_eq(id, c->gid) || kgid_eq(id, c->egid) || kgid_eq(id, c->sgid);
}

int identity_setresgid(u32 rgid, u32 egid, u32 sgid)
{
	const struct cred *old = current_cred();
	struct cred *new;
	int err = cred_prepare(&new);

	if (err)
		return err;
	if (take_gid(rgid, &new->gid) || take_gid(egid, &new->egid) || take_gid(sgid, &new->sgid))
		err = -EINVAL;
	else if (!capable(old->ns, CAP_SETGID) &&
		 !(is_one_of_gids(old, new->gid) && is_one_of_gids(old, new->egid) && is_one_of_gids(old, new->sgid)))
		err = -EPERM;
	return finish_gid(new, err);
}

u32 identity_setfsgid(u32 gid)
{
	const struct cred *old = current_cred();
	u32 former = from_kgid(old->ns, old->fsgid);
	struct cred *new;
	kgid_t id;

	if (!make_kgid(old->ns, gid, &id) || kgid_eq(id, old->fsgid) || (!is_one_of_gids(old, id) && !capable(old->ns, CAP_SETGID)))
		return former;
	if (cred_prepare(&new))
		return former;
	new->fsgid = id;
	if (identity_commit(new))
		klog(LOG_DEBUG, "setfsgid: no change");
	return former;
}

int identity_setgroups(struct group_list *groups)
{
	struct cred *new;
	int err = cred_prepare(&new);

	if (err) {
		groups_put(groups);
		return err;
	}
	groups_put(new->groups);
	new->groups = groups;
	return identity_commit(new);
}
