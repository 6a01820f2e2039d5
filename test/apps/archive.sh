# SPDX-License-Identifier: MPL-2.0
# Archives and compression: what goes in comes out.
mkdir -p tree/sub; cp /bin/busybox tree/program; seq 1 20000 > tree/sub/numbers; head -c 200000 /dev/zero > tree/zeros
ln tree/sub/numbers tree/hard; ln -s sub/numbers tree/soft; mkfifo tree/fifo; chmod 600 tree/zeros; touch -d '2020-01-01' tree/zeros
list() { (cd "$1"; find . -type f | sort | xargs md5sum; find . -type l | sort | xargs readlink; stat -c '%n %a %h %F' hard zeros fifo); }
list tree > before
for how in z j; do
	tar -c${how}f tree.tar tree && mkdir out.$how && tar -x${how}f tree.tar -C out.$how && list out.$how/tree | cmp - before && echo "tar $how"
done
tar -cf tree.tar tree; tar -tf tree.tar | sort
(cd tree; find . | sort | cpio -o -H newc 2>/dev/null) > tree.cpio; mkdir out.cpio; (cd out.cpio; cpio -id < ../tree.cpio 2>/dev/null); list out.cpio | cmp - before && echo cpio
for tool in gzip bzip2; do
	$tool -c tree/program > packed && $tool -dc packed | cmp - tree/program && echo $tool
done
gzip -c tree/zeros | wc -c
head -c 100 packed | gunzip 2>/dev/null; echo "truncated: $?"
