/* SPDX-License-Identifier: MPL-2.0 */
/*
 * lib/types.h: the words every file of Keel is written in.
 *
 * Contract: types, attributes, type-safe arithmetic helpers; nothing here has state, allocates, or
 * can fail at run time. Macros evaluate each argument exactly once unless they are plain constants
 * (BIT, ALIGN_*, MIN_CONST ...), which are meant for constant expressions and side-effect-free
 * operands. Includes only compiler headers, so it also compiles on the host.
 */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef long ssize_t;

#define U8_MAX UINT8_MAX
#define U16_MAX UINT16_MAX
#define U32_MAX UINT32_MAX
#define U64_MAX UINT64_MAX
#define S8_MAX INT8_MAX
#define S16_MAX INT16_MAX
#define S32_MAX INT32_MAX
#define S32_MIN INT32_MIN
#define S64_MAX INT64_MAX
#define S64_MIN INT64_MIN
#define SSIZE_MAX_ ((ssize_t)INT64_MAX)

/* Attributes. */
#define __must_check __attribute__((warn_unused_result))
#define __printf(fmt_index, first_arg) __attribute__((format(printf, fmt_index, first_arg)))
#define __noreturn __attribute__((noreturn))
#define __packed __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
#define __unused_ __attribute__((unused))
#define __used_ __attribute__((used))
#define __section(name) __attribute__((section(name)))
#define __cold_ __attribute__((cold))
#define __fallthrough_ __attribute__((fallthrough))
#define __uninitialized __attribute__((uninitialized))	/* not zeroed on the way in: too large for what a call uses of it */
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#ifndef static_assert
#define static_assert _Static_assert
#endif

#define __lib_paste2(a, b) a##b
#define __lib_paste(a, b) __lib_paste2(a, b)
#define __lib_unique(prefix) __lib_paste(prefix, __COUNTER__)

/* Number of elements of a real array; a pointer does not compile. */
#define ARRAY_SIZE(arr)                                                                            \
	(sizeof(arr) / sizeof((arr)[0]) +                                                          \
	 0 * sizeof(struct {                                                                       \
		 int arg_is_an_array                                                               \
			 : !__builtin_types_compatible_p(__typeof__(arr), __typeof__(&(arr)[0]));  \
	 }))

/* The struct of @type whose @member is at @ptr; @ptr must have the member's type (or be void *). */
#define container_of(ptr, type, member)                                                            \
	({                                                                                         \
		static_assert(__builtin_types_compatible_p(__typeof__(*(ptr)),                     \
							   __typeof__(((type *)NULL)->member)) ||  \
				      __builtin_types_compatible_p(__typeof__(*(ptr)), void),      \
			      "container_of: pointer is not of the member's type");                \
		(type *)(void *)((char *)(ptr)-offsetof(type, member));                            \
	})

/*
 * min, max, clamp: both operands must agree in signedness, or the signed one be a non-negative
 * constant: what silently converts in C (min(-1, 1U)) does not compile here. min_t/max_t convert
 * both to @type first.
 */
#define __lib_is_signed(x) ((__typeof__((x) + 0))-1 < (__typeof__((x) + 0))1)
#define __lib_good_unsigned(x)                                                                     \
	(!__lib_is_signed(x) || __builtin_choose_expr(__builtin_constant_p(x), (x), -1) >= 0)
#define __lib_comparable(a, b)                                                                     \
	static_assert((__lib_is_signed(a) && __lib_is_signed(b)) ||                                \
			      (__lib_good_unsigned(a) && __lib_good_unsigned(b)),                  \
		      "operands of different signedness: use min_t/max_t")
#define __lib_pick(op, a, b, x, y)                                                                 \
	({                                                                                         \
		__lib_comparable(a, b);                                                            \
		__typeof__((a) + (b)) x = (a);                                                     \
		__typeof__((a) + (b)) y = (b);                                                     \
		x op y ? x : y;                                                                    \
	})
#define min(a, b) __lib_pick(<, a, b, __lib_unique(min_a), __lib_unique(min_b))
#define max(a, b) __lib_pick(>, a, b, __lib_unique(max_a), __lib_unique(max_b))
#define __lib_pick_t(op, type, a, b, x, y)                                                         \
	({                                                                                         \
		type x = (a);                                                                      \
		type y = (b);                                                                      \
		x op y ? x : y;                                                                    \
	})
