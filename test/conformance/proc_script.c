/* SPDX-License-Identifier: MPL-2.0 */
/* execve(2) of scripts and of ELF files that are odd or broken: an errno or the right program, never worse. */
#include "tap.h"
#include <elf.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static char self[256];
#define FILE_NAME "/tmp/exec_test"

static void make(const char *name, const void *data, size_t len)
{
	int fd;

	unlink(name);
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		bail_out("cannot make %s", name);
	close(fd);
}

static int run(const char *path, char *const argv[])
{
	int err[2], e = 0, status;
	pid_t pid;

	if (pipe2(err, O_CLOEXEC))
		bail_out("pipe");
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 2);
		execve(path, argv, (char *[]){ NULL });
		e = errno;
		if (write(err[1], &e, sizeof(e)) != sizeof(e))
			_exit(99);
		_exit(98);
	}
	close(err[1]);
	if (read(err[0], &e, sizeof(e)) != sizeof(e))
		e = 0;
	close(err[0]);
	waitpid(pid, &status, 0);
	return e ? 1000 + e : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* --- scripts */

static int script(const char *text)
{
	make(FILE_NAME, text, strlen(text));
	return run(FILE_NAME, (char *[]){ "zero", "one", "two words", NULL });
}

/* The interpreter is this program; it checks what it was given against `want`, the rest of argv[1] behind '?'. */
static int be(int argc, char **argv)
{
	char line[2048] = "";

	for (int i = 1; i < argc; i++) {
		strcat(line, "[");
		strcat(line, argv[i]);
		strcat(line, "]");
	}
	if (!strcmp(line, "[" FILE_NAME "][one][two words]"))
		return 10;
	if (!strcmp(line, "[-x][" FILE_NAME "][one][two words]"))
		return 11;
	if (!strcmp(line, "[-x y  z][" FILE_NAME "][one][two words]"))
		return 12;
	if (!strcmp(line, "[/tmp/exec_1][" FILE_NAME "][one][two words]"))
		return 13;
	if (!strncmp(line, "[aaaaaaaa", 9))
		return 14;
	if (!strcmp(line, "[a][b][/tmp/exec_1][c][" FILE_NAME "][one][two words]"))
		return 15;
	if (strstr(line, "/tmp/exec_1]") && strstr(line, "/tmp/exec_4]"))
		return 16;
	if (!strncmp(line, "[/dev/fd/", 9))
		return 17;
	return 60 + argc;
}

static void scripts(void)
{
	char text[600], long_text[1000];
	int fd;
	pid_t pid;
	int status;

	snprintf(text, sizeof(text), "#!%s\nwhatever\n", self);
	is_int(script(text), 10, "an interpreter");
	snprintf(text, sizeof(text), "#! \t %s \t\n", self);
	is_int(script(text), 10, "blanks around it");
	snprintf(text, sizeof(text), "#!%s", self);
	is_int(script(text), 10, "no newline");
	snprintf(text, sizeof(text), "#!%s -x \t\nrest", self);
	is_int(script(text), 11, "an argument");
	snprintf(text, sizeof(text), "#!%s  -x y  z\n", self);
	is_int(script(text), 12, "an argument with blanks is one");
	is_int(script("#!\n"), 1000 + ENOEXEC, "no interpreter");
	is_int(script("#!   "), 1000 + EACCES, "only blanks");
	is_int(script("#!"), 1000 + EACCES, "only the mark");
	is_int(script("#!/nonexistent/x\n"), 1000 + ENOENT, "an interpreter that is not there");
	is_int(script("#!/tmp\n"), 1000 + EACCES, "a directory as interpreter");
	is_int(script("#!/dev/null\n"), 1000 + EACCES, "a device as interpreter");
	make("/tmp/exec_interp", "#!/bin/sh\n", 10);
	chmod("/tmp/exec_interp", 0644);
	is_int(script("#!/tmp/exec_interp\n"), 1000 + EACCES, "an interpreter without execute permission");
	unlink("/tmp/exec_interp");
	symlink("/tmp/exec_interp", "/tmp/exec_interp");
	is_int(script("#!/tmp/exec_interp\n"), 1000 + ELOOP, "a symlink to itself as interpreter");
	unlink("/tmp/exec_interp");
	is_int(script("#!" FILE_NAME "/x\n"), 1000 + ENOTDIR, "an interpreter below the script itself");
	is_int(script("#!" FILE_NAME "\n"), 1000 + ELOOP, "the script itself");
	is_int(script("#?"), 1000 + ENOEXEC, "some text");
	is_int(script(""), 1000 + ENOEXEC, "an empty file");
	memset(long_text, 0, sizeof(long_text));
	memset(text, 'a', 400);
	text[400] = 0;
	snprintf(long_text, sizeof(long_text), "#!%s %s\n", self, text);
	is_int(script(long_text), 14, "a long argument is cut");
	snprintf(long_text, sizeof(long_text), "#!/%s\n", text);
	is_int(script(long_text), 1000 + ENOEXEC, "a long interpreter is refused");
	snprintf(text, sizeof(text), "#!%s a\n", self);
	fd = -1;
	make(FILE_NAME, text, strlen(text));
	fd = open(FILE_NAME, O_RDONLY);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		syscall(SYS_execveat, fd, "", (char *[]){ "x", NULL }, (char *[]){ NULL }, AT_EMPTY_PATH);
		_exit(errno);
	}
	waitpid(pid, &status, 0);
	ok(WEXITSTATUS(status) == 63, "a script by descriptor");
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	pid = fork();
	if (pid == 0) {
		syscall(SYS_execveat, fd, "", (char *[]){ "x", NULL }, (char *[]){ NULL }, AT_EMPTY_PATH);
		_exit(errno);
	}
	waitpid(pid, &status, 0);
	is_int(WEXITSTATUS(status), ENOENT, "but not by a close-on-exec one");
	close(fd);
}

