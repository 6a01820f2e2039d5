/* SPDX-License-Identifier: MPL-2.0 */
/* epoll(7), eventfd(2), timerfd_create(2), signalfd(2). */
#ifndef ABI_EVENT_H
#define ABI_EVENT_H

#include <lib/types.h>
#include <linux/eventpoll.h>
#include <linux/signalfd.h>
#include <linux/timerfd.h>

/* There is no UAPI header of eventfd(2); glibc's has these. */
#define EFD_SEMAPHORE 1
#define EFD_CLOEXEC O_CLOEXEC
#define EFD_NONBLOCK O_NONBLOCK

_Static_assert(sizeof(struct epoll_event) == 12, "struct epoll_event is packed on x86-64");
_Static_assert(sizeof(struct signalfd_siginfo) == 128, "struct signalfd_siginfo");

#endif
