/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The virtual file system: what file-system types, devices and system calls share.
 *
 * super_block ─ one mounted instance of a type; inode ─ one file in it; dentry ─ one name in the tree cache (negative ones included); mount ─ one place
 * where a tree hangs; path ─ (mount, dentry); file ─ one open file description.
 * Dentry-cache hits take no lock and write no shared line (RCU walk with sequence counts, falling back to a referenced walk); a dentry pins its parent and inode;
 * a file pins its mount and dentry.
 * Lock order: rename mutex → inode locks (parent before child; of two directories the ancestor first, else by address; of two files by address) → mapping … ;
 * page faults never take inode locks. Spinlocks: mount lock → rename lock → dentry locks (parent before child) → hash bucket, LRU.
 * Key: [I] immutable, [a] atomic, [i] inode->lock (rwsem), [d] dentry->lock, [m] mount lock.
 */
#ifndef FS_VFS_H
#define FS_VFS_H

#include <lib/types.h>
#include <lib/list.h>
#include <lib/rbtree.h>
#include <frame/spinlock.h>
#include <frame/rcu.h>
#include "object/ref.h"
#include "object/cred.h"
#include "sync/mutex.h"
#include "sync/seqlock.h"
#include "mm/mapping.h"
#include "mm/mm.h"
#include "fs/policy.h"

struct super_block;
struct inode;
struct dentry;
struct mount;
struct mntns;
struct file;
struct poll_wait;
struct notify_marks;
struct statfs_k;
struct xattr_ops;
struct file_watchers;

#define FS_NAME_MAX 255
#define FS_PATH_MAX 4096
#define FS_SYMLINKS_MAX 40

/* File type and permission bits are Linux's st_mode; S_IF* in abi/stat.h. */

struct timespec_k {
	s64 sec;
	u32 nsec;
};

/* A name: bytes with length and hash (of bytes and parent salt). At least 7 readable bytes follow the name: comparisons go by words. */
struct qstr {
	const char *name;
	u32 len;
	u32 hash;
};

struct path {
	struct mount *mnt;
	struct dentry *dentry;
};

/* What stat and setattr talk about. */
enum { ATTR_MODE = 1, ATTR_UID = 2, ATTR_GID = 4, ATTR_SIZE = 8, ATTR_ATIME = 16, ATTR_MTIME = 32, ATTR_CTIME = 64,
       ATTR_ATIME_NOW = 128, ATTR_MTIME_NOW = 256, ATTR_KILL_PRIV = 512 /* drop suid/sgid */, ATTR_OPEN = 1024,
       ATTR_TOUCH = 2048 /* utimensat(2) with both times UTIME_NOW: write permission suffices */ };
struct iattr {
	u32 valid;		/* ATTR_* */
	u32 mode;
	kuid_t uid;
	kgid_t gid;
	u64 size;
	struct timespec_k atime, mtime;
};

struct kstat {
	u64 ino, size, blocks;	/* blocks of 512 bytes */
	u64 dev, rdev;		/* makedev numbers, see dev_make */
	u32 mode, nlink, blksize;
	kuid_t uid;
	kgid_t gid;
	struct timespec_k atime, mtime, ctime, btime;
	u64 attributes, attributes_mask;	/* STATX_ATTR_* */
	u64 mnt_id;
	bool has_btime;
};

static inline u64 dev_make(u32 major, u32 minor) { return (u64)major << 32 | minor; }
static inline u32 dev_major(u64 dev) { return (u32)(dev >> 32); }
static inline u32 dev_minor(u64 dev) { return (u32)dev; }
static inline u64 dev_packed(u64 dev) { return (u64)dev_major(dev) << 20 | dev_minor(dev); }	/* as fdinfo shows it: 20 bits of minor */

/* Directory reading: emit returns false when the caller's buffer is full. `pos` is the cookie of the NEXT entry. */
struct dir_sink {
	bool (*emit)(struct dir_sink *s, const char *name, u32 len, u64 next_pos, u64 ino, u8 d_type);
};

/* Methods take the parent's inode lock held for writing (create, link, unlink, mkdir, rmdir, mknod, symlink, rename) and find `dentry` negative or positive as fits.
 * unlink, rmdir and rename also find the victim's inode locked, and the moved one's if it is no directory; link the linked inode.
 * A method left NULL answers -EPERM (creation: as the man page of the call has it). The core moves dentries after rename and makes them negative
 * after unlink and rmdir; the file system counts links and sets times. */
