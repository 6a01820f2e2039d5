/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the CPU says of itself, with the flag names that programs know from Linux's /proc/cpuinfo. Immutable, and asked on any CPU:
 * all are taken to be alike.
 */
#include <frame/clock.h>
#include <frame/core/internal.h>
#include <frame/machine.h>
#include <frame/x86_64/arch.h>
#include <lib/string.h>

enum { REG_A, REG_B, REG_C, REG_D };

struct feature_word {
	u32 leaf, sub, reg;
	const char *names;		/* by bit from 0, separated by spaces; "-" has no name */
};

/* As cpuid(1) and Linux's documentation of /proc/cpuinfo (Documentation/x86/cpuinfo.rst) name them. */
static const struct feature_word words[] = {
	{ 1, 0, REG_D, "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - dts acpi mmx fxsr sse sse2 ss "
		       "ht tm ia64 pbe" },
	{ 0x80000001, 0, REG_D, "- - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - fxsr_opt pdpe1gb rdtscp - lm 3dnowext 3dnow" },
	{ 0x80000007, 0, REG_D, "- - - - - - - - constant_tsc" },
	{ 1, 0, REG_C, "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm - pcid dca sse4_1 sse4_2 x2apic "
		       "movbe popcnt tsc_deadline_timer aes xsave - avx f16c rdrand hypervisor" },
	{ 0x80000001, 0, REG_C, "lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw ibs xop skinit wdt - lwp fma4 "
				"tce - nodeid_msr - tbm topoext perfctr_core perfctr_nb - bpext ptsc perfctr_llc mwaitx" },
	{ 7, 0, REG_B, "fsgsbase tsc_adjust sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm cqm - mpx rdt_a avx512f avx512dq rdseed adx smap "
		       "avx512ifma - clflushopt clwb intel_pt avx512pf avx512er avx512cd sha_ni avx512bw avx512vl" },
	{ 0xd, 1, REG_A, "xsaveopt xsavec xgetbv1 xsaves" },
	{ 7, 1, REG_A, "- - - - avx_vnni avx512_bf16" },
	{ 0x80000008, 0, REG_B, "clzero irperf xsaveerptr" },
	{ 6, 0, REG_A, "dtherm ida arat - pln - pts" },
	{ 7, 0, REG_C, "- avx512vbmi umip - - waitpkg avx512_vbmi2 - gfni vaes vpclmulqdq avx512_vnni avx512_bitalg tme avx512_vpopcntdq - la57 - - - "
		       "- - rdpid - - cldemote - movdiri movdir64b" },
	{ 7, 0, REG_D, "- - avx512_4vnniw avx512_4fmaps fsrm - - - avx512_vp2intersect - md_clear - - - serialize - tsxldtrk - - - - - amx_bf16 "
		       "avx512_fp16 amx_tile amx_int8 - - flush_l1d arch_capabilities" },
};

static u32 word_value(const struct feature_word *w)
{
	struct cpuid c;
	u32 max = w->leaf & 0x80000000 ? cpu_features.max_ext_leaf : cpu_features.max_leaf;

	if (w->leaf > max)
		return 0;
	c = cpuid(w->leaf, w->sub);
	return w->reg == REG_A ? c.a : w->reg == REG_B ? c.b : w->reg == REG_C ? c.c : c.d;
}

/* Names that need more than the CPU: register state that the kernel saves, modes it has turned on. Linux hides them likewise. */
static bool is_hidden(const char *name, size_t len)
{
	if (!cpu_features.avx && (str_startswith(name, "avx") || str_eq_len(name, len, "fma") || str_eq_len(name, len, "f16c") ||
				  str_eq_len(name, len, "vaes") || str_eq_len(name, len, "vpclmulqdq") || str_eq_len(name, len, "xop")))
		return true;
	if (!(fpu_features() >> 5 & 1) && str_startswith(name, "avx512"))
		return true;
	if (str_startswith(name, "amx"))
		return true;
	if (!cpu_features.xsave && str_startswith(name, "xsave"))
		return true;
	return str_eq_len(name, len, "la57") || str_eq_len(name, len, "-") || str_eq_len(name, len, "ia64");
}

static size_t add_names(const struct feature_word *w, char *flags, size_t at, size_t max)
{
	u32 value = word_value(w);
	const char *p = w->names;

	for (u32 bit = 0; bit < 32 && *p; bit++) {
		const char *end = strchr(p, ' ');
		size_t len = end ? (size_t)(end - p) : strlen(p);

		if ((value >> bit & 1) && !is_hidden(p, len) && at + len + 2 < max) {
			if (at)
				flags[at++] = ' ';
			memcpy(flags + at, p, len);
			at += len;
		}
		p += len + (end ? 1 : 0);
	}
	flags[at] = 0;
	return at;
}

static void fill_model(struct machine_cpu_info *out, const struct cpuid *one)
{
	u32 family = one->a >> 8 & 15, model = one->a >> 4 & 15;

	out->family = family == 15 ? family + (one->a >> 20 & 0xff) : family;
	out->model = family == 6 || family == 15 ? model | (one->a >> 12 & 0xf0) : model;
	out->stepping = one->a & 15;
	if (cpu_features.max_ext_leaf >= 0x80000004)
		for (u32 i = 0; i < 3; i++) {
			struct cpuid c = cpuid(0x80000002 + i, 0);

			memcpy(out->model_name + 16 * i, &c, 16);
		}
}

void machine_cpu_info(u32 cpu, struct machine_cpu_info *out)
{
	struct cpuid zero = cpuid(0, 0), one = cpuid(1, 0);
	size_t at = 0;

	(void)cpu;
	*out = (struct machine_cpu_info){
		.hwcap = one.d,
		.hwcap2 = cpu_features.fsgsbase ? 2 : 0,	/* HWCAP2_FSGSBASE */
		.mhz_times_1000 = clock_cycle_hz() / 1000,
		.cache_line_bytes = (one.b >> 8 & 0xff) ? (one.b >> 8 & 0xff) * 8 : 64,
		.phys_bits = cpu_features.phys_bits,
		.virt_bits = cpu_features.virt_bits,
	};
	memcpy(out->vendor, &zero.b, 4);
	memcpy(out->vendor + 4, &zero.d, 4);
	memcpy(out->vendor + 8, &zero.c, 4);
	fill_model(out, &one);
	for (u32 i = 0; i < ARRAY_SIZE(words); i++)
		at = add_names(&words[i], out->flags, at, sizeof(out->flags));
}
