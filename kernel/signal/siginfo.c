/* SPDX-License-Identifier: MPL-2.0 */
/* siginfo_t as programs see it: which members are filled depends on signal and code (sigaction(2), "The siginfo_t argument"). */
#include <lib/string.h>
#include "abi/signal.h"
#include "signal/signal.h"

static bool is_fault(s32 signo, s32 code)
{
	return code > 0 && code != SI_KERNEL &&
	       (signo == KSIGSEGV || signo == KSIGBUS || signo == KSIGILL || signo == KSIGFPE || signo == KSIGTRAP);
}

void siginfo_encode(const struct siginfo_k *info, void *abi)
{
	siginfo_t *out = abi;

	memset(out, 0, sizeof(*out));
	if (info->is_raw) {
		memcpy(out, info->raw, sizeof(*out));
		out->si_signo = info->signo;
		return;
	}
	out->si_signo = info->signo;
	out->si_errno = info->errno_;
	out->si_code = info->code;
	if (is_fault(info->signo, info->code)) {
		memcpy(&out->si_addr, &info->addr, sizeof(info->addr));
	} else if (info->code == SI_TIMER) {
		out->si_tid = info->timer_id;
		out->si_overrun = info->overrun;
		memcpy(&out->si_ptr, &info->value, sizeof(info->value));
	} else if (info->signo == KSIGCHLD && info->code > 0) {
		out->si_pid = info->pid;
		out->si_uid = info->uid;
		out->si_status = info->status;
		out->si_utime = (long)info->utime_ticks;
		out->si_stime = (long)info->stime_ticks;
	} else if (info->signo == KSIGIO && info->code > 0) {
		out->si_band = info->band;
		out->si_fd = info->fd;
	} else {
		out->si_pid = info->pid;
		out->si_uid = info->uid;
		memcpy(&out->si_ptr, &info->value, sizeof(info->value));
	}
}
