/* SPDX-License-Identifier: MPL-2.0 */
/*
 * 16550 UARTs (data sheet PC16550D). Bytes in: the interrupt handler empties the FIFO into a ring, soft work gives them to the terminal. Bytes out: a ring that the
 * handler refills the FIFO from while "transmitter empty" interrupts are on.
 *
 * Locks: uart->lock (hard) guards the registers and the transmit ring; the receive ring has one writer (the handler) and one reader (soft work on whichever CPU:
 * receive_lock keeps it one). tty->lock is taken outside uart->lock.
 */
#include <lib/ringbuf.h>
#include <frame/clock.h>
#include <frame/irq.h>
#include <frame/log.h>
#include <frame/pio.h>
#include "drivers/uart.h"
#include "mm/alloc.h"
#include "proc/sysrq.h"

enum { REG_DATA, REG_IER, REG_IIR_FCR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCRATCH, REG_COUNT };
#define IER_RX		0x01
#define IER_TX		0x02
#define IER_LINE	0x04
#define IIR_NONE	0x01
#define FCR_ENABLE	0x87	/* on, both FIFOs cleared; an interrupt at 8 bytes, or when no more come for the time of four */
#define LCR_8N1		0x03
#define LCR_STOP2	0x04
#define LCR_PARITY	0x08
#define LCR_EVEN	0x10
#define LCR_BREAK	0x40
#define LCR_DLAB	0x80
#define MCR_DTR_RTS_OUT2 0x0b
#define LSR_DATA	0x01
#define LSR_OVERRUN	0x02
#define LSR_PARITY	0x04
#define LSR_FRAMING	0x08
#define LSR_BREAK	0x10
#define LSR_TX_EMPTY	0x20
#define LSR_ABSENT	0xff

#define CLOCK_HZ	115200	/* of divisor 1 */
#define FIFO_BYTES	16
#define RING_BYTES	4096
#define TTYS_MAJOR	4
#define TTYS_MINOR	64
#define POLL_LIMIT	100000	/* reads of the status register before a byte is given up */
#define SYSRQ_NS	(5 * NSEC_PER_SEC)	/* from a break to the letter that it announces */
#define IRQ_ROUNDS	256	/* in one interrupt: a stuck port must not hold the CPU */

struct uart {
	struct tty tty;
	struct pio io;				/* [I] */
	struct spinlock_hard lock;
	struct ringbuf tx;			/* [lock] */
	struct ringbuf rx;			/* pairs: mark, byte */
	bool is_sending;			/* [lock] transmitter interrupts are on */
	bool is_stopped;			/* [lock] */
	u8 lcr;					/* [lock] */
	u64 sysrq_until_ns;			/* [receive_lock] 0: no break came just now */
	u8 tx_bytes[RING_BYTES], rx_bytes[RING_BYTES];
};

static const struct {
	u16 base;
	u8 gsi;
} places[] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };

static struct uart *uarts[ARRAY_SIZE(places)];	/* [I after uart_init] */
static struct spinlock_soft receive_lock = SPINLOCK_INIT("uart receive");
static struct uart *log_uart;			/* [a] */

/* --- transmit. uart->lock held */

static void set_interrupts(struct uart *u, bool is_sending)
{
	u->is_sending = is_sending;
	pio_write8(&u->io, REG_IER, IER_RX | IER_LINE | (is_sending ? IER_TX : 0));
}

static void fill_fifo(struct uart *u)
{
	u8 c;

	for (u32 i = 0; i < FIFO_BYTES && !u->is_stopped && ringbuf_get(&u->tx, &c); i++)
		pio_write8(&u->io, REG_DATA, c);
}

static void start_sending(struct uart *u)
{
	if (u->is_sending || u->is_stopped || ringbuf_is_empty(&u->tx))
		return;
	if (pio_read8(&u->io, REG_LSR) & LSR_TX_EMPTY)
		fill_fifo(u);
	if (!ringbuf_is_empty(&u->tx))
		set_interrupts(u, true);
}

/* --- the interrupt */

static enum tty_mark mark_of(u8 lsr)
{
	if (lsr & LSR_BREAK)
		return TTY_BREAK;
	return lsr & (LSR_PARITY | LSR_FRAMING) ? TTY_PARITY : lsr & LSR_OVERRUN ? TTY_OVERRUN : TTY_NORMAL;
}

