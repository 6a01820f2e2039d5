/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The stack a program starts with (System V ABI, 3.4.1):
 *
 *	sp → argc │ argv pointers, NULL │ envp pointers, NULL │ auxiliary vector │ 16 random bytes │ platform │ strings: argv, envp, name │ 8 zero bytes ↑ end
 *
 * It is written into the new address space from outside, before the old one is left. The part of words is put out through a page-sized buffer in one pass; the
 * pointers come from a pass over the strings that counts NULs.
 */
#include <lib/elf.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <frame/machine.h>
#include <frame/user.h>
#include "abi/process.h"
#include "abi/x86_64/auxv.h"
#include "mm/alloc.h"
#include "object/random.h"
#include "proc/exec.h"

#define STACK_ROOM (128ul << 10)	/* mapped below what the program starts with; more by faults */
#define STACK_RANDOM_PAGES (1ul << 22)
#define AUXV_MAX 24
#define WORDS (PAGE_SIZE / sizeof(u64))

struct writer {
	struct mm *mm;
	u64 at;				/* where buf goes */
	u64 *buf;
	u32 n;
	int err;
	u64 string;			/* address of the text that comes next */
};

static void flush(struct writer *w)
{
	size_t len = w->n * sizeof(u64);
	ssize_t n;

	w->n = 0;		/* after an error too: what comes goes nowhere */
	if (w->err || !len)
		return;
	n = mm_access(w->mm, w->at, w->buf, len, true, false);
	if (n < 0 || (size_t)n < len)
		w->err = n < 0 && n != -EIO ? (int)n : -EFAULT;
	w->at += len;
}

static void put_word(struct writer *w, u64 word)
{
	w->buf[w->n++] = word;
	if (w->n == WORDS)
		flush(w);
}

/* --- strings and the pointers to them */

static int write_text(void *ctx, char *text, size_t len)
{
	struct writer *w = ctx;
	ssize_t n = mm_access(w->mm, w->string, text, len, true, false);

	if (n < 0 || (size_t)n < len)
		return n < 0 && n != -EIO ? (int)n : -EFAULT;
	w->string += len;
	return 0;
}

struct pointers {
	struct writer *w;
	u64 next;			/* start of the string we are in */
	u64 at;				/* of the piece of text */
	u32 argc, envc;			/* to be put out yet */
};

/* The string at p->next ends before `end`. */
static void put_pointer(struct pointers *p, u64 end)
{
	struct mm *mm = p->w->mm;

	put_word(p->w, p->next);
	p->next = end;
	if (p->argc) {
		if (--p->argc)
			return;
		put_word(p->w, 0);
		mm->arg_end = mm->env_start = mm->env_end = end;
	} else {
		p->envc--;
		mm->env_end = end;
	}
}

static int scan_text(void *ctx, char *text, size_t len)
{
	struct pointers *p = ctx;
	const char *at = text, *end;

	while ((p->argc || p->envc) && (end = memchr(at, 0, len - (size_t)(at - text))) != NULL) {
		at = end + 1;
		put_pointer(p, p->at + (u64)(at - text));
	}
	p->at += len;
	return 0;
}

/* --- the auxiliary vector */

static void add(struct mm *mm, u64 type, u64 value)
{
	mm->auxv[mm->n_auxv++] = type;
	mm->auxv[mm->n_auxv++] = value;
}

static void machine_facts(u64 *hwcap, u64 *hwcap2)
{
	static u64 known[2];		/* [a] the same whoever computes them */
	static bool is_known;		/* [a] */

	if (!LOAD_ACQUIRE(is_known)) {
		struct machine_cpu_info *info = kmalloc(sizeof(*info), ALLOC_SLEEP);

		if (info) {
			machine_cpu_info(0, info);
			WRITE_ONCE(known[0], info->hwcap);
			WRITE_ONCE(known[1], info->hwcap2);
			STORE_RELEASE(is_known, true);
			kfree(info);
		}
	}
	*hwcap = READ_ONCE(known[0]);
	*hwcap2 = READ_ONCE(known[1]);
}

