# The session of one child, of which it is the parent. Its standard input, output
# and error are the child's. S is its connection to the relay, by which it is told
# what to start, and says how that ends:
#
#   it says    S pid            the program runs
#              F stage errno    it does not: chdir or exec has failed
#              E status left    it has ended: as wait(2) says it; whether something of it is left
#   it hears   s number         send the program a signal
#              k                end everything
#
# The end of S is the end of the connection, or of the plugin: nothing stays.
use strict;
$SIG{$_} = 'IGNORE' for qw(HUP INT QUIT PIPE TERM);
delete $ENV{PERL_BADLANG};

sub want {
    my ($n, $b) = ($_[0], '');
    while (length $b < $n) { sysread S, $b, $n - length $b, length $b or exit 1 }
    return $b;
}
sub number { unpack 'N', want(4) }
sub item   { want(number()) }
sub list   { map { item() } 1 .. number() }

# Whatever has lost its parent below this process becomes its child (Linux 3.4), so
# that it can be found, also as a daemon in a session of its own. The number of
# prctl(2) is known by the machine that this program was made for.
sub subreaper {
    open my $self, '<', '/proc/self/exe' or return;
    read $self, my $head, 20;
    my ($class, $order, $machine) = unpack 'x4CCx12a2', $head;
    $machine = unpack $order == 1 ? 'v' : 'n', $machine;
    my $prctl = { 3 => 172, 21 => 171, 22 => 172, 40 => 172, 62 => 157, 183 => 167, 243 => 167 }->{$machine};
    syscall $prctl, 36, 1, 0, 0, 0 if $prctl && ($machine != 62 || $class == 2);
}

sub child {
    my ($report, $spec) = @_;
    my $fail = sub { syswrite $report, pack 'aN', $_[0], $! + 0; kill KILL => $$; };
    setpgrp 0, 0;
    $SIG{$_} = 'DEFAULT' for keys %SIG;
    for my $fd (unpack 'C*', $spec->{null}) {
        open $fd == 0 ? *STDIN : $fd == 1 ? *STDOUT : *STDERR, $fd == 0 ? '<' : '>', '/dev/null' or $fail->('d');
    }
    umask $spec->{umask} if $spec->{umask} <= 0777;
    !length $spec->{dir} || chdir $spec->{dir} or $fail->('d');
    if ($spec->{clear}) {
        %ENV = ();
        $ENV{$$_[0]} = $$_[1] for map { [split /=/, $_, 2] } @{$spec->{env}};
    }
    no warnings;
    exec { $spec->{path} } @{$spec->{args}} or $fail->('x');
}

# below returns what there is below this process.
sub below {
    my %children;
    opendir my $proc, '/proc' or return;
    for my $pid (grep /^\d+$/, readdir $proc) {
        open my $stat, '<', "/proc/$pid/stat" or next;
        my $line = <$stat>;
        push @{$children{$1}}, $pid if defined $line && $line =~ /.*\) [^Z] (\d+)/s;
    }
    my @all = @{$children{$$} || []};
    for (my $i = 0; $i < @all; $i++) { push @all, @{$children{$all[$i]} || []} }
    return @all;
}

subreaper();
my %spec = (path => item(), dir => item(), args => [list()], clear => number(), env => [list()], umask => number(), null => item());
pipe my $report, my $reporting;
pipe my $woken, my $wake;
$SIG{CHLD} = sub { syswrite $wake, '.' };
my $pid = fork;
defined $pid or syswrite(S, pack 'aaN', 'F', 'x', $! + 0), exit 1;
child($reporting, \%spec) if !$pid;
close $reporting;
open $_->[0], $_->[1], '/dev/null' for [*STDIN, '<'], [*STDOUT, '>'], [*STDERR, '>'];
if (sysread $report, my $failed, 5) {
    syswrite S, "F$failed";
    exit 1;
}
close $report;
syswrite S, pack 'aN', 'S', $pid;

my ($status, $told);
my ($asked, $ending, $kill) = (0, 0, 0);    # by a signal; everything is to end; the time for SIGKILL
for (;;) {
    my $p;
    while (($p = waitpid -1, 1) > 0) { $status = $? & 0xffff if $p == $pid }
    if (defined $status && !$told) {
        syswrite S, pack 'ana', 'E', $status, $p < 0 ? 0 : 1;
        $told = 1;
        ($ending, $kill) = (1, time + 2) if $asked && !$ending;    # what it has left ends with it
        kill $_, below() for $ending ? qw(TERM CONT) : ();
    }
    last if $p < 0 && $told;
    if ($ending) {
        last if time > $kill + 5;    # not even SIGKILL ends it
        kill KILL => below() if time >= $kill;
    }
    my $ready = '';
    vec($ready, fileno S, 1) = 1 if $ending < 2;
    vec($ready, fileno $woken, 1) = 1;
    next if select($ready, undef, undef, $ending ? 0.02 : undef) < 1;
    sysread $woken, my $ignored, 4096 if vec $ready, fileno $woken, 1;
    next unless $ending < 2 && vec $ready, fileno S, 1;
    if (!sysread S, my $what, 1) {
        ($ending, $kill) = (2, $ending ? $kill : time + 2);
        kill $_, below() for qw(TERM CONT);
    } elsif ($what eq 's') {
        my $signal = ord want(1);
        kill $signal, $pid unless defined $status;
        $asked = 1 if $signal == 15;
    } elsif ($what eq 'k') {
        ($ending, $kill) = ($ending || 1, time);
    }
}
