/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The state machine of cpio_stream.h. An entry is: header (110 bytes) and name, padded to 4; data, padded to 4. Between entries zero bytes are passed over.
 * lib/cpio parses header and name from a copy whose size field says 0, since the data is not there yet; the checksum of the 070702 form is dropped for
 * the same reason.
 */
#include <lib/errno.h>
#include <lib/string.h>
#include "fs/tmpfs/cpio_stream.h"

enum state { BETWEEN, HEADER, NAME, DATA, PADDING };

#define FIELD_SIZE (6 + 6 * 8)		/* offsets of the hexadecimal fields of 8 digits */
#define FIELD_NAME_SIZE (6 + 11 * 8)

void cpio_stream_init(struct cpio_stream *s)
{
	s->state = BETWEEN;
	s->have = 0;
	s->archive = 0;
	s->error = NULL;
}

static int fail(struct cpio_stream *s, const char *why)
{
	s->error = why;
	return -EINVAL;
}

static int header_done(struct cpio_stream *s)
{
	const char *head = (const char *)s->head;
	u32 size, name_size;

	if (memcmp(head, "07070", 5) || (head[5] != '1' && head[5] != '2'))
		return fail(s, "no newc header where one is due");
	if (!cpio_field(s->head + FIELD_SIZE, &size) || !cpio_field(s->head + FIELD_NAME_SIZE, &name_size))
		return fail(s, "bad digits in a header");
	if (!name_size || name_size > CPIO_NAME_MAX)
		return fail(s, "bad length of a name");
	memcpy(s->head, "070701", 6);
	memcpy(s->head + FIELD_SIZE, "00000000", 8);
	s->size = size;
	s->want = ALIGN_UP(CPIO_HEADER + (size_t)name_size, 4);
	s->state = NAME;
	return 0;
}

static int data_done(struct cpio_stream *s)
{
	s->left = ALIGN_UP(s->size, 4) - s->size;
	s->state = s->left ? PADDING : BETWEEN;
	return s->end(s);
}

static int name_done(struct cpio_stream *s)
{
	struct cpio_entry entry;
	struct cpio_iter it;
	int n, err;

	cpio_init(&it, s->head, s->want);
	n = cpio_next(&it, &entry);
	if (n < 0)
		return fail(s, it.error ? it.error : "not newc");
	s->left = s->size;
	s->state = DATA;
	if (!n) {			/* the trailer, which has no data */
		s->archive++;
		s->state = BETWEEN;
		return 0;
	}
	entry.size = s->size;
	entry.archive = s->archive;
	err = s->begin(s, &entry);
	return err || s->left ? err : data_done(s);
}

/* Moves bytes into `head` until `want` are there. */
static size_t gather(struct cpio_stream *s, const u8 *data, size_t len)
{
	size_t n = min(len, s->want - s->have);

	memcpy(s->head + s->have, data, n);
	s->have += n;
	return n;
}

static int pass_data(struct cpio_stream *s, const u8 *data, size_t len, size_t *n)
{
	int err;

	*n = min(len, s->left);
	err = s->data(s, data, *n);
	s->left -= *n;
	return err || s->left ? err : data_done(s);
}

/* One step; *n bytes taken. In BETWEEN with something unknown ahead: none. */
static int step(struct cpio_stream *s, const u8 *data, size_t len, size_t *n)
{
	switch (s->state) {
	case BETWEEN:
		*n = *data == 0;
		if (*data == '0') {
			s->state = HEADER;
			s->have = 0;
			s->want = CPIO_HEADER;
		}
		return 0;
	case HEADER:
		*n = gather(s, data, len);
		return s->have == s->want ? header_done(s) : 0;
	case NAME:
		*n = gather(s, data, len);
		return s->have == s->want ? name_done(s) : 0;
	case DATA:
		return pass_data(s, data, len, n);
	default:
		*n = min(len, s->left);
		s->left -= *n;
		if (!s->left)
			s->state = BETWEEN;
		return 0;
	}
}

int cpio_stream_feed(struct cpio_stream *s, const u8 *data, size_t len, size_t *used)
{
	int err = 0;

	for (*used = 0; *used < len && !err;) {
		size_t n = 0;

		err = step(s, data + *used, len - *used, &n);
		*used += n;
		if (!n && s->state == BETWEEN)
			break;
	}
	return err;
}

bool cpio_stream_is_whole(const struct cpio_stream *s)
{
	return s->state == BETWEEN;
}
