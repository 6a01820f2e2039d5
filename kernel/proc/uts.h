/* SPDX-License-Identifier: MPL-2.0 */
/* Names of the system, uname(2), uts_namespaces(7). The release and version that programs see: Linux's number whose ABI we speak. */
#ifndef PROC_UTS_H
#define PROC_UTS_H

#include <lib/types.h>
#include "object/ref.h"

#define UTS_LEN 64
#define KEEL_RELEASE "6.1.0-keel"

struct uts_ns {
	struct ref refs;
	char nodename[UTS_LEN + 1], domainname[UTS_LEN + 1];	/* [uts lock] */
};

extern struct uts_ns init_uts_ns;
const char *uts_version(void);		/* "#1 SMP PREEMPT …" */
/* Copies under the lock. */
void uts_get(struct uts_ns *ns, char node[UTS_LEN + 1], char domain[UTS_LEN + 1]);
void uts_set_nodename(struct uts_ns *ns, const char *name, size_t len);
void uts_set_domainname(struct uts_ns *ns, const char *name, size_t len);

#endif
