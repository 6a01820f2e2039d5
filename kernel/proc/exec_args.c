/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Arguments and environment of a new program, held in kernel pages between the old address space and the new one.
 *
 * Limits as execve(2) has them: one string at most 128 KiB with its NUL; all strings and the pointers to them at most a quarter of the stack limit, but
 * at least 128 KiB and at most 6 MiB.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include "mm/alloc.h"
#include "proc/exec.h"

#define STRING_MAX (32 * PAGE_SIZE)
#define ALL_LEAST (128ul << 10)
#define ALL_MOST (6ul << 20)
#define FRONT_BYTES (4 * PAGE_SIZE)	/* six interpreters with an argument each, and the path of the first script */
#define POINTERS 32

struct exec_chunk {
	struct exec_chunk *next;
	char text[PAGE_SIZE - sizeof(struct exec_chunk *)];
};
_Static_assert(sizeof(struct exec_chunk) == PAGE_SIZE, "a page");
#define CHUNK_BYTES sizeof(((struct exec_chunk *)NULL)->text)

void exec_args_init(struct exec_args *a)
{
	*a = (struct exec_args){ .limit = clamp(rlimit_current(KRLIMIT_STACK) / 4, ALL_LEAST, ALL_MOST) };
}

void exec_args_fini(struct exec_args *a)
{
	while (a->first) {
		struct exec_chunk *next = a->first->next;

		kpage_free(a->first, 0);
		a->first = next;
	}
	kfree(a->front);
	kfree(a->name);
}

static size_t front_bytes(const struct exec_args *a)
{
	return a->front ? FRONT_BYTES - a->front_at : 0;
}

size_t exec_args_bytes(const struct exec_args *a)
{
	return front_bytes(a) + a->bytes - a->skip + a->name_len + 1;
}

static bool is_too_big(const struct exec_args *a)
{
	return exec_args_bytes(a) + ((u64)a->argc + a->envc) * sizeof(u64) > a->limit;
}

/* Room at the end of the last chunk; a new one if it is full. */
static int make_room(struct exec_args *a, char **to, size_t *room)
{
	size_t used = a->bytes % CHUNK_BYTES;

	if (used == 0) {
		struct exec_chunk *c = kpage_alloc(0, ALLOC_SLEEP | ALLOC_USER);

		if (!c)
			return -ENOMEM;
		c->next = NULL;
		if (a->last)
			a->last->next = c;
		else
			a->first = c;
		a->last = c;
	}
	*to = a->last->text + used;
	*room = CHUNK_BYTES - used;
	return 0;
}

/* One string of the old address space. */
static int append_user(struct exec_args *a, uaddr_t from)
{
	size_t len = 0;

	for (;;) {
		size_t room;
		ssize_t n;
		char *to;
		int err = make_room(a, &to, &room);

		if (err)
			return err;
		n = ucopy_string(current_uspace(), to, uaddr_add(from, len), room);
		if (n < 0 && n != -ENAMETOOLONG)
			return (int)n;
		len += n < 0 ? room : (size_t)n + 1;
		a->bytes += n < 0 ? room : (size_t)n + 1;
		if (len > STRING_MAX || is_too_big(a))
			return -E2BIG;
		if (n >= 0)
			return 0;
	}
}

static int append_kernel(struct exec_args *a, const char *from)
{
	size_t left = strlen(from) + 1;

	while (left) {
		size_t room, n;
		char *to;
		int err = make_room(a, &to, &room);

		if (err)
			return err;
		n = min(left, room);
		memcpy(to, from, n);
		from += n;
		left -= n;
		a->bytes += n;
	}
	return is_too_big(a) ? -E2BIG : 0;
}

