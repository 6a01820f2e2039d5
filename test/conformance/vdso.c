/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The vDSO (vdso(7)): found through AT_SYSINFO_EHDR and the ELF tables as a C library does it; its functions against the system calls, never backwards in any
 * mix, on each CPU, by several threads, while the clock is set and steered; errors; the areas under fork, exec, mprotect, mremap, munmap.
 */
#include "tap.h"
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <setjmp.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>

#define NSEC 1000000000LL

static struct {
	uintptr_t bias;
	const Elf64_Sym *symtab;
	const char *strtab;
	const Elf64_Word *hash;
	const uint32_t *gnu_hash;
	const Elf64_Versym *versym;
	const Elf64_Verdef *verdef;
	bool has_relocations, has_load;
	const char *soname;
} so;

static int (*v_gettime)(clockid_t, struct timespec *);
static int (*v_getres)(clockid_t, struct timespec *);
static int (*v_gettimeofday)(struct timeval *, struct timezone *);
static time_t (*v_time)(time_t *);
static int (*v_getcpu)(unsigned *, unsigned *, void *);

static bool parse(uintptr_t base)
{
	const Elf64_Ehdr *eh = (const void *)base;
	const Elf64_Phdr *ph = (const void *)(base + eh->e_phoff);
	const Elf64_Dyn *dyn = NULL;
	Elf64_Word soname = 0;

	if (memcmp(eh->e_ident, ELFMAG, SELFMAG) || eh->e_type != ET_DYN || eh->e_machine != EM_X86_64)
		return false;
	for (int i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD && !so.has_load) {
			so.has_load = true;
			so.bias = base + ph[i].p_offset - ph[i].p_vaddr;
		} else if (ph[i].p_type == PT_DYNAMIC) {
			dyn = (const void *)(base + ph[i].p_offset);
		}
	}
	for (; dyn && dyn->d_tag != DT_NULL; dyn++) {
		const void *at = (const void *)(so.bias + dyn->d_un.d_ptr);

		switch (dyn->d_tag) {
		case DT_SYMTAB: so.symtab = at; break;
		case DT_STRTAB: so.strtab = at; break;
		case DT_HASH: so.hash = at; break;
		case DT_GNU_HASH: so.gnu_hash = at; break;
		case DT_VERSYM: so.versym = at; break;
		case DT_VERDEF: so.verdef = at; break;
		case DT_SONAME: soname = dyn->d_un.d_val; break;
		case DT_REL: case DT_RELA: case DT_JMPREL: case DT_TEXTREL: so.has_relocations = true; break;
		}
	}
	if (so.strtab)
		so.soname = so.strtab + soname;
	return so.symtab && so.strtab;
}

static uint32_t elf_hash(const char *s)
{
	uint32_t h = 0, g;

	while (*s) {
		h = (h << 4) + (unsigned char)*s++;
		g = h & 0xf0000000;
		if (g)
			h ^= g >> 24;
		h &= ~g;
	}
	return h;
}

static uint32_t gnu_hash(const char *s)
{
	uint32_t h = 5381;

	while (*s)
		h = h * 33 + (unsigned char)*s++;
	return h;
}

static bool has_version(Elf64_Word sym, const char *version)
{
	Elf64_Half want = so.versym[sym] & 0x7fff;
	const Elf64_Verdef *d = so.verdef;

	for (;;) {
		if (!(d->vd_flags & VER_FLG_BASE) && (d->vd_ndx & 0x7fff) == want) {
			const Elf64_Verdaux *aux = (const void *)((const char *)d + d->vd_aux);

			return d->vd_hash == elf_hash(version) && !strcmp(so.strtab + aux->vda_name, version);
		}
		if (!d->vd_next)
			return false;
		d = (const void *)((const char *)d + d->vd_next);
	}
}

static const void *check_symbol(Elf64_Word i, const char *name, const char *version)
{
	const Elf64_Sym *s = &so.symtab[i];

	if (strcmp(so.strtab + s->st_name, name) || s->st_shndx == SHN_UNDEF || ELF64_ST_TYPE(s->st_info) != STT_FUNC)
		return NULL;
	return has_version(i, version) ? (const void *)(so.bias + s->st_value) : NULL;
}

