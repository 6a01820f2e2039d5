/* SPDX-License-Identifier: MPL-2.0 */
/* The namespaces a thread lives in (namespaces(7)). Immutable once published; replaced whole. */
#ifndef OBJECT_NSPROXY_H
#define OBJECT_NSPROXY_H

#include "object/ref.h"
#include "object/current.h"

struct pid_ns;
struct uts_ns;
struct mntns;

struct nsproxy {
	struct ref refs;
	struct uts_ns *uts;
	struct mntns *mnt;
	struct pid_ns *pid_for_children;
};

extern struct nsproxy init_nsproxy;	/* never freed; proc_init fills it in */

struct nsproxy *nsproxy_get(struct nsproxy *n);
void nsproxy_put(struct nsproxy *n);

#endif
