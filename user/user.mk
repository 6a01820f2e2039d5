# SPDX-License-Identifier: MPL-2.0
# Our programs for images: static, without a C library, a few KiB each. `make user` builds them.
USER_AGENT_SRCS := user/start.S user/agent.c user/command.c user/link.c

user_flags := -std=gnu11 -O2 $(warnings) -ffreestanding -fno-stack-protector -fno-pie \
	-fno-asynchronous-unwind-tables -fcf-protection=none -fno-builtin
user_link := -nostdlib -static -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,noseparate-code -s

.PHONY: user
user: $(O)/user/agent

$(O)/user/agent: $(USER_AGENT_SRCS) user/user.mk $(wildcard user/*.h)
	@mkdir -p $(@D)
	$(if $(Q),@echo '  CC      $@')
	$(Q)$(CC) $(user_flags) $(user_link) $(if $(IS_CLANG),,-no-pie) $(USER_AGENT_SRCS) -o $@
