/* SPDX-License-Identifier: MPL-2.0 */
/*
 * From path text to path: path_resolution(7).
 *
 * A walk first tries under RCU: it takes no lock and no reference, writes nothing that others read, and trusts each step only while sequence
 * counts hold still: each dentry's (its name, parent and inode), and mount_seq for the whole walk. Whatever it cannot settle so - a name not in the
 * cache, a file system's own permission check, a magic link, anything that changed under it - sends it back to the start, to walk again with a
 * reference on each step (WALK_UNSURE).
 *
 * Symlinks: the text of the link is put before what is left of the path, in a buffer of its own; there is no recursion. Intermediate links are always
 * followed, the last one as the flags say or if slashes follow it.
 */
#include <lib/string.h>
#include "fs/walk.h"
#include "mm/alloc.h"

/* --- User paths */

int user_path_get(struct user_path *up, uaddr_t addr, u32 lookup)
{
	ssize_t n = ucopy_string(current_uspace(), up->small, addr, USER_PATH_INLINE);

	up->text = up->small;
	if (unlikely(n == -ENAMETOOLONG)) {
		up->text = kmalloc(FS_PATH_MAX + 8, ALLOC_SLEEP | ALLOC_USER);
		if (!up->text)
			return -ENOMEM;
		n = ucopy_string(current_uspace(), up->text, addr, FS_PATH_MAX);
	}
	if (unlikely(n < 0 || (!n && !(lookup & LOOKUP_EMPTY)))) {
		user_path_put(up);
		return n < 0 ? (int)n : -ENOENT;
	}
	up->len = (size_t)n;
	memset(up->text + n, 0, 8);
	return 0;
}

int user_path_kernel(struct user_path *up, const char *text)
{
	size_t n = strnlen(text, FS_PATH_MAX);

	if (n >= FS_PATH_MAX)
		return -ENAMETOOLONG;
	up->text = n < USER_PATH_INLINE ? up->small : kmalloc(n + 8, ALLOC_SLEEP);
	if (!up->text)
		return -ENOMEM;
	up->len = n;
	memcpy(up->text, text, n);
	memset(up->text + n, 0, 8);
	return 0;
}

void user_path_put(struct user_path *up)
{
	if (unlikely(up->text != up->small))
		kfree(up->text);
}

/* --- Begin and end */

void walk_init(struct walk *w, s32 dirfd, const struct user_path *up, u32 flags)
{
	w->at.mnt = NULL;
	w->root.mnt = NULL;
	w->buffer = NULL;
	w->dir.file = NULL;
	w->is_rcu = false;
	w->flags = flags;
	w->dirfd = dirfd;
	w->path = up;
}

static void put_paths(struct walk *w)
{
	if (w->at.mnt)
		path_put(&w->at);
	if (w->root.mnt)
		path_put(&w->root);
	w->at.mnt = NULL;
	w->root.mnt = NULL;
}

/* Under RCU nothing is held; afterwards the paths are. */
static void leave_rcu(struct walk *w)
{
	if (!w->is_rcu)
		return;
	w->is_rcu = false;
	w->at.mnt = NULL;
	w->root.mnt = NULL;
	rcu_read_unlock();
}

void walk_end(struct walk *w)
{
	leave_rcu(w);
	put_paths(w);
	if (unlikely(w->buffer)) {
		kfree(w->buffer);
		w->buffer = NULL;
	}
	if (w->dir.file) {
		fd_end(&w->dir);
		w->dir.file = NULL;
	}
}

void walk_take(struct walk *w, struct path *out)
{
	*out = w->at;
	w->at.mnt = NULL;
}

/* Stands on a dentry whose inode may be looked at: under RCU with its sequence. */
static int stand_on(struct walk *w, const struct path *p)
{
	w->at = *p;
	if (w->is_rcu) {
		w->seq = seq_read_begin(&p->dentry->seq);
		w->inode = READ_ONCE(p->dentry->inode);
		return unlikely(!w->inode) ? WALK_UNSURE : 0;
	}
	w->inode = p->dentry->inode;
	return 0;
}

static void get_root(struct walk *w)
{
	if (w->root.mnt)
		return;
	if (w->is_rcu)
		fsctx_root_rcu(&w->root);
	else
		fsctx_root(&w->root);
}

static int start_at_root(struct walk *w)
{
	get_root(w);
	if (!w->is_rcu)
		path_get(&w->root);
	return stand_on(w, &w->root);
}

