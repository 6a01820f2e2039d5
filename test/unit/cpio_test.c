/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/cpio.h: archives built here, then cut and damaged. Ranges are malloc'ed to size, so that ASan
 * sees overruns.
 */
#include <lib/cpio.h>
#include <lib/errno.h>
#include <lib/string.h>

#include "unit.h"

struct archive {
	char data[8192];
	size_t len;
};

static void align(struct archive *ar)
{
	while (ar->len % 4)
		ar->data[ar->len++] = 0;
}

static void add(struct archive *ar, const char *magic, const char *name, u32 mode, u32 ino, u32 nlink,
		const char *data, size_t size, u32 check)
{
	ar->len += (size_t)sprintf(ar->data + ar->len,
				   "%s%08X%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", magic, ino,
				   mode, 1000, 100, nlink, 0x12345678, size, 8, 1, 4, 64,
				   strlen(name) + 1, check);
	memcpy(ar->data + ar->len, name, strlen(name) + 1);
	ar->len += strlen(name) + 1;
	align(ar);
	memcpy(ar->data + ar->len, data, size);
	ar->len += size;
	align(ar);
}

static void add_file(struct archive *ar, const char *name, const char *data)
{
	add(ar, "070701", name, 0100644, 7, 1, data, strlen(data), 0);
}

static void add_trailer(struct archive *ar)
{
	add(ar, "070701", "TRAILER!!!", 0, 0, 1, "", 0, 0);
}

/* Walks a copy of exactly @len bytes; the last result, and how many entries there were. */
static int walk(const char *data, size_t len, int *entries)
{
	char *copy = malloc(len ? len : 1);
	struct cpio_iter it;
	struct cpio_entry entry;
	size_t before = 0;
	u32 sum = 0;
	int res;

	memcpy(copy, data, len);
	cpio_init(&it, copy, len);
	*entries = 0;
	while ((res = cpio_next(&it, &entry)) == 1) {
		CHECK(it.pos > before && it.pos <= len);
		before = it.pos;
		++*entries;
		CHECK_EQ(strlen(entry.name), entry.name_len);
		for (size_t i = 0; i < entry.size; i++)
			sum += entry.data[i];
	}
	CHECK(res <= 0 && (res == 0) == (it.error == NULL));
	CHECK(it.pos <= len && (res || it.pos == len));
	if (res)
		CHECK_EQ(cpio_next(&it, &entry), res);
	free(copy);
	return sum == 0xdeadbeef ? 1 : res;
}

static void test_fields(void)
{
	struct archive ar = { .len = 0 };
	struct cpio_iter it;
	struct cpio_entry e;

	add(&ar, "070701", "dir/file", 0100755, 0xABCDEF, 2, "hello", 5, 0);
	add(&ar, "070702", "sum", 0100644, 1, 1, "abc", 3, 'a' + 'b' + 'c');
	add(&ar, "070701", "d", 040755, 2, 2, "", 0, 0);
	add_trailer(&ar);
	cpio_init(&it, ar.data, ar.len);
	CHECK_EQ(cpio_next(&it, &e), 1);
	CHECK(strcmp(e.name, "dir/file") == 0 && e.name_len == 8 && e.size == 5);
	CHECK(memcmp(e.data, "hello", 5) == 0);
	CHECK(e.mode == 0100755 && e.ino == 0xabcdef && e.nlink == 2 && e.uid == 1000 && e.gid == 100);
	CHECK(e.mtime == 0x12345678 && e.dev_major == 8 && e.dev_minor == 1 && e.rdev_major == 4 &&
	      e.rdev_minor == 64 && e.archive == 0);
	CHECK_EQ(cpio_next(&it, &e), 1);
	CHECK(strcmp(e.name, "sum") == 0);
	CHECK_EQ(cpio_next(&it, &e), 1);
	CHECK(strcmp(e.name, "d") == 0 && e.size == 0);
	CHECK_EQ(cpio_next(&it, &e), 0);
	CHECK_EQ(cpio_next(&it, &e), 0);
	CHECK(!it.in_archive && it.archive == 1);
}

static void test_concatenated(void)
{
	struct archive ar = { .len = 0 };
	struct cpio_iter it;
	struct cpio_entry e;
	int n;

	CHECK(walk(ar.data, 0, &n) == 0 && n == 0);
	add_file(&ar, "a", "1");
	add_trailer(&ar);
	memset(ar.data + ar.len, 0, 512 - ar.len % 512);
	ar.len += 512 - ar.len % 512;
	add_file(&ar, "b", "22");
	add_trailer(&ar);
	CHECK(walk(ar.data, ar.len, &n) == 0 && n == 2);
	/* Something else behind: a compressed archive, say. */
	ar.data[ar.len] = 0x1f;
	ar.data[ar.len + 1] = (char)0x8b;
	cpio_init(&it, ar.data, ar.len + 2);
	CHECK(cpio_next(&it, &e) == 1 && e.archive == 0);
	CHECK(cpio_next(&it, &e) == 1 && e.archive == 1);
	CHECK_EQ(cpio_next(&it, &e), -ENOEXEC);
	CHECK_EQ(it.pos, ar.len);
	/* No trailer is no error, rubbish within the archive is. */
	ar.len = 0;
	add_file(&ar, "a", "1");
	CHECK(walk(ar.data, ar.len, &n) == 0 && n == 1);
	memcpy(ar.data + ar.len, "rubbish", 7);
	CHECK(walk(ar.data, ar.len + 7, &n) == -EINVAL && n == 1);
}

