# kill -9 in mid-delivery, round after round, with destinations that answer, refuse,
# or take an event and lose the connection: every sink sees every event at least
# once, and what the journal calls delivered the destination has.
#
# LEADGATE_KILL_ROUNDS (6; 300 for the full rig) and LEADGATE_KILL_SEED choose
# how long and which times. A build with --enable-fault also kills itself at
# chosen places, such as between an answer and its settlement.
use strict;
use warnings;

use Destination;
use File::Temp qw(tempdir);
use JSON::PP;
use LeadgateTest;
use Test::More;
use Time::HiRes qw(sleep);

my $rounds = $ENV{LEADGATE_KILL_ROUNDS} || 6;
my $seed = defined $ENV{LEADGATE_KILL_SEED} ? $ENV{LEADGATE_KILL_SEED} : $$;
srand $seed;
note("seed $seed, $rounds rounds");

use constant POSTS_A_ROUND => 40;
my @places = ($ENV{LG_FAULT} || '') eq 'yes' ? qw(before-commit after-commit before-reply) : ();

# Each sink has a destination of its own, so that it is known who took what.
my %options = (
    single => 'concurrency: 4',
    array => 'batch: array, batch_events: 16',
);
my $folder = tempdir('leadgate-destination-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my %destination = map { mkdir "$folder/$_"; ($_ => Destination->new("$folder/$_")) } keys %options;
my $gateway = LeadgateTest->new(config => <<"YAML" . join '', map { sink_line($_) } sort keys %options);
core: { loops: 1, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store.db", wal_size: 256KiB }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
YAML
$gateway->announce(qr/level=warning/);

sub sink_line {
    my ($name) = @_;
    my $url = 'http://127.0.0.1:' . $destination{$name}->port . '/whim';
    return qq(  $name: { plugin: http, url: "$url", allow_private: true, timeout: 5s, )
        . "retry_first: 10ms, retry_max: 100ms, $options{$name} }\n";
}

sub taken {
    my ($name) = @_;
    my %count;
    $count{$_}++ for map { split } slurp("$folder/$name/taken");
    return \%count;
}

# Ids of the events that the journal calls delivered, for one sink.
sub delivered {
    my ($name) = @_;
    my %id = map { split /\|/ } split /\n/,
        $gateway->sql("SELECT seq, json_extract(body, '\$.id') FROM event");
    return map { $id{$_} } $gateway->delivered($name);
}

# Posts until the gateway is gone or all are sent; returns the receipts.
sub post_some {
    my @receipts;
    eval {
        for (1 .. POSTS_A_ROUND) {
            my $answer = $gateway->post('/f/contact', [email => 'p' . rand() . '@example.com']);
            push @receipts, decode_json($answer->{body})->{receipt} if ($answer->{status} || 0) == 202;
        }
    };
    return @receipts;
}

my (@acknowledged, @false);
for my $round (1 .. $rounds) {
    my $place = @places && $round % 2 ? $places[rand @places] : undef;
    $gateway->launch(env => $place ? { LEADGATE_FAULT => "$place:" . (1 + int rand 40) } : {});
    # What the kill before has left goes at once, so a place may come before the rest is ready.
    my $ready = eval { $gateway->wait_ready };
    die $@ unless $ready || ($place && $@ =~ /ended with signal 9/);
    push @acknowledged, post_some() if $ready;
    sleep rand 0.1;
    $gateway->kill_hard if $gateway->pid; # if it has not done so itself
    for my $name (sort keys %options) {
        my $taken = taken($name);
        push @false, map { "$name: $_" } grep { !$taken->{$_} } delivered($name);
    }
}
is_deeply(\@false, [], 'nothing was called delivered that was not');

$gateway->start->allow_calls(scalar keys %options, 16);
cmp_ok(scalar @acknowledged, '>', $rounds, scalar(@acknowledged) . ' leads were acknowledged');
my $last = $gateway->sql('SELECT max(seq) FROM event');
wait_until {
    my @sinks = @{ decode_json($gateway->admin('/sinks')->{content})->{sinks} };
    !grep({ $_->{position} < $last } @sinks)
        && $gateway->sql("SELECT count(*) FROM open WHERE state IN ('retry', 'unclassified', 'parked')") == 0
} 'the sinks have settled everything';
my @events = split /\n/, $gateway->sql("SELECT json_extract(body, '\$.id') FROM event");
for my $name (sort keys %options) {
    my $taken = taken($name);
    is_deeply([grep { !$taken->{$_} } @events], [], "$name saw every event");
    is_deeply([grep { !$taken->{$_} } @acknowledged], [], 'among them every acknowledged one');
    is(scalar(delivered($name)), scalar(@events), 'and all are called delivered, once');
    my $again = 0;
    $again += $_ - 1 for values %$taken;
    note(scalar(@events) . " events, $again taken again");
}

$gateway->finish;
$_->stop for values %destination;
done_testing;