static const void *find_by_hash(const char *name, const char *version)
{
	Elf64_Word n_buckets = so.hash[0], i = so.hash[2 + elf_hash(name) % n_buckets];

	for (; i != STN_UNDEF; i = so.hash[2 + n_buckets + i]) {
		const void *at = check_symbol(i, name, version);

		if (at)
			return at;
	}
	return NULL;
}

static const void *find_by_gnu_hash(const char *name, const char *version)
{
	uint32_t n_buckets = so.gnu_hash[0], offset = so.gnu_hash[1], bloom = so.gnu_hash[2], shift = so.gnu_hash[3], h = gnu_hash(name);
	const uint64_t *filter = (const void *)&so.gnu_hash[4], word = filter[h / 64 % bloom];
	const uint32_t *buckets = (const void *)(filter + bloom), *chain = buckets + n_buckets;
	uint32_t i = buckets[h % n_buckets];

	if (!(word >> (h % 64) & 1) || !(word >> ((h >> shift) % 64) & 1) || i < offset)
		return NULL;
	for (;; i++) {
		uint32_t have = chain[i - offset];

		if ((have | 1) == (h | 1)) {
			const void *at = check_symbol(i, name, version);

			if (at)
				return at;
		}
		if (have & 1)
			return NULL;
	}
}

static const void *find(const char *name)
{
	return so.hash ? find_by_hash(name, "LINUX_2.6") : find_by_gnu_hash(name, "LINUX_2.6");
}

static void look_up(void)
{
	static const char *const names[] = { "clock_gettime", "gettimeofday", "time", "getcpu", "clock_getres" };
	uintptr_t base = getauxval(AT_SYSINFO_EHDR);

	if (!ok(base && base % 4096 == 0 && parse(base), "AT_SYSINFO_EHDR leads to a shared object"))
		bail_out("no vDSO");
	ok(so.has_load && !so.has_relocations, "it has a segment and no relocations");
	ok(so.versym && so.verdef, "it has versions");
	ok(so.hash || so.gnu_hash, "it has a hash table");
	ok(so.soname && !strcmp(so.soname, "linux-vdso.so.1"), "it is linux-vdso.so.1");
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char full[64];
		const void *at;

		snprintf(full, sizeof(full), "__vdso_%s", names[i]);
		at = find(full);
		ok(at && at == find(names[i]), "%s has LINUX_2.6 and its short name", full);
		if (so.hash && so.gnu_hash)
			ok(at == find_by_gnu_hash(full, "LINUX_2.6") && at == find_by_hash(full, "LINUX_2.6"), "%s by each hash table", full);
		else
			skip("one hash table");
	}
	ok(!find("__vdso_nothing"), "what is not there is not found");
	v_gettime = find("__vdso_clock_gettime");
	v_getres = find("__vdso_clock_getres");
	v_gettimeofday = find("__vdso_gettimeofday");
	v_time = find("__vdso_time");
	v_getcpu = find("__vdso_getcpu");
}

/* --- Values. */

static const struct {
	int id;
	const char *name;
} clocks[] = {
	{ CLOCK_REALTIME, "CLOCK_REALTIME" }, { CLOCK_MONOTONIC, "CLOCK_MONOTONIC" }, { CLOCK_BOOTTIME, "CLOCK_BOOTTIME" }, { CLOCK_TAI, "CLOCK_TAI" },
	{ CLOCK_MONOTONIC_RAW, "CLOCK_MONOTONIC_RAW" }, { CLOCK_REALTIME_COARSE, "CLOCK_REALTIME_COARSE" },
	{ CLOCK_MONOTONIC_COARSE, "CLOCK_MONOTONIC_COARSE" }, { CLOCK_PROCESS_CPUTIME_ID, "CLOCK_PROCESS_CPUTIME_ID" },
	{ CLOCK_THREAD_CPUTIME_ID, "CLOCK_THREAD_CPUTIME_ID" },
};
#define N_CLOCKS (sizeof(clocks) / sizeof(clocks[0]))

static long long ns(const struct timespec *ts)
{
	return ts->tv_sec * NSEC + ts->tv_nsec;
}

static long long by_call(int id)
{
	struct timespec ts = { 0, 0 };

	syscall(SYS_clock_gettime, id, &ts);
	return ns(&ts);
}

