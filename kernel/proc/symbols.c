/* SPDX-License-Identifier: MPL-2.0 */
/* Looks addresses up in the table that tools/symbols.py made and the Makefile linked in; its format is described there. */
#include "proc/symbols.h"

struct entry {
	s32 at;		/* from the table's own address: moves with the image */
	u32 name;
};

struct symbol_table {
	u32 n;
	struct entry entries[];		/* sorted; the last one is only the end */
};

bool symbol_of_return(u64 pc, struct symbol_place *out)
{
	const struct symbol_table *t = &symbols_start;
	s64 at = (s64)(pc - (u64)t);
	u32 low = 0, high = t->n - 1;

	/* A return address stands behind the call, maybe behind the function. */
	if (at <= t->entries[0].at || at > t->entries[high].at)
		return false;
	while (high - low > 1) {
		u32 middle = (low + high) / 2;

		if (at > t->entries[middle].at)
			low = middle;
		else
			high = middle;
	}
	out->name = (const char *)&t->entries[t->n] + t->entries[low].name;
	out->offset = (u32)(at - t->entries[low].at);
	out->size = (u32)(t->entries[high].at - t->entries[low].at);
	return true;
}

bool symbol_is_waiting(u64 pc)
{
	return pc > (u64)wait_text_start && pc <= (u64)wait_text_end;
}
