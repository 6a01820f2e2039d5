/* SPDX-License-Identifier: MPL-2.0 */
/* Kernel parameters (docs/parameters.md). Read once, before anything that asks for them; immutable after that. */
#ifndef START_PARAMS_H
#define START_PARAMS_H

#include <lib/types.h>

#define PARAMS_INIT_WORDS 32

struct params {
	u32 max_cpus;			/* maxcpus=, nr_cpus= (0: all) */
	char rdinit[256], init[256];	/* rdinit=, init=: "" if not given */
	char console[16];		/* last console=, without options: "ttyS0" */
	char trace[64];			/* trace= */
	char ktest[64];			/* keel.ktest=; */
	bool has_ktest;			/* keel.ktest was given */
	bool has_randomisation;		/* norandmaps was not given */
	/* For init: argv behind its name, and environment. Point into `words`. */
	const char *argv[PARAMS_INIT_WORDS + 2], *envp[PARAMS_INIT_WORDS + 1];
	u32 n_argv, n_envp;
};

extern struct params params;

void params_read(void);

#endif