static void expect_bad(const struct archive *ar, const char *error)
{
	struct cpio_iter it;
	struct cpio_entry e;

	cpio_init(&it, ar->data, ar->len);
	CHECK_EQ(cpio_next(&it, &e), -EINVAL);
	CHECK(it.error && strcmp(it.error, error) == 0);
	if (it.error && strcmp(it.error, error) != 0)
		printf("# %s\n", it.error);
}

static void test_malformed(void)
{
	struct archive good = { .len = 0 }, bad;
	static const char long_name[5000] = { [0 ... 4998] = 'x' };

	add_file(&good, "name", "data");
	bad = good;
	bad.data[6 + 8 + 3] = 'g';
	expect_bad(&bad, "header field is not hexadecimal");
	bad = good;
	bad.data[6 + 8 * 6] = ' ';
	expect_bad(&bad, "header field is not hexadecimal");
	bad = good;
	memcpy(bad.data + 6 + 8 * 6, "ffffffff", 8);
	expect_bad(&bad, "data cut short");
	bad = good;
	memcpy(bad.data + 6 + 8 * 11, "ffffffff", 8);
	expect_bad(&bad, "name too long");
	memcpy(bad.data + 6 + 8 * 11, "00000fff", 8);
	expect_bad(&bad, "name cut short");
	memcpy(bad.data + 6 + 8 * 11, "00000000", 8);
	expect_bad(&bad, "name without end");
	memcpy(bad.data + 6 + 8 * 11, "00000001", 8);
	expect_bad(&bad, "name does not end with its only NUL");
	memcpy(bad.data + 6 + 8 * 11, "00000004", 8);
	expect_bad(&bad, "name does not end with its only NUL");
	memcpy(bad.data + 6 + 8 * 11, "00000006", 8);
	expect_bad(&bad, "name does not end with its only NUL");
	bad = good;
	bad.len = 109;
	expect_bad(&bad, "header cut short");
	bad.len = 0;
	add_file(&bad, long_name, "");
	expect_bad(&bad, "name too long");
	bad.len = 0;
	add(&bad, "070702", "x", 0100644, 1, 1, "abc", 3, 1);
	expect_bad(&bad, "wrong checksum");
}

/* A name whose padding, and data whose padding, are missing at the very end of the range. */
static void test_no_final_padding(void)
{
	struct archive ar = { .len = 0 };
	int n;

	add(&ar, "070701", "12", 040755, 1, 1, "", 0, 0);
	CHECK(walk(ar.data, 113, &n) == 0 && n == 1);
	ar.len = 0;
	add_file(&ar, "1", "x");
	CHECK(walk(ar.data, 113, &n) == 0 && n == 1);
	CHECK(walk(ar.data, 112, &n) == -EINVAL && n == 0);
}

static void test_truncated(void)
{
	struct archive ar = { .len = 0 };
	int n, last = 0;

	add_file(&ar, "first", "some data");
	add_file(&ar, "second/name", "more of the data");
	add_trailer(&ar);
	for (size_t len = 0; len <= ar.len; len++) {
		walk(ar.data, len, &n);
		CHECK(n >= last);
		last = n;
	}
	CHECK_EQ(last, 2);
}

static void test_flipped(void)
{
	struct archive good = { .len = 0 };
	int n;

	add_file(&good, "first", "some data");
	add(&good, "070702", "second", 0100644, 1, 1, "abc", 3, 'a' + 'b' + 'c');
	add_trailer(&good);
	add_file(&good, "third", "x");
	add_trailer(&good);
	for (size_t bit = 0; bit < good.len * 8; bit++) {
		struct archive bad = good;

		bad.data[bit / 8] ^= (char)(1 << bit % 8);
		walk(bad.data, bad.len, &n);
	}
	for (int round = 0; round < 20000; round++) {
		struct archive bad = good;

		for (u64 i = unit_random_below(8); i-- > 0;)
			bad.data[unit_random_below(bad.len)] = "0123456789abcdef\0\xff"[unit_random_below(18)];
		walk(bad.data, unit_random_below(bad.len + 1), &n);
	}
}

UNIT_TESTS("cpio", UNIT(test_fields), UNIT(test_concatenated), UNIT(test_malformed), UNIT(test_no_final_padding),
	   UNIT(test_truncated), UNIT(test_flipped));
