/* SPDX-License-Identifier: MPL-2.0 */
/* PID namespaces (pid_namespaces(7)). Only the initial one exists so far. */
#ifndef OBJECT_PID_NS_H
#define OBJECT_PID_NS_H

#include <lib/idalloc.h>
#include <lib/radix.h>
#include "object/ref.h"

struct pid_ns {
	struct ref refs;
	struct pid_ns *parent;		/* [I] NULL: the initial one */
	u32 level;			/* [I] */
	struct idalloc ids;		/* [pid table lock] */
	struct radix_root tree;		/* [pid table lock; RCU to read] number → struct pid */
};

#endif
