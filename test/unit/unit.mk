# SPDX-License-Identifier: MPL-2.0
# `make unit`: builds each test/unit/NAME_test.c for the host under ASan and UBSan, with lib/, and runs them all.
# A test of pure code elsewhere names its sources: UNIT_SRCS_NAME := kernel/x/y.c, and flags: UNIT_CFLAGS_NAME := -I...
# `make unit UNIT=NAME` runs one. `make fuzz` builds the libFuzzer programs; `make fuzz FUZZ_RUNS=N` also runs them.
O ?= build
UNIT_CC ?= gcc
UNIT_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
UNIT_CFLAGS := -std=gnu11 -O1 -g -fno-omit-frame-pointer -Wall -Wextra -Werror -D_GNU_SOURCE \
	-Ilib/include -Itest/unit -include test/unit/rename.h $(UNIT_SAN) -MMD -MP
UNIT_NAMES := $(patsubst test/unit/%_test.c,%,$(sort $(wildcard test/unit/*_test.c)))
UNIT ?= $(UNIT_NAMES)
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

.PHONY: unit fuzz
unit: $(patsubst %,$(O)/unit/%_test,$(UNIT))
	@sh test/unit/run.sh $^

FUZZ_NAMES := $(patsubst test/fuzz/%_fuzz.c,%,$(sort $(wildcard test/fuzz/*_fuzz.c)))
FUZZ_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -D_GNU_SOURCE -Ilib/include \
	-include test/unit/rename.h -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZ_RUNS ?= 0

$(patsubst %,$(O)/fuzz/%_fuzz,$(FUZZ_NAMES)): $(O)/fuzz/%_fuzz: test/fuzz/%_fuzz.c $(LIB_SRCS) $(LIB_MEM_SRCS) \
		$(wildcard lib/include/lib/*.h) test/unit/rename.h
	@mkdir -p $(@D)
	clang $(FUZZ_CFLAGS) $< $(LIB_SRCS) $(LIB_MEM_SRCS) -o $@

fuzz: $(patsubst %,$(O)/fuzz/%_fuzz,$(FUZZ_NAMES))
	@test $(FUZZ_RUNS) = 0 || for f in $^; do $$f -runs=$(FUZZ_RUNS) -max_len=4096 -verbosity=0 || exit 1; done

-include $(wildcard $(O)/unit/*.d $(O)/unit/lib/*.d)
