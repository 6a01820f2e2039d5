# SPDX-License-Identifier: MPL-2.0
# keel-test: root=debian-min seconds=60
# coreutils: files, text, numbers, states.
echo "== text"
printf '%s\n' 'b 2 x' 'a 10 y' 'c 1 z' 'a 9 w' >t; sort -k1,1 -k2,2n t; sort -k2,2nr t | head -n 1; sort -t' ' -k3 -r t | tail -n 1; sort -h <<<$'2K\n1M\n512'; sort -V <<<$'v1.10\nv1.9'
join <(sort t) <(echo 'a first'; echo 'c third'); comm -12 <(seq 1 5) <(seq 3 8); comm -3 <(seq 1 3) <(seq 2 4) | tr '\t' '>'
seq 1 100 | split -l 30 - part.; wc -l part.* | tail -n 5; split -b 10 -d t bin.; ls bin.*; csplit -s t /c/; cat xx01; cat part.* | tac | head -n 2
cut -d' ' -f2 t | paste -sd+; nl t; fold -w 3 <<<abcdefgh; expand <<<$'a\tb' | od -c; tr -s 'a' <<<aaabaa; fmt -w 20 <<<"some words that go over more lines"; pr -h title -l 5 -t t; column -t t
uniq -c <<<$'a\na\nb'; shuf -i 1-50 | sort -n | tail -n 1; factor 97 100 1000000007; numfmt --to=iec 1048576 123456789; seq -s, -w 8 11; expr 7 \* 6; expr keel : 'k\(.*\)l'; tsort <<<'a b b c'
echo "== sums"
seq 1000 >s; md5sum s; sha1sum s; sha256sum s; sha512sum s | cut -c1-20; b2sum s | cut -c1-20; cksum s; sha256sum s >sums; sha256sum -c sums; base64 <<<keel; base32 <<<keel | base32 -d; od -An -tx1z -N 16 s
echo "== files"
dd if=/dev/zero of=z bs=1k count=64 2>&1 | sed 's/,.*//'; dd if=s of=z conv=notrunc bs=1 seek=10 count=4 status=none; od -c -j 8 -N 8 z; dd if=/dev/urandom bs=1M count=2 status=none | wc -c; dd if=/dev/zero of=/dev/full bs=1 count=1 2>&1 | grep -o 'No space.*'
truncate -s 1G hole; stat -c '%s %F %a %h %U:%G' hole; du -k hole; truncate -s -1M hole; stat -c %s hole; rm hole; fallocate -l 100k fal; stat -c '%s %b' fal
mkdir -p d/e/f; echo data >d/e/f/file; ln d/e/f/file hard; ln -s d/e/f/file soft; ln -sfn d soft2; stat -c '%h %F' hard; readlink -f soft; realpath --relative-to=d/e soft; readlink soft2
touch -d @1000000000 d/e/f/file; cp -a d copy; stat -c '%n %Y %A' copy/e/f/file; cp -r --sparse=always z zc; cmp z zc && echo same; cp -l s sl; [ s -ef sl ] && echo "same inode"; cp --backup=numbered t s; ls s*
mv -n s t; mv -v t renamed; install -m 750 -D s in/st/alled; stat -c %a in/st/alled; chmod u+s,g-w,o=r in/st/alled; ls -l in/st | tail -n 1 | cut -c1-10; chown 1:2 hard; stat -c %u:%g hard; chgrp 0 hard; mkdir -m 1777 sticky; stat -c %A sticky
mktemp -u XXXX | wc -c; rmdir d/e 2>&1; rm -rf d; rm none 2>&1; ls -A in; ls -lR copy | grep -c file; du -a copy | wc -l; test -L soft -a ! -e soft && echo dangling; mkfifo p; mknod nul c 1 3; stat -c '%F %t %T' nul; echo x >nul; stat -f -c '%T %s' /tmp; sync s; df --output=target / | tail -n 1
echo "== processes"
nproc | grep -c .; timeout 1 yes | head -n 20000 | uniq -c; nice -n 5 nice; nohup sh -c 'trap | head -c 1; echo ran' 2>/dev/null; env -i A=1 env; env -u HOME printenv HOME; echo $?; stdbuf -oL echo buffered | cat; (sleep 0.1 | tail -f --pid=$! -n 0 /dev/null) & wait; date -u -d '2026-02-28 +1 day' +%F; date -u -d @86399 +%T; id -u; whoami; groups; hostname; uname -s -m; arch; tty; logname 2>/dev/null; chroot / /bin/echo chrooted; kill -l 15; printf '%d %s\n' "'A" end; yes n | head -n 2; who | wc -l; users
seq 5 | tee a b >/dev/null | cat; cat a b | wc -l; tail -n +4 a; tail -c 4 b; (echo start; sleep 0.4; echo more) >grow & tail -f --pid=$! -s 0.1 grow 2>/dev/null | head -n 2; wait; basename /x/y.c .c; dirname /x/y; pathchk -p 'a b' 2>&1; vdir -d / | cut -c1-10; dircolors | head -c 9; echo; mkdir 'odd name'; ls -Q -d odd*
