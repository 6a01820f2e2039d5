/* SPDX-License-Identifier: MPL-2.0 */
/* Waits for a grace period. Task context, sleeps. */
#ifndef SYNC_RCU_WAIT_H
#define SYNC_RCU_WAIT_H

void rcu_synchronize(void);

#endif
