# SPDX-License-Identifier: MPL-2.0
# keel-test: root=debian-min seconds=60
# The Tiny C Compiler: compiles and runs programs, static data, threads, setjmp, floating point.
cat >fib.c <<'END'
#include <stdio.h>
static unsigned long fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
int main(void) { for (int i = 0; i <= 25; i += 5) printf("fib(%d) = %lu\n", i, fib(i)); return 7; }
END
cat >qsort.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static int up(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int main(int argc, char **argv)
{
	int n = atoi(argv[1]), *v = malloc(n * sizeof(*v)), bad = 0;
	srand(1);
	for (int i = 0; i < n; i++) v[i] = rand() % 100000;
	qsort(v, n, sizeof(*v), up);
	for (int i = 1; i < n; i++) bad += v[i - 1] > v[i];
	printf("%d sorted, %d out of order, %d %d %s\n", n, bad, v[0], bsearch(&v[5], v, n, sizeof(*v), up) != NULL, strerror(2));
	return 0;
}
END
cat >threads.c <<'END'
#include <pthread.h>
#include <stdio.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
static int total, ready;
static void *work(void *arg)
{
	pthread_mutex_lock(&lock);
	while (!ready) pthread_cond_wait(&turn, &lock);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < 10000; i++) { pthread_mutex_lock(&lock); total++; pthread_mutex_unlock(&lock); }
	return (char *)arg + 1;
}
int main(void)
{
	pthread_t t[8];
	long sum = 0;
	for (long i = 0; i < 8; i++) pthread_create(&t[i], NULL, work, (void *)i);
	pthread_mutex_lock(&lock); ready = 1; pthread_cond_broadcast(&turn); pthread_mutex_unlock(&lock);
	for (int i = 0; i < 8; i++) { void *r; pthread_join(t[i], &r); sum += (long)r; }
	printf("total %d, sum %ld\n", total, sum);
	return 0;
}
END
cat >misc.c <<'END'
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
static jmp_buf back; static sigjmp_buf fault;
static void deeper(int n) { if (!n) longjmp(back, 42); deeper(n - 1); }
static void segv(int sig) { siglongjmp(fault, sig); }
static void leave(void) { printf("atexit\n"); }
int main(void)
{
	int r = setjmp(back), fds[2], status;
	volatile int count = 0;
	if (!r) deeper(100);
	printf("longjmp %d\n", r);
	signal(SIGSEGV, segv);
	for (int i = 0; i < 3; i++) if (!sigsetjmp(fault, 1)) *(volatile int *)8 = 1; else count++;
	printf("faults %d\n", count);
	printf("[%5d|%-5d|%05d|%+d|%x|%#o|%c|%5.2f|%g|%e|%s|%.3s|%ld|%llu|%%|%zu]\n", 42, 42, 42, 42, 255, 8, 'k', 3.14159, 1e10, 12345.678, "str", "string",
	       -1L, ~0ull, sizeof(long double));
	printf("%.6f %.6f %.0f\n", sin(1), sqrt(2), pow(2, 40));
	char *p = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pipe(fds);
	fflush(stdout);
	if (!fork()) { p[5000] = 'x'; write(fds[1], "pipe", 4); _exit(11); }
	char buf[8] = ""; read(fds[0], buf, 4); wait(&status);
	printf("%c %s %d\n", p[5000], buf, WEXITSTATUS(status));
	printf("%d %d\n", open("/no/such", 0), errno);
	atexit(leave);
	return 0;
}
int open(const char *, int, ...);
END
sed -i 's/^#include <errno.h>/#include <errno.h>\n#include <fcntl.h>/; /^int open/d' misc.c
tcc -o fib fib.c && ./fib; echo "status $?"
tcc -o qs qsort.c && ./qs 20000
tcc -o threads threads.c -lpthread && ./threads && ./threads
tcc -o misc misc.c -lm && ./misc
tcc -run fib.c | tail -n 1
tcc -c fib.c -o fib.o && tcc -o fib2 fib.o && ./fib2 | head -n 1
echo 'int twice(int x) { return 2 * x; }' >lib.c; tcc -shared -o libtwice.so lib.c
echo '#include <stdio.h>
int twice(int); int main(void) { printf("%d\n", twice(21)); return 0; }' >use.c
tcc -o use use.c -L. -ltwice && LD_LIBRARY_PATH=. ./use
echo 'int main(void) { return undeclared; }' | tcc -c - -o bad.o; echo "status $?"
for i in $(seq 20); do echo "int main(void) { return $i; }" >r.c; tcc -run r.c; echo -n "$? "; done; echo
tcc -g -b -o bounds fib.c 2>/dev/null && ./bounds | head -n 2
