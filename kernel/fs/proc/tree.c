/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The tree of /proc: look-up, directory reading, inodes, links.
 *
 * An inode is a node and, below /proc/PID, the struct pid it is about (referenced) and perhaps a descriptor number. Nothing is kept about processes: each
 * access finds the thread anew, and a dentry is forgotten (revalidate) when its process or descriptor is gone. Owners are those of the process.
 */
#include <lib/hash.h>
#include <lib/printf.h>
#include <lib/string.h>
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "fs/fdtable.h"
#include "fs/internal.h"
#include "fs/proc/internal.h"
#include "fs/proc/node.h"
#include "fs/proc/procfs.h"
#include "mm/alloc.h"
#include "object/pid_ns.h"
#include "proc/inspect.h"
#include "proc/policy.h"

#define PROC_MAGIC 0x9fa0
#define FIRST_PID_COOKIE 1024	/* directory positions below are the table's */

/* --- subjects */

int proc_subject_get(const struct inode *inode, struct proc_subject *s)
{
	const struct proc_inode *pi = inode->private;

	*s = (struct proc_subject){ .fd = pi->fd, .is_process = !pi->is_task, .node = pi->node };
	if (!pi->pid)
		return 0;
	s->thread = thread_find_get(pid_nr(pi->pid, &init_pid_ns));
	return s->thread ? 0 : -ESRCH;
}

void proc_subject_put(struct proc_subject *s)
{
	if (s->thread)
		thread_put(s->thread);
}

struct mm *proc_mm(const struct proc_subject *s)
{
	return thread_mm_get(s->thread);
}

/* --- inodes */

static u64 inode_number(const struct proc_node *node, struct pid *pid, s32 fd)
{
	u64 h = hash_combine(hash_ptr(node), pid ? (u64)pid_nr(pid, &init_pid_ns) : 0);

	return node == &proc_root_node ? 1 : (hash_combine(h, (u64)fd) >> 24) + 2;
}

static u32 mode_of(const struct proc_node *node)
{
	switch (node->kind) {
	case PROC_FILE:
	case PROC_MEM:
	case PROC_MOUNTS:
		return S_IFREG | node->mode;
	case PROC_LINK:
		return S_IFLNK | 0777;
	default:
		return S_IFDIR | node->mode;
	}
}

static const struct file_ops *ops_of(const struct proc_node *node, u32 mode)
{
	if (S_ISDIR(mode))
		return &proc_dir_ops;
	return node->kind == PROC_MEM ? &proc_mem_ops : node->kind == PROC_MOUNTS ? &proc_mounts_ops : &proc_file_ops;
}

/* Owned by the process's effective user, or root if it may not be looked into (proc(5)). */
static void set_owner(struct inode *inode, struct pid *pid)
{
	struct thread *t = pid ? thread_find_get(pid_nr(pid, &init_pid_ns)) : NULL;
	const struct cred *c;

	if (!t)
		return;
	c = cred_get_of(&t->sched.actor);
	if (READ_ONCE(t->process->dumpable) || (inode->mode & ~(u32)S_IFMT) == 0555) {
		inode->uid = c->euid;
		inode->gid = c->egid;
	}
	cred_put(c);
	thread_put(t);
}

static struct inode *make_inode(struct super_block *sb, const struct proc_node *node, struct pid *pid, s32 fd, bool is_task)
{
	struct proc_inode *pi = kmalloc(sizeof(*pi), ALLOC_SLEEP | ALLOC_USER);
	struct inode *inode = pi ? inode_new(sb, mode_of(node)) : NULL;

	if (!inode) {
		kfree(pi);
		return NULL;
	}
	*pi = (struct proc_inode){ .node = node, .pid = pid ? pid_get(pid) : NULL, .fd = fd, .is_task = is_task };
	inode->private = pi;
	inode->ino = inode_number(node, pid, fd);
	inode->ops = &proc_inode_ops;
	inode->fops = ops_of(node, inode->mode);
	set_owner(inode, pid);
	return inode;
}

