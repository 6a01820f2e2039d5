/* SPDX-License-Identifier: MPL-2.0 */
/* signalfd(2). */
#ifndef SIGNAL_SIGNALFD_H
#define SIGNAL_SIGNALFD_H

#include "signal/signal.h"

struct file;

/* flags: SFD_*, checked. The descriptor, -EMFILE, -ENFILE, -ENOMEM */
__must_check s64 signalfd_create(sigset_k set, u32 flags);
__must_check int signalfd_change(struct file *f, sigset_k set);	/* -EINVAL: no signalfd */

#endif
