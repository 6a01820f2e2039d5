# SPDX-License-Identifier: MPL-2.0
# The vDSO: a shared object that the kernel embeds as it is (kernel/proc/vdso.h) and maps into each process.
vdso := $(OBJ)/vdso
vdso_flags := -std=gnu11 -O2 $(warnings) -ffreestanding -fno-builtin -fPIC -fvisibility=hidden -fno-stack-protector -fno-jump-tables \
	-fasynchronous-unwind-tables -fcf-protection=none -mgeneral-regs-only -Ilib/include
vdso_link := -nostdlib -shared -Wl,-T,user/vdso/vdso.lds -Wl,-soname=linux-vdso.so.1 -Wl,--hash-style=both -Wl,-Bsymbolic -Wl,--eh-frame-hdr \
	-Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,-z,norelro -Wl,--no-warn-rwx-segments -s

$(vdso).so: user/vdso/vdso.c user/vdso/vdso.lds user/vdso/vdso.mk $(wildcard user/vdso/*/*.h) lib/include/lib/clock_page.h $(flags_stamp)
	@mkdir -p $(@D)
	$(if $(Q),@echo '  CC      user/vdso')
	$(Q)$(CC) $(vdso_flags) $(vdso_link) user/vdso/vdso.c -o $@
$(vdso).o: $(vdso).so
	$(Q)printf '.section .rodata.vdso, "a"\n.globl vdso_image, vdso_image_end\n.balign 8\nvdso_image: .incbin "$<"\nvdso_image_end:\n.section .note.GNU-stack, "", @progbits\n' | $(CC) -c -x assembler -o $@ -
