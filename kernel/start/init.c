/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The last steps of start-up, as Linux takes them: which terminal is the console, the initramfs into the root, and which program becomes process 1.
 *
 * With an initramfs /init (or rdinit=) is run; if it is not there, init=, /sbin/init, /etc/init, /bin/init, /bin/sh are tried in turn. None: panic, saying so.
 */
#include <lib/string.h>
#include <frame/boot.h>
#include <frame/log.h>
#include <frame/machine.h>
#include "drivers/uart.h"
#include "fs/tmpfs/tmpfs.h"
#include "fs/vfs.h"
#include "start/init.h"
#include "start/params.h"
#include "start/policy.h"
#include "proc/thread.h"
#include "syscall/trace.h"
#include "tty/tty.h"

#ifdef KEEL_KTEST
void run_ktests_if_asked(void)
{
	if (!params.has_ktest)
		return;
	ktest_run(params.ktest);
	machine_power_off();
}
#else
void run_ktests_if_asked(void)
{
	if (params.has_ktest)
		klog(LOG_ERR, "keel.ktest: this image was built without tests (make KTEST=1)");
}
#endif

void console_choose(void)
{
	const char *name = params.console;
	u32 port = 0;

	if (str_startswith(name, "ttyS") && name[4] >= '0' && name[4] <= '3' && !name[5])
		port = (u32)(name[4] - '0');
	else
		klog(LOG_WARNING, "console=%s: no such terminal, ttyS0 is used", name);
	if (!uart_tty(port))
		return;
	tty_set_console(uart_tty(port));
	uart_log_console(port);
}

/* What Linux's default initramfs has: enough for an archive without device nodes. */
static void make_default_root(void)
{
	if (kern_mkdir("/dev", 0755) || kern_mknod("/dev/console", 0020600, dev_make(5, 1)) || kern_mkdir("/root", 0700))
		klog(LOG_ERR, "initramfs: no memory for the root");
}

void initramfs_load(void)
{
	size_t size;
	const void *data = boot_initrd(&size);

	make_default_root();
	if (size && initramfs_unpack(data, size, true))
		klog(LOG_ERR, "initramfs: not unpacked to its end");
}

static bool is_there(const char *path)
{
	struct path p;

	if (path_lookup(AT_FDCWD_KEEL, path, 0, &p))
		return false;
	path_put(&p);
	return true;
}

static int try_init(const char *path)
{
	int err;

	params.argv[params.n_argv + 1] = NULL;
	for (u32 i = params.n_argv; i > 0; i--)
		params.argv[i] = params.argv[i - 1];
	params.argv[0] = path;
	err = proc_start_init(path, params.argv, params.envp);
	if (err) {
		for (u32 i = 0; i < params.n_argv; i++)
			params.argv[i] = params.argv[i + 1];
		if (err != -ENOENT || is_there(path))
			klog(LOG_ERR, "%s exists but could not be started (error %d%s)", path, err,
			     err == -ENOENT ? ", its interpreter is missing" : "");
	}
	return err;
}

void init_run(void)
{
	static const char *const usual[] = { "/sbin/init", "/etc/init", "/bin/init", "/bin/sh" };
	const char *first = params.rdinit[0] ? params.rdinit : "/init";

	if (trace_set(params.trace))
		klog(LOG_ERR, "trace=: too long");
	if (try_init(first) == 0)
		return;
	klog(LOG_WARNING, "%s: not started", first);
	if (params.init[0]) {
		if (try_init(params.init) == 0)
			return;
		panic("requested init %s failed", params.init);
	}
	for (u32 i = 0; i < ARRAY_SIZE(usual); i++)
		if (try_init(usual[i]) == 0)
			return;
	panic("no working init found: give one with init= or an initramfs with /init");
}
