/* SPDX-License-Identifier: MPL-2.0 */
/*
 * See profile.h.
 *
 * By address: each address has a counter to which the translated code adds inline.
 *
 * By call path: the kernel's calls are followed. QEMU 7.2 shows a plugin no registers, but it
 * shows where a call stores its return address, and that tells the stacks apart, since unmapped
 * pages lie between them. A stack's frames below the slot of a new call have returned, however
 * that came about; so a kernel entry, whose calls begin at the top, starts with an empty path.
 * Between calls, a return takes the frame away that it returns from; where it leads to another
 * task's stack the path is empty until that one's next call. User code is one node.
 *
 * All tables are open hash tables that grow, keyed by two words. One thread runs all CPUs.
 */
#include "profile.h"

#include "decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	uint64_t key[2];	/* key[0] is never 0 in use */
	uint64_t value;
};

struct table {
	struct entry *entries;
	size_t size, used;	/* size: a power of two */
};

struct node {
	uint64_t parent, address;
};

struct block {
	uint64_t address, insns;
};

struct frame {
	uint64_t slot;	/* where the return address is */
	uint64_t back;	/* the return address */
	uint64_t node;	/* the function called */
};

/* One kernel stack's calls, the innermost last. */
struct stack {
	struct frame frames[256];
	size_t depth;
};

/* An address and its counter, in chunks: translated code points to the counters for ever. */
struct chunk {
	struct chunk *next;
	size_t used;
	struct { uint64_t address, count; } insns[4096];
};

static FILE *out;
static bool active;
static struct table counters;	/* (address) -> counter's address */
static struct chunk *chunks;
static struct table children;	/* (node + 1, address) -> node */
static struct table stack_pages;	/* (page's number) -> struct stack's address */
static struct table spent;	/* (node + 1, block's address) -> instructions */
static struct node *nodes;
static size_t node_count, node_room;
static uint64_t current;	/* node; 0: the root */
static struct stack *stack; 	/* of the last call */
static bool called, returned;	/* the last block ended so */
static struct frame call;	/* if it called: all but the node */

static void *or_die(void *memory)
{
	if (memory == NULL) {
		fprintf(stderr, "keelcount: out of memory\n");
		exit(1);
	}
	return memory;
}

static struct entry *find(struct table *table, uint64_t a, uint64_t b)
{
	size_t at = (a * 0x9e3779b97f4a7c15 ^ b * 0xc2b2ae3d27d4eb4f) >> 17;

	while (table->entries[at & (table->size - 1)].key[0] != 0) {
		struct entry *entry = &table->entries[at & (table->size - 1)];

		if (entry->key[0] == a && entry->key[1] == b)
			return entry;
		at++;
	}
	return &table->entries[at & (table->size - 1)];
}

static void grow(struct table *table)
{
	struct table old = *table;

	table->size = old.size != 0 ? 2 * old.size : 4096;
	table->entries = or_die(calloc(table->size, sizeof(struct entry)));
	for (size_t i = 0; i < old.size; i++)
		if (old.entries[i].key[0] != 0)
			*find(table, old.entries[i].key[0], old.entries[i].key[1]) = old.entries[i];
	free(old.entries);
}

/* The value of a key, 0 when it is new (then *is_new is set). */
static uint64_t *value_of(struct table *table, uint64_t a, uint64_t b, bool *is_new)
{
	struct entry *entry;

	if (2 * table->used >= table->size)
		grow(table);
	entry = find(table, a, b);
	if (is_new != NULL)
		*is_new = entry->key[0] == 0;
	if (entry->key[0] == 0) {
		*entry = (struct entry){{a, b}, 0};
		table->used++;
	}
	return &entry->value;
}

static uint64_t *counter_of(uint64_t address)
{
	bool is_new;
	uint64_t *value = value_of(&counters, address, 1, &is_new);

	if (!is_new)
		return (uint64_t *)(uintptr_t)*value;
	if (chunks == NULL || chunks->used == sizeof(chunks->insns) / sizeof(chunks->insns[0])) {
		struct chunk *chunk = or_die(calloc(1, sizeof(*chunk)));

		chunk->next = chunks;
		chunks = chunk;
	}
	chunks->insns[chunks->used].address = address;
	*value = (uintptr_t)&chunks->insns[chunks->used].count;
	return &chunks->insns[chunks->used++].count;
}

static uint64_t child_of(uint64_t parent, uint64_t address)
{
	bool is_new;
	uint64_t *value = value_of(&children, parent + 1, address, &is_new);

	if (!is_new)
		return *value;
	if (node_count == node_room) {
		node_room = node_room != 0 ? 2 * node_room : 1024;
		nodes = or_die(realloc(nodes, node_room * sizeof(*nodes)));
	}
	nodes[node_count] = (struct node){parent, address};
	*value = ++node_count;	/* nodes[i] is node i + 1 */
	return *value;
}

