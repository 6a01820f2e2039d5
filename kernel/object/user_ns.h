/* SPDX-License-Identifier: MPL-2.0 */
/* User namespaces (user_namespaces(7)): who an id is at the boundary, and where capabilities count. Only the initial one exists so far. */
#ifndef OBJECT_USER_NS_H
#define OBJECT_USER_NS_H

#include "object/ref.h"

struct user_ns {
	struct ref refs;
	struct user_ns *parent;		/* [I] NULL: the initial one */
	u32 level;			/* [I] */
};

extern struct user_ns init_user_ns;

#endif
