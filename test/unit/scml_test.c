/* SPDX-License-Identifier: MPL-2.0 */
/* tools/scml: rules and logs in, what it says and its exit status out. */
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "match.h"
#include "unit.h"

static const struct check_options plain;
static const char rules_text[] =
	"openat(dirfd, path = <PATH>, flags = <open_flags>);\n"
	"openat(dirfd, path = <PATH>, flags = <open_flags>, mode = <INTEGER>);\n"
	"open_flags = O_RDONLY | O_WRONLY | O_CREAT | <more>;\n"
	"more = O_CLOEXEC;\n"
	"//: ignored open_flags = O_LARGEFILE;\n"
	"//: refused more = O_PATH |\n"
	"//:	O_TMPFILE : EOPNOTSUPP;\n"
	"rt_sigaction(signum, act = <sigaction>, old = <sigaction>, size = 8);\n"
	"struct sigaction = { sa_handler, sa_mask, sa_flags = SA_RESTORER | SA_RESTART, .. };\n"
	"poll(fds = [ <pollfd> ], nfds, timeout);\n"
	"struct pollfd = { fd = <INTEGER>, events = POLLIN | POLLOUT };\n"
	"read(fd, buf, count);\n"
	"exit_group(status);\n"
	"clone(child_stack, flags = CLONE_VM | SIGCHLD, ..);\n"
	"ioctl(fd, op = TCGETS, ..);\n"
	"fcntl(fd, op = F_GETFD | F_GETFL);\n"
	"fcntl(fd, op = F_SETFD, arg = FD_CLOEXEC);\n"
	"send(fd, data = [ { nla_len = <INTEGER>, .. }, <PATH> ]);\n"
	"getrandom(buf, len, flags = 0);\n";

/* --- helpers */

/* The status of checking `log`; *out and *err, to be freed, are what was said. */
static int check_text(const char *rules, const struct check_options *options, const char *log, size_t len, char **out, char **err)
{
	size_t out_len, err_len;
	FILE *o = open_memstream(out, &out_len), *e = open_memstream(err, &err_len), *in = fmemopen((void *)(uintptr_t)log, len, "r");
	struct rules r = { 0 };
	int status = STATUS_BAD;

	if (!rules_parse(&r, "r", rules, strlen(rules), e) && !rules_resolve(&r, e))
		status = check_log(&r, options, in, "log", o, e);
	rules_free(&r);
	fclose(in);
	fclose(o);
	fclose(e);
	return status;
}

/* CHECKs the status and that the output begins with `want`. */
static void expect_check(int line, const struct check_options *options, const char *log, int want_status, const char *want)
{
	char *out, *err, *text;
	int status = check_text(rules_text, options, log, strlen(log), &out, &err);

	text = status == STATUS_BAD ? err : out;
	if (status != want_status || strncmp(text, want, strlen(want)) != 0 || (!*want && *text))
		printf("# line %d: status %d, said: %s%s\n", line, status, out, err);
	CHECK_EQ(status, want_status);
	CHECK(strncmp(text, want, strlen(want)) == 0);
	free(out);
	free(err);
}

#define MATCHES(log)		expect_check(__LINE__, &plain, log, STATUS_OK, "")
#define MISSES(log, want)	expect_check(__LINE__, &plain, log, STATUS_MISS, want)
#define BAD_LOG(log, want)	expect_check(__LINE__, &plain, log, STATUS_BAD, want)

static void expect_fault(int line, const char *rules, const char *want)
{
	char *out, *err;

	CHECK_EQ(check_text(rules, &plain, "\n", 1, &out, &err), STATUS_BAD);
	if (strcmp(err, want) != 0)
		printf("# line %d: said: %s", line, err);
	CHECK(strcmp(err, want) == 0);
	free(out);
	free(err);
}

#define BAD_RULES(rules, want)	expect_fault(__LINE__, rules, want)

static void expect_format(const char *text, const char *want)
{
	char *out, *err;
	size_t out_len, err_len;
	FILE *o = open_memstream(&out, &out_len), *e = open_memstream(&err, &err_len);

	CHECK(format_rules("r", text, strlen(text), o, e));
	fclose(o);
	fclose(e);
	if (strcmp(out, want) != 0)
		printf("# formatted: %s", out);
	CHECK(strcmp(out, want) == 0);
	free(out);
	free(err);
}