/* A NULL-terminated array of pointers; a NULL pointer counts as an empty one. Pointers beyond the NULL may be unreadable. */
static int append_array(struct exec_args *a, uaddr_t array, u32 *count)
{
	u64 pointers[POINTERS];

	while (array.v) {
		size_t left = ucopy_from(current_uspace(), pointers, array, sizeof(pointers));
		u32 n = (u32)((sizeof(pointers) - left) / sizeof(u64));

		for (u32 i = 0; i < n; i++) {
			int err;

			if (!pointers[i])
				return 0;
			++*count;
			err = append_user(a, uaddr(pointers[i]));
			if (err)
				return err;
		}
		if (n < POINTERS)
			return -EFAULT;
		array = uaddr_add(array, sizeof(pointers));
		if (current_killed())
			return -EINTR;
		sched_check();
	}
	return 0;
}

/* "Linux: argv and envp can be NULL", the same as an empty list; and a program always gets an argv[0] (since 5.18): an empty one. */
static int add_missing_argument(struct exec_args *a)
{
	if (a->argc)
		return 0;
	a->argc = 1;
	return append_kernel(a, "");
}

int exec_args_from_user(struct exec_args *a, uaddr_t argv, uaddr_t envp)
{
	int err = append_array(a, argv, &a->argc);

	if (!err)
		err = add_missing_argument(a);
	return err ? err : append_array(a, envp, &a->envc);
}

static int append_kernel_array(struct exec_args *a, const char *const array[], u32 *count)
{
	int err = 0;

	for (; array && *array && !err; array++) {
		++*count;
		err = append_kernel(a, *array);
	}
	return err;
}

int exec_args_from_kernel(struct exec_args *a, const char *const argv[], const char *const envp[])
{
	int err = append_kernel_array(a, argv, &a->argc);

	if (!err)
		err = add_missing_argument(a);
	return err ? err : append_kernel_array(a, envp, &a->envc);
}

int exec_args_set_name(struct exec_args *a, const char *name)
{
	a->name = kstrdup(name, PAGE_SIZE, ALLOC_SLEEP | ALLOC_USER);
	if (!a->name)
		return -ENOMEM;
	a->name_len = strlen(a->name);
	return is_too_big(a) ? -E2BIG : 0;
}

int exec_args_push_front(struct exec_args *a, const char *s, size_t len)
{
	if (!a->front) {
		a->front = kmalloc(FRONT_BYTES, ALLOC_SLEEP | ALLOC_USER);
		if (!a->front)
			return -ENOMEM;
		a->front_at = FRONT_BYTES;
	}
	if (len + 1 > a->front_at)
		return -E2BIG;
	a->front_at -= len + 1;
	memcpy(a->front + a->front_at, s, len);
	a->front[a->front_at + len] = 0;
	a->argc++;
	return is_too_big(a) ? -E2BIG : 0;
}

void exec_args_drop_first(struct exec_args *a)
{
	size_t at = 0;

	a->argc--;
	if (front_bytes(a)) {
		a->front_at += strlen(a->front + a->front_at) + 1;
		return;
	}
	for (const struct exec_chunk *c = a->first; c; c = c->next, at += CHUNK_BYTES) {
		const char *end = memchr(c->text, 0, min(CHUNK_BYTES, a->bytes - at));

		if (!end)
			continue;
		a->skip = at + (size_t)(end - c->text) + 1;
		return;
	}
}

int exec_args_each(const struct exec_args *a, int (*fn)(void *ctx, char *text, size_t len), void *ctx)
{
	size_t at = 0;
	int err = 0;

	if (front_bytes(a))
		err = fn(ctx, a->front + a->front_at, front_bytes(a));
	for (struct exec_chunk *c = a->first; c && !err; c = c->next, at += CHUNK_BYTES) {
		size_t from = a->skip > at ? min(a->skip - at, CHUNK_BYTES) : 0, to = min(CHUNK_BYTES, a->bytes - at);

		if (from < to)
			err = fn(ctx, c->text + from, to - from);
	}
	return err ? err : fn(ctx, a->name, a->name_len + 1);
}
