/* SPDX-License-Identifier: MPL-2.0 */
/* libFuzzer on lib/cpio.h: reads all of every entry, and must come to an end. */
#include <lib/cpio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cpio_iter it;
	struct cpio_entry entry;
	uint32_t sum = 0;
	size_t entries = 0;

	cpio_init(&it, data, size);
	while (cpio_next(&it, &entry) == 1) {
		for (size_t i = 0; i < entry.size; i++)
			sum += entry.data[i];
		for (size_t i = 0; i <= entry.name_len; i++)
			sum += (uint8_t)entry.name[i];
		if (entry.name[entry.name_len] != '\0' || it.pos > size || ++entries > size / 110)
			abort();
	}
	return sum == 0x12345678 ? -1 : 0;
}