/* --- rules */

static void test_numbers(void)
{
	unsigned long long v;

	CHECK(slice_number(slice_of("1234"), &v) && v == 1234);
	CHECK(slice_number(slice_of("-100"), &v) && v == (unsigned long long)-100);
	CHECK(slice_number(slice_of("0xdeadBEEF"), &v) && v == 0xdeadbeef);
	CHECK(slice_number(slice_of("0o666"), &v) && v == 0666);
	CHECK(slice_number(slice_of("0644"), &v) && v == 0644);
	CHECK(slice_number(slice_of("0"), &v) && v == 0);
	CHECK(!slice_number(slice_of("0x"), &v));
	CHECK(!slice_number(slice_of("-"), &v));
	CHECK(!slice_number(slice_of(""), &v));
	CHECK(!slice_number(slice_of("089"), &v));
	CHECK(!slice_number(slice_of("12ab"), &v));
}

static void test_rule_faults(void)
{
	BAD_RULES("openat(dirfd, path", "r:1:19: expected ',' or ')', found the end of the file\n");
	BAD_RULES("\n  open(a b);", "r:2:10: expected ',' or ')', found 'b'\n");
	BAD_RULES("f(a = );", "r:1:7: expected a flag, a number, '<', '{' or '[', found ')'\n");
	BAD_RULES("f(a = <b);", "r:1:9: expected '>', found ')'\n");
	BAD_RULES("f(.., a);", "r:1:7: expected ')', found 'a'\n");
	BAD_RULES("struct = { a };", "r:1:8: expected the struct's name, found '='\n");
	BAD_RULES("struct s = {};", "r:1:14: expected a field in the struct before this, found ';'\n");
	BAD_RULES("x = A | ;", "r:1:9: expected a flag, a number, '<', '{' or '[', found ';'\n");
	BAD_RULES("f(a)", "r:1:5: expected ';', found the end of the file\n");
	BAD_RULES("f(a); ?", "r:1:7: expected a rule: a call, a struct or flags, found '?'\n");
	BAD_RULES("f(9q);", "r:1:3: expected a parameter, '..' or ')', found '9q'\n");
	/* Two faults, each told. */
	BAD_RULES("f(=); g(a);\nh(;", "r:1:3: expected a parameter, '..' or ')', found '='\nr:2:3: expected a parameter, '..' or ')', found ';'\n");
	BAD_RULES("x = A;\n//: ignored x = B\nf(a = <x>);", "r:2:18: expected ';', found the end of the line\n");
	BAD_RULES("x = A;\n//: refused x = B;\n", "r:2:18: expected '|', or ':' and the errno, found ';'\n");
	BAD_RULES("//: forbidden x = B;\n", "r:1:15: expected 'ignored', 'refused' or 'returns' before this, found 'forbidden'\n");
	BAD_RULES("f(a = <b>);", "r:1:7: <b> is defined nowhere\n");
	BAD_RULES("a = <b>; b = <a>;", "r:1:1: 'a' leads back to itself, or over more than 64 names\n");
	BAD_RULES("a = B; a = C;", "r:1:8: 'a' is defined more than once\n");
	BAD_RULES("a = B; struct a = { x };", "r:1:8: 'a' is defined more than once\n");
	BAD_RULES("//: ignored a = B;", "r:1:13: the note's flags 'a' are defined nowhere\n");
	BAD_RULES("a = B;\n//: returns a = EINTR;", "r:2:13: the note's call 'a' has no rule\n");
	BAD_RULES("f();\n//: returns f = EINTR : EINTR;", "r:2:23: expected ';', found ':'\n");
}

static void test_deep_rules(void)
{
	char text[4096] = "f(a = ", *out, *err;
	size_t n = strlen(text);

	memset(text + n, '[', 2000);
	CHECK_EQ(check_text(text, &plain, "\n", 1, &out, &err), STATUS_BAD);
	CHECK(strstr(err, "expected no deeper nesting"));
	free(out);
	free(err);
}