static long long by_vdso(int id)
{
	struct timespec ts = { 0, 0 };

	v_gettime(id, &ts);
	return ns(&ts);
}

static int n_cpus(void)
{
	return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

static bool move_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0;
}

static void move_anywhere(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < n_cpus(); i++)
		CPU_SET(i, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* How often a clock was seen to step back, the two ways of reading mixed, over the CPUs. */
static int steps_back(int id, int rounds)
{
	long long last = by_call(id), now;
	int back = 0;

	for (int i = 0; i < rounds; i++) {
		if (i % 64 == 0)
			move_to(i / 64 % n_cpus());
		now = i % 3 ? by_vdso(id) : by_call(id);
		back += now < last;
		last = now;
	}
	move_anywhere();
	return back;
}

static void reading(void)
{
	for (unsigned i = 0; i < N_CLOCKS; i++) {
		struct timespec ts = { -1, -1 }, ts2 = { -1, -1 };
		int id = clocks[i].id;

		is_int(v_gettime(id, &ts), 0, "%s", clocks[i].name);
		ok(ts.tv_sec >= 0 && ts.tv_nsec >= 0 && ts.tv_nsec < NSEC, "%s is well formed", clocks[i].name);
		is_int(steps_back(id, 4000), 0, "%s never steps back, by call or not, on any CPU", clocks[i].name);
		is_int(v_getres(id, &ts), 0, "clock_getres(%s)", clocks[i].name);
		syscall(SYS_clock_getres, id, &ts2);
		ok(!memcmp(&ts, &ts2, sizeof(ts)), "clock_getres(%s) is the call's", clocks[i].name);
		is_int(v_getres(id, NULL), 0, "clock_getres(%s) without a buffer", clocks[i].name);
	}
}

static void relations(void)
{
	int coarse = 0, taken = 0, tai = 0, tod = 0, seconds = 0;
	struct timex tx = { 0 };

	adjtimex(&tx);
	for (int i = 0; i < 500; i++) {
		long long a = by_vdso(CLOCK_MONOTONIC_COARSE), b = by_vdso(CLOCK_MONOTONIC), c = by_call(CLOCK_BOOTTIME), d, e;
		struct timeval tv;
		time_t s, t = 0;

		coarse += a > b;
		taken += b > c;
		b = by_vdso(CLOCK_REALTIME_COARSE);
		d = by_call(CLOCK_REALTIME);
		e = by_vdso(CLOCK_TAI);
		coarse += b > d;
		tai += e < d + tx.tai * NSEC || by_call(CLOCK_REALTIME) + tx.tai * NSEC < e;
		v_gettimeofday(&tv, NULL);
		e = by_vdso(CLOCK_REALTIME);
		tod += tv.tv_usec < 0 || tv.tv_usec >= 1000000 || tv.tv_sec * 1000000LL + tv.tv_usec < d / 1000 || tv.tv_sec * 1000000LL + tv.tv_usec > e / 1000;
		b = by_call(CLOCK_REALTIME_COARSE);
		s = i & 1 ? v_time(&t) : syscall(SYS_time, &t);
		d = by_vdso(CLOCK_REALTIME_COARSE);
		seconds += s != t || s < b / NSEC || s > d / NSEC;
	}
	is_int(coarse, 0, "coarse clocks are not ahead of the fine ones");
	is_int(taken, 0, "CLOCK_BOOTTIME by call is not behind CLOCK_MONOTONIC by the vDSO");
	is_int(tai, 0, "CLOCK_TAI is CLOCK_REALTIME and the offset");
	is_int(tod, 0, "gettimeofday lies between two clock_gettime");
	is_int(seconds, 0, "time is the seconds of CLOCK_REALTIME_COARSE");
}

/* A coarse clock moves on by itself. */
static void coarse(void)
{
	long long first = by_vdso(CLOCK_MONOTONIC_COARSE);

	while (by_vdso(CLOCK_MONOTONIC_COARSE) == first && by_vdso(CLOCK_MONOTONIC) - first < 60 * NSEC)
		;
	ok(by_vdso(CLOCK_MONOTONIC_COARSE) > first, "the coarse clock moves on");
	ok(by_vdso(CLOCK_MONOTONIC) - by_vdso(CLOCK_MONOTONIC_COARSE) < 60 * NSEC, "and is near");
}

static void processors(void)
{
	int wrong = 0;

	for (int i = 0; i < 200; i++) {
		unsigned cpu = ~0u, node = ~0u, cpu2 = ~0u, node2 = ~0u;
		int want = i % n_cpus();

		move_to(want);
		wrong += v_getcpu(&cpu, &node, NULL) != 0 || syscall(SYS_getcpu, &cpu2, &node2, NULL) != 0;
		wrong += cpu != (unsigned)want || cpu2 != cpu || node2 != node;
	}
	move_anywhere();
	is_int(wrong, 0, "getcpu names the CPU and node, as the call does");
	is_int(v_getcpu(NULL, NULL, NULL), 0, "getcpu without buffers");
}

/* --- Threads: each reads both ways and compares with the greatest value anybody has seen before. */

static volatile int is_over;
static long long greatest[N_CLOCKS];

static void *racer(void *arg)
{
	long back = 0;

	(void)arg;
	for (unsigned n = 0; !__atomic_load_n(&is_over, __ATOMIC_RELAXED); n++) {
		unsigned c = n / 2 % 6 == 0 ? 1 : n / 2 % 6;	/* not CLOCK_REALTIME, which is set; nor what follows it */
		long long seen, now;

		if (c == 3 || c == 5)
			c = 6;
		seen = __atomic_load_n(&greatest[c], __ATOMIC_SEQ_CST);
		now = n & 1 ? by_vdso(clocks[c].id) : by_call(clocks[c].id);
		back += now < seen;
		while (now > seen && !__atomic_compare_exchange_n(&greatest[c], &seen, now, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
		if (n % 256 == 0)
			move_to((int)(n / 256 % (unsigned)n_cpus()));
	}
	return (void *)back;
}

static void set_and_check(long long to, int *wrong)
{
	struct timespec ts = { to / NSEC, to % NSEC };
	long long a, b, c, d;

	if (syscall(SYS_clock_settime, CLOCK_REALTIME, &ts)) {
		++*wrong;
		return;
	}
	a = by_vdso(CLOCK_REALTIME);
	b = by_call(CLOCK_REALTIME);
	c = by_vdso(CLOCK_REALTIME_COARSE);
	d = by_call(CLOCK_REALTIME_COARSE);
	*wrong += a < to || a > to + 600 * NSEC || b < a || c < to || c > to + 600 * NSEC || d < c;
}

static void setting(void)
{
	pthread_t threads[3];
	struct timex saved = { 0 }, tx;
	long long start = by_call(CLOCK_REALTIME), mono = by_call(CLOCK_MONOTONIC);
	long back = 0;
	int wrong = 0, steered = 0;

	adjtimex(&saved);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, racer, NULL);
	for (int i = 0; i < 60; i++) {
		set_and_check(start + (i & 1 ? 1000 : -1000) * (long long)i * NSEC, &wrong);
		tx = (struct timex){ .modes = ADJ_TICK | ADJ_FREQUENCY, .tick = i & 1 ? 9000 : 11000, .freq = i & 2 ? 32768000 : -32768000 };
		steered += adjtimex(&tx) < 0;
		for (int n = 0; n < 50; n++)
			sched_yield();
	}
	__atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 3; i++) {
		void *result;

		pthread_join(threads[i], &result);
		back += (long)result;
	}
	is_int(wrong, 0, "a clock that was set is seen at once, by both, fine and coarse");
	is_int(steered, 0, "adjtimex takes tick and frequency");
	is_int(back, 0, "no thread saw a clock step back while it was set and steered");
	tx = (struct timex){ .modes = ADJ_TAI, .constant = 37 };
	ok(adjtimex(&tx) >= 0, "the TAI offset is set");
	ok(by_vdso(CLOCK_TAI) - by_call(CLOCK_REALTIME) <= 37 * NSEC, "and seen");
	ok(by_call(CLOCK_TAI) - by_vdso(CLOCK_REALTIME) <= 37 * NSEC, "by both");
	tx = (struct timex){ .modes = ADJ_TICK | ADJ_FREQUENCY | ADJ_TAI, .tick = saved.tick, .freq = saved.freq, .constant = saved.tai };
	adjtimex(&tx);
	set_and_check(start + by_call(CLOCK_MONOTONIC) - mono, &wrong);
}

static void zone(void)
{
	struct timezone tz = { 0, 0 }, tz2 = { -60, 3 }, former;
	struct timeval tv;

	syscall(SYS_gettimeofday, &tv, &former);
	syscall(SYS_settimeofday, &tv, &tz2);
	is_int(v_gettimeofday(&tv, &tz), 0, "gettimeofday with a time zone");
	ok(tz.tz_minuteswest == -60 && tz.tz_dsttime == 3, "tells the kernel's zone");
	is_int(v_gettimeofday(NULL, &tz), 0, "gettimeofday of the zone alone");
	is_int(v_gettimeofday(NULL, NULL), 0, "gettimeofday of nothing");
	syscall(SYS_settimeofday, &tv, &former);
}

/* --- Errors. */

static sigjmp_buf escape;
static volatile int fault_code;
static void *volatile fault_addr;

static void on_fault(int sig, siginfo_t *si, void *uc)
{
	(void)sig;
	(void)uc;
	fault_code = si->si_code;
	fault_addr = si->si_addr;
	siglongjmp(escape, 1);
}

static bool faults(void (*fn)(void))
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO }, former;
	bool has_faulted;

	sigaction(SIGSEGV, &sa, &former);
	has_faulted = sigsetjmp(escape, 1) != 0;
	if (!has_faulted)
		fn();
	sigaction(SIGSEGV, &former, NULL);
	return has_faulted;
}

