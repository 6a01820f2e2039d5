/* SPDX-License-Identifier: MPL-2.0 */
/* The kernel command line: words, quotes, keys and values. */
#include <lib/cmdline.h>
#include <lib/errno.h>
#include <lib/string.h>

void cmdline_init(struct cmdline_iter *it, const char *text, size_t len)
{
	/* A command line in a larger buffer ends at its NUL. */
	*it = (struct cmdline_iter){ .text = text, .len = strnlen(text, len) };
}

/*
 * The end of the word that starts at it->pos, and where its first '=' is (the end if there is
 * none).
 */
static size_t find_end(const struct cmdline_iter *it, size_t *equals)
{
	bool is_quoted = false;
	size_t i;

	*equals = SIZE_MAX;
	for (i = it->pos; i < it->len; i++) {
		char c = it->text[i];

		if (char_is_space(c) && !is_quoted)
			break;
		if (c == '"')
			is_quoted = !is_quoted;
		if (c == '=' && *equals == SIZE_MAX)
			*equals = i;
	}
	*equals = min(*equals, i);
	return i;
}

/* Splits the word start..end-1 at @equals and takes the outer quotes off. */
static void split(const char *text, size_t start, size_t equals, size_t end,
		  struct cmdline_word *word)
{
	size_t value = equals + 1;
	bool has_value = equals < end;
	bool is_open = text[start] == '"';

	if (is_open)
		start++;
	else if (has_value && value < end && text[value] == '"')
		is_open = true, value++;
	if (is_open && end > (has_value ? value : start) && text[end - 1] == '"')
		end--;
	word->key = text + start;
	word->key_len = (has_value ? equals : end) - start;
	word->value = has_value ? text + value : NULL;
	word->value_len = has_value ? end - value : 0;
}

bool cmdline_next(struct cmdline_iter *it, struct cmdline_word *word)
{
	for (;;) {
		size_t start, end, equals;

		while (it->pos < it->len && char_is_space(it->text[it->pos]))
			it->pos++;
		if (it->pos == it->len)
			return false;
		start = it->pos;
		end = find_end(it, &equals);
		it->pos = end;
		if (!it->is_for_init && str_eq_len(it->text + start, end - start, "--")) {
			it->is_for_init = true;
			continue;
		}
		split(it->text, start, equals, end, word);
		word->is_for_init = it->is_for_init;
		return true;
	}
}

bool cmdline_key_is(const struct cmdline_word *word, const char *name)
{
	size_t len = strlen(name);

	if (len != word->key_len)
		return false;
	for (size_t i = 0; i < len; i++) {
		char a = word->key[i] == '-' ? '_' : word->key[i];
		char b = name[i] == '-' ? '_' : name[i];

		if (a != b)
			return false;
	}
	return true;
}

ssize_t cmdline_word_copy(const struct cmdline_word *word, char *buf, size_t size)
{
	size_t len = word->key_len + (word->value ? 1 + word->value_len : 0);

	if (len >= size)
		return -E2BIG;
	memcpy(buf, word->key, word->key_len);
	if (word->value) {
		buf[word->key_len] = '=';
		memcpy(buf + word->key_len + 1, word->value, word->value_len);
	}
	buf[len] = '\0';
	return (ssize_t)len;
}

int cmdline_find(const char *text, size_t len, const char *name, struct cmdline_word *word)
{
	struct cmdline_iter it;
	struct cmdline_word next;
	int err = -ENOENT;

	cmdline_init(&it, text, len);
	while (cmdline_next(&it, &next) && !next.is_for_init) {
		if (cmdline_key_is(&next, name)) {
			*word = next;
			err = 0;
		}
	}
	return err;
}

/* Whether an option took the word. */
static bool set_option(const struct cmdline_word *word, const struct cmdline_option *options,
		       size_t nr_options, void *ctx)
{
	if (word->is_for_init)
		return false;
	for (size_t i = 0; i < nr_options; i++)
		if (cmdline_key_is(word, options[i].name))
			return options[i].set(ctx, word->value, word->value_len) == 0;
	return false;
}

void cmdline_parse(const char *text, size_t len, const struct cmdline_option *options,
		   size_t nr_options, void (*unknown)(void *ctx, const struct cmdline_word *word),
		   void *ctx)
{
	struct cmdline_iter it;
	struct cmdline_word word;

	cmdline_init(&it, text, len);
	while (cmdline_next(&it, &word))
		if (!set_option(&word, options, nr_options, ctx) && unknown)
			unknown(ctx, &word);
}
