/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The order of start-up, on one page.
 *
 * policy_start runs on the boot CPU with interrupts off, before there are threads; start runs as the first kernel thread, may sleep, and becomes nothing: when
 * init runs it ends. What init is told comes from the command line (bootparam(7), init.c).
 */
#include <frame/boot.h>
#include <frame/log.h>
#include <frame/policy.h>
#include "drivers/uart.h"
#include "fs/anon.h"
#include "fs/epoll.h"
#include "fs/dev/devices.h"
#include "fs/inotify.h"
#include "fs/pipe.h"
#include "fs/proc/procfs.h"
#include "fs/sys/sysfs.h"
#include "fs/tmpfs/tmpfs.h"
#include "fs/vfs.h"
#include "start/init.h"
#include "ipc/futex.h"
#include "mm/alloc.h"
#include "mm/mm.h"
#include "object/pid.h"
#include "object/random.h"
#include "start/params.h"
#include "proc/thread.h"
#include "sched/sched.h"
#include "signal/signal.h"
#include "sync/lock_order.h"
#include "syscall/row.h"
#include "time/timer.h"
#include "time/wall.h"
#include "tty/tty.h"

static void start(void *arg)
{
	(void)arg;
	boot_start_cpus(params.max_cpus);
	wall_init();
	pid_init();
	signal_init();
	proc_init();
	futex_init();

	vfs_init();
	tmpfs_init();
	pipe_init();
	anon_init();
	inotify_init_limits();
	epoll_init();
	devices_init();
	tty_init();
	uart_init();
	console_choose();
	procfs_init();
	sysfs_init();
	syscall_table_init();

	run_ktests_if_asked();
	initramfs_load();
	page_count_boot(boot_free_init());
	init_run();
}

void policy_start(void)
{
	sched_init();
	lock_order_init();
	params_read();
	alloc_init();
	mm_init();
	random_init();
	timers_init();
	klog(LOG_NOTICE, "Keel, command line: %s", boot_cmdline());
	sched_begin(start, NULL);
}
