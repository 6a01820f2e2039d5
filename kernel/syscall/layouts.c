/* SPDX-License-Identifier: MPL-2.0 */
/* Struct layouts as field tables: what the tracer prints, as data. */
#include "abi/event.h"
#include "abi/fcntl.h"
#include "abi/poll.h"
#include "abi/process.h"
#include "abi/signal.h"
#include "abi/stat.h"
#include "abi/time.h"
#include "abi/tty.h"
#include "syscall/sets.h"

#define F(type, field, k)	{ .name = #field, .offset = offsetof(type, field), .size = sizeof(((type *)NULL)->field), .kind = (k) }
#define F_AS(type, field, k, as)	{ .name = as, .offset = offsetof(type, field), .size = sizeof(((type *)NULL)->field), .kind = (k) }
#define F_SET_AS(type, field, s, as) \
	{ .name = as, .offset = offsetof(type, field), .size = sizeof(((type *)NULL)->field), .kind = ARG_FLAGS, .set = &(s) }
#define F_SET(type, field, s)	{ .name = #field, .offset = offsetof(type, field), .size = sizeof(((type *)NULL)->field), .kind = ARG_FLAGS, .set = &(s) }
#define LAYOUT(id, type, ...)						\
	static const struct field id##_fields[] = { __VA_ARGS__ };	\
	const struct layout id = { #type, id##_fields, ARRAY_SIZE(id##_fields), sizeof(type) }

LAYOUT(stat_layout, struct stat, F(struct stat, st_mode, ARG_MODE), F(struct stat, st_size, ARG_LONG), F(struct stat, st_ino, ARG_ULONG),
       F(struct stat, st_nlink, ARG_ULONG), F(struct stat, st_uid, ARG_UID), F(struct stat, st_gid, ARG_UID));
LAYOUT(statx_layout, struct statx, F_SET(struct statx, stx_mask, statx_mask), F(struct statx, stx_mode, ARG_MODE), F(struct statx, stx_size, ARG_ULONG));
LAYOUT(statfs_layout, struct statfs, F(struct statfs, f_type, ARG_HEX), F(struct statfs, f_bsize, ARG_LONG), F(struct statfs, f_blocks, ARG_ULONG),
       F(struct statfs, f_bfree, ARG_ULONG), F(struct statfs, f_files, ARG_ULONG), F(struct statfs, f_namelen, ARG_LONG));
LAYOUT(timespec_layout, struct __kernel_timespec, F(struct __kernel_timespec, tv_sec, ARG_LONG), F(struct __kernel_timespec, tv_nsec, ARG_LONG));
LAYOUT(timeval_layout, struct __kernel_old_timeval, F(struct __kernel_old_timeval, tv_sec, ARG_LONG), F(struct __kernel_old_timeval, tv_usec, ARG_LONG));
LAYOUT(itimerval_layout, struct __kernel_old_itimerval, F(struct __kernel_old_itimerval, it_interval.tv_sec, ARG_LONG),
       F(struct __kernel_old_itimerval, it_interval.tv_usec, ARG_LONG), F(struct __kernel_old_itimerval, it_value.tv_sec, ARG_LONG),
       F(struct __kernel_old_itimerval, it_value.tv_usec, ARG_LONG));
LAYOUT(itimerspec_layout, struct __kernel_itimerspec, F(struct __kernel_itimerspec, it_interval.tv_sec, ARG_LONG),
       F(struct __kernel_itimerspec, it_interval.tv_nsec, ARG_LONG), F(struct __kernel_itimerspec, it_value.tv_sec, ARG_LONG),
       F(struct __kernel_itimerspec, it_value.tv_nsec, ARG_LONG));
LAYOUT(sigevent_layout, struct sigevent_abi, F_AS(struct sigevent_abi, value, ARG_HEX, "sigev_value"),
       F_AS(struct sigevent_abi, signo, ARG_SIGNAL, "sigev_signo"), F_SET_AS(struct sigevent_abi, notify, sigevent_set, "sigev_notify"),
       F_AS(struct sigevent_abi, tid, ARG_INT, "sigev_notify_thread_id"));
LAYOUT(epoll_event_layout, struct epoll_event, F_SET(struct epoll_event, events, epoll_events), F(struct epoll_event, data, ARG_HEX));
LAYOUT(pollfd_layout, struct pollfd, F(struct pollfd, fd, ARG_INT), F_SET(struct pollfd, events, poll_events));
LAYOUT(rlimit_layout, struct rlimit64, F(struct rlimit64, rlim_cur, ARG_ULONG), F(struct rlimit64, rlim_max, ARG_ULONG));
LAYOUT(rusage_layout, struct rusage, F(struct rusage, ru_utime.tv_sec, ARG_LONG), F(struct rusage, ru_utime.tv_usec, ARG_LONG),
       F(struct rusage, ru_stime.tv_sec, ARG_LONG), F(struct rusage, ru_stime.tv_usec, ARG_LONG), F(struct rusage, ru_maxrss, ARG_LONG));
LAYOUT(sysinfo_layout, struct sysinfo, F(struct sysinfo, uptime, ARG_LONG), F(struct sysinfo, totalram, ARG_ULONG), F(struct sysinfo, freeram, ARG_ULONG),
       F(struct sysinfo, procs, ARG_UINT));
LAYOUT(utsname_layout, struct new_utsname, F(struct new_utsname, sysname, ARG_PATH), F(struct new_utsname, nodename, ARG_PATH),
       F(struct new_utsname, release, ARG_PATH), F(struct new_utsname, machine, ARG_PATH));
LAYOUT(tms_layout, struct tms, F(struct tms, tms_utime, ARG_LONG), F(struct tms, tms_stime, ARG_LONG), F(struct tms, tms_cutime, ARG_LONG),
       F(struct tms, tms_cstime, ARG_LONG));
LAYOUT(stack_layout, struct stack_abi, F(struct stack_abi, ss_sp, ARG_PTR), F(struct stack_abi, ss_flags, ARG_HEX), F(struct stack_abi, ss_size, ARG_ULONG));
LAYOUT(sigaction_layout, struct kernel_sigaction_abi, F_AS(struct kernel_sigaction_abi, handler, ARG_PTR, "sa_handler"),
       F_AS(struct kernel_sigaction_abi, mask, ARG_HEX, "sa_mask"), F_SET_AS(struct kernel_sigaction_abi, flags, sigaction_flags, "sa_flags"),
       F_AS(struct kernel_sigaction_abi, restorer, ARG_PTR, "sa_restorer"));
LAYOUT(clone_args_layout, struct clone_args, F_SET(struct clone_args, flags, clone_flags), F(struct clone_args, child_tid, ARG_PTR),
       F(struct clone_args, parent_tid, ARG_PTR), F(struct clone_args, exit_signal, ARG_SIGNAL), F(struct clone_args, stack, ARG_PTR),
       F(struct clone_args, stack_size, ARG_HEX), F(struct clone_args, tls, ARG_PTR));
LAYOUT(open_how_layout, struct open_how, F_SET(struct open_how, flags, open_flags), F(struct open_how, mode, ARG_MODE), F_SET(struct open_how, resolve, resolve_flags));
LAYOUT(flock_layout, struct flock, F(struct flock, l_type, ARG_INT), F(struct flock, l_whence, ARG_INT), F(struct flock, l_start, ARG_LONG),
       F(struct flock, l_len, ARG_LONG));
LAYOUT(f_owner_layout, struct f_owner_ex, F(struct f_owner_ex, type, ARG_INT), F(struct f_owner_ex, pid, ARG_PID));
LAYOUT(winsize_layout, struct winsize_k, F(struct winsize_k, ws_row, ARG_UINT), F(struct winsize_k, ws_col, ARG_UINT), F(struct winsize_k, ws_xpixel, ARG_UINT),
       F(struct winsize_k, ws_ypixel, ARG_UINT));
