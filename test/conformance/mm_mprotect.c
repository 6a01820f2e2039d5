/* SPDX-License-Identifier: MPL-2.0 */
/* mprotect(2). */
#include "mm_util.h"

static void changes(void)
{
	char *p = map_anon(4 * PAGE);

	memset(p, 5, 4 * PAGE);
	is_int(mprotect(p + PAGE, PAGE, PROT_READ), 0, "one page read-only");
	is_int(write_faults(p + PAGE), SIGSEGV, "it cannot be written");
	is_int(fault_code, SEGV_ACCERR, "SEGV_ACCERR");
	ok(p[PAGE] == 5, "it keeps its contents");
	is_int(write_faults(p) | write_faults(p + 2 * PAGE), 0, "its neighbours can");
	is_int(mprotect(p + PAGE, PAGE, PROT_NONE), 0, "no access");
	is_int(read_faults(p + PAGE), SIGSEGV, "it cannot be read");
	is_int(mprotect(p, 4 * PAGE, PROT_READ | PROT_WRITE), 0, "all writable again");
	ok(p[PAGE] == 5, "what was there is still there");
	is_int(write_faults(p + PAGE), 0, "and can be written");
	is_int(mprotect(p, 1, PROT_READ), 0, "a length that is no multiple of the page size");
	is_int(write_faults(p + PAGE - 1), SIGSEGV, "is rounded up");
	is_int(mprotect(p, 0, PROT_NONE), 0, "length 0 does nothing");
	is_int(read_faults(p), 0, "indeed");
	is_int(mprotect(p + 3 * PAGE, PAGE, PROT_NONE), 0, "PROT_NONE on an untouched page's neighbour");
	munmap(p, 4 * PAGE);
}

static void errors(void)
{
	char *p = map_anon(4 * PAGE);

	munmap(p + 2 * PAGE, PAGE);
	is_errno(mprotect(p + 1, PAGE, PROT_READ) == -1, EINVAL, "an unaligned address");
	is_errno(mprotect(p, PAGE, 0x80) == -1, EINVAL, "an unknown protection");
	is_errno(mprotect(p + 2 * PAGE, PAGE, PROT_READ) == -1, ENOMEM, "nothing mapped");
	is_errno(mprotect(p, 4 * PAGE, PROT_READ) == -1, ENOMEM, "a hole in the range");
	is_int(write_faults(p), SIGSEGV, "what lies before the hole has changed");
	is_int(write_faults(p + 3 * PAGE), 0, "what lies behind has not");
	is_errno(syscall(SYS_mprotect, ~0ul << 12, PAGE, PROT_READ) == -1, ENOMEM, "the top of 64 bits");
	is_errno(syscall(SYS_mprotect, p, ~0ul - 5, PROT_READ) == -1, ENOMEM, "a length beyond everything");
	is_errno(mprotect(p, PAGE, PROT_READ | PROT_GROWSDOWN | PROT_GROWSUP) == -1, EINVAL, "both ways of growing");
	is_errno(mprotect(p, PAGE, PROT_READ | PROT_GROWSDOWN) == -1, EINVAL, "PROT_GROWSDOWN where nothing grows");
	is_errno(mprotect(p, PAGE, PROT_READ | PROT_GROWSUP) == -1, EINVAL, "PROT_GROWSUP: nothing does");
	is_int(write_faults(p + 3 * PAGE), 0, "all is as it was");
	is_errno(mprotect(p + 2 * PAGE, PAGE, PROT_GROWSUP) == -1, ENOMEM, "nothing mapped comes first");
	is_errno(mprotect(p + 1, PAGE, PROT_GROWSUP) == -1, EINVAL, "an unaligned address, too");
	is_int(mprotect(p, 0, PROT_GROWSUP), 0, "of length 0 nothing is looked at");
	is_int(mprotect(p, 0, 0x80), 0, "not even an unknown protection");
	munmap(p, 4 * PAGE);
}

static void files(void)
{
	int fd = temp_file(2 * PAGE), ro;
	char path[64], *p;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY);
	if (ro < 0) {
		skip("no /proc");
	} else {
		p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0);
		ok(p != MAP_FAILED, "a read-only descriptor, shared");
		is_errno(mprotect(p, PAGE, PROT_READ | PROT_WRITE) == -1, EACCES, "cannot become writable");
		munmap(p, PAGE);
		p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, ro, 0);
		is_int(mprotect(p, PAGE, PROT_READ | PROT_WRITE), 0, "private, it can");
		is_int(write_faults(p), 0, "and be written");
		munmap(p, PAGE);
		close(ro);
	}
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	is_int(mprotect(p, PAGE, PROT_READ | PROT_WRITE), 0, "a writable descriptor's can");
	p[0] = 'Z';
	munmap(p, PAGE);
	is_int(pread(fd, path, 1, 0), 1, "read");
	ok(path[0] == 'Z', "and the write is in the file");
	close(fd);
}

static int data_limit(void)
{
	struct rlimit rl = { 16ul << 20, 16ul << 20 };
	char *p = mmap(NULL, 64ul << 20, PROT_READ, ANON, -1, 0);

	setrlimit(RLIMIT_DATA, &rl);
	return mprotect(p, 64ul << 20, PROT_READ | PROT_WRITE) == -1 && errno == ENOMEM ? 0 : 1;
}

static int too_many(void)
{
	char *p = mmap(NULL, 140000 * PAGE, PROT_NONE, ANON, -1, 0);
	long n;

	for (n = 0; n < 70000; n++)
		if (mprotect(p + 2 * n * PAGE, PAGE, PROT_READ))
			break;
	return n < 70000 && errno == ENOMEM ? 0 : 1;
}

static void many_splits(void)
{
	char *p = map_anon(256 * PAGE);
	bool good = true;
	int before = count_maps();

	memset(p, 9, 256 * PAGE);
	for (int i = 0; i < 256; i += 2)
		mprotect(p + i * PAGE, PAGE, PROT_READ);
	for (int i = 0; i < 256; i++)
		good &= p[i * PAGE] == 9 && (write_faults(p + i * PAGE) == SIGSEGV) == (i % 2 == 0);
	ok(good, "every second page read-only");
	for (int i = 254; i >= 0; i -= 2)
		mprotect(p + i * PAGE, PAGE, PROT_READ | PROT_WRITE);
	ok(before < 0 || count_maps() == before, "undone, the pieces are one mapping again");
	munmap(p, 256 * PAGE);
}

static int exec_in_pieces(void)
{
	char *p = map_anon(PAGE);

	p[0] = (char)0xc3;
	for (int i = 0; i < 100; i++) {
		mprotect(p, PAGE, PROT_READ | PROT_EXEC);
		((void (*)(void))p)();
		mprotect(p, PAGE, PROT_READ | PROT_WRITE);
		p[1]++;
	}
	return p[1] == 100 ? 0 : 1;
}

int main(void)
{
	catch_faults();
	changes();
	errors();
	files();
	is_int(in_child(data_limit), 0, "RLIMIT_DATA: ENOMEM");
	is_int(in_child(too_many), 0, "too many mappings: ENOMEM");
	many_splits();
	is_int(in_child(exec_in_pieces), 0, "written and run in turn");
	return done_testing();
}