struct inode_ops {
	/* Fills a new dentry: d_instantiate(dentry, inode or NULL for a negative one). Directory lock held shared. */
	int (*lookup)(struct inode *dir, struct dentry *dentry);
	int (*create)(struct inode *dir, struct dentry *dentry, u32 mode);
	int (*mknod)(struct inode *dir, struct dentry *dentry, u32 mode, u64 rdev);
	int (*mkdir)(struct inode *dir, struct dentry *dentry, u32 mode);
	int (*symlink)(struct inode *dir, struct dentry *dentry, const char *target, u32 len);
	int (*link)(struct inode *dir, struct dentry *dentry, struct inode *inode);
	int (*unlink)(struct inode *dir, struct dentry *dentry);
	int (*rmdir)(struct inode *dir, struct dentry *dentry);
	int (*rename)(struct inode *old_dir, struct dentry *old, struct inode *new_dir, struct dentry *new, u32 flags);	/* RENAME_* checked by the core */
	int (*tmpfile)(struct inode *dir, struct inode **out, u32 mode);
	/* Symlink text: into buf (at most max bytes, no NUL), returns the length. Not needed where inode->link is set. */
	ssize_t (*readlink)(struct inode *inode, char *buf, size_t max);
	/* Magic links (/proc/PID/fd/N …): the path itself, referenced. NULL, or -EINVAL, for ordinary symlinks: their text is read. */
	int (*follow)(struct dentry *dentry, struct path *out);
	int (*setattr)(struct inode *inode, const struct iattr *attr);		/* checked and inode-locked; NULL: generic */
	int (*getattr)(const struct path *path, struct kstat *st);		/* NULL: generic from the inode */
	int (*permission)(struct inode *inode, u32 mask);			/* NULL: generic mode bits */
	/* false: forget it (procfs). NULL: always valid. May be called under RCU: must not sleep. The method of the dentry's inode; of a negative
	 * dentry the directory's. */
	bool (*revalidate)(struct dentry *dentry);
	const struct xattr_ops *xattrs;						/* NULL: no extended attributes */
};

struct file_ops {
	int (*open)(struct inode *inode, struct file *file);
	void (*release)(struct file *file);					/* last close; task context; cannot fail */
	int (*flush)(struct file *file);					/* each close(2) */
	ssize_t (*read)(struct file *file, struct iov_iter *it, u64 *pos);
	ssize_t (*write)(struct file *file, struct iov_iter *it, u64 *pos);
	s64 (*lseek)(struct file *file, s64 off, u32 whence);			/* NULL: generic by file type */
	int (*iterate)(struct file *file, struct dir_sink *sink);		/* file->pos is the cookie; inode lock shared */
	u32 (*poll)(struct file *file, struct poll_wait *pw);			/* POLL* mask now; queues on pw if not NULL. NULL method: always readable and writable */
	s64 (*ioctl)(struct file *file, u32 cmd, u64 arg);			/* -ENOTTY/-ENOIOCTLCMD for unknown */
	int (*mmap)(struct file *file, struct mm_map_request *rq);		/* sets rq->mapping; may replace rq->file and ops, putting the former; NULL: -ENODEV */
	int (*fsync)(struct file *file, u64 start, u64 end, bool data_only);
	int (*fallocate)(struct file *file, u32 mode, u64 off, u64 len);
	s32 (*set_flags)(struct file *file, u32 flags);
	void (*show_fdinfo)(struct file *file, char *buf, size_t max);		/* /proc/PID/fdinfo; asked again with more room if it fills the buffer */
};

struct super_ops {
	void (*evict)(struct inode *inode);		/* last reference gone: free what the inode holds beyond the generic part; may sleep */
	void (*free_inode)(struct inode *inode);	/* what RCU walkers may still read (link, private); after a grace period */
	int (*statfs)(struct super_block *sb, struct statfs_k *out);
	int (*sync)(struct super_block *sb);
	void (*kill)(struct super_block *sb);		/* last unmount: no dentry is left but the root, which it may put (and set to NULL) or leave to the core */
	int (*remount)(struct super_block *sb, u32 flags, const char *options);
	void (*show_options)(struct super_block *sb, char *buf, size_t max);	/* for /proc/mounts: ",size=…" */
};

struct fs_type {
	const char *name;
	bool needs_device;
	bool is_user_mountable;
	/* options: the mount data string (may be NULL); source: device name (may be NULL). */
	int (*mount)(const struct fs_type *t, const char *source, u32 flags, const char *options, struct super_block **out);
	const struct fs_type *next;	/* registration list */
};

