/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The initramfs: cpio archives become the first root.
 *
 * The input is fed to the archive reader in pieces, plain or through gzip; what has been read is given back to the allocator as it goes, so that archive and
 * files need not both fit in memory. Times of directories are set at the end, since making what is in them changes them.
 * As Linux does: what is in the way of an entry is replaced, an entry whose parent is missing is left out, the archives go on. An archive that ends early or is
 * corrupt leaves what was unpacked; a file that memory does not suffice for is removed, so that there is some for the machine to go on with.
 */
#include <lib/hash.h>
#include <lib/inflate.h>
#include <lib/string.h>
#include <frame/log.h>
#include <frame/page.h>
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "fs/fdtable.h"
#include "fs/tmpfs/cpio_stream.h"
#include "fs/tmpfs/internal.h"
#include "fs/tmpfs/tmpfs.h"
#include "mm/alloc.h"

#define FEED_BYTES (64 * 1024)
#define LINK_BUCKETS 64

/* A file with further names to come, or a directory whose time is set at the end. */
struct note {
	struct note *next;
	u32 archive, ino, major, minor;
	u32 mtime;
	char path[];
};

struct unpack {
	struct cpio_stream stream;
	struct file *file;		/* the regular file being filled; NULL: data is passed over */
	u64 pos;
	struct cpio_entry entry;
	char path[CPIO_NAME_MAX];
	char link[FS_PATH_MAX];		/* a symlink's text as it comes */
	struct note *links[LINK_BUCKETS];
	struct note *dirs;
	u32 n_files, n_skipped;
	int first_error;		/* of the entries left out */
	const u8 *base;			/* the whole input */
	size_t size, pos_in, donated;	/* read so far; given back so far */
	bool donates;
};

/* --- Notes */

static struct note *note_new(const struct unpack *u)
{
	const struct cpio_entry *e = &u->entry;
	size_t len = strlen(u->path) + 1;
	struct note *n = kmalloc(sizeof(*n) + len, ALLOC_SLEEP);

	if (!n)
		return NULL;
	*n = (struct note){ .archive = e->archive, .ino = e->ino, .major = e->dev_major, .minor = e->dev_minor, .mtime = e->mtime };
	memcpy(n->path, u->path, len);
	return n;
}

static struct note **link_bucket(struct unpack *u)
{
	return &u->links[hash_u64(u->entry.ino) % LINK_BUCKETS];
}

static struct note *find_link(struct unpack *u)
{
	const struct cpio_entry *e = &u->entry;
	struct note *n = *link_bucket(u);

	while (n && (n->archive != e->archive || n->ino != e->ino || n->major != e->dev_major || n->minor != e->dev_minor))
		n = n->next;
	return n;
}

static void notes_free(struct note *n)
{
	while (n) {
		struct note *next = n->next;

		kfree(n);
		n = next;
	}
}

/* --- Attributes */

static int set_attributes_at(const struct unpack *u, const struct path *p, bool with_time)
{
	const struct cpio_entry *e = &u->entry;
	struct iattr a = { .valid = ATTR_UID | ATTR_GID | (S_ISLNK(e->mode) ? 0 : ATTR_MODE), .mode = e->mode & 07777 };

	if (!make_kuid(current_cred()->ns, e->uid, &a.uid) || !make_kgid(current_cred()->ns, e->gid, &a.gid))
		return -EINVAL;
	if (with_time) {
		a.valid |= ATTR_ATIME | ATTR_MTIME;
		a.atime.sec = a.mtime.sec = e->mtime;
	}
	return vfs_setattr(p, &a);
}

static int set_attributes(const struct unpack *u, bool with_time)
{
	struct path p;
	int err = path_lookup(AT_FDCWD, u->path, 0, &p);

	if (err)
		return err;
	err = set_attributes_at(u, &p, with_time);
	path_put(&p);
	return err;
}

static void set_dir_times(const struct note *n)
{
	for (; n; n = n->next) {
		struct iattr a = { .valid = ATTR_ATIME | ATTR_MTIME, .atime.sec = n->mtime, .mtime.sec = n->mtime };
		struct path p;

		if (path_lookup(AT_FDCWD, n->path, 0, &p))
			continue;
		if (vfs_setattr(&p, &a))
			klog(LOG_DEBUG, "initramfs: %s keeps its time", n->path);
		path_put(&p);
	}
}

/* --- Entries */

