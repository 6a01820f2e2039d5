/* SPDX-License-Identifier: MPL-2.0 */
/*
 * DEFLATE (RFC 1951) and its gzip wrapping (RFC 1952).
 *
 * Input bits are kept in `hold`, the next one lowest; `bits` counts those that are really there.
 * The bits above may already hold bytes of the input, the same ones that a later refill ORs in
 * again, so refilling eight bytes at once needs no masking. Whoever takes bits checks first that
 * there are enough: past the end of the input is -ENODATA. Output is written into the window, a
 * ring; each time it is full, and at the end, it goes to the sink.
 * Errors: -EINVAL for corrupt, -ENODATA for cut short.
 */
#include <lib/errno.h>
#include <lib/inflate.h>
#include <lib/string.h>

#define MAX_CODE_BITS 15
#define END_OF_BLOCK 256
#define NR_LITERAL_SYMBOLS 286 /* 286 and 287 take part in the fixed code, but may not occur */
#define NR_DISTANCE_SYMBOLS 30

struct inflate {
	const u8 *in;
	size_t len;
	size_t pos; /* next byte to put into hold */
	u64 hold;
	unsigned int bits;
	struct inflate_work *work;
	size_t wpos;   /* next byte of the window */
	u64 flushed;   /* bytes given to the sink */
	inflate_sink_t sink;
	void *ctx;
};

/* Input. */

/* Afterwards there are at least 56 bits, or all that are left. */
static inline void refill(struct inflate *s)
{
	if (likely(s->len - s->pos >= 8)) {
		s->hold |= get_le64(s->in + s->pos) << s->bits;
		s->pos += (63 - s->bits) / 8;
		s->bits |= 56;
		return;
	}
	while (s->bits < 56 && s->pos < s->len) {
		s->hold |= (u64)s->in[s->pos++] << s->bits;
		s->bits += 8;
	}
}

static inline void drop_bits(struct inflate *s, unsigned int n)
{
	s->hold >>= n;
	s->bits -= n;
}

/* @n (0..32) bits of the hold, which the caller has refilled; *@out is their number. */
static inline int take_bits(struct inflate *s, unsigned int n, u32 *out)
{
	if (s->bits < n)
		return -ENODATA;
	*out = (u32)(s->hold & ((1UL << n) - 1));
	drop_bits(s, n);
	return 0;
}

static int need_bits(struct inflate *s, unsigned int n, u32 *out)
{
	refill(s);
	return take_bits(s, n, out);
}

/* Back to whole bytes: drops the rest of a byte, and gives back those not used. */
static void align_input(struct inflate *s)
{
	s->pos -= s->bits / 8;
	s->hold = 0;
	s->bits = 0;
}

/* Output. */

static int flush(struct inflate *s)
{
	int err = s->wpos ? s->sink(s->ctx, s->work->window, s->wpos) : 0;

	s->flushed += s->wpos;
	s->wpos = 0;
	return err;
}

static inline int put_byte(struct inflate *s, u8 byte)
{
	s->work->window[s->wpos++] = byte;
	return unlikely(s->wpos == INFLATE_WINDOW) ? flush(s) : 0;
}

static int copy_match(struct inflate *s, u32 distance, u32 len)
{
	u8 *window = s->work->window;
	int err;

	if (distance > s->flushed + s->wpos)
		return -EINVAL;
	while (len) {
		size_t from = (s->wpos - distance) % INFLATE_WINDOW;
		size_t n = min((size_t)len, INFLATE_WINDOW - max(from, s->wpos));

		len -= (u32)n;
		/* Bytewise and in order: a match may run into its own output. */
		for (; n; n--)
			window[s->wpos++] = window[from++];
		if (s->wpos == INFLATE_WINDOW) {
			err = flush(s);
			if (err)
				return err;
		}
	}
	return 0;
}

/* Huffman codes. */

static u32 reverse_bits(u32 code, unsigned int n)
{
	u32 out = 0;

	for (; n; n--, code >>= 1)
		out = out << 1 | (code & 1);
	return out;
}

/*
 * Counts the lengths; -EINVAL if they ask for more codes than there are. *left is how many codes
 * remain unused.
 */
static int count_lengths(struct inflate_code *code, const u8 *lengths, unsigned int n, int *left)
{
	memset(code->count, 0, sizeof(code->count));
	for (unsigned int i = 0; i < n; i++)
		code->count[lengths[i]]++;
	code->count[0] = 0;
	*left = 1;
	for (unsigned int len = 1; len <= MAX_CODE_BITS; len++) {
		*left = *left * 2 - code->count[len];
		if (*left < 0)
			return -EINVAL;
	}
	return 0;
}