#define min_t(type, a, b) __lib_pick_t(<, type, a, b, __lib_unique(min_a), __lib_unique(min_b))
#define max_t(type, a, b) __lib_pick_t(>, type, a, b, __lib_unique(max_a), __lib_unique(max_b))
#define clamp(x, lo, hi) min(max(x, lo), hi)

/* For constant expressions (array sizes, enumerators). */
#define MIN_CONST(a, b) ((a) < (b) ? (a) : (b))
#define MAX_CONST(a, b) ((a) > (b) ? (a) : (b))

#define BIT(n) (1UL << (n))
/* Bits hi..lo set, inclusive. */
#define BITS(hi, lo) ((~0UL >> (63 - (hi))) & (~0UL << (lo)))

/* @a must be a power of two. The result has the type of @x; ALIGN_UP wraps to 0 at the top. */
#define ALIGN_DOWN(x, a) ((__typeof__((x) + 0))((x) & ~((__typeof__((x) + 0))(a)-1)))
#define ALIGN_UP(x, a)                                                                             \
	((__typeof__((x) + 0))(((x) + ((__typeof__((x) + 0))(a)-1)) & ~((__typeof__((x) + 0))(a)-1)))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__((x) + 0))(a)-1)) == 0)
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))

static inline bool is_power_of_two(u64 x)
{
	return x != 0 && (x & (x - 1)) == 0;
}

/* Index of the highest set bit; @x must not be 0. */
static inline unsigned int ilog2(u64 x)
{
	return 63U - (unsigned int)__builtin_clzll(x);
}

/* Smallest power of two >= @x; @x in 1..2^63. */
static inline u64 roundup_pow2(u64 x)
{
	return x <= 1 ? 1 : 1UL << (ilog2(x - 1) + 1);
}

static inline __must_check bool __lib_checked(bool overflowed)
{
	return unlikely(overflowed);
}

/*
 * True if the mathematical result does not fit *@res (which then holds the wrapped value). @res may
 * have another type than the operands: the check is against the type of *@res.
 */
#define add_overflows(a, b, res) __lib_checked(__builtin_add_overflow(a, b, res))
#define sub_overflows(a, b, res) __lib_checked(__builtin_sub_overflow(a, b, res))
#define mul_overflows(a, b, res) __lib_checked(__builtin_mul_overflow(a, b, res))

/* n * size, saturating at SIZE_MAX, which no allocator grants. */
static inline size_t size_mul(size_t n, size_t size)
{
	size_t res;

	return __builtin_mul_overflow(n, size, &res) ? SIZE_MAX : res;
}

static inline size_t size_add(size_t a, size_t b)
{
	size_t res;

	return __builtin_add_overflow(a, b, &res) ? SIZE_MAX : res;
}

/*
 * One untorn access that the compiler neither repeats nor drops; it orders nothing. Scalars and
 * pointers only. LOAD_ACQUIRE sees everything written before the STORE_RELEASE that it reads from.
 */
#define READ_ONCE(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, val) __atomic_store_n(&(x), (val), __ATOMIC_RELAXED)
#define LOAD_ACQUIRE(x) __atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define STORE_RELEASE(x, val) __atomic_store_n(&(x), (val), __ATOMIC_RELEASE)

/* Byte order; the wire and most disk formats name theirs. */
#define bswap16(x) __builtin_bswap16(x)
#define bswap32(x) __builtin_bswap32(x)
#define bswap64(x) __builtin_bswap64(x)
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Keel's machines are little-endian"
#endif
#define cpu_to_be16(x) bswap16(x)
#define cpu_to_be32(x) bswap32(x)
#define cpu_to_be64(x) bswap64(x)
#define be16_to_cpu(x) bswap16(x)
#define be32_to_cpu(x) bswap32(x)
#define be64_to_cpu(x) bswap64(x)

/* Unaligned little-endian reads and writes; compilers make each one a single move. */
static inline u16 get_le16(const void *p)
{
	u16 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline u32 get_le32(const void *p)
{
	u32 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline u64 get_le64(const void *p)
{
	u64 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline void put_le32(void *p, u32 v)
{
	__builtin_memcpy(p, &v, sizeof(v));
}

static inline void put_le64(void *p, u64 v)
{
	__builtin_memcpy(p, &v, sizeof(v));
}

#endif
