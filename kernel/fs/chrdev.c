/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The table of character devices. Drivers add to it and never take away, so a look-up (each open of a device node) is a walk of a radix tree by device number
 * without any lock. The list beside it, under devices_mutex, is for those who want to see all: devtmpfs, /proc/devices.
 */
#include <lib/errno.h>
#include <lib/radix.h>
#include <lib/string.h>
#include "fs/chrdev.h"
#include "mm/alloc.h"
#include "sync/mutex.h"

static void *node_alloc(void *ctx)
{
	(void)ctx;
	return kmalloc(RADIX_NODE_SIZE, ALLOC_SLEEP);
}

static void node_free(void *ctx, void *node)
{
	(void)ctx;
	kfree(node);
}

static const struct radix_alloc node_allocator = { .alloc = node_alloc, .free = node_free };

static struct mutex devices_mutex = MUTEX_INIT("character devices", devices_mutex);
static struct radix_root by_number = { .alloc = &node_allocator };	/* [devices_mutex; read without] */
static struct list devices = LIST_INIT(devices);			/* [devices_mutex] */
static void (*listener)(const struct chrdev *d);			/* [devices_mutex] */

int chrdev_register(u32 major, u32 minor, const char *name, u32 mode, const struct file_ops *ops, void *private)
{
	struct chrdev *d = kmalloc(sizeof(*d), ALLOC_ZERO);
	int err;

	if (!d)
		return -ENOMEM;
	d->dev = dev_make(major, minor);
	d->mode = mode;
	d->ops = ops;
	d->private = private;
	if (strscpy(d->name, name, sizeof(d->name)) < 0) {
		kfree(d);
		return -EINVAL;
	}
	MUTEX_GUARD(&devices_mutex);
	err = radix_insert(&by_number, d->dev, d, NULL);
	if (err) {
		kfree(d);
		return err == -EEXIST ? -EBUSY : err;
	}
	list_push_back(&devices, &d->node);
	if (listener)
		listener(d);
	return 0;
}

const struct file_ops *chrdev_find(u64 dev, void **private)
{
	const struct chrdev *d = radix_lookup(&by_number, dev);

	if (!d)
		return NULL;
	*private = d->private;
	return d->ops;
}

bool chrdev_next_major(u32 from, u32 *major, char name[32])
{
	const struct chrdev *d, *found = NULL;

	MUTEX_GUARD(&devices_mutex);
	list_for_each_entry(d, &devices, node)
		if (dev_major(d->dev) >= from && (!found || dev_major(d->dev) < dev_major(found->dev)))
			found = d;
	if (found) {
		*major = (u32)dev_major(found->dev);
		memcpy(name, found->name, sizeof(found->name));
	}
	return found != NULL;
}

void chrdev_set_listener(void (*fn)(const struct chrdev *d))
{
	const struct chrdev *d;

	MUTEX_GUARD(&devices_mutex);
	listener = fn;
	list_for_each_entry(d, &devices, node)
		fn(d);
}