static void make_auxv(const struct exec *x, u64 random_at, u64 platform_at, u64 name_at)
{
	struct mm *mm = x->mm;
	u64 hwcap, hwcap2;

	machine_facts(&hwcap, &hwcap2);
	mm->n_auxv = 0;
	if (x->vdso)
		add(mm, AT_SYSINFO_EHDR, x->vdso);
	add(mm, AT_MINSIGSTKSZ, auxv_min_sigstack(fpu_state_size()));
	add(mm, AT_HWCAP, hwcap);
	add(mm, AT_PAGESZ, PAGE_SIZE);
	add(mm, AT_CLKTCK, 100);
	add(mm, AT_PHDR, x->phdr);
	add(mm, AT_PHENT, sizeof(struct elf_phdr));
	add(mm, AT_PHNUM, x->phnum);
	add(mm, AT_BASE, x->interp_base);
	add(mm, AT_FLAGS, 0);
	add(mm, AT_ENTRY, x->program_entry);
	add(mm, AT_UID, from_kuid(x->cred->ns, x->cred->uid));
	add(mm, AT_EUID, from_kuid(x->cred->ns, x->cred->euid));
	add(mm, AT_GID, from_kgid(x->cred->ns, x->cred->gid));
	add(mm, AT_EGID, from_kgid(x->cred->ns, x->cred->egid));
	add(mm, AT_SECURE, x->is_secure);
	add(mm, AT_RANDOM, random_at);
	add(mm, AT_HWCAP2, hwcap2);
	add(mm, AT_EXECFN, name_at);
	add(mm, AT_PLATFORM, platform_at);
	add(mm, AT_NULL, 0);
	_Static_assert(2 * AUXV_MAX <= ARRAY_SIZE(((struct mm *)NULL)->auxv), "room for the auxiliary vector");
}

static u32 auxv_words(const struct exec *x)
{
	return x->vdso ? 2 * 21 : 2 * 20;
}

/* --- the whole */

bool exec_is_random(void)
{
	return READ_ONCE(mm_tunables.randomize_va_space) && !(READ_ONCE(current_process()->personality) & ADDR_NO_RANDOMIZE);
}

static u64 vector_words(const struct exec *x)
{
	return 1 + x->args.argc + 1 + x->args.envc + 1 + auxv_words(x) + 2 + 1;
}

int exec_stack_map(struct exec *x)
{
	u64 bytes = exec_args_bytes(&x->args) + vector_words(x) * sizeof(u64) + 3 * PAGE_SIZE;
	u64 size = ALIGN_UP(bytes, PAGE_SIZE) + STACK_ROOM, at;
	struct mm_map_request rq = {
		.len = size, .prot = VMA_READ | VMA_WRITE | (x->is_stack_exec ? VMA_EXEC : 0), .vma_flags = VMA_GROWSDOWN | VMA_STACK,
		.is_fixed = true, .is_noreplace = true,
	};
	int err;

	x->stack_end = USPACE_END;
	if (exec_is_random())
		x->stack_end -= random_below(STACK_RANDOM_PAGES) << PAGE_SHIFT;
	rq.addr = x->stack_end - size;
	err = mm_map(x->mm, &rq, &at);
	return err == -EEXIST ? -ENOMEM : err;
}

static int write_all(struct exec *x, struct writer *w)
{
	const struct exec_args *a = &x->args;
	struct mm *mm = x->mm;
	u64 strings = x->stack_end - sizeof(u64) - exec_args_bytes(a);
	u64 after_auxv, words = vector_words(x), random[2], platform = 0;
	struct pointers p = { .w = w, .argc = a->argc, .envc = a->envc };
	int err;

	if (exec_is_random())
		strings -= random_below(2 * PAGE_SIZE);
	x->sp = ALIGN_DOWN(strings - words * sizeof(u64), 16);
	after_auxv = x->sp + (words - 3) * sizeof(u64);
	p.at = p.next = w->string = mm->arg_start = strings;
	make_auxv(x, after_auxv, after_auxv + sizeof(random), strings + exec_args_bytes(a) - a->name_len - 1);
	ASSERT(mm->n_auxv == auxv_words(x));
	w->at = mm->start_stack = x->sp;
	put_word(w, a->argc);
	err = exec_args_each(a, scan_text, &p);
	put_word(w, 0);
	for (u32 i = 0; i < mm->n_auxv; i++)
		put_word(w, mm->auxv[i]);
	random_bytes(random, sizeof(random));
	memcpy(&platform, AUXV_PLATFORM, sizeof(AUXV_PLATFORM));
	put_word(w, random[0]);
	put_word(w, random[1]);
	put_word(w, platform);
	flush(w);
	if (!err)
		err = w->err;
	return err ? err : exec_args_each(a, write_text, w);
}

int exec_stack_write(struct exec *x)
{
	struct writer w = { .mm = x->mm, .buf = kpage_alloc(0, ALLOC_SLEEP | ALLOC_USER) };
	int err;

	if (!w.buf)
		return -ENOMEM;
	err = write_all(x, &w);
	kpage_free(w.buf, 0);
	return err;
}