/* Where the kernel takes the machine's counter for unusable these are calls. */
static volatile int call_result;

static void null_timespec(void) { call_result = v_gettime(CLOCK_MONOTONIC, NULL); }
static void bad_timespec(void) { v_gettime(CLOCK_REALTIME_COARSE, (void *)16); }
static void bad_timeval(void) { call_result = v_gettimeofday((void *)16, NULL); }
static void bad_time(void) { v_time((void *)16); }
static void bad_cpu(void) { v_getcpu((void *)16, NULL, NULL); }

static void errors(void)
{
	struct timespec ts;

	is_int(v_gettime(99, &ts), -EINVAL, "clock_gettime of clock 99");
	is_int(v_gettime(-1, &ts), -EINVAL, "clock_gettime of clock -1");
	is_int(v_gettime(31, &ts), -EINVAL, "clock_gettime of clock 31");
	is_int(v_getres(99, &ts), -EINVAL, "clock_getres of clock 99");
	is_int(v_gettime(CLOCK_THREAD_CPUTIME_ID, (void *)16), -EFAULT, "what is a call answers a bad pointer as a call does");
	ok(faults(null_timespec) ? fault_addr < (void *)16 && fault_code == SEGV_MAPERR : call_result == -EFAULT, "clock_gettime faults on NULL, or is a call");
	ok(faults(bad_timespec), "clock_gettime of a coarse clock faults on a bad pointer");
	ok(faults(bad_timeval) ? fault_addr >= (void *)16 && fault_addr <= (void *)24 : call_result == -EFAULT, "gettimeofday faults on a bad pointer, or is a call");
	ok(faults(bad_time) && fault_addr == (void *)16, "time faults on a bad pointer");
	ok(faults(bad_cpu) && fault_addr == (void *)16, "getcpu faults on a bad pointer");
}