/*
 * Builds the tables from the lengths of @n symbols. A code with gaps is corrupt, but for no code at
 * all and for the single one of one bit (RFC 1951 section 3.2.7: one distance code), if
 * @may_be_sparse.
 */
static int build_code(struct inflate_code *code, const u8 *lengths, unsigned int n,
		      bool may_be_sparse)
{
	u32 next_code[MAX_CODE_BITS + 2] = { 0 };
	u16 next_index[MAX_CODE_BITS + 2] = { 0 };
	int left;
	int err = count_lengths(code, lengths, n, &left);

	if (err)
		return err;
	for (unsigned int len = 1; len <= MAX_CODE_BITS; len++) {
		next_code[len + 1] = (next_code[len] + code->count[len]) << 1;
		next_index[len + 1] = (u16)(next_index[len] + code->count[len]);
	}
	if (left && !(may_be_sparse && next_index[MAX_CODE_BITS + 1] == code->count[1]))
		return -EINVAL;
	memset(code->fast, 0, sizeof(code->fast));
	for (unsigned int i = 0; i < n; i++) {
		unsigned int len = lengths[i];

		if (!len)
			continue;
		code->symbol[next_index[len]++] = (u16)i;
		if (len <= INFLATE_FAST_BITS)
			for (u32 at = reverse_bits(next_code[len], len);
			     at < 1U << INFLATE_FAST_BITS; at += 1U << len)
				code->fast[at] = (u16)(i << 4 | len);
		next_code[len]++;
	}
	return 0;
}

/*
 * Bit by bit, for codes longer than the table's; canonical codes of one length are consecutive
 * numbers.
 */
static int decode_slow(struct inflate *s, const struct inflate_code *code, u32 *symbol)
{
	int value = 0, first = 0, index = 0;

	for (unsigned int len = 1; len <= MAX_CODE_BITS; len++) {
		int count = code->count[len];

		if (len > s->bits)
			return -ENODATA;
		value |= (int)(s->hold >> (len - 1)) & 1;
		if (value - count < first) {
			*symbol = code->symbol[index + (value - first)];
			drop_bits(s, len);
			return 0;
		}
		index += count;
		first = (first + count) << 1;
		value <<= 1;
	}
	return -EINVAL;
}

/* One symbol; the caller has refilled. */
static inline int decode(struct inflate *s, const struct inflate_code *code, u32 *symbol)
{
	u16 entry = code->fast[s->hold % (1U << INFLATE_FAST_BITS)];
	unsigned int len = entry & 15;

	if (unlikely(!entry || len > s->bits))
		return decode_slow(s, code, symbol);
	*symbol = entry >> 4;
	drop_bits(s, len);
	return 0;
}

/* Blocks. */

static int stored_block(struct inflate *s)
{
	size_t len;

	align_input(s);
	if (s->len - s->pos < 4)
		return -ENODATA;
	len = get_le16(s->in + s->pos);
	if (get_le16(s->in + s->pos + 2) != (u16)~len)
		return -EINVAL;
	s->pos += 4;
	if (s->len - s->pos < len)
		return -ENODATA;
	while (len) {
		size_t n = min(len, INFLATE_WINDOW - s->wpos);

		memcpy(s->work->window + s->wpos, s->in + s->pos, n);
		s->wpos += n;
		s->pos += n;
		len -= n;
		if (s->wpos == INFLATE_WINDOW) {
			int err = flush(s);

			if (err)
				return err;
		}
	}
	return 0;
}

/*
 * Length symbol @symbol (257..285) is behind: takes its extra bits, the distance and its extra
 * bits, and copies.
 */
static int match(struct inflate *s, u32 symbol)
{
	static const u16 length_base[] = { 3,  4,  5,  6,  7,  8,  9,  10, 11,	13,  15,  17,  19,  23, 27,
					   31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258 };
	static const u8 length_extra[] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
					   2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0 };
	static const u16 dist_base[] = { 1,   2,   3,	4,   5,	  7,	9,    13,   17,	  25,
					 33,  49,  65,	97,  129, 193,	257,  385,  513,  769,
					 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577 };
	static const u8 dist_extra[] = { 0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
					 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13 };
	u32 len_extra, dist_symbol, distance;
	int err;

	if (symbol >= NR_LITERAL_SYMBOLS)
		return -EINVAL;
	symbol -= END_OF_BLOCK + 1;
	err = take_bits(s, length_extra[symbol], &len_extra);
	if (!err)
		err = decode(s, &s->work->distance, &dist_symbol);
	if (err)
		return err;
	if (dist_symbol >= NR_DISTANCE_SYMBOLS)
		return -EINVAL;
	err = take_bits(s, dist_extra[dist_symbol], &distance);
	if (err)
		return err;
	return copy_match(s, dist_base[dist_symbol] + distance, length_base[symbol] + len_extra);
}

