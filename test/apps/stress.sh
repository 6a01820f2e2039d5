# SPDX-License-Identifier: MPL-2.0
# keel-test: root=debian-test seconds=180
# stress-ng's classes, each for a number of operations and with its own checks (--verify). epoll's stressor talks over sockets, which are to come.

limits="--clone-max 16 --pthread-max 16 --mmap-bytes 4m --mremap-bytes 1m --mmap-async --timeout 60"

for class in cpu fork clone futex pthread mmap mremap sem eventfd timer signal pipe; do
	case $class in
	cpu | fork) ops="--$class-ops 10" ;;
	clone | mmap | mremap) ops="--$class-ops 2" ;;
	sem) ops="--timeout 1" ;;	# it goes by time alone
	*) ops="--$class-ops 50" ;;
	esac
	if said=$(stress-ng --verify --temp-path /tmp $limits --$class 2 $ops 2>&1); then
		echo "$class passed"
	else
		echo "$class: $?: $(echo "$said" | grep -v info:)"
	fi
done
