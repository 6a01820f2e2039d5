/* SPDX-License-Identifier: MPL-2.0 */
/* Files that are nothing but a descriptor; the one inode they share. */
#include <lib/errno.h>
#include <lib/printf.h>
#include <frame/log.h>
#include "abi/fcntl.h"
#include "fs/anon.h"
#include "fs/fdtable.h"
#include "fs/vfs.h"

#define ANON_INODE_MAGIC 0x09041934	/* statfs(2): ANON_INODE_FS_MAGIC */

static struct mount *anon_mount;	/* [I after anon_init] */
static struct inode *anon_inode;	/* [I after anon_init] */

static const struct super_ops anon_super_ops;
static const struct inode_ops anon_inode_ops;

static int anon_mount_fs(const struct fs_type *t, const char *source, u32 flags, const char *options, struct super_block **out)
{
	(void)source;
	(void)flags;
	(void)options;
	return super_create_bare(t, &anon_super_ops, ANON_INODE_MAGIC, out);
}

static struct fs_type anon_type = { .name = "anon_inodefs", .mount = anon_mount_fs };

void anon_init(void)
{
	if (fs_register(&anon_type) || mount_internal(&anon_type, &anon_mount))
		panic("anonymous files: no memory at start-up");
	anon_inode = inode_new(anon_mount->sb, 0600);	/* of no file type */
	if (!anon_inode)
		panic("anonymous files: no memory at start-up");
	anon_inode->ops = &anon_inode_ops;
	anon_inode->flags |= INODE_PRIVATE;
}

int anon_file_create(const char *name, u32 flags, const struct file_ops *ops, void *private, struct file **out)
{
	char text[48];
	int err;

	snprintf(text, sizeof(text), "anon_inode:%s", name);
	inode_get(anon_inode);
	err = file_alloc_anon(anon_mount, anon_inode, text, flags & (O_ACCMODE | O_NONBLOCK), ops, out);
	if (err) {
		inode_put(anon_inode);
		return err;
	}
	(*out)->private = private;
	/* NONOTIFY: what would be told is about all of them */
	(*out)->mode |= FMODE_STREAM | FMODE_NONOTIFY | (ops->lseek ? FMODE_LSEEK : 0);
	return 0;
}

s64 anon_lseek(struct file *f, s64 off, u32 whence)
{
	(void)off;
	(void)whence;
	return (s64)f->pos;
}

s64 anon_fd_create(const char *name, u32 flags, const struct file_ops *ops, void *private)
{
	s32 fd = fd_reserve(0, (flags & O_CLOEXEC) != 0);
	struct file *f;
	int err;

	if (fd < 0)
		return fd;
	err = anon_file_create(name, flags, ops, private, &f);
	if (err) {
		fd_unreserve(fd);
		return err;
	}
	fd_install(fd, f);
	return fd;
}
