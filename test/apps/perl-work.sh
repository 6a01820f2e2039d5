# SPDX-License-Identifier: MPL-2.0
# keel-test: root=debian-min seconds=60
# Perl: regular expressions, processes, pipes, signals, files.
cat >suite.pl <<'END'
use strict; use warnings; $| = 1;
print "== text\n";
my $text = join " ", map { "word$_=" . $_ * $_ } 1 .. 30;
my %h = $text =~ /(\w+)=(\d+)/g; print scalar(keys %h), " $h{word12}\n";
(my $t = "The quick brown fox") =~ s/(\w+)/\u\L$1/g; print "$t ", scalar reverse("abc"), "\n";
print join("|", split /\s*,\s*/, "a , b,c ,d"), " ", "aaa" =~ /^(a)(?=a)(?!b)/ ? "look" : "no", "\n";
my $re = qr/^(?<y>\d{4})-(?<m>\d\d)$/x; "2026-11" =~ $re and print "$+{m}/$+{y}\n";
my ($n, $balanced) = (0); $balanced = qr/\((?:[^()]++|(??{$balanced}))*\)/; print "x(a(b)c)y" =~ /($balanced)/ ? "$1\n" : "none\n";
print join(",", sort { $a <=> $b } map { $_ ** 2 % 101 } 1 .. 20), "\n";
printf "%-6s|%06.2f|%x|%b|%e\n", "ab", 3.14159, 255, 10, 12345.678;
print pack("A3 n C", "hello", 258, 65), " ", join(".", unpack("C4", pack("N", 0xC0A80001))), " ", sprintf("%vd", "1.22.333"), "\n";
my $s = "x" x 100000; $s =~ tr/x/y/; print length($s =~ s/y{2}/z/gr), "\n";
print "== processes\n";
my @out;
for my $i (1 .. 20) { my $pid = fork // die; if (!$pid) { exit $i } waitpid $pid, 0; push @out, $? >> 8 }
print "@out\n";
pipe(my $r, my $w) or die; my $pid = fork; if (!$pid) { close $r; print $w "line $_\n" for 1 .. 1000; exit 0 }
close $w; my @lines = <$r>; waitpid $pid, 0; print scalar(@lines), " $lines[-1]";
open my $p, "-|", "sort", "-n", "suite.pl" or die; my $c = () = <$p>; close $p; print "lines ", $c > 30 ? "many" : "few", " $?\n";
open $p, "|-", "tr a-z A-Z" or die; print $p "to a pipe\n"; close $p;
print `echo backticks; exit 3`, $? >> 8, "\n"; system("kill -9 \$\$"); print $? & 127, "\n";
if (open my $kid, "-|") { print "child said: ", <$kid>; close $kid; } else { print "hello from $0\n"; exit }
print "== signals\n";
my $got = 0; $SIG{USR1} = sub { $got++ }; kill USR1 => $$ for 1 .. 3; print "usr1 $got\n";
eval { local $SIG{ALRM} = sub { die "alarm\n" }; alarm 1; select undef, undef, undef, 10; }; print $@;
$SIG{CHLD} = "IGNORE"; fork || exit 0; 1 while wait != -1; print "reaped by itself\n"; $SIG{CHLD} = "DEFAULT";
local $SIG{PIPE} = sub { print "sigpipe\n" }; pipe($r, $w); close $r; syswrite $w, "x"; print $!{EPIPE} ? "epipe\n" : "other\n";
print "== files\n";
mkdir "d" or die; for my $i (1 .. 50) { open my $f, ">", "d/f$i" or die; print $f "x" x $i; close $f }
my @files = sort { -s $a <=> -s $b } glob "d/*"; print scalar(@files), " $files[0] $files[-1] ", -s $files[-1], "\n";
rename "d/f1", "d/g"; unlink map { "d/f$_" } 2 .. 50; opendir my $d, "d"; print join(" ", sort grep { !/^\./ } readdir $d), "\n";
symlink "g", "d/s"; print readlink "d/s", " ", (-l "d/s" ? "link" : "no"), " ", (stat "d/s")[7], " ", sprintf("%o", (lstat "d/s")[2] & 0170000), "\n";
open my $f, "+>", "data" or die; print $f join "\n", 1 .. 5000; seek $f, 0, 0; my $sum = 0; while (<$f>) { chomp; $sum += $_ } print "$sum ", tell $f, "\n";
truncate $f, 10; print -s "data", " ", flock($f, 2) ? "locked" : "not", "\n"; utime 1, 2, "data"; print +(stat "data")[9], " ", chmod(0600, "data"), "\n";
open my $dup, ">&", \*STDOUT; print $dup "dup\n"; close $dup; print -d "/proc/$$" ? "proc\n" : "no proc\n", "$^O\n";
local @ARGV = ("data"); local $^I = ".bak"; while (<>) { s/1/one/; print } undef $^I; print -e "data.bak" ? "backup\n" : "";
END
perl suite.pl
perl -ne '$n{$_}++ for /\w/g; END { print join(" ", map { "$_$n{$_}" } sort keys %n), "\n" }' <<<"the rain in spain stays mainly in the plain"
perl -e 'my @p = grep { my $n = $_; !grep { $n % $_ == 0 } 2 .. sqrt $n } 2 .. 3000; print scalar(@p), " $p[-1]\n"'
perl -e 'exec "no-such" or print "exec: ", $!{ENOENT} ? "ENOENT" : $!, "\n"' 2>/dev/null
