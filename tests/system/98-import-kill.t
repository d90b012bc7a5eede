# An import that is killed again and again: kill -9 of the gateway each time that it has got
# somewhat further, the same command after each, and in the end every row is there once.
#   LG_IMPORT_ROWS    rows of the file (20000; make bench takes a million)
#   LG_IMPORT_KILLS   kills (20)
#   LG_IMPORT_SEED    of the file and of the points (1)
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IPC::Open2;
use JSON::PP;
use LeadgateTest;
use Test::More;
use Time::HiRes qw(time);

my $rows = $ENV{LG_IMPORT_ROWS} || 20_000;
my $kills = $ENV{LG_IMPORT_KILLS} || 20;
my $seed = $ENV{LG_IMPORT_SEED} || 1;
my $lib = "$FindBin::Bin/../lib";
my $batch = int($rows / 500) || 1; # there are commits enough between two kills
srand $seed;

my $gw = LeadgateTest->new(config => <<"YAML");
core: { loops: 1, shutdown: 60s }
listen: [{ address: "127.0.0.1:0" }]
store: { path: "\@DIR\@/store.db" }
sources:
  partners: { plugin: csvimport, max_import_batch: $batch, max_import_batches: 1 }
YAML
$gw->announce(qr/event=gateway\.no-sinks/);
my $file = $gw->dir . '/rows.csv';
my $made = `/usr/bin/python3 $lib/import_rows.py $file $rows $seed`;
my $expected = decode_json($made);

sub begin_import {
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', $gw->dir . '/import.out';
    open STDERR, '>', $gw->dir . '/import.err';
    %ENV = LeadgateTest::environment();
    exec split(' ', $ENV{LG_WRAP} || ''), leadgate_binary(), 'import', '--json', '-c', $gw->config, 'partners', $file
        or POSIX::_exit(127);
}

# What the command said while it could: lines of one run, in order.
sub said { return map { decode_json($_) } slurp($gw->dir . '/import.out') =~ /^(.+)\n/mg }

my ($answers, $orders);
my $helper = open2($answers, $orders, '/usr/bin/python3', "$lib/import_killer.py", $gw->store);

# However late the kill is, it is not too late.
sub hold_behind {
    my ($rows) = @_;
    $gw->sql('DROP TRIGGER IF EXISTS held');
    $gw->hold_import('rows.csv', $rows);
}

# $shown: not before the command has shown something.
sub kill_at {
    my ($target, $shown) = @_;
    print $orders "$target 9 " . $gw->pid . ' rows.csv' . ($target ? ' step' : '') . ($shown ? ' ' . $gw->dir . '/import.out' : '') . "\n";
    my ($what, $committed, $memory) = split ' ', scalar <$answers>;
    return ($what, $committed, $memory);
}

my ($killed, $committed, $first_memory, $most_memory, $truthful, $shown, $resumed) = (0, 0, 0, 0, 1, 0, 0);
my $began = time;
for my $round (1 .. $kills) {
    $gw->start;
    my $left = $kills - $round + 4; # behind the last kill there are rows, too
    my $target = $committed + 1 + int(($rows - $committed) / $left * (0.3 + rand() / 2));
    hold_behind($target + int(($rows - $committed) / $left));
    my $pid = begin_import();
    my $asked = $round % 4 == 1;
    (my $what, $committed, my $memory) = kill_at($target, $asked);
    $most_memory = $memory if $memory > $most_memory;
    $first_memory ||= $memory;
    if ($what eq 'done') { waitpid $pid, 0; last }
    my $ended = $gw->wait_end;
    is($ended, 'signal 9', "kill $round at row $committed") if $ended ne 'signal 9';
    $gw->read_log;
    waitpid $pid, 0;
    $killed++;

    # What was shown is in the journal, whatever came after it was shown.
    my ($stored, $offset) = split /\|/, $gw->sql('SELECT rows, offset FROM import');
    $committed = $stored;
    my @lines = grep { $_->{state} eq 'reading' } said();
    $shown++ if $asked && @lines;
    for my $line (@lines) {
        $truthful &&= $line->{rows} <= $stored && $line->{bytes_done} <= $offset;
        $resumed++ if $line->{bytes_begun} > 0;
    }
}
$gw->start unless $gw->pid;
$gw->release_import;
my $last = begin_import();
my (undef, undef, $memory) = kill_at(0);
$most_memory = $memory if $memory > $most_memory;
waitpid $last, 0;
my $seconds = time - $began;
my ($end) = (said())[-1];

is($killed, $kills, "killed $killed times") or diag(slurp($gw->dir . '/import.err'));
is($shown, int(($kills + 3) / 4), 'something was shown before it') or diag(slurp($gw->dir . '/import.out'));
ok($truthful, 'what was shown was committed');
cmp_ok($resumed, '>', 0, '… also of an import that goes on') if $kills > 4;
is($end->{state} eq 'known' ? 'done' : $end->{state}, 'done', 'it came to its end')
    or diag(slurp($gw->dir . '/import.out'));
my ($state, $total, $created, $touched, $repeated, $refused) = split /\|/,
    $gw->sql('SELECT state, rows, created, touched, repeated, refused FROM import');
is($state, 'done', 'the journal says so');
is($total, $rows, 'every row was read once');
is($created, $expected->{created}, 'as many leads were created as there are people');
is($touched + $repeated, $expected->{again}, 'those who came again were recognised');
is($refused, $expected->{refused}, 'bad rows were refused');
is($gw->sql('SELECT count(*) FROM lead'), $expected->{created}, 'the journal has each person once');
is($gw->sql("SELECT count(*) FROM event WHERE type = 'lead.touched'"), $touched, 'and each touch');
is(system('cmp', '-s', "$file.rejects.csv", "$file.expected"), 0, 'the file of refused rows is exact')
    or diag(`diff $file.expected $file.rejects.csv | head -n 8`);
my ($status, $out) = $gw->command('balance');
is($status, 0, 'every event has its state');

SKIP: {
    skip 'memory of a checked program says nothing', 1 if $ENV{LG_WRAP} || $ENV{LG_SAN};
    # What the journal's index takes, 64 bytes a lead, and a fixed rest.
    my $allowed = 96 * 1024 + $expected->{created} * 64 / 1024;
    cmp_ok($most_memory, '<=', $allowed, "memory stays flat: $most_memory KiB at most");
}
diag(sprintf '%d rows, %d kills, %d resumed lines, %.1f s, %d KiB at first, %d KiB at most', $rows, $killed,
    $resumed, $seconds, $first_memory, $most_memory);
close $orders;
waitpid $helper, 0;
$gw->finish;
done_testing;
