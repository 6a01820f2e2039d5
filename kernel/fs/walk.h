/* SPDX-License-Identifier: MPL-2.0 */
/* Path walking, for the files of fs core that resolve names: namei.c. */
#ifndef FS_WALK_H
#define FS_WALK_H

#include "fs/fdtable.h"
#include "fs/internal.h"

enum last_type { LAST_NAME, LAST_DOT, LAST_DOTDOT, LAST_ROOT };

struct walk {
	struct path at;			/* where we are; referenced unless is_rcu */
	struct inode *inode;		/* at.dentry's, as of seq; never NULL */
	u32 seq;			/* is_rcu: of at.dentry */
	bool is_rcu;			/* nothing is referenced; what was seen is checked at the end */
	bool has_slash;			/* the last component is followed by slashes */
	u8 last_type;			/* enum last_type, after walk_parent */
	u32 flags;			/* LOOKUP_* */
	struct qstr last;		/* after walk_parent: the last component, in the text */
	const char *rest;		/* what follows it */
	struct path root;		/* mnt NULL: not looked up yet. Referenced unless is_rcu */
	u32 mount_seq, rename_seq;	/* as of the start */
	const char *text;		/* what is left to walk */
	char *buffer;			/* text of followed symlinks, to be freed; NULL: text is the caller's */
	u32 n_links;
	s32 dirfd;
	const struct user_path *path;
	struct fdref dir;		/* dirfd's file while we walk; NULL */
};

/* What RCU cannot decide: walk again with references. Never leaves namei.c and query.c. */
#define WALK_UNSURE (-ECHILD)

/*
 * walk_begin, one of the walks, walk_end. A walk that answers 0 leaves `at` referenced (walk_finish was called) for the caller to take over by
 * walk_take, or to drop in walk_end.
 */
void walk_init(struct walk *w, s32 dirfd, const struct user_path *up, u32 flags);
__must_check int walk_to_parent(struct walk *w);	/* referenced; the last component stays unlooked at */
__must_check int walk_to_end(struct walk *w);		/* referenced */
/* One more step from a parent reached by walk_to_parent (referenced): looks the last name up, crosses mounts, follows a symlink as flags say.
 * 0: at the end. 1: a symlink was followed; at the new parent, with a new last component. */
__must_check int walk_last(struct walk *w);
/* The same with the name already looked up; takes d over. For open(2), which may have created it. */
__must_check int walk_into_last(struct walk *w, struct dentry *d);
void walk_take(struct walk *w, struct path *out);
void walk_end(struct walk *w);

/* For query.c: a whole walk under RCU; on 0 w->at, w->inode hold still (RCU is being read) until walk_rcu_done, which says whether all was stable
 * (0 or WALK_UNSURE). On errors RCU is left already, and they are final unless WALK_UNSURE. */
__must_check int walk_rcu_start(struct walk *w);
__must_check int walk_rcu_done(struct walk *w);
void walk_rcu_leave(struct walk *w);			/* without looking: walk_retry_referenced follows */
__must_check int walk_retry_referenced(struct walk *w);

#endif
