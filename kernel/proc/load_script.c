/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Interpreter scripts, execve(2): "#!interpreter [optional-arg]". The line counts as far as the first 255 bytes; a name that may go on beyond is refused. The
 * interpreter is run with: its name, the argument as one word, the script's path, the arguments after argv[0].
 */
#include <lib/errno.h>
#include <lib/string.h>
#include "mm/alloc.h"
#include "fs/vfs.h"
#include "proc/exec.h"

static bool is_blank(u8 c)
{
	return c == ' ' || c == '\t';
}

bool is_script(const struct exec *x)
{
	return x->head_len >= 2 && x->head[0] == '#' && x->head[1] == '!';
}

struct line {
	const char *name, *arg;		/* arg NULL: none */
	size_t name_len, arg_len;
};

static int parse(const struct exec *x, struct line *l)
{
	const u8 *at = x->head + 2, *limit = x->head + min(x->head_len, (size_t)EXEC_HEAD_BYTES - 1), *end, *name;
	const u8 *newline = memchr(at, '\n', (size_t)(limit - at));

	end = newline ? newline : limit;
	while (at < end && is_blank(*at))
		at++;
	for (name = at; at < end && !is_blank(*at) && *at; at++)
		;
	/* Linux takes the end of the file for the end of a name, so that an empty one is the current directory, which is no program. */
	if (at == name && !newline && x->head_len < EXEC_HEAD_BYTES)
		return -EACCES;
	if (at == name || (!newline && at == end && x->head_len == EXEC_HEAD_BYTES))
		return -ENOEXEC;
	*l = (struct line){ .name = (const char *)name, .name_len = (size_t)(at - name) };
	while (at < end && is_blank(*at))
		at++;
	for (const u8 *nul = at; nul < end; nul++)	/* a NUL ends the line too */
		if (!*nul)
			end = nul;
	while (end > at && is_blank(end[-1]))
		end--;
	if (at < end) {
		l->arg = (const char *)at;
		l->arg_len = (size_t)(end - at);
	}
	return 0;
}

int load_script(struct exec *x)
{
	struct line l;
	struct file *file;
	char *name;
	int err = parse(x, &l);

	if (err)
		return err;
	if (x->is_path_closing)
		return -ENOENT;
	exec_args_drop_first(&x->args);
	err = exec_args_push_front(&x->args, x->path, strlen(x->path));
	if (!err && l.arg)
		err = exec_args_push_front(&x->args, l.arg, l.arg_len);
	if (!err)
		err = exec_args_push_front(&x->args, l.name, l.name_len);
	if (err)
		return err;
	name = kmalloc(l.name_len + 1, ALLOC_SLEEP | ALLOC_USER);
	if (!name)
		return -ENOMEM;
	memcpy(name, l.name, l.name_len);
	name[l.name_len] = 0;
	kfree(x->path_copy);
	x->path = x->path_copy = name;
	err = exec_open(x, AT_FDCWD_KEEL, name, 0, &file);
	if (err)
		return err;
	exec_close(x->file);
	x->file = file;
	return exec_read_head(x);
}
