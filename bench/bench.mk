# SPDX-License-Identifier: MPL-2.0
# The benchmark program for guests and the QEMU plugin that counts: `make bench`. ./keel bench uses both.
kbench_srcs := $(wildcard bench/kbench/*.c)
plugin_srcs := $(wildcard bench/plugin/*.c)

.PHONY: bench
bench: $(O)/bench/kbench $(O)/bench/keelcount.so

$(O)/bench/kbench: $(kbench_srcs) $(wildcard bench/kbench/*.h) bench/bench.mk
	@mkdir -p $(@D)
	$(if $(Q),@echo '  CC      $@')
	$(Q)$(CC) -std=gnu11 -O2 $(warnings) -static -pthread -s $(kbench_srcs) -o $@

$(O)/bench/keelcount.so: $(plugin_srcs) $(wildcard bench/plugin/*.h) bench/bench.mk
	@mkdir -p $(@D)
	$(if $(Q),@echo '  CC      $@')
	$(Q)$(CC) -std=gnu11 -O2 $(warnings) -shared -fPIC -fvisibility=hidden $(plugin_srcs) -o $@