static int start_at_dir(struct walk *w, struct path *start)
{
	if (w->dirfd == AT_FDCWD_KEEL) {
		if (w->is_rcu)
			fsctx_cwd_rcu(start);
		else
			fsctx_cwd(start);
		return 0;
	}
	*start = w->dir.file->path;
	if (!S_ISDIR(w->dir.file->inode->mode) && *w->text)
		return -ENOTDIR;
	if (!w->is_rcu)
		path_get(start);
	return 0;
}

/* Where the walk starts. RESOLVE_IN_ROOT makes the start the root; RESOLVE_BENEATH allows nothing absolute (openat2(2)). */
static int start(struct walk *w)
{
	bool is_absolute = *w->text == '/';
	struct path p;
	int err;

	w->n_links = 0;
	w->mount_seq = seq_read_begin(&mount_seq);
	if (is_absolute && (w->flags & LOOKUP_BENEATH))
		return -EXDEV;
	if (is_absolute && !(w->flags & LOOKUP_IN_ROOT))
		return start_at_root(w);
	err = start_at_dir(w, &p);
	if (err)
		return err;
	if (w->flags & (LOOKUP_IN_ROOT | LOOKUP_BENEATH)) {
		w->rename_seq = seq_read_begin(&rename_seq);
		w->root = p;
		path_get(&p);		/* scoped walks are never under RCU */
	}
	return stand_on(w, &p);
}

/* Before the first mode of walking. The descriptor is held to the end, so that what it refers to stays. */
static int open_dirfd(struct walk *w)
{
	if (w->dirfd == AT_FDCWD_KEEL || w->dir.file || (*w->path->text == '/' && !(w->flags & (LOOKUP_IN_ROOT | LOOKUP_BENEATH))))
		return 0;
	if (fd_borrow_path(w->dirfd, &w->dir)) {
		w->dir.file = NULL;
		return -EBADF;
	}
	return 0;
}

static int enter(struct walk *w, bool is_rcu)
{
	if (w->buffer) {
		kfree(w->buffer);
		w->buffer = NULL;
	}
	w->text = w->path->text;
	w->is_rcu = is_rcu;
	if (is_rcu)
		rcu_read_lock();
	return start(w);
}

/* --- Steps */

static inline bool is_stale(const struct walk *w)
{
	return w->is_rcu && seq_read_retry(&w->at.dentry->seq, w->seq);
}

/* Search permission on the directory we stand in. The common case is decided by the mode alone. */
static int may_search(struct walk *w)
{
	struct inode *i = w->inode;

	if (unlikely(i->ops->permission))
		return w->is_rcu ? WALK_UNSURE : inode_permission(i, MAY_EXEC);
	if (likely((READ_ONCE(i->mode) & 0111) == 0111))
		return 0;
	return generic_permission(i, MAY_EXEC);
}

/* To the root of what is mounted on `p`, as often as it takes. */
static int cross_down(struct walk *w, struct path *p)
{
	while (d_flags(p->dentry) & D_MOUNTED) {
		if (w->is_rcu) {
			struct mount *m = mount_find_rcu(p->mnt, p->dentry);

			if (!m)
				break;
			*p = (struct path){ m, m->root };
		} else if (!mount_down(p)) {
			break;
		}
		if (w->flags & LOOKUP_NO_XDEV)
			return -EXDEV;
	}
	return 0;
}

/* One step up, not beyond the root of the process; then onto whatever is mounted there. */
static int up_one(struct walk *w, struct path *p)
{
	while (!path_eq(p, &w->root)) {
		if (p->dentry != p->mnt->root) {
			struct dentry *parent = READ_ONCE(p->dentry->parent);

			if (!w->is_rcu) {
				rcu_read_lock();
				while (!d_try_get(parent = READ_ONCE(p->dentry->parent)))
					;
				rcu_read_unlock();
				d_put(p->dentry);
			}
			p->dentry = parent;
			break;
		}
		if (w->is_rcu) {
			struct mount *m = READ_ONCE(p->mnt->parent);

			if (m == p->mnt)
				break;
			*p = (struct path){ m, READ_ONCE(p->mnt->mountpoint) };
		} else if (!mount_up(p)) {
			break;
		}
		if (w->flags & LOOKUP_NO_XDEV)
			return -EXDEV;
	}
	return cross_down(w, p);
}

