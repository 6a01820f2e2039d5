/* SPDX-License-Identifier: MPL-2.0 */
/* The system's names, uname(2). */
#include <lib/string.h>
#include <frame/spinlock.h>
#include "proc/uts.h"

static struct spinlock_soft uts_lock = SPINLOCK_INIT("uts");
struct uts_ns init_uts_ns = { .refs = { 1 }, .nodename = "(none)", .domainname = "(none)" };

const char *uts_version(void)
{
	return "#1 SMP PREEMPT Keel";
}

void uts_get(struct uts_ns *ns, char node[UTS_LEN + 1], char domain[UTS_LEN + 1])
{
	SPIN_GUARD_SOFT(&uts_lock);
	memcpy(node, ns->nodename, UTS_LEN + 1);
	memcpy(domain, ns->domainname, UTS_LEN + 1);
}

static void set(char field[UTS_LEN + 1], const char *name, size_t len)
{
	SPIN_GUARD_SOFT(&uts_lock);
	memset(field, 0, UTS_LEN + 1);
	memcpy(field, name, min(len, (size_t)UTS_LEN));
}

void uts_set_nodename(struct uts_ns *ns, const char *name, size_t len)
{
	set(ns->nodename, name, len);
}

void uts_set_domainname(struct uts_ns *ns, const char *name, size_t len)
{
	set(ns->domainname, name, len);
}
