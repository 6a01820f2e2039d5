/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Id allocator: a tree of bitmaps.
 *
 * Invariants: bit i of level k+1 is set exactly if word i of level k is all ones. Bits past the end
 * of a level are ones, so that a last, partial word can be full. The top level is one word.
 */
#include <lib/bitmap.h>
#include <lib/errno.h>
#include <lib/idalloc.h>
#include <lib/string.h>

/* Words at @level for @nr > 0 ids: nr / 64^(level+1), rounded up. */
static inline u64 words_at(u32 nr, unsigned int level)
{
	return ((u64)(nr - 1) >> (6 * (level + 1))) + 1;
}

static unsigned int levels_for(u32 nr)
{
	unsigned int levels = 1;

	while (words_at(nr, levels - 1) > 1)
		levels++;
	return levels;
}

size_t idalloc_bytes(u32 nr)
{
	unsigned int levels = levels_for(nr);
	size_t words = 0;

	for (unsigned int level = 0; level < levels; level++)
		words += words_at(nr, level);
	return words * sizeof(u64);
}

/* Sets the bits of @level from @used bits to the end of its last word. */
static void pad_level(struct idalloc *ida, unsigned int level, u64 used)
{
	bitmap_set_range(ida->level[level], used, words_at(ida->nr, level) * 64 - used);
}

void idalloc_init(struct idalloc *ida, void *mem, u32 nr)
{
	u64 *word = mem;

	memset(mem, 0, idalloc_bytes(nr));
	*ida = (struct idalloc){ .nr = nr, .nr_levels = levels_for(nr) };
	for (unsigned int level = 0; level < ida->nr_levels; level++) {
		ida->level[level] = word;
		word += words_at(nr, level);
		pad_level(ida, level, level ? words_at(nr, level - 1) : nr);
	}
}

void idalloc_grow(struct idalloc *ida, void *mem, u32 nr)
{
	struct idalloc old = *ida;
	u64 old_words = words_at(old.nr, 0);

	idalloc_init(ida, mem, nr);
	ida->lowest = old.lowest;
	ida->next = old.next;
	ida->used = old.used;
	memcpy(ida->level[0], old.level[0], old_words * sizeof(u64));
	/* The old padding becomes free ids, but for what is padding still. */
	bitmap_clear_range(ida->level[0], old.nr, old_words * 64 - old.nr);
	pad_level(ida, 0, nr);
	for (unsigned int level = 1; level < ida->nr_levels; level++)
		for (u64 i = 0; i < words_at(nr, level - 1); i++)
			if (ida->level[level - 1][i] == ~0UL)
				bitmap_set(ida->level[level], i);
}

u32 idalloc_find_(const struct idalloc *ida, u32 min)
{
	unsigned int level = 0;
	u64 pos = min;

	for (;;) {
		u64 word = pos / 64;
		u64 free;

		if (level == ida->nr_levels || word >= words_at(ida->nr, level))
			return ida->nr;
		free = ~ida->level[level][word] & (~0UL << (pos % 64));
		if (free) {
			pos = word * 64 + (u64)__builtin_ctzll(free);
			break;
		}
		pos = word + 1;
		level++;
	}
	while (level-- > 0)
		pos = pos * 64 + (u64)__builtin_ctzll(~ida->level[level][pos]);
	return (u32)pos;
}

/* Sets @bits in a word of level 0, and the bits above it of words that are full now. */
static void set_bits(struct idalloc *ida, u64 word, u64 bits)
{
	ida->level[0][word] |= bits;
	for (unsigned int level = 1; level < ida->nr_levels && ida->level[level - 1][word] == ~0UL; level++) {
		bitmap_set(ida->level[level], word);
		word /= 64;
	}
}

static void mark_used(struct idalloc *ida, u32 id)
{
	set_bits(ida, id / 64, 1UL << (id % 64));
	ida->used++;
}

void idalloc_filled_(struct idalloc *ida, u32 word)
{
	set_bits(ida, word, 0);
}

int idalloc_alloc_cyclic(struct idalloc *ida, u32 min, u32 end, u32 *id)
{
	u32 start = ida->next >= min && ida->next < end ? ida->next : min;
	int err = idalloc_alloc(ida, start, end, id);

	if (err && start > min)
		err = idalloc_alloc(ida, min, start, id);
	if (!err)
		ida->next = *id + 1;
	return err;
}

int idalloc_take(struct idalloc *ida, u32 id)
{
	if (id >= ida->nr)
		return -EINVAL;
	if (bitmap_test(ida->level[0], id))
		return -EBUSY;
	mark_used(ida, id);
	return 0;
}

void idalloc_take_word(struct idalloc *ida, u32 word, u64 ids)
{
	set_bits(ida, word, ids);
	ida->used += (u32)bitmap_count(&ids, 64);
}

void idalloc_unfill_(struct idalloc *ida, u32 word)
{
	u64 pos = word;

	for (unsigned int level = 1; level < ida->nr_levels; level++) {
		bool was_full = ida->level[level][pos / 64] == ~0UL;

		bitmap_clear(ida->level[level], pos);
		if (!was_full)
			break;
		pos /= 64;
	}
}
