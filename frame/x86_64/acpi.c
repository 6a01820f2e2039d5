/* SPDX-License-Identifier: MPL-2.0 */
/*
 * ACPI's static tables: found, checked, kept mapped, and the few that the frame needs read. AML is not interpreted: from the DSDT
 * and SSDTs only the package \_S5 is taken, by looking for its encoding.
 *
 * The root pointer is the boot protocol's if it gave one, else looked for in the BIOS area (ACPI 6.4, 5.2.5.1). Every length is
 * checked before use: tables are the firmware's, and it may be wrong. Immutable after acpi_init.
 */
#include <frame/boot.h>
#include <frame/core/internal.h>
#include <frame/log.h>
#include <frame/x86_64/acpi.h>
#include <frame/x86_64/apic.h>
#include <frame/x86_64/arch.h>
#include <frame/x86_64/paging.h>
#include <lib/string.h>

#define TABLES_MAX 64u
#define TABLE_MAX_BYTES (4u << 20)
#define HEADER_BYTES 36u

struct table {
	const u8 *data;
	u32 len;
};

struct acpi_facts acpi_facts __ro_after_init;
static struct table tables[TABLES_MAX] __ro_after_init;
static u32 n_tables __ro_after_init;
static u32 apic_ids[FRAME_MAX_CPUS];	/* [I once all CPUs run] */
static u32 n_cpus __ro_after_init = 1;

/* Firmware memory, which need not be RAM as far as the map says. Mappings stay, so map what will be needed. NULL: no memory. */
static const u8 *__init map_phys(paddr_t phys, u64 len)
{
	paddr_t page = ALIGN_DOWN(phys, PAGE_SIZE);
	u64 size = ALIGN_UP(phys + len, PAGE_SIZE) - page, va;

	va = kmap_reserve(size);
	if (!va || kmap_phys(va, page, size, 0))
		return NULL;
	return (const u8 *)(va + (phys - page));
}

static void __init unmap_phys(const u8 *p, u64 len)
{
	u64 va = ALIGN_DOWN((u64)p, PAGE_SIZE), size = ALIGN_UP((u64)p + len, PAGE_SIZE) - va;

	kmap_unmap(va, size);
	kmap_free(va, size);
}

static bool sum_is_zero(const u8 *p, u64 len)
{
	u8 sum = 0;

	for (u64 i = 0; i < len; i++)
		sum = (u8)(sum + p[i]);
	return sum == 0;
}

static const u8 *__init table_map(paddr_t phys, u32 *len)
{
	const u8 *p;

	if (!phys || phys > (1ull << cpu_features.phys_bits) - TABLE_MAX_BYTES)
		return NULL;
	p = map_phys(phys, HEADER_BYTES);
	if (!p)
		return NULL;
	*len = get_le32(p + 4);
	unmap_phys(p, HEADER_BYTES);
	if (*len < HEADER_BYTES || *len > TABLE_MAX_BYTES)
		return NULL;
	p = map_phys(phys, *len);
	if (!p || sum_is_zero(p, *len))
		return p;
	klog(LOG_WARNING, "acpi: bad checksum of %.4s at %#lx, ignored", (const char *)p, phys);
	unmap_phys(p, *len);
	return NULL;
}

static void __init table_add(paddr_t phys)
{
	u32 len;
	const u8 *p = n_tables < TABLES_MAX ? table_map(phys, &len) : NULL;

	if (p)
		tables[n_tables++] = (struct table){ p, len };
}

static bool rsdp_is_good(const u8 *p)
{
	return memcmp(p, "RSD PTR ", 8) == 0 && sum_is_zero(p, 20);
}

static paddr_t __init rsdp_scan(paddr_t start, u32 size)
{
	const u8 *p = map_phys(start, size);
	paddr_t found = 0;

	for (u32 i = 0; p && i + 36 <= size && !found; i += 16)
		if (rsdp_is_good(p + i))
			found = start + i;
	if (p)
		unmap_phys(p, size);
	return found;
}

