/* SPDX-License-Identifier: MPL-2.0 */
/* User and group ids and capabilities: credentials(7), capabilities(7), setuid(2) and its family, capget(2), set-user-ID programs. Runs as root. */
#include "tap.h"
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static char self[256];

/* The raw calls: glibc's would go round all threads. */
#define CALL(name, ...) ((int)syscall(SYS_##name, __VA_ARGS__))

static bool uids(unsigned r, unsigned e, unsigned s)
{
	uid_t a, b, c;

	getresuid(&a, &b, &c);
	return a == r && b == e && c == s && getuid() == r && geteuid() == e;
}

static bool gids(unsigned r, unsigned e, unsigned s)
{
	gid_t a, b, c;

	getresgid(&a, &b, &c);
	return a == r && b == e && c == s && getgid() == r && getegid() == e;
}

#define NEED(n, cond) do { if (!(cond)) return (n); } while (0)

static int as_root(void)
{
	NEED(1, uids(0, 0, 0));
	NEED(2, CALL(setresuid, 10, 20, 30) == 0 && uids(10, 20, 30));
	NEED(3, CALL(setresuid, -1, 10, -1) == 0 && uids(10, 10, 30));
	NEED(4, CALL(setresuid, -1, 11, -1) == -1 && errno == EPERM);
	NEED(5, CALL(setuid, 30) == 0 && uids(10, 30, 30));
	NEED(6, CALL(setuid, 20) == -1 && errno == EPERM);
	NEED(7, CALL(setreuid, 30, 10) == 0 && uids(30, 10, 10));
	NEED(8, CALL(setreuid, -1, 20) == -1 && errno == EPERM);
	NEED(9, CALL(setuid, -1) == -1 && errno == EINVAL);
	return 0;
}

static int groups_as_root(void)
{
	NEED(1, CALL(setresgid, 10, 20, 30) == 0 && gids(10, 20, 30));
	NEED(2, CALL(setgid, 40) == 0 && gids(40, 40, 40));
	NEED(3, CALL(setregid, 50, -1) == 0 && gids(50, 40, 40));
	NEED(4, CALL(setresuid, 7, 7, 7) == 0);
	NEED(5, CALL(setgid, 60) == -1 && errno == EPERM);
	NEED(6, CALL(setgid, 50) == 0 && gids(50, 50, 40));
	NEED(7, CALL(setregid, -1, 40) == 0 && gids(50, 40, 40));
	NEED(8, CALL(setresgid, 40, 60, -1) == -1 && errno == EPERM);
	NEED(9, CALL(setgid, -1) == -1 && errno == EINVAL);
	return 0;
}

static int saved_ids(void)
{
	NEED(1, CALL(setreuid, 5, 6) == 0 && uids(5, 6, 6));
	return 0;
}

static int saved_ids_2(void)
{
	NEED(1, CALL(setreuid, -1, 6) == 0 && uids(0, 6, 6));
	NEED(2, CALL(setreuid, -1, 0) == 0 && uids(0, 0, 6));
	return 0;
}

static int fs_ids(void)
{
	NEED(1, setfsuid(9) == 0 && setfsuid(-1) == 9 && setfsuid(9) == 9);
	NEED(2, setfsgid(8) == 0 && setfsgid(-1) == 8);
	NEED(3, CALL(setresuid, 5, 6, 7) == 0 && setfsuid(-1) == 6);
	NEED(4, setfsuid(9) == 6 && setfsuid(-1) == 6);
	NEED(5, setfsuid(7) == 6 && setfsuid(-1) == 7);
	return 0;
}

static int group_lists(void)
{
	gid_t in[3] = { 30, 10, 20 }, out[4];

	NEED(1, setgroups(3, in) == 0 && getgroups(0, NULL) == 3);
	NEED(2, getgroups(3, out) == 3 && out[0] == 10 && out[1] == 20 && out[2] == 30);
	NEED(3, getgroups(2, out) == -1 && errno == EINVAL);
	NEED(4, CALL(getgroups, -1, out) == -1 && errno == EINVAL);
	NEED(5, CALL(setgroups, 70000, in) == -1 && errno == EINVAL);
	NEED(6, CALL(setgroups, 3, 8) == -1 && errno == EFAULT);
	NEED(7, CALL(getgroups, 3, 8) == -1 && errno == EFAULT);
	in[1] = (gid_t)-1;
	NEED(8, setgroups(3, in) == -1 && errno == EINVAL);
	NEED(9, setgroups(0, NULL) == 0 && getgroups(0, NULL) == 0);
	NEED(10, CALL(setresuid, 5, 5, 5) == 0 && setgroups(0, NULL) == -1 && errno == EPERM);
	return 0;
}

/* --- capabilities */

struct caps {
	struct __user_cap_data_struct d[2];
};

static int get_caps(int pid, struct caps *c)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, pid };

	return CALL(capget, &h, c->d);
}

static int set_caps(int pid, const struct caps *c)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, pid };

	return CALL(capset, &h, c->d);
}

static unsigned effective(void)
{
	struct caps c;

	return get_caps(0, &c) ? 0xdead : c.d[0].effective;
}

