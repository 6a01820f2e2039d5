# SPDX-License-Identifier: MPL-2.0
# scml, a program for the host: `make tools` builds build/tools/scml.
SCML_SRCS := $(addprefix tools/scml/,check.c fmt.c lexer.c lint.c list.c match.c resolve.c rules.c run.c tally.c text.c trace.c value.c)
SCML_CFLAGS := -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes

.PHONY: tools
tools: $(O)/tools/scml

$(O)/tools/scml: tools/scml/main.c $(SCML_SRCS) $(wildcard tools/scml/*.h) tools/scml/scml.mk
	@mkdir -p $(@D)
	$(if $(Q),@echo '  CC      $@')
	$(Q)gcc $(SCML_CFLAGS) tools/scml/main.c $(SCML_SRCS) -o $@
