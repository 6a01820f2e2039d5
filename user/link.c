/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The guest's half of the run link: see link.h for the protocol.
 *
 * One receive buffer, filled by link_fill and emptied by link_next; a frame that has arrived in
 * part is moved to the front at the next fill. Sending blocks until the terminal has taken the
 * bytes; that cannot lock up, since the host always reads and what it may send meanwhile fits
 * into the terminal's input buffer (the windows in link.h).
 */
#include "link.h"
#include "sys.h"

#include <asm/errno.h>
#include <asm/fcntl.h>
#include <asm/ioctls.h>
#include <asm/termbits.h>

static int tty_fd = -1;
static uint8_t rx_buf[2 * (LINK_HEADER + LINK_PAYLOAD_MAX)];
static size_t rx_start, rx_end;
static uint8_t rx_sequence, tx_sequence;

/* RFC 1950 section 8; sums are reduced before they can pass 32 bits. */
static uint32_t adler32(uint32_t adler, const uint8_t *data, size_t len)
{
	uint32_t a = adler & 0xffff;
	uint32_t b = adler >> 16;

	while (len > 0) {
		size_t chunk = len < 5552 ? len : 5552;

		len -= chunk;
		while (chunk-- > 0) {
			a += *data++;
			b += a;
		}
		a %= 65521;
		b %= 65521;
	}
	return b << 16 | a;
}

static uint32_t frame_sum(const uint8_t *header, const uint8_t *payload, size_t len)
{
	return adler32(adler32(1, header, 4), payload, len);
}

/*
 * Raw mode, as cfmakeraw(3). The highest standard speed, because a 16550 delays a receive
 * interrupt below its trigger level by four character times.
 */
static int make_raw(int fd)
{
	struct termios tio;
	long err = sys_ioctl(fd, TCGETS, &tio);

	if (err < 0)
		return (int)err;
	tio.c_iflag = 0;
	tio.c_oflag = 0;
	tio.c_lflag = 0;
	tio.c_cflag = CS8 | CREAD | CLOCAL | B115200;
	tio.c_cc[VMIN] = 1;
	tio.c_cc[VTIME] = 0;
	return (int)sys_ioctl(fd, TCSETS, &tio);
}

int link_open(const char *path)
{
	long fd = sys_open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return (int)fd;
	err = make_raw((int)fd);
	if (err < 0) {
		sys_close((int)fd);
		return err;
	}
	tty_fd = (int)fd;
	return 0;
}

int link_fd(void)
{
	return tty_fd;
}

static int write_all(const uint8_t *data, size_t len)
{
	while (len > 0) {
		long n = sys_write(tty_fd, data, len);

		if (n == -EINTR)
			continue;
		if (n < 0)
			return (int)n;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int link_send(uint8_t type, const void *payload, size_t len)
{
	static uint8_t tx_buf[LINK_HEADER + LINK_PAYLOAD_MAX];
	uint32_t sum;

	if (len > LINK_PAYLOAD_MAX)
		return -EMSGSIZE;
	tx_buf[0] = type;
	tx_buf[1] = tx_sequence++;
	tx_buf[2] = (uint8_t)len;
	tx_buf[3] = (uint8_t)(len >> 8);
	if (len > 0)
		memcpy(tx_buf + LINK_HEADER, payload, len);
	sum = frame_sum(tx_buf, tx_buf + LINK_HEADER, len);
	memcpy(tx_buf + 4, &sum, sizeof(sum));
	return write_all(tx_buf, LINK_HEADER + len);
}

int link_send_words(uint8_t type, const uint32_t *words, size_t count)
{
	return link_send(type, words, count * sizeof(*words));
}

int link_fill(void)
{
	long n;

	memmove(rx_buf, rx_buf + rx_start, rx_end - rx_start);
	rx_end -= rx_start;
	rx_start = 0;
	n = sys_read(tty_fd, rx_buf + rx_end, sizeof(rx_buf) - rx_end);
	if (n == -EINTR || n == -EAGAIN)
		return 0;
	if (n < 0)
		return (int)n;
	if (n == 0)
		return -EIO;
	rx_end += (size_t)n;
	return 0;
}

int link_next(struct link_frame *frame)
{
	const uint8_t *head = rx_buf + rx_start;
	size_t have = rx_end - rx_start;
	size_t len;
	uint32_t sum;

	if (have < LINK_HEADER)
		return 0;
	len = head[2] | (size_t)head[3] << 8;
	if (len > LINK_PAYLOAD_MAX || head[1] != rx_sequence)
		return -EPROTO;
	if (have < LINK_HEADER + len)
		return 0;
	memcpy(&sum, head + 4, sizeof(sum));
	if (sum != frame_sum(head, head + LINK_HEADER, len))
		return -EPROTO;
	rx_sequence++;
	rx_start += LINK_HEADER + len;
	frame->type = head[0];
	frame->len = len;
	frame->payload = head + LINK_HEADER;
	return 1;
}