static unsigned permitted(void)
{
	struct caps c;

	return get_caps(0, &c) ? 0xdead : c.d[0].permitted;
}

static int with_users(void)
{
	NEED(1, effective() == 0xffffffff && permitted() == 0xffffffff);
	NEED(2, CALL(setresuid, -1, 5, -1) == 0 && effective() == 0 && permitted() == 0xffffffff);
	NEED(3, CALL(setresuid, -1, 0, -1) == 0 && effective() == 0xffffffff);
	NEED(4, CALL(setresuid, 5, 5, 5) == 0 && effective() == 0 && permitted() == 0);
	return 0;
}

static int keep_caps(void)
{
	NEED(1, prctl(PR_GET_KEEPCAPS) == 0 && prctl(PR_SET_KEEPCAPS, 2) == -1 && errno == EINVAL);
	NEED(2, prctl(PR_SET_KEEPCAPS, 1) == 0 && prctl(PR_GET_KEEPCAPS) == 1);
	NEED(3, CALL(setresuid, 5, 5, 5) == 0 && effective() == 0 && permitted() == 0xffffffff);
	return 0;
}

static int fs_caps(void)
{
	NEED(1, setfsuid(5) == 0);
	NEED(2, !(effective() & 1 << CAP_DAC_OVERRIDE) && (effective() & 1 << CAP_SYS_ADMIN));
	NEED(3, setfsuid(0) == 5 && (effective() & 1 << CAP_DAC_OVERRIDE));
	return 0;
}

static int cap_sets(void)
{
	struct caps c = { { { 0 } } };
	struct __user_cap_header_struct h = { 0, 0 };

	NEED(1, CALL(capget, &h, &c) == -1 && errno == EINVAL && h.version == _LINUX_CAPABILITY_VERSION_3);
	h.version = 0;
	NEED(2, CALL(capget, &h, NULL) == 0 && h.version == _LINUX_CAPABILITY_VERSION_3);
	h.pid = -1;
	NEED(3, CALL(capget, &h, &c) == -1 && errno == EINVAL);
	h.pid = 4000000;
	NEED(4, CALL(capget, &h, &c) == -1 && errno == ESRCH);
	NEED(5, CALL(capget, 8, &c) == -1 && errno == EFAULT);
	NEED(6, set_caps(1, &c) == -1 && errno == EPERM);
	c.d[0] = (struct __user_cap_data_struct){ .effective = 1 << CAP_KILL, .permitted = 1 << CAP_KILL | 1 << CAP_CHOWN, .inheritable = 1 << CAP_KILL };
	NEED(7, set_caps(0, &c) == 0 && effective() == 1 << CAP_KILL && permitted() == (1 << CAP_KILL | 1 << CAP_CHOWN));
	c.d[0].permitted |= 1 << CAP_SYS_ADMIN;
	NEED(8, set_caps(0, &c) == -1 && errno == EPERM);
	c.d[0].permitted = 1 << CAP_KILL;
	c.d[0].effective = 1 << CAP_CHOWN;
	NEED(9, set_caps(0, &c) == -1 && errno == EPERM);
	c.d[0].effective = 0;
	c.d[0].inheritable |= 1 << CAP_SYS_ADMIN;
	NEED(10, set_caps(0, &c) == -1 && errno == EPERM);
	h = (struct __user_cap_header_struct){ _LINUX_CAPABILITY_VERSION_1, 0 };
	NEED(11, CALL(capget, &h, &c) == 0 && c.d[0].effective == 1 << CAP_KILL);
	return 0;
}

static int bounding(void)
{
	NEED(1, prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) == 1);
	NEED(2, prctl(PR_CAPBSET_READ, 64) == -1 && errno == EINVAL);
	NEED(3, prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN) == 0 && prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) == 0);
	NEED(4, prctl(PR_CAPBSET_DROP, 64) == -1 && errno == EINVAL);
	NEED(5, CALL(setresuid, 5, 5, 5) == 0 && prctl(PR_CAPBSET_DROP, CAP_KILL) == -1 && errno == EPERM);
	return 0;
}

static int ambient(void)
{
	struct caps c;

	NEED(1, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0) == 0);
	NEED(2, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0) == -1 && errno == EPERM);
	get_caps(0, &c);
	c.d[0].inheritable = 1 << CAP_KILL;
	NEED(3, set_caps(0, &c) == 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0) == 0);
	NEED(4, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0) == 1);
	NEED(5, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_KILL, 0, 0) == 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0) == 0);
	NEED(6, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 64, 0, 0) == -1 && errno == EINVAL);
	NEED(7, prctl(PR_CAP_AMBIENT, 9, CAP_KILL, 0, 0) == -1 && errno == EINVAL);
	NEED(8, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0) == -1 && errno == EINVAL);
	NEED(9, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0);
	return 0;
}

static int secure_bits(void)
{
	NEED(1, prctl(PR_GET_SECUREBITS) == 0);
	NEED(2, prctl(PR_SET_SECUREBITS, 1 << 20) == -1 && errno == EPERM);
	NEED(3, prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED) == 0);
	NEED(4, prctl(PR_SET_SECUREBITS, 0) == -1 && errno == EPERM);
	NEED(5, CALL(setresuid, 5, 5, 5) == 0 && effective() == 0xffffffff);
	return 0;
}