static void proc_evict(struct inode *inode)
{
	struct proc_inode *pi = inode->private;

	if (pi)
		pid_put(pi->pid);
	kfree(pi);
	inode->private = NULL;
}

struct pid *proc_policy_pid_of_dir(const struct file *f)
{
	const struct proc_inode *pi = f->inode->private;

	return f->inode->ops == &proc_inode_ops && pi->node == &proc_pid_node ? pid_get(pi->pid) : NULL;
}

/* --- look-up */

static bool parse_number(const struct qstr *name, s32 *out)
{
	u64 v;

	if (name->len == 0 || name->len > 10 || (name->len > 1 && name->name[0] == '0') || parse_u64(name->name, name->len, 10, &v) || v > 0x7fffffff)
		return false;
	*out = (s32)v;
	return true;
}

static bool is_hidden(const struct proc_node *n, bool is_task)
{
	return is_task && n->is_process_only;
}

static const struct proc_node *find_child(const struct proc_inode *dir, const struct qstr *name)
{
	for (u32 i = 0; i < dir->node->n_children; i++) {
		const struct proc_node *n = &dir->node->children[i];

		if (strlen(n->name) == name->len && memcmp(n->name, name->name, name->len) == 0 && !is_hidden(n, dir->is_task))
			return n;
	}
	return NULL;
}

static bool fd_exists(struct pid *pid, s32 fd)
{
	struct thread *t = thread_find_get(pid_nr(pid, &init_pid_ns));
	struct file *f = t ? thread_file_get(t, fd) : NULL;

	if (f)
		file_put(f);
	if (t)
		thread_put(t);
	return f != NULL;
}

/* Is the thread of the process that `dir`, a task directory, is about? Its pid may be any thread's. */
static bool is_thread_of(const struct thread *t, const struct proc_inode *dir)
{
	struct thread *other = thread_find_get(pid_nr(dir->pid, &init_pid_ns));
	bool is_same = other && other->process == t->process;

	if (other)
		thread_put(other);
	return is_same;
}

/* The process or thread that a numeric name below `dir` means; NULL: none. /proc/TID is there for every thread, though only processes are listed (proc(5)). */
static struct pid *find_pid(const struct proc_inode *dir, s32 nr, bool *is_task)
{
	struct thread *t = thread_find_get(nr);
	struct pid *pid = NULL;

	*is_task = dir->node->kind == PROC_BY_TID;
	if (!t)
		return NULL;
	if (!*is_task || is_thread_of(t, dir))
		pid = pid_get(t->pid);
	thread_put(t);
	return pid;
}

static int proc_lookup(struct inode *dir, struct dentry *dentry)
{
	const struct proc_inode *pd = dir->private;
	const struct proc_node *node = find_child(pd, &dentry->name);
	bool is_task = pd->is_task;
	struct inode *inode = NULL;
	struct pid *pid = NULL;
	s32 nr;

	dentry->ops = &proc_inode_ops;
	if (node) {
		inode = make_inode(dir->sb, node, pd->pid, -1, is_task);
	} else if (!parse_number(&dentry->name, &nr)) {
		return -ENOENT;
	} else if (pd->node->kind == PROC_BY_FD || pd->node->kind == PROC_BY_FDINFO) {
		if (!fd_exists(pd->pid, nr))
			return -ENOENT;
		inode = make_inode(dir->sb, pd->node->kind == PROC_BY_FD ? &proc_fd_node : &proc_fdinfo_node, pd->pid, nr, is_task);
	} else if (pd->node->kind == PROC_BY_PID || pd->node->kind == PROC_BY_TID) {
		pid = find_pid(pd, nr, &is_task);
		if (!pid)
			return -ENOENT;
		inode = make_inode(dir->sb, is_task ? &proc_task_node : &proc_pid_node, pid, -1, is_task);
		pid_put(pid);
	} else {
		return -ENOENT;
	}
	if (!inode)
		return -ENOMEM;
	if (((const struct proc_inode *)inode->private)->pid)
		__atomic_fetch_or(&dentry->flags, D_NOCACHE, __ATOMIC_RELAXED);	/* processes come and go: their names are not kept */
	d_instantiate(dentry, inode);
	return 0;
}

