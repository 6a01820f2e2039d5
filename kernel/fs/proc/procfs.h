/* SPDX-License-Identifier: MPL-2.0 */
/* The process file system, proc(5). */
#ifndef FS_PROC_PROCFS_H
#define FS_PROC_PROCFS_H

void procfs_init(void);

#endif
