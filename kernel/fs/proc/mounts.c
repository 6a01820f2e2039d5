/* SPDX-License-Identifier: MPL-2.0 */
/* /proc/PID/mounts and mountinfo (proc(5)). */
#include <lib/printf.h>
#include <lib/string.h>
#include "abi/mount.h"
#include "fs/fdtable.h"
#include "fs/proc/internal.h"
#include "mm/alloc.h"

#define ESCAPED " \t\n\\"

struct walk {
	struct proc_text *t;
	struct path root;
	char *buf;			/* FS_PATH_MAX */
};

/* Where the mount is, seen from the reader's root; false: not to be seen from there. */
static bool add_place(struct walk *w, const struct mount *m)
{
	struct path p = { (struct mount *)m, m->root };
	char *text;

	if (path_text(&p, &w->root, w->buf, FS_PATH_MAX, &text) || text[0] != '/')
		return false;
	pt_escaped(w->t, text, ESCAPED);
	return true;
}

static void add_mount_options(struct proc_text *t, const struct mount *m)
{
	static const struct {
		u32 flag;
		const char *text;
	} names[] = { { MOUNT_NOSUID, ",nosuid" }, { MOUNT_NODEV, ",nodev" }, { MOUNT_NOEXEC, ",noexec" }, { MOUNT_NOATIME, ",noatime" },
		      { MOUNT_NODIRATIME, ",nodiratime" }, { MOUNT_RELATIME, ",relatime" } };

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (m->flags & names[i].flag)
			pt_add(t, "%s", names[i].text);
}

static void add_super_options(struct walk *w, const struct mount *m)
{
	w->buf[0] = 0;
	if (m->sb->ops->show_options)
		m->sb->ops->show_options(m->sb, w->buf, FS_PATH_MAX);
	pt_add(w->t, "%s", w->buf);
}

static const char *read_mode(const struct mount *m, bool with_super)
{
	return (m->flags & MOUNT_RDONLY) || (with_super && (m->sb->flags & MS_RDONLY)) ? "ro" : "rw";
}

static void add_source(struct proc_text *t, const struct mount *m)
{
	pt_escaped(t, m->source[0] ? m->source : "none", ESCAPED);
}

static int add_mounts_line(const struct mount *m, void *arg)
{
	struct walk *w = arg;
	size_t start = w->t->len;

	add_source(w->t, m);
	pt_add(w->t, " ");
	if (!add_place(w, m)) {
		w->t->len = start;
		return 0;
	}
	pt_add(w->t, " %s %s", m->sb->type->name, read_mode(m, true));
	add_mount_options(w->t, m);
	add_super_options(w, m);
	pt_add(w->t, " 0 0\n");
	return 0;
}

static int add_mountinfo_line(const struct mount *m, void *arg)
{
	struct path root = { (struct mount *)m, m->root };
	struct walk *w = arg;
	size_t start = w->t->len;
	char *text;

	pt_add(w->t, "%u %u %u:%u ", m->id, m->parent ? m->parent->id : m->id, dev_major(m->sb->dev), dev_minor(m->sb->dev));
	if (m->root == m->sb->root)
		pt_add(w->t, "/ ");
	else if (path_text(&root, &(struct path){ root.mnt, m->sb->root }, w->buf, FS_PATH_MAX, &text) == 0) {
		pt_escaped(w->t, text, ESCAPED);
		pt_add(w->t, " ");
	}
	if (!add_place(w, m)) {
		w->t->len = start;
		return 0;
	}
	pt_add(w->t, " %s", read_mode(m, false));
	add_mount_options(w->t, m);
	pt_add(w->t, " - %s ", m->sb->type->name);
	add_source(w->t, m);
	pt_add(w->t, " %s", m->sb->flags & MS_RDONLY ? "ro" : "rw");
	add_super_options(w, m);
	pt_add(w->t, "\n");
	return 0;
}

static int walk_mounts(struct proc_text *t, int (*fn)(const struct mount *m, void *arg))
{
	struct walk w = { .t = t, .buf = kmalloc(FS_PATH_MAX, ALLOC_SLEEP | ALLOC_USER) };
	int err;

	if (!w.buf)
		return -ENOMEM;
	fsctx_root(&w.root);
	err = mount_each(fn, &w);
	path_put(&w.root);
	kfree(w.buf);
	return err;
}

int proc_show_mounts(struct proc_text *t, const struct proc_subject *s)
{
	(void)s;
	return walk_mounts(t, add_mounts_line);
}

int proc_show_mountinfo(struct proc_text *t, const struct proc_subject *s)
{
	(void)s;
	return walk_mounts(t, add_mountinfo_line);
}