/* --- over execve */

static int status_of_run(const char *path, const char *what)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execl(path, "x", what, NULL);
		_exit(99);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

static int be(const char *what)
{
	if (!strcmp(what, "root"))
		return uids(0, 0, 0) && effective() == 0xffffffff && !getauxval(AT_SECURE) ? 0 : 1;
	if (!strcmp(what, "nobody"))
		return uids(5, 5, 5) && effective() == 0 && permitted() == 0 && !getauxval(AT_SECURE) ? 0 : 1;
	if (!strcmp(what, "setuid"))
		return uids(5, 0, 0) && effective() == 0xffffffff && getauxval(AT_SECURE) && !prctl(PR_GET_DUMPABLE) ? 0 : 1;
	if (!strcmp(what, "setgid"))
		return uids(5, 5, 5) && gids(0, 77, 77) && effective() == 0 && getauxval(AT_SECURE) ? 0 : 1;
	if (!strcmp(what, "setuid-nobody"))
		return uids(0, 5, 5) && effective() == 0 && permitted() == 0xffffffff ? 0 : 1;
	if (!strcmp(what, "ambient"))
		return uids(5, 5, 5) && effective() == 1 << CAP_KILL && permitted() == 1 << CAP_KILL && !getauxval(AT_SECURE) ? 0 : 1;
	if (!strcmp(what, "bounded"))
		return uids(0, 0, 0) && effective() == (unsigned)~(1 << CAP_SYS_ADMIN) ? 0 : 1;
	return 98;
}

static int run_as_5(const char *path, const char *what)
{
	if (CALL(setresuid, 5, 5, 5))
		return 90;
	return status_of_run(path, what);
}

static char copy[] = "/tmp/cred_copy";

static int nobody(void) { return run_as_5(copy, "nobody"); }
static int to_root(void) { return run_as_5(copy, "setuid"); }
static int to_group(void) { return run_as_5(copy, "setgid"); }
static int root(void) { return status_of_run(copy, "root"); }
static int to_nobody(void) { return status_of_run(copy, "setuid-nobody"); }

static int no_new_privs(void)
{
	NEED(1, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	NEED(2, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) == -1 && errno == EINVAL);
	return run_as_5(copy, "nobody");
}

static int ambient_kept(void)
{
	struct caps c;

	get_caps(0, &c);
	c.d[0].inheritable = 1 << CAP_KILL;
	NEED(1, set_caps(0, &c) == 0 && prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) == 0);
	NEED(2, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0) == 0);
	return run_as_5(copy, "ambient");
}

static int bounded(void)
{
	NEED(1, prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN) == 0);
	return status_of_run(copy, "bounded");
}

static void programs(void)
{
	char buf[65536];
	int in = open(self, O_RDONLY), out;
	ssize_t n;

	mkdir("/tmp", 01777);
	unlink(copy);
	out = open(copy, O_WRONLY | O_CREAT, 0755);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			bail_out("write");
	close(in);
	close(out);
	chmod(copy, 0755);
	is_int(in_child(root), 0, "root stays root");
	is_int(in_child(nobody), 0, "a user stays a user");
	is_int(in_child(bounded), 0, "the bounding set limits root");
	is_int(in_child(ambient_kept), 0, "ambient capabilities are kept");
	chmod(copy, 04755);
	is_int(in_child(to_root), 0, "a set-user-ID-root program");
	is_int(in_child(no_new_privs), 0, "which does nothing with no_new_privs");
	if (chown(copy, 0, 77) || chmod(copy, 02755))
		bail_out("chown");
	is_int(in_child(to_group), 0, "a set-group-ID program");
	if (chown(copy, 5, 0) || chmod(copy, 04755))
		bail_out("chown");
	is_int(in_child(to_nobody), 0, "a set-user-ID program of a user, run by root");
	unlink(copy);
}

int main(int argc, char **argv)
{
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (argc > 1)
		return be(argv[1]);
	if (n <= 0)
		strcpy(self, argv[0]);
	if (getuid())
		bail_out("this test runs as root");
	is_int(in_child(as_root), 0, "user ids");
	is_int(in_child(groups_as_root), 0, "group ids");
	is_int(in_child(saved_ids), 0, "setreuid sets the saved id");
	is_int(in_child(saved_ids_2), 0, "unless only the effective one becomes the real one");
	is_int(in_child(fs_ids), 0, "file-system ids");
	is_int(in_child(group_lists), 0, "supplementary groups");
	is_int(in_child(with_users), 0, "capabilities follow user ids");
	is_int(in_child(keep_caps), 0, "PR_SET_KEEPCAPS");
	is_int(in_child(fs_caps), 0, "setfsuid takes and gives those of files");
	is_int(in_child(cap_sets), 0, "capget and capset");
	is_int(in_child(bounding), 0, "the bounding set");
	is_int(in_child(ambient), 0, "the ambient set");
	is_int(in_child(secure_bits), 0, "securebits");
	programs();
	return done_testing();
}
