/* SPDX-License-Identifier: MPL-2.0 */
/* xattr(7) on tmpfs: trusted.* and security.* for the privileged, user.* not there; names, sizes, flags, listing, the twelve calls. */
#include "fs_util.h"
#include <sys/xattr.h>

static char big[70000];

static void setting(void)
{
	char buf[64];

	is_int(setxattr("f", "trusted.one", "value", 5, 0), 0, "setxattr");
	is_int(getxattr("f", "trusted.one", buf, sizeof(buf)), 5, "getxattr");
	ok(!memcmp(buf, "value", 5), "the value");
	is_int(getxattr("f", "trusted.one", NULL, 0), 5, "its length");
	is_errno(getxattr("f", "trusted.one", buf, 4) == -1, ERANGE, "a buffer too small");
	is_errno(getxattr("f", "trusted.two", buf, 4) == -1, ENODATA, "one that is not there");
	is_errno(setxattr("f", "trusted.one", "x", 1, XATTR_CREATE) == -1, EEXIST, "XATTR_CREATE");
	is_errno(setxattr("f", "trusted.two", "x", 1, XATTR_REPLACE) == -1, ENODATA, "XATTR_REPLACE");
	is_int(setxattr("f", "trusted.two", "x", 1, XATTR_CREATE), 0, "XATTR_CREATE of a new one");
	is_int(setxattr("f", "trusted.two", "yy", 2, XATTR_REPLACE), 0, "XATTR_REPLACE of an old one");
	is_int(getxattr("f", "trusted.two", buf, sizeof(buf)), 2, "replaced");
	is_int(setxattr("f", "trusted.two", "", 0, 0), 0, "an empty value");
	is_int(getxattr("f", "trusted.two", buf, sizeof(buf)), 0, "is there");
	is_int(setxattr("f", "security.test", "s", 1, 0), 0, "security.*");
	is_int(getxattr("f", "security.test", buf, sizeof(buf)), 1, "too");
	is_errno(setxattr("f", "user.x", "v", 1, 0) == -1, EOPNOTSUPP, "user.* is not supported on tmpfs");
	is_errno(getxattr("f", "user.x", buf, 8) == -1, EOPNOTSUPP, "nor to be read");
	is_errno(removexattr("f", "user.x") == -1, EOPNOTSUPP, "nor removed");
	is_errno(setxattr("f", "other.x", "v", 1, 0) == -1, EOPNOTSUPP, "an unknown name space");
	is_errno(setxattr("f", "x", "v", 1, 0) == -1, EOPNOTSUPP, "no name space");
	is_errno(setxattr("f", "trusted.", "v", 1, 0) == -1, EINVAL, "nothing behind the dot");
	is_errno(setxattr("f", "", "v", 1, 0) == -1, ERANGE, "an empty name");
	snprintf(big, sizeof(big), "trusted.%s", long_name(255 - 8));
	is_int(setxattr("f", big, "v", 1, 0), 0, "a name of 255 bytes");
	is_int(removexattr("f", big), 0, "removed");
	snprintf(big, sizeof(big), "trusted.%s", long_name(256 - 8));
	is_errno(setxattr("f", big, "v", 1, 0) == -1, ERANGE, "of 256");
	is_int(setxattr("f", "trusted.big", big, 65536, 0), 0, "a value of 64 KiB");
	is_int(getxattr("f", "trusted.big", big, 65536), 65536, "and back");
	is_errno(setxattr("f", "trusted.big", big, 65537, 0) == -1, E2BIG, "a byte more");
	is_errno(setxattr("f", "trusted.x", "v", 1, 4) == -1, EINVAL, "an unknown flag");
	is_int(removexattr("f", "trusted.big"), 0, "removexattr");
	is_errno(removexattr("f", "trusted.big") == -1, ENODATA, "again");
}

static bool has(const char *list, long n, const char *name)
{
	for (long at = 0; at < n; at += (long)strlen(list + at) + 1)
		if (!strcmp(list + at, name))
			return true;
	return false;
}

static void listing(void)
{
	char buf[256];
	long n = listxattr("f", buf, sizeof(buf));

	is_int(n, 12 + 12 + 14, "listxattr: three names with their NULs");
	ok(n > 0 && has(buf, n, "trusted.one") && has(buf, n, "trusted.two") && has(buf, n, "security.test"), "the names");
	is_int(listxattr("f", NULL, 0), n, "the length");
	is_errno(listxattr("f", buf, 10) == -1, ERANGE, "a buffer too small");
	fs_make("bare", "");
	is_int(listxattr("bare", buf, sizeof(buf)), 0, "none");
}

