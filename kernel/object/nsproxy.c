/* SPDX-License-Identifier: MPL-2.0 */
/* Sets of namespaces. Only the initial set exists so far: it starts with a reference that nobody gives back. */
#include "object/nsproxy.h"
#include "object/pid.h"

struct nsproxy init_nsproxy = { .refs = { 1 }, .pid_for_children = &init_pid_ns };

struct nsproxy *nsproxy_get(struct nsproxy *n)
{
	ref_get(&n->refs);
	return n;
}

void nsproxy_put(struct nsproxy *n)
{
	bool is_last = ref_put(&n->refs);

	BUG_ON(is_last);
}
