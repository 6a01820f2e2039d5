# SPDX-License-Identifier: MPL-2.0
# Sources of lib/. LIB_MEM_SRCS holds the plain C memcpy, memmove, memset and memcmp: a frame that brings its own leaves it out.
LIB_SRCS := \
	lib/bitmap.c \
	lib/chacha20.c \
	lib/checksum.c \
	lib/cmdline.c \
	lib/cpio.c \
	lib/elf.c \
	lib/gzip.c \
	lib/idalloc.c \
	lib/inflate.c \
	lib/math64.c \
	lib/printf.c \
	lib/radix.c \
	lib/rbtree.c \
	lib/siphash.c \
	lib/string.c \
	lib/utf8.c
LIB_MEM_SRCS := lib/mem.c