static void test_format(void)
{
	expect_format("f( a,b = A|<c>|0x10 ,.. );", "f(a, b = A | <c> | 0x10, ..);\n");
	expect_format("struct s={a={b,..},c=[<d>,{e}]};", "struct s = { a = { b, .. }, c = [<d>, { e }] };\n");
	expect_format("// one \n\n\n\n// two\nf(a); // behind\ng(b);", "// one\n\n// two\nf(a); // behind\ng(b);\n");
	expect_format("f(a, // first\n// second\nb);", "f(a, // first\n\t// second\n\tb);\n");
	expect_format("//:ignored x=A|\n//: B;\nx=C;", "//: ignored x = A | B;\nx = C;\n");
	expect_format("", "");
	expect_format("aaaaaaaaaaaaaaaaaaaaaaaaa = BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB | CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC | DDDDDDDD;",
		      "aaaaaaaaaaaaaaaaaaaaaaaaa = BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB | CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC |\n\tDDDDDDDD;\n");
	expect_format("//: ignored a = BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB | CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC | DDDDDDDD;",
		      "//: ignored a = BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB | CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC |\n//:\tDDDDDDDD;\n");
}

static void expect_lint(const char *rules, const char *want)
{
	char *out;
	size_t len;
	FILE *o = open_memstream(&out, &len);
	struct rules r = { 0 };

	CHECK(!rules_parse(&r, "r", rules, strlen(rules), stdout) && !rules_resolve(&r, stdout));
	CHECK_EQ(lint_rules(&r, o) != 0, *want != 0);
	fclose(o);
	if (strcmp(out, want) != 0)
		printf("# lint said: %s", out);
	CHECK(strcmp(out, want) == 0);
	rules_free(&r);
	free(out);
}

static void test_lint(void)
{
	expect_lint("f(a = <x>); f(a = <x>, b); x = A | B; //: ignored x = C;", "");
	expect_lint("f(a = A | A);", "r:1:11: 'A' is said twice\n");
	expect_lint("x = A;", "r:1:1: 'x' is referred to by no rule\n");
	expect_lint("f(a, ..); f(a, b = C);", "r:1:11: 'f' has a rule here that never decides: one before it matches all that it does\n");
	expect_lint("f(a = A); f(b = B, c);", "r:1:13: 'b' has another name in the first rule of the call\n");
	expect_lint("f(a = <x>); x = A;\n//: refused x = A : EINVAL;", "r:2:17: 'A' is said twice\n");
}

/* --- matching */

static void test_flags(void)
{
	MATCHES("openat(AT_FDCWD, \"/x\", O_RDONLY) = 3\n");
	MATCHES("openat(AT_FDCWD, \"/x\", O_WRONLY|O_CREAT|O_CLOEXEC, 0644) = 3\n");
	MATCHES("openat(AT_FDCWD, 0x1000, O_RDONLY) = -1 EFAULT (Bad address)\n");
	MATCHES("openat(AT_FDCWD, NULL, O_RDONLY|O_LARGEFILE) = -1 EFAULT (Bad address)\n");
	MATCHES("getrandom(0x1, 8, 0) = 8\n");
	MATCHES("fcntl(3, F_GETFL) = 0x8002 (flags O_RDWR|O_LARGEFILE)\n");
	MATCHES("fcntl(3, F_SETFD, 0) = 0\n");
	MATCHES("ioctl(0, TCGETS or SNDCTL_TMR_TIMEBASE, {B38400 opost isig icanon echo ...}) = 0\n");
	MISSES("fcntl(3, F_SETFD, 1) = 0\n", "log:1:1: fcntl: argument 3 (arg): '1' is not supported\n    fcntl(3, F_SETFD, 1) = 0\n");
	MISSES("openat(3, \"/x\", O_RDONLY|O_FOO) = 3\n", "log:1:1: openat: argument 3 (flags): 'O_FOO' is not supported\n");
	MISSES("openat(3, \"/x\", O_RDONLY|0x80000000) = 3\n", "log:1:1: openat: argument 3 (flags): '0x80000000' is not supported\n");
	MISSES("openat(3, \"/x\", O_CREAT|O_PATH, 0) = 3\n",
	       "log:1:1: openat: argument 3 (flags): 'O_PATH' is not supported, refused with EOPNOTSUPP (r:6)\n");
	MISSES("openat(3, \"/x\") = 3\n", "log:1:1: openat: argument 3 (flags): is missing\n");
	MISSES("openat(3, \"/x\", O_RDONLY, 0, 1) = 3\n", "log:1:1: openat: argument 5: '1' is an argument that no rule knows\n");
	MISSES("openat(3, 7, O_RDONLY) = 3\n", "log:1:1: openat: argument 2 (path): '7' is not supported\n");
	MISSES("openat(3, {a=1}, O_RDONLY) = 3\n", "log:1:1: openat: argument 2 (path): '{a=1}' is a struct, and no rule has one there\n");
	MISSES("getrandom(0x1, 8, GRND_NONBLOCK) = 8\n", "log:1:1: getrandom: argument 3 (flags): 'GRND_NONBLOCK' is not supported\n");
	MISSES("socket(AF_INET, SOCK_STREAM, 0) = 3\n", "log:1:1: socket: no rule is about this call\n");
}

