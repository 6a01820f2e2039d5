/* SPDX-License-Identifier: MPL-2.0 */
/* memfd_create(2): tmpfs files without a name in any tree, on the hidden instance that shared anonymous memory lives on as well. */
#include <lib/printf.h>
#include "abi/fcntl.h"
#include "abi/mman.h"
#include "abi/stat.h"
#include "fs/tmpfs/internal.h"
#include "fs/tmpfs/tmpfs.h"

int memfd_create(const char *name, u32 flags, struct file **out)
{
	char text[sizeof("memfd: (deleted)") + MEMFD_NAME_MAX + 2];
	struct inode *i;
	int err;

	if (flags & MFD_HUGETLB)
		return -ENOSYS;		/* as Linux without huge pages */
	err = tmpfs_inode_new(tmpfs_hidden->sb, NULL, S_IFREG | 0777, 0, &i);
	if (err)
		return err;
	i->nlink = 0;
	if (flags & MFD_ALLOW_SEALING)
		i->mapping.seals = 0;
	(void)snprintf(text, sizeof(text), "/memfd:%s (deleted)", name);
	err = file_alloc_anon(tmpfs_hidden, i, text, O_RDWR | O_LARGEFILE, &tmpfs_file_ops, out);
	if (err) {
		inode_put(i);
		return err;
	}
	(*out)->mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE | FMODE_ATOMIC_POS;
	return 0;
}