static struct stack *stack_of(uint64_t slot)
{
	uint64_t page = slot >> 12;
	uint64_t *value = value_of(&stack_pages, page, 1, NULL);

	if (*value == 0) {
		uint64_t above = find(&stack_pages, page + 1, 1)->value, below = find(&stack_pages, page - 1, 1)->value;

		*value = above != 0 ? above : below != 0 ? below : (uintptr_t)or_die(calloc(1, sizeof(struct stack)));
	}
	return (struct stack *)(uintptr_t)*value;
}

static uint64_t top_node(void)
{
	return stack != NULL && stack->depth > 0 ? stack->frames[stack->depth - 1].node : 0;
}

/* The first block of a called function. */
static void enter(uint64_t address)
{
	stack = stack_of(call.slot);
	while (stack->depth > 0 && stack->frames[stack->depth - 1].slot <= call.slot)
		stack->depth--;
	current = child_of(top_node(), address);
	if (stack->depth < sizeof(stack->frames) / sizeof(stack->frames[0]))
		stack->frames[stack->depth++] = (struct frame){call.slot, call.back, current};
}

/* The block that a return led to. */
static void leave(uint64_t address)
{
	size_t depth = stack != NULL ? stack->depth : 0;

	while (depth > 0 && stack->frames[depth - 1].back != address)
		depth--;
	current = 0;
	if (depth > 0) {
		stack->depth = depth - 1;
		current = top_node();
	}
}

static void block_runs(unsigned int cpu, void *data)
{
	const struct block *block = data;
	bool user = block->address >> 63 == 0;

	(void)cpu;
	if (user)
		current = 0;
	else if (called)
		enter(block->address);
	else if (returned)
		leave(block->address);
	called = returned = false;
	if (active)
		*value_of(&spent, current + 1, user ? 0 : block->address, NULL) += block->insns;
}

static void call_stores(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t slot, void *data)
{
	(void)cpu, (void)info;
	called = true;
	call = (struct frame){slot, (uintptr_t)data, 0};
}

static void returns(unsigned int cpu, void *data)
{
	(void)cpu, (void)data;
	returned = true;
}

int profile_open(const char *path)
{
	out = fopen(path, "w");
	return out != NULL ? 0 : -1;
}

bool profile_enabled(void)
{
	return out != NULL;
}

void profile_block(struct qemu_plugin_tb *tb)
{
	struct block *block = or_die(malloc(sizeof(*block)));

	*block = (struct block){qemu_plugin_tb_vaddr(tb), 0};
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if ((decode(qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn)) & KIND_REP) == 0)
			block->insns++;
	}
	qemu_plugin_register_vcpu_tb_exec_cb(tb, block_runs, QEMU_PLUGIN_CB_NO_REGS, block);
}

void profile_insn(struct qemu_plugin_insn *insn, unsigned int kind)
{
	uint64_t address = qemu_plugin_insn_vaddr(insn);

	qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, counter_of(address), 1);
	if (address >> 63 == 0)
		return;
	if ((kind & KIND_CALL) != 0)
		qemu_plugin_register_vcpu_mem_cb(insn, call_stores, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_W,
						 (void *)(uintptr_t)(address + qemu_plugin_insn_size(insn)));
	if ((kind & KIND_RETURN) != 0)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, returns, QEMU_PLUGIN_CB_NO_REGS, NULL);
}

void profile_begin(void)
{
	for (struct chunk *chunk = chunks; chunk != NULL; chunk = chunk->next)
		for (size_t i = 0; i < chunk->used; i++)
			chunk->insns[i].count = 0;
	if (spent.entries != NULL)
		memset(spent.entries, 0, spent.size * sizeof(struct entry));
	spent.used = 0;
	active = out != NULL;
}

void profile_end(unsigned int region)
{
	if (!active)
		return;
	active = false;
	fprintf(out, "region %u\n", region);
	for (struct chunk *chunk = chunks; chunk != NULL; chunk = chunk->next)
		for (size_t i = 0; i < chunk->used; i++)
			if (chunk->insns[i].count != 0)
				fprintf(out, "insn %llx %llu\n", (unsigned long long)chunk->insns[i].address,
					(unsigned long long)chunk->insns[i].count);
	for (size_t i = 0; i < node_count; i++)
		fprintf(out, "node %zu %llu %llx\n", i + 1, (unsigned long long)nodes[i].parent, (unsigned long long)nodes[i].address);
	for (size_t i = 0; i < spent.size; i++)
		if (spent.entries[i].key[0] != 0)
			fprintf(out, "block %llu %llx %llu\n", (unsigned long long)(spent.entries[i].key[0] - 1),
				(unsigned long long)spent.entries[i].key[1], (unsigned long long)spent.entries[i].value);
	fflush(out);
}
