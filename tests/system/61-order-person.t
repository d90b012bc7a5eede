# order: person, from the form to a destination that refuses, hangs and loses
# connections, with several deliveries under way and through a kill -9: what one
# person did arrives in its order, and nobody waits for another one.
use strict;
use warnings;

use Destination;
use File::Temp qw(tempdir);
use JSON::PP;
use LeadgateTest;
use List::Util qw(shuffle);
use Test::More;

use constant { PEOPLE => 12, TOUCHES => 8, KILLS => 2 };

# The last one keeps no order: it shows what the others would look like.
my %options = (
    one => 'order: person, concurrency: 8',
    array => 'order: person, concurrency: 4, batch: array, batch_events: 5',
    any => 'concurrency: 8',
);
my $seed = defined $ENV{LEADGATE_KILL_SEED} ? $ENV{LEADGATE_KILL_SEED} : $$;
srand $seed;
note("LEADGATE_KILL_SEED=$seed");

my $folder = tempdir('leadgate-destination-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my %destination = map { mkdir "$folder/$_"; ($_ => Destination->new("$folder/$_")) } keys %options;
my $gateway = LeadgateTest->new(config => <<"YAML" . join '', map { sink_line($_) } sort keys %options);
core: { loops: 2, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store.db" }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
YAML
$gateway->announce(qr/level=warning event=sink\./);

sub sink_line {
    my ($name) = @_;
    my $url = 'http://127.0.0.1:' . $destination{$name}->port . '/sulk';
    return qq(  $name: { plugin: http, url: "$url", allow_private: true, timeout: 500ms, )
        . "retry_first: 10ms, retry_max: 60ms, $options{$name} }\n";
}

# Everybody's touches, mixed, some at once.
sub post_touches {
    my ($from, $to) = @_;
    my @requests = shuffle map {
        my $touch = $_;
        map { form_request('/f/contact', [email => "p$_\@example.com", message => "touch $touch"]) } 1 .. PEOPLE
    } $from .. $to;
    while (my @some = splice @requests, 0, 10) {
        is(scalar(grep { $_->{status} == 202 } $gateway->exchange_all(@some)), scalar @some, 'posts are taken');
    }
}

sub taken { return split ' ', slurp("$folder/$_[0]/taken") }

# The seqs as the destination had them first.
sub firsts {
    my ($name, $seq_of) = @_;
    my %seen;
    return map { $seq_of->{$_} } grep { !$seen{$_}++ } taken($name);
}

# How many events came after a later one of the same person; without persons: of all.
sub overtaken {
    my ($person_of, @seqs) = @_;
    my (%last, $count);
    for my $seq (@seqs) {
        my $person = $person_of ? $person_of->{$seq} : 'everybody';
        $count++ if $seq < ($last{$person} || 0);
        $last{$person} = $seq if $seq > ($last{$person} || 0);
    }
    return $count || 0;
}

$gateway->start;
for my $kill (1 .. KILLS) {
    my $before = taken('one');
    post_touches(($kill - 1) * TOUCHES + 1, $kill * TOUCHES);
    wait_until { taken('one') >= $before + PEOPLE } 'some are delivered';
    $gateway->kill_hard;
    $gateway->start;
}
$gateway->allow_calls(scalar keys %options, 8);
my $last = $gateway->sql('SELECT max(seq) FROM event');
is($last, PEOPLE * TOUCHES * KILLS, 'each touch is an event');
is($gateway->sql('SELECT count(*) FROM lead'), PEOPLE, 'of so many people');
wait_until {
    my @sinks = @{ decode_json($gateway->admin('/sinks')->{content})->{sinks} };
    !grep({ $_->{position} < $last } @sinks) && $gateway->sql('SELECT count(*) FROM open') == 0
} 'the sinks have settled everything', 2 * patience();

my (%seq_of, %person_of);
for (split /\n/, $gateway->sql("SELECT seq, json_extract(body, '\$.id'), hex(lead) FROM event")) {
    my ($seq, $id, $lead) = split /\|/;
    $seq_of{$id} = $seq;
    $person_of{$seq} = $lead;
}
for my $name (qw(one array)) {
    my @firsts = firsts($name, \%seq_of);
    is(scalar @firsts, $last, "$name had each event");
    is(overtaken(\%person_of, @firsts), 0, '… what one person did in its order');
    cmp_ok(overtaken(undef, @firsts), '>', 0, '… though not all of them one after the other');
    note(taken($name) - $last . ' were taken again');
}
my @firsts = firsts('any', \%seq_of);
is(scalar @firsts, $last, 'a sink without an order had each event');
note(overtaken(\%person_of, @firsts) . ' of them after a later one of the same person');
my ($status, $out, $err) = $gateway->command('balance');
is($status, 0, 'the balance closes') or diag("$out$err");

$gateway->finish;
$_->stop for values %destination;
done_testing;
