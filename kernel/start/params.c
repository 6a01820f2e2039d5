/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Kernel parameters. Those of the frame (quiet, loglevel=, panic=, nokaslr) it reads itself; they are named here so that init does not get them. Words nobody knows go to
 * init, as on Linux: with '=' into its environment, without into its arguments, dropped if the name has a dot.
 */
#include <lib/cmdline.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <frame/boot.h>
#include <frame/log.h>
#include "start/params.h"

struct params params = { .console = "ttyS0", .has_randomisation = true, .envp = { "HOME=/", "TERM=linux" }, .n_envp = 2 };

static char words[4096];		/* what init gets */
static size_t words_used;
static u32 n_left_out;			/* words that were too many for init */

/* What is too long for us is too long for everybody: it is told of and counts as not given. */
static int set_text(const char *name, char *to, size_t max, const char *value, size_t len)
{
	if (!value)
		return -EINVAL;
	if (len >= max) {
		klog(LOG_WARNING, "%s=: longer than %lu bytes, ignored", name, max - 1);
		return 0;
	}
	memcpy(to, value, len);
	to[len] = 0;
	return 0;
}

static int set_max_cpus(void *ctx, const char *value, size_t len)
{
	u64 n;

	(void)ctx;
	if (!value || parse_u64(value, len, 10, &n) || n > 0xffff)
		return -EINVAL;
	params.max_cpus = (u32)max_t(u64, n, 1);
	return 0;
}

static int set_rdinit(void *ctx, const char *value, size_t len)
{
	(void)ctx;
	return set_text("rdinit", params.rdinit, sizeof(params.rdinit), value, len);
}

static int set_init(void *ctx, const char *value, size_t len)
{
	(void)ctx;
	params.n_argv = 0;		/* words before init= are not its arguments */
	return set_text("init", params.init, sizeof(params.init), value, len);
}

/* "ttyS0,115200n8": the speed is the port's own business. */
static int set_console(void *ctx, const char *value, size_t len)
{
	const char *comma = value ? memchr(value, ',', len) : NULL;

	(void)ctx;
	return set_text("console", params.console, sizeof(params.console), value, comma ? (size_t)(comma - value) : len);
}

static int set_trace(void *ctx, const char *value, size_t len)
{
	(void)ctx;
	return set_text("trace", params.trace, sizeof(params.trace), value, len);
}

static int set_ktest(void *ctx, const char *value, size_t len)
{
	(void)ctx;
	params.has_ktest = true;
	return value ? set_text("keel.ktest", params.ktest, sizeof(params.ktest), value, len) : 0;
}

static int set_norandmaps(void *ctx, const char *value, size_t len)
{
	(void)ctx;
	(void)value;
	(void)len;
	params.has_randomisation = false;
	return 0;
}

/* The frame's own, and those that mean nothing here but are the kernel's on Linux. */
static int ignore(void *ctx, const char *value, size_t len)
{
	(void)ctx;
	(void)value;
	(void)len;
	return 0;
}

static const struct cmdline_option options[] = {
	{ "maxcpus", set_max_cpus }, { "nr_cpus", set_max_cpus }, { "rdinit", set_rdinit }, { "init", set_init }, { "console", set_console },
	{ "trace", set_trace }, { "keel.ktest", set_ktest }, { "norandmaps", set_norandmaps }, { "quiet", ignore }, { "loglevel", ignore },
	{ "vdso", ignore }, { "tsc", ignore },
	{ "panic", ignore }, { "nokaslr", ignore }, { "root", ignore }, { "rootfstype", ignore }, { "rootflags", ignore }, { "ro", ignore }, { "rw", ignore },
	{ "reboot", ignore }, { "acpi", ignore }, { "earlyprintk", ignore }, { "debug", ignore }, { "BOOT_IMAGE", ignore },
};

/* A later value replaces an earlier one. `name_len`: with the '='. */
static bool add_variable(const char *variable, size_t name_len)
{
	u32 i = 0;

	while (i < params.n_envp && strncmp(params.envp[i], variable, name_len) != 0)
		i++;
	if (i == PARAMS_INIT_WORDS)
		return false;
	params.envp[i] = variable;
	params.n_envp = max(params.n_envp, i + 1);
	return true;
}

static bool add_argument(const char *word)
{
	if (params.n_argv == PARAMS_INIT_WORDS)
		return false;
	params.argv[params.n_argv++] = word;
	return true;
}

static void add_for_init(void *ctx, const struct cmdline_word *word)
{
	char *at = words + words_used;
	ssize_t n = cmdline_word_copy(word, at, sizeof(words) - words_used);
	bool is_variable = word->value && !word->is_for_init;

	(void)ctx;
	if (!word->is_for_init && memchr(word->key, '.', word->key_len))
		return;
	if (n >= 0 && (is_variable ? add_variable(at, word->key_len + 1) : add_argument(at)))
		words_used += (size_t)n + 1;
	else
		n_left_out++;
}

void params_read(void)
{
	cmdline_parse(boot_cmdline(), strlen(boot_cmdline()), options, ARRAY_SIZE(options), add_for_init, NULL);
	if (n_left_out)
		klog(LOG_WARNING, "command line: %u words too many for init are left out", n_left_out);
}
