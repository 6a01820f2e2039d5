# SPDX-License-Identifier: MPL-2.0
# `make unit`: builds each test/unit/NAME_test.c for the host under ASan and UBSan, with lib/, and runs them all.
# A test of pure code elsewhere names its sources: UNIT_SRCS_NAME := kernel/x/y.c, and flags: UNIT_CFLAGS_NAME := -I...
# `make unit UNIT=NAME` runs one. `make fuzz` builds the libFuzzer programs that ./keel fuzz runs.
O ?= build
UNIT_CC ?= gcc
UNIT_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
UNIT_CFLAGS := -std=gnu11 -O1 -g -fno-omit-frame-pointer -Wall -Wextra -Werror -D_GNU_SOURCE \
	-Ilib/include -Itest/unit -include test/unit/rename.h $(UNIT_SAN) -MMD -MP
UNIT_NAMES := $(patsubst test/unit/%_test.c,%,$(sort $(wildcard test/unit/*_test.c)))
# scml is a program for the host: it keeps libc's names.
UNIT_SRCS_scml := $(SCML_SRCS)
UNIT_CFLAGS_scml := -DTEST_UNIT_RENAME_H -Itools/scml
UNIT_LIB_OBJS := $(patsubst %.c,$(O)/unit/%.o,$(LIB_SRCS) $(LIB_MEM_SRCS))

$(UNIT_LIB_OBJS): $(O)/unit/%.o: %.c test/unit/rename.h test/unit/unit.mk
	@mkdir -p $(@D)
	$(UNIT_CC) $(UNIT_CFLAGS) -c $< -o $@

define unit_test_rule
$(O)/unit/$(1)_test: test/unit/$(1)_test.c test/unit/unit.h $(UNIT_SRCS_$(1)) $(UNIT_LIB_OBJS)
	@mkdir -p $$(@D)
	$(UNIT_CC) $(UNIT_CFLAGS) $(UNIT_CFLAGS_$(1)) $$< $(UNIT_SRCS_$(1)) $(UNIT_LIB_OBJS) -o $$@
endef
$(foreach name,$(UNIT_NAMES),$(eval $(call unit_test_rule,$(name))))

# --- Fuzzers, test/fuzz/NAME_fuzz.c: by libFuzzer (./keel fuzz), and as the unit test fuzz_NAME over the corpus that is kept in test/fuzz/corpus/NAME.
FUZZ_NAMES := $(patsubst test/fuzz/%_fuzz.c,%,$(sort $(wildcard test/fuzz/*_fuzz.c)))
# Linked with, and included by, the target.
FUZZ_SRCS_initramfs := kernel/fs/tmpfs/cpio_stream.c
FUZZ_READS_initramfs := kernel/fs/tmpfs/initramfs.c
FUZZ_READS_exec := kernel/proc/load_elf.c kernel/proc/load_script.c kernel/proc/exec_args.c
# Programs for the host, without lib/.
FUZZ_HOSTED := scml_rules scml_trace
$(foreach name,$(FUZZ_HOSTED),$(eval FUZZ_SRCS_$(name) := $(SCML_SRCS)) $(eval FUZZ_CFLAGS_$(name) := $(UNIT_CFLAGS_scml)))
fuzz_lib = $(if $(filter $(1),$(FUZZ_HOSTED)),,$(LIB_SRCS) $(LIB_MEM_SRCS))
fuzz_headers := $(wildcard test/fuzz/*.h lib/include/lib/*.h frame/include/frame/*.h kernel/*/*.h kernel/*/*/*.h) test/unit/rename.h test/unit/unit.mk
fuzz_flags := -Iframe/include -Ikernel
FUZZ_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -D_GNU_SOURCE -Ilib/include $(fuzz_flags) \
	-include test/unit/rename.h -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

define fuzz_rules
$(O)/fuzz/$(1)_fuzz: test/fuzz/$(1)_fuzz.c $(FUZZ_SRCS_$(1)) $(FUZZ_READS_$(1)) $(fuzz_lib) $(fuzz_headers)
	@mkdir -p $$(@D)
	clang $(FUZZ_CFLAGS) $(FUZZ_CFLAGS_$(1)) $$< $(FUZZ_SRCS_$(1)) $(fuzz_lib) -o $$@

$(O)/unit/fuzz_$(1)_test: test/fuzz/$(1)_fuzz.c test/fuzz/replay.c $(FUZZ_SRCS_$(1)) $(FUZZ_READS_$(1)) $(UNIT_LIB_OBJS) $(fuzz_headers)
	@mkdir -p $$(@D)
	$(UNIT_CC) $(filter-out -MMD -MP,$(UNIT_CFLAGS)) $(fuzz_flags) $(FUZZ_CFLAGS_$(1)) -DCORPUS='"test/fuzz/corpus/$(1)"' $$< test/fuzz/replay.c $(FUZZ_SRCS_$(1)) $(UNIT_LIB_OBJS) -o $$@
endef
$(foreach name,$(FUZZ_NAMES),$(eval $(call fuzz_rules,$(name))))

UNIT ?= $(UNIT_NAMES) $(addprefix fuzz_,$(FUZZ_NAMES))

.PHONY: unit fuzz
unit: $(patsubst %,$(O)/unit/%_test,$(UNIT))
	@sh test/unit/run.sh $^
fuzz: $(patsubst %,$(O)/fuzz/%_fuzz,$(FUZZ_NAMES))

-include $(wildcard $(O)/unit/*.d $(O)/unit/lib/*.d)