/* What is in the way goes, unless it is a directory where one is wanted. */
static int clear_way(const struct unpack *u)
{
	struct path p;
	u32 mode;
	int err = path_lookup(AT_FDCWD, u->path, 0, &p);

	if (err)
		return err;
	mode = p.dentry->inode->mode;
	path_put(&p);
	if (S_ISDIR(mode))
		return S_ISDIR(u->entry.mode) ? -EEXIST : kern_rmdir(u->path);
	return kern_unlink(u->path);
}

/* -EEXIST if there is something. A regular file is open after this, unless it is a further name of `other`. */
static int make_entry(struct unpack *u, const struct note *other)
{
	const struct cpio_entry *e = &u->entry;

	switch (e->mode & S_IFMT) {
	case S_IFDIR:
		return kern_mkdir(u->path, e->mode & 07777);
	case S_IFREG:
		return other ? kern_link(other->path, u->path) : kern_open(u->path, O_CREAT | O_EXCL | O_WRONLY, 0600, &u->file);
	case S_IFLNK:
		return kern_symlink(u->link, u->path);
	default:
		return kern_mknod(u->path, e->mode, dev_make(e->rdev_major, e->rdev_minor));
	}
}

/* Hardly ever is anything in the way, so it is only looked for once it is met. */
static int make_in_place(struct unpack *u, const struct note *other)
{
	int err = make_entry(u, other);

	if (err != -EEXIST)
		return err;
	err = clear_way(u);
	return err ? err : make_entry(u, other);
}

static int begin_dir(struct unpack *u)
{
	struct note *n;
	int err = make_in_place(u, NULL);

	if (err && err != -EEXIST)
		return err;
	n = note_new(u);
	if (!n)
		return -ENOMEM;
	n->next = u->dirs;
	u->dirs = n;
	return set_attributes(u, false);
}

static int begin_file(struct unpack *u)
{
	bool has_links = u->entry.nlink > 1;
	struct note *n = has_links ? find_link(u) : NULL;
	int err = make_in_place(u, n);

	if (err)
		return err;
	if (n)
		return kern_open(u->path, O_WRONLY | O_NOFOLLOW | (u->entry.size ? O_TRUNC : 0), 0, &u->file);
	if (has_links) {
		n = note_new(u);
		if (!n)
			return -ENOMEM;
		n->next = *link_bucket(u);
		*link_bucket(u) = n;
	}
	return 0;
}

static int begin_node(struct unpack *u)
{
	int err = make_in_place(u, NULL);

	return err ? err : set_attributes(u, true);
}

/* Out of memory ends everything; any other trouble leaves the entry out. */
static int leave_out(struct unpack *u, int err)
{
	if (!err || err == -ENOMEM || err == -ENOSPC)
		return err;
	u->n_skipped++;
	if (!u->first_error) {
		u->first_error = err;
		klog(LOG_WARNING, "initramfs: %s is left out (error %d)", u->path, err);
	}
	return 0;
}

static int begin(struct cpio_stream *s, const struct cpio_entry *e)
{
	struct unpack *u = container_of(s, struct unpack, stream);
	int err = 0;

	u->entry = *e;
	u->file = NULL;
	u->pos = 0;
	u->n_files++;
	if (strlcpy(u->path, e->name, sizeof(u->path)) >= sizeof(u->path))
		return leave_out(u, -ENAMETOOLONG);
	switch (e->mode & S_IFMT) {
	case S_IFDIR:
		err = begin_dir(u);
		break;
	case S_IFREG:
		err = begin_file(u);
		break;
	case S_IFLNK:
		if (e->size >= FS_PATH_MAX || !e->size)
			err = -ENAMETOOLONG;
		break;			/* the text comes as data */
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		err = begin_node(u);
		break;
	default:
		err = -EINVAL;
	}
	return leave_out(u, err);
}

