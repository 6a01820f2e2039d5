/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The printf engine: walks the format, hands literal runs and formatted fields to the sink.
 * Semantics: C99 7.19.6.1.
 */
#include <lib/printf.h>
#include <lib/string.h>

#define INT_MAX_ S32_MAX

struct out {
	printf_sink_t sink;
	void *ctx;
	u64 total;
};

enum length { LEN_INT, LEN_CHAR, LEN_SHORT, LEN_LONG };

struct spec {
	bool is_left;
	bool has_plus;
	bool has_space;
	bool has_alt;
	bool has_zero;
	int width;
	int precision; /* -1: none */
	enum length length;
};

/* va_list may be an array type, which cannot be passed by address once it is a parameter. */
struct args {
	va_list list;
};

static void put(struct out *out, const char *text, size_t len)
{
	if (!len)
		return;
	out->total += len;
	out->sink(out->ctx, text, len);
}

static void pad(struct out *out, char c, int n)
{
	static const char blanks[17] = "                ";
	static const char zeros[17] = "0000000000000000";

	for (; n > 0; n -= 16)
		put(out, c == '0' ? zeros : blanks, (size_t)min(n, 16));
}

/* A field of text: blanks around it up to the width. */
static void put_field(struct out *out, const struct spec *spec, const char *text, size_t len)
{
	int missing = len < (size_t)spec->width ? spec->width - (int)len : 0;

	if (!spec->is_left)
		pad(out, ' ', missing);
	put(out, text, len);
	if (spec->is_left)
		pad(out, ' ', missing);
}

/* Writes the digits of @value so that they end at @end; returns how many. */
static int digits(char *end, u64 value, unsigned int base, bool is_upper)
{
	const char *set = is_upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char *p = end;

	if (base == 10) {
		for (; value; value /= 10)
			*--p = set[value % 10];
	} else {
		unsigned int shift = base == 16 ? 4 : 3;

		for (; value; value >>= shift)
			*--p = set[value & (base - 1)];
	}
	return (int)(end - p);
}

/* A number: blanks, sign or 0x, zeros, digits, blanks. */
static void put_number(struct out *out, const struct spec *spec, u64 value, unsigned int base,
		       bool is_upper, const char *prefix)
{
	char buf[24];
	int nr_digits = digits(buf + sizeof(buf), value, base, is_upper);
	int prefix_len = (int)strlen(prefix);
	int zeros = max(spec->precision < 0 ? 1 : spec->precision, nr_digits) - nr_digits;
	int blanks;

	if (spec->has_alt && base == 8 && zeros == 0 && (nr_digits == 0 || value != 0))
		zeros = 1;
	/* Width and precision are ints each; their sums need more. */
	blanks = (int)max((s64)0, (s64)spec->width - prefix_len - zeros - nr_digits);
	if (spec->has_zero && !spec->is_left && spec->precision < 0) {
		zeros += blanks;
		blanks = 0;
	}
	if (!spec->is_left)
		pad(out, ' ', blanks);
	put(out, prefix, (size_t)prefix_len);
	pad(out, '0', zeros);
	put(out, buf + sizeof(buf) - nr_digits, (size_t)nr_digits);
	if (spec->is_left)
		pad(out, ' ', blanks);
}

static void put_signed(struct out *out, const struct spec *spec, struct args *args)
{
	const char *prefix = spec->has_plus ? "+" : spec->has_space ? " " : "";
	s64 value;

	if (spec->length == LEN_LONG)
		value = va_arg(args->list, s64);
	else
		value = va_arg(args->list, int);
	if (spec->length == LEN_CHAR)
		value = (signed char)value;
	else if (spec->length == LEN_SHORT)
		value = (short)value;
	if (value < 0)
		put_number(out, spec, 0 - (u64)value, 10, false, "-");
	else
		put_number(out, spec, (u64)value, 10, false, prefix);
}

static void put_unsigned(struct out *out, const struct spec *spec, struct args *args, char conv)
{
	const char *prefix = "";
	u64 value;

	if (spec->length == LEN_LONG)
		value = va_arg(args->list, u64);
	else
		value = va_arg(args->list, unsigned int);
	if (spec->length == LEN_CHAR)
		value = (unsigned char)value;
	else if (spec->length == LEN_SHORT)
		value = (unsigned short)value;
	if (conv == 'u') {
		put_number(out, spec, value, 10, false, "");
	} else if (conv == 'o') {
		put_number(out, spec, value, 8, false, "");
	} else {
		if (spec->has_alt && value)
			prefix = conv == 'x' ? "0x" : "0X";
		put_number(out, spec, value, 16, conv == 'X', prefix);
	}
}

static void put_string(struct out *out, const struct spec *spec, const char *s)
{
	if (!s)
		s = "(null)";
	put_field(out, spec, s,
		  spec->precision < 0 ? strlen(s) : strnlen(s, (size_t)spec->precision));
}

