# /metrics: accepted by promtool, listed in docs/metrics.md, and true: what was
# done is what is counted.
use strict;
use warnings;

use LeadgateTest;
use Test::More;

use constant PEOPLE => 12;

$ENV{LEADGATE_TEST_PLUGINS} ||= ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/plugin';

my $gateway = LeadgateTest->new(config => <<'YAML');
core: { loops: 2, shutdown: 20s, slow_call: 10s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "@DIR@/store.db" }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
  quote-form: { plugin: webform, path: /f/quote, auth: none, kind: quote }
  ads: { plugin: claimer, path: /f/ads, auth: none, url: "http://127.0.0.1:1/", token: unused }
  list: { plugin: lister }
sinks:
  archive: { plugin: file, path: "@DIR@/leads.ndjson" }
  nowhere: { plugin: failing_sink, script: "@DIR@/script", retry_first: 10ms, retry_max: 20ms }
  strict: { plugin: failing_sink, script: "@DIR@/strict" }
  calls: { plugin: http, url: "http://127.0.0.1:1/", allow_private: true, retry_first: 200ms, retry_max: 200ms }
YAML
spew($gateway->dir . '/script', "park\n");
spew($gateway->dir . '/strict', "reject\n");
$gateway->announce(qr/event=sink\.parked sink=nowhere/, qr/event=sink\.waiting sink=calls/)->start;
$gateway->allow_calls(1, 3);

# Leads of every result, from both forms.
for my $n (1 .. PEOPLE) {
    is($gateway->post('/f/contact', [email => "person$n\@example.com"])->{status}, 202, "person $n");
}
$gateway->post('/f/contact', [email => 'person1@example.com', message => 'once more']);
$gateway->post('/f/contact', [email => 'person1@example.com', message => 'once more']);
$gateway->post('/f/contact', [full_name => 'nobody']);
$gateway->post('/f/quote', [email => 'other@example.com']);
$gateway->post_json('/f/quote', { email => 'key@example.com' }, 'Idempotency-Key' => '"one"');
$gateway->post_json('/f/quote', { email => 'new@example.com' }, 'Idempotency-Key' => '"one"');

# Refusals and closes.
$gateway->exchange("GET / HTTP/9.9\r\nHost: test\r\n\r\n");
$gateway->exchange("GET /f/contact HTTP/1.1\r\n\r\n") for 1 .. 2;
$gateway->get('/nowhere') for 1 .. 4;
$gateway->exchange("DELETE /f/contact HTTP/1.1\r\nHost: test\r\n\r\n");
close $gateway->connect;

