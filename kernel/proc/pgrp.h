/* SPDX-License-Identifier: MPL-2.0 */
/* Process groups and sessions as sets of processes: what terminals and kill(2) ask about them. */
#ifndef PROC_PGRP_H
#define PROC_PGRP_H

#include "signal/signal.h"

struct process;

bool pgrp_exists(struct pid *pgrp);				/* has any member */
bool pgrp_is_in_session(struct pid *pgrp, const struct pid *session);
void signal_session_leader(struct pid *session, u32 sig);

#endif
