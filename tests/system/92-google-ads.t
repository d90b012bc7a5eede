# Lead forms of Google Ads: golden requests with the leads that they give, the key,
# redelivery, and what Google hears.
use strict;
use warnings;
use utf8;

use JSON::PP;
use LeadgateTest;
use Test::More;

my $gateway = LeadgateTest->new(config => <<'YAML')->start;
core: { loops: 2, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "@DIR@/store.db" }
sources:
  ads:
    plugin: google_ads
    path: /in/google
    key: "old-key-1 new-key-2"
    kind: quote
    fields: { what_is_your_budget?: inquiry.subject }
sinks:
  archive: { plugin: file, path: "@DIR@/leads.ndjson", is_test: true }
YAML

my $count = 0;
sub post {
    my ($body) = @_;
    utf8::encode($body) if utf8::is_utf8($body);
    return $gateway->exchange("POST /in/google HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
            . 'Content-Length: ' . length($body) . "\r\n\r\n$body");
}
sub last_event { return ($gateway->wait_events(++$count))[-1] }

sub is_refused {
    my ($answer, $status, $message, $name) = @_;
    is($answer->{status}, $status, $name);
    like($answer->{headers}{'content-type'}, qr{^application/json}, "$name: as JSON");
    my $told = decode_json($answer->{body});
    like($told->{message}, $message, "$name: with a message");
    is(keys %$told, 1, "$name: and nothing else");
    is($gateway->sql('SELECT count(*) FROM event'), $count, "$name: nothing is stored");
}

# ---- golden requests ------------------------------------------------------------

sub flatten {
    my ($value, $path, $flat) = @_;
    if (ref $value eq 'HASH') { flatten($value->{$_}, $path eq '' ? $_ : "$path.$_", $flat) for keys %$value }
    else { $flat->{$path} = $value }
    return $flat;
}

my @cases = map { decode_json($_) } split /\n/, slurp("$ENV{LG_SRCDIR}/tests/golden/google_ads.jsonl");
cmp_ok(scalar @cases, '>=', 40, 'there are many cases');
for my $case (@cases) {
    my $answer = post(JSON::PP->new->canonical->encode($case->{request}) =~ s/"#(-?\d+)"/$1/gr);
    is($answer->{status}, 200, "$case->{name}: 200");
    is($answer->{body}, '{}', "$case->{name}: an empty object");
    my $lead = last_event()->{lead};
    my %kept = map { $_ => $lead->{$_} } grep { $lead->{$_} } qw(person organization inquiry extra is_test occurred_at);
    $kept{attribution}{last} = { %{ $lead->{attribution}{last} } };
    $kept{source}{external_id} = $lead->{source}{external_id};
    delete $kept{attribution}{last}{at};
    delete $kept{occurred_at} unless $case->{want}{occurred_at};
    delete @{ $kept{person} }{qw(email_flags phone_type)};
    is_deeply(flatten(\%kept, '', {}), $case->{want}, "$case->{name}: the lead");
    is("$lead->{source}{channel} $lead->{source}{verified}", 'social 1', "$case->{name}: from a known sender");
}

# ---- the key -------------------------------------------------------------------------

my $body = '{"lead_id":"K-1","google_key":"%s","user_column_data":[{"column_id":"EMAIL","string_value":"k@example.com"}]}';
for my $key ('', 'x', 'old-key-', 'old-key-1 ', 'old-key-1 new-key-2', 'OLD-KEY-1', ' ') {
    is_refused(post(sprintf $body, $key), 403, qr/google_key/, "the key '$key'");
}
for my $bad ('{"lead_id":"K-1"}', '{"lead_id":"K-1","google_key":null}', '{"google_key":["old-key-1"]}', '[]', '"old-key-1"') {
    is_refused(post($bad), 403, qr/google_key/, "the body $bad");
}
is_refused(post('{"lead_id":'), 400, qr/./, 'a body that is cut off');
is_refused(post('{"google_key":"old-key-1"}'), 422, qr/lead_id/, 'no lead_id');
is_refused(post('{"google_key":"old-key-1","lead_id":"K-2"}'), 422, qr/no way to reach/, 'nobody to be reached');
is($gateway->get('/in/google')->{status}, 405, 'GET is not taken');

