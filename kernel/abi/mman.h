/* SPDX-License-Identifier: MPL-2.0 */
/* mmap(2) and its family. */
#ifndef ABI_MMAN_H
#define ABI_MMAN_H

#include <lib/types.h>
#include <linux/mman.h>
#include <linux/memfd.h>
#include <linux/membarrier.h>

#ifndef MS_ASYNC
#define MS_ASYNC 1
#define MS_INVALIDATE 2
#define MS_SYNC 4
#endif

#endif
