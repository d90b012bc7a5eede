# Lanes under a whole gateway: a destination that flaps, refuses one lead, refuses
# all, hangs; filters, limits, a sink that comes later. Whatever one sink does,
# the other one and the intake go on, and the balance closes.
use strict;
use warnings;

use JSON::PP;
use LeadgateTest;
use Test::More;

$ENV{LEADGATE_TEST_PLUGINS} ||= ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/plugin';

# A process that gives a hanging plugin up leaves that plugin's threads behind.
$ENV{TSAN_OPTIONS} = join ':', grep { $_ } $ENV{TSAN_OPTIONS}, 'report_thread_leaks=0';

my $head = <<'YAML';
core: { loops: 1, shutdown: 1s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "@DIR@/store.db" }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
  steady: { plugin: file, path: "@DIR@/leads.ndjson" }
  odd:
    plugin: failing_sink
    script: "@DIR@/script"
    log: "@DIR@/odd.log"
    retry_first: 5ms
    retry_max: 20ms
YAML
my $chosen = <<'YAML';
  chosen:
    plugin: failing_sink
    log: "@DIR@/chosen.log"
    when: "starts_with(person.email, 'chosen')"
  few:
    plugin: failing_sink
    log: "@DIR@/few.log"
    rate_day: 7
YAML
my $late = <<'YAML';
  late:
    plugin: failing_sink
    log: "@DIR@/late.log"
    start: now
YAML

my $gateway = LeadgateTest->new(config => $head . $chosen);
my $dir = $gateway->dir;
my $posted = 0;

sub order { my ($text) = @_; spew("$dir/script.new", "$text\n"); rename "$dir/script.new", "$dir/script" }

sub post_people {
    my ($count, $name) = @_;
    for (1 .. $count) {
        $posted++;
        my $answer = $gateway->post('/f/contact', [email => ($name || "p$posted") . '@example.com']);
        die "answer $answer->{status}\n" if $answer->{status} != 202;
    }
}

# seq => how often the sink saw it.
sub seen { my ($sink) = @_; my %n; $n{$_}++ for slurp("$dir/$sink.log") =~ /^(\d+) /mg; return \%n }

sub sink_status {
    my ($name) = @_;
    my ($sink) = grep { $_->{name} eq $name } @{ decode_json($gateway->admin('/sinks')->{content})->{sinks} };
    return $sink;
}

sub wait_position { my ($name) = @_; wait_until { sink_status($name)->{position} >= $posted } "$name has settled all" }
sub open_rows { my ($where) = @_; return $gateway->sql("SELECT count(*) FROM open WHERE sink = 'odd' AND $where") }
sub wait_closed { wait_until { open_rows("state <> 'dead'") == 0 } 'nothing is open' }

sub balance_closes {
    my ($what) = @_;
    my ($status, $out, $err) = $gateway->command('balance');
    is($status, 0, "the balance closes $what") or diag("$out$err");
}

order('deliver');
$gateway->announce(qr/event=sink\.(waiting|parked) sink=odd/)->start;

# ---- flapping -----------------------------------------------------------------
# One that parked is asked again when another one has passed; it must not find the next
# round's refusal then, however late it is asked.
for my $round (1 .. 4) {
    for my $word (qw(retry park deliver unclassified fail thread)) {
        order($word);
        post_people(4);
    }
    order('deliver');
    wait_position('odd');
    wait_closed();
}
is(scalar keys %{ seen('odd') }, $posted, 'after the flapping every event was delivered');
is(open_rows('1'), 0, 'and none is a dead letter');
wait_position('steady');
is(scalar $gateway->events, $posted, 'the sink beside it has each once');

# ---- one lead that spoils its batch -------------------------------------------------
order('hang 300');
post_people(1);
order('poison reject "email":"spoilt@');
post_people(12);
post_people(1, 'spoilt');
my $spoilt = $posted;
post_people(12);
wait_position('odd');
wait_closed();
is(open_rows("state = 'dead' AND seq = $spoilt AND error = 'told to'"), 1, 'the one that is rejected is a dead letter');
is(scalar keys %{ seen('odd') }, $posted - 1, 'and the others were delivered');