/* Under RCU: whether the process still exists. Descriptors change without notice: asked each time. */
static bool proc_revalidate(struct dentry *dentry)
{
	struct inode *inode = READ_ONCE(dentry->inode);
	const struct proc_inode *pi = inode ? inode->private : NULL;

	if (!pi)
		return false;
	return !pi->pid || (pi->fd < 0 && pid_find(&init_pid_ns, pid_nr(pi->pid, &init_pid_ns)) == pi->pid);
}

/* A file of /proc/sys belongs to root, whose capabilities do not make it readable or writable. */
static int setting_permission(const struct inode *inode, u32 mask)
{
	u32 mode = READ_ONCE(inode->mode);

	if (kuid_eq(current_cred()->euid, KUID_ROOT))
		mode >>= 6;
	else if (cred_in_group(current_cred(), KGID_ROOT))
		mode >>= 3;
	return mask & (MAY_READ | MAY_WRITE | MAY_EXEC) & ~mode ? -EACCES : 0;
}

static int proc_permission(struct inode *inode, u32 mask)
{
	const struct proc_inode *pi = inode->private;
	struct proc_subject s;

	if (pi->node->is_setting)
		return setting_permission(inode, mask);
	if (pi->node->kind == PROC_BY_FD && !proc_subject_get(inode, &s)) {
		bool is_own = s.thread->process == current_process();

		proc_subject_put(&s);
		if (is_own)
			return 0;
	}
	return generic_permission(inode, mask);
}

/* --- links */

static ssize_t proc_readlink(struct inode *inode, char *buf, size_t max)
{
	const struct proc_inode *pi = inode->private;
	struct proc_subject s;
	ssize_t n = proc_subject_get(inode, &s);

	if (n)
		return n;
	if (pi->node->needs_ptrace)
		n = may_ptrace_read(s.thread);
	if (!n)
		n = pi->node->readlink(&s, buf, max);
	proc_subject_put(&s);
	return n;
}

static int proc_follow(struct dentry *dentry, struct path *out)
{
	const struct proc_inode *pi = dentry->inode->private;
	struct proc_subject s;
	int err;

	if (!pi->node->follow)
		return -EINVAL;		/* an ordinary symlink: read its text */
	err = proc_subject_get(dentry->inode, &s);
	if (err)
		return err;
	if (pi->node->needs_ptrace)
		err = may_ptrace_read(s.thread);
	if (!err)
		err = pi->node->follow(&s, out);
	proc_subject_put(&s);
	return err;
}

/* Attributes of /proc cannot be changed. */
static int proc_setattr(struct inode *inode, const struct iattr *a)
{
	if (a->valid & (ATTR_MODE | ATTR_UID | ATTR_GID))
		return -EPERM;
	if (a->valid & ATTR_SIZE)	/* O_TRUNC on a sysctl file */
		return 0;
	setattr_apply(inode, a);
	return 0;
}

const struct inode_ops proc_inode_ops = {
	.lookup = proc_lookup, .revalidate = proc_revalidate, .permission = proc_permission, .readlink = proc_readlink, .follow = proc_follow,
	.setattr = proc_setattr,
};

/* --- reading directories. Positions: 0 ".", 1 "..", 2+i the table, then FIRST_PID_COOKIE + number. */

static bool emit_number(struct dir_sink *sink, u64 *pos, s32 nr, u8 type)
{
	char name[12];
	u32 len = (u32)scnprintf(name, sizeof(name), "%d", nr);

	if (!sink->emit(sink, name, len, FIRST_PID_COOKIE + (u64)nr + 1, FIRST_PID_COOKIE + (u64)nr, type))
		return false;
	*pos = FIRST_PID_COOKIE + (u64)nr + 1;
	return true;
}

static void emit_processes(struct dir_sink *sink, u64 *pos)
{
	struct process *p;

	while ((p = process_next((s32)(*pos - FIRST_PID_COOKIE))) != NULL) {
		bool ok = emit_number(sink, pos, process_tgid(p), ABI_DT_DIR);

		process_put(p);
		if (!ok)
			return;
	}
}

