# Memory for the files that a load makes longer. A virtual machine may hand free memory
# back to its host, and then each new page of a store waits until the host has found
# one: checkpoints cost four times as much, and leads came at two thirds of the rate.
# A machine that has been up for a while takes such pages from its file cache. So a
# process of its own takes the memory first, and gives it back piece by piece while the
# load runs, a little faster than the load can use it.
#   BENCH_MEMORY   MiB for each second of a load (256; 0: none is taken)
package Reserve;
use strict;
use warnings;
use POSIX ();
use Time::HiRes qw(sleep);

use constant PIECE_MIB => 8;

sub available_mib {
    open my $info, '<', '/proc/meminfo' or return 0;
    my ($kib) = join('', <$info>) =~ /^MemAvailable:\s+(\d+) kB/m;
    return int(($kib // 0) / 1024);
}

# Whole pages are written, or they would be the kernel's page of zeroes.
sub piece {
    my $piece = '';
    vec($piece, (PIECE_MIB << 20) - 1, 8) = 1;
    return \$piece;
}

sub hold_and_give {
    my ($count, $rate, $full, $begin) = @_;
    my @pieces = map { piece() } 1 .. $count;
    syswrite $full, "full\n";
    sysread $begin, my $said, 1;
    while (@pieces) {
        pop @pieces;
        sleep PIECE_MIB / $rate;
    }
    POSIX::_exit(0);
}

# Returns when the memory is there. At most a quarter of what is free is taken.
sub new {
    my ($class, $seconds) = @_;
    my $rate = $ENV{BENCH_MEMORY} // 256;
    my $most = available_mib() / 4;
    my $mib = $rate * $seconds < $most ? $rate * $seconds : $most;
    return bless {}, $class if $mib < PIECE_MIB;
    pipe my $is_full, my $full or die "pipe: $!\n";
    pipe my $begin, my $begins or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        @SIG{qw(INT TERM)} = ('DEFAULT') x 2;
        close $_ for $is_full, $begins;
        hold_and_give($mib / PIECE_MIB, $rate, $full, $begin);
    }
    close $_ for $full, $begin;
    sysread $is_full, my $said, 5 or print "# bench: no memory could be taken for what is stored\n";
    return bless { pid => $pid, begins => $begins }, $class;
}

sub give {
    my ($self) = @_;
    close delete $self->{begins} if $self->{begins};
}

sub DESTROY {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    local ($?, $!);
    kill 'KILL', $pid;
    waitpid $pid, 0;
}

1;
