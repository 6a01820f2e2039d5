/* SPDX-License-Identifier: MPL-2.0 */
/* The global lock order, stated once at start-up to the lock-order checker (nothing in the release build). */
#ifndef SYNC_LOCK_ORDER_H
#define SYNC_LOCK_ORDER_H

void lock_order_init(void);

#endif
