/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Threads that may enter user mode, for the tests of user.h, ucopy.h and the FPU. Each has an address space of its own:
 *
 *	USER_CODE	the snippets of user_code.c; read, write, execute
 *	USER_DATA	USER_DATA_PAGES pages, not yet touched, with nothing below and above; the stack begins at their end
 *	USER_CONST	a page that may only be read
 *	USER_NONE	a page without any permission
 */
#ifndef KTEST_USER_THREAD_H
#define KTEST_USER_THREAD_H

#include <frame/user.h>
#include "mm/mm.h"
#include "sched/sched.h"
#include "sync/completion.h"

#define USER_CODE 0x400000ul
#define USER_DATA 0x10000000ul
#define USER_DATA_PAGES 16ul
#define USER_DATA_END (USER_DATA + USER_DATA_PAGES * PAGE_SIZE)
#define USER_CONST 0x20000000ul
#define USER_NONE 0x30000000ul

struct user_thread {
	struct sched_task sched;	/* must be first */
	void (*fn)(void *arg);		/* [I] */
	void *arg;			/* [I] */
	struct completion ended;
};

/* fn(arg) in a new thread (of CPU `cpu`, if not negative); false: no memory, reported. Before it is started, more may be set up. */
__must_check bool user_thread_create(struct user_thread *t, void (*fn)(void *arg), void *arg, s32 cpu);
void user_thread_start(struct user_thread *t);
void user_thread_join(struct user_thread *t);
/* All three. */
void ktest_as_user(void (*fn)(void *arg), void *arg);

/* A snippet's address in user space. */
u64 user_code(const u8 *snippet);
/* The registers as for a fresh program that begins with the snippet. */
struct user_regs *user_begin(const u8 *snippet);
/* user_run until there is something the test must see: absent pages are served, and the scheduler when it wants to be called. */
void user_next(struct user_event *ev);

/* user_code.c says what they do. */
extern const u8 user_code_start[], user_code_end[];
extern const u8 snippet_syscalls[], snippet_int3[], snippet_ud2[], snippet_divide[], snippet_int80[], snippet_int21[], snippet_hlt[], snippet_cli[],
	snippet_out[], snippet_cr3[], snippet_load[], snippet_store[], snippet_jump[], snippet_push[], snippet_spin[], snippet_count[],
	snippet_nops[], snippet_bases[], snippet_set_bases[], snippet_x87_error[], snippet_simd_error[], snippet_flags[], snippet_segments[],
	snippet_fxsave[], snippet_fxrstor[], snippet_xsave[], snippet_xrstor[];

#endif
