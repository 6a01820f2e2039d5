/* SPDX-License-Identifier: MPL-2.0 */
/*
 * libFuzzer on kernel/fs/tmpfs/initramfs.c with its stream reader and gzip, over a file system of a few dozen names that knows no more than who is whose
 * parent: every archive, whole or corrupt, comes to an end, loses no memory and no open file, and writes no file beyond its size.
 * The last byte of the input says which allocation fails (0, as in an archive's padding: none).
 */
#include "kernel.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "fs/vfs.h"
#include "fs/fdtable.h"
#include "fs/tmpfs/internal.h"

static const struct cred fuzz_cred;
#define current_cred() (&fuzz_cred)

#include "../../kernel/fs/tmpfs/initramfs.c"

#define NODES 48

static struct node {
	char path[256];
	struct inode inode;
	struct dentry dentry;
	bool is_used;
} nodes[NODES];

static struct file open_file;
static struct node *written;		/* what is open; NULL: nothing */
static size_t n_paths;			/* references to names that are out */

/* --- The names */

/* Leading slashes do not matter, and others stand for themselves. */
static const char *plain(const char *path)
{
	while (*path == '/')
		path++;
	return path;
}

static struct node *find(const char *path)
{
	path = plain(path);
	for (struct node *n = nodes; n < nodes + NODES; n++)
		if (n->is_used && strcmp(n->path, path) == 0)
			return n;
	return NULL;
}

static bool has_parent(const char *path)
{
	char parent[sizeof(nodes[0].path)];
	const char *slash;
	struct node *n;

	path = plain(path);
	slash = strrchr(path, '/');
	if (!slash)
		return true;
	(void)strlcpy(parent, path, sizeof(parent));
	parent[slash - path] = 0;
	n = find(parent);
	return n && S_ISDIR(n->inode.mode);
}

static int make(const char *path, u32 mode)
{
	if (!*plain(path))
		return -ENOENT;
	if (strlen(plain(path)) >= sizeof(nodes[0].path))
		return -ENAMETOOLONG;
	if (find(path))
		return -EEXIST;
	if (!has_parent(path))
		return -ENOENT;
	for (struct node *n = nodes; n < nodes + NODES; n++)
		if (!n->is_used) {
			n->is_used = true;
			(void)strlcpy(n->path, plain(path), sizeof(n->path));
			n->inode.mode = mode;
			n->inode.mapping.size = 0;
			n->dentry.inode = &n->inode;
			return 0;
		}
	return -ENOSPC;
}

int path_lookup(s32 dirfd, const char *text, u32 flags, struct path *out)
{
	struct node *n = strlen(text) < FS_PATH_MAX ? find(text) : NULL;

	(void)dirfd;
	(void)flags;
	if (strlen(text) >= FS_PATH_MAX)
		return -ENAMETOOLONG;
	if (!n)
		return -ENOENT;
	n_paths++;
	*out = (struct path){ .dentry = &n->dentry };
	return 0;
}

void path_put(const struct path *p)
{
	(void)p;
	n_paths--;
}

int kern_mkdir(const char *path, u32 mode)
{
	return make(path, S_IFDIR | mode);
}

int kern_mknod(const char *path, u32 mode, u64 rdev)
{
	(void)rdev;
	return make(path, mode);
}

int kern_symlink(const char *target, const char *path)
{
	return *target && strlen(target) < FS_PATH_MAX ? make(path, S_IFLNK | 0777) : -ENOENT;
}

int kern_link(const char *old, const char *path)
{
	struct node *n = find(old);

	return n ? make(path, n->inode.mode) : -ENOENT;
}

static int drop(const char *path, bool is_dir)
{
	struct node *n = find(path);
	size_t len = strlen(plain(path));

	if (!n)
		return -ENOENT;
	if (S_ISDIR(n->inode.mode) != is_dir)
		return is_dir ? -ENOTDIR : -EISDIR;
	for (struct node *in = nodes; in < nodes + NODES; in++)
		if (in->is_used && strncmp(in->path, n->path, len) == 0 && in->path[len] == '/')
			return -ENOTEMPTY;
	n->is_used = false;
	return 0;
}

int kern_unlink(const char *path)
{
	return drop(path, false);
}

int kern_rmdir(const char *path)
{
	return drop(path, true);
}

/* --- The files */

int kern_open(const char *path, u32 flags, u32 mode, struct file **out)
{
	struct node *n = find(path);
	int err = n && !(flags & O_EXCL) ? 0 : make(path, S_IFREG | mode);

	if (err)
		return err;
	if (written)
		abort();
	written = find(path);
	if (flags & O_TRUNC)
		written->inode.mapping.size = 0;
	open_file.path = (struct path){ .dentry = &written->dentry };
	*out = &open_file;
	return 0;
}

void file_put(struct file *f)
{
	if (f != &open_file || !written)
		abort();
	written = NULL;
}

void iov_kernel(struct iov_iter *it, void *buf, size_t len)
{
	*it = (struct iov_iter){ .count = len, .kbuf = buf };
}

/* Short writes happen. A file that grows beyond 64 KiB finds the disk full. */
ssize_t file_write(struct file *f, struct iov_iter *it, u64 *pos)
{
	size_t n = it->count > 3000 ? 3000 : it->count, sum = 0;

	if (f != &open_file || !written)
		abort();
	for (size_t i = 0; i < n; i++)
		sum += (u8)it->kbuf[i];
	if (*pos > 1u << 16 || sum == SIZE_MAX)
		return -ENOSPC;
	*pos += n;
	written->inode.mapping.size = *pos;
	return (ssize_t)n;
}

int vfs_setattr(const struct path *p, struct iattr *a)
{
	struct inode *i = p->dentry->inode;

	if (a->valid & ATTR_MODE)
		i->mode = (i->mode & S_IFMT) | (a->mode & 07777);
	return 0;
}

/* --- The rest */

bool make_kuid(struct user_ns *ns, u32 uid, kuid_t *out)
{
	(void)ns;
	out->v = uid;
	return uid != U32_MAX;
}

bool make_kgid(struct user_ns *ns, u32 gid, kgid_t *out)
{
	(void)ns;
	out->v = gid;
	return gid != U32_MAX;
}

u32 fsctx_set_umask(u32 mask)
{
	return mask;
}

/* For the frames below the archive, which are given back: the input's are the host's, so never. */
struct page *frame_pages;
u64 frame_direct_base;

void page_donate(struct page *first, u64 n)
{
	(void)first;
	(void)n;
	abort();
}

void tmpfs_rootfs_settle(void)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	for (struct node *n = nodes; n < nodes + NODES; n++)
		n->is_used = false;
	fuzz_begin(size ? bytes[size - 1] : 0);
	if (initramfs_unpack(bytes, size, false) > 0 || written || n_paths)
		abort();
	fuzz_end();
	return 0;
}
