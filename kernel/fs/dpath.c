/* SPDX-License-Identifier: MPL-2.0 */
/*
 * From a path back to its text.
 *
 * Walks upwards under RCU, writing names from the end of the buffer; a rename or a change of mounts meanwhile starts it over. After some tries in vain the
 * rename lock keeps renames out.
 */
#include <lib/string.h>
#include "fs/calls.h"
#include "fs/fdtable.h"
#include "fs/internal.h"

struct text {
	char *start;		/* of what is written */
	char *limit;		/* of the buffer */
	bool is_unreachable;
};

#define TEXT_AGAIN 1

static int prepend(struct text *t, const char *s, size_t len)
{
	if ((size_t)(t->start - t->limit) < len)
		return -ENAMETOOLONG;
	t->start -= len;
	memcpy(t->start, s, len);
	return 0;
}

/* Name and length belong together only if the sequence did not change between; then the memory is good for that length. */
static int prepend_name(struct text *t, const struct dentry *d)
{
	u32 seq = seq_read_begin(&d->seq), len = READ_ONCE(d->name.len);
	const char *name = READ_ONCE(d->name.name);
	int err;

	if (seq_read_retry(&d->seq, seq))
		return TEXT_AGAIN;
	err = prepend(t, name, len);
	return err ? err : prepend(t, "/", 1);
}

static int climb(struct text *t, const struct path *p, const struct path *root)
{
	const struct dentry *d = p->dentry;
	const struct mount *m = p->mnt;
	char *end = t->start;

	while (d != root->dentry || m != root->mnt) {
		if (d == m->root) {
			const struct mount *parent = READ_ONCE(m->parent);

			if (parent == m) {
				t->is_unreachable = true;
				break;
			}
			d = READ_ONCE(m->mountpoint);
			m = parent;
			continue;
		}
		if (READ_ONCE(d->parent) == d) {
			t->is_unreachable = true;
			break;
		}
		int err = prepend_name(t, d);

		if (err)
			return err;
		d = READ_ONCE(d->parent);
	}
	return t->start == end ? prepend(t, "/", 1) : 0;
}

#define FREE_TRIES 8

static int climb_stably(struct text *t, const struct path *p, const struct path *root)
{
	struct text begin = *t;

	for (u32 tries = 0;; tries++) {
		u32 moves, mounts;
		bool again;
		int err;

		if (tries >= FREE_TRIES)
			spin_lock(&rename_lock);
		moves = seq_read_begin(&rename_seq);
		mounts = seq_read_begin(&mount_seq);
		rcu_read_lock();
		err = climb(t, p, root);
		rcu_read_unlock();
		again = err == TEXT_AGAIN || seq_read_retry(&rename_seq, moves) || seq_read_retry(&mount_seq, mounts);
		if (tries >= FREE_TRIES)
			spin_unlock(&rename_lock);
		if (!again)
			return err;
		*t = begin;
	}
}

static bool is_unlinked(const struct dentry *d)
{
	return !d_is_hashed(d) && d->parent != d;
}

int path_text(const struct path *p, const struct path *root, char *buf, size_t max, char **start)
{
	struct text t = { buf + max, buf, false };
	int err = prepend(&t, "", 1);

	if (!err && is_unlinked(p->dentry))
		err = prepend(&t, " (deleted)", 10);
	if (!err && (d_flags(p->dentry) & D_ANON))
		err = prepend(&t, p->dentry->name.name, p->dentry->name.len);
	else if (!err)
		err = climb_stably(&t, p, root);
	*start = t.start;
	return err;
}

/* getcwd(2): ENOENT for a removed directory; "(unreachable)" for one outside the root. */
ssize_t fs_getcwd(char *buf, size_t max, char **start)
{
	struct text t = { buf + max, buf, false };
	struct path cwd, root;
	int err;

	fsctx_cwd(&cwd);
	fsctx_root(&root);
	err = is_unlinked(cwd.dentry) ? -ENOENT : prepend(&t, "", 1);
	if (!err)
		err = climb_stably(&t, &cwd, &root);
	if (!err && t.is_unreachable)
		err = prepend(&t, "(unreachable)", 13);
	path_put(&cwd);
	path_put(&root);
	*start = t.start;
	return err ? err : buf + max - t.start;
}
