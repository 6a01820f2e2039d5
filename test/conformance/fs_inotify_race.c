/* SPDX-License-Identifier: MPL-2.0 */
/*
 * inotify(7) while others race: watches come and go, files are renamed, removed and written, instances are closed, file systems unmounted, by several
 * threads at once. What is checked holds in every order: no watch ends twice, names are whole,
 * removed watches are not found again.
 */
#include "fs_util.h"
#include <pthread.h>
#include <sys/inotify.h>

#define ROUNDS 100
#define WATCHES 1000

static volatile bool stop;
static int bad;

static void complain(const char *what)
{
	if (!__atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED))
		printf("# %s\n", what);
}

static void *make_and_remove(void *arg)
{
	char a[64], b[64];

	for (int i = 0; i < ROUNDS && !stop; i++) {
		int fd;

		snprintf(a, sizeof(a), "d/%s-%d-with-a-name-longer-than-inline", (char *)arg, i & 7);
		snprintf(b, sizeof(b), "e/%s-%d", (char *)arg, i & 3);
		fd = open(a, O_CREAT | O_RDWR, 0600);
		write(fd, "x", 1);
		rename(a, b);
		write(fd, "x", 1);
		rename(b, a);
		unlink(a);
		close(fd);
	}
	return NULL;
}

/* Watches that come and go. On Linux an event under way may still follow IN_IGNORED. */
static void *watch_and_unwatch(void *arg)
{
	char buf[8192] __attribute__((aligned(8)));
	int in = inotify_init1(IN_NONBLOCK);
	static __thread bool ended[100000];

	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		int d = inotify_add_watch(in, "d", IN_ALL_EVENTS), e = inotify_add_watch(in, "e", i & 1 ? IN_ALL_EVENTS | IN_ONESHOT : IN_ALL_EVENTS);
		ssize_t n;

		if (d < 0 || e < 0)
			complain("a watch could not be added");
		if (i & 1)
			inotify_rm_watch(in, d);
		if (i & 2)
			inotify_rm_watch(in, e);
		while ((n = read(in, buf, sizeof(buf))) > 0) {
			for (char *p = buf; p < buf + n;) {
				struct inotify_event *ev = (struct inotify_event *)p;

				if (ev->wd > 0 && ev->wd < 100000) {
					if ((ev->mask & IN_IGNORED) && ended[ev->wd])
						complain("a second IN_IGNORED");
					ended[ev->wd] |= (ev->mask & IN_IGNORED) != 0;
				}
				if (ev->len && (strlen(ev->name) >= ev->len || !strchr("abcd", ev->name[0]) || ev->name[1] != '-'))
					complain("a torn name");
				p += sizeof(*ev) + ev->len;
			}
		}
	}
	close(in);
	return NULL;
}

/* A shared instance: adders, removers and a reader of one descriptor. */
static int shared;

static void *hammer_shared(void *arg)
{
	char buf[512];

	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		int wd = inotify_add_watch(shared, i & 1 ? "d" : "e", IN_CREATE | IN_MOVED_TO);

		if (wd < 0)
			complain("no watch in the shared instance");
		read(shared, buf, sizeof(buf));
		if (i % 3 == 0)
			inotify_rm_watch(shared, wd);
	}
	return NULL;
}

static void *instances(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		int in = inotify_init1(IN_NONBLOCK);

		if (in < 0 || inotify_add_watch(in, "d", IN_ALL_EVENTS) != 1 || inotify_add_watch(in, "e", IN_ALL_EVENTS) != 2)
			complain("a new instance");
		close(in);
	}
	return NULL;
}

/* Watched files that are removed, by name or with their file system, while their watches are removed too. */
static void *removed_files(void *arg)
{
	char path[64];
	int in = inotify_init1(IN_NONBLOCK);

	for (int i = 0; i < ROUNDS; i++) {
		int wd;

		snprintf(path, sizeof(path), "f/%s-%d", (char *)arg, i);
		close(open(path, O_CREAT | O_WRONLY, 0600));
		wd = inotify_add_watch(in, path, IN_ALL_EVENTS);
		if (i & 1)
			inotify_rm_watch(in, wd);
		unlink(path);
		if (inotify_rm_watch(in, wd) == 0)
			complain("a watch outlived its file");
	}
	close(in);
	return NULL;
}

static void *mounts(void *arg)
{
	char path[64], file[80];

	snprintf(path, sizeof(path), "m-%s", (char *)arg);
	snprintf(file, sizeof(file), "%s/x", path);
	mkdir(path, 0755);
	for (int i = 0; i < 15; i++) {
		int in = inotify_init1(IN_NONBLOCK);

		if (mount("race", path, "tmpfs", 0, NULL))
			complain("mount");
		close(open(file, O_CREAT | O_WRONLY, 0600));
		inotify_add_watch(in, path, IN_ALL_EVENTS);
		inotify_add_watch(in, file, IN_ALL_EVENTS);
		if (i & 1)
			close(in);
		if (umount(path))
			complain("umount");
		if (!(i & 1))
			close(in);
	}
	return NULL;
}

static void run(const char *what, void *(*fns[])(void *), int n)
{
	static char *const names[] = { "a", "b", "c", "d" };
	pthread_t threads[8];

	bad = 0;
	for (int i = 0; i < n; i++)
		pthread_create(&threads[i], NULL, fns[i], names[i & 3]);
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	is_int(bad, 0, "%s", what);
}

/* Many watches in one instance, closed at once, and the same removed with their files. */
static void many(void)
{
	int in = inotify_init1(IN_NONBLOCK), n = 0;
	char path[64];

	mkdir("many", 0755);
	for (int i = 0; i < WATCHES; i++) {
		snprintf(path, sizeof(path), "many/%d", i);
		close(open(path, O_CREAT | O_WRONLY, 0600));
		n += inotify_add_watch(in, path, IN_ALL_EVENTS) == i + 1;
	}
	is_int(n, WATCHES, "many watches");
	is_int(close(in), 0, "closed at once");
	in = inotify_init1(IN_NONBLOCK);
	for (int i = 0; i < WATCHES; i++) {
		snprintf(path, sizeof(path), "many/%d", i);
		inotify_add_watch(in, path, IN_DELETE_SELF);
		unlink(path);
	}
	static char buf[WATCHES * 32] __attribute__((aligned(8)));
	is_int(read(in, buf, sizeof(buf)), WATCHES * 32, "two events for each file that went");
	close(in);
}

int main(void)
{
	fs_begin();
	mkdir("d", 0755);
	mkdir("e", 0755);
	mkdir("f", 0755);
	run("renames against watches that come and go", (void *(*[])(void *)){ make_and_remove, make_and_remove, watch_and_unwatch, watch_and_unwatch }, 4);
	shared = inotify_init1(IN_NONBLOCK);
	run("one instance, used by all", (void *(*[])(void *)){ make_and_remove, hammer_shared, hammer_shared, make_and_remove }, 4);
	close(shared);
	run("instances that come and go", (void *(*[])(void *)){ make_and_remove, instances, instances, make_and_remove }, 4);
	run("removed files", (void *(*[])(void *)){ removed_files, removed_files, removed_files, removed_files }, 4);
	run("unmounts", (void *(*[])(void *)){ mounts, mounts, mounts, mounts }, 4);
	many();
	return fs_end();
}
