/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A QEMU plugin that counts a guest's instructions between two marks: xchg %rbx,%rbx begins a
 * region, xchg %rcx,%rcx ends it, both in user mode (bench/kbench/mark.h).
 *
 *	-plugin keelcount.so,out=FILE[,profile=FILE]
 *
 * FILE gets a line a region, when it ends: "region", its number from 1, and the counters in the
 * order of `names`; and one line "start" with the same counters from power-on to the first user
 * instruction. "user" and "kernel" tell apart by bit 63 of the address and leave out string
 * instructions with a repeat prefix, whose iterations are counted as rep_user and rep_kernel.
 * An instruction that faults is counted when it faults and again when it is done over.
 *
 * Every instruction adds to its counter in the translated code itself, with no call: so a block
 * that is left in its middle by a fault is counted right. Those adds are not atomic: several
 * virtual CPUs must share one thread (-accel tcg,thread=single), as under -icount they do.
 */
#include "decode.h"
#include "profile.h"
#include "qemu.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum counter { USER, KERNEL, REP_USER, REP_KERNEL, CR3, FLUSH, PORT, HALT, LOCKED, SYSCALL, COUNTERS };

static const char *const names[COUNTERS] = {
	"user", "kernel", "rep_user", "rep_kernel", "cr3", "flush", "port", "halt", "locked", "syscall",
};
/* For the kinds of instructions that have a counter of their own beside the total. */
static const struct { unsigned int kind; enum counter counter; } kinds[] = {
	{KIND_CR3, CR3}, {KIND_FLUSH, FLUSH}, {KIND_PORT, PORT}, {KIND_HALT, HALT}, {KIND_LOCKED, LOCKED}, {KIND_SYSCALL, SYSCALL},
};

int qemu_plugin_version = 1;

static uint64_t counters[COUNTERS];
static uint64_t at_begin[COUNTERS];
static bool in_region, seen_kernel, seen_user;
static unsigned int regions;
static FILE *out;

static void print_line(const char *what, unsigned int number, const uint64_t *since)
{
	fprintf(out, "%s %u", what, number);
	for (int i = 0; i < COUNTERS; i++)
		fprintf(out, " %s=%llu", names[i], (unsigned long long)(counters[i] - (since != NULL ? since[i] : 0)));
	fputc('\n', out);
	fflush(out);
}

static void begin(unsigned int cpu, void *data)
{
	(void)cpu, (void)data;
	memcpy(at_begin, counters, sizeof(counters));
	in_region = true;
	profile_begin();
}

static void end(unsigned int cpu, void *data)
{
	(void)cpu, (void)data;
	if (!in_region)
		return;
	in_region = false;
	print_line("region", ++regions, at_begin);
	profile_end(regions);
}

static void add(struct qemu_plugin_insn *insn, enum counter counter, uint64_t number)
{
	qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &counters[counter], number);
}

static void count(struct qemu_plugin_insn *insn, enum counter counter)
{
	add(insn, counter, 1);
}

static void instrument(struct qemu_plugin_insn *insn)
{
	unsigned int kind = decode(qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn));
	bool kernel = qemu_plugin_insn_vaddr(insn) >> 63 != 0;

	if ((kind & (KIND_BEGIN | KIND_END)) != 0 && !kernel) {
		qemu_plugin_register_vcpu_insn_exec_cb(insn, (kind & KIND_BEGIN) != 0 ? begin : end, QEMU_PLUGIN_CB_NO_REGS, NULL);
		return;
	}
	if ((kind & KIND_REP) != 0)
		count(insn, kernel ? REP_KERNEL : REP_USER);
	else
		count(insn, kernel ? KERNEL : USER);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if ((kind & kinds[i].kind) != 0)
			count(insn, kinds[i].counter);
	if (profile_enabled() && (kind & KIND_REP) == 0)
		profile_insn(insn, kind);
}

/* What unpacks a kernel runs billions of instructions at low addresses: one add a block. */
static void instrument_boot(struct qemu_plugin_tb *tb)
{
	size_t insns = qemu_plugin_tb_n_insns(tb), plain = 0;

	for (size_t i = 0; i < insns; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if ((decode(qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn)) & KIND_REP) != 0)
			count(insn, REP_KERNEL);
		else
			plain++;
	}
	add(qemu_plugin_tb_get_insn(tb, 0), KERNEL, plain);
}

/* A block is translated just before it runs first. Boot code may stand at low addresses too, but
 * none of it comes after the kernel has moved to its high ones. */
static void watch_start(uint64_t address)
{
	if (address >> 63 != 0) {
		if (!seen_kernel)
			profile_begin();
		seen_kernel = true;
	} else if (seen_kernel && !seen_user) {
		seen_user = true;
		print_line("start", 0, NULL);
		profile_end(0);
	}
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t insns = qemu_plugin_tb_n_insns(tb);

	(void)id;
	watch_start(qemu_plugin_tb_vaddr(tb));
	if (!seen_kernel) {
		instrument_boot(tb);
		return;
	}
	if (profile_enabled())
		profile_block(tb);
	for (size_t i = 0; i < insns; i++)
		instrument(qemu_plugin_tb_get_insn(tb, i));
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "out=", 4) == 0) {
			out = fopen(argv[i] + 4, "w");
		} else if (strncmp(argv[i], "profile=", 8) == 0) {
			if (profile_open(argv[i] + 8) != 0)
				return -1;
		} else {
			fprintf(stderr, "keelcount: unknown argument %s\n", argv[i]);
			return -1;
		}
	}
	if (out == NULL) {
		fprintf(stderr, "keelcount: out=FILE is missing or cannot be written\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