struct statfs_k {
	u64 type, bsize, blocks, bfree, bavail, files, ffree, fsid, namelen, frsize, flags;
};

enum { SB_RDONLY = 1, SB_INTERNAL = 1 << 30 /* no mount of the user's: pipes, shared memory */ };

struct super_block {
	struct ref refs;
	const struct fs_type *type;	/* [I] */
	const struct super_ops *ops;	/* [I] */
	struct dentry *root;		/* [I once mounted] */
	u64 dev;			/* [I] anonymous: major 0 */
	u32 flags;			/* [a] SB_RDONLY; the same numbers as MS_* */
	u32 blksize;			/* [I] */
	u64 max_bytes;			/* [I] largest file */
	u64 magic;			/* [I] */
	u64 next_ino;			/* [a] */
	struct mutex rename_mutex;	/* one rename between directories at a time */
	struct spinlock inodes_lock;
	struct list inodes;		/* [inodes_lock] */
	struct list marked;		/* [inodes_lock] struct notify_marks of its inodes */
	u32 n_marks;			/* [a] marks that pin its inodes */
	struct list all_node;		/* [super list mutex] */
	struct list mounts;		/* [m] */
	struct rcu_head rcu;
	struct user_ns *user_ns;
	void *private;
	char source[64];
};

enum { INODE_DEAD = 1 /* [i] a removed directory: nothing can be made in it */, INODE_APPEND = 2, INODE_IMMUTABLE = 4, INODE_NOATIME = 8,
       INODE_PRIVATE = 16 /* no name, no permissions: pipes, anonymous memory */,
       INODE_LINKABLE = 32 /* [i] O_TMPFILE without O_EXCL: may be given its first name */ };

struct inode {
	/* What a path walk reads: one line. */
	u32 mode;			/* [i; a to read] */
	kuid_t uid;			/* [i; a] */
	kgid_t gid;			/* [i; a] */
	u32 flags;			/* [a] INODE_* */
	const struct inode_ops *ops;	/* [I] */
	struct super_block *sb;		/* [I] */
	const char *link;		/* [I] a symlink's text with NUL, if the file system keeps it in memory until free_inode */
	const struct file_ops *fops;	/* [I] default for opens; device nodes go through the device table */
	u64 ino;			/* [I] */
	struct ref refs;
	u32 nlink;			/* [i; a] */
	u64 rdev;			/* [I] device nodes */
	struct timespec_k atime, mtime, ctime, btime;	/* [times_lock; times_seq to read] */
	struct seqcount times_seq;
	struct spinlock times_lock;
	u64 blocks;			/* [i; a] 512-byte units, where the mapping's pages do not tell */
	struct rwsem lock;
	struct mapping mapping;		/* size lives in mapping.size */
	struct list sb_node;		/* [sb->inodes_lock] */
	s32 n_writers;			/* [a] open for writing (>0) or denied (<0: being executed) → ETXTBSY */
	void *pipe;			/* FIFO state, by fs/pipe.c */
	s32 n_readers;			/* [a] regular files: open for reading only */
	void *locks;			/* POSIX/flock state, by fs/locks.c */
	void *leases;			/* [a; set once] leases, by fs/leases.c. NULL: nobody ever had one */
	struct notify_marks *marks;	/* [a; set once] who watches it, by fs/notify.c. NULL: nobody ever has */
	void *xattrs;			/* [i] attributes kept in memory, by fs/xattr.c */
	void *private;
	void (*free)(struct inode *i);	/* [I] sb->ops->free_inode: the super block may be gone by then */
	struct rcu_head rcu;
};

enum dentry_flags {
	D_MOUNTED = 1,		/* n_mounted > 0 */
	D_IN_LOOKUP = 2,	/* hashed, but the file system has not answered yet */
	D_REVALIDATE = 4,	/* ops->revalidate is to be asked */
	D_WAITED = 8,		/* somebody waits for D_IN_LOOKUP to go */
	D_LRU = 16,		/* on the LRU list */
	D_REFERENCED = 32,	/* used since the LRU last looked */
	D_NOCACHE = 64,		/* forgotten at the last put; set by file systems in lookup */
	D_ANON = 128,		/* no place in a tree: pipes … */
	D_UNLINKED = 256,	/* its name was removed: " (deleted)" */
	D_PARENT_WATCHED = 512,	/* [parent's d] somebody may want to hear of it: notify.h */
};
#define D_WALK_SLOW (D_MOUNTED | D_IN_LOOKUP | D_REVALIDATE)