# ---- redelivery ------------------------------------------------------------------------

is(post(sprintf $body, 'new-key-2')->{status}, 200, 'the second key');
last_event();
for my $key ('old-key-1', 'new-key-2') {
    my $again = post(sprintf $body, $key);
    is("$again->{status} $again->{body}", '200 {}', "the same lead again, by $key: the same answer");
}
is($gateway->sql('SELECT count(*) FROM event'), $count, '… and nothing new in the journal');
is_refused(post(sprintf $body, 'x'), 403, qr/google_key/, 'what is known, with a wrong key');
(my $changed = sprintf $body, 'new-key-2') =~ s/k\@/kk@/;
is(post($changed)->{body}, '{}', 'the same lead_id with another answer');
is(last_event()->{type}, 'lead.touched', '… is a touch: no answer is dropped');
for my $turn (['T-1', 'true', 't'], ['T-1', 'false', 't'], ['T-2', 'false', 'u'], ['T-2', 'true', 'uu']) {
    my ($id, $is_test, $name) = @$turn;
    (my $test = sprintf $body, 'new-key-2') =~ s/K-1"/$id","is_test":$is_test/;
    is(post($test =~ s/k\@/$name\@/r)->{body}, '{}', "$id with is_test $is_test");
    my $event = last_event();
    is($event->{type} . ($event->{lead}{is_test} ? ' of a test' : ''), 'lead.created' . ($is_test eq 'true' ? ' of a test' : ''),
        '… is a lead of its own: a test and a real one are never the same');
}
my @answers = map { qq({"column_id":"$_","string_value":"o\@example.com"}) } qw(q1 EMAIL q2 WORK_EMAIL);
for my $order ([0 .. 3], [3, 2, 1, 0], [1, 3, 0, 2]) {
    my $list = join ',', @answers[@$order];
    is(post(qq({"user_column_data":[$list],"lead_id":"O-1","google_key":"new-key-2"}))->{status}, 200, "answers in the order @$order");
}
last_event();
my @orders = map {
    my $n = $_;
    my @columns = map { qq({"column_id":"$_->[0]","string_value":"$_->[1]"}) }
        ['FULL_NAME', "Many $n"], ['EMAIL', "many$n\@example.com"], ['q', 'b'], ['q', 'a'];
    my @members = ('"google_key":"new-key-2"', qq("lead_id":"M-$n"), '"user_column_data":[%s]');
    map {
        my $turn = $_;
        my $list = join ',', @columns[map { ($_ + $turn) % 4 } 0 .. 3];
        request_bytes('/in/google', 'application/json',
            '{' . sprintf(join(',', $turn % 2 ? reverse @members : @members), $list) . '}');
    } 0 .. 4;
} 1 .. 10;
# Neither in order nor one after the other.
@answers = $gateway->exchange_all(map { $orders[$_ * 7 % @orders] } 0 .. $#orders);
is(scalar(grep { $_->{status} == 200 && $_->{body} eq '{}' } @answers), 50,
    'ten leads, five times each, in four orders, at once: 50 times 200');
$count += 10;
$gateway->wait_events($count);
is($gateway->sql('SELECT count(*) FROM event'), $count, 'each is stored once');
is(scalar(() = $gateway->events), $count, 'and delivered once');

my ($status, $out, $err) = $gateway->command('plugins', 'google_ads');
like($out, qr/\bkey\b.*\bkind\b/s, 'the options are listed');
$gateway->finish;

# An empty key would let everybody in.
my $empty = LeadgateTest->new;
$empty->configure(LeadgateTest::default_config() =~ s/^sources:\n/sources:\n  ads: { plugin: google_ads, path: \/a, key: " " }\n/mr);
($status, $out, $err) = $empty->command('check');
is($status, 78, 'an empty key is no configuration');
like($err, qr/key must not be empty/, 'and the message says why');
done_testing;