/* --- The areas. */

struct area {
	uintptr_t start, end;
	char perms[8];
};

static bool find_area(const char *name, struct area *out)
{
	char line[512];
	FILE *f = fopen("/proc/self/maps", "r");
	bool is_found = false;

	while (f && !is_found && fgets(line, sizeof(line), f))
		if (strstr(line, name) && sscanf(line, "%lx-%lx %7s", &out->start, &out->end, out->perms) == 3)
			is_found = true;
	if (f)
		fclose(f);
	return is_found;
}

static void find_flags(const char *name, char *out, size_t max)
{
	char line[512];
	FILE *f = fopen("/proc/self/smaps", "r");
	bool is_it = false;

	*out = 0;
	while (f && fgets(line, sizeof(line), f)) {
		if (strstr(line, name))
			is_it = true;
		else if (is_it && !strncmp(line, "VmFlags:", 8)) {
			snprintf(out, max, "%s", line + 8);
			break;
		}
	}
	if (f)
		fclose(f);
}

static struct area vdso, vvar;

static void areas(void)
{
	char flags[512], byte;
	int fds[2], mem;

	if (!ok(find_area("[vdso]", &vdso) && find_area("[vvar]", &vvar), "both areas are in /proc/self/maps"))
		bail_out("no areas");
	is_int((long)(vdso.start - getauxval(AT_SYSINFO_EHDR)), 0, "[vdso] is where AT_SYSINFO_EHDR says");
	is_int((long)(vdso.start - vvar.end), 0, "[vvar] lies right below it");
	ok(!strcmp(vdso.perms, "r-xp"), "[vdso] is r-xp");
	ok(!strcmp(vvar.perms, "r--p"), "[vvar] is r--p");
	find_flags("[vdso]", flags, sizeof(flags));
	ok(strstr(flags, " rd") && strstr(flags, " ex") && strstr(flags, " mr mw me") && !strstr(flags, " wr") && !strstr(flags, " ac"), "flags of [vdso]");
	find_flags("[vvar]", flags, sizeof(flags));
	ok(strstr(flags, " rd") && strstr(flags, " mr") && !strstr(flags, " mw") && !strstr(flags, " ac") && strstr(flags, " io") && strstr(flags, " de") &&
	   strstr(flags, " dd"), "flags of [vvar]");
	is_errno(mprotect((void *)vvar.start, vvar.end - vvar.start, PROT_READ | PROT_WRITE) == -1, EACCES, "[vvar] cannot be made writable");
	is_errno(mprotect((void *)vvar.start, vvar.end - vvar.start, PROT_READ | PROT_EXEC) == -1, EACCES, "nor executable");
	mem = open("/proc/self/mem", O_RDWR);
	is_int(pread(mem, &byte, 1, (off_t)vdso.start + 1), 1, "[vdso] is read through /proc/self/mem");
	is_int(byte, 'E', "and is the image");
	is_errno(pread(mem, &byte, 1, (off_t)vvar.start) == -1, EIO, "[vvar] is not");
	is_errno(pwrite(mem, "x", 1, (off_t)vvar.start) == -1, EIO, "nor written");
	close(mem);
	is_int(pipe(fds), 0, "a pipe");
	is_int(write(fds[1], (void *)vvar.start, 16), 16, "write takes bytes of [vvar]");
	is_errno(read(fds[0], (void *)vvar.start, 16) == -1, EFAULT, "read puts none there");
	is_errno(read(fds[0], (void *)vdso.start, 16) == -1, EFAULT, "nor into [vdso]");
	is_errno(madvise((void *)vvar.start, vvar.end - vvar.start, MADV_DONTNEED) == -1, EINVAL, "madvise does not drop [vvar]");
	is_int(mlock((void *)vdso.start, vdso.end - vdso.start), 0, "mlock of [vdso]");
	find_flags("[vdso]", flags, sizeof(flags));
	ok(!strstr(flags, " lo"), "changes nothing");
	ok(by_vdso(CLOCK_MONOTONIC) > 0, "all goes on");
}