#define DENTRY_INLINE_NAME 32
struct dentry {
	/* What a path walk reads: one line. */
	struct hlist_node hash;		/* bucket lock; RCU to read */
	struct dentry *parent;		/* [rename lock, d; RCU to read] itself: a root */
	struct inode *inode;		/* [d; RCU to read] NULL: negative */
	struct qstr name;		/* [rename lock, d, seq] */
	struct seqcount seq;		/* changes on rename and on (un)binding the inode */
	u32 flags;			/* [d; a to read] enum dentry_flags */
	u32 refs;			/* [a] D_REFS_DEAD: being freed. 0: cached only */
	struct spinlock lock;
	char inline_name[DENTRY_INLINE_NAME];	/* zero-padded */
	struct list children;		/* [d] */
	struct list sibling;		/* [parent's d] */
	struct list lru;		/* [LRU lock] */
	const struct inode_ops *ops;	/* [d] revalidate */
	struct super_block *sb;		/* [I] */
	struct rcu_head rcu;
	u32 n_mounted;			/* [m] mounts that hang here */
	struct long_name *long_name;	/* [as name] NULL: the name is inline */
	void *private;			/* file-system's own, e.g. procfs */
};

/* Per-mount flags. */
enum { MOUNT_RDONLY = 1, MOUNT_NOSUID = 2, MOUNT_NODEV = 4, MOUNT_NOEXEC = 8, MOUNT_NOATIME = 16, MOUNT_NODIRATIME = 32, MOUNT_RELATIME = 64,
       MOUNT_EXPIRY_MARK = 256, MOUNT_HOLD = 512 /* writers wait: read-only or not is being decided */ };
#define MOUNT_USER_FLAGS 127

struct mount {
	struct ref refs;		/* paths into it, and one while it hangs in a tree */
	u32 flags;			/* [a] MOUNT_* */
	struct dentry *root;		/* [I] */
	struct super_block *sb;		/* [I] */
	struct mount *parent;		/* [m; RCU] itself: top of a tree */
	struct dentry *mountpoint;	/* [m; RCU] pinned */
	struct hlist_node hash;		/* [m; RCU to read] by (parent, mountpoint) */
	struct list ns_node, child, children, sb_node;	/* [m] */
	struct mntns *ns;		/* [m] NULL: detached */
	struct mount *copy;		/* [m] its copy while a recursive bind mount is made */
	struct dentry *detached_from;	/* between mount_detach and mounts_bury: the mountpoint to be put */
	u32 id;				/* [I] */
	s64 n_writers;			/* [a] */
	struct rcu_head rcu;
	char source[64];		/* [I] */
};

struct file {
	struct ref refs;
	u32 mode;			/* [I] FMODE_* */
	u32 flags;			/* [a] O_* as F_GETFL shows */
	u32 error_seq;
	const struct file_ops *ops;	/* [I] */
	struct inode *inode;		/* [I] pinned by path.dentry */
	struct path path;		/* [I] */
	u64 pos;			/* [pos_lock] */
	struct mutex pos_lock;
	const struct cred *cred;	/* [I] of the opener */
	struct deferred deferred;
	void *async;			/* [a] F_SETOWN, O_ASYNC: by fs/async.c */
	void *private;			/* [I after open] the driver's */
	struct file_watchers *watchers;	/* [a] epolls that watch it: by fs/epoll_ctl.c */
};

enum { FMODE_READ = 1, FMODE_WRITE = 2, FMODE_LSEEK = 4, FMODE_PREAD = 8, FMODE_PWRITE = 16, FMODE_PATH = 32, FMODE_EXEC = 64, FMODE_STREAM = 128, FMODE_NONOTIFY = 256,
       FMODE_WRITER = 512 /* counted in mount and inode n_writers */, FMODE_DIRECT = 1024 /* O_DIRECT is fine: set by open methods */,
       FMODE_OPENED = 2048 /* open has succeeded: release is due */, FMODE_NOWAIT = 4096 /* honours RWF_NOWAIT: asks file_is_nonblocking */,
       FMODE_READER = 16384 /* counted in the inode's n_readers */, FMODE_ATOMIC_POS = 8192 /* regular files and directories: calls that use the position exclude each other */ };

