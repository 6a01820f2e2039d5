/* SPDX-License-Identifier: MPL-2.0 */
/* The reader of logs: a line at a time, prefix, then a call or the second half of one, whose first half waited in `pending`. */
#include <stdlib.h>
#include "trace.h"

#define FAULTS_SHOWN 20

/* One line, behind its prefix. */
struct line {
	const char *start, *at, *end;
	long pid;		/* 0: none given */
	bool is_whole;		/* ended by a line feed */
	struct place place;	/* of `start` */
};

void trace_start(struct trace *t, FILE *in, const char *file, FILE *err)
{
	*t = (struct trace){ .in = in, .file = file, .err = err };
}

/* --- prefixes */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
}

static bool at_text(const struct line *l, const char *s)
{
	return slice_starts(slice_between(l->at, l->end), s);
}

static void skip_spaces(struct line *l)
{
	while (l->at < l->end && (*l->at == ' ' || *l->at == '\t'))
		l->at++;
}

static long read_pid(const char *at, const char *end)
{
	long pid = 0;

	while (at < end && is_digit(*at) && pid < 100000000)
		pid = pid * 10 + (*at++ - '0');
	return pid;
}

/* `[pid  123] `, and `[00007f…] ` of -i, `[  17] ` of -n, `[    3.14] ` of a kernel's log. */
static bool skip_bracket(struct line *l)
{
	const char *close = memchr(l->at, ']', (size_t)(l->end - l->at)), *at = l->at + 1;

	if (!close)
		return false;
	if (at_text(l, "[pid ")) {
		for (at += 4; at < close && *at == ' ';)
			at++;
		l->pid = read_pid(at, close);
	} else {
		while (at < close && (strchr(" .?abcdef", *at) || is_digit(*at)) && *at)
			at++;
		if (at != close)
			return false;
	}
	l->at = close + 1;
	return true;
}

/* A pid or a time: digits with dots and colons, perhaps `123<comm>` (-Y) or `(+ 0.01)` (-r with -t). */
static bool skip_number(struct line *l)
{
	const char *at = l->at, *close;
	bool is_time = false;

	if (at_text(l, "(+ ")) {
		close = memchr(at, ')', (size_t)(l->end - at));
		l->at = close ? close + 1 : at;
		return close;
	}
	for (; at < l->end && (is_digit(*at) || *at == '.' || *at == ':'); at++)
		is_time |= !is_digit(*at);
	if (at < l->end && *at == '<' && !is_time) {
		close = memchr(at, '>', (size_t)(l->end - at));
		at = close ? close + 1 : at;
	}
	if (at < l->end && *at != ' ')
		return false;
	if (!is_time)
		l->pid = read_pid(l->at, at);
	l->at = at;
	return true;
}

static void skip_prefix(struct line *l)
{
	bool is_prefix = true;

	while (is_prefix) {
		skip_spaces(l);
		if (l->at == l->end)
			return;
		is_prefix = *l->at == '[' ? skip_bracket(l) : (is_digit(*l->at) || at_text(l, "(+ ")) && skip_number(l);
	}
}

static size_t name_length(const struct line *l)
{
	const char *at = l->at;

	while (at < l->end && is_name(*at))
		at++;
	return (size_t)(at - l->at);
}

/* --- calls without an end yet */

static struct pending **find_pending(struct trace *t, long pid)
{
	struct pending **p = &t->pending[(unsigned long)pid % PENDING_BUCKETS];

	while (*p && (*p)->pid != pid)
		p = &(*p)->next;
	return p;
}

static bool is_of(const struct pending *p, struct slice name)
{
	return p && p->len > name.len && memcmp(p->text, name.at, name.len) == 0 && p->text[name.len] == '(';
}

/*
 * What a resumed call of that name goes on from; a pointer to NULL if the log began within it. On standard error strace names no pid while there is one
 * process: a call may begin without a pid and end with one, or the other way round.
 */
static struct pending **find_begun(struct trace *t, long pid, struct slice name)
{
	struct pending **p = find_pending(t, pid);

	if (is_of(*p, name))
		return p;
	p = find_pending(t, 0);
	if (pid && is_of(*p, name))
		return p;
	for (size_t i = 0; i < PENDING_BUCKETS && !pid; i++)
		for (p = &t->pending[i]; *p; p = &(*p)->next)
			if (is_of(*p, name))
				return p;
	while (*p)
		p = &(*p)->next;
	return p;
}

static struct pending *take(struct pending **p)
{
	struct pending *taken = *p;