static void chains(void)
{
	char name[32], text[300];

	snprintf(text, sizeof(text), "#!%s\n", self);
	make("/tmp/exec_1", text, strlen(text));
	is_int(script("#!/tmp/exec_1\n"), 13, "a script as interpreter");
	for (int i = 2; i <= 6; i++) {
		snprintf(name, sizeof(name), "/tmp/exec_%d", i);
		snprintf(text, sizeof(text), "#!/tmp/exec_%d\n", i - 1);
		make(name, text, strlen(text));
	}
	is_int(run("/tmp/exec_4", (char *[]){ "x", NULL }), 16, "four scripts deep");
	is_int(run("/tmp/exec_5", (char *[]){ "x", NULL }), 16, "five scripts deep");
	is_int(run("/tmp/exec_6", (char *[]){ "x", NULL }), 1000 + ELOOP, "six are too many");
	make("/tmp/exec_1", "#!/tmp/exec_1\n", 14);
	is_int(run("/tmp/exec_1", (char *[]){ "x", NULL }), 1000 + ELOOP, "a script that names itself");
	for (int i = 1; i <= 6; i++) {
		snprintf(name, sizeof(name), "/tmp/exec_%d", i);
		unlink(name);
	}
}

/* --- ELF. The smallest program: headers and code that exits with 42. */

static const unsigned char code[] = { 0x31, 0xff, 0x40, 0xb7, 42, 0xb8, 60, 0, 0, 0, 0x0f, 0x05 };	/* xor edi,edi; mov dil,42; mov eax,60; syscall */

struct tiny {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[4];
	unsigned char code[4096];
};

static struct tiny tiny;

static void fresh(void)
{
	memset(&tiny, 0, sizeof(tiny));
	memcpy(tiny.eh.e_ident, ELFMAG "\2\1\1", 7);
	tiny.eh.e_type = ET_EXEC;
	tiny.eh.e_machine = EM_X86_64;
	tiny.eh.e_version = 1;
	tiny.eh.e_phoff = offsetof(struct tiny, ph);
	tiny.eh.e_ehsize = sizeof(Elf64_Ehdr);
	tiny.eh.e_phentsize = sizeof(Elf64_Phdr);
	tiny.eh.e_phnum = 1;
	tiny.ph[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x400000, .p_filesz = sizeof(tiny), .p_memsz = sizeof(tiny), .p_align = 4096 };
	tiny.eh.e_entry = 0x400000 + offsetof(struct tiny, code);
	memcpy(tiny.code, code, sizeof(code));
}

static int elf(void)
{
	make(FILE_NAME, &tiny, sizeof(tiny));
	return run(FILE_NAME, (char *[]){ "x", NULL });
}

static void elfs(void)
{
	fresh();
	is_int(elf(), 42, "a tiny ELF program");
	tiny.eh.e_type = ET_DYN;
	tiny.ph[0].p_vaddr = 0;
	tiny.eh.e_entry = offsetof(struct tiny, code);
	is_int(elf(), 42, "the same, position-independent");
	tiny.ph[0].p_align = 0x200000;
	is_int(elf(), 42, "with a large alignment");
	fresh();
	tiny.eh.e_phnum = 2;
	tiny.ph[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_vaddr = 0x500000, .p_memsz = 0x100000, .p_align = 4096 };
	memcpy(tiny.code, "\x8b\x3c\x25\x00\x00\x58\x00" "\x40\x80\xc7\x2a" "\xb8\x3c\0\0\0\x0f\x05", 18);	/* mov edi,[0x580000]; add dil,42; exit */
	is_int(elf(), 42, "a segment without file contents is zero");
	tiny.ph[1].p_memsz = 0x1000;
	is_int(elf(), 128 + 11, "and ends where it says");
	fresh();
	tiny.eh.e_entry = 0x10;
	is_int(elf(), 128 + 11, "an entry at nothing");
	fresh();
	tiny.ph[0].p_flags = PF_R;
	is_int(elf(), 128 + 11, "code that may not be executed");
	fresh();
	tiny.eh.e_machine = EM_AARCH64;
	is_int(elf(), 1000 + ENOEXEC, "another machine");
	fresh();
	tiny.eh.e_type = ET_REL;
	is_int(elf(), 1000 + ENOEXEC, "an object file");
	fresh();
	tiny.eh.e_phentsize = 32;
	is_int(elf(), 1000 + ENOEXEC, "program headers of another size");
	fresh();
	tiny.eh.e_phnum = 0;
	is_int(elf(), 1000 + ENOEXEC, "no program headers");
	fresh();
	tiny.eh.e_phoff = 1UL << 40;
	is_int(elf(), 1000 + ENOEXEC, "program headers beyond the file");
	make(FILE_NAME, &tiny, 60);
	is_int(run(FILE_NAME, (char *[]){ "x", NULL }), 1000 + ENOEXEC, "half a header");
	fresh();
	make(FILE_NAME, &tiny, 64);
	is_int(run(FILE_NAME, (char *[]){ "x", NULL }), 1000 + ENOEXEC, "a header alone");
}

