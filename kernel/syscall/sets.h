/* SPDX-License-Identifier: MPL-2.0 */
/* Flag sets, enumerations, commands and struct layouts that the rows of table.h name. Sets: sets_file.c, sets_proc.c;
	layouts: layouts.c. */
#ifndef SYSCALL_SETS_H
#define SYSCALL_SETS_H

#include "syscall/row.h"

extern const struct flag_set access_mode, arch_prctl_set, at_access, at_link, at_nofollow_empty, at_removedir,
	at_stat, at_statx, clock_set, cloexec_flag, clone_flags, close_range_flags, epoll_create_flags, epoll_ctl_set, eventfd_flags, fadvise_set,
	fallocate_flags, flock_flags, getrandom_flags, idtype_set, inotify_flags, inotify_mask, itimer_set, madvise_set,
	map_flags, membarrier_flags, membarrier_set, memfd_flags, mlock2_flags, mlockall_flags, mount_flags, mprotect_flags,
	mremap_flags, msync_flags, open_flags, pidfd_flags, pipe_flags, priority_which_set, process_madvise_set, prot_flags, reboot_set,
	rename_flags, rlimit_set, rseq_flags, rusage_set, rwf_flags, sched_policy_set, seal_flags, sigevent_set, sigmask_set,
	signalfd_flags, splice_flags, statx_mask, sync_range_flags, timer_flags, timerfd_flags, timerfd_timer_flags,
	umount_flags, wait4_flags, waitid_flags, whence_set, xattr_flags;
extern const struct flag_set fd_flags, futex_set, mode_types, poll_events, resolve_flags, sigaction_flags, signal_names, epoll_events;
extern const struct layout clone_args_layout, itimerspec_layout, itimerval_layout, open_how_layout, rlimit_layout,
	rusage_layout, sigaction_layout, sigevent_layout, stack_layout, stat_layout, statfs_layout, statx_layout,
	sysinfo_layout, timespec_layout, timeval_layout, tms_layout, utsname_layout, flock_layout, winsize_layout,
	f_owner_layout, epoll_event_layout, pollfd_layout;
extern const struct command_set ioctl_commands, fcntl_commands, prctl_commands;

#endif