/* --- inode.c */
struct inode *inode_new(struct super_block *sb, u32 mode);	/* referenced, one link, times now; NULL: no memory */
void inode_init_owner(struct inode *inode, const struct inode *dir);	/* fsuid, fsgid or the directory's group (setgid) */
void inode_get(struct inode *i);
void inode_put(struct inode *i);				/* may sleep */
void inode_touch(struct inode *i, u32 which);			/* ATTR_ATIME | ATTR_MTIME | ATTR_CTIME := now (coarse); does not sleep */
void time_now_coarse(struct timespec_k *t);
__must_check int inode_permission(struct inode *i, u32 mask);	/* MAY_EXEC 1, MAY_WRITE 2, MAY_READ 4; current fsuid; -EACCES, -EROFS, -EPERM */
__must_check int setattr_check(struct inode *i, const struct iattr *a);	/* -EPERM rules of chmod(2), chown(2), utimensat(2) */
void setattr_apply(struct inode *i, const struct iattr *a);
__must_check int vfs_setattr(const struct path *p, struct iattr *a);	/* takes mount write access and the inode lock */
__must_check int vfs_getattr(const struct path *p, struct kstat *st);
void generic_fill_stat(const struct inode *i, struct kstat *st);

/* --- dentry.c */
void d_instantiate(struct dentry *d, struct inode *inode);	/* takes over a reference; NULL leaves it negative; hashes it */
struct dentry *d_make_root(struct super_block *sb, struct inode *inode);	/* takes over the reference, also on failure (NULL: no memory) */
struct dentry *d_get(struct dentry *d);
void d_put(struct dentry *d);					/* may sleep */
struct dentry *d_alloc_anon(struct super_block *sb, const char *name);	/* pipes, memfd … : "name" shows in /proc/PID/fd. NULL: no memory */
void d_drop(struct dentry *d);					/* unhash: next look-up asks the file system again */
/* Path text as /proc shows it, seen from `root`; appends " (deleted)"; writes at the END of buf, *start points to it. What cannot be reached from root is
 * shown as far as it goes. -ENAMETOOLONG. */
__must_check int path_text(const struct path *p, const struct path *root, char *buf, size_t max, char **start);
/* The negative entry for `name` below `parent` after the parent's inode lock was taken for writing, for kernel-made nodes (devtmpfs): positive or negative, referenced. -ENOMEM, -ENAMETOOLONG */
__must_check int d_lookup_locked(struct dentry *parent, const char *name, u32 len, struct dentry **out);

/* --- namei.c */
enum { LOOKUP_FOLLOW = 1, LOOKUP_DIRECTORY = 2, LOOKUP_EMPTY = 4, LOOKUP_NO_XDEV = 8, LOOKUP_NO_MAGICLINKS = 16, LOOKUP_NO_SYMLINKS = 32,
       LOOKUP_BENEATH = 64, LOOKUP_IN_ROOT = 128, LOOKUP_CACHED = 256, LOOKUP_NO_AUTOMOUNT = 512 };
#define AT_FDCWD_KEEL (-100)
/* A user path, copied and checked: -EFAULT, -ENAMETOOLONG, -ENOENT (empty without LOOKUP_EMPTY), -ENOMEM. Give it back. Not to be copied: text may
 * point into it. At least 8 readable bytes follow the NUL. Declare it __uninitialized: zeroing costs more than a short walk. */
#define USER_PATH_INLINE 112
struct user_path { char *text; size_t len; char small[USER_PATH_INLINE + 8]; };
__must_check int user_path_get(struct user_path *up, uaddr_t addr, u32 lookup);
__must_check int user_path_kernel(struct user_path *up, const char *text);	/* from kernel memory: -ENAMETOOLONG, -ENOMEM */
void user_path_put(struct user_path *up);
__must_check int path_lookup(s32 dirfd, const char *text, u32 flags, struct path *out);
__must_check int path_lookup_user(s32 dirfd, uaddr_t addr, u32 flags, struct path *out);
void path_get(const struct path *p);
void path_put(const struct path *p);
/* Kernel's own use, absolute paths from the current root (start-up, exec of /init, tests). */
__must_check int kern_open(const char *path, u32 flags, u32 mode, struct file **out);
__must_check int kern_mkdir(const char *path, u32 mode);
__must_check int kern_mknod(const char *path, u32 mode, u64 rdev);
__must_check int kern_symlink(const char *target, const char *path);
__must_check int kern_link(const char *old, const char *path);
__must_check int kern_unlink(const char *path);
__must_check int kern_rmdir(const char *path);

