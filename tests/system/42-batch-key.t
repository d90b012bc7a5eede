# A batch that was sent and had no answer goes again as it was, with the same key and
# the same body, until there is a real answer: over time-outs, kill -9, a reload, and
# attempts that do not reach the destination.
use strict;
use warnings;

use Destination;
use File::Temp qw(tempdir);
use JSON::PP;
use LeadgateTest;
use Test::More;

my $folder = tempdir('leadgate-destination-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $destination = Destination->new($folder);

sub config {
    my ($timeout) = @_;
    return <<"YAML";
core: { loops: 1, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store.db" }
http_client: { nameserver: "127.0.0.1:@{[$destination->port('dns')]}", name_keep: 0s, name_failed_keep: 0s }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
  crm:
    plugin: http
    url: "http://here.test:@{[$destination->port]}/hangs-while/sorry"
    batch: array
    allow_private: true
    timeout: $timeout
    stop_wait: 10ms
    retry_first: 10ms
    retry_max: 20ms
YAML
}
sub hang   { spew("$folder/hanging", '') }
sub answer { unlink "$folder/hanging" }

my $gateway = LeadgateTest->new(config => config('1s'));
$gateway->announce(qr/sink\.(waiting|parked)/)->start;
$gateway->allow_calls(1, 8);

# Those that have come while the sink was paused go as one batch.
sub post_batch {
    my (@names) = @_;
    is(($gateway->command('pause', 'crm'))[0], 0, 'the sink is paused');
    wait_until { $gateway->admin('/sinks')->{content} =~ /"name":"crm".*?"state":"paused"/ } 'its lane has heard it';
    $gateway->post('/f/contact', [email => "$_\@example.com"]) for @names;
    hang();
    is(($gateway->command('resume', 'crm'))[0], 0, 'and resumed');
    return;
}
sub emails { return map { $_->{lead}{person}{email} } @{ decode_json($_[0]{body}) } }

# Requests that hold a lead.
sub requests_of {
    my ($name) = @_;
    return grep { grep { $_ eq "$name\@example.com" } emails($_) } $destination->requests;
}

# Waits for another request with the batch's first lead: it has to be the same again.
my ($first, $seen);
sub same_again {
    my ($what) = @_;
    wait_until { requests_of('ann') > $seen } "it is sent $what";
    my @requests = requests_of('ann');
    $seen = @requests;
    is_deeply([map { $_->{headers}{'idempotency-key'} } @requests], [($first->{headers}{'idempotency-key'}) x $seen],
        "the same key $what");
    is_deeply([grep { $_->{body} ne $first->{body} } @requests], [], "the same body $what");
    return;
}
sub unclassified { return $gateway->sql("SELECT count(*) FROM open WHERE state = 'unclassified' AND batch_events = 4") == 4 }

# ---- over everything that may happen ----------------------------------------------------

post_batch(qw(ann bea cyd dan));
wait_until { requests_of('ann') } 'the batch is sent';
($first) = requests_of('ann');
$seen = 1;
is_deeply([emails($first)], [map { "$_\@example.com" } qw(ann bea cyd dan)], 'all of it at once');
wait_until { unclassified() } 'it has no answer';
$gateway->post('/f/contact', [email => "$_\@example.com"]) for qw(eve fay);
same_again('after a time-out, beside others');

$gateway->kill_hard;
ok(unclassified(), 'the journal knows the batch after kill -9');
$gateway->start;
$gateway->allow_calls(1, 8);
$seen = requests_of('ann');
same_again('after kill -9');

$gateway->configure(config('900ms'));
is(($gateway->command('reload', '--wait'))[0], 0, 'the sink is changed');
$seen = requests_of('ann');
same_again('after a reload');

spew("$folder/nameless", '');
wait_until {
    $gateway->sql("SELECT count(*) FROM attempt WHERE first_seq = 1 AND last_seq = 4 AND outcome = 'retry'")
} 'it does not reach the destination';
is($gateway->sql("SELECT count(*) FROM open WHERE batch_first = 1 AND batch_last = 4 AND batch_events = 4"), 4,
    'which says nothing of what was sent before');
unlink "$folder/nameless";
$seen = requests_of('ann');
same_again('when it is found again');

answer();
wait_until { $gateway->sql("SELECT count(*) FROM open") == 0 } 'it is delivered';
same_again('at last') if requests_of('ann') > $seen;
is($gateway->sql("SELECT sum(last_seq - first_seq + 1) FROM attempt WHERE outcome = 'delivered'"), 6, 'all are');

# ---- a real answer ends it -----------------------------------------------------------------

# A lane that begins anew sends whole batches.
$gateway->configure(config('1s'));
is(($gateway->command('reload', '--wait'))[0], 0, 'the sink is changed again');
post_batch(qw(gil hal sorry ida));
wait_until { requests_of('gil') } 'a batch with a bad one is sent';
wait_until { unclassified() } 'and has no answer';
answer();
wait_until { $gateway->sql("SELECT count(*) FROM open WHERE state <> 'dead'") == 0 } 'it is halved';
is($gateway->sql("SELECT group_concat(seq || state) FROM open"), '9dead', 'until the bad one is found');
is($gateway->sql("SELECT sum(last_seq - first_seq + 1) FROM attempt WHERE outcome = 'delivered'"), 9,
    'and the others are delivered');

$gateway->finish;
$destination->stop;
done_testing;
