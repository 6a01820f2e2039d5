/* SPDX-License-Identifier: MPL-2.0 */
/* Debian's programs at work, counted whole: shell commands in the image debian-min. */
#include "kbench.h"

#define SQL_ROWS \
	"create table t(a integer primary key, b text, c integer); create index i on t(c); begin;" \
	"with recursive n(x) as (select 1 union all select x+1 from n where x<3000)" \
	" insert into t select x, 'text ' || x, (x*7919)%1009 from n; commit;" \
	"select sum(c), count(distinct c) from t; update t set c=c+1 where a%3=0; delete from t where a%5=0;" \
	"select b from t where c between 10 and 40 order by b limit 5;"

#define SOURCES \
	"for i in 1 2 3 4; do { echo '#include <stdio.h>'; echo '#include <stdlib.h>'; echo '#include <string.h>';" \
	" for j in $(seq 1 60); do echo \"int f$i$j(int n) { return n < 2 ? $j : f$i$j(n - 1) + n * $j; }\"; done; } > s$i.c; done;" \
	"echo 'int main(void) { return 0; }' > main.c"

const struct app apps[] = {
	{"sqlite-memory", NULL, "sqlite3 :memory: \"" SQL_ROWS "\""},
	{"sqlite-tmpfs", NULL, "sqlite3 file.db \"" SQL_ROWS "\""},
	{"compile", SOURCES, "for i in s1 s2 s3 s4 main; do tcc -c -o $i.o $i.c || exit 1; done; tcc -o prog *.o && ./prog"},
	{"python-start", NULL, "PYTHONHASHSEED=0 python3 -c pass"},
	{"python-loop", NULL, "PYTHONHASHSEED=0 python3 -c 'd = {}\nfor i in range(20000): d[i % 977] = d.get(i % 977, 0) + i\nprint(sum(d.values()))'"},
	{"tar-gzip", "cp -r /usr/include/x86_64-linux-gnu/bits .", "tar cf - bits | gzip -1 > bits.tgz && tar xzf bits.tgz -C /tmp/kbench"},
	{"shell-loop", "seq 1 500 > numbers",
	 "for i in 1 2; do ls /usr/bin; cat numbers; wc numbers; head numbers; tail numbers; sort -rn numbers; uniq numbers; cut -c1 numbers;"
	 " tr 1 2 < numbers; grep 7 numbers; sed s/1/2/ numbers; awk '{n += $1} END {print n}' numbers; date; uname -a; id; expr 6 '*' 7;"
	 " basename /a/b; dirname /a/b; cp numbers copy; rm copy; done"},
	{"hackbench", NULL,
	 "for p in 1 2 3 4 5 6 7 8; do { for i in 1 2 3 4 5; do seq 1 2000; done | cat | cat > /dev/null; } & done; wait"},
	{NULL, NULL, NULL},
};
