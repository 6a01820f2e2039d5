# SPDX-License-Identifier: MPL-2.0
# Text tools on text that they make themselves.
seq 1 5000 | awk '{ printf "%d %s%d %d\n", $1, "key", ($1 * 7919) % 1000, ($1 * $1) % 97 }' > table
echo "== sums"; md5sum table; sha1sum table; sha256sum table; sha512sum table; cksum table 2>/dev/null || crc32 table
echo "== sort"; sort -k2,2 -k3,3n table | md5sum; sort -k3,3nr -k1,1n table | head -n 3; sort -u -k2,2 table | wc -l
echo "== awk"; awk '{ n[$2]++; s += $3 } END { for (k in n) c++; print c, s, NR, s / NR }' table
awk 'BEGIN { printf "%.6f %g %e %x %o %c|%5s|%-5s|\n", 2 / 3, 1e100, 12345.678, 255, 8, 65, "ab", "cd" }'
echo "== sed"; sed -n -e '10,12p' -e 's/key\([0-9]*\)/<\1>/w marked' table; head -n 2 marked; sed '1!G;h;$!d' table | head -n 1
echo "== grep"; grep -c 'key1[0-9]\{2\} ' table; grep -n '^4999 ' table; grep -v key table | wc -l; grep -E '^(1|22|333) ' table
echo "== cut, paste, tr"; cut -d' ' -f2 table | tr -d key | sort -n | uniq -c | sort -rn | head -n 1 | awk '{print $1}'
paste -d: table table | cut -c1-20 | head -n 1; tr a-z A-Z < table | tail -n 1; rev table | head -n 1
echo "== diff"; sed 's/^2500 .*/changed/' table > other; diff -u table other | grep '^[-+@]' | tail -n 3; diff table table && echo equal
echo "== od, base64"; head -c 40 table | od -c | head -n 2; head -c 40 table | hexdump -C | head -n 2; base64 table | tail -n 1; base64 table | base64 -d | cmp - table && echo decoded
echo "== bc"; echo '2^200; scale=20; 4*a(1)' | bc -l; echo '5 3 ^ p' | dc
echo "== expr, fold, nl"; expr 17 % 5; expr abcdef : 'abc\(.*\)'; fold -w 20 marked | head -n 2; nl table | head -n 1
echo "== ed"; printf '1,3p\n1d\nw small\nq\n' | ed marked 2>/dev/null; wc -l small
