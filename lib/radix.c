/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Radix tree.
 *
 * Invariants: the top node is as low as the largest index allows; a child's shift is its parent's
 * less 6; no node is empty; bit i of `used` is set exactly if slots[i] is not NULL (to a reader
 * without the lock: soon); a tag bit in an inner node is set exactly if some entry below has the
 * tag. Index 0 is never in a node, so the top node always has something in a slot other than 0
 * unless it is a leaf.
 *
 * Readers: shift never changes in a published node, and parents never point to a node that is not
 * complete. When the top sinks, the old top keeps its slot 0, so a reader there still finds
 * everything. A reader meets a slot that became NULL as an absent entry. parent, offset and tags
 * are the writers'.
 */
#include <lib/errno.h>
#include <lib/radix.h>
#include <lib/string.h>

#define ANY_ENTRY (-1)

static inline unsigned int levels_for(u64 index)
{
	return index ? ilog2(index) / RADIX_BITS + 1 : 1;
}

static inline unsigned int slot_of(const struct radix_node *node, u64 index)
{
	return (index >> node->shift) % RADIX_SLOTS;
}

/* Whether @index is within what is below @node, as the top. */
static inline bool covers(const struct radix_node *node, u64 index)
{
	unsigned int span = node->shift + RADIX_BITS;

	return span >= 64 || index >> span == 0;
}

void *radix_lookup(const struct radix_root *root, u64 index)
{
	const struct radix_node *node;
	void *slot;

	if (index == 0)
		return LOAD_ACQUIRE(root->zero);
	node = LOAD_ACQUIRE(root->top);
	if (!node || !covers(node, index))
		return NULL;
	for (;;) {
		slot = LOAD_ACQUIRE(node->slots[slot_of(node, index)]);
		if (!slot || node->shift == 0)
			return slot;
		node = slot;
	}
}

/* The leaf in whose range @index is, NULL if there is none. For readers. */
static const struct radix_node *leaf_at(const struct radix_root *root, u64 index)
{
	const struct radix_node *node = LOAD_ACQUIRE(root->top);

	if (!node || !covers(node, index))
		return NULL;
	while (node && node->shift)
		node = LOAD_ACQUIRE(node->slots[slot_of(node, index)]);
	return node;
}

void radix_lookup_range(const struct radix_root *root, u64 index, u32 n, void **entries)
{
	u32 done = 0;

	if (index == 0 && n)
		entries[done++] = LOAD_ACQUIRE(root->zero);
	while (done < n) {
		const struct radix_node *leaf = leaf_at(root, index + done);
		u32 slot = (u32)((index + done) % RADIX_SLOTS);
		u32 part = min(n - done, RADIX_SLOTS - slot);

		for (u32 i = 0; i < part; i++)
			entries[done + i] = leaf ? LOAD_ACQUIRE(leaf->slots[slot + i]) : NULL;
		done += part;
	}
}

/* The leaf that holds an entry at @index, NULL if there is no such entry. For writers. */
static struct radix_node *find_leaf(const struct radix_root *root, u64 index)
{
	struct radix_node *node = root->top;

	if (!node || !covers(node, index))
		return NULL;
	while (node->shift) {
		node = node->slots[slot_of(node, index)];
		if (!node)
			return NULL;
	}
	return node->slots[slot_of(node, index)] ? node : NULL;
}

/* Insertion: first count, then provide, then build. */

/*
 * How many new nodes an entry at @index takes; *at is the present node below which they go (NULL:
 * the top must grow first). -EEXIST if there is an entry.
 */
static int count_missing(const struct radix_root *root, u64 index, struct radix_node **at)
{
	struct radix_node *node = root->top;
	int levels = (int)levels_for(index);

	*at = NULL;
	if (!node)
		return levels;
	if (!covers(node, index))
		return levels - (node->shift / RADIX_BITS + 1) + levels - 1;
	for (;;) {
		void *slot = node->slots[slot_of(node, index)];

		if (!slot)
			break;
		if (node->shift == 0)
			return -EEXIST;
		node = slot;
	}
	*at = node;
	return node->shift / RADIX_BITS;
}

static struct radix_node *new_node(struct radix_preload *pl, unsigned int shift)
{
	struct radix_node *node = pl->nodes[--pl->nr];

	memset(node, 0, sizeof(*node));
	node->shift = (u8)shift;
	return node;
}