static int step_dotdot(struct walk *w)
{
	struct path p = w->at;
	int err;

	get_root(w);
	if ((w->flags & LOOKUP_BENEATH) && path_eq(&p, &w->root))
		return -EXDEV;
	err = up_one(w, &p);
	if (is_stale(w))
		return WALK_UNSURE;
	if (!w->is_rcu)
		w->at = p;		/* up_one has moved the reference, also on errors */
	if (err)
		return err;
	/* A rename or mount meanwhile may have led a scoped walk out: openat2(2), EAGAIN. */
	if ((w->flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT)) && (seq_read_retry(&rename_seq, w->rename_seq) || seq_read_retry(&mount_seq, w->mount_seq)))
		return -EAGAIN;
	return stand_on(w, &p);
}

/* --- Symlinks */

/* Puts the link's text before `rest` and starts on it. */
static int splice(struct walk *w, const char *body, size_t len, const char *rest)
{
	size_t rest_len = strlen(rest);
	char *text;

	if (!len)
		return -ENOENT;
	text = kmalloc(len + rest_len + 8, w->is_rcu ? ALLOC_ATOMIC : ALLOC_SLEEP | ALLOC_USER);
	if (!text)
		return w->is_rcu ? WALK_UNSURE : -ENOMEM;
	memcpy(text, body, len);
	memcpy(text + len, rest, rest_len);
	memset(text + len + rest_len, 0, 8);
	kfree(w->buffer);
	w->buffer = text;
	w->text = text;
	if (*text != '/')
		return 0;
	if (w->flags & LOOKUP_BENEATH)
		return -EXDEV;
	if (w->is_rcu) {
		get_root(w);
	} else {
		path_put(&w->at);
		w->at.mnt = NULL;
		get_root(w);
		path_get(&w->root);
	}
	return stand_on(w, &w->root);
}

static int splice_read(struct walk *w, struct inode *link, const char *rest)
{
	char *body = kmalloc(FS_PATH_MAX, ALLOC_SLEEP | ALLOC_USER);
	ssize_t n;
	int err;

	if (!body)
		return -ENOMEM;
	n = link->ops->readlink ? link->ops->readlink(link, body, FS_PATH_MAX - 1) : -EINVAL;
	err = n < 0 ? (int)n : splice(w, body, (size_t)n, rest);
	kfree(body);
	return err;
}

static int jump(struct walk *w, struct dentry *link)
{
	struct path to;
	int err = link->inode->ops->follow(link, &to);

	if (err)
		return err;
	if (w->flags & LOOKUP_NO_MAGICLINKS)
		err = -ELOOP;
	else if ((w->flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT)) || ((w->flags & LOOKUP_NO_XDEV) && to.mnt != w->at.mnt))
		err = -EXDEV;
	if (err) {
		path_put(&to);
		return err;
	}
	path_put(&w->at);
	return stand_on(w, &to);
}

/* proc(5), protected_symlinks: in a sticky directory that everybody may write to, only links of one's own or of the directory's owner. */
static bool may_follow(const struct walk *w, const struct inode *link)
{
	const struct inode *dir = w->inode;

	if (!fs_tunables.protected_symlinks || (READ_ONCE(dir->mode) & (S_ISVTX | S_IWOTH)) != (S_ISVTX | S_IWOTH))
		return true;
	return kuid_eq(current_cred()->fsuid, link->uid) || kuid_eq(dir->uid, link->uid);
}

/* `link` is a symlink in the directory we stand in; `rest` the text behind its name. The caller keeps its reference. */
static int follow(struct walk *w, const struct path *link, struct inode *inode, const char *rest, bool is_last)
{
	bool may_jump = inode->ops->follow != NULL;

	if (unlikely(++w->n_links > FS_SYMLINKS_MAX || (w->flags & LOOKUP_NO_SYMLINKS)))
		return -ELOOP;
	if (w->is_rcu && (may_jump || !inode->link))
		return WALK_UNSURE;
	if (unlikely(is_last && !may_follow(w, inode)))
		return -EACCES;
	mount_touch_atime(link->mnt, inode);
	if (may_jump) {
		int err = jump(w, link->dentry);

		if (!err)
			w->text = rest;		/* still in the buffer */
		if (err != -EINVAL)
			return err;
	}
	return inode->link ? splice(w, inode->link, strlen(inode->link), rest) : splice_read(w, inode, rest);
}