sub metrics {
    my $text = $gateway->admin('/metrics')->{content};
    my %values = $text =~ /^([a-z_]+(?:\{[^}\n]*\})?) (\S+)$/mg;
    return wantarray ? ($text, \%values) : \%values;
}
sub value { return metrics()->{ $_[0] } // 'none' }

my $stored = PEOPLE + 3;
$gateway->wait_events($stored);
wait_until { value('leadgate_sink_position{sink="archive"}') == $stored } 'the sink has settled all';
wait_until { value('leadgate_sink_open_events{sink="strict",state="dead"}') eq $stored } 'all are dead letters';
wait_until { value('leadgate_sink_oldest_pending_seconds{sink="nowhere"}') >= 1 } 'what waits grows old';
wait_until { value('leadgate_sink_state{sink="nowhere",state="parked"}') == 1 } 'the other one is parked';
wait_until { value('leadgate_sink_calls_total{sink="calls",result="connect-failed"}') =~ /^[1-9]/ } 'calls are counted';
wait_until { value('leadgate_alert{kind="parked",name="nowhere"}') eq '1' } 'an alert says so';
wait_until { value('leadgate_connections') == 0 } 'no connection is open';
# The lane counts what the writer has stored, and the backlog is looked at now and then.
wait_until { value('leadgate_sink_attempts_total{sink="strict",outcome="dead"}') == $stored } 'the lane has counted them';
wait_until { value("leadgate_sink_oldest_pending_seconds{sink=\"$_\"}") == 0 } "nothing waits for $_" for qw(archive strict);

my ($text, $values) = metrics();
my %expected = (
    'leadgate_leads_total{source="contact-form",result="created"}' => PEOPLE,
    'leadgate_leads_total{source="contact-form",result="touched"}' => 1,
    'leadgate_leads_total{source="contact-form",result="repeated"}' => 1,
    'leadgate_leads_total{source="contact-form",result="unreachable"}' => 1,
    'leadgate_leads_total{source="quote-form",result="created"}' => 2,
    'leadgate_leads_total{source="quote-form",result="conflict"}' => 1,
    'leadgate_source_requests_total{source="contact-form",result="stored"}' => PEOPLE + 2,
    'leadgate_source_requests_total{source="contact-form",result="refused"}' => 1,
    'leadgate_source_requests_total{source="quote-form",result="stored"}' => 2,
    'leadgate_source_requests_total{source="quote-form",result="refused"}' => 1,
    'leadgate_store_captures_total{result="created"}' => PEOPLE + 2,
    'leadgate_store_captures_total{result="conflict"}' => 1,
    'leadgate_store_last_seq' => $stored,
    'leadgate_store_leads' => PEOPLE + 2,
    'leadgate_store_queue_bytes' => 0,
    'leadgate_http_refused_total{reason="version"}' => 1,
    'leadgate_http_refused_total{reason="host-missing"}' => 2,
    'leadgate_http_unrouted_total{reason="path"}' => 4,
    'leadgate_http_unrouted_total{reason="method"}' => 1,
    'leadgate_connections_closed_total{reason="refused"}' => 3,
    'leadgate_sink_attempts_total{sink="archive",outcome="delivered"}' => $stored,
    'leadgate_sink_attempts_total{sink="archive",outcome="dead"}' => 0,
    'leadgate_sink_attempts_total{sink="strict",outcome="dead"}' => $stored,
    'leadgate_sink_open_events{sink="archive",state="dead"}' => 0,
    'leadgate_sink_oldest_pending_seconds{sink="archive"}' => 0,
    'leadgate_sink_oldest_pending_seconds{sink="strict"}' => 0,
    'leadgate_sink_lag_events{sink="archive"}' => 0,
    'leadgate_sink_lag_events{sink="nowhere"}' => $stored,
    'leadgate_sink_state{sink="archive",state="parked"}' => 0,
    'leadgate_ready' => 1,
    'leadgate_generation' => 1,
    'leadgate_stage_seconds_count{stage="receive"}' => PEOPLE + 6,
    'leadgate_stage_seconds_count{stage="prepare"}' => PEOPLE + 6,
    'leadgate_stage_seconds_count{stage="queue"}' => PEOPLE + 5,
    'leadgate_stage_seconds_count{stage="reply"}' => PEOPLE + 5,
    'leadgate_request_seconds_count' => PEOPLE + 5,
);
is($values->{$_}, $expected{$_}, $_) for sort keys %expected;
# A commit may come between the printing of one and the other.
cmp_ok($values->{'leadgate_stage_seconds_count{stage="commit"}'}, '>=', $values->{leadgate_store_commits_total},
    'each commit is timed');
# A transaction of a repetition alone changes nothing and syncs nothing.
cmp_ok($values->{'leadgate_stage_seconds_count{stage="sync"}'}, '>=', 1, 'and so are syncs');
cmp_ok($values->{'leadgate_sink_delivery_seconds_count{sink="archive"}'}, '>=', 1, 'deliveries are timed');
cmp_ok($values->{leadgate_store_file_bytes}, '>=', 4096, 'the file has a size');
# It may grow between the two looks, for what fails is tried again and noted.
wait_until { -s $gateway->store == value('leadgate_store_file_bytes') } 'it is its own';
cmp_ok($values->{leadgate_start_time_seconds}, '>', time - 600, 'it began a moment ago');
ok(!grep(/person|example|nobody|once/, keys %$values), 'no personal data in a label');

# The page and the program say the same. Families of plugins are their own.
my (%documented, %printed);
for my $line (split /\n/, slurp("$ENV{LG_SRCDIR}/docs/metrics.md")) {
    my ($name, $type, $labels) = $line =~ /^\| `(leadgate_\w+)` \| (\w+) \|([^|]*)\|/ or next;
    ok(!$documented{$name}, "$name stands once in the page") if $documented{$name};
    $documented{$name} = join ' ', $type, sort $labels =~ /`(\w+)`/g;
}
my (%types, %labels);
for my $line (split /\n/, $text) {
    if ($line =~ /^# TYPE (\S+) (\S+)$/) {
        fail("$1 has two types") if $types{$1};
        $types{$1} = $2;
    }
    next unless $line =~ /^(leadgate_\w+?)(?:_(?:bucket|sum|count))?(?:\{(.*)\})? \S+$/;
    my ($family, $list) = ($1, $2 // '');
    ($family) = $line =~ /^(\w+)/ unless $types{$family};
    $labels{$family}{$_} = 1 for grep { $_ ne 'le' } $list =~ /(\w+)="/g;
}
$printed{$_} = join ' ', $types{$_}, sort keys %{ $labels{$_} || {} } for keys %types;
delete $printed{$_} for grep { /^leadgate_plugin_/ } keys %printed;
is_deeply(\%printed, \%documented, 'docs/metrics.md lists what is printed, with types and labels');

SKIP: {
    skip 'promtool is not installed', 3 unless grep { -x "$_/promtool" } split /:/, $ENV{PATH};
    spew($gateway->dir . '/metrics', $text);
    my ($rules) = slurp("$ENV{LG_SRCDIR}/docs/metrics.md") =~ /```yaml\n(.*?)```/s;
    spew($gateway->dir . '/rules.yaml', $rules);
    my $checked = qx(promtool check rules @{[$gateway->dir]}/rules.yaml 2>&1);
    is($?, 0, 'it accepts the rules of the page') or diag($checked);
    my ($unknown) = grep { !$documented{ s/_(bucket|sum|count)$//r } && !$documented{$_} } $rules =~ /\b(leadgate_\w+)/g;
    is($unknown, undef, '… which are about metrics that there are');
    my $said = qx(promtool check metrics < @{[$gateway->dir]}/metrics 2>&1);
    is("$? $said", '0 ', 'promtool accepts them and has nothing to say');
}

$gateway->finish;
done_testing;