static void kinds(void)
{
	char buf[64];
	int fd = open("f", O_RDONLY), path = open("f", O_PATH), p[2];

	symlink("f", "s");
	mkdir("d", 0755);
	is_int(getxattr("s", "trusted.one", buf, 64), 5, "getxattr follows a symlink");
	is_errno(lgetxattr("s", "trusted.one", buf, 64) == -1, ENODATA, "lgetxattr does not");
	is_int(lsetxattr("s", "trusted.sym", "l", 1, 0), 0, "lsetxattr");
	is_int(lgetxattr("s", "trusted.sym", buf, 64), 1, "of the symlink itself");
	is_errno(getxattr("s", "trusted.sym", buf, 64) == -1, ENODATA, "not of its target");
	is_int(llistxattr("s", buf, 64), 12, "llistxattr");
	is_int(lremovexattr("s", "trusted.sym"), 0, "lremovexattr");
	is_int(fgetxattr(fd, "trusted.one", buf, 64), 5, "fgetxattr");
	is_int(fsetxattr(fd, "trusted.fd", "f", 1, 0), 0, "fsetxattr of a read-only descriptor");
	is_int(flistxattr(fd, buf, 64), 12 + 12 + 14 + 11, "flistxattr");
	is_int(fremovexattr(fd, "trusted.fd"), 0, "fremovexattr");
	is_errno(fgetxattr(path, "trusted.one", buf, 64) == -1, EBADF, "an O_PATH descriptor");
	is_errno(fgetxattr(99, "trusted.one", buf, 64) == -1, EBADF, "a bad one");
	is_int(setxattr("d", "trusted.dir", "d", 1, 0), 0, "of a directory");
	is_int(getxattr("d", "trusted.dir", buf, 64), 1, "and back");
	mkfifo("p", 0644);
	is_errno(setxattr("p", "user.x", "v", 1, 0) == -1, EPERM, "user.* of a FIFO");
	is_errno(getxattr("p", "user.x", buf, 1) == -1, ENODATA, "or its value");
	pipe(p);
	is_errno(fgetxattr(p[0], "trusted.x", buf, 64) == -1, EOPNOTSUPP, "of a pipe");
	is_int(link("f", "f2"), 0, "a link");
	is_int(getxattr("f2", "trusted.one", buf, 64), 5, "has the file's");
	close(fd);
	close(path);
}

static void errors(void)
{
	char buf[8];

	is_errno(getxattr("none", "trusted.x", buf, 8) == -1, ENOENT, "of nothing");
	is_errno(getxattr("f/x", "trusted.x", buf, 8) == -1, ENOTDIR, "in a file");
	is_errno(getxattr(BAD_PTR, "trusted.x", buf, 8) == -1, EFAULT, "a bad path");
	is_errno(getxattr("f", BAD_PTR, buf, 8) == -1, EFAULT, "a bad name");
	is_errno(getxattr("f", "trusted.one", BAD_PTR, 8) == -1, EFAULT, "a bad buffer");
	is_errno(setxattr("f", "trusted.x", BAD_PTR, 8, 0) == -1, EFAULT, "a bad value");
	is_errno(setxattr("f", BAD_PTR, "v", 1, 0) == -1, EFAULT, "a bad name to set");
	is_errno(listxattr("f", BAD_PTR, 100) == -1, EFAULT, "a bad list buffer");
	is_errno(removexattr("f", KERNEL_PTR) == -1, EFAULT, "a kernel's name");
	mkdir("ro", 0755);
	mount("ro", "ro", "tmpfs", MS_RDONLY, NULL);
	is_errno(setxattr("ro", "trusted.x", "v", 1, 0) == -1, EROFS, "a read-only mount");
	umount("ro");
}

static int body(void)
{
	char buf[64];
	int bad = 0;

	bad |= ERRNO_OF(setxattr("mine", "trusted.x", "v", 1, 0)) != EPERM ? 1 : 0;
	bad |= ERRNO_OF(getxattr("f", "trusted.one", buf, 64)) != ENODATA ? 2 : 0;
	bad |= getxattr("f", "security.test", buf, 64) != 1 ? 8 : 0;
	bad |= listxattr("f", buf, 64) != 14 ? 16 : 0;
	bad |= ERRNO_OF(setxattr("f", "user.x", "v", 1, 0)) != EACCES ? 32 : 0;
	return bad;
}

int main(void)
{
	fs_begin();
	fs_make("f", "x");
	setting();
	listing();
	kinds();
	errors();
	fs_make("mine", "");
	chown("mine", SOMEBODY, SOMEBODY);
	is_int(as_somebody(body), 0, "without privileges: trusted.* is invisible, security.* may be read");
	return fs_end();
}
