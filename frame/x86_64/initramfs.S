/* SPDX-License-Identifier: MPL-2.0 */
/* The embedded initramfs (make EMBED=FILE), used if the boot loader brings none. */
	.section .initramfs, "a"
#ifdef KEEL_INITRAMFS
	.balign 4096
	.incbin KEEL_INITRAMFS
#endif
	.section .note.GNU-stack, "", @progbits