static void interp(const void *text, size_t len, size_t said)
{
	fresh();
	tiny.eh.e_phnum = 2;
	memcpy(tiny.code + 100, text, len);
	tiny.ph[1] = (Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = offsetof(struct tiny, code) + 100, .p_filesz = said };
}

static void interpreters(void)
{
	static const char none[] = "/nonexistent/ld.so", dir[] = "/tmp", null[] = "/dev/null";

	interp(none, sizeof(none), sizeof(none));
	is_int(elf(), 1000 + ENOENT, "an interpreter that is not there");
	interp(dir, sizeof(dir), sizeof(dir));
	is_int(elf(), 1000 + EACCES, "a directory as interpreter");
	interp(null, sizeof(null), sizeof(null));
	is_int(elf(), 1000 + EACCES, "a device as interpreter");
	interp(none, sizeof(none), sizeof(none) - 1);
	is_int(elf(), 1000 + ENOEXEC, "an interpreter's name without NUL");
	interp(none, sizeof(none), 1);
	is_int(elf(), 1000 + ENOEXEC, "an interpreter's name that is too short");
	interp(none, sizeof(none), 5000);
	is_int(elf(), 1000 + ENOEXEC, "one that is too long");
	make("/tmp/exec_interp", "text that is no program at all, but as long as a header would have to be, and so on", 80);
	interp("/tmp/exec_interp", 17, 17);
	is_int(elf(), 1000 + ELIBBAD, "an interpreter that is no program");
	fresh();
	tiny.eh.e_type = ET_DYN;
	tiny.ph[0].p_vaddr = 0;
	tiny.eh.e_entry = offsetof(struct tiny, code);
	tiny.ph[0].p_flags |= PF_W;
	tiny.code[4] = 43;
	make("/tmp/exec_interp", &tiny, sizeof(tiny));
	interp("/tmp/exec_interp", 17, 17);
	is_int(elf(), 43, "an interpreter runs instead of the program");
	chmod("/tmp/exec_interp", 0644);
	is_int(elf(), 1000 + EACCES, "not without execute permission");
	interp(FILE_NAME, sizeof(FILE_NAME), sizeof(FILE_NAME));
	tiny.eh.e_type = ET_DYN;
	tiny.ph[0].p_vaddr = 0;
	tiny.ph[0].p_flags |= PF_W;
	tiny.eh.e_entry = offsetof(struct tiny, code);
	is_int(elf(), 42, "a program that is its own interpreter");
	interp("", 1, 2);
	is_int(elf(), 1000 + EACCES, "an empty name is the current directory");
	interp("/tmp/exec_interp\0more", 22, 22);
	chmod("/tmp/exec_interp", 0755);
	is_int(elf(), 43, "what follows a NUL is not looked at");
	make("/tmp/exec_interp", "#!/bin/sh\n", 10);
	interp("/tmp/exec_interp", 17, 17);
	is_int(elf(), 1000 + EIO, "a short script as interpreter");
	unlink("/tmp/exec_interp");
}

static int exit_3(void)
{
	return 3;
}

/* Whatever single byte of the headers is changed, the outcome is an errno, a signal or an exit. */
static void fuzzed(void)
{
	unsigned seed = 12345;
	int bad = 0;

	for (int i = 0; i < 300; i++) {
		size_t at;
		int r;

		fresh();
		tiny.eh.e_phnum = 3;
		tiny.ph[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = 0x800, .p_vaddr = 0x500800, .p_filesz = 0x300, .p_memsz = 0x3000, .p_align = 4096 };
		tiny.ph[2] = (Elf64_Phdr){ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W };
		seed = seed * 1103515245 + 12345;
		at = (seed >> 8) % offsetof(struct tiny, code);
		seed = seed * 1103515245 + 12345;
		((unsigned char *)&tiny)[at] = (unsigned char)(seed >> 16);
		r = elf();
		bad += r < 0;
	}
	is_int(bad, 0, "300 damaged programs");
	is_int(in_child(exit_3), 3 << 8, "and the system goes on");
}

int main(int argc, char **argv)
{
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (argc > 1)
		return be(argc, argv);
	if (n <= 0)
		strcpy(self, argv[0]);
	mkdir("/tmp", 01777);
	scripts();
	chains();
	elfs();
	interpreters();
	fuzzed();
	unlink(FILE_NAME);
	return done_testing();
}
