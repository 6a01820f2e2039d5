/* SPDX-License-Identifier: MPL-2.0 */
/*
 * newc cpio reader (cpio(5): "New ASCII Format" and "New CRC Format"). A header is 110 characters:
 * the magic and 13 fields of 8 hexadecimal digits. The name follows, with its NUL, padded so that
 * the data starts on a multiple of four from the header; the data is padded likewise.
 */
#include <lib/cpio.h>
#include <lib/errno.h>
#include <lib/string.h>

#define MAGIC_LEN 6
#define FIELD_LEN 8
#define HEADER_LEN 110
#define MAX_NAME 4096 /* PATH_MAX, with the NUL */
#define TRAILER "TRAILER!!!"

enum field {
	F_INO,
	F_MODE,
	F_UID,
	F_GID,
	F_NLINK,
	F_MTIME,
	F_FILESIZE,
	F_DEVMAJOR,
	F_DEVMINOR,
	F_RDEVMAJOR,
	F_RDEVMINOR,
	F_NAMESIZE,
	F_CHECK,
	NR_FIELDS,
};

static_assert(MAGIC_LEN + NR_FIELDS * FIELD_LEN == HEADER_LEN, "newc header");

void cpio_init(struct cpio_iter *it, const void *base, size_t len)
{
	*it = (struct cpio_iter){ .base = base, .len = len };
}

static int fail(struct cpio_iter *it, int err, const char *why)
{
	it->error = why;
	return err;
}

bool cpio_field(const u8 *text, u32 *out)
{
	u32 value = 0;

	for (unsigned int i = 0; i < FIELD_LEN; i++) {
		u32 digit = (u32)text[i] - '0';

		if (digit > 9) {
			digit = ((u32)text[i] | 0x20) - 'a';
			if (digit > 5)
				return false;
			digit += 10;
		}
		value = value << 4 | digit;
	}
	*out = value;
	return true;
}

static int parse_header(struct cpio_iter *it, u32 field[NR_FIELDS], bool *has_check)
{
	const u8 *header = it->base + it->pos;
	size_t left = it->len - it->pos;

	if (left < MAGIC_LEN || (memcmp(header, "070701", MAGIC_LEN) != 0 &&
				 memcmp(header, "070702", MAGIC_LEN) != 0))
		return it->in_archive ? fail(it, -EINVAL, "no cpio magic") :
					fail(it, -ENOEXEC, "not a newc cpio archive");
	if (left < HEADER_LEN)
		return fail(it, -EINVAL, "header cut short");
	for (unsigned int i = 0; i < NR_FIELDS; i++)
		if (!cpio_field(header + MAGIC_LEN + (size_t)i * FIELD_LEN, &field[i]))
			return fail(it, -EINVAL, "header field is not hexadecimal");
	*has_check = header[MAGIC_LEN - 1] == '2';
	return 0;
}

/* Sets the name and data of @entry, and *end to the first byte after it. */
static int parse_body(struct cpio_iter *it, const u32 field[NR_FIELDS], struct cpio_entry *entry,
		      size_t *end)
{
	const u8 *header = it->base + it->pos;
	size_t left = it->len - it->pos;
	size_t name_size = field[F_NAMESIZE];
	size_t data_at;

	if (!name_size)
		return fail(it, -EINVAL, "name without end");
	if (name_size > MAX_NAME)
		return fail(it, -EINVAL, "name too long");
	if (name_size > left - HEADER_LEN)
		return fail(it, -EINVAL, "name cut short");
	entry->name = (const char *)header + HEADER_LEN;
	entry->name_len = strnlen(entry->name, name_size);
	if (entry->name_len != name_size - 1)
		return fail(it, -EINVAL, "name does not end with its only NUL");
	data_at = ALIGN_UP(HEADER_LEN + name_size, 4);
	entry->size = field[F_FILESIZE];
	if (entry->size ? data_at > left || entry->size > left - data_at : false)
		return fail(it, -EINVAL, "data cut short");
	/* The padding of the very last entry may be missing. */
	data_at = min(data_at, left);
	entry->data = header + data_at;
	*end = it->pos + min(ALIGN_UP(data_at + entry->size, 4), left);
	return 0;
}

static bool is_sum_right(const struct cpio_entry *entry, u32 check)
{
	u32 sum = 0;

	for (size_t i = 0; i < entry->size; i++)
		sum += entry->data[i];
	return sum == check;
}

static void fill_entry(const struct cpio_iter *it, const u32 field[NR_FIELDS],
		       struct cpio_entry *entry)
{
	entry->ino = field[F_INO];
	entry->mode = field[F_MODE];
	entry->uid = field[F_UID];
	entry->gid = field[F_GID];
	entry->nlink = field[F_NLINK];
	entry->mtime = field[F_MTIME];
	entry->dev_major = field[F_DEVMAJOR];
	entry->dev_minor = field[F_DEVMINOR];
	entry->rdev_major = field[F_RDEVMAJOR];
	entry->rdev_minor = field[F_RDEVMINOR];
	entry->archive = it->archive;
}

int cpio_next(struct cpio_iter *it, struct cpio_entry *entry)
{
	u32 field[NR_FIELDS];
	struct cpio_entry next;
	bool has_check;
	size_t end;
	int err;

	for (;;) {
		const u8 *start = memchr_inv(it->base + it->pos, 0, it->len - it->pos);

		it->pos = start ? (size_t)(start - it->base) : it->len;
		if (!start)
			return 0;
		err = parse_header(it, field, &has_check);
		if (!err)
			err = parse_body(it, field, &next, &end);
		if (err)
			return err;
		if (!str_eq_len(next.name, next.name_len, TRAILER))
			break;
		it->in_archive = false;
		it->archive++;
		it->pos = end;
	}
	if (has_check && !is_sum_right(&next, field[F_CHECK]))
		return fail(it, -EINVAL, "wrong checksum");
	fill_entry(it, field, &next);
	*entry = next;
	it->in_archive = true;
	it->pos = end;
	return 1;
}
