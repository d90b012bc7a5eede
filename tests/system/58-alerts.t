# Alerts: a silent source, a parked lane, events that wait too long. Each is
# raised once and cleared once, over a kill too, and tells only who asked.
use strict;
use warnings;

use Destination;
use File::Temp qw(tempdir);
use JSON::PP;
use LeadgateTest;
use Test::More;

$ENV{LEADGATE_TEST_PLUGINS} ||= ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/plugin';

my $folder = tempdir('leadgate-destination-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $destination = Destination->new($folder);
my $port = $destination->port;

my $config = <<'YAML' =~ s/\@PORT\@/$port/r;
core: { loops: 1, shutdown: 20s, slow_call: 10s }
listen: { address: "127.0.0.1:0" }
admin: { address: "127.0.0.1:0" }
store: { path: "@DIR@/store.db" }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none, alert_silent: 1s }
  quote-form: { plugin: webform, path: /f/quote, auth: none }
sinks:
  archive: { plugin: file, path: "@DIR@/leads.ndjson" }
  pager: { plugin: file, path: "@DIR@/alerts.ndjson", events: [gateway.alert],
           when: "person.country == 'XX'" }   # an expression is about leads
  hook: { plugin: http, url: "http://127.0.0.1:@PORT@/status/200", allow_private: true,
          events: [gateway.alert, lead.touched] }
  crm: { plugin: failing_sink, script: "@DIR@/script", log: "@DIR@/crm.log", alert_lag: 1s,
         retry_first: 10ms, retry_max: 20ms }
YAML
my $gateway = LeadgateTest->new(config => $config);
$gateway->announce(qr/event=gateway\.alert kind=(silent|lag) .*state=raised/, qr/event=sink\.parked sink=crm/);
script('deliver');
$gateway->start->allow_calls(1, 8);

sub script { spew($gateway->dir . '/script', "$_[0]\n") }

# The alerts that the pager was told of one kind, in order.
sub told { my ($kind) = @_; return grep { $_->{kind} eq $kind } map { $_->{alert} } events_of_pager() }
sub events_of_pager { return read_lines($gateway->dir . '/alerts.ndjson') }
sub states { return join ' ', map { $_->{state} } told($_[0]) }
sub wait_state {
    my ($kind, $state) = @_;
    wait_until { my @told = told($kind); @told && $told[-1]{state} eq $state } "$kind is $state";
    return (told($kind))[-1];
}
sub metric {
    my ($kind, $name) = @_;
    my ($value) = $gateway->admin('/metrics')->{content} =~ /^leadgate_alert\{kind="$kind",name="$name"\} (\d)$/m;
    return $value // 'none';
}
sub ready { my $answer = $gateway->admin('/readyz'); return ($answer->{status}, decode_json($answer->{content})) }

# A source that falls silent.
my $alert = wait_state('silent', 'raised');
is($alert->{name}, 'contact-form', 'the alert names the source');
like($alert->{$_}, qr/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, "… and says $_") for qw(since last_lead);
like($alert->{reason}, qr/alert_silent/, '… and why');
my ($event) = events_of_pager();
is($event->{type}, 'gateway.alert', 'it comes as an event');
ok($event->{seq} >= 1 && $event->{id} =~ /^[0-9a-f-]{36}$/ && $event->{at}, '… with what events have');
ok(!exists $event->{lead}, '… and of no lead');
is(metric('silent', 'contact-form'), 1, 'the metric says it');
is(metric('silent', 'quote-form'), 'none', 'a source without the option has none');
is(metric('parked', 'crm'), 0, 'a lane that goes has a 0');
my ($status, $said) = ready();
is($status, 200, 'the gateway is ready all the same');
is($said->{status}, 'ready', '… and says so');
# A machine that stands still makes events wait: of a lag nothing is said here.
is_deeply([grep { !/^lag/ } map { "$_->{kind} $_->{name} $_->{state}" } @{ $said->{alerts} }], ['silent contact-form raised'],
    '… with the alert');
my ($exit, $out) = $gateway->command('status');
like($out, qr/^alerts\[0\]\.kind\s+silent$/m, 'leadgate status shows it');
($exit, $out) = $gateway->command('status', '--json');
is(decode_json($out)->{alerts}[0]{name}, 'contact-form', '… as JSON too');

# Over HTTP it is the same.
wait_until { $destination->requests } 'the hook is called';
my ($request) = $destination->requests;
is_deeply(decode_json($request->{body}), $event, 'the http sink sends the event as it is');
is($request->{headers}{'idempotency-key'}, $event->{id}, '… under its id');

