/* SPDX-License-Identifier: MPL-2.0 */
/* /proc/PID/fd, fdinfo, cwd, root, exe: magic links to what a process has open (proc(5)). */
#include <lib/printf.h>
#include <lib/string.h>
#include "fs/fdtable.h"
#include "fs/proc/internal.h"
#include "mm/alloc.h"
#include "proc/inspect.h"

/* Text of a path seen from the reader's root; puts the reference. */
ssize_t proc_path_link(const struct path *p, char *buf, size_t max)
{
	char *scratch = kmalloc(FS_PATH_MAX, ALLOC_SLEEP | ALLOC_USER), *text;
	struct path root;
	ssize_t n;

	if (!scratch) {
		path_put(p);
		return -ENOMEM;
	}
	fsctx_root(&root);
	n = path_text(p, &root, scratch, FS_PATH_MAX, &text);
	if (n == 0) {
		n = (ssize_t)min(strlen(text), max);
		memcpy(buf, text, (size_t)n);
	}
	path_put(&root);
	path_put(p);
	kfree(scratch);
	return n;
}

int proc_fd_follow(const struct proc_subject *s, struct path *out)
{
	struct file *f = thread_file_get(s->thread, s->fd);

	if (!f)
		return -ENOENT;
	*out = f->path;
	path_get(out);
	file_put(f);
	return 0;
}

ssize_t proc_fd_readlink(const struct proc_subject *s, char *buf, size_t max)
{
	struct path p;
	int err = proc_fd_follow(s, &p);

	return err ? err : proc_path_link(&p, buf, max);
}

#define FDINFO_FIRST_BYTES 512
#define FDINFO_MOST_BYTES (4u << 20)

/* What the file itself has to say: as long as it likes, so with a larger buffer again until the text fits. */
static void add_file_info(struct proc_text *t, struct file *f)
{
	for (size_t max = FDINFO_FIRST_BYTES; max <= FDINFO_MOST_BYTES; max *= 2) {
		char *text = kmalloc(max, ALLOC_SLEEP | ALLOC_USER);
		size_t len;

		if (!text) {
			t->has_failed = true;
			return;
		}
		text[0] = 0;
		f->ops->show_fdinfo(f, text, max);
		len = strlen(text);
		if (len < max - 1 || max == FDINFO_MOST_BYTES) {
			pt_bytes(t, text, len);
			kfree(text);
			return;
		}
		kfree(text);
	}
}

static int show_fdinfo(struct proc_text *t, const struct proc_subject *s)
{
	struct file *f = thread_file_get(s->thread, s->fd);
	struct fdtable *table = thread_files_get(s->thread);
	int err = f ? 0 : -ENOENT;

	if (f && table) {
		u32 flags = f->flags | (fdtable_is_cloexec(table, s->fd) ? 02000000 : 0);

		pt_add(t, "pos:\t%lu\nflags:\t0%o\nmnt_id:\t%u\nino:\t%lu\n", f->pos, flags, f->path.mnt->id, f->inode->ino);
		err = proc_add_file_locks(t, f, table);
		if (f->ops && f->ops->show_fdinfo)	/* O_PATH: no ops */
			add_file_info(t, f);
	}
	if (f)
		file_put(f);
	if (table)
		fdtable_put(table);
	return err;
}

const struct proc_node proc_fd_node = { .name = "fd", .kind = PROC_LINK, .readlink = proc_fd_readlink, .follow = proc_fd_follow, .needs_ptrace = true };
const struct proc_node proc_fdinfo_node = { .name = "fdinfo", .kind = PROC_FILE, .mode = 0444, .show = show_fdinfo, .needs_ptrace = true };