static void test_structs(void)
{
	MATCHES("rt_sigaction(SIGINT, {sa_handler=0x1, sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=0x2}, NULL, 8) = 0\n");
	MATCHES("rt_sigaction(SIGINT, {sa_handler=SIG_DFL, sa_mask=~[RTMIN RT_1], sa_flags=0}, {sa_handler=SIG_IGN, ...}, 8) = 0\n");
	MATCHES("poll([{fd=0, events=POLLIN}, {fd=-1, events=POLLIN|POLLOUT}], 2, -1) = 1 ([{fd=0, revents=POLLIN}])\n");
	MATCHES("poll([], 0, 5) = 0 (Timeout)\n");
	MATCHES("poll([{fd=0, events=POLLIN}, ...], 2000, -1) = 0 (Timeout)\n");
	MATCHES("send(3, [{nla_len=8, nla_type=0x1}, \"\\x01\", {nla_len=4, x=[{y=1}]}]) = 3\n");
	MISSES("poll([{fd=0, events=POLLIN|POLLPRI}], 1, -1) = 1\n", "log:1:1: poll: argument 1 (fds.events): 'POLLPRI' is not supported\n");
	MISSES("poll([{fd=0, events=POLLIN, x=1}], 1, -1) = 1\n", "log:1:1: poll: argument 1 (fds): 'x' is a field that no rule knows\n");
	MISSES("poll([{fd=0}], 1, -1) = 1\n", "log:1:1: poll: argument 1 (fds.events): is missing\n");
	MISSES("poll({fd=0, events=POLLIN}, 1, -1) = 1\n", "log:1:1: poll: argument 1 (fds): '{fd=0, events=POLLIN}' is not an array\n");
	MISSES("rt_sigaction(SIGINT, [1], NULL, 8) = 0\n", "log:1:1: rt_sigaction: argument 2 (act): '[1]' is an array, and no rule has one there\n");
	MISSES("send(3, [{nla_len=8}, 12]) = 3\n", "log:1:1: send: argument 2 (data): '12' is not a struct\n");
}

/* What strace writes that is not just a name or a number. */
static void test_values(void)
{
	MATCHES("read(3</dev/pts/0<char 136:0>>, \"a, b) = \\\" } ]\"..., 4096) = 12 <0.000012>\n");
	MATCHES("read(3<TCP:[127.0.0.1:80->127.0.0.1:81]>, 0x7ffc /* 37 vars */, 1<<20) = 0\n");
	MATCHES("read(makedev(0x8, 0x1), {ifc_len=20 * sizeof(struct ifreq) => 2 * sizeof(struct ifreq)}, [28 => 16]) = 0\n");
	MATCHES("read(3, {flags=A|B, x=[{y=\"}\"}, [3]={z}]} => {tid=[7]}, 88) = 1\n");
	MATCHES("read(3, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], {c_cc[VMIN]=1, c_cc=\"\\x03\"...}) = 1\n");
	MATCHES("read(FUTEX_OP_SET<<28|0<<12|FUTEX_OP_CMP_GT<<24|0x1, [INT TERM CHLD], inet_addr(\"127.0.0.1\")) = 0\n");
	MATCHES("read(3, {sin_port=htons(53), t=1 /* 1970-01-01, (x) */, ...}, @\"a\") = 0\n");
	MATCHES("read(3, {c_iflag=A|B, c_oflag=C|, c_lflag=, ...}, 1) = 0\n");
	MATCHES("exit_group(0)                           = ?\n+++ exited with 0 +++\n");
	MATCHES("clone(child_stack=NULL, flags=CLONE_VM|SIGCHLD, child_tidptr=0x1) = 12\n");
}