static void __init tables_gather(void)
{
	paddr_t rsdp = boot_info.rsdp ? boot_info.rsdp : rsdp_scan(0xe0000, 0x20000), root;
	const u8 *p = rsdp ? map_phys(rsdp, 36) : NULL;
	u32 len = 0, width;

	if (!p)
		return;
	if (!rsdp_is_good(p)) {
		klog(LOG_WARNING, "acpi: no root pointer at %#lx", rsdp);
		return;
	}
	width = p[15] >= 2 && get_le64(p + 24) ? 8 : 4;
	root = width == 8 ? get_le64(p + 24) : get_le32(p + 16);
	unmap_phys(p, 36);
	p = table_map(root, &len);
	if (!p)
		return;
	acpi_facts.has_tables = true;
	for (u32 at = HEADER_BYTES; at + width <= len; at += width)
		table_add(width == 8 ? get_le64(p + at) : get_le32(p + at));
}

const void *boot_acpi_table(const char sig[4], u32 n, size_t *len)
{
	for (u32 i = 0; i < n_tables; i++) {
		if (memcmp(tables[i].data, sig, 4) != 0 || n--)
			continue;
		*len = tables[i].len;
		return tables[i].data;
	}
	return NULL;
}

/* --- MADT (ACPI 6.4, 5.2.12) */

static void __init cpu_found(u32 apic_id, u32 flags)
{
	if (!(flags & 1) || apic_id == apic_ids[0])		/* not enabled; the boot CPU is number 0 already */
		return;
	if (n_cpus < FRAME_MAX_CPUS)
		apic_ids[n_cpus++] = apic_id;
}

static void __init override_found(u8 isa, u32 gsi, u16 flags)
{
	u32 polarity = flags & 3, trigger = flags >> 2 & 3;

	if (isa < 16)
		acpi_facts.isa[isa] = (struct acpi_override){ true, gsi, polarity == 3, trigger == 3 };
}

static void __init madt_entry(const u8 *e, u32 len)
{
	struct acpi_facts *f = &acpi_facts;

	if (e[0] == 0 && len >= 8)
		cpu_found(e[3], get_le32(e + 4));
	else if (e[0] == 9 && len >= 16)
		cpu_found(get_le32(e + 4), get_le32(e + 8));
	else if (e[0] == 1 && len >= 12 && f->n_ioapics < ACPI_MAX_IOAPICS)
		f->ioapics[f->n_ioapics++] = (struct acpi_ioapic){ get_le32(e + 4), get_le32(e + 8) };
	else if (e[0] == 2 && len >= 10)
		override_found(e[3], get_le32(e + 4), get_le16(e + 8));
	else if (e[0] == 5 && len >= 12)
		f->lapic = get_le64(e + 4);
}

static void __init madt_read(void)
{
	size_t len;
	const u8 *p = boot_acpi_table("APIC", 0, &len);

	apic_ids[0] = cpuid(1, 0).b >> 24;
	if (cpu_features.max_leaf >= 0xb && cpuid(0xb, 0).b)
		apic_ids[0] = cpuid(0xb, 0).d;
	acpi_facts.has_pic = true;
	if (!p || len < 44) {
		mptable_read(cpu_found);
		if (!acpi_facts.n_ioapics)	/* where it is on every PC that has one; asked before it is believed */
			acpi_facts.ioapics[acpi_facts.n_ioapics++] = (struct acpi_ioapic){ 0xfec00000, 0 };
		return;
	}
	acpi_facts.has_madt = true;
	acpi_facts.lapic = get_le32(p + 36);
	acpi_facts.has_pic = get_le32(p + 40) & 1;
	for (u32 at = 44; at + 2 <= len && p[at + 1] >= 2 && at + p[at + 1] <= len; at += p[at + 1])
		madt_entry(p + at, p[at + 1]);
}

u32 acpi_cpu_count(void)
{
	return n_cpus;
}

u32 acpi_apic_id(u32 cpu)
{
	return apic_ids[cpu];
}

void acpi_set_apic_id(u32 cpu, u32 apic_id)
{
	apic_ids[cpu] = apic_id;
}

/* --- FADT (5.2.9) */