static int child_reads(void)
{
	struct area a;

	return find_area("[vdso]", &a) && a.start == vdso.start && steps_back(CLOCK_MONOTONIC, 500) == 0 ? 0 : 1;
}

/* Changes of [vdso] in a child, so that the parent keeps his. */
static int child_writes(void)
{
	size_t len = vdso.end - vdso.start;
	unsigned char *p = (void *)vdso.start;

	if (mprotect(p, len, PROT_READ | PROT_WRITE | PROT_EXEC))
		return 1;
	p[8] ^= 0xff;			/* padding of e_ident */
	if (mprotect(p, len, PROT_READ | PROT_EXEC))
		return 2;
	return by_vdso(CLOCK_MONOTONIC) > 0 ? 0 : 3;
}

static void read_coarse(void) { by_vdso(CLOCK_MONOTONIC_COARSE); }

static int child_none(void)
{
	if (mprotect((void *)vvar.start, vvar.end - vvar.start, PROT_NONE))
		return 1;
	if (!faults(read_coarse) || fault_code != SEGV_ACCERR)
		return 2;
	if (mprotect((void *)vvar.start, vvar.end - vvar.start, PROT_READ))
		return 3;
	return by_vdso(CLOCK_MONOTONIC) > 0 ? 0 : 4;
}

