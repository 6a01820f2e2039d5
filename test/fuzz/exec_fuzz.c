/* SPDX-License-Identifier: MPL-2.0 */
/*
 * libFuzzer on how execve(2) loads a program: kernel/proc/load_elf.c, load_script.c and exec_args.c, over an address space that only notes what is mapped.
 * What the loader asks for must be in user space and in whole pages, it writes only to what it has mapped, and loses no memory and no open file.
 *
 * The input is two files: the program, and what every name leads to that it mentions (an ELF interpreter, a script's). The last four bytes say how long the
 * second one is, which allocation fails, and bits: 1 no ASLR, 2 the program is found by a close-on-exec descriptor.
 */
#include "kernel.h"
#include "abi/mman.h"
#include "abi/process.h"
#include "fs/vfs.h"
#include "proc/exec.h"

static struct process fuzz_process;
#define current_process() (&fuzz_process)

#include "../../kernel/proc/load_elf.c"
#include "../../kernel/proc/load_script.c"
#include "../../kernel/proc/exec_args.c"

#define TAIL 4
#define SCRIPTS_MOST 5
#define SPANS 4096

struct mm_tunables mm_tunables = { .randomize_va_space = 2 };
const struct vma_ops file_vma_ops;
struct uspace;

/* --- Files */

struct fuzz_file {
	struct file file;
	const u8 *data;
	size_t size;
};
static struct fuzz_file files[2];
static s64 n_open;

static int file_mmap(struct file *f, struct mm_map_request *rq)
{
	(void)f;
	(void)rq;
	return 0;
}

static const struct file_ops file_ops = { .mmap = file_mmap };

ssize_t kern_read(struct file *f, void *buf, size_t n, u64 pos)
{
	const struct fuzz_file *ff = container_of(f, struct fuzz_file, file);

	if (pos > (u64)S64_MAX || n > (u64)S64_MAX - pos)
		abort();
	if (pos >= ff->size)
		return 0;
	n = min(n, ff->size - (size_t)pos);
	memcpy(buf, ff->data + pos, n);
	return (ssize_t)n;
}

int exec_open(struct exec *x, s32 dirfd, const char *path, u32 at_flags, struct file **out)
{
	(void)x;
	(void)dirfd;
	(void)at_flags;
	if (!*path)
		return -ENOENT;
	if (strlen(path) >= FS_PATH_MAX)
		return -ENAMETOOLONG;
	n_open++;
	*out = &files[1].file;
	return 0;
}

void exec_close(struct file *f)
{
	(void)f;
	n_open--;
}

/* kernel/proc/exec.c */
int exec_read_head(struct exec *x)
{
	ssize_t n = kern_read(x->file, x->head, sizeof(x->head), 0);

	if (n < 0)
		return (int)n;
	x->head_len = (size_t)n;
	return 0;
}

/* --- The address space */

static struct span { u64 start, end; } spans[SPANS];
static u32 n_spans;
static u64 random_state;

int mm_create(struct mm **out)
{
	*out = kmalloc(sizeof(**out), ALLOC_ZERO);
	return *out ? 0 : -ENOMEM;
}

void mm_layout(struct mm *mm, u64 stack_limit_bytes, bool is_random)
{
	(void)mm;
	(void)stack_limit_bytes;
	(void)is_random;
}

static bool is_hole(u64 start, u64 len)
{
	for (u32 i = 0; i < n_spans; i++)
		if (start < spans[i].end && spans[i].start < start + len)
			return false;
	return true;
}

/* As mm/map.c answers; below the stack's usual place if the caller has no wish. */
int mm_map(struct mm *mm, const struct mm_map_request *rq, u64 *addr)
{
	u64 len, at = rq->addr;

	(void)mm;
	if (!rq->len || add_overflows(rq->len, (u64)PAGE_SIZE - 1, &len))
		return -ENOMEM;
	len = ALIGN_DOWN(len, PAGE_SIZE);
	if (len > USPACE_END || n_spans == SPANS)
		return -ENOMEM;
	if (!rq->is_fixed) {
		at = ALIGN_DOWN(USPACE_END / 4 * 3, PAGE_SIZE);
		if (len > at || !is_hole(at - len, len))
			return -ENOMEM;
		at -= len;
	}
	if (at % PAGE_SIZE || at > USPACE_END - len) {
		fprintf(stderr, "mapping of %#lx bytes at %#lx\n", (unsigned long)rq->len, (unsigned long)at);
		abort();
	}
	if (rq->file && rq->pgoff > (u64)S64_MAX >> PAGE_SHIFT)
		abort();
	if (at < 65536)
		return -EPERM;
	spans[n_spans++] = (struct span){ at, at + len };
	*addr = at;
	return 0;
}

