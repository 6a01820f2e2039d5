/* SPDX-License-Identifier: MPL-2.0 */
/* Resource usage in the layout of getrusage(2). */
#ifndef SYSCALL_USAGE_H
#define SYSCALL_USAGE_H

#include <lib/string.h>
#include "abi/process.h"
#include "proc/thread.h"

static inline void usage_to_abi(const struct cpu_usage *u, struct rusage *out)
{
	memset(out, 0, sizeof(*out));
	out->ru_utime.tv_sec = (s64)(u->user_ns / NSEC_PER_SEC);
	out->ru_utime.tv_usec = (s64)(u->user_ns % NSEC_PER_SEC / NSEC_PER_USEC);
	out->ru_stime.tv_sec = (s64)(u->system_ns / NSEC_PER_SEC);
	out->ru_stime.tv_usec = (s64)(u->system_ns % NSEC_PER_SEC / NSEC_PER_USEC);
	out->ru_maxrss = (s64)(u->max_rss_pages * (PAGE_SIZE / 1024));
	out->ru_minflt = (s64)u->min_faults;
	out->ru_majflt = (s64)u->maj_faults;
	out->ru_inblock = (s64)u->in_blocks;
	out->ru_oublock = (s64)u->out_blocks;
	out->ru_nvcsw = (s64)u->n_voluntary;
	out->ru_nivcsw = (s64)u->n_involuntary;
}

#endif
