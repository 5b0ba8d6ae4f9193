# The first session of a connection: it passes on what the plugin and the agents
# of the children say to each other. Its standard input and output are the plugin's.
# A frame is a number of a child, a length, four bytes each, the highest first, and
# as many bytes. The number 0 is the relay itself, and is sent back: so each side
# hears that the other is there.
use strict;
my ($nonce, $silence) = @ARGV;    # a word for the hello; seconds without a frame that are the end
$SIG{$_} = 'IGNORE' for qw(HUP INT PIPE);
umask 077;

my $folder;
for my $parent (grep { defined && -w } $ENV{XDG_RUNTIME_DIR}, '/tmp') {
    my $name = sprintf '%s/hatchery-ssh-%d-%06x', $parent, $$, rand 1 << 24;
    if (length $name < 90 && mkdir $name, 0700) { $folder = $name; last }
}
defined $folder or die "no folder for a socket can be made in /tmp: $!\n";
END { unlink "$folder/s" and rmdir $folder if defined $folder }
$SIG{TERM} = sub { exit 1 };
my $door;
socket($door, 1, 1, 0) && bind($door, pack 'Sa*', 1, "$folder/s") && listen($door, 128)
    or die "no socket can be made in $folder: $!\n";

sub say_all {
    my ($to, $bytes) = @_;
    while (length $bytes) {
        my $n = syswrite $to, $bytes or return 0;
        substr $bytes, 0, $n, '';
    }
    return 1;
}
sub frame { say_all(*STDOUT, pack 'NNa*', $_[0], length $_[1], $_[1]) or exit 1 }

my (%agent, %number, %waiting);    # by number of the child; by descriptor; said before it came
my ($input, $heard) = ('', time);
binmode STDIN; binmode STDOUT;
say_all(*STDOUT, "$nonce$folder\n") or exit 1;

for (;;) {
    my $ready = '';
    vec($ready, fileno $_, 1) = 1 for *STDIN, $door, values %agent;
    select $ready, undef, undef, 1;
    exit 1 if abs(time - $heard) > $silence;
    if (vec $ready, 0, 1) {
        sysread STDIN, $input, 65536, length $input or exit 0;
        $heard = time;
        while (length $input >= 8) {
            my ($n, $length) = unpack 'NN', $input;
            last if length $input < 8 + $length;
            my $said = substr $input, 8, $length;
            substr $input, 0, 8 + $length, '';
            if    (!$n)        { frame(0, $said) }
            elsif ($agent{$n}) { say_all($agent{$n}, $said) }
            elsif (!$length)   { $waiting{$n} = undef }    # nobody wants it any more
            else               { $waiting{$n} .= $said }
        }
    }
    for my $n (keys %agent) {
        my $a = $agent{$n};
        next unless vec $ready, fileno $a, 1;
        my $got = sysread $a, my $said, 65536;
        frame($n, $got ? $said : '');
        delete $agent{$n} unless $got;
    }
    if (vec($ready, fileno $door, 1) && accept my $a, $door) {
        my $n = '';
        while (length $n < 4) { sysread $a, $n, 4 - length $n, length $n or last }
        next if length $n < 4;
        $n = unpack 'N', $n;
        next if exists $waiting{$n} && !defined $waiting{$n};
        $agent{$n} = $a;
        say_all($a, delete $waiting{$n}) if exists $waiting{$n};
    }
}