/* --- Names */

/* The entry for w->last: under RCU with sequence in *seq and inode, else referenced. */
static int look_up(struct walk *w, struct dentry **out, u32 *seq)
{
	struct dentry *d;

	if (!w->is_rcu)
		return d_lookup_fs(w->at.dentry, &w->last, false, out);
	d = d_lookup_rcu(w->at.dentry, &w->last, seq);
	if (unlikely(!d || is_stale(w) || (d_flags(d) & D_IN_LOOKUP) || !d_revalidate(d)))
		return WALK_UNSURE;
	*out = d;
	return 0;
}

/* Moves onto the entry, or through the symlink it is. Takes over the reference on d. 0: standing on it; 1: followed. */
static int step_into(struct walk *w, struct dentry *d, u32 seq, bool follows, bool is_last)
{
	struct path p = { w->at.mnt, d };
	struct inode *inode = READ_ONCE(d->inode);
	int err = 0;

	if (w->is_rcu && (!inode || (d_flags(d) & D_MOUNTED))) {
		if (seq_read_retry(&d->seq, seq))
			return WALK_UNSURE;
	}
	if (unlikely(!inode)) {
		if (!w->is_rcu)
			d_put(d);
		return -ENOENT;
	}
	if (!w->is_rcu)
		mount_get(p.mnt);
	if (unlikely(d_flags(d) & D_MOUNTED)) {
		err = cross_down(w, &p);
		if (!err && p.dentry != d) {
			if (w->is_rcu)
				seq = seq_read_begin(&p.dentry->seq);
			inode = READ_ONCE(p.dentry->inode);
			if (unlikely(!inode))
				return WALK_UNSURE;	/* under RCU only: being unmounted */
		}
	}
	if (!err && unlikely((READ_ONCE(inode->mode) & S_IFMT) == S_IFLNK) && follows) {
		if (w->is_rcu && seq_read_retry(&p.dentry->seq, seq))
			return WALK_UNSURE;
		err = follow(w, &p, inode, w->rest, is_last);
		if (!w->is_rcu)
			path_put(&p);
		return err ? err : 1;
	}
	if (w->is_rcu) {
		w->at = p;
		w->seq = seq;
		w->inode = inode;
		return err;
	}
	path_put(&w->at);
	w->at = p;
	w->inode = inode;
	return err;
}

static bool scan_last(struct walk *w, const char *text)
{
	u32 len = name_scan(w->at.dentry, text, &w->last.hash);

	w->last.name = text;
	w->last.len = len;
	w->rest = text + len;
	w->last_type = LAST_NAME;
	if (unlikely(*text == '.')) {
		if (len == 1)
			w->last_type = LAST_DOT;
		else if (len == 2 && text[1] == '.')
			w->last_type = LAST_DOTDOT;
	}
	return len <= FS_NAME_MAX;
}

static inline const char *skip_slashes(const char *text)
{
	while (*text == '/')
		text++;
	return text;
}

/* Through w->last, which is not the end of the path. */
static int step_component(struct walk *w)
{
	struct dentry *d = NULL;
	u32 seq = 0;
	int err;

	if (w->last_type == LAST_DOT) {
		w->text = w->rest;
		return 0;
	}
	if (w->last_type == LAST_DOTDOT) {
		w->text = w->rest;
		return step_dotdot(w);
	}
	err = look_up(w, &d, &seq);
	if (unlikely(err))
		return err;
	err = step_into(w, d, seq, true, false);
	if (unlikely(err))
		return err > 0 ? 0 : err;
	w->text = w->rest;
	return 0;
}

/* Walks all but the last component, from wherever we stand. */
static int walk_parent(struct walk *w)
{
	for (;;) {
		const char *text = skip_slashes(w->text), *next;
		int err;

		if (unlikely(!*text)) {
			w->last_type = LAST_ROOT;	/* nothing to look up: "/", or a jump that ended the path */
			w->has_slash = text != w->text;
			return 0;
		}
		if (unlikely(!S_ISDIR(READ_ONCE(w->inode->mode))))
			return is_stale(w) ? WALK_UNSURE : -ENOTDIR;
		err = may_search(w);
		if (unlikely(err))
			return is_stale(w) ? WALK_UNSURE : err;
		if (unlikely(!scan_last(w, text)))
			return -ENAMETOOLONG;
		next = skip_slashes(w->rest);
		if (!*next) {
			w->has_slash = next != w->rest;
			return 0;
		}
		err = step_component(w);
		if (unlikely(err))
			return err;
	}
}

