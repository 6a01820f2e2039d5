# SPDX-License-Identifier: MPL-2.0
# Files and folders as the tools see them: links, modes, times, trees, sparse files, errors.
echo "== tree"
mkdir -p a/b/c d; echo one > a/1; echo two > a/b/2; ln a/1 a/hard; ln -s b/2 a/soft; ln -s nowhere a/dangling
find a | sort
cat a/soft a/hard; cat a/dangling
stat -c '%n %s %h %a %F' a/1 a/b a/soft | sed 's/ 4096 \| [0-9]* \(2\|3\) 755/ dir \1 755/'
readlink a/soft; readlink -f a/soft | sed "s,$PWD,.,"
echo "== rename and remove"
mv a/1 a/uno; cat a/hard; mv a/b d/; find a d | sort
rmdir d; rm -r d; rm a/nothing; mv a/nothing b; ls a
mv a a/inside; cp a/hard a/copy; cmp a/hard a/copy && echo same
echo "== modes and owners"
touch m; chmod 4751 m; ls -l m | cut -c1-10; chmod u-s,g+w,o=r m; stat -c %a m
chown 12:34 m; stat -c '%u:%g' m
mkdir sticky; chmod 1777 sticky; ls -ld sticky | cut -c1-10
echo "== times"
touch -d '2001-02-03 04:05:06' t; stat -c %y t; touch -r t u; [ t -nt u ] || [ u -nt t ] || echo equal
date -u -r t '+%Y-%m-%d %H:%M:%S'
echo "== sizes"
dd if=/dev/zero of=sparse bs=1 count=1 seek=10485759 2>/dev/null; stat -c %s sparse
truncate -s 5 sparse; wc -c < sparse; truncate -s 1M sparse; md5sum < sparse
dd if=/dev/zero bs=4096 count=300 2>/dev/null | tr '\0' x > big; sum=$(md5sum < big); cp big big2
[ "$sum" = "$(md5sum < big2)" ] && echo "copy agrees"; tail -c 3 big; echo
printf 'middle' | dd of=big bs=1 seek=5000 conv=notrunc 2>/dev/null; dd if=big bs=1 skip=4999 count=8 2>/dev/null; echo
fallocate -l 100000 fell; stat -c %s fell
echo "== many"
mkdir many; (cd many; seq 1 2000 | xargs touch; ls | wc -l; ls | sort -n | tail -n 1; rm -- *7*; ls | wc -l)
i=0; path=.; while [ $i -lt 100 ]; do path=$path/deep; mkdir $path; i=$((i + 1)); done; echo x > $path/f; find . -name f | wc -c
rm -r deep; ls deep 2>&1
echo "== errors"
cat /no/such; cd many/1; mkdir many; rmdir many; ln many hard-dir; > many; cat many; ls /etc/passwd/x
echo x > /dev/full; cat /dev/null | wc -c; head -c 5 /dev/zero | hexdump -C
name=$(printf '%0300d' 0); touch $name 2>&1 | sed 's/0*0/N/'
echo "== mounts"
mkdir mnt; mount -t tmpfs -o size=64k,mode=700 none mnt && stat -c %a mnt; head -c 100000 /dev/zero > mnt/f; wc -c < mnt/f
cd mnt; umount ../mnt; cd ..; umount mnt && ls mnt
