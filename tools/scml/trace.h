/* SPDX-License-Identifier: MPL-2.0 */
/*
 * strace's log, call by call: prefixes of -f, -t, -r, -i and -n are passed, calls that were interrupted by others' lines are put together, signals and
 * exits are passed. A line that is none of these is told of on `err` and counted; reading goes on.
 */
#ifndef SCML_TRACE_H
#define SCML_TRACE_H

#include "value.h"

enum outcome {
	CALL_SUCCEEDED,
	CALL_FAILED,		/* -1 and an errno */
	CALL_LEFT,		/* never returned: exit, or the thread was killed, or the log ends */
};

struct call {
	struct slice name;
	struct slice text;	/* all of it */
	struct value *args;
	bool is_cut;		/* arguments are missing */
	enum outcome outcome;
	struct slice error;	/* CALL_FAILED: the name of the errno */
	struct place place;	/* of the name, in the line in which the call ended */
};

/* A call that began and has not ended yet, one a pid. */
struct pending {
	struct pending *next;
	long pid;
	struct place place;
	size_t len;
	char text[];		/* from its name to before <unfinished ...> */
};

#define PENDING_BUCKETS 1024

struct trace {
	FILE *in, *err;
	const char *file;	/* for messages */
	char *line, *joined;
	size_t room, n_lines, n_bad, n_calls;
	bool is_over;
	struct arena arena;
	struct pending *pending[PENDING_BUCKETS];
	size_t bucket;		/* at the end: the first that may hold calls without an end */
};

void trace_start(struct trace *t, FILE *in, const char *file, FILE *err);
/* The next call; its slices are valid until the one after it is asked for. False at the end. */
bool trace_next(struct trace *t, struct call *call);
void trace_free(struct trace *t);

#endif
