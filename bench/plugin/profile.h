/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where a region's instructions were spent: by address, exact, and by call path.
 *
 * profile_block and profile_insn instrument while code is translated; profile_begin and
 * profile_end bracket a region; region 0 is the start, up to the first
 * instruction of user code. The file gets, for each region:
 *
 *	region NUMBER
 *	insn ADDRESS COUNT		one instruction's executions, address in hex
 *	node ID PARENT ADDRESS		a call path: its last function was entered at ADDRESS; 0 is the root
 *	block ID ADDRESS COUNT		instructions of the block at ADDRESS, executed in call path ID
 */
#ifndef KEEL_BENCH_PROFILE_H
#define KEEL_BENCH_PROFILE_H

#include "qemu.h"

#include <stdbool.h>

int profile_open(const char *path);
bool profile_enabled(void);
void profile_block(struct qemu_plugin_tb *tb);
void profile_insn(struct qemu_plugin_insn *insn, unsigned int kind);
void profile_begin(void);
void profile_end(unsigned int region);

#endif
