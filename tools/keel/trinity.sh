# SPDX-License-Identifier: MPL-2.0
# In the guest, for ./keel trinity: trinity for $2 seconds as $1 (root or nobody), then what is left.
who=$1 seconds=$2

# What would end the machine, or cut us off from it, at no fault of the kernel's: the two serial
# lines (the console and the link to the run agent), SysRq's power-off and crash; as root the calls
# that boot another kernel, and those that take away the file systems which we look at afterwards.
for file in /dev/ttyS0 /dev/ttyS1 /dev/console /proc/sysrq-trigger; do
	mount --bind /dev/null $file || exit 1
done
options='-q -l off -a 64 -C 4 --stats --disable-fds=sockets'
[ "$who" = nobody ] && as='setpriv --reuid 65534 --regid 65534 --clear-groups'
[ "$who" = root ] && options="$options --dangerous -x reboot -x kexec_load -x kexec_file_load -x umount -x pivot_root"

free_kb() {
	sync
	awk '/^MemFree:/ { free = $2 } /^SReclaimable:/ { cached = $2 } END { print free + cached }' /proc/meminfo
}

mounts=$(wc -l </proc/mounts)
touch /root/begun
mkdir -m 777 /tmp/trinity /tmp/trinity/work
exec 3>/tmp/trinity.log 4</tmp/trinity.log # whatever happens to the name
before=$(free_kb)
cd /tmp/trinity/work || exit 1
# shellcheck disable=SC2086
timeout -s INT -k 300 "$seconds" ${as-} trinity $options >&3 2>&1
echo "trinity ended: $?"
cd /
mount -t proc proc /proc # root may have mounted something there
# The victims of a signal storm need a while to go.
for _ in $(seq 50); do
	left=$(pgrep -c '^trinity')
	[ "$left" = 0 ] && break
	pkill -KILL '^trinity'
	sleep 0.2
done
echo "processes left: $left"
pgrep -l '^trinity'
# name: (attempted:N. success:N. failures:N.
sed -n 's/^\([a-z0-9_]*\): (attempted:\([0-9]*\)\. success:\([0-9]*\).*/call \1 \2 \3/p' <&4
exec 3>&- 4<&-
# What root has mounted hides files, and those he made elsewhere are memory, too.
while [ "$(wc -l </proc/mounts)" -gt "$mounts" ]; do
	umount -l "$(tail -n 1 /proc/mounts | cut -d ' ' -f 2)" || break
done
find /dev/shm /tmp -mindepth 1 -delete 2>/dev/null
for file in $(find / /dev -xdev -type f -cnewer /root/begun); do
	echo "left: $(stat -c '%b blocks of %B, %n' "$file")"
	rm -f "$file"
done
for _ in 1 2; do # names of files that were looked up keep memory, and may; what they held goes the second time
	echo 3 >/proc/sys/vm/drop_caches
	sleep 1
done
echo "memory: $before kB before, $(free_kb) kB after"
bash -c 'echo alive'
