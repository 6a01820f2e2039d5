/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What execve(2) does to credentials: set-user-ID and set-group-ID, and the capability rules of capabilities(7), "Transformation of capabilities during execve()".
 * No file system here stores file capabilities, so a file has them only by root's rule.
 */
#include "abi/process.h"
#include "abi/stat.h"
#include "fs/fdtable.h"
#include "fs/vfs.h"
#include "proc/exec.h"

#define SECURE(bit) (1u << (bit))

/* May this program change identity at all? */
static bool honours_setid(const struct exec *x)
{
	return !x->cred->no_new_privs && !(READ_ONCE(x->file->path.mnt->flags) & MOUNT_NOSUID);
}

static void apply_file_mode(struct exec *x)
{
	const struct inode *i = x->file->inode;
	u32 mode = READ_ONCE(i->mode);

	if (!honours_setid(x))
		return;
	if (mode & S_ISUID)
		x->cred->euid = i->uid;
	/* Without group execution the bit means mandatory locking. */
	if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		x->cred->egid = i->gid;
}

/* Another process shares root, working directory and umask: it could lead a privileged program astray. */
static bool is_unsafe(const struct exec *x)
{
	return x->cred->no_new_privs || fsctx_is_shared(current_actor()->fs);
}

static void apply_capabilities(struct exec *x, const struct cred *old)
{
	struct cred *new = x->cred;
	cap_set_t file_permitted = 0, all = ~0ull;
	bool file_effective = false, is_setid, has_gained;

	if (!(new->securebits & SECURE(SECURE_NOROOT)) && (kuid_eq(new->euid, KUID_ROOT) || kuid_eq(new->uid, KUID_ROOT))) {
		file_permitted = all;
		file_effective = kuid_eq(new->euid, KUID_ROOT);
	}
	new->permitted = (file_permitted & new->bounding) | (file_permitted & new->inheritable);
	is_setid = !kuid_eq(new->euid, old->uid) || !kgid_eq(new->egid, old->gid);
	has_gained = (new->permitted & ~old->permitted) != 0;
	if ((is_setid || has_gained) && is_unsafe(x)) {
		if (!cred_capable(old, old->ns, CAP_SETUID) || new->no_new_privs) {
			new->euid = new->uid;
			new->egid = new->gid;
		}
		new->permitted &= old->permitted;
	}
	if (is_setid)
		new->ambient = 0;
	new->permitted |= new->ambient;
	new->effective = file_effective ? new->permitted : new->ambient;
	x->is_secure = is_setid || (!kuid_eq(new->uid, KUID_ROOT) && (file_effective || (new->permitted & ~new->ambient)));
}

int exec_make_cred(struct exec *x)
{
	const struct cred *old = current_cred();
	int err = cred_prepare(&x->cred);

	if (err)
		return err;
	apply_file_mode(x);
	apply_capabilities(x, old);
	x->cred->suid = x->cred->fsuid = x->cred->euid;
	x->cred->sgid = x->cred->fsgid = x->cred->egid;
	x->cred->securebits &= ~SECURE(SECURE_KEEP_CAPS);
	return 0;
}
