/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How /proc is made: the tree is tables of struct proc_node; a directory's children are a table, or are found by number (processes, threads, descriptors).
 * A file's text is made by `show` at the first read after an open or a rewind, from live state, and kept for that open file.
 */
#ifndef FS_PROC_INTERNAL_H
#define FS_PROC_INTERNAL_H

#include <lib/types.h>
#include "fs/vfs.h"
#include "proc/thread.h"

/* Text that grows. A failed allocation is remembered and reported by the read. */
struct proc_text {
	char *buf;
	size_t len, max;
	bool has_failed;
};

__printf(2, 3) void pt_add(struct proc_text *t, const char *fmt, ...);
void pt_bytes(struct proc_text *t, const char *bytes, size_t n);
/* A path with the characters that would break a line's fields as octal escapes (proc(5), getmntent(3)). */
void pt_escaped(struct proc_text *t, const char *s, const char *which);

/* Whom a node is about. */
struct proc_node;
struct proc_subject {
	struct thread *thread;		/* the process's leader or the thread; NULL outside /proc/PID */
	bool is_process;		/* /proc/PID, not /proc/PID/task/TID */
	s32 fd;				/* /proc/PID/fd*: the descriptor, else -1 */
	const struct proc_node *node;
	const struct cred *opener;	/* of the open file, while its text is made; else NULL */
};

/* A setting that is one number in a variable. */
struct proc_number {
	void *var;			/* u64 if is_wide, else u32; plain loads and stores */
	bool is_wide;
	u64 min, max;
};

enum proc_kind { PROC_FILE, PROC_DIR, PROC_LINK, PROC_BY_PID, PROC_BY_TID, PROC_BY_FD, PROC_BY_FDINFO, PROC_MEM, PROC_MOUNTS };

struct proc_node {
	const char *name;
	enum proc_kind kind;
	u32 mode;				/* permission bits */
	int (*show)(struct proc_text *t, const struct proc_subject *s);
	int (*write)(const struct proc_subject *s, const char *text, size_t len);	/* one write is one value; NUL-terminated; 0 or -errno */
	ssize_t (*readlink)(const struct proc_subject *s, char *buf, size_t max);
	int (*follow)(const struct proc_subject *s, struct path *out);			/* magic links */
	const struct proc_node *children;
	u32 n_children;
	const struct proc_number *number;	/* sysctl.c */
	const char *text;			/* a constant's text */
	bool needs_ptrace;		/* PTRACE_MODE_READ on the target (proc(5)) */
	bool is_process_only;		/* not in task/TID */
	bool is_setting;		/* of /proc/sys: its mode counts for root, too */
};

extern const struct proc_node proc_root_node;				/* system.c */
extern const struct proc_node proc_pid_node, proc_task_node;		/* pid.c */
extern const struct proc_node proc_fd_node, proc_fdinfo_node;		/* pid_fd.c */
extern const struct proc_node proc_sys_children[];			/* sysctl.c */
#define PROC_SYS_CHILDREN 3

/* pid_maps.c */
__must_check int proc_show_maps(struct proc_text *t, const struct proc_subject *s);
__must_check int proc_show_smaps(struct proc_text *t, const struct proc_subject *s);
__must_check int proc_show_smaps_rollup(struct proc_text *t, const struct proc_subject *s);
/* pid_status.c */
__must_check int proc_show_stat(struct proc_text *t, const struct proc_subject *s);
__must_check int proc_show_statm(struct proc_text *t, const struct proc_subject *s);
__must_check int proc_show_status(struct proc_text *t, const struct proc_subject *s);
/* pid_wait.c */
__must_check int proc_show_wchan(struct proc_text *t, const struct proc_subject *s);
__must_check int proc_show_stack(struct proc_text *t, const struct proc_subject *s);
__must_check int proc_show_syscall(struct proc_text *t, const struct proc_subject *s);
/* locks.c */
struct fdtable;
__must_check int proc_show_locks(struct proc_text *t, const struct proc_subject *s);
__must_check int proc_add_file_locks(struct proc_text *t, struct file *f, const struct fdtable *table);
/* mounts.c */
__must_check int proc_show_mounts(struct proc_text *t, const struct proc_subject *s);
__must_check int proc_show_mountinfo(struct proc_text *t, const struct proc_subject *s);
/* pid_fd.c */
__must_check int proc_fd_follow(const struct proc_subject *s, struct path *out);
__must_check ssize_t proc_fd_readlink(const struct proc_subject *s, char *buf, size_t max);
__must_check int proc_fdinfo_show(struct proc_text *t, const struct proc_subject *s);
__must_check ssize_t proc_path_link(const struct path *p, char *buf, size_t max);	/* takes the reference over */

/* The subject's address space, referenced, or NULL (kernel threads, zombies). */
struct mm *proc_mm(const struct proc_subject *s);

#define TICKS_PER_SEC 100	/* USER_HZ */
#define NS_PER_TICK (NSEC_PER_SEC / TICKS_PER_SEC)

#endif
