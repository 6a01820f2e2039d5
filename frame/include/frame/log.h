/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The kernel log and its end. Any context, any lock: printing never waits. The ring keeps the last 64 KiB (256 in the debug build);
 * records carry level, time and a sequence number, as /dev/kmsg and syslog(2) show them.
 */
#ifndef FRAME_LOG_H
#define FRAME_LOG_H

#include <lib/types.h>
#include <stdarg.h>

#define LOG_TEXT_MAX 1008	/* longest text of one record; more is cut */

enum log_level { LOG_EMERG, LOG_ALERT, LOG_CRIT, LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

__printf(2, 3) void klog(enum log_level level, const char *fmt, ...);
/* Stops every CPU, prints "panic: …", registers, a backtrace (lines "backtrace: 0x…", for ./keel to symbolise) and policy_panic_notes, then does
 * as panic= says: halt, or leave QEMU with a failure / reboot. */
__noreturn __printf(1, 2) void panic(const char *fmt, ...);

/* Prints one warning with a backtrace; the debug build counts them and the test run fails. */
__printf(1, 2) void kwarn(const char *fmt, ...);
u64 kwarn_count(void);

__noreturn void bug_at(const char *what, const char *file, int line);
/* An invariant of the kernel's own; never about what a user program may cause. Kept in every build. */
#define BUG_ON(cond) do { if (__builtin_expect(!!(cond), 0)) bug_at(#cond, __FILE__, __LINE__); } while (0)
#ifdef KEEL_DEBUG
#define ASSERT(cond) BUG_ON(!(cond))
#else
#define ASSERT(cond) do { (void)sizeof(cond); } while (0)
#endif

struct log_record {
	u64 seq, time_ns;
	u32 level, facility;
	size_t len;		/* of text, without NUL */
};
/* Copies the first record with sequence ≥ *seq (updating *seq to it) into rec and text[max], cut to max bytes, no NUL added: rec->len says how
 * many. Records that have been overwritten are skipped. False: none yet. Any context. */
bool log_read(u64 *seq, struct log_record *rec, char *text, size_t max);
/* A record from user space (/dev/kmsg). prefix: facility * 8 + level. */
void log_write_user(u32 prefix, const char *text, size_t len);
u64 log_first_seq(void);
u64 log_next_seq(void);
/* Called in soft context after one or more records have come; must not print: wakes readers. */
void log_set_listener(void (*fn)(void));
/* Where records below the console level (in number, as syslog(2) has it) go, once a driver has taken over from the frame's own early serial output. NULL: back to it.
 * write is called in any context but never twice at once: it must not wait for a lock whose holders may print. */
void log_set_console(void (*write)(const char *text, size_t len));
u32 log_console_level(u32 new_level);	/* sets (1 … 15) unless ~0; returns the former. 7 by default, 4 with quiet, or loglevel= */
/* Raw bytes to the early console, for panic and ktest output. */
void log_console_raw(const char *text, size_t len);

#endif
