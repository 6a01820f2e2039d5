# SPDX-License-Identifier: MPL-2.0
# keel-test: root=debian-min seconds=60
# SQLite: transactions, two processes that write at once, the WAL journal, integrity.
sqlite3 a.db 'CREATE TABLE t(id INTEGER PRIMARY KEY, who TEXT, n INT); CREATE INDEX i ON t(n);'
add() { for i in $(seq 20); do echo "PRAGMA busy_timeout=60000; BEGIN IMMEDIATE; INSERT INTO t(who,n) VALUES('$1',$i); COMMIT;"; done | sqlite3 a.db | sort -u; }
add one & add two & add three & wait
sqlite3 a.db 'SELECT who, count(*), sum(n) FROM t GROUP BY who ORDER BY who; PRAGMA integrity_check; PRAGMA journal_mode;'
echo "== WAL"
sqlite3 a.db 'PRAGMA journal_mode=WAL;'
sqlite3 a.db 'PRAGMA busy_timeout=60000; INSERT INTO t(who,n) WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<3000) SELECT "bulk",x FROM c; SELECT changes();' >bulk &
add four & wait; cat bulk
sqlite3 a.db 'SELECT who, count(*), sum(n) FROM t GROUP BY who ORDER BY who; PRAGMA integrity_check; PRAGMA wal_checkpoint(TRUNCATE);'
echo "== rollback"
sqlite3 a.db 'BEGIN; DELETE FROM t; SELECT count(*) FROM t; ROLLBACK; SELECT count(*) FROM t;'
printf '%s\n' 'BEGIN IMMEDIATE; UPDATE t SET n=n+1;' '.shell kill -9 $PPID' >killed.sql; bash -c 'sqlite3 a.db <killed.sql; exit $?' 2>/dev/null; echo "killed: $?"
sqlite3 a.db 'SELECT count(*), sum(n) FROM t; PRAGMA integrity_check;'
echo "== queries"
sqlite3 a.db "SELECT n % 10 AS d, count(*), max(n) FROM t WHERE who='bulk' GROUP BY d HAVING d < 4 ORDER BY 2 DESC, 1; SELECT json_extract('{\"a\":[1,2]}','\$.a[1]'), printf('%05d', 42), hex(zeroblob(3));"
sqlite3 a.db .dump | sqlite3 b.db; sqlite3 b.db 'PRAGMA journal_mode=DELETE; DELETE FROM t WHERE n>10; VACUUM; SELECT count(*) FROM t;'; [ "$(stat -c %s a.db)" -gt "$(stat -c %s b.db)" ] && echo smaller
sqlite3 a.db '.timeout 100' 'BEGIN EXCLUSIVE; SELECT 1;' '.shell sqlite3 a.db "BEGIN IMMEDIATE" 2>&1' 'COMMIT;'
python3 - <<'END'
import sqlite3, threading
db = sqlite3.connect("c.db"); db.execute("PRAGMA journal_mode=WAL"); db.execute("CREATE TABLE k(v)"); db.commit()
def put(n):
    own = sqlite3.connect("c.db", timeout=60)
    for i in range(20):
        with own: own.execute("INSERT INTO k VALUES(?)", (n,))
ts = [threading.Thread(target=put, args=(n,)) for n in range(4)]
for t in ts: t.start()
for t in ts: t.join()
print(db.execute("SELECT count(*), sum(v) FROM k").fetchone(), db.execute("PRAGMA integrity_check").fetchone())
END
