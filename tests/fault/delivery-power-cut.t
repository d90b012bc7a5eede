#!/usr/bin/perl
# The power is cut while leads are on their way to real destinations: when one has
# been asked, when it has taken an event, when it has answered, within the commit
# of what it answered, while leads are stored and while the journal is opened. The
# gateway starts again on what the disk has kept: every sink sees every event at
# least once, nothing is called delivered that the destination has not taken, and
# an event that goes again has its idempotency key.
#
# LEADGATE_CUT_ROUNDS (18; 300 for the full rig) and LEADGATE_CUT_SEED choose how
# many cuts and which.
use strict;
use warnings;

use Destination;
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use JSON::PP;
use LeadgateTest;
use POSIX qw(mkfifo);
use Test::More;

# Reasons of a round, in turn: where the destination pulls the plug (or nobody does:
# the test itself), and how many operations on the disk later the power is gone.
my @places = (
    ['asked', 0], ['taken', 0], ['answered', 0], ['answered', 12], ['storing', 60], ['starting', 40],
);
use constant POWER_CUT => 'signal 9'; # so ends the rig

# What slows every process down has fewer rounds.
my $slow = $ENV{LG_WRAP} || ($ENV{LG_SAN} || '') =~ /\w/;
my $rounds = $ENV{LEADGATE_CUT_ROUNDS} || ($slow ? 6 : 18);
my $seed = defined $ENV{LEADGATE_CUT_SEED} ? $ENV{LEADGATE_CUT_SEED} : $$;
srand $seed;
note("LEADGATE_CUT_SEED=$seed LEADGATE_CUT_ROUNDS=$rounds");

