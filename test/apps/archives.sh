# SPDX-License-Identifier: MPL-2.0
# keel-test: root=debian-min seconds=60
# Archives and compressors over a tree; find, grep, sort, awk and sed over the same.
mkdir -p tree/{a,b,c}/{x,y}; n=0
for d in tree/*/*; do for i in 1 2 3 4 5; do n=$((n + 1)); seq $n $((n * 20)) >$d/f$i.txt; done; done
ln -s ../a/x/f1.txt tree/b/link; ln tree/a/x/f1.txt tree/c/hard; mkfifo tree/fifo; chmod 750 tree/a; chmod 4755 tree/b/y/f1.txt
touch -d '2020-02-02 02:02:02.5' tree/a/x/f2.txt; truncate -s 1M tree/sparse; touch "tree/with space"
sum() { (cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16); }
sum tree
for c in gzip bzip2 xz 'xz -T2 --block-size=64KiB'; do
	tar cf - tree | $c >t.packed && mkdir -p out && ${c%% *} -dc <t.packed | tar xf - -C out && echo "$c: $(sum out/tree)"; ${c%% *} -t <t.packed && echo "tested"
	rm -rf out
done
tar czf t.tgz --exclude='*.txt' tree && tar tzf t.tgz | sort; tar cf t.tar tree; tar df t.tar && echo "no difference"
mkdir out; tar xf t.tar -C out; stat -c '%n %A %s %h' out/tree/b/y/f1.txt out/tree/c/hard out/tree/a/x/f2.txt; readlink out/tree/b/link; du -k out/tree/sparse
head -c 100 t.tgz | gzip -dc 2>&1 >/dev/null | sed 's/gzip: //'; echo "status ${PIPESTATUS[1]}"
seq 20000 >big; xz -k -T2 big; xz -dc big.xz | cmp - big && echo same; gzip -k big; zcat big.gz | tail -n 1; bzip2 -k big; bzcat big.bz2 | wc -l; xz --robot -l big.xz | awk '/^totals/ { print $3 }'
xzgrep -c 777 big.xz; zgrep -c 999 big.gz; zdiff big.gz big.gz && echo "zdiff same"
echo "== find"
find tree -name 'f[12].txt' -size +1 | sort | head -n 3; find tree -type l -o -type p | sort; find tree -perm -4000; find tree -samefile tree/c/hard | sort
find tree -newermt 2020-01-01 ! -newermt 2021-01-01; find tree -type d -empty; find tree -name '*.txt' -exec wc -l {} + | tail -n 1; find tree -maxdepth 1 -printf '%f %y %m\n' | sort
find tree -type f -print0 | xargs -0 -P 4 -n 3 wc -c | grep -v total | sort -n | tail -n 2; find out -delete; ls -d out 2>&1
echo "== text"
grep -rn '^199$' tree | sort | head -n 3; grep -rlZ 400 tree | tr '\0' '\n' | wc -l; grep -c '' tree/a/x/f5.txt; grep -oE '[0-9]{4}' tree/a/y/f3.txt | sort -u | wc -l; grep -P '^(\d)\1{2}$' tree/a/x/f5.txt | tr '\n' ' '; echo
cat tree/*/*/*.txt | sort -n | uniq -c | sort -k1,1nr -k2,2n | head -n 3; sort -S 1M -R big | sort -n | cmp - big && echo sorted; sort --parallel=2 -rn big | head -n 1
awk '{ s += $1; c[$1 % 7]++ } END { for (i = 0; i < 7; i++) printf "%d ", c[i]; print s }' big; awk -F: -v OFS=, '{ print $1, $3 }' /etc/passwd; awk 'BEGIN { while (("echo a b c" | getline x) > 0) print toupper(x); "date -u -d @0 +%F" | getline d; print d; print length("äö"), substr("keel", 2, 2), match("foobar", /o+/), RLENGTH }'
stat -c %Y out/tree/a/x/f2.txt 2>/dev/null; sed -n '5~5000p;$p' big; sed -E 's/^([0-9])([0-9]*)$/\2\1/;3q' big; sed -i.bak '2,$d' big; cat big; wc -l <big.bak; sed '1!G;h;$!d' <<<$'1\n2\n3'
