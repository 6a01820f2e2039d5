# SPDX-License-Identifier: MPL-2.0
# Builds Keel. ./keel does this and more; plain make needs gcc (or CC=clang), binutils and python3.
#
#	make			build/keel.elf		release
#	make DEBUG=1		build/debug/keel.elf	KASAN, UBSAN, lock order, ktests
#	make KTEST=1		build/ktest/keel.elf	release with the ktests linked in (keel.ktest runs them)
#	make objects		compiles without linking
#	make user tools conformance fault unit bench check clean all
#
# O=DIR puts everything elsewhere. EMBED=FILE is the initramfs in the image (EMBED= for none). KERNEL=DIR links another policy
# in place of kernel/, for work on the frame alone. V=1 shows the commands.

CC := gcc
O ?= build
KERNEL ?= kernel
EMBED ?= build/images/busybox.cpio
VARIANT := $(if $(DEBUG),debug,$(if $(KTEST),ktest))
OUT := $(O)$(if $(VARIANT),/$(VARIANT))
OBJ := $(OUT)/obj
Q := $(if $(V),,@)
IS_CLANG := $(findstring clang,$(CC))

.DEFAULT_GOAL := kernel
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

include lib/lib.mk

# --- Sources
frame_srcs := $(wildcard frame/core/*.c frame/x86_64/*.c frame/x86_64/*.S $(if $(DEBUG),frame/debug/*.c))
kernel_srcs := $(sort $(shell find $(KERNEL) -name '*.c'))
ktest_srcs := $(if $(DEBUG)$(KTEST),$(if $(filter kernel,$(KERNEL)),$(wildcard test/ktest/*.c)))
srcs := $(LIB_SRCS) $(frame_srcs) $(kernel_srcs) $(ktest_srcs)
objs := $(addsuffix .o,$(addprefix $(OBJ)/,$(basename $(srcs))))

# --- Flags
warnings := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla -Wpointer-arith -Wwrite-strings
machine := -mcmodel=kernel -mno-red-zone -mgeneral-regs-only -fno-pic -fno-pie -fcf-protection=none
# -fbuiltin: small memcpy and the like become moves. Frame pointers: backtraces follow them.
language := -std=gnu11 -ffreestanding -fbuiltin -nostdinc -isystem $(shell $(CC) -print-file-name=include) -fno-strict-aliasing -fno-common \
	-fno-delete-null-pointer-checks -fno-asynchronous-unwind-tables -fno-omit-frame-pointer \
	-ffunction-sections -fdata-sections -g -ffile-prefix-map=$(CURDIR)/=
# The canary is at gs:40, where -mcmodel=kernel has it.
hardening := -fstack-protector-strong -ftrivial-auto-var-init=zero
ifneq ($(IS_CLANG),)
hardening += -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang
machine += -mstack-alignment=16
else
language += --param=min-pagesize=0
endif

kasan_offset := 0xdffffc0000000000
ifneq ($(DEBUG),)
optimise := -O2 -fno-optimize-sibling-calls -DKEEL_DEBUG
# KASAN checks by calls, not inline: debug/kasan.c says why.
sanitize := -fsanitize=kernel-address -fsanitize=undefined
ifneq ($(IS_CLANG),)
sanitize += -mllvm -asan-mapping-offset=$(kasan_offset) -mllvm -asan-stack=1 -mllvm -asan-globals=1 \
	-mllvm -asan-instrumentation-with-call-threshold=0
else
sanitize += -fasan-shadow-offset=$(kasan_offset) --param asan-stack=1 --param asan-globals=1
endif
else
optimise := -O2
endif

base := $(language) $(machine) $(optimise) $(warnings) $(hardening) -Ilib/include -Iframe/include
# UAPI headers are for kernel/abi alone, but abi's headers are included by all: ./keel check looks at who includes what.
uapi := -isystem /usr/include -isystem /usr/include/x86_64-linux-gnu
flags_lib := $(base) $(sanitize)
flags_frame := $(base) $(sanitize) -I.
# kernel/init.c runs the kernel's tests where they are linked in.
flags_kernel := $(base) $(sanitize) -I$(KERNEL) $(if $(DEBUG)$(KTEST),-DKEEL_KTEST) $(uapi)
flags_ktest := $(base) $(sanitize) -I$(KERNEL) -Itest/ktest $(uapi)
# The sanitizers' own runtime.
flags_debug := $(base) -I.

flags_of = $(if $(filter lib/%,$1),$(flags_lib),$(if $(filter frame/debug/%,$1),$(flags_debug),$(if $(filter frame/%,$1),$(flags_frame),$(if \
	$(filter test/%,$1),$(flags_ktest),$(flags_kernel)))))

# --- Rules
.PHONY: kernel objects all user conformance fault check clean FORCE
kernel: $(OUT)/keel.elf
objects: $(objs)
all: kernel user conformance

# Objects are made anew when the flags change.
flags_stamp := $(OBJ)/.flags
$(flags_stamp): FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(flags_frame) $(flags_kernel)' | cmp -s - $@ || echo '$(CC) $(flags_frame) $(flags_kernel)' > $@

$(OBJ)/%.o: %.c $(flags_stamp)
	@mkdir -p $(@D)
	$(if $(Q),@echo '  CC      $<')
	$(Q)$(CC) $(call flags_of,$<) -MMD -MP -c $< -o $@

$(OBJ)/%.o: %.S $(flags_stamp)
	@mkdir -p $(@D)
	$(if $(Q),@echo '  AS      $<')
	$(Q)$(CC) $(machine) $(optimise) -I. -MMD -MP $(asm_flags) -c $< -o $@

ifneq ($(EMBED),)
$(OBJ)/frame/x86_64/initramfs.o: asm_flags := -DKEEL_INITRAMFS='"$(EMBED)"'
$(OBJ)/frame/x86_64/initramfs.o: $(EMBED)
build/images/busybox.cpio:
	./keel image busybox
endif
# Its content follows EMBED.
$(OBJ)/frame/x86_64/initramfs.o: $(OBJ)/.embed
$(OBJ)/.embed: FORCE
	@mkdir -p $(@D)
	@echo '$(EMBED)' | cmp -s - $@ || echo '$(EMBED)' > $@

# The vDSO is a program for the guest that rides in the kernel's image.
include user/vdso/vdso.mk
objs_linked := $(objs) $(if $(filter kernel,$(KERNEL)),$(vdso).o)

# Linked twice: the first time to learn where addresses stand, for moving the image at boot (frame/x86_64/kaslr.c), and where functions do, for
# naming them (kernel/proc/symbols.h).
lds := frame/x86_64/kernel.lds
link = $(CC) -nostdlib -static $(if $(IS_CLANG),,-no-pie) -Wl,-T,$(lds) -Wl,--gc-sections -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack \
	-Wl,--build-id=none -Wl,--orphan-handling=error -Wl,--no-warn-rwx-segments
relocs := $(OBJ)/relocs
symbols := $(OBJ)/symbols
$(relocs).o: $(objs_linked) $(lds) tools/relocs.py tools/symbols.py
	$(Q)$(link) -Wl,--strip-debug -Wl,--emit-relocs -o $(relocs).elf $(objs_linked)
	$(Q)python3 tools/relocs.py $(relocs).elf $(relocs).bin
	$(Q)python3 tools/symbols.py $(relocs).elf $(symbols).bin
	$(Q)printf '.section .relocs, "a"\n.incbin "$(relocs).bin"\n.section .symbols, "a"\n.balign 4\n.incbin "$(symbols).bin"\n.section .note.GNU-stack, "", @progbits\n' | $(CC) -c -x assembler -o $@ -
	$(Q)rm -f $(relocs).elf
$(OUT)/keel.elf: $(objs_linked) $(relocs).o $(lds)
	$(if $(Q),@echo '  LD      $@')
	$(Q)$(link) -Wl,-Map,$(OUT)/keel.map -o $@ $(objs_linked) $(relocs).o

# --- Programs for the host and the guest
-include user/user.mk
-include tools/scml/scml.mk
-include test/unit/unit.mk
-include bench/bench.mk

conformance_srcs := $(wildcard test/conformance/*.c)
conformance_progs := $(patsubst test/conformance/%.c,$(O)/conformance/%,$(conformance_srcs))
conformance: $(conformance_progs)
$(O)/conformance/%: test/conformance/%.c $(wildcard test/conformance/*.h)
	@mkdir -p $(@D)
	$(if $(Q),@echo '  CC      $<')
	$(Q)gcc -O1 -g -Wall -static -pthread -Itest/conformance $< -o $@

# What the tables in test/fault put into their images.
fault_progs := $(patsubst test/fault/%.c,$(O)/fault/%,$(wildcard test/fault/*.c))
fault: $(fault_progs)
$(O)/fault/%: test/fault/%.c
	@mkdir -p $(@D)
	$(if $(Q),@echo '  CC      $<')
	$(Q)gcc -O1 -g -Wall -static -pthread -s $< -o $@

check:
	./keel check

clean:
	rm -rf $(O)

-include $(objs:.o=.d)
