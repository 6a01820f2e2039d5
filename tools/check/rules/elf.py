# SPDX-License-Identifier: MPL-2.0
"""Rule 5 on the finished image, build/keel.elf: how it boots (DESIGN.md section 5), W^X, canaries, no vector registers, size."""
import re
import struct

from model import Plant, Rule, Skip, Violation, append, both, replace

IMAGE = 'build/keel.elf'
MAX_BYTES = 2 << 20
PVH_NOTE = (b'Xen\0', 18)
PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_GNU_STACK = 1, 2, 3, 4, 0x6474e551
SHT_NOTE, SHT_NOBITS, EXEC, WRITE = 7, 8, 1, 2
SHF_WRITE, SHF_ALLOC, SHF_EXEC = 1, 2, 4
VECTOR = re.compile(r'%[xyz]mm\d|%mm[0-7]|%st\b|\t(?:fld|fst|fild|fist|fninit|fxsave|fxrstor|xsave|xrstor|ldmxcsr|stmxcsr|emms)\w*\b')


class Elf:
    """Segments and sections of a little-endian ELF64 file."""

    def __init__(self, data):
        if data[:5] != b'\x7fELF\x02':
            raise ValueError('not an ELF64 file')
        self.data = data
        phoff, shoff = struct.unpack_from('<QQ', data, 32)
        phentsize, phnum, shentsize, shnum, shstrndx = struct.unpack_from('<HHHHH', data, 54)
        self.segments = [dict(zip(('type', 'flags', 'offset', 'vaddr', 'paddr', 'filesz', 'memsz', 'align'), struct.unpack_from(
            '<IIQQQQQQ', data, phoff + n * phentsize))) for n in range(phnum)]
        self.sections = [dict(zip(('name', 'type', 'flags', 'addr', 'offset', 'size'), struct.unpack_from(
            '<IIQQQQ', data, shoff + n * shentsize))) for n in range(shnum)]
        names = self.sections[shstrndx]['offset'] if self.sections else 0
        for section in self.sections:
            start = names + section['name']
            section['name'] = data[start:data.index(b'\0', start)].decode(errors='replace')

    def notes(self):
        """(segment, name, type, descriptor size) of every note of every PT_NOTE."""
        for segment in self.segments:
            at, end = segment['offset'], segment['offset'] + segment['filesz']
            while segment['type'] == PT_NOTE and at + 12 <= end:
                namesz, descsz, kind = struct.unpack_from('<III', self.data, at)
                yield segment, self.data[at + 12:at + 12 + namesz], kind, descsz
                at += 12 + (namesz + 3) // 4 * 4 + (descsz + 3) // 4 * 4


def image(tree):
    """The release kernel as it is now, or None. Built first unless the tree has no Makefile."""
    if not hasattr(tree, 'image'):
        tree.image, tree.image_error = None, None
        done = tree.build.run(['make', '--no-print-directory', '-j%d' % tree.jobs, IMAGE])
        try:
            tree.image = Elf(tree.raw(IMAGE))
        except (ValueError, struct.error) as error:
            tree.image_error = str(error)
        if done.returncode:
            tree.image_error = 'make %s: %s' % (IMAGE, ' / '.join(done.stderr.decode(errors='replace').strip().split('\n')[-2:]))
    return tree.image


def disassembly(tree):
    """(function, instruction) of all code, read once."""
    if not hasattr(tree, 'instructions'):
        text = tree.build.run(['objdump', '-dw', '--no-show-raw-insn', IMAGE]).stdout.decode(errors='replace')
        tree.instructions, name = [], ''
        for line in text.split('\n'):
            if line.endswith('>:'):
                name = line[line.index('<') + 1:-2]
            elif '\t' in line:
                tree.instructions.append((name, line[line.index('\t'):]))
    return tree.instructions


def on_image(check):
    def wrapped(tree):
        elf = image(tree)
        if tree.image_error and check is present:
            yield Violation(IMAGE, 1, tree.image_error)
        elif tree.image_error:
            raise Skip('no image of this tree')
        else:
            for message in check(tree, elf):
                yield Violation(IMAGE, 1, message)
    return wrapped


def present(tree, elf):
    if not any(s['type'] == PT_LOAD for s in elf.segments):
        yield 'has nothing to load'
    for segment in elf.segments:
        if segment['type'] in (PT_DYNAMIC, PT_INTERP):
            yield 'wants a dynamic loader'


def notes(tree, elf):
    found = list(elf.notes())
    if len(found) != 1 or len([s for s in elf.segments if s['type'] == PT_NOTE]) != 1:
        yield '%d notes in %d note segments; exactly one, PVH\'s' % (len(found), len([s for s in elf.segments if s['type'] == PT_NOTE]))
    for segment, name, kind, size in found:
        if (name, kind) != PVH_NOTE or size != 8 or segment['align'] != 4:
            yield 'note %r type %d, descriptor of %d bytes, alignment %d; PVH\'s is b\'Xen\\0\' type 18, 8 bytes, 4' % (
                name, kind, size, segment['align'])
    stray = [s['name'] for s in elf.sections if s['type'] == SHT_NOTE]
    if len(stray) != 1:
        yield 'note sections: %s; exactly one' % (' '.join(stray) or 'none')