# ---- one lead that is refused as if the configuration were wrong --------------------
order('poison park "email":"refused@');
post_people(1, 'refused');
my $refused = $posted;
wait_until { sink_status('odd')->{state} eq 'parked' } 'the lane is parked';
is(sink_status('odd')->{reason}, 'told to', 'and says why');
is($gateway->sql("SELECT count(*) FROM settled WHERE sink = 'odd' AND last_seq >= $refused"), 0,
    'with nobody else to ask, it waits');
post_people(3);
wait_position('odd');
is(open_rows("state = 'dead' AND seq = $refused"), 1, 'another lead passed: it is a dead letter');
is(sink_status('odd')->{state}, 'running', 'and the lane runs');
is(scalar keys %{ seen('odd') }, $posted - 2, 'the others were delivered');

# ---- all are refused -----------------------------------------------------------------
order('park');
post_people(10);
wait_until { sink_status('odd')->{state} eq 'parked' } 'the lane is parked';
wait_position('steady');
is(scalar $gateway->events, $posted, 'the sink beside it goes on');
is(open_rows("state = 'dead'"), 2, 'nobody is a dead letter for it');
order('deliver');
wait_position('odd');
wait_closed();
is(open_rows("state = 'dead'"), 2, 'repaired: all went');
is(scalar keys %{ seen('odd') }, $posted - 2, 'each of them');

# ---- filter and limit -----------------------------------------------------------------
post_people(1, "chosen$_") for 1 .. 3;
wait_position('chosen');
is(scalar keys %{ seen('chosen') }, 3, 'a sink with a filter gets what it wants');
wait_until { sink_status('few')->{state} eq 'waiting' } 'a sink that had its day waits';
is(sink_status('few')->{reason}, 'rate_day is used up', 'and says why');
is(scalar keys %{ seen('few') }, 7, 'it has as many as it may');
balance_closes('with a sink that waits');

# ---- a sink that comes later, and a stop while a plugin hangs -----------------------------
$gateway->announce(qr/event=sink\.hangs/);
order('hang 60000');
post_people(1);
wait_until { sink_status('steady')->{position} >= $posted } 'the sink beside it has it';
$gateway->signal('TERM');
is($gateway->wait_end, 0, 'a plugin that hangs does not keep the process');
$gateway->read_log;
order('deliver');
$gateway->configure($head . $chosen . $late)->start;
wait_position('odd');
ok(seen('odd')->{$posted}, 'what it hung on is delivered after the next start');
my $before = $posted;
wait_until { sink_status('late')->{position} >= $before } 'the new sink has begun';
post_people(2);
wait_position('late');
is_deeply([sort { $a <=> $b } keys %{ seen('late') }], [$before + 1, $before + 2], 'it gets what came after');
is(scalar keys %{ seen('few') }, 7, 'a restart is no new day');
balance_closes('in the end');
$gateway->finish;

# ---- what is wrong in a configuration ------------------------------------------------------
sub refused {
    my ($line, $message, $what) = @_;
    my $broken = LeadgateTest->new(config => "$head    $line\n");
    my ($status, $out, $err) = $broken->command('check');
    is($status, 78, "$what is refused");
    like($out . $err, $message, 'with its place');
    $broken->finish;
}
refused(q{when: "person.emial == 'a'"}, qr/leadgate\.yaml:15:\d+: error: .*"when": 1:\d+: .*did you mean/s, 'a misspelt name');
refused(q{when: "1 +"}, qr/leadgate\.yaml:15:\d+: error: .*"when": 1:\d+/s, 'half an expression');
refused('start: tomorrow', qr/leadgate\.yaml:15:\d+: error: "tomorrow" is no start/, 'a start that is none');
refused('events: []', qr/leadgate\.yaml:15:\d+: error: "events" is empty/, 'a list of no events');
my $ahead = qr/leadgate\.yaml:15:\d+: error: start 2999-01-31 is yet to come/;
refused('start: 2999-01-31', $ahead, 'a start that is to come');
refused("start: 2999-01-31\n    events: [lead.made]", qr/leadgate\.yaml:16:\d+: error: [^\n]*"lead\.made".*$ahead/s,
    'a start that is to come beside another mistake');

# The clock may not be set yet.
my $early = LeadgateTest->new(config => "$head    start: 2999-01-31\n");
$early->announce(qr/level=warning event=sink\.start-ahead sink=odd start=2999-01-31 /);
$early->start;
like($early->log, qr/event=sink\.start-ahead sink=odd /, 'a gateway starts with it, and warns');
$early->finish;

done_testing;
