# kill -9 in mid-load, round after round: what was acknowledged is in the journal
# and reaches the sink, and nobody becomes two leads.
#
# LEADGATE_KILL_ROUNDS (6; 300 for the full rig) and LEADGATE_KILL_SEED choose
# how long and which times. A build with --enable-fault also kills itself at
# chosen places, such as between commit and answer.
use strict;
use warnings;

use JSON::PP;
use LeadgateTest;
use Test::More;
use Time::HiRes qw(sleep);

my $rounds = $ENV{LEADGATE_KILL_ROUNDS} || 6;
my $seed = defined $ENV{LEADGATE_KILL_SEED} ? $ENV{LEADGATE_KILL_SEED} : $$;
srand $seed;
note("seed $seed, $rounds rounds");

use constant CLIENTS => 4;

# A small log, so that checkpoints come often.
my $gateway = LeadgateTest->new(store => ', wal_size: 256KiB')->announce(qr/level=warning/);
my @places = ($ENV{LG_FAULT} || '') eq 'yes' ? qw(before-commit after-commit before-reply in-checkpoint) : ();
my $dir = $gateway->dir;

# Sends until the gateway is gone: people of its own, numbered, each with the
# key that a retry repeats. What is acknowledged is written down at once, in
# "number receipt" lines. Begins with what had no answer in the last round.
sub load {
    my ($client) = @_;
    my @known = map { /^(\d+) (\S+)$/ ? $1 : () } split /\n/, slurp("$dir/acked.$client");
    my $next = @known ? $known[-1] + 1 : 0;
    open my $acked, '>>:raw', "$dir/acked.$client" or POSIX::_exit(4);
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $gateway->port) or POSIX::_exit(0);
    my $rest = '';
    for (;; $next++) {
        my $sent = syswrite $socket, form_request('/f/contact', [
            full_name => "Person $client $next", email => "p$client-$next\@example.com",
            message => 'm' x ($next * 37 % 500),
        ], 'Idempotency-Key' => "key-$client-$next");
        my $answer = $sent && eval { read_answer($socket, \$rest) } or POSIX::_exit(0);
        POSIX::_exit(5) if $answer->{status} != 202;
        syswrite $acked, "$next " . decode_json($answer->{body})->{receipt} . "\n";
    }
}

sub start_clients {
    return map {
        my $client = $_;
        my $pid = fork;
        die "fork: $!\n" unless defined $pid;
        load($client) if !$pid;
        $pid;
    } 1 .. CLIENTS;
}

sub acknowledged {
    my %receipts;
    for my $client (1 .. CLIENTS) {
        my $acked = slurp("$dir/acked.$client");
        $receipts{"p$client-$1\@example.com"} = $2 while $acked =~ /^(\d+) (\S+)$/mg;
    }
    return \%receipts;
}

my $wrong = 0;
for my $round (1 .. $rounds) {
    my $before = keys %{ acknowledged() };
    my $place = @places && $round % 2 ? $places[rand @places] : undef;
    $gateway->launch(env => $place ? { LEADGATE_FAULT => "$place:" . (1 + int rand 40) } : {});
    if ($round % 5 == 0) {
        sleep rand 0.15; # while it starts
        $gateway->kill_hard;
        next;
    }
    $gateway->wait_ready;
    my @clients = start_clients();
    if ($place) {
        is($gateway->wait_end, 'signal 9', "round $round: killed at $place");
        $gateway->read_log;
    } else {
        # However slow the machine is, something is under way in each round.
        wait_until { keys %{ acknowledged() } > $before } 'a lead is acknowledged';
        sleep rand 0.3;
        $gateway->kill_hard;
    }
    for my $pid (@clients) {
        waitpid $pid, 0;
        $wrong++ if $? >> 8;
    }
}
is($wrong, 0, 'every answer was 202 or none');

$gateway->start;
my $acked = acknowledged();
cmp_ok(scalar keys %$acked, '>', $rounds, scalar(keys %$acked) . ' leads were acknowledged');
my $last = $gateway->sql('SELECT max(seq) FROM event');
wait_until {
    decode_json($gateway->admin('/sinks')->{content})->{sinks}[0]{position} >= $last
} 'the sink has settled everything';

# The journal: every receipt is an event, every person was created once.
my (%event, %created);
open my $shell, '-|', $gateway->sqlite3, 'SELECT body FROM event ORDER BY seq' or die "sqlite3: $!\n";
while (<$shell>) {
    my ($id, $type) = /\A\{"id":"([0-9a-f-]{36})","type":"([a-z.]+)",/ or die "no event: $_";
    my ($email) = /"email":"([^"]+)"/ or die "no email: $_";
    $event{$id} = 1;
    $created{$email}++ if $type eq 'lead.created';
}
close $shell;
my @lost = grep { !$event{ $acked->{$_} } } keys %$acked;
is_deeply(\@lost, [], 'every acknowledged receipt is in the journal');
is_deeply([grep { $created{$_} > 1 } keys %created], [], 'no lead was created twice');
is_deeply([grep { !$created{$_} } keys %$acked], [], 'every acknowledged person is a lead');

# The file: every event of the journal at least once, every line whole.
my %seen;
my @lines = split /\n/, slurp($gateway->sink), -1;
is(pop @lines, '', 'the file ends with a whole line');
my $torn = 0;
for (@lines) {
    my @ids = /\{"seq":\d+,"id":"([0-9a-f-]{36})"/g;
    $torn++ if @ids != 1 || !/\A\{"seq":.*\}\}\z/;
    $seen{$_}++ for @ids;
}
is($torn, 0, 'no line is torn');
is_deeply([grep { !$seen{$_} } keys %event], [], 'the sink saw every event');
is_deeply([grep { !$event{$_} } keys %seen], [], 'and nothing that is not in the journal');
note(scalar(keys %event) . ' events, ' . (@lines - keys %seen) . ' delivered again');

$gateway->finish;
done_testing;