# A lead ends the silence, which soon begins anew.
is($gateway->post('/f/contact', [email => 'ada@example.com'])->{status}, 202, 'a lead comes');
wait_until { states('silent') =~ /^raised cleared/ } 'the silence is over';
my ($lead) = $gateway->wait_events(1);
$alert = wait_state('silent', 'raised');
is($alert->{last_lead} ge $lead->{at}, 1, 'the next one counts from that lead');
wait_until { -s $gateway->dir . '/crm.log' } 'the other sink has it';

# A lane that parks, and then lags.
script('park');
is($gateway->post('/f/quote', [email => 'eve@example.com'])->{status}, 202, 'another lead');
$alert = wait_state('parked', 'raised');
is($alert->{name}, 'crm', 'the parked lane is named');
ok(length $alert->{reason}, '… with its reason');
$alert = wait_state('lag', 'raised');
ok($alert->{oldest_pending}, 'what waits too long is named, with its age');
is(metric('lag', 'crm'), 1, '… and measured');

# A kill forgets nothing and says nothing twice, once it is settled.
wait_until {
    $gateway->delivered('pager') == $gateway->sql("SELECT count(*) FROM event WHERE type = 'gateway.alert'")
        && $gateway->delivered('archive') == 2;
} 'all alerts are settled, and the leads where they can be';
my ($parked, $lag, $silent) = map { states($_) } qw(parked lag silent);
$gateway->kill_hard;
$gateway->start->allow_calls(1, 8);
wait_until { metric('parked', 'crm') eq '1' && metric('silent', 'contact-form') eq '1' } 'the alerts are known';
wait_until { $gateway->log =~ /event=sink\.parked/ } 'the lane is parked again';
wait_until { metric('lag', 'crm') eq '1' } 'the lag is seen again';
is(states('parked'), $parked, 'a parked lane is told once');
is(states('lag'), $lag, 'so is its lag');
wait_until {
    my ($known) = grep { $_->{kind} eq 'silent' } @{ (ready())[1]{alerts} };
    $known->{last_lead} eq $lead->{at};
} 'the last lead is known from the journal';
script('deliver');
wait_state('parked', 'cleared');
wait_state('lag', 'cleared');
is(states('parked'), "$parked cleared", 'and cleared once');
like(states('lag'), qr/^\Q$lag\E cleared( raised cleared)*( raised)?$/, 'so is its lag');
is(metric('parked', 'crm'), 0, 'the metric falls');

# A reload takes the option away, and its alert.
$gateway->configure($config =~ s/, alert_silent: 1s//r);
($exit, $out) = $gateway->command('reload', '--wait');
is($exit, 0, 'reload') or diag($out);
like(wait_state('silent', 'cleared')->{reason}, qr/not configured/, 'an alert of nothing is cleared');
is(metric('silent', 'contact-form'), 0, '… in the metric too');
for my $kind (qw(silent parked)) {
    like(states($kind), qr/^raised cleared( raised cleared)*$/, "$kind: raised and cleared take turns");
}
like(states('lag'), qr/^raised cleared( raised cleared)*( raised)?$/, 'so they do for lag, which a slow disk may raise again');

# They are no leads.
is(scalar $gateway->events, 2, 'a sink that did not ask got leads alone');
is((() = slurp($gateway->dir . '/crm.log') =~ /^\d+ /mg), 2, 'so did the other');
($exit, $out) = $gateway->command('leads', '--json');
is((() = $out =~ /\n/g), 2, 'leads lists leads alone');
is($gateway->sql('SELECT count(*) FROM lead') . ' ' . $gateway->sql('SELECT count(*) FROM identity'), '2 2',
    'nothing of an alert is in tables of leads');
my $told = sub { return scalar(my @events = events_of_pager()) };
my $alerts = sub { return $gateway->sql("SELECT count(*) FROM event WHERE type = 'gateway.alert'") };
wait_until { $told->() >= $alerts->() } 'all are delivered';
cmp_ok($told->(), '<=', $alerts->(), 'each was delivered once');
($exit, $out) = $gateway->command('balance');
is($exit, 0, 'the balance closes') or diag($out);
my @lines = $gateway->log =~ /event=gateway\.alert kind=parked/g;
is(scalar @lines, 1, 'what began before the start is logged when it ends');

$gateway->finish;
done_testing;