static void hang(struct radix_node *parent, unsigned int offset, void *child)
{
	if (parent->shift) {
		struct radix_node *node = child;

		node->parent = parent;
		node->offset = (u8)offset;
	}
	STORE_RELEASE(parent->slots[offset], child);
	WRITE_ONCE(parent->used, parent->used | BIT(offset));
}

/* Puts new tops over the present one until @index is covered. */
static void grow(struct radix_root *root, u64 index, struct radix_preload *pl)
{
	while (!covers(root->top, index)) {
		struct radix_node *old = root->top;
		struct radix_node *node = new_node(pl, old->shift + RADIX_BITS);

		for (unsigned int tag = 0; tag < RADIX_TAGS; tag++)
			node->tags[tag] = old->tags[tag] != 0;
		hang(node, 0, old);
		STORE_RELEASE(root->top, node);
	}
}

/*
 * A chain of new nodes for @entry, the highest with shift top_shift-6; @entry itself for top_shift
 * 0.
 */
static void *build_chain(u64 index, void *entry, unsigned int top_shift, struct radix_preload *pl)
{
	void *sub = entry;

	for (unsigned int shift = 0; shift < top_shift; shift += RADIX_BITS) {
		struct radix_node *node = new_node(pl, shift);

		hang(node, slot_of(node, index), sub);
		sub = node;
	}
	return sub;
}

static void insert_with(struct radix_root *root, u64 index, void *entry, struct radix_node *at,
			struct radix_preload *pl)
{
	if (!root->top) {
		STORE_RELEASE(root->top,
			      build_chain(index, entry, levels_for(index) * RADIX_BITS, pl));
		return;
	}
	if (!at) {
		grow(root, index, pl);
		at = root->top;
	}
	hang(at, slot_of(at, index), build_chain(index, entry, at->shift, pl));
}

static int insert_zero(struct radix_root *root, void *entry)
{
	if (root->zero)
		return -EEXIST;
	root->zero_tags = 0;
	STORE_RELEASE(root->zero, entry);
	WRITE_ONCE(root->count, root->count + 1);
	return 0;
}

int radix_insert(struct radix_root *root, u64 index, void *entry, struct radix_preload *pl)
{
	struct radix_preload own;
	struct radix_node *at;
	int missing, err;

	if (index == 0)
		return insert_zero(root, entry);
	missing = count_missing(root, index, &at);
	if (missing < 0)
		return missing;
	if (pl) {
		pl->wanted = (unsigned int)missing;
		if (pl->nr < pl->wanted)
			return -EAGAIN;
	} else {
		pl = &own;
		own.nr = 0;
		own.wanted = (unsigned int)missing;
		err = radix_preload_fill(&own, root->alloc);
		if (err) {
			radix_preload_drain(&own, root->alloc);
			return err;
		}
	}
	insert_with(root, index, entry, at, pl);
	WRITE_ONCE(root->count, root->count + 1);
	return 0;
}

int radix_preload_fill(struct radix_preload *pl, const struct radix_alloc *alloc)
{
	while (pl->nr < pl->wanted) {
		void *node = alloc->alloc(alloc->ctx);

		if (!node)
			return -ENOMEM;
		pl->nodes[pl->nr++] = node;
	}
	return 0;
}

void radix_preload_drain(struct radix_preload *pl, const struct radix_alloc *alloc)
{
	while (pl->nr)
		alloc->free(alloc->ctx, pl->nodes[--pl->nr]);
}

/* Tags. */

static void tag_up(struct radix_node *node, unsigned int offset, enum radix_tag tag)
{
	for (;;) {
		bool was_tagged = node->tags[tag] != 0;

		WRITE_ONCE(node->tags[tag], node->tags[tag] | BIT(offset));
		if (was_tagged || !node->parent)
			return;
		offset = node->offset;
		node = node->parent;
	}
}

static void untag_up(struct radix_node *node, unsigned int offset, enum radix_tag tag)
{
	for (;;) {
		if (!(node->tags[tag] & BIT(offset)))
			return;
		WRITE_ONCE(node->tags[tag], node->tags[tag] & ~BIT(offset));
		if (node->tags[tag] || !node->parent)
			return;
		offset = node->offset;
		node = node->parent;
	}
}

void radix_tag_set(struct radix_root *root, u64 index, enum radix_tag tag)
{
	struct radix_node *leaf;

	if (index == 0) {
		if (root->zero)
			WRITE_ONCE(root->zero_tags, root->zero_tags | (u8)BIT(tag));
		return;
	}
	leaf = find_leaf(root, index);
	if (leaf)
		tag_up(leaf, slot_of(leaf, index), tag);
}