static u8 receive(struct uart *u, u8 lsr)
{
	for (u32 i = 0; i < IRQ_ROUNDS && (lsr & LSR_DATA); i++) {
		u8 c = pio_read8(&u->io, REG_DATA);

		if (ringbuf_space(&u->rx) >= 2) {
			(void)ringbuf_put(&u->rx, (u8)mark_of(lsr));
			(void)ringbuf_put(&u->rx, c);
		}
		lsr = pio_read8(&u->io, REG_LSR);
	}
	return lsr;
}

static bool service(struct uart *u)
{
	bool was_ours = false, has_room = false;

	spin_lock_hard(&u->lock);
	for (u32 i = 0; i < IRQ_ROUNDS && !(pio_read8(&u->io, REG_IIR_FCR) & IIR_NONE); i++) {
		u8 lsr = receive(u, pio_read8(&u->io, REG_LSR));

		was_ours = true;
		if ((lsr & LSR_TX_EMPTY) && u->is_sending) {
			fill_fifo(u);
			has_room = true;
			if (u->is_stopped || ringbuf_is_empty(&u->tx))
				set_interrupts(u, false);
		}
	}
	spin_unlock_hard(&u->lock);
	if (has_room)
		tty_output_room(&u->tty);
	return was_ours;
}

static bool handle_interrupt(void *arg)
{
	struct uart *u = arg;
	bool was_ours = service(u);

	if (!ringbuf_is_empty(&u->rx))
		soft_raise(SOFT_TTY);
	return was_ours;
}

/* The console's port: a break and a letter ask for a dump (proc/sysrq.h); two breaks are one for the terminal. */
static bool is_for_kernel(struct uart *u, u8 mark, u8 c)
{
	bool is_asked = u->sysrq_until_ns && clock_now_ns() < u->sysrq_until_ns;

	if (u != log_uart)
		return false;
	u->sysrq_until_ns = mark == TTY_BREAK && !is_asked ? clock_now_ns() + SYSRQ_NS : 0;
	if (is_asked && mark != TTY_BREAK)
		sysrq_request(c);
	return is_asked != (mark == TTY_BREAK);
}

/* One bounded item: what one port has received. */
static bool deliver_received(void)
{
	bool is_more = false;

	SPIN_GUARD_SOFT(&receive_lock);
	for (u32 i = 0; i < ARRAY_SIZE(uarts); i++) {
		struct uart *u = uarts[i];
		u8 mark, c;
		u32 n = 0;

		if (!u)
			continue;
		for (; n < 64 && ringbuf_used(&u->rx) >= 2; n++) {
			if (ringbuf_get(&u->rx, &mark) && ringbuf_get(&u->rx, &c) && !is_for_kernel(u, mark, c))
				tty_receive(&u->tty, c, (enum tty_mark)mark);
		}
		if (n)
			tty_receive_done(&u->tty);
		is_more |= !ringbuf_is_empty(&u->rx);
	}
	return is_more;
}

/* --- the terminal's operations */

static struct uart *uart_of(struct tty *t)
{
	return t->driver;
}

static size_t uart_write(struct tty *t, const u8 *bytes, size_t n)
{
	struct uart *u = uart_of(t);
	size_t done = 0;

	SPIN_GUARD_HARD(&u->lock);
	while (done < n && ringbuf_put(&u->tx, bytes[done]))
		done++;
	start_sending(u);
	return done;
}

static size_t uart_write_room(struct tty *t)
{
	return ringbuf_space(&uart_of(t)->tx);
}

static size_t uart_pending(struct tty *t)
{
	return ringbuf_used(&uart_of(t)->tx);
}

static void uart_stop(struct tty *t, bool is_stopped)
{
	struct uart *u = uart_of(t);

	SPIN_GUARD_HARD(&u->lock);
	u->is_stopped = is_stopped;
	start_sending(u);
}

static void uart_flush_output(struct tty *t)
{
	struct uart *u = uart_of(t);

	SPIN_GUARD_HARD(&u->lock);
	ringbuf_clear(&u->tx);
}