static struct acpi_register __init gas_at(const u8 *p, size_t len, u32 at)
{
	if (at + 12 > len)
		return (struct acpi_register){ 0 };
	return (struct acpi_register){ .address = get_le64(p + at + 4), .space = p[at], .bits = p[at + 1] };
}

/* The extended field if it is set, else the old one, a port number. */
static struct acpi_register __init register_at(const u8 *p, size_t len, u32 extended, u32 old, u8 bits)
{
	struct acpi_register r = gas_at(p, len, extended);

	if (!r.address && old + 4 <= len)
		r = (struct acpi_register){ .address = get_le32(p + old), .space = ACPI_SPACE_IO, .bits = bits };
	return r;
}

static void __init fadt_read(void)
{
	struct acpi_facts *f = &acpi_facts;
	size_t len;
	const u8 *p = boot_acpi_table("FACP", 0, &len);
	u32 flags;

	if (!p || len < 116)
		return;
	f->has_fadt = true;
	flags = get_le32(p + 112);
	f->is_reduced = flags >> 20 & 1;
	f->century_index = p[108];
	if (flags >> 10 & 1 && len >= 129) {
		f->reset = gas_at(p, len, 116);
		f->reset_value = p[128];
	}
	if (f->is_reduced) {
		f->sleep_control = gas_at(p, len, 244);
	} else {
		f->smi_command = (u16)get_le32(p + 48);
		f->enable_value = p[52];
		f->pm1a_control = register_at(p, len, 172, 64, 16);
		f->pm1b_control = register_at(p, len, 184, 68, 16);
		f->pm_timer = register_at(p, len, 208, 76, 32);
		f->pm_timer_is_32bit = flags >> 8 & 1;
	}
	table_add(len >= 148 && get_le64(p + 140) ? get_le64(p + 140) : get_le32(p + 40));
}

/* --- \_S5: Name (_S5, Package () { type a, type b, ... }) as AML (20.2): 08 [5c] "_S5_" 12 PkgLength NumElements, integers. */

static bool __init aml_small_integer(const u8 **p, const u8 *end, u8 *out)
{
	if (*p < end && (**p == 0 || **p == 1)) {		/* ZeroOp, OneOp */
		*out = *(*p)++;
		return true;
	}
	if (*p + 1 < end && **p == 0x0a) {			/* BytePrefix */
		*out = (*p)[1];
		*p += 2;
		return true;
	}
	return false;
}

static bool __init s5_in(const u8 *aml, const u8 *end)
{
	for (const u8 *p = aml + 2; p + 8 < end; p++) {
		bool is_name = p[-1] == 0x08 || (p[-1] == 0x5c && p[-2] == 0x08);
		const u8 *q = p + 5;

		if (!is_name || memcmp(p, "_S5_", 4) != 0 || p[4] != 0x12)
			continue;
		q += 1 + (*q >> 6);				/* PkgLength: 1 to 4 bytes */
		if (q >= end)
			return false;
		q++;						/* NumElements */
		if (!aml_small_integer(&q, end, &acpi_facts.s5_type_a))
			return false;
		if (!aml_small_integer(&q, end, &acpi_facts.s5_type_b))
			acpi_facts.s5_type_b = 0;
		return true;
	}
	return false;
}

static void __init s5_find(void)
{
	static const char *const names[] = { "DSDT", "SSDT" };

	for (u32 kind = 0; kind < ARRAY_SIZE(names); kind++) {
		size_t len;
		const u8 *p;

		for (u32 n = 0; !acpi_facts.has_s5 && (p = boot_acpi_table(names[kind], n, &len)); n++)
			acpi_facts.has_s5 = s5_in(p + HEADER_BYTES, p + len);
	}
}

void __init acpi_init(void)
{
	size_t len;
	const u8 *hpet;
	char word[8];

	if (!(boot_option("acpi", word, sizeof(word)) && strcmp(word, "off") == 0))
		tables_gather();
	madt_read();
	fadt_read();
	s5_find();
	hpet = boot_acpi_table("HPET", 0, &len);
	if (hpet && len >= 52 && hpet[40] == ACPI_SPACE_MEMORY)
		acpi_facts.hpet = get_le64(hpet + 44);
	machine_init();
}
