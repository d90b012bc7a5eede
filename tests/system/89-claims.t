# What a source must fetch: stored before the answer, fetched by the gateway, and in the
# end a lead, parked with an alarm, or dead with a reason; whatever the vendor does, and
# whenever the gateway ends.
use strict;
use warnings;

use JSON::PP;
use LeadgateTest;
use Test::More;
use Time::HiRes qw(sleep time);
use Vendor;

$ENV{LEADGATE_TEST_PLUGINS} ||= ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/plugin';

my $slow = $ENV{LG_WRAP} || ($ENV{LG_SAN} || '') =~ /\w/;
my $gateway = LeadgateTest->new(config => '');
my $dir = $gateway->dir;
my $vendor = Vendor->new($dir);

sub configure {
    my (%option) = @_;
    my $more = $option{more} || '';
    my $token = $option{token} || 'token-of-the-first-day';
    my $sources = $option{sources} // <<"YAML";
  ads: { plugin: claimer, path: /ads, auth: none, url: "@{[$vendor->url]}", token: "$token", allow_private: true,
    retry_first: 5ms, retry_max: 20ms$more }
YAML
    return $gateway->configure(<<"YAML");
core: { loops: 2, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store.db" }
sources:
  form: { plugin: webform, path: /form, auth: none }
$sources
sinks:
  archive: { plugin: file, path: "\@DIR\@/leads.ndjson", events: [lead.created, lead.touched, gateway.alert] }
YAML
}

sub order { my ($body) = @_; return $gateway->exchange("POST /ads HTTP/1.1\r\nHost: x\r\nContent-Length: " . length($body) . "\r\n\r\n$body") }
sub claims { my (@of) = @_; my ($status, $out) = $gateway->command('claims', '--json', '-n', 0, @of); is($status, 0, 'claims are listed') or diag($out); return map { decode_json($_) } split /\n/, $out }
sub leads { return map { $_->{lead}{person}{email} } grep { $_->{lead} } $gateway->events }
sub wait_lead { my ($email) = @_; wait_until { grep { $_ eq $email } leads() } "the lead of $email is there" }
sub ended { my ($key) = @_; return $gateway->sql("SELECT state, error FROM claim WHERE key = '$key'") }
sub wait_end { my ($key, $state) = @_; wait_until { ended($key) =~ /^$state\|/ } "the claim $key is $state" }
sub balance_closes { is(($gateway->command('balance'))[0], 0, 'the balance closes') or diag(join "\n", $gateway->command('balance')) }
sub a_lead { my (@emails) = @_; return { body => { leads => \@emails } } }

$vendor->answer('/claim/one' => [a_lead('one@example.com')]);
configure()->start;

# ---- the straight way --------------------------------------------------------------

my $answer = order("claim one\n");
is("$answer->{status} $answer->{body}", '200 accepted ', 'a claim is accepted');
wait_lead('one@example.com');
my ($event) = $gateway->events;
is($event->{lead}{source}{name}, 'ads', 'what was fetched is a lead of its source');
ok(!$event->{lead}{client}, '… of which no client is known');
my ($asked) = $vendor->asked;
is($asked->{headers}{Authorization}, 'Bearer token-of-the-first-day', 'the call has the header that the plugin named');
is(ended('one'), 'done|', 'the claim is done');
is(order("claim one\nclaim one\n")->{body}, 'repeated repeated ', 'its key is known');
is(scalar(() = $vendor->asked), 1, '… and nothing is fetched again');
is($gateway->sql("SELECT count(*) FROM claim WHERE blob IS NOT NULL"), 0, 'what is done keeps no blob');

$vendor->answer('/claim/two' => [{ body => { leads => ['two-a@example.com'], next => '/more', blob => 'page' } }],
    '/more' => [a_lead('two-b@example.com', 'two-a@example.com')]);
order("lead direct\@example.com\nclaim two\n");
wait_lead($_) for qw(direct@example.com two-a@example.com two-b@example.com);
is(scalar(() = grep { $_ eq 'two-a@example.com' } leads()), 1, 'what both pages have is one lead');

# ---- what is refused ------------------------------------------------------------------

is(order('claim ' . 'k' x 255 . "\n")->{status}, 200, 'a key of 255 bytes is taken');
is(order('claim ' . 'k' x 256 . "\n")->{status}, 422, 'a longer one is not');
is(order('blob ' . 'b' x 16384 . "\nclaim big\n")->{status}, 200, 'a blob of 16 KiB is taken');
is(order('blob ' . 'b' x 16385 . "\nclaim bigger\n")->{status}, 422, 'a larger one is not');
is(order("blob my token-of-the-first-day\nclaim secret\n")->{status}, 422, 'a blob with a secret is not');
is(order("claim bad\nblob my token-of-the-first-day\nclaim secret\n")->{status}, 422, '… nor what comes with it');
is($gateway->sql("SELECT count(*) FROM claim WHERE key IN ('bad', 'secret')"), 0, '… and nothing of it is stored');
my $long = 'k' x 255;
$gateway->announce(qr/claim\.(dead|parked)/);
wait_end($_, 'dead') for 'big', $long;

# ---- how it may end -------------------------------------------------------------------

$vendor->answer(
    '/claim/gone' => [{ status => 404, body => '{}' }],
    '/claim/nobody' => [a_lead('-')],
    '/claim/ill' => [{ status => 503, headers => { 'Retry-After' => '0' } }, { silent => JSON::PP::true },
        { half => 10, body => { leads => ['half@example.com'] } }, { body => 'no JSON' }, a_lead('ill@example.com')],
    '/claim/token' => [{ status => 401 }]);
order("claim gone\nclaim nobody\nclaim ill\n");
wait_end('gone', 'dead');
is(ended('gone'), 'dead|there is no such lead', 'the plugin calls it dead, with a reason');
wait_end('nobody', 'dead');
like(ended('nobody'), qr/^dead\|no way to reach the person/, 'what nobody could be reached by is dead, and not lost silently');
wait_lead('ill@example.com');
is(ended('ill'), 'done|', 'a vendor that stumbles is asked again');
is(scalar(() = grep { $_ eq '/claim/ill' } $vendor->targets), 5, '… as often as it does');
ok(!(grep { $_ eq 'half@example.com' } leads()), 'half an answer is none');

order("claim token\n");
wait_end('token', 'parked');
wait_until { $gateway->admin('/readyz')->{content} =~ /"kind":"claims","name":"ads".*"the token is not taken"/ } 'readiness names it';
wait_until { grep { $_->{type} eq 'gateway.alert' } $gateway->events } 'the alert is an event';
like($gateway->admin('/metrics')->{content}, qr/^leadgate_claims\{source="ads",state="parked"\} 1$/m, 'it is counted');
$gateway->announce(qr/kind=claims/);
is_deeply([map { "$_->{key} $_->{state}" } claims('ads')], ['token parked', "$long dead", 'big dead', 'gone dead', 'nobody dead'],
    'the claims that want somebody are listed, those that could be repaired first');
$vendor->answer('/claim/other' => [a_lead('other@example.com')]);
order("claim other\n");
wait_lead('other@example.com');
is(ended('token'), 'parked|the token is not taken', 'others are fetched meanwhile');
$vendor->answer('/claim/token' => [a_lead('token@example.com')]);
my ($status, $out) = $gateway->command('fetch', 'ads');
is("$status $out", "0 1 claim of ads is due now\n", 'an operator has it tried again');
wait_lead('token@example.com');
wait_until { $gateway->admin('/readyz')->{content} !~ /alerts/ } 'the alarm is over';
$vendor->answer('/claim/gone' => [a_lead('gone@example.com')]);
is(($gateway->command('fetch', '--dead', 'ads'))[0], 0, 'dead ones are tried again when somebody asks');
wait_lead('gone@example.com');
wait_end($_, 'dead') for 'big', $long, 'nobody';
balance_closes();

# ---- groups ----------------------------------------------------------------------------

$vendor->answer('/claim/p1,p2,p3.' => [a_lead('whole@example.com')], '/claim/q1' => [a_lead('part@example.com')]);
order("claim p1 3 group-p 3600000\n");
order("claim p2 3 group-p 3600000\nclaim q1 2 group-q 100\n");
wait_lead('part@example.com');
is_deeply([map { $_->{key} } claims('ads')], [$long, qw(big nobody p1 p2)], 'a group waits for its parts');
order("claim p3 3 group-p 3600000\n");
wait_lead('whole@example.com');
is(join(' ', map { ended($_) } qw(p1 p2 p3 q1)), 'done| done| done| done|', 'a group is fetched as one when it is whole, or due');

# ---- state, polls and back-fills ------------------------------------------------------

is(order("keep other a value\n")->{status}, 200, 'state is kept');
$vendor->answer('/poll/none' => [{ body => { leads => ['polled-1@example.com'], state => 'c1' } }],
    '/poll/c1' => [{ body => { leads => ['polled-2@example.com'], state => 'c2', next => '/poll-more' } }],
    '/poll-more' => [a_lead('polled-3@example.com')], '/poll/c2' => [{ body => {} }]);
configure(more => ', poll: 20ms');
is(($gateway->command('reload'))[0], 0, 'a reload turns polls on');
wait_lead("polled-$_\@example.com") for 1 .. 3;
wait_until { grep { $_ eq '/poll/c2' } $vendor->targets } 'a poll begins where the last one ended';
$vendor->answer('/backfill/2026-01-31T12:00:00.000Z' => [{ body => { leads => ['old-1@example.com', 'one@example.com'], blob => 'page2', next => '/hang' } }],
    '/hang' => [{ wait => "$dir/go", body => { leads => ['never@example.com'] } }],
    '/backfill/page2' => [a_lead('old-2@example.com')]);
is(($gateway->command('backfill', '--since', 'yesterday', 'ads'))[0], 2, 'a back-fill wants a time');
is(($gateway->command('backfill', '--since', '2026-01-31T12:00:00Z', 'form'))[0], 1, '… and a source that can');
($status, $out) = $gateway->command('backfill', '--since', '2026-01-31T12:00:00Z', 'ads');
is("$status $out", "0 leads of ads since 2026-01-31T12:00:00Z will be fetched\n", 'what was missed is fetched');
wait_until { grep { $_ eq '/hang' } $vendor->targets } 'its second page is asked for';
like(($gateway->command('backfill', '--since', '2026-01-31T12:00:00Z', 'ads'))[1], qr/ordered before/, 'twice is once');
$gateway->kill_hard;
$gateway->start;
wait_lead('old-2@example.com');
ok((grep { $_ eq 'old-1@example.com' } leads()), 'a back-fill goes on where its last commit was');
is(scalar(() = grep { $_ eq '/backfill/2026-01-31T12:00:00.000Z' } $vendor->targets), 1, '… and not from the start');
is($gateway->sql("SELECT count(*) FROM event WHERE body LIKE '%\"email\":\"one\@example.com\"%'"), 1, 'what was known is not stored twice');
wait_until { $gateway->sql("SELECT count(*) FROM claim WHERE kind = 'backfill'") == 0 } 'in the end it is gone';
is($gateway->sql("SELECT value FROM state WHERE scope = 'source:ads' AND key = 'other'"), 'a value', 'the state is there after a kill');
ok(!(grep { $_ eq '/poll/none' } ($vendor->targets)[-1]), 'and polls go on from it');

# ---- leads that cannot be stored --------------------------------------------------------

$gateway->announce(qr/event=claim\.leads?-refused/);
$vendor->answer('/claim/beside' => [{ body => { leads => ['beside@example.com', '-beside'] } }],
    '/backfill/2026-02-01T12:00:00.000Z' => [{ body => { leads => ['-old'], next => '/old-more' } }], '/old-more' => [a_lead('old-3@example.com')],
    '/poll/c2' => [{ body => { leads => ['-polled'], state => 'c3' } }], '/poll/c3' => [{ body => {} }]);
order("claim beside\n");
is(($gateway->command('backfill', '--since', '2026-02-01T12:00:00Z', 'ads'))[0], 0, 'another back-fill');
wait_lead($_) for qw(beside@example.com old-3@example.com);
wait_end("-$_", 'dead') for qw(beside old polled);
like(ended('-polled'), qr/^dead\|no way to reach the person/, 'what a poll brings once and nobody could be reached by is a dead claim, and not lost');
is(ended('beside'), 'done|', 'a claim is done though one of its leads is dead');
sub in_log { my ($kind, $key) = @_; wait_until { $gateway->log =~ /event=claim\.lead-refused source=ads kind=$kind key=-$key reason="no way/ } "the log names a refused lead of a $kind" }
in_log(@$_) for [claim => 'beside'], [backfill => 'old'], [poll => 'polled'];
$vendor->answer('/claim/-polled' => [a_lead('polled-late@example.com')]);
is(($gateway->command('fetch', '--dead', 'ads'))[0], 0, 'it can be asked for again');
wait_lead('polled-late@example.com');
is(ended('-polled'), 'done|', '… and is a lead');
wait_end("-$_", 'dead') for qw(beside old);

# Those whose key is the claim's own make that one dead, wherever they come.
my @own = (
    [own => "claim -own\n", '/claim/-own' => [{ body => { leads => ['-own', 'own-beside@example.com'] } }]],
    [paged => "claim -paged\n", '/claim/-paged' => [{ body => { leads => ['-paged'], next => '/paged-2' } }], '/paged-2' => [{ body => { leads => [] } }]],
    [failed => "claim -failed\n", '/claim/-failed' => [{ body => { leads => ['-failed', 'failed-1@example.com'], blob => 'page', next => '/failed-2' } }],
        '/claim/-failed+' => [{ body => {} }], '/failed-2' => [{ status => 503 }, a_lead('failed-2@example.com')]],
    [one => "claim -one 2 group-own 0\nclaim -two 2 group-own 0\n", '/claim/-one,-two.' => [a_lead('-one', 'two@example.com')]]);
for (@own) {
    my ($key, $body, @answers) = @$_;
    $vendor->answer(@answers);
    order($body);
    wait_until { ended("-$key") =~ /^d/ } "the claim -$key has ended";
    like(ended("-$key"), qr/^dead\|no way to reach the person/, '… and is dead');
}
is(ended('-two'), 'done|', 'another of its group is done');
wait_lead("$_\@example.com") for qw(own-beside failed-1 failed-2 two);
my $dead_one = $gateway->sql("SELECT no FROM claim WHERE key = '-one'");
like($gateway->log, qr/event=claim\.dead source=ads kind=claim number=$dead_one reason="no way/, 'the log says which one it is');
$vendor->answer(map { ("/claim/-$_" => [a_lead("$_-late\@example.com")]) } qw(own paged failed one));
is(($gateway->command('fetch', '--dead', 'ads'))[0], 0, 'they can be asked for again');
wait_lead("$_-late\@example.com") for qw(own paged failed one);
wait_end("-$_", 'dead') for qw(beside old);
$vendor->answer('/poll/c3' => [{ body => { leads => [map { "-storm-$_" } 1 .. 40], state => 'c4' } }], '/poll/c4' => [{ body => {} }]);
wait_end("-storm-$_", 'dead') for 1 .. 40;
balance_closes();
configure();
is(($gateway->command('reload'))[0], 0, 'a reload turns polls off');
sub told { my $log = $gateway->log; my $told = () = $log =~ /event=claim\.lead-refused/g; $told += $_ for $log =~ /event=claim\.leads?-refused.* untold=(\d+)/g; return $told }
wait_until { told() == 43 } 'the log has all refused leads, or how many it leaves out';
cmp_ok(scalar(() = $gateway->log =~ /event=claim\.lead-refused/g), '<', 43, '… and no line for each of many');

# ---- the vendor is down --------------------------------------------------------------

my $port = $vendor->{port};
$vendor->answer('/claim/slow' => [{ wait => "$dir/now", body => { leads => ['slow@example.com'] } }]);
order("claim slow\n");
wait_until { grep { $_ eq '/claim/slow' } $vendor->targets } 'a call hangs';
my $before = time;
is(order("claim later-$_\n")->{status}, 200, 'claims are accepted all the same') for 1 .. 5;
cmp_ok(time - $before, '<', patience(), '… without waiting for the vendor');
configure(token => 'token-of-the-second-day');
is(($gateway->command('reload', '--wait'))[0], 0, 'a reload does not wait for the call');
spew("$dir/now", '');
wait_lead('slow@example.com');
is((grep { $_->{target} eq '/claim/slow' } $vendor->asked)[-1]{headers}{Authorization}, 'Bearer token-of-the-second-day',
    'its claim is fetched under the new configuration');
wait_end("later-$_", 'dead') for 1 .. 5;

# ---- a source that goes and comes -------------------------------------------------------

unlink "$dir/now";
$vendor->answer('/claim/orphan' => [{ wait => "$dir/now", body => { leads => ['orphan@example.com'] } }]);
order("claim orphan\n");
wait_until { grep { $_ eq '/claim/orphan' } $vendor->targets } 'it is being fetched';
configure(sources => '');
is(($gateway->command('reload', '--wait'))[0], 0, 'its source is removed');
spew("$dir/now", '');
is_deeply([map { "$_->{key} $_->{state}" } grep { $_->{state} eq 'waiting' } claims()], ['orphan waiting'], 'the claim stays');
configure();
$gateway->command('reload');
wait_lead('orphan@example.com');
balance_closes();
configure(sources => '');
$gateway->command('reload', '--wait');
is(($gateway->command('claims', 'adds'))[0], 1, 'a source that nobody knows is not one without claims');
is(($gateway->command('forget', 'ads'))[0], 0, 'what a removed source left can be forgotten');
is($gateway->sql("SELECT count(*) FROM claim") . $gateway->sql("SELECT count(*) FROM state WHERE scope LIKE 'source:%'"), '00', '… all of it');

# ---- kill -9 ------------------------------------------------------------------------------

configure();
$gateway->command('reload', '--wait');
my (@accepted, $number);
$vendor->answer('*' => [{ body => { leads => ['dummy@example.com'] } }]);
for my $round (1 .. ($slow ? 4 : 15)) {
    my @new = map { 'k' . ++$number } 1 .. 5;
    $vendor->answer(map { ("/claim/$_" => [a_lead("$_\@example.com")]) } @new);
    for (@new) { push @accepted, $_ if order("claim $_\n")->{status} == 200 }
    sleep rand 0.02;
    $gateway->kill_hard;
    $gateway->start;
}
is(scalar @accepted, $number, 'all claims were accepted');
wait_until { $gateway->sql("SELECT count(*) FROM claim WHERE state <> 'done'") == 0 } 'all are fetched', 60;
my %times = split /[|\n]/, $gateway->sql("SELECT json_extract(body, '\$.lead.person.email') AS email, count(*) FROM event WHERE email GLOB 'k[0-9]*' GROUP BY email");
is_deeply(\%times, { map { ("$_\@example.com" => 1) } @accepted }, 'each is one lead, though the gateway was killed between');
balance_closes();
$gateway->allow_calls(1, 4)->finish;
$vendor->stop;
done_testing;