static void uart_configure(struct tty *t)
{
	struct uart *u = uart_of(t);
	u32 cflag = t->termios.c_cflag, speed = t->termios.c_ospeed;
	u32 divisor = speed ? clamp(CLOCK_HZ / speed, 1u, 0xffffu) : 1;
	u8 lcr = (u8)(cflag & CSIZE ? (cflag & CSIZE) >> 4 : 0);

	if (cflag & CSTOPB)
		lcr |= LCR_STOP2;
	if (cflag & PARENB)
		lcr |= cflag & PARODD ? LCR_PARITY : LCR_PARITY | LCR_EVEN;
	SPIN_GUARD_HARD(&u->lock);
	u->lcr = lcr;
	pio_write8(&u->io, REG_LCR, lcr | LCR_DLAB);
	pio_write8(&u->io, REG_DATA, (u8)divisor);
	pio_write8(&u->io, REG_IER, (u8)(divisor >> 8));
	pio_write8(&u->io, REG_LCR, lcr);
	set_interrupts(u, u->is_sending);
}

static void uart_send_break(struct tty *t, bool on)
{
	struct uart *u = uart_of(t);

	SPIN_GUARD_HARD(&u->lock);
	pio_write8(&u->io, REG_LCR, on ? u->lcr | LCR_BREAK : u->lcr);
}

static const struct tty_ops uart_ops = {
	.write = uart_write, .write_room = uart_write_room, .pending = uart_pending, .stop = uart_stop, .flush_output = uart_flush_output,
	.configure = uart_configure, .send_break = uart_send_break,
};

/* --- kernel messages: polled, so that they come out whatever happens next */

static void poll_byte(struct uart *u, u8 c)
{
	for (u32 i = 0; i < POLL_LIMIT && !(pio_read8(&u->io, REG_LSR) & LSR_TX_EMPTY); i++)
		;
	pio_write8(&u->io, REG_DATA, c);
}

static void log_write(const char *text, size_t n)
{
	struct uart *u = log_uart;

	SPIN_GUARD_HARD(&u->lock);
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\n')
			poll_byte(u, '\r');
		poll_byte(u, (u8)text[i]);
	}
}

void uart_log_console(u32 port)
{
	log_uart = uarts[port];
	log_set_console(log_write);
}

/* --- start-up */

static bool is_present(const struct pio *io)
{
	if (pio_read8(io, REG_LSR) == LSR_ABSENT)
		return false;
	pio_write8(io, REG_SCRATCH, 0x5a);
	return pio_read8(io, REG_SCRATCH) == 0x5a;
}

static void start(struct uart *u)
{
	pio_write8(&u->io, REG_IIR_FCR, FCR_ENABLE);
	pio_write8(&u->io, REG_MCR, MCR_DTR_RTS_OUT2);
	u->tty.termios.c_cflag = (u->tty.termios.c_cflag & ~(u32)CBAUD) | B115200 | CLOCAL;
	u->tty.termios.c_ispeed = u->tty.termios.c_ospeed = 115200;
	uart_configure(&u->tty);
}

static void add_port(u32 i)
{
	char name[] = "ttyS0";
	struct uart *u;
	struct pio io;

	if (pio_claim(&io, places[i].base, REG_COUNT, "uart"))
		return;
	u = is_present(&io) ? kmalloc(sizeof(*u), ALLOC_SLEEP | ALLOC_ZERO) : NULL;
	if (!u) {
		pio_release(&io);
		return;
	}
	name[4] = (char)('0' + i);
	u->io = io;
	spin_init_hard(&u->lock, "uart");
	ringbuf_init(&u->tx, u->tx_bytes, RING_BYTES);
	ringbuf_init(&u->rx, u->rx_bytes, RING_BYTES);
	tty_init_struct(&u->tty, &uart_ops, u, TTYS_MAJOR, TTYS_MINOR + i, name);
	uarts[i] = u;
	start(u);
	if (irq_attach(places[i].gsi, handle_interrupt, u, u->tty.name) || tty_register(&u->tty))
		klog(LOG_ERR, "%s: no interrupt or no memory: not usable", name);
}

void uart_init(void)
{
	soft_register(SOFT_TTY, deliver_received);
	for (u32 i = 0; i < ARRAY_SIZE(places); i++)
		add_port(i);
}

struct tty *uart_tty(u32 port)
{
	return port < ARRAY_SIZE(uarts) && uarts[port] ? &uarts[port]->tty : NULL;
}
