/* SPDX-License-Identifier: MPL-2.0 */
/* Restartable sequences (struct rseq, struct rseq_cs) and membarrier(2). */
#ifndef ABI_RSEQ_H
#define ABI_RSEQ_H

#include <lib/types.h>
#include <linux/membarrier.h>
#include <linux/rseq.h>

_Static_assert(sizeof(struct rseq) == 32 && offsetof(struct rseq, rseq_cs) == 8, "struct rseq");

#endif