static int data(struct cpio_stream *s, const u8 *bytes, size_t len)
{
	struct unpack *u = container_of(s, struct unpack, stream);
	struct iov_iter it;
	ssize_t n;

	if (S_ISLNK(u->entry.mode) && u->entry.size < FS_PATH_MAX) {
		memcpy(u->link + u->pos, bytes, len);
		u->pos += len;
		return 0;
	}
	while (u->file && len) {
		iov_kernel(&it, (void *)bytes, len);	/* only read from */
		n = file_write(u->file, &it, &u->pos);
		if (n <= 0)
			return n ? (int)n : -EIO;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

static int end_link(struct unpack *u)
{
	int err;

	if (!u->entry.size || u->entry.size >= FS_PATH_MAX)
		return 0;		/* left out before */
	u->link[u->pos] = 0;
	err = make_in_place(u, NULL);
	return err ? err : set_attributes(u, true);
}

static int end(struct cpio_stream *s)
{
	struct unpack *u = container_of(s, struct unpack, stream);
	int err = 0;

	if (S_ISLNK(u->entry.mode)) {
		err = end_link(u);
	} else if (u->file) {
		err = set_attributes_at(u, &u->file->path, true);
		file_put(u->file);
		u->file = NULL;
	}
	return leave_out(u, err);
}

/* --- Input */

/* Whole frames below what has been read. The last is given back even if the archive ends within it: nothing else is there. */
static void donate(struct unpack *u)
{
	u64 start = ALIGN_UP((u64)(uintptr_t)u->base, PAGE_SIZE) - (u64)(uintptr_t)u->base;
	u64 from = max(start, u->donated), to = ALIGN_DOWN((u64)(uintptr_t)u->base + u->pos_in, PAGE_SIZE) - (u64)(uintptr_t)u->base;

	if (!u->donates || u->pos_in < PAGE_SIZE || to <= from || to > u->size)
		return;
	page_donate(kva_page(u->base + from), (to - from) >> PAGE_SHIFT);
	u->donated = to;
}

static int feed_plain(struct unpack *u)
{
	size_t n = min(u->size - u->pos_in, FEED_BYTES), used;
	int err = cpio_stream_feed(&u->stream, u->base + u->pos_in, n, &used);

	u->pos_in += used;
	donate(u);
	if (err || used)
		return err;
	u->stream.error = "neither newc nor gzip";
	return -EINVAL;
}

static int inflated(void *ctx, const u8 *bytes, size_t len)
{
	struct unpack *u = ctx;
	size_t used;
	int err = cpio_stream_feed(&u->stream, bytes, len, &used);

	if (err || used == len)
		return err;
	u->stream.error = "not newc inside gzip";
	return -EINVAL;
}

static int feed_gzip(struct unpack *u)
{
	struct inflate_work *work = kmalloc(sizeof(*work), ALLOC_SLEEP);
	size_t used;
	int err;

	if (!work)
		return -ENOMEM;
	err = gzip_inflate(u->base + u->pos_in, u->size - u->pos_in, work, inflated, u, &used);
	kfree(work);
	if (err && !u->stream.error && (err == -EINVAL || err == -ENODATA)) {
		u->stream.error = err == -ENODATA ? "gzip data ends too early" : "gzip data is corrupt";
		return -EINVAL;
	}
	if (!err) {
		u->pos_in += used;
		donate(u);
	}
	return err;
}

static int unpack_all(struct unpack *u)
{
	int err = 0;

	while (u->pos_in < u->size && !err) {
		const u8 *at = u->base + u->pos_in;

		err = cpio_stream_is_whole(&u->stream) && gzip_is(at, u->size - u->pos_in) ? feed_gzip(u) : feed_plain(u);
	}
	if (!err && !cpio_stream_is_whole(&u->stream)) {
		u->stream.error = "the archive ends within an entry";
		err = -EINVAL;
	}
	return err;
}

int initramfs_unpack(const void *image, size_t size, bool donate_frames)
{
	struct unpack *u = kmalloc(sizeof(*u), ALLOC_SLEEP | ALLOC_ZERO);
	u32 mask = fsctx_set_umask(0);
	int err;

	if (!u)
		return -ENOMEM;
	cpio_stream_init(&u->stream);
	u->stream.begin = begin;
	u->stream.data = data;
	u->stream.end = end;
	u->base = image;
	u->size = size;
	u->donates = donate_frames;
	err = unpack_all(u);
	if (u->file) {
		file_put(u->file);
		if ((err == -ENOMEM || err == -ENOSPC) && !kern_unlink(u->path))
			klog(LOG_ERR, "initramfs: no memory for all of %s, removed", u->path);
	}
	set_dir_times(u->dirs);
	if (err == -EINVAL)
		klog(LOG_ERR, "initramfs: byte %lu of %lu: %s; %u files were unpacked", u->pos_in, size, u->stream.error ? u->stream.error : "corrupt",
		     u->n_files);
	else if (err)
		klog(LOG_ERR, "initramfs: %s: error %d; %u files were unpacked", u->path, err, u->n_files);
	else
		klog(LOG_INFO, "initramfs: %u files, %u left out", u->n_files, u->n_skipped);
	for (u32 i = 0; i < LINK_BUCKETS; i++)
		notes_free(u->links[i]);
	notes_free(u->dirs);
	kfree(u);
	(void)fsctx_set_umask(mask);
	tmpfs_rootfs_settle();
	return err;
}