int mm_unmap(struct mm *mm, u64 addr, u64 len)
{
	(void)mm;
	if (addr % PAGE_SIZE || !len || addr > USPACE_END || len > USPACE_END - addr)
		abort();
	n_spans--;		/* the reservation for an interpreter: the last one made */
	if (spans[n_spans].start != addr || spans[n_spans].end != ALIGN_UP(addr + len, PAGE_SIZE))
		abort();
	return 0;
}

/* The rest of a file's last page. Beyond the file's end there is nothing to write to. */
ssize_t mm_access(struct mm *mm, u64 addr, void *buf, size_t len, bool is_write, bool force)
{
	size_t sum = 0;

	(void)mm;
	(void)force;
	for (size_t i = 0; i < len; i++)
		sum += ((u8 *)buf)[i];
	if (!is_write || sum || len >= PAGE_SIZE || !n_spans)
		abort();
	for (u32 i = 0; i < n_spans; i++)
		if (addr >= spans[i].start && addr + len <= spans[i].end)
			return addr % 3 ? (ssize_t)len : -EFAULT;
	abort();
}

u64 random_below(u64 n)
{
	random_state = random_state * 6364136223846793005ul + 1442695040888963407ul;
	return (random_state >> 16) % n;
}

/* --- What exec_args.c has besides */

void *kpage_alloc(u32 order, u32 flags)
{
	return fuzz_alloc(PAGE_SIZE, PAGE_SIZE << order, flags & ALLOC_ZERO);
}

void kpage_free(void *kva, u32 order)
{
	(void)order;
	kfree(kva);
}

char *kstrdup(const char *s, size_t max, u32 flags)
{
	size_t len = strnlen(s, max - 1);
	char *p = kmalloc(len + 1, flags);

	if (!p)
		return NULL;
	memcpy(p, s, len);
	p[len] = 0;
	return p;
}

u64 rlimit_current(u32 which)
{
	(void)which;
	return 8ul << 20;
}

size_t ucopy_from(struct uspace *us, void *dst, uaddr_t src, size_t n)
{
	(void)us, (void)dst, (void)src;
	return n;
}

ssize_t ucopy_string(struct uspace *us, char *dst, uaddr_t src, size_t max)
{
	(void)us, (void)dst, (void)src, (void)max;
	return -EFAULT;
}

void sched_check(void)
{
}

/* --- The run */

static int add_length(void *ctx, char *text, size_t len)
{
	size_t *sum = ctx;

	for (size_t i = 0; i < len; i++)
		*sum += text[i] == 0;
	return 0;
}

/* There are as many strings as are counted, and the program's name. */
static void check_strings(struct exec *x)
{
	size_t strings = 0;

	if (exec_args_each(&x->args, add_length, &strings) || strings != x->args.argc + x->args.envc + 1)
		abort();
}

/* As kernel/proc/exec.c does. */
static int load(struct exec *x)
{
	int err = exec_read_head(x);

	for (u32 depth = 0; !err && is_script(x); depth++)
		err = depth < SCRIPTS_MOST ? load_script(x) : -ELOOP;
	if (!err && x->head_len == 0)
		err = -ENOEXEC;
	return err ? err : load_elf(x);
}

static int run(struct exec *x)
{
	static const char *const argv[] = { "program", "-x", NULL }, *const envp[] = { "A=b", NULL };
	int err;

	exec_args_init(&x->args);
	err = exec_args_set_name(&x->args, x->path);
	if (!err)
		err = exec_args_from_kernel(&x->args, argv, envp);
	return err ? err : load(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct exec x = { .path = "/bin/program" };
	const u8 *tail;
	size_t second;
	int err;

	if (size < TAIL)
		return 0;
	size -= TAIL;
	tail = data + size;
	second = min((size_t)tail[0] | (size_t)tail[1] << 8, size);
	files[0] = (struct fuzz_file){ .file.ops = &file_ops, .data = data, .size = size - second };
	files[1] = (struct fuzz_file){ .file.ops = &file_ops, .data = data + size - second, .size = second };
	fuzz_process.personality = tail[3] & 1 ? ADDR_NO_RANDOMIZE : 0;
	x.is_path_closing = tail[3] & 2;
	n_spans = 0;
	random_state = 1;
	n_open = 1;
	x.file = &files[0].file;
	fuzz_begin(tail[2]);
	err = run(&x);
	if (err > 0)
		abort();
	if (!err) {
		check_strings(&x);
		if (x.entry >= USPACE_END || !n_spans)
			abort();
	}
	exec_close(x.file);
	kfree(x.mm);
	kfree(x.path_copy);
	exec_args_fini(&x.args);
	if (n_open)
		abort();
	fuzz_end();
	return 0;
}