static int child_unmaps(void)
{
	struct area a;

	if (munmap((void *)vvar.start, vvar.end - vvar.start) || munmap((void *)vdso.start, vdso.end - vdso.start))
		return 1;
	if (find_area("[vdso]", &a) || find_area("[vvar]", &a))
		return 2;
	return by_call(CLOCK_MONOTONIC) > 0 ? 0 : 3;
}

/* Both moved together, numbers below image: the functions work there. */
static int child_moves(void)
{
	size_t low = vvar.end - vvar.start, high = vdso.end - vdso.start;
	uintptr_t to = (uintptr_t)mmap(NULL, low + high, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int (*moved)(clockid_t, struct timespec *);
	struct timespec ts = { 0, 0 };
	struct area a;

	if (mremap((void *)vvar.start, low, low, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)to) != (void *)to)
		return 1;
	if (mremap((void *)vdso.start, high, high, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)(to + low)) != (void *)(to + low))
		return 2;
	if (!find_area("[vdso]", &a) || a.start != to + low)
		return 3;
	moved = (void *)((uintptr_t)v_gettime - vdso.start + to + low);
	return moved(CLOCK_MONOTONIC, &ts) == 0 && ns(&ts) > 0 ? 0 : 4;
}

static int child_grows(void)
{
	size_t len = vdso.end - vdso.start;

	return mremap((void *)vdso.start, len, len + 4096, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT ? 0 : 1;
}

/* Where an area has more than one page. */
static int child_splits(void)
{
	const struct area *a = vdso.end - vdso.start > 4096 ? &vdso : &vvar;

	if (a->end - a->start <= 4096)
		return 0;
	if (!munmap((void *)a->start, 4096) || errno != EINVAL)
		return 1;
	return mprotect((void *)a->start, 4096, PROT_NONE) == -1 && errno == EINVAL ? 0 : 2;
}

static void changing(void)
{
	static const unsigned char want[1];

	is_int(in_child(child_reads), 0, "a child has it at the same place");
	is_int(in_child(child_writes), 0, "[vdso] can be made writable: a copy");
	ok(((const unsigned char *)vdso.start)[8] == want[0], "nobody else sees what was written");
	is_int(in_child(child_none), 0, "mprotect of [vvar] to nothing and back");
	is_int(in_child(child_unmaps), 0, "both can be unmapped");
	is_int(in_child(child_moves), 0, "both can be moved");
	is_int(in_child(child_grows), 0, "neither can grow");
	is_int(in_child(child_splits), 0, "nor be cut");
}

/* --- exec, in the program executed: says where it has the vDSO. */

static int report(void)
{
	uintptr_t at = getauxval(AT_SYSINFO_EHDR);
	struct area a;

	if (!parse(at) || !find_area("[vdso]", &a) || a.start != at)
		return 1;
	v_gettime = find("__vdso_clock_gettime");
	if (!v_gettime || steps_back(CLOCK_MONOTONIC, 300))
		return 1;
	printf("%lx\n", (unsigned long)at);
	return 0;
}

static unsigned long run_again(char *self)
{
	char text[32] = "";
	char *args[] = { self, "report", NULL };
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	if (pipe(fds))
		return 0;
	pid = fork();
	if (!pid) {
		munmap((void *)vdso.start, vdso.end - vdso.start);	/* a new program has it all the same */
		dup2(fds[1], 1);
		execv("/proc/self/exe", args);
		_exit(1);
	}
	close(fds[1]);
	n = read(fds[0], text, sizeof(text) - 1);
	close(fds[0]);
	waitpid(pid, &status, 0);
	return n > 0 && !status ? strtoul(text, NULL, 16) : 0;
}

static void executing(char *self)
{
	unsigned long first = run_again(self), other = first;

	ok(first != 0, "a program executed has the vDSO");
	for (int i = 0; i < 4 && other == first; i++)
		other = run_again(self);
	ok(other && other != first, "at another place each time");
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return report();
	look_up();
	reading();
	relations();
	coarse();
	processors();
	errors();
	areas();
	changing();
	executing(argv[0]);
	setting();
	zone();
	return done_testing();
}