def write_xor_execute(tree, elf):
    for n, segment in enumerate(elf.segments):
        if segment['flags'] & WRITE and segment['flags'] & EXEC and segment['memsz']:
            yield 'segment %d is writable and executable' % n
    for section in elf.sections:
        if section['flags'] & SHF_WRITE and section['flags'] & SHF_EXEC:
            yield 'section %s is writable and executable' % section['name']
        if section['name'].startswith(('.text', '.rodata')) and section['flags'] & SHF_WRITE:
            yield 'section %s is writable' % section['name']
        home = [s for s in elf.segments if s['type'] == PT_LOAD and s['vaddr'] <= section['addr'] < s['vaddr'] + s['memsz']]
        if section['name'].startswith('.text') and any(s['flags'] & WRITE for s in home):
            yield 'section %s lies in a writable segment' % section['name']


def canaries(tree, elf):
    code = disassembly(tree)
    calls = sum('<__stack_chk_fail' in text for _, text in code)
    if not calls:
        yield 'nothing calls __stack_chk_fail: built without the stack protector'
    if not any('%gs:0x28' in text for _, text in code):
        yield 'no canary is read at gs:40'
    tree.notes.append('functions with a canary: %d' % calls)


def vectors(tree, elf):
    allowed = set()
    for path in tree.layered('.c', '.S'):
        if path.startswith('frame/x86_64/') and 'fpu' in path.rsplit('/', 1)[1]:
            allowed.update(re.findall(r'\w+', tree.code(path)))
    told = set()
    for name, text in disassembly(tree):
        if VECTOR.search(text) and name.split('.')[0] not in allowed | told:
            told.add(name.split('.')[0])
            yield '%s uses floating point or vector registers: `%s`' % (name, ' '.join(text.split()))


def size(tree, elf):
    loaded = sum(s['filesz'] for s in elf.segments if s['type'] == PT_LOAD)
    initramfs = sum(s['size'] for s in elf.sections if 'initramfs' in s['name'] and s['type'] != SHT_NOBITS and s['flags'] & SHF_ALLOC)
    if not initramfs:
        table = tree.build.run(['nm', IMAGE]).stdout.decode()
        ends = {w: int(a, 16) for a, w in re.findall(r'^([0-9a-f]+) \w \w*?initramfs\w*?_(start|end)\w*$', table, re.M)}
        initramfs = max(0, ends.get('end', 0) - ends.get('start', 0))
    tree.notes.append('image without the initramfs: %d KiB in the file, %d KiB in memory (initramfs %d KiB)' % (
        (loaded - initramfs) >> 10, (sum(s['memsz'] for s in elf.segments if s['type'] == PT_LOAD) - initramfs) >> 10, initramfs >> 10))
    if loaded - initramfs > MAX_BYTES:
        yield '%d bytes without the initramfs; at most %d' % (loaded - initramfs, MAX_BYTES)


LINK = 'frame/x86_64/keel.lds'
RULES = [
    Rule(5, 'image', 'build/keel.elf is one static image', on_image(present), [
        Plant('does not link', replace('frame/core/log.c', 'log_line(', 'log_lines('))], needs='elf'),
    Rule(5, 'one-note', 'some loaders take the last note they see: there is one, and it is PVH\'s', on_image(notes), [
        Plant('a stray note', append('frame/x86_64/entry.S', '\n\t.section .note.stray, "a", @note\n\t.long 4, 4, 1, 0x41414100, 0\n')),
        Plant('a short descriptor', both(replace('frame/x86_64/entry.S', '.long 4, 8, 18', '.long 4, 4, 18'),
              replace('frame/x86_64/entry.S', '.quad start', '.long 0')))], needs='elf'),
    Rule(5, 'write-xor-execute', 'what can be written cannot be run', on_image(write_xor_execute), [
        Plant('writable code', append('frame/x86_64/entry.S', '\n\t.section .data.patch, "awxR"\n\tret\n')),
        Plant('writable segment', replace(LINK, 'text PT_LOAD FLAGS(5)', 'text PT_LOAD FLAGS(7)'))], needs='elf'),
    Rule(5, 'canaries', 'a stack that was overrun must not return', on_image(canaries), [
        Plant('no stack protector', replace('Makefile', '-fstack-protector-strong', '-fno-stack-protector'))], needs='elf'),
    Rule(5, 'no-vector-registers', 'the user\'s FPU state is in the registers while the kernel runs', on_image(vectors), [
        Plant('floating point', replace('frame/x86_64/entry.S', 'user_gate:', 'user_gate:\n\tmovaps %xmm0, %xmm1'))], needs='elf'),
    Rule(5, 'image-size', 'under 2 MiB without the initramfs', on_image(size), [
        Plant('a big table', append('frame/x86_64/entry.S', '\n\t.section .rodata.big, "aR"\n\t.fill 3 << 20, 1, 1\n'))], needs='elf'),
]