static void emit_threads(struct dir_sink *sink, u64 *pos, struct process *p)
{
	s32 tid;

	while ((tid = process_next_tid(p, (s32)(*pos - FIRST_PID_COOKIE))) > 0)
		if (!emit_number(sink, pos, tid, ABI_DT_DIR))
			return;
}

static void emit_fds(struct dir_sink *sink, u64 *pos, struct thread *t, u8 type)
{
	s32 fd;

	while ((fd = thread_next_fd(t, (s32)(*pos - FIRST_PID_COOKIE))) >= 0)
		if (!emit_number(sink, pos, fd, type))
			return;
}

static bool emit_table(struct dir_sink *sink, u64 *pos, const struct proc_inode *pi)
{
	while (*pos < pi->node->n_children + 2) {
		const struct proc_node *n = &pi->node->children[*pos - 2];

		if (!is_hidden(n, pi->is_task) &&
		    !sink->emit(sink, n->name, (u32)strlen(n->name), *pos + 1, inode_number(n, pi->pid, -1), (u8)(mode_of(n) >> 12)))
			return false;
		++*pos;
	}
	return true;
}

static bool emit_dots(struct file *file, struct dir_sink *sink)
{
	if (file->pos == 0) {
		if (!sink->emit(sink, ".", 1, 1, file->inode->ino, ABI_DT_DIR))
			return false;
		file->pos = 1;
	}
	if (file->pos == 1) {
		if (!sink->emit(sink, "..", 2, 2, file->path.dentry->parent->inode->ino, ABI_DT_DIR))
			return false;
		file->pos = 2;
	}
	return true;
}

static int proc_iterate(struct file *file, struct dir_sink *sink)
{
	const struct proc_inode *pi = file->inode->private;
	struct proc_subject s;
	int err = proc_subject_get(file->inode, &s);

	if (err)
		return -ENOENT;
	if (!emit_dots(file, sink) || !emit_table(sink, &file->pos, pi))
		goto out;
	file->pos = max_t(u64, file->pos, FIRST_PID_COOKIE);
	switch (pi->node->kind) {
	case PROC_BY_PID:
		emit_processes(sink, &file->pos);
		break;
	case PROC_BY_TID:
		emit_threads(sink, &file->pos, s.thread->process);
		break;
	case PROC_BY_FD:
	case PROC_BY_FDINFO:
		emit_fds(sink, &file->pos, s.thread, pi->node->kind == PROC_BY_FD ? ABI_DT_LNK : ABI_DT_REG);
		break;
	default:
		break;
	}
out:
	proc_subject_put(&s);
	return 0;
}

const struct file_ops proc_dir_ops = { .iterate = proc_iterate };

/* --- the type */

static int proc_statfs(struct super_block *sb, struct statfs_k *out)
{
	(void)sb;
	*out = (struct statfs_k){ .type = PROC_MAGIC, .bsize = PAGE_SIZE, .frsize = PAGE_SIZE, .namelen = FS_NAME_MAX };
	return 0;
}

static const struct super_ops proc_super_ops = { .evict = proc_evict, .statfs = proc_statfs };

static int proc_mount(const struct fs_type *type, const char *source, u32 flags, const char *options, struct super_block **out)
{
	struct super_block *sb;
	struct inode *root;
	int err = super_create(type, &proc_super_ops, &sb);

	(void)source;
	(void)flags;
	(void)options;
	if (err)
		return err;
	sb->magic = PROC_MAGIC;
	sb->blksize = 1024;
	root = make_inode(sb, &proc_root_node, NULL, -1, false);
	sb->root = root ? d_make_root(sb, root) : NULL;
	if (!sb->root) {
		super_put(sb);
		return -ENOMEM;
	}
	*out = sb;
	return 0;
}

static struct fs_type proc_type = { .name = "proc", .is_user_mountable = true, .mount = proc_mount };

void procfs_init(void)
{
	if (fs_register(&proc_type))
		klog(LOG_ERR, "proc: not registered");
}