void radix_tag_clear(struct radix_root *root, u64 index, enum radix_tag tag)
{
	struct radix_node *leaf;

	if (index == 0) {
		WRITE_ONCE(root->zero_tags, root->zero_tags & (u8)~BIT(tag));
		return;
	}
	leaf = find_leaf(root, index);
	if (leaf)
		untag_up(leaf, slot_of(leaf, index), tag);
}

bool radix_tag_get(const struct radix_root *root, u64 index, enum radix_tag tag)
{
	const struct radix_node *leaf;

	if (index == 0)
		return root->zero_tags & BIT(tag);
	leaf = find_leaf(root, index);
	return leaf && (leaf->tags[tag] & BIT(slot_of(leaf, index)));
}

bool radix_tagged(const struct radix_root *root, enum radix_tag tag)
{
	const struct radix_node *top = LOAD_ACQUIRE(root->top);

	return (READ_ONCE(root->zero_tags) & BIT(tag)) || (top && READ_ONCE(top->tags[tag]));
}

/* Removal. */

/* Takes empty nodes out from @node upwards, then lets the top sink as far as it goes. */
static void prune(struct radix_root *root, struct radix_node *node)
{
	while (node && !node->used) {
		struct radix_node *parent = node->parent;

		if (parent) {
			WRITE_ONCE(parent->slots[node->offset], NULL);
			WRITE_ONCE(parent->used, parent->used & ~BIT(node->offset));
		} else {
			WRITE_ONCE(root->top, NULL);
		}
		root->alloc->free(root->alloc->ctx, node);
		node = parent;
	}
	node = root->top;
	while (node && node->shift && node->used == BIT(0)) {
		struct radix_node *below = node->slots[0];

		below->parent = NULL;
		STORE_RELEASE(root->top, below);
		root->alloc->free(root->alloc->ctx, node);
		node = below;
	}
}

void *radix_erase(struct radix_root *root, u64 index)
{
	struct radix_node *leaf;
	unsigned int offset;
	void *entry;

	if (index == 0) {
		entry = root->zero;
		if (entry)
			WRITE_ONCE(root->count, root->count - 1);
		root->zero_tags = 0;
		WRITE_ONCE(root->zero, NULL);
		return entry;
	}
	leaf = find_leaf(root, index);
	if (!leaf)
		return NULL;
	offset = slot_of(leaf, index);
	entry = leaf->slots[offset];
	for (unsigned int tag = 0; tag < RADIX_TAGS; tag++)
		untag_up(leaf, offset, tag);
	WRITE_ONCE(leaf->slots[offset], NULL);
	WRITE_ONCE(leaf->used, leaf->used & ~BIT(offset));
	WRITE_ONCE(root->count, root->count - 1);
	prune(root, leaf);
	return entry;
}

void *radix_replace(struct radix_root *root, u64 index, void *entry)
{
	struct radix_node *leaf = index ? find_leaf(root, index) : NULL;
	void **slot = index ? NULL : &root->zero;
	void *old;

	if (leaf)
		slot = &leaf->slots[slot_of(leaf, index)];
	old = slot ? *slot : NULL;
	if (old)
		STORE_RELEASE(*slot, entry);
	return old;
}

/* Search in order. */

/*
 * The first slot of @node at or after @offset that is in use (@tag ANY_ENTRY) or tagged;
 * RADIX_SLOTS if none.
 */
static unsigned int next_slot(const struct radix_node *node, int tag, unsigned int offset,
			      void **slot)
{
	u64 bits = tag == ANY_ENTRY ? READ_ONCE(node->used) : READ_ONCE(node->tags[tag]);

	if (offset >= RADIX_SLOTS)
		return RADIX_SLOTS;
	for (bits &= ~0UL << offset; bits; bits &= bits - 1) {
		offset = (unsigned int)__builtin_ctzll(bits);
		*slot = LOAD_ACQUIRE(node->slots[offset]);
		if (*slot)
			return offset;
	}
	return RADIX_SLOTS;
}

/*
 * @index moved to slot @offset of @node, to its first index if that is another slot than it is in.
 */
static u64 index_at(const struct radix_node *node, u64 index, unsigned int offset)
{
	unsigned int span = node->shift + RADIX_BITS;
	u64 above = span >= 64 ? 0 : index >> span << span;

	return slot_of(node, index) == offset ? index : above | (u64)offset << node->shift;
}

