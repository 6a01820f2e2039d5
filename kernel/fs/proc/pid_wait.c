/* SPDX-License-Identifier: MPL-2.0 */
/*
 * /proc/PID/syscall, wchan and stack: what a thread waits for, read off its registers and its kernel stack at the time of the read (proc(5)).
 *
 * The three ask for more than others of the reader, at the read: PTRACE_MODE_ATTACH_FSCREDS, which for the rules there are is the same as
 * PTRACE_MODE_READ_FSCREDS; stack also CAP_SYS_ADMIN of who opened the file. wchan shows "0" to others.
 */
#include "abi/process.h"
#include "fs/proc/internal.h"
#include "object/user_ns.h"
#include "proc/inspect.h"
#include "proc/symbols.h"

#define DEPTH 32

int proc_show_wchan(struct proc_text *t, const struct proc_subject *s)
{
	struct symbol_place place;
	u64 pcs[DEPTH];
	size_t n = may_ptrace_read(s->thread) ? 0 : thread_backtrace(s->thread, pcs, ARRAY_SIZE(pcs)), i = 0;

	while (i < n && symbol_is_waiting(pcs[i]))
		i++;
	pt_add(t, "%s", i < n && symbol_of_return(pcs[i], &place) ? place.name : "0");
	return 0;
}

int proc_show_stack(struct proc_text *t, const struct proc_subject *s)
{
	struct symbol_place place;
	u64 pcs[DEPTH];
	int err = cred_capable(s->opener, &init_user_ns, CAP_SYS_ADMIN) ? may_ptrace_read(s->thread) : -EACCES;
	size_t n = err ? 0 : thread_backtrace(s->thread, pcs, ARRAY_SIZE(pcs));

	for (size_t i = 0; i < n; i++)
		if (symbol_of_return(pcs[i], &place))
			pt_add(t, "[<0>] %s+0x%x/0x%x\n", place.name, place.offset, place.size);
	return err;
}

int proc_show_syscall(struct proc_text *t, const struct proc_subject *s)
{
	struct thread_call at;
	int err = may_ptrace_read(s->thread);

	if (err)
		return err;
	if (!thread_current_call(s->thread, &at)) {
		pt_add(t, "running\n");
		return 0;
	}
	pt_add(t, "%ld", (s64)at.nr);
	for (u32 i = 0; i < ARRAY_SIZE(at.args.v) && (s64)at.nr >= 0; i++)
		pt_add(t, " 0x%lx", at.args.v[i]);
	pt_add(t, " 0x%lx 0x%lx\n", at.sp, at.ip);
	return 0;
}