static inline bool follows_last(const struct walk *w)
{
	return (w->flags & LOOKUP_FOLLOW) || w->has_slash;
}

static int after_link(struct walk *w, int err)
{
	if (err <= 0)
		return err;
	err = walk_parent(w);
	return err ? err : 1;
}

static int last_step(struct walk *w)
{
	struct dentry *d = NULL;
	u32 seq = 0;
	int err;

	if (w->last_type == LAST_ROOT || w->last_type == LAST_DOT)
		return 0;
	if (w->last_type == LAST_DOTDOT)
		return step_dotdot(w);
	err = look_up(w, &d, &seq);
	if (unlikely(err))
		return err;
	return after_link(w, step_into(w, d, seq, follows_last(w), true));
}

int walk_last(struct walk *w)
{
	return last_step(w);
}

int walk_into_last(struct walk *w, struct dentry *d)
{
	return after_link(w, step_into(w, d, 0, follows_last(w), true));
}

/* All the way, in the mode begun. */
static int walk_all(struct walk *w)
{
	int err = walk_parent(w);

	while (!err) {
		err = last_step(w);
		if (err <= 0)
			break;
		err = 0;
	}
	if (unlikely(err))
		return err;
	if ((w->has_slash || (w->flags & LOOKUP_DIRECTORY)) && unlikely(!S_ISDIR(READ_ONCE(w->inode->mode))))
		return is_stale(w) ? WALK_UNSURE : -ENOTDIR;
	return 0;
}

/* --- The two modes */

/* RCU's end: all that was seen was there at one time? */
static bool was_stable(const struct walk *w)
{
	if (unlikely(!w->at.mnt))
		return true;		/* it never began */
	return !seq_read_retry(&w->at.dentry->seq, w->seq) && !seq_read_retry(&mount_seq, w->mount_seq);
}

/* Turns where we stand into references, or finds that it moved. */
static int legitimise(struct walk *w)
{
	struct path p = w->at;
	bool has_mount = ref_try_get(&p.mnt->refs), has_dentry = has_mount && d_try_get(p.dentry), is_good = has_dentry && was_stable(w);

	leave_rcu(w);
	if (likely(is_good)) {
		w->at = p;
		return 0;
	}
	if (has_dentry)
		d_put(p.dentry);
	if (has_mount)
		mount_put(p.mnt);
	return WALK_UNSURE;
}

/* An error found under RCU is believed if what led to it was stable. */
static int settle(struct walk *w, int err)
{
	if (!err)
		return legitimise(w);
	if (err != WALK_UNSURE && !was_stable(w))
		err = WALK_UNSURE;
	leave_rcu(w);
	return err;
}

static bool wants_references(const struct walk *w)
{
	return (w->flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT)) != 0;
}

static int walk_modes(struct walk *w, int (*walk)(struct walk *w))
{
	int err = open_dirfd(w);

	if (unlikely(err))
		return err;
	if (likely(!wants_references(w))) {
		err = enter(w, true);
		if (likely(!err))
			err = walk(w);
		err = settle(w, err);
		if (likely(err != WALK_UNSURE))
			return err;
	}
	if (w->flags & LOOKUP_CACHED)
		return -EAGAIN;
	err = enter(w, false);
	return err ? err : walk(w);
}

int walk_to_parent(struct walk *w)
{
	return walk_modes(w, walk_parent);
}

int walk_to_end(struct walk *w)
{
	return walk_modes(w, walk_all);
}

int walk_rcu_start(struct walk *w)
{
	int err = open_dirfd(w);

	if (unlikely(err))
		return err;
	err = enter(w, true);
	if (likely(!err))
		err = walk_all(w);
	if (unlikely(err)) {
		if (err != WALK_UNSURE && !was_stable(w))
			err = WALK_UNSURE;
		leave_rcu(w);
	}
	return err;
}

int walk_rcu_done(struct walk *w)
{
	bool is_good = was_stable(w);

	leave_rcu(w);
	return is_good ? 0 : WALK_UNSURE;
}

void walk_rcu_leave(struct walk *w)
{
	leave_rcu(w);
}

int walk_retry_referenced(struct walk *w)
{
	int err = enter(w, false);

	return err ? err : walk_all(w);
}