	if (taken)
		*p = taken->next;
	return taken;
}

static void put_pending(struct trace *t, const struct line *l, const char *end)
{
	struct pending **where = find_pending(t, l->pid), *old = take(where), *new;
	size_t len = (size_t)(end - l->at);

	free(old);
	new = must_realloc(NULL, sizeof(*new) + len);
	*new = (struct pending){ .next = *where, .pid = l->pid, .place = l->place, .len = len };
	new->place.column += (size_t)(l->at - l->start);
	memcpy(new->text, l->at, len);
	*where = new;
}

/* Makes `text` (of length len, owned from now on) the trace's joined line, with `rest` behind it. */
static void join(struct trace *t, const struct pending *begun, struct slice rest)
{
	free(t->joined);
	t->joined = must_realloc(NULL, begun->len + rest.len + 1);
	memcpy(t->joined, begun->text, begun->len);
	if (rest.len)
		memcpy(t->joined + begun->len, rest.at, rest.len);
}

/* --- one call */

static void bad_line(struct trace *t, struct place place, const char *expected)
{
	if (++t->n_bad <= FAULTS_SHOWN)
		complain(t->err, place, "expected %s", expected);
}

/* What stands behind the arguments: `= 3`, `= -1 ENOENT (No such file or directory)`, `= ?` … */
static bool parse_result(struct line *l, struct call *call)
{
	skip_spaces(l);
	if (!at_text(l, "= "))
		return false;
	l->at += 2;
	skip_spaces(l);
	if (at_text(l, "-1 E") || at_text(l, "? E")) {
		struct line error = { .at = memchr(l->at, 'E', (size_t)(l->end - l->at)), .end = l->end };

		call->outcome = CALL_FAILED;
		call->error = slice(error.at, name_length(&error));
	} else {
		call->outcome = at_text(l, "-1 (errno") ? CALL_FAILED : at_text(l, "?") ? CALL_LEFT : CALL_SUCCEEDED;
	}
	return l->at < l->end;
}

/* `begun`: its first part, if the line is joined; what the line says is then the rest. `has_end`: the call has come to its end in the log. */
static bool parse_call(struct trace *t, struct line *l, const struct pending *begun, bool has_end, struct call *call)
{
	struct value_parser p = { .arena = &t->arena, .end = l->end };
	const char *expected = NULL;

	*call = (struct call){ .name = slice(l->at, name_length(l)), .text = slice_between(l->at, l->end), .place = l->place, .outcome = CALL_LEFT };
	call->place.column += (size_t)(l->at - l->start);
	p.at = l->at + call->name.len + 1;
	if (!value_parse_arguments(&p, !has_end, &call->args)) {
		expected = p.expected;
		l->at = p.fault;
	} else {
		call->is_cut = p.is_cut;
		l->at = p.at;
		if (has_end && !parse_result(l, call) && !p.is_cut)
			expected = "'= ' and the result";
	}
	if (!expected) {
		t->n_calls++;
		return true;
	}
	if (l->at == l->end && !l->is_whole) {
		fprintf(t->err, "%s:%zu: the log ends within this line\n", t->file, t->n_lines);
		return false;
	}
	if (begun && (size_t)(l->at - l->start) < begun->len) {
		l->place = begun->place;
		l->place.column += (size_t)(l->at - l->start);
	} else {
		l->place.column += (size_t)(l->at - l->start) - (begun ? begun->len : 0);
	}
	bad_line(t, l->place, expected);
	return false;
}

/* The rest of a call: `<... read resumed>"x", 1) = 1`. */
static bool parse_resumed(struct trace *t, struct line *l, struct call *call)
{
	const char *close = memmem(l->at, (size_t)(l->end - l->at), "resumed>", 8);
	struct pending *begun;
	struct line whole = *l;
	bool is_call;

	l->place.column += (size_t)(l->at - l->start);
	l->at += 5;		/* "<... " */
	if (!close) {
		bad_line(t, l->place, "'resumed>'");
		return false;
	}
	close += 8;
	begun = take(find_begun(t, l->pid, slice(l->at, name_length(l))));
	if (!begun)		/* the log began within the call */
		return false;
	join(t, begun, slice_between(close, l->end));
	whole.start = whole.at = t->joined;
	whole.end = t->joined + begun->len + (size_t)(l->end - close);
	whole.place.column += (size_t)(close - l->start);
	is_call = parse_call(t, &whole, begun, true, call);
	free(begun);
	return is_call;
}

