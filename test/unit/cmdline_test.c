/* SPDX-License-Identifier: MPL-2.0 */
/* lib/cmdline.h */
#include <lib/cmdline.h>
#include <lib/errno.h>
#include <lib/string.h>

#include "unit.h"

/* All words as |key|value|, with ! before those for init. */
static const char *words(const char *text)
{
	static char out[512];
	struct cmdline_iter it;
	struct cmdline_word w;
	char *p = out;

	*p = 0;
	cmdline_init(&it, text, strlen(text));
	while (cmdline_next(&it, &w)) {
		p += sprintf(p, "%s<%.*s", w.is_for_init ? "!" : "", (int)w.key_len, w.key);
		if (w.value)
			p += sprintf(p, "=%.*s", (int)w.value_len, w.value);
		p += sprintf(p, ">");
	}
	return out;
}

#define EXPECT(text, want)                                                                         \
	do {                                                                                       \
		const char *got = words(text);                                                     \
		CHECK(strcmp(got, want) == 0);                                                     \
		if (strcmp(got, want) != 0)                                                        \
			printf("# %s\n", got);                                                     \
	} while (0)

static void test_words(void)
{
	EXPECT("", "");
	EXPECT("  \t\n ", "");
	EXPECT("quiet", "<quiet>");
	EXPECT(" console=ttyS0,115200  quiet root= ", "<console=ttyS0,115200><quiet><root=>");
	EXPECT("a=b=c", "<a=b=c>");
	EXPECT("=x", "<=x>");
	EXPECT("a=\"b c\" d", "<a=b c><d>");
	EXPECT("\"a=b c\" d", "<a=b c><d>");
	EXPECT("\"a b\"", "<a b>");
	EXPECT("a=x\"y z\"w b", "<a=x\"y z\"w><b>");
	EXPECT("a=\"open end", "<a=open end>");
	EXPECT("a=\"", "<a=>");
	EXPECT("\"", "<>");
	EXPECT("\"\"", "<>");
	EXPECT("a=\"\" b", "<a=><b>");
	EXPECT("\"a=", "<a=>");
	EXPECT("\"a=\"", "<a=>");
	EXPECT("x -- y=1 -- z", "<x>!<y=1>!<-->!<z>");
	EXPECT("--x -", "<--x><->");
}

static void test_copy_and_find(void)
{
	const char *text = "init=/a foo-bar=1 x=\"y z\" foo_bar=2 -- init=/b";
	struct cmdline_word w;
	char buf[16];

	CHECK_EQ(cmdline_find(text, strlen(text), "init", &w), 0);
	CHECK(str_eq_len(w.value, w.value_len, "/a"));
	CHECK_EQ(cmdline_find(text, strlen(text), "foo_bar", &w), 0);
	CHECK(str_eq_len(w.value, w.value_len, "2"));
	CHECK_EQ(cmdline_find(text, strlen(text), "foo", &w), -ENOENT);
	CHECK_EQ(cmdline_find(text, strlen(text), "x", &w), 0);
	CHECK(cmdline_word_copy(&w, buf, sizeof(buf)) == 5 && strcmp(buf, "x=y z") == 0);
	CHECK(cmdline_word_copy(&w, buf, 6) == 5 && cmdline_word_copy(&w, buf, 5) == -E2BIG);
}

struct seen {
	char text[200];
	u64 mem;
};

static int set_mem(void *ctx, const char *value, size_t len)
{
	return value ? parse_size(value, len, &((struct seen *)ctx)->mem) : -EINVAL;
}

static void set_unknown(void *ctx, const struct cmdline_word *w)
{
	struct seen *seen = ctx;

	cmdline_word_copy(w, seen->text + strlen(seen->text), 100);
	strlcat(seen->text, ";", sizeof(seen->text));
}

static void test_parse(void)
{
	static const struct cmdline_option options[] = { { "mem", set_mem } };
	const char *text = "a mem=64M mem=bad mem b=c -- mem=1";
	struct seen seen = { .mem = 0 };

	cmdline_parse(text, strlen(text), options, 1, set_unknown, &seen);
	CHECK_EQ(seen.mem, 64UL << 20);
	CHECK(strcmp(seen.text, "a;mem=bad;mem;b=c;mem=1;") == 0);
}

/* No slice leaves the text, whatever it is. */
static void test_random(void)
{
	for (int round = 0; round < 50000; round++) {
		size_t len = unit_random_below(20);
		char *text = malloc(len + 1);
		struct cmdline_iter it;
		struct cmdline_word w;

		for (size_t i = 0; i < len; i++)
			text[i] = "a=\"- b"[unit_random_below(6)];
		cmdline_init(&it, text, len);
		while (cmdline_next(&it, &w)) {
			CHECK(w.key >= text && w.key_len <= len && w.key + w.key_len <= text + len);
			if (w.value)
				CHECK(w.value > w.key && w.value_len <= len &&
				      w.value + w.value_len <= text + len);
		}
		free(text);
	}
}

UNIT_TESTS("cmdline", UNIT(test_words), UNIT(test_copy_and_find), UNIT(test_parse), UNIT(test_random));