# Each sink has a destination of its own, so that it is known who took what.
my %options = (
    single => 'concurrency: 4',
    array => 'batch: array, batch_events: 16',
);
my @sinks = sort keys %options;
my $folder = tempdir('leadgate-destination-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my %destination = map { mkdir "$folder/$_"; ($_ => Destination->new("$folder/$_")) } @sinks;
my $gateway = LeadgateTest->new(files => { store => 'store/store.db' },
    config => <<"YAML" . join '', map { sink_line($_) } @sinks);
core: { loops: 1, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store/store.db", wal_size: 256KiB }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
YAML
my $dir = $gateway->dir;
my ($picture, $copy, $fifo) = map { "$dir/$_" } qw(picture copy fifo);
mkfifo($fifo, 0600) or die "$fifo: $!\n";
mkdir "$dir/store" or die "$dir/store: $!\n";
$gateway->announce(qr/level=warning/);

sub sink_line {
    my ($name) = @_;
    my $url = 'http://127.0.0.1:' . $destination{$name}->port . '/whim';
    return qq(  $name: { plugin: http, url: "$url", allow_private: true, timeout: 5s, )
        . "retry_first: 10ms, retry_max: 100ms, $options{$name} }\n";
}

# ---- one round -------------------------------------------------------------------

my (%acknowledged, %fell);

# The power fails at a place; true when it has.
sub pull_at {
    my ($place) = @_;
    if ($place eq 'storing') {
        spew($fifo, '!');
        return;
    }
    my $plug = "$folder/$sinks[rand @sinks]/plug";
    spew("$plug.new", "$place $fifo");
    rename "$plug.new", $plug or die "$plug: $!\n";
}

# Posts until the power is gone; what was answered is noted. The plug is pulled
# after some of them.
sub post_until_cut {
    my ($place) = @_;
    my $quiet = $place eq 'starting' ? -1 : int rand 25;
    my $status;
    wait_until {
        pull_at($place) if $quiet-- == 0;
        my $answer = eval { $gateway->post('/f/contact', [email => 'p' . rand() . '@example.com']) };
        $acknowledged{ decode_json($answer->{body})->{receipt} } = 1 if $answer && $answer->{status} == 202;
        defined($status = $gateway->reap);
    } 'the power is gone';
    return $status;
}

sub one_round {
    my ($place, $within) = @_;
    mkdir $picture or die "$picture: $!\n";
    $gateway->launch(program => "$ENV{LG_BUILDDIR}/tests/fault/cut_gateway", env => {
        CUT_FOLDER => "$dir/store", CUT_PICTURE => $picture, CUT_PLUG => $fifo, CUT_SEED => int rand 1e9,
        CUT_AFTER => $within && 1 + int rand $within, $place eq 'starting' ? (CUT_START => 1) : (),
    });
    my $ready = eval { $gateway->wait_ready; 1 };
    die $@ unless $ready || $place eq 'starting' && $@ =~ /ended with ${\ POWER_CUT} before/;
    my $status = $ready ? post_until_cut($place) : POWER_CUT;
    $gateway->read_log;
    unlink glob "$folder/*/plug";
    die "the gateway ended with $status, not by the cut:\n" . $gateway->log if $status ne POWER_CUT;
    remove_tree("$dir/store", $copy);
    system('cp', '-r', $picture, $copy) == 0 or die "cp failed\n";
    rename $picture, "$dir/store" or die "$picture: $!\n";
    $fell{ $place . ($within ? " + 1..$within" : "") }++;
}

# ---- what must hold after each -----------------------------------------------------

sub taken {
    my ($name) = @_;
    return { map { $_ => 1 } split ' ', slurp("$folder/$name/taken") };
}

# Of the copy, so that the gateway itself is the first to open what the disk kept.
sub look_at_copy {
    my $store = "$copy/store.db";
    if (!-e $store || !$gateway->sql('SELECT count(*) FROM sqlite_schema', $store)) {
        return %acknowledged ? 'the journal is gone' : (); # it was still being made
    }
    my @wrong = grep { $_ ne 'ok' } $gateway->sql('PRAGMA integrity_check', $store);
    my %id = map { split /\|/ } split /\n/, $gateway->sql("SELECT seq, json_extract(body, '\$.id') FROM event", $store);
    my %there = map { $_ => 1 } values %id;
    push @wrong, map { "$_ was acknowledged and is gone" } grep { !$there{$_} } keys %acknowledged;
    for my $name (@sinks) {
        my $taken = taken($name);
        push @wrong, map { "$name has not taken $_" } grep { !$taken->{$_} } map { $id{$_} } $gateway->delivered($name, $store);
    }
    return @wrong;
}

my @wrong;
for my $round (0 .. $rounds - 1) {
    one_round(@{ $places[$round % @places] });
    push @wrong, look_at_copy();
    last if @wrong;
}
is_deeply(\@wrong, [], "after each of $rounds cuts nothing is missing, nothing is called delivered that was not");
note(join ', ', map { "$_: $fell{$_}" } sort keys %fell);

# ---- and in the end ------------------------------------------------------------------

$gateway->start->allow_calls(scalar @sinks, 16);
cmp_ok(scalar keys %acknowledged, '>', $rounds, keys(%acknowledged) . ' leads were acknowledged');
my @events = split /\n/, $gateway->sql("SELECT json_extract(body, '\$.id') FROM event");
wait_until {
    my @lanes = @{ decode_json($gateway->admin('/sinks')->{content})->{sinks} };
    !grep({ $_->{position} < @events } @lanes)
        && $gateway->sql("SELECT count(*) FROM open WHERE state IN ('retry', 'unclassified', 'parked')") == 0
} 'the sinks have settled everything';
for my $name (@sinks) {
    my $taken = taken($name);
    is_deeply([grep { !$taken->{$_} } @events], [], "$name saw every event");
    is_deeply([grep { !$taken->{$_} } keys %acknowledged], [], 'among them every acknowledged one');
    is(scalar($gateway->delivered($name)), scalar(@events), 'and all are called delivered');
    my $again = (() = slurp("$folder/$name/taken") =~ /\n/g) - keys %$taken;
    note(@events . " events, $again taken again");
}
my (%keys, $asked);
for my $request ($destination{single}->requests) {
    $asked++;
    $keys{ decode_json($request->{body})->{id} }{ $request->{headers}{'idempotency-key'} } = 1;
}
cmp_ok($asked, '>', @events, "$asked requests: some events went again");
is_deeply([grep { keys %{ $keys{$_} } != 1 } keys %keys], [], '… each time with the same key');
is(scalar(keys %{ { map { $_ => 1 } map { keys %$_ } values %keys } }), scalar(@events), '… which is its own');
is(($gateway->command('balance'))[0], 0, 'the balance closes');

$gateway->finish;
$_->stop for values %destination;
done_testing;
