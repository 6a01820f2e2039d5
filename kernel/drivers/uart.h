/* SPDX-License-Identifier: MPL-2.0 */
/* 16550 serial ports at the PC's four places: /dev/ttyS0 … ttyS3, and the console. */
#ifndef DRIVERS_UART_H
#define DRIVERS_UART_H

#include "tty/tty.h"

void uart_init(void);				/* finds the ports; registers their terminals */
struct tty *uart_tty(u32 port);			/* 0 … 3; NULL: no such port */
void uart_log_console(u32 port);		/* kernel messages go there from now on */

#endif
