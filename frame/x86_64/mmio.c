/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Device registers in memory: claimed by byte ranges, since small devices share pages (virtio-mmio has 512 bytes each), mapped
 * uncached, each claim for itself. What is the frame's or RAM is refused.
 */
#include <frame/core/claims.h>
#include <frame/core/internal.h>
#include <frame/log.h>
#include <frame/mmio.h>
#include <frame/x86_64/acpi.h>
#include <frame/x86_64/apic.h>
#include <frame/x86_64/arch.h>
#include <lib/errno.h>

static struct claims claims = { .lock = SPINLOCK_INIT("mmio_claims") };

static bool is_frames_own(paddr_t start, u64 size)
{
	if (memory_is_ram(start, size) || apic_owns_mmio(start, size) || ioapic_owns_mmio(start, size) || machine_owns_mmio(start, size))
		return true;
	return acpi_facts.hpet && start < acpi_facts.hpet + 0x400 && acpi_facts.hpet < start + size;
}

static u64 map_range(paddr_t start, u64 size)
{
	paddr_t page = ALIGN_DOWN(start, PAGE_SIZE);
	u64 bytes = ALIGN_UP(start + size, PAGE_SIZE) - page, va = kmap_reserve(bytes);

	if (!va)
		return 0;
	if (kmap_phys(va, page, bytes, KMAP_WRITE | KMAP_UNCACHED)) {
		kmap_free(va, bytes);
		return 0;
	}
	return va + (start - page);
}

int mmio_claim(struct mmio *m, paddr_t start, size_t size, const char *name)
{
	paddr_t end;
	int err;

	if (!size || add_overflows(start, (u64)size, &end) || (end - 1) >> cpu_features.phys_bits)
		return -EINVAL;
	if (is_frames_own(start, size))
		return -EBUSY;
	err = claims_enter(&claims, start, end, name);
	if (err)
		return err;
	*m = (struct mmio){ .base = map_range(start, size), .size = size, .start = start };
	if (!m->base) {
		claims_leave(&claims, start);
		return -ENOMEM;
	}
	return 0;
}

void mmio_release(struct mmio *m)
{
	u64 page = ALIGN_DOWN(m->base, PAGE_SIZE), bytes = ALIGN_UP(m->base + m->size, PAGE_SIZE) - page;

	kmap_unmap(page, bytes);
	kmap_free(page, bytes);
	claims_leave(&claims, m->start);
	*m = (struct mmio){ 0 };
}

static volatile void *at(const struct mmio *m, size_t off, size_t width)
{
	if (unlikely(off > m->size || m->size - off < width))
		panic("mmio: access at %#zx of %#zx bytes", off, m->size);
	return (volatile void *)(m->base + off);
}

u8 mmio_read8(const struct mmio *m, size_t off)
{
	return *(volatile u8 *)at(m, off, 1);
}

u16 mmio_read16(const struct mmio *m, size_t off)
{
	return *(volatile u16 *)at(m, off, 2);
}

u32 mmio_read32(const struct mmio *m, size_t off)
{
	return *(volatile u32 *)at(m, off, 4);
}
