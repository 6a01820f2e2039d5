/* SPDX-License-Identifier: MPL-2.0 */
/* What the files of execve(2) share: the program as it is being put together, before anything of the caller has changed. */
#ifndef PROC_EXEC_H
#define PROC_EXEC_H

#include <lib/types.h>
#include "proc/internal.h"

struct file;

#define EXEC_HEAD_BYTES 256	/* of a file, by which its kind is told; a script's first line counts so far */

/* --- exec_args.c: the strings. Order in memory: arguments, environment, the program's name. */
struct exec_chunk;
struct exec_args {
	struct exec_chunk *first, *last;	/* strings of argv and envp as given */
	size_t bytes;			/* in the chunks */
	size_t skip;			/* of them unused, at the front: the argv[0] that a script's interpreter replaced */
	u32 argc, envc;			/* strings that the program gets */
	char *front;			/* strings put before, from front_at to the end: scripts. NULL: none */
	size_t front_at;
	char *name;			/* AT_EXECFN */
	size_t name_len;
	u64 limit;			/* bytes for all strings and their pointers */
};

void exec_args_init(struct exec_args *a);
void exec_args_fini(struct exec_args *a);
/* -EFAULT, -E2BIG, -ENOMEM, -EINTR */
__must_check int exec_args_from_user(struct exec_args *a, uaddr_t argv, uaddr_t envp);
__must_check int exec_args_from_kernel(struct exec_args *a, const char *const argv[], const char *const envp[]);
__must_check int exec_args_set_name(struct exec_args *a, const char *name);
__must_check int exec_args_push_front(struct exec_args *a, const char *s, size_t len);
void exec_args_drop_first(struct exec_args *a);
size_t exec_args_bytes(const struct exec_args *a);	/* of all strings */
/* Calls fn for each piece of the text that all strings make, in order; pieces need not be whole strings. The first non-zero result ends it. */
__must_check int exec_args_each(const struct exec_args *a, int (*fn)(void *ctx, char *text, size_t len), void *ctx);

/* --- the program */
struct exec {
	struct exec_args args;
	struct file *file;		/* what is being loaded, writing denied; NULL: none yet */
	const char *path;		/* by which the last file was found: a script's interpreter is given that */
	char *path_copy;		/* path's memory, if it is ours */
	bool is_path_closing;		/* found by a close-on-exec descriptor: no interpreter could open it */
	bool is_unreadable;		/* some file may be run but not read: not dumpable (prctl(2)) */
	u8 head[EXEC_HEAD_BYTES];
	size_t head_len;
	struct mm *mm;
	u64 entry;			/* first instruction: the interpreter's, if there is one */
	u64 program_entry, phdr, interp_base;
	u32 phnum;
	bool is_stack_exec;
	u64 stack_end, sp;
	u64 vdso;			/* its image's address; 0: none */
	struct cred *cred;
	bool is_secure;			/* AT_SECURE */
	bool has_ended_threads;		/* other threads are gone: there is no way back */
};

/* Opens a program or interpreter: -ENOENT …, -EACCES (not a regular file, no permission, noexec mount), -ETXTBSY. Given back by exec_close. */
__must_check int exec_open(struct exec *x, s32 dirfd, const char *path, u32 at_flags, struct file **out);
void exec_close(struct file *f);
__must_check int exec_read_head(struct exec *x);

bool is_script(const struct exec *x);
__must_check int load_script(struct exec *x);		/* x->file becomes the interpreter. -ENOEXEC, -ENOENT … */
__must_check int load_elf(struct exec *x);		/* maps it into x->mm. -ENOEXEC, -ELIBBAD, -ENOMEM … */
__must_check int exec_stack_map(struct exec *x);
bool exec_is_random(void);				/* are the new program's addresses to be? */
__must_check int exec_stack_write(struct exec *x);	/* strings, vectors; x->cred is final */
__must_check int exec_make_cred(struct exec *x);

/* execve with strings of the kernel's own: init. */
__must_check int exec_kernel(const char *path, const char *const argv[], const char *const envp[]);

#endif