/* --- file.c */
__must_check int file_open_path(const struct path *p, u32 flags, const struct cred *cred, struct file **out);
/* An open file without a name in the tree (pipes, anonymous inodes). Takes references of its own on p. -ENFILE, -ENOMEM */
__must_check int file_alloc(const struct path *p, u32 flags, const struct file_ops *ops, struct file **out);
/* Makes an anonymous inode's file in one go: a dentry "name" for `inode` on the kernel's own mount `mnt`; takes over the inode reference on success. */
__must_check int file_alloc_anon(struct mount *mnt, struct inode *inode, const char *name, u32 flags, const struct file_ops *ops, struct file **out);
struct file *file_get(struct file *f);
void file_put(struct file *f);			/* any task context; the last one releases (deferred to task work if atomic) */
void file_end(struct file *f);			/* what file_put does for the last reference, for callers that put it inline */
__must_check ssize_t file_read(struct file *f, struct iov_iter *it, u64 *pos);	/* checks mode; pos NULL: the file's own */
__must_check ssize_t file_write(struct file *f, struct iov_iter *it, u64 *pos);
__must_check ssize_t kern_read(struct file *f, void *buf, size_t n, u64 pos);	/* kernel buffers: exec */
extern const struct vma_ops file_vma_ops;
__must_check int file_deny_write(struct file *f);	/* exec: -ETXTBSY */
void file_allow_write(struct file *f);
u64 inode_count(void);				/* in memory, for /proc/sys/fs/inode-nr */
u64 file_count(void);				/* open file descriptions, for /proc/sys/fs/file-nr */

/* --- readwrite.c */
/* The method must not sleep for data or room: O_NONBLOCK, or RWF_NOWAIT of preadv2(2), which files with FMODE_NOWAIT honour by asking here. */
__must_check bool file_is_nonblocking(const struct file *f, const struct iov_iter *it);
/* Methods of files whose data is in the page cache */
__must_check ssize_t generic_file_read(struct file *f, struct iov_iter *it, u64 *pos);
__must_check ssize_t generic_file_write(struct file *f, struct iov_iter *it, u64 *pos);
__must_check int generic_file_mmap(struct file *f, struct mm_map_request *rq);
__must_check s64 generic_file_lseek(struct file *f, s64 off, u32 whence);
__must_check s64 generic_seek_size(struct file *f, s64 off, u32 whence, u64 max, u64 size);
/* Setuid and setgid bits go when somebody else writes. The inode lock is held. */
bool inode_drop_privileges(struct inode *i);	/* true: it had some */
void path_touch_atime(const struct path *p);	/* noatime, relatime …; does not sleep */
void file_touch_atime(const struct file *f);	/* the same, and O_NOATIME */

/* /proc/sys/fs: proc(5). Plain loads and stores. */
struct fs_tunables {
	u32 protected_hardlinks, protected_symlinks;	/* 1: as Debian has them */
	u32 protected_fifos, protected_regular;		/* 0, 1, 2: see open.c */
	u32 leases_enable, lease_break_time;		/* 0, 1; seconds, 0: for ever */
	u32 nr_open;					/* descriptors in one table, at most; no RLIMIT_NOFILE above it */
	u64 file_max;					/* open files in all, but for root */
};
extern struct fs_tunables fs_tunables;

/* --- mount.c, super.c */
void vfs_init(void);				/* caches, root tmpfs mounted and made the root of the initial fsctx */
__must_check int fs_register(struct fs_type *t);
__must_check int mnt_want_write(struct mount *m);	/* -EROFS */
void mnt_drop_write(struct mount *m);
__must_check int super_create(const struct fs_type *t, const struct super_ops *ops, struct super_block **out);	/* anonymous device number */
void super_put(struct super_block *sb);
/* For types whose files have no names: the root is an empty directory that nobody reaches. -ENOMEM */
__must_check int super_create_bare(const struct fs_type *t, const struct super_ops *ops, u64 magic, struct super_block **out);
/* An instance that hangs nowhere: pipes, memfd, shared memory. Its path's mount; never unmounted. */
__must_check int mount_internal(const struct fs_type *t, struct mount **out);
/* For /proc/mounts and mountinfo: calls fn for each mount of the current namespace, under the mount lock shared. */
__must_check int mount_each(int (*fn)(const struct mount *m, void *arg), void *arg);
/* How many changes of what is mounted there have been; `pw`, if not NULL, waits for the next. */
u32 mount_changes(struct poll_wait *pw);
/* For /proc/filesystems. */
__must_check int fs_each_type(int (*fn)(const struct fs_type *t, void *arg), void *arg);
__must_check int vfs_statfs(const struct path *p, struct statfs_k *out);

#endif
