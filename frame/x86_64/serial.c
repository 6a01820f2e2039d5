/* SPDX-License-Identifier: MPL-2.0 */
/* The early console: COM1, polled, 115200 8N1. Used until a driver takes over (log_set_console), and again by panic. */
#include <frame/core/internal.h>
#include <frame/x86_64/arch.h>

#define COM1 0x3f8
#define UART_DATA 0
#define UART_IER 1
#define UART_FCR 2
#define UART_LCR 3
#define UART_MCR 4
#define UART_LSR 5
#define UART_SCRATCH 7
#define LSR_THRE 0x20
#define SPIN_LIMIT 100000

static bool is_present;		/* [I] */

void early_console_init(void)
{
	/* Without a UART, reads give 0xff: the scratch register tells. */
	outb(COM1 + UART_SCRATCH, 0x5a);
	if (inb(COM1 + UART_SCRATCH) != 0x5a)
		return;
	is_present = true;
	outb(COM1 + UART_IER, 0);
	outb(COM1 + UART_LCR, 0x80);
	outb(COM1 + UART_DATA, 1);
	outb(COM1 + UART_IER, 0);
	outb(COM1 + UART_LCR, 3);
	outb(COM1 + UART_FCR, 7);
	outb(COM1 + UART_MCR, 3);
}

static void put(char c)
{
	/* Bounded: a UART that never gets ready must not hang a panic. */
	for (u32 i = 0; i < SPIN_LIMIT && !(inb(COM1 + UART_LSR) & LSR_THRE); i++)
		cpu_relax();
	outb(COM1 + UART_DATA, (u8)c);
}

void early_console_write(const char *text, size_t len)
{
	if (!is_present)
		return;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n')
			put('\r');
		put(text[i]);
	}
}
