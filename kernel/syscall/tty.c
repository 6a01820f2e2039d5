/* SPDX-License-Identifier: MPL-2.0 */
/* vhangup(2). Other terminal calls are ioctls. */
#include "abi/process.h"
#include "object/cred.h"
#include "object/user_ns.h"
#include "syscall/handlers.h"
#include "tty/tty.h"

s64 sys_vhangup(const struct syscall_args *a)
{
	struct tty *t;

	(void)a;
	if (!capable(&init_user_ns, CAP_SYS_TTY_CONFIG))
		return -EPERM;
	t = tty_of_current();
	if (t) {
		tty_hangup(t);
		tty_put(t);
	}
	return 0;
}