/* What began and never ended. */
static bool parse_endless(struct trace *t, struct pending *begun, struct call *call)
{
	struct line l = { .is_whole = true, .place = begun->place };
	bool is_call;

	join(t, begun, slice(NULL, 0));
	l.start = l.at = t->joined;
	l.end = t->joined + begun->len;
	is_call = parse_call(t, &l, begun, false, call);
	free(begun);
	return is_call;
}

/* --- lines */

static const char *find_unfinished(const struct line *l)
{
	static const char mark[] = "<unfinished ...>";
	size_t n = sizeof(mark) - 1;

	if ((size_t)(l->end - l->at) < n || memcmp(l->end - n, mark, n) != 0)
		return NULL;
	return l->end - n;
}

/* True: `call` is one. */
static bool parse_line(struct trace *t, struct line *l, struct call *call)
{
	const char *unfinished;
	size_t name;

	skip_prefix(l);
	if (l->at == l->end || at_text(l, "--- ") || at_text(l, "strace: ") || at_text(l, "> ") || at_text(l, "???") || at_text(l, "[ Process "))
		return false;
	if (at_text(l, "+++ ")) {
		struct pending *begun = take(find_pending(t, l->pid));

		return begun && parse_endless(t, begun, call);
	}
	if (at_text(l, "<... "))
		return parse_resumed(t, l, call);
	name = name_length(l);
	if (!name || is_digit(*l->at) || l->at + name == l->end || l->at[name] != '(') {
		l->place.column += (size_t)(l->at - l->start);
		if (l->at + name == l->end && !l->is_whole)
			fprintf(t->err, "%s:%zu: the log ends within this line\n", t->file, t->n_lines);
		else
			bad_line(t, l->place, "a call, a signal (---) or an exit (+++)");
		return false;
	}
	unfinished = find_unfinished(l);
	if (unfinished) {
		put_pending(t, l, unfinished);
		return false;
	}
	return parse_call(t, l, NULL, true, call);
}

static bool next_endless(struct trace *t, struct call *call)
{
	for (; t->bucket < PENDING_BUCKETS; t->bucket++)
		while (t->pending[t->bucket])
			if (parse_endless(t, take(&t->pending[t->bucket]), call))
				return true;
	return false;
}

/* On standard error strace says that it has attached a process even in the middle of a call's line: where that begins, else NULL. */
static char *find_remark(char *line, size_t len)
{
	static const char mark[] = "strace: Process ", tail[] = " attached\n";
	size_t n = sizeof(tail) - 1;
	char *at = len > n && memcmp(line + len - n, tail, n) == 0 ? memmem(line, len, mark, sizeof(mark) - 1) : NULL;

	return at == line ? NULL : at;
}

/* One line of the log, with those that go on after such a remark put behind it. Its length; 0 at the end. */
static size_t read_line(struct trace *t)
{
	ssize_t len = getline(&t->line, &t->room, t->in);
	char *remark;

	if (len <= 0)
		return 0;
	t->n_lines++;
	while ((remark = find_remark(t->line, (size_t)len))) {
		size_t kept = (size_t)(remark - t->line), room = 0;
		char *rest = NULL;
		ssize_t more = getline(&rest, &room, t->in);

		len = (ssize_t)kept + (more > 0 ? more : 0);
		t->n_lines += more > 0;
		if ((size_t)len >= t->room)
			t->line = must_realloc(t->line, t->room = (size_t)len + 1);
		if (more > 0)
			memcpy(t->line + kept, rest, (size_t)more);
		free(rest);
	}
	return (size_t)len;
}

bool trace_next(struct trace *t, struct call *call)
{
	size_t len;

	arena_reset(&t->arena);
	while (!t->is_over && (len = read_line(t))) {
		struct line l = { .start = t->line, .at = t->line, .end = t->line + len };

		l.is_whole = l.end[-1] == '\n';
		l.end -= l.is_whole;
		l.place = (struct place){ t->file, t->n_lines, 1 };
		if (parse_line(t, &l, call))
			return true;
		arena_reset(&t->arena);
	}
	if (!t->is_over && t->n_bad > FAULTS_SHOWN)
		fprintf(t->err, "%s: and %zu bad lines more\n", t->file, t->n_bad - FAULTS_SHOWN);
	t->is_over = true;
	return next_endless(t, call);
}

void trace_free(struct trace *t)
{
	for (size_t i = 0; i < PENDING_BUCKETS; i++)
		while (t->pending[i])
			free(take(&t->pending[i]));
	free(t->line);
	free(t->joined);
	arena_free(&t->arena);
}