static void test_prefixes(void)
{
	static const char call[] = "read(3, \"\", 1) = 0";
	static const char *const prefixes[] = {
		"", "123 ", "[pid   123] ", "18:34:03 ", "18:34:03.894849 ", "1795891842.115007 ", "     0.000419 ", "31530      0.000000 ", "12 18:50:42 (+     0.000354) ",
		"2196<bash> 18:50:42 ", "2177  1795891842.115007 [  59] [00007f2390159ad7] ", "[    3.675114] [pid    7] ",
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		char line[200];

		snprintf(line, sizeof(line), "%s%s\n", prefixes[i], call);
		MATCHES(line);
		snprintf(line, sizeof(line), "%swrite(1)  = 0\n", prefixes[i]);
		expect_check(__LINE__, &plain, line, STATUS_MISS, "log:1:");
	}
	MATCHES("--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---\n+++ killed by SIGKILL (core dumped) +++\nstrace: Process 3 attached\n > /lib/x.so(f+0x1) [0x2]\n\n");
}

static void test_resumed(void)
{
	MATCHES("1 read(3,  <unfinished ...>\n2 openat(3, \"x\", O_RDONLY <unfinished ...>\n1 <... read resumed>\"a\", 1) = 1\n2 <... openat resumed>) = 4\n");
	MISSES("1 openat(3, \"x\", O_BAR <unfinished ...>\n2 <... openat resumed>) = 4\n1 <... openat resumed>) = 3\n",
	       "log:3:23: openat: argument 3 (flags): 'O_BAR' is not supported\n");
	/* begun before the log, ended after it, killed within, ended by another's exec */
	MATCHES("7 <... read resumed>\"a\", 1) = 1\n");
	MATCHES("7 read(3, \"a\",  <unfinished ...>\n");
	MISSES("7 openat(3, \"x\", O_BAR <unfinished ...>\n", "log:1:3: openat: argument 3 (flags): 'O_BAR'");
	MATCHES("7 read(3,  <unfinished ...>\n7 +++ killed by SIGKILL +++\n");
	MATCHES("7 read(3,  <unfinished ...>\n7 <... read resumed> <unfinished ...>) = ?\n");
	MATCHES("read(0,  <detached ...>\n");
	/* one process only at first: no pid; and the remark amid a line */
	MATCHES("read(3,  <unfinished ...>\n[pid 7] <... read resumed>\"a\", 1) = 1\n");
	MATCHES("[pid 7] read(3,  <unfinished ...>\n<... read resumed>\"a\", 1) = 1\n");
	MATCHES("read(3, \"a\"strace: Process 12 attached\n, 1) = 1\n");
	MATCHES("read(3, \"a\"strace: Process 12 attached\n <unfinished ...>\n<... read resumed>, 1) = 1\n");
}

static void test_bad_logs(void)
{
	BAD_LOG("hello world\n", "log:1:1: expected a call, a signal (---) or an exit (+++)\n");
	BAD_LOG("read(3, \"a\" 1) = 1\n", "log:1:13: expected ',' or ')'\n");
	BAD_LOG("read(3, {a=1, b) = 1\n", "log:1:16: expected ',' or '}'\n");
	BAD_LOG("read(3, [1, 2\n", "log:1:14: expected ',' or ']'\n");
	BAD_LOG("read(3, \"a\n", "log:1:11: expected '\"', the string's end\n");
	BAD_LOG("read(3, , 1) = 1\n", "log:1:9: expected a value\n");
	BAD_LOG("12 read(3, 4, 5)\n", "log:1:17: expected '= ' and the result\n");
	BAD_LOG("1 read(3,  <unfinished ...>\n1 <... read resumed>\"a\", }) = 1\n", "log:2:26: expected a value\n");
	BAD_LOG("1 read(3, }, <unfinished ...>\n1 <... read resumed>\"a\", 1) = 1\n", "log:1:11: expected a value\n");
	/* cut off: told, but what there is counts */
	MATCHES("read(3, \"\", 1) = 0\nread(3, \"abc");
	MATCHES("read(3, \"\", 1) = 0\nrea");
}

static void test_junk(void)
{
	char junk[4096], *out, *err;

	for (int round = 0; round < 200; round++) {
		for (size_t i = 0; i < sizeof(junk); i++)
			junk[i] = round % 2 ? (char)unit_random() : "read(3, \"\\{}[]<>=|,.~)/* 0x1\n"[unit_random_below(30)];
		(void)check_text(rules_text, &plain, junk, sizeof(junk), &out, &err);
		free(out);
		free(err);
	}
}

