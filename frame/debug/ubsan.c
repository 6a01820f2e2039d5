/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The undefined-behaviour sanitizer's run-time part (debug build), for what gcc 12 and clang 14 emit with -fsanitize=undefined.
 *
 * Each handler gets a description that the compiler wrote (place, types) and the values concerned. A report is a warning
 * with the place, once for each place: the column in the description is overwritten, which is why compilers put it into writable
 * memory. What cannot go on (code that must not be reached, a function without its return value) panics.
 * Compiled without sanitizers.
 */
#include <lib/printf.h>
#include <frame/log.h>
#include <frame/core/internal.h>

struct source_place {
	const char *file;
	u32 line;
	u32 column;		/* [a] ~0: reported */
};

struct type_info {
	u16 kind;		/* 0 integer, 1 floating point, else unknown */
	u16 info;		/* integer: bit 0 signed, then log2 of its bits */
	char name[];
};

struct overflow_data {
	struct source_place place;
	const struct type_info *type;
};

struct shift_data {
	struct source_place place;
	const struct type_info *left, *right;
};

struct bounds_data {
	struct source_place place;
	const struct type_info *array, *index;
};

struct mismatch_data {
	struct source_place place;
	const struct type_info *type;
	u8 log_alignment, check_kind;
};

struct conversion_data {
	struct source_place place;
	const struct type_info *from, *to;
	u8 kind;
};

struct place_data {
	struct source_place place;
};

struct two_places_data {
	struct source_place place, attribute;
};

struct builtin_data {
	struct source_place place;
	u8 kind;
};

static const char *const access_names[] = {
	"load of", "store to", "reference to", "member access in", "member call on", "constructor call on", "downcast of", "downcast of",
	"upcast of", "cast to virtual base of", "non-null binding to", "dynamic operation on",
};

/* A value as text: small integers come as themselves, larger ones by address. */
struct number {
	char text[44];
};

static struct number number(const struct type_info *type, u64 value)
{
	u32 bits = 1u << (type->info >> 1);
	struct number n;

	if (type->kind != 0) {
		(void)snprintf(n.text, sizeof(n.text), "(not an integer)");
	} else if (bits > 64) {
		const u64 *wide = (const u64 *)value;

		(void)snprintf(n.text, sizeof(n.text), "0x%lx%016lx", wide[1], wide[0]);
	} else if (type->info & 1) {
		(void)snprintf(n.text, sizeof(n.text), "%ld", (s64)(value << (64 - bits)) >> (64 - bits));
	} else {
		(void)snprintf(n.text, sizeof(n.text), "%lu", bits == 64 ? value : value & ((1ul << bits) - 1));
	}
	return n;
}

static __printf(2, 3) void report(struct source_place *place, const char *fmt, ...)
{
	u32 column = __atomic_exchange_n(&place->column, ~0u, __ATOMIC_RELAXED);
	char text[160];
	va_list args;

	if (panic_is_under_way())
		return;
	if (report_swallow(REPORT_UBSAN)) {
		__atomic_store_n(&place->column, column, __ATOMIC_RELAXED);
		return;
	}
	if (column == ~0u)
		return;
	va_start(args, fmt);
	(void)vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	kwarn("UBSAN: %s at %s:%u:%u", text, place->file, place->line, column);
}

#define HANDLER(name, ...) void __ubsan_handle_##name(__VA_ARGS__); void __ubsan_handle_##name(__VA_ARGS__)

#define ARITHMETIC(handler, sign)										\
HANDLER(handler, struct overflow_data *d, u64 a, u64 b)							\
{													\
	report(&d->place, "overflow: %s " sign " %s in %s", number(d->type, a).text, number(d->type, b).text, d->type->name);	\
}

ARITHMETIC(add_overflow, "+")
ARITHMETIC(sub_overflow, "-")
ARITHMETIC(mul_overflow, "*")
ARITHMETIC(divrem_overflow, "/")

HANDLER(negate_overflow, struct overflow_data *d, u64 value)
{
	report(&d->place, "overflow: -(%s) in %s", number(d->type, value).text, d->type->name);
}

HANDLER(shift_out_of_bounds, struct shift_data *d, u64 left, u64 right)
{
	report(&d->place, "shift of %s %s by %s", d->left->name, number(d->left, left).text, number(d->right, right).text);
}

HANDLER(out_of_bounds, struct bounds_data *d, u64 index)
{
	report(&d->place, "index %s out of bounds of %s", number(d->index, index).text, d->array->name);
}

HANDLER(type_mismatch_v1, struct mismatch_data *d, u64 pointer)
{
	const char *access = d->check_kind < ARRAY_SIZE(access_names) ? access_names[d->check_kind] : "access to";

	if (!pointer)
		report(&d->place, "%s null pointer of type %s", access, d->type->name);
	else if (pointer & ((1ul << d->log_alignment) - 1))
		report(&d->place, "%s misaligned 0x%lx of type %s", access, pointer, d->type->name);
	else
		report(&d->place, "%s 0x%lx with too little room for %s", access, pointer, d->type->name);
}

HANDLER(load_invalid_value, struct overflow_data *d, u64 value)
{
	report(&d->place, "%s is no value of %s", number(d->type, value).text, d->type->name);
}

HANDLER(pointer_overflow, struct place_data *d, u64 base, u64 result)
{
	report(&d->place, "pointer 0x%lx moved to 0x%lx", base, result);
}

HANDLER(vla_bound_not_positive, struct overflow_data *d, u64 bound)
{
	report(&d->place, "variable-length array of %s elements", number(d->type, bound).text);
}

HANDLER(nonnull_arg, struct two_places_data *d)
{
	report(&d->place, "null argument where none is allowed");
}

HANDLER(nullability_arg, struct two_places_data *d)
{
	report(&d->place, "null argument where none is allowed");
}

HANDLER(nonnull_return_v1, struct place_data *d, struct source_place *place)
{
	(void)d;
	report(place, "null returned where it is not allowed");
}

HANDLER(nullability_return_v1, struct place_data *d, struct source_place *place)
{
	(void)d;
	report(place, "null returned where it is not allowed");
}

HANDLER(float_cast_overflow, struct conversion_data *d, u64 from)
{
	(void)from;
	report(&d->place, "%s does not fit %s", d->from->name, d->to->name);
}

HANDLER(implicit_conversion, struct conversion_data *d, u64 from, u64 to)
{
	report(&d->place, "%s %s becomes %s %s", d->from->name, number(d->from, from).text, d->to->name, number(d->to, to).text);
}

HANDLER(invalid_builtin, struct builtin_data *d)
{
	report(&d->place, "%s of zero", d->kind == 0 ? "ctz" : d->kind == 1 ? "clz" : "builtin");
}

HANDLER(alignment_assumption, struct two_places_data *d, u64 pointer, u64 alignment, u64 offset)
{
	report(&d->place, "0x%lx - %lu is not aligned to %lu", pointer, offset, alignment);
}

HANDLER(function_type_mismatch, struct overflow_data *d, u64 function)
{
	report(&d->place, "call of 0x%lx through a pointer to %s", function, d->type->name);
}

HANDLER(builtin_unreachable, struct place_data *d)
{
	panic("UBSAN: reached what cannot be at %s:%u", d->place.file, d->place.line);
}

HANDLER(missing_return, struct place_data *d)
{
	panic("UBSAN: function without its value at %s:%u", d->place.file, d->place.line);
}