static bool parse_flag(struct spec *spec, char c)
{
	switch (c) {
	case '-':
		spec->is_left = true;
		return true;
	case '+':
		spec->has_plus = true;
		return true;
	case ' ':
		spec->has_space = true;
		return true;
	case '#':
		spec->has_alt = true;
		return true;
	case '0':
		spec->has_zero = true;
		return true;
	default:
		return false;
	}
}

/* A number in the format, or '*'; saturates. */
static int parse_count(const char **fmt, struct args *args)
{
	u64 n = 0;

	if (**fmt == '*') {
		(*fmt)++;
		return va_arg(args->list, int);
	}
	for (; char_is_digit(**fmt); (*fmt)++)
		n = min(n * 10 + (u64)(**fmt - '0'), (u64)INT_MAX_);
	return (int)n;
}

static enum length parse_length(const char **fmt)
{
	const char *p = *fmt;
	enum length length = LEN_LONG;
	size_t n = 1;

	switch (*p) {
	case 'h':
		length = p[1] == 'h' ? LEN_CHAR : LEN_SHORT;
		n = p[1] == 'h' ? 2 : 1;
		break;
	case 'l':
		n = p[1] == 'l' ? 2 : 1;
		break;
	case 'z':
	case 't':
	case 'j':
		break;
	default:
		return LEN_INT;
	}
	*fmt += n;
	return length;
}

/* What stands between '%' and the conversion letter. */
static void parse_spec(struct spec *spec, const char **fmt, struct args *args)
{
	*spec = (struct spec){ .precision = -1 };
	while (parse_flag(spec, **fmt))
		(*fmt)++;
	spec->width = parse_count(fmt, args);
	if (spec->width < 0) {
		spec->is_left = true;
		spec->width = spec->width == S32_MIN ? INT_MAX_ : -spec->width;
	}
	if (**fmt == '.') {
		(*fmt)++;
		spec->precision = parse_count(fmt, args);
		if (spec->precision < 0)
			spec->precision = -1;
	}
	spec->length = parse_length(fmt);
}

/*
 * One conversion; @start is its '%', for printing an unknown one as it stands. Returns what
 * follows.
 */
static const char *convert(struct out *out, const char *start, struct args *args)
{
	const char *fmt = start + 1;
	struct spec spec;
	char c;

	parse_spec(&spec, &fmt, args);
	switch (*fmt) {
	case 'd':
	case 'i':
		put_signed(out, &spec, args);
		break;
	case 'u':
	case 'o':
	case 'x':
	case 'X':
		put_unsigned(out, &spec, args, *fmt);
		break;
	case 'c':
		c = (char)va_arg(args->list, int);
		put_field(out, &spec, &c, 1);
		break;
	case 's':
		put_string(out, &spec, va_arg(args->list, const char *));
		break;
	case 'p':
		put_number(out, &spec, (u64)(uintptr_t)va_arg(args->list, void *), 16, false, "0x");
		break;
	case '%':
		put(out, "%", 1);
		break;
	default:
		put(out, start, (size_t)(fmt - start) + (*fmt != '\0'));
		break;
	}
	return *fmt ? fmt + 1 : fmt;
}

int vprintf_to(printf_sink_t sink, void *ctx, const char *fmt, va_list list)
{
	struct out out = { .sink = sink, .ctx = ctx };
	struct args args;

	va_copy(args.list, list);
	while (*fmt) {
		const char *run = fmt;

		while (*fmt && *fmt != '%')
			fmt++;
		put(&out, run, (size_t)(fmt - run));
		if (*fmt)
			fmt = convert(&out, fmt, &args);
	}
	va_end(args.list);
	return (int)min(out.total, (u64)INT_MAX_);
}

struct buffer {
	char *data;
	size_t room; /* without the NUL */
	size_t used;
};

static void buffer_sink(void *ctx, const char *text, size_t len)
{
	struct buffer *buf = ctx;
	size_t n = min(len, buf->room - buf->used);

	memcpy(buf->data + buf->used, text, n);
	buf->used += n;
}

int vsnprintf(char *data, size_t size, const char *fmt, va_list args)
{
	struct buffer buf = { .data = data, .room = size ? size - 1 : 0 };
	int n = vprintf_to(buffer_sink, &buf, fmt, args);

	if (size)
		data[buf.used] = '\0';
	return n;
}

int vscnprintf(char *data, size_t size, const char *fmt, va_list args)
{
	int n = vsnprintf(data, size, fmt, args);

	if (!size)
		return 0;
	return (size_t)n < size ? n : (int)min(size - 1, (size_t)INT_MAX_);
}

int snprintf(char *data, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(data, size, fmt, args);
	va_end(args);
	return n;
}

int scnprintf(char *data, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vscnprintf(data, size, fmt, args);
	va_end(args);
	return n;
}