static void test_long_line(void)
{
	size_t n = 10 << 20;
	char *line = malloc(n + 64), *out, *err;

	sprintf(line, "read(3, \"");
	memset(line + 9, 'a', n);
	sprintf(line + 9 + n, "\", 10485760) = 10485760\n");
	CHECK_EQ(check_text(rules_text, &plain, line, strlen(line), &out, &err), STATUS_OK);
	free(out);
	free(err);
	memset(line, '[', n);
	memcpy(line, "read(", 5);
	CHECK_EQ(check_text(rules_text, &plain, line, n, &out, &err), STATUS_BAD);
	free(out);
	free(err);
	free(line);
}

/* --- options */

static void test_options(void)
{
	static const struct check_options succeeded = { .succeeded = true }, summary = { .summary = true };
	static const char log[] = "socket(1) = -1 EINVAL (Invalid argument)\nread(3, \"\", 1) = 0\nsocket(1) = ?\n";

	expect_check(__LINE__, &succeeded, "socket(1) = -1 EINVAL (Invalid argument)\nsocket(1) = ? ERESTARTSYS (To be restarted)\n", STATUS_OK, "");
	expect_check(__LINE__, &succeeded, log, STATUS_MISS, "log:3:1: socket: no rule is about this call\n");
	expect_check(__LINE__, &summary, log, STATUS_MISS,
		     "     calls  unmatched  name\n         1          0  read\n         2          2  socket\n         2 times  socket: no rule is about this call\n");
}

static void test_unused(void)
{
	static const struct check_options unused = { .unused = true };
	static const char rules[] = "f(a = <x>); f(a = <x>, b = C | D); x = A | B; //: ignored x = E;";
	char *out, *err;

	CHECK_EQ(check_text(rules, &unused, "f(A|B) = 0\nf(A, C|D) = 0\n", 25, &out, &err), STATUS_OK);
	free(out);
	free(err);
	/* A flag is used by calls that succeed, and not by a rule that matched halfway. */
	CHECK_EQ(check_text(rules, &unused, "f(A) = 0\nf(B) = -1 EINVAL (x)\nf(E, C) = 0\n", 42, &out, &err), STATUS_MISS);
	CHECK(strcmp(out, "r:1:32: D of f: no call that succeeded used it\nr:1:44: B of x: no call that succeeded used it\n") == 0);
	free(out);
	free(err);
}

/* A call that succeeds by an errno. */
static void test_returns(void)
{
	static const struct check_options both = { .succeeded = true, .unused = true };
	static const char rules[] = "pause(); kill(pid, sig = A | 0x20);\n//: returns pause = EINTR |\n//:\tERESTARTNOHAND;\n";
	static const char kills[] = "kill(1, A|0x20) = 0\n", *const good[] = { "pause() = ? ERESTARTNOHAND (To be restarted if no handler)\n", "pause() = -1 EINTR (x)\n" };
	char log[200], *out, *err;

	for (size_t i = 0; i < 2; i++) {
		snprintf(log, sizeof(log), "%s%s", kills, good[i]);
		CHECK_EQ(check_text(rules, &both, log, strlen(log), &out, &err), STATUS_OK);
		free(out);
		free(err);
	}
	snprintf(log, sizeof(log), "pause() = ? ERESTARTSYS (To be restarted)\npause() = -1 EINTRX (x)\nkill(1, A) = -1 EINTR (x)\nkill(1, A) = 0\n");
	CHECK_EQ(check_text(rules, &both, log, strlen(log), &out, &err), STATUS_MISS);
	CHECK(strcmp(out, "r:1:30: 0x20 of kill: no call that succeeded used it\nr:1:1: pause: no call that succeeded matched this rule\n") == 0);
	free(out);
	free(err);
}

UNIT_TESTS("scml", UNIT(test_numbers), UNIT(test_rule_faults), UNIT(test_deep_rules), UNIT(test_format), UNIT(test_lint), UNIT(test_flags),
	   UNIT(test_structs), UNIT(test_values), UNIT(test_prefixes), UNIT(test_resumed), UNIT(test_bad_logs), UNIT(test_junk), UNIT(test_long_line),
	   UNIT(test_options), UNIT(test_unused), UNIT(test_returns));
