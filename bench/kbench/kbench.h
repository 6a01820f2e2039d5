/* SPDX-License-Identifier: MPL-2.0 */
/*
 * kbench: rows of work, each a fixed number of operations between two marks (mark.h).
 *
 * A row runs in a process of its own, the leader of a process group; what it leaves behind is
 * killed when it ends. There it is prepared, run once to warm everything up, and then run
 * `runs - 1` times between marks. So run() is called `runs` times and must do the same each time.
 */
#ifndef KEEL_KBENCH_H
#define KEEL_KBENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct row {
	const char *name;
	unsigned int ops;		/* operations in one run */
	void (*prepare)(int arg);	/* or NULL */
	void (*run)(unsigned int ops);
	int arg;
	const char *unit;		/* of one operation; NULL: "op" */
};

struct group {
	const char *name;
	const struct row *rows;		/* ended by one without a name */
};

/* The groups of the other files, each ended by a row without a name. */
extern const struct row call_rows[], file_rows[], event_rows[], signal_rows[], ipc_rows[], net_rows[], process_rows[], memory_rows[],
	bandwidth_rows[], user_rows[], scale_rows[], cpus_rows[], cost_rows[];

extern unsigned int runs;	/* how often run() is called, the warm-up included */

/* A failed step ends the row: "no such call" where that is why, with `what` and the errno. */
long check(long result, const char *what);
/* Starts a process that ends with the row at the latest; in it, `work` is called. */
pid_t start_peer(void (*work)(int arg), int arg);
/* What a row measured that is no number of instructions; ends the row. */
_Noreturn void report_value(const char *unit, double value);

/* A row's working directory: a tmpfs that is empty when the row begins. */
#define FOLDER "/tmp/kbench"
/* This program, which does nothing with the argument --exit. */
#define OWN_PATH "/proc/self/exe"
/* A file of `size` bytes in the working directory; returns its descriptor, open for reading and writing. */
int make_file(const char *name, size_t size);
/* Memory that was written to. */
char *touched(size_t size);
void *map_anonymous(size_t size, int flags);	/* MAP_PRIVATE or MAP_SHARED */

/* Application rows: shell commands, run with FOLDER as working directory. */
struct app {
	const char *name;
	const char *prepare;		/* not counted; or NULL */
	const char *command;
};
extern const struct app apps[];

/* The wait status of `sh -c command`, its output thrown away. */
int run_quietly(const char *command);

#endif
