/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Device registers in I/O ports. The frame's own cannot be claimed: interrupt controllers, timer, RTC index, keyboard reset, ACPI's registers.
 * (The first serial port is the early console's until a driver claims it: log_set_console.)
 */
#include <frame/core/claims.h>
#include <frame/log.h>
#include <frame/pio.h>
#include <frame/x86_64/acpi.h>
#include <frame/x86_64/arch.h>
#include <lib/errno.h>

static struct claims claims = { .lock = SPINLOCK_INIT("pio_claims") };

static bool overlaps(u32 start, u32 end, u32 first, u32 size)
{
	return first && start < first + size && first < end;
}

static bool is_frames_own(u32 start, u32 end)
{
	static const struct { u16 first, size; } own[] = {
		{ 0x20, 2 }, { 0xa0, 2 }, { 0x40, 4 }, { 0x64, 1 }, { 0x70, 2 }, { 0xf4, 4 },
	};
	const struct acpi_register *regs[] = { &acpi_facts.pm1a_control, &acpi_facts.pm1b_control, &acpi_facts.pm_timer,
					       &acpi_facts.sleep_control, &acpi_facts.reset };

	for (u32 i = 0; i < ARRAY_SIZE(own); i++)
		if (overlaps(start, end, own[i].first, own[i].size))
			return true;
	for (u32 i = 0; i < ARRAY_SIZE(regs); i++)
		if (regs[i]->space == ACPI_SPACE_IO && overlaps(start, end, (u32)regs[i]->address, 1))
			return true;
	return overlaps(start, end, acpi_facts.smi_command, 1);
}

int pio_claim(struct pio *p, u16 base, u16 size, const char *name)
{
	u32 start = base, end = start + size;
	int err;

	if (!size || end > 0x10000)
		return -EINVAL;
	if (is_frames_own(start, end))
		return -EBUSY;
	err = claims_enter(&claims, start, end, name);
	if (!err)
		*p = (struct pio){ base, size };
	return err;
}

void pio_release(struct pio *p)
{
	claims_leave(&claims, p->base);
	*p = (struct pio){ 0, 0 };
}

static u16 port(const struct pio *p, u16 off)
{
	if (unlikely(off >= p->size))
		panic("pio: offset %#x of %#x", off, p->size);
	return (u16)(p->base + off);
}

u8 pio_read8(const struct pio *p, u16 off)
{
	return inb(port(p, off));
}

void pio_write8(const struct pio *p, u16 off, u8 v)
{
	outb(port(p, off), v);
}
