/* SPDX-License-Identifier: MPL-2.0 */
/* /proc/sys/fs/protected_* (proc(5)): what may be opened, followed and linked in directories that everybody may write to. */
#include "fs_util.h"

static long setting(const char *name, long value)
{
	char path[64];

	snprintf(path, sizeof(path), "protected_%s", name);
	return fs_setting(path, value);
}

static int create_open(const char *path)
{
	int fd = open(path, O_CREAT | O_RDWR | O_NONBLOCK, 0600), err = errno;

	if (fd < 0)
		return err;
	close(fd);
	return 0;
}

static void opens(const char *kind, const char *path)
{
	int fd;

	setting(kind, 0);
	is_int(create_open(path), 0, "%s 0: all goes", kind);
	setting(kind, 1);
	is_int(create_open(path), EACCES, "%s 1: another's in a sticky directory, even for root", kind);
	fd = open(path, O_RDWR | O_NONBLOCK);
	ok(fd >= 0, "%s 1: without O_CREAT it goes", kind);
	close(fd);
	is_errno(open(path, O_CREAT | O_EXCL | O_RDWR, 0600) == -1, EEXIST, "%s 1: O_EXCL says what is there", kind);
	chmod("d", 01775);
	is_int(create_open(path), 0, "%s 1: the group may write to the directory", kind);
	setting(kind, 2);
	is_int(create_open(path), EACCES, "%s 2: not then either", kind);
	chmod("d", 01755);
	is_int(create_open(path), 0, "%s 2: only the owner may write to it", kind);
	chmod("d", 0777);
	is_int(create_open(path), 0, "%s 2: not sticky", kind);
	chmod("d", 01777);
	is_int(create_open(path), EACCES, "%s 2: sticky again", kind);
	chown("d", SOMEBODY, 0);
	is_int(create_open(path), 0, "%s 2: the directory's owner's file", kind);
	chown("d", 0, 0);
	chown(path, 0, 0);
	is_int(create_open(path), 0, "%s 2: one's own file", kind);
	chown(path, SOMEBODY, 0);
}

static int link_shadow(void)
{
	return ERRNO_OF(link("d/root", "d/mine"));
}

int main(void)
{
	long fifos, regular, hard, sym;

	fs_begin();
	mkdir("d", 0777);
	chmod("d", 01777);
	fs_make("d/file", "text");
	fs_make("d/root", "text");
	chmod("d/root", 0600);
	chown("d/file", SOMEBODY, SOMEBODY);
	mkfifo("d/fifo", 0666);
	chown("d/fifo", SOMEBODY, SOMEBODY);
	symlink("/proc/version", "d/link");
	lchown("d/link", SOMEBODY, SOMEBODY);
	fifos = setting("fifos", 0);
	regular = setting("regular", 0);
	ok(fifos >= 0 && regular >= 0, "the settings are there");
	opens("regular", "d/file");
	opens("fifos", "d/fifo");
	setting("fifos", fifos);
	setting("regular", regular);
	is_int(setting("fifos", 3), -EINVAL, "3 is too much");
	sym = setting("symlinks", 1);
	is_errno(open("d/link", O_RDONLY) == -1, EACCES, "symlinks 1: another's link in a sticky directory");
	setting("symlinks", 0);
	ok(open("d/link", O_RDONLY) >= 0, "symlinks 0: it is followed");
	setting("symlinks", sym);
	hard = setting("hardlinks", 1);
	is_int(as_somebody(link_shadow), EPERM, "hardlinks 1: no link to what one may not write");
	setting("hardlinks", 0);
	is_int(as_somebody(link_shadow), 0, "hardlinks 0: a link");
	setting("hardlinks", hard);
	is_int((int)fs_mode("/proc/sys/fs/protected_regular") & 0777, 0644, "mode of protected_regular");
	is_int((int)fs_mode("/proc/sys/fs/protected_fifos") & 0777, 0644, "mode of protected_fifos");
	is_int((int)fs_mode("/proc/sys/fs/protected_symlinks") & 0777, 0644, "mode of protected_symlinks");
	is_int((int)fs_mode("/proc/sys/fs/protected_hardlinks") & 0777, 0644, "mode of protected_hardlinks");
	return fs_end();
}