/*
 * The leaf and slot of the first fitting entry at or after *@index, which is > 0; NULL if there is
 * none.
 */
static const struct radix_node *find_next(const struct radix_root *root, int tag, u64 *index,
					  void **slot)
{
	const struct radix_node *path[RADIX_MAX_DEPTH];
	unsigned int depth = 0;
	const struct radix_node *node = LOAD_ACQUIRE(root->top);
	unsigned int offset;

	if (!node || !covers(node, *index))
		return NULL;
	offset = slot_of(node, *index);
	for (;;) {
		offset = next_slot(node, tag, offset, slot);
		if (offset == RADIX_SLOTS) {
			if (depth == 0)
				return NULL;
			node = path[--depth];
			offset = slot_of(node, *index) + 1;
			continue;
		}
		*index = index_at(node, *index, offset);
		if (node->shift == 0)
			return node;
		path[depth++] = node;
		node = *slot;
		offset = slot_of(node, *index);
	}
}

static bool next_entry(const struct radix_root *root, int tag, u64 *index, void **entry)
{
	u64 at = *index;
	void *found;

	if (at == 0) {
		found = LOAD_ACQUIRE(root->zero);
		if (found && (tag == ANY_ENTRY || (READ_ONCE(root->zero_tags) & BIT(tag)))) {
			*entry = found;
			return true;
		}
		at = 1;
	}
	if (!find_next(root, tag, &at, &found))
		return false;
	*index = at;
	*entry = found;
	return true;
}

bool radix_next(const struct radix_root *root, u64 *index, void **entry)
{
	return next_entry(root, ANY_ENTRY, index, entry);
}

bool radix_next_tagged(const struct radix_root *root, enum radix_tag tag, u64 *index, void **entry)
{
	return next_entry(root, (int)tag, index, entry);
}

size_t radix_gang(const struct radix_root *root, u64 index, size_t max, u64 *indices,
		  void **entries)
{
	size_t n = 0;
	void *slot;

	if (index == 0) {
		slot = LOAD_ACQUIRE(root->zero);
		if (slot && max) {
			indices[0] = 0;
			entries[0] = slot;
			n = 1;
		}
		index = 1;
	}
	while (n < max) {
		const struct radix_node *leaf = find_next(root, ANY_ENTRY, &index, &slot);
		unsigned int offset;

		if (!leaf)
			break;
		offset = slot_of(leaf, index);
		while (n < max && offset < RADIX_SLOTS) {
			indices[n] = index_at(leaf, index, offset);
			entries[n++] = slot;
			offset = next_slot(leaf, ANY_ENTRY, offset + 1, &slot);
		}
		index = (index | (RADIX_SLOTS - 1)) + 1;
		if (index == 0)
			break;
	}
	return n;
}

static u64 first_index(const struct radix_node *node)
{
	u64 index = 0;

	for (; node->parent; node = node->parent)
		index |= (u64)node->offset << node->parent->shift;
	return index;
}

static void give_entries(const struct radix_node *leaf,
			 void (*fn)(void *ctx, u64 index, void *entry), void *ctx)
{
	u64 first = first_index(leaf);

	for (u64 bits = leaf->used; bits; bits &= bits - 1) {
		unsigned int offset = (unsigned int)__builtin_ctzll(bits);

		fn(ctx, first + offset, leaf->slots[offset]);
	}
}

void radix_destroy(struct radix_root *root, void (*fn)(void *ctx, u64 index, void *entry),
		   void *ctx)
{
	const struct radix_alloc *alloc = root->alloc;
	struct radix_node *node = root->top;
	void *zero = root->zero;

	WRITE_ONCE(root->top, NULL);
	WRITE_ONCE(root->zero, NULL);
	WRITE_ONCE(root->count, 0);
	root->zero_tags = 0;
	if (zero && fn)
		fn(ctx, 0, zero);
	while (node) {
		struct radix_node *parent = node->parent;

		if (node->shift && node->used) {
			unsigned int offset = (unsigned int)__builtin_ctzll(node->used);

			WRITE_ONCE(node->used, node->used & ~BIT(offset));
			node = node->slots[offset];
			continue;
		}
		if (node->shift == 0 && fn)
			give_entries(node, fn, ctx);
		alloc->free(alloc->ctx, node);
		node = parent;
	}
}