/* Literals and matches up to the end of the block. */
static int coded_block(struct inflate *s)
{
	u32 symbol;
	int err;

	for (;;) {
		/* 56 bits do for a length of 15+5 and a distance of 15+13. */
		refill(s);
		err = decode(s, &s->work->literal, &symbol);
		if (err || symbol == END_OF_BLOCK)
			return err;
		err = symbol < END_OF_BLOCK ? put_byte(s, (u8)symbol) : match(s, symbol);
		if (err)
			return err;
	}
}

static int fixed_codes(struct inflate *s)
{
	u8 *lengths = s->work->lengths;
	int err;

	memset(lengths, 8, 144);
	memset(lengths + 144, 9, 112);
	memset(lengths + 256, 7, 24);
	memset(lengths + 280, 8, 8);
	err = build_code(&s->work->literal, lengths, 288, false);
	if (err)
		return err;
	memset(lengths, 5, 32);
	return build_code(&s->work->distance, lengths, 32, false);
}

/* The lengths of both codes, run-length coded with the code in work->distance. */
static int read_lengths(struct inflate *s, u32 total)
{
	u8 *lengths = s->work->lengths;
	u32 symbol, repeat, i = 0;
	int err;

	while (i < total) {
		u8 value = 0;

		refill(s);
		err = decode(s, &s->work->distance, &symbol);
		if (err)
			return err;
		if (symbol < 16) {
			lengths[i++] = (u8)symbol;
			continue;
		}
		if (symbol == 16) {
			if (i == 0)
				return -EINVAL;
			value = lengths[i - 1];
		}
		err = take_bits(s, symbol == 16 ? 2 : symbol == 17 ? 3 : 7, &repeat);
		if (err)
			return err;
		repeat += symbol == 18 ? 11 : 3;
		if (repeat > total - i)
			return -EINVAL;
		memset(lengths + i, value, repeat);
		i += repeat;
	}
	return 0;
}

static int dynamic_codes(struct inflate *s)
{
	static const u8 order[19] = { 16, 17, 18, 0, 8,	 7, 9,	6, 10, 5,
				      11, 4,  12, 3, 13, 2, 14, 1, 15 };
	u8 *lengths = s->work->lengths;
	u32 counts, nr_literals, nr_distances, nr_lengths, len;
	int err = need_bits(s, 14, &counts);

	if (err)
		return err;
	nr_literals = (counts & 31) + 257;
	nr_distances = (counts >> 5 & 31) + 1;
	nr_lengths = (counts >> 10) + 4;
	if (nr_literals > NR_LITERAL_SYMBOLS || nr_distances > NR_DISTANCE_SYMBOLS)
		return -EINVAL;
	memset(lengths, 0, 19);
	for (u32 i = 0; i < nr_lengths; i++) {
		err = need_bits(s, 3, &len);
		if (err)
			return err;
		lengths[order[i]] = (u8)len;
	}
	err = build_code(&s->work->distance, lengths, 19, false);
	if (!err)
		err = read_lengths(s, nr_literals + nr_distances);
	if (err)
		return err;
	if (lengths[END_OF_BLOCK] == 0)
		return -EINVAL;
	err = build_code(&s->work->literal, lengths, nr_literals, true);
	if (!err)
		err = build_code(&s->work->distance, lengths + nr_literals, nr_distances, true);
	return err;
}

static int one_block(struct inflate *s, u32 type)
{
	int err;

	switch (type) {
	case 0:
		return stored_block(s);
	case 1:
		err = fixed_codes(s);
		break;
	case 2:
		err = dynamic_codes(s);
		break;
	default:
		return -EINVAL;
	}
	return err ? err : coded_block(s);
}

/* All blocks, and the last of the output. */
static int inflate_stream(struct inflate *s)
{
	u32 header;
	int err;

	do {
		err = need_bits(s, 3, &header);
		if (!err)
			err = one_block(s, header >> 1);
		if (err)
			return err;
	} while (!(header & 1));
	align_input(s);
	return flush(s);
}

int raw_inflate(const void *data, size_t len, struct inflate_work *work, inflate_sink_t sink,
		void *ctx, size_t *used)
{
	struct inflate s = { .in = data, .len = len, .work = work, .sink = sink, .ctx = ctx };
	int err = inflate_stream(&s);

	if (!err)
		*used = s.pos;
	return err;
}
