# The webform source with its options, as browsers and scripts meet it.
use strict;
use warnings;
use utf8;

use JSON::PP;
use LeadgateTest;
use Test::More;

my $browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
my $config = <<'YAML';
core: { loops: 1, shutdown: 20s }
listen: [{ address: "127.0.0.1:0", trusted_proxies: [127.0.0.0/8] }]
admin: { address: "127.0.0.1:0" }
store: { path: "@DIR@/store.db" }
sources:
  full:
    plugin: webform
    path: /f/full
    auth: none
    kind: demo
    fields: { your-tel: person.phone, firma: organization.name }
    honeypot: website2
    redirect: /thanks.html?x=1
    consent_field: agree
    consent_purpose: newsletter
    consent_channels: [email, sms]
    consent_text: "Yes, write to me <now>"
    consent_version: "2026-01"
  plain: { plugin: webform, path: /f/plain, auth: none, thanks: "Merci & à bientôt <b>" }
  sites: { plugin: webform, path: /f/sites, auth: none, origins: ["http://www.example"] }
sinks:
  archive: { plugin: file, path: "@DIR@/leads.ndjson" }
YAML
utf8::encode($config);
my $gateway = LeadgateTest->new(config => $config)->start;

my $count = 0;
sub lead { return ($gateway->wait_events(++$count))[-1]{lead} }

my $answer = $gateway->post('/f/full', [email => 'a@example.com', 'your-tel' => '+49 30 901820', firma => 'Müller & Co',
    agree => 'on', 'products[]' => 'x', 'products[]' => 'y', note => 'später'], Accept => $browser,
    Referer => 'https://site.example/contact?utm_source=n');
is($answer->{status}, 303, 'a browser is sent on');
is($answer->{headers}{location}, '/thanks.html?x=1', 'to the page of the configuration');
my $lead = lead();
is($lead->{person}{phone}, '+4930901820', 'a field of the fields map');
is($lead->{organization}{name}, 'Müller & Co', 'another one');
is($lead->{inquiry}{kind}, 'demo', 'the kind of the source');
is_deeply($lead->{inquiry}{products}, ['x', 'y'], 'a list');
is($lead->{extra}{note}, 'später', 'what nobody knows');
like($lead->{client}{page_url}, qr{^https://site\.example/contact}, 'the page it came from');
my $consent = $lead->{consent}[0];
is($consent->{purpose}, 'newsletter', 'consent: purpose');
is($consent->{state}, 'granted', 'consent: state');
is_deeply($consent->{channels}, ['email', 'sms'], 'consent: channels');
is($consent->{text}, 'Yes, write to me <now>', 'consent: words');
is($consent->{version}, '2026-01', 'consent: version');

$gateway->post('/f/full', [email => 'b@example.com', agree => '']);
is_deeply(lead()->{consent} || [], [], 'an unchecked box states nothing');
is($lead->{extra}{agree}, 'on', 'consent: the value of the box');
$gateway->post('/f/full', [email => 'nein@example.com', agree => 'Nein']);
$lead = lead();
is($lead->{consent}[0]{state}, 'denied', 'a word of refusal denies it');
is($lead->{extra}{agree}, 'Nein', 'and is kept');

# A trap is answered like any other and delivered to nobody.
$answer = $gateway->post('/f/full', [email => 'bot@example.com', website2 => 'http://spam.example']);
is($answer->{status}, 202, 'a trap is answered as always');
is_deeply([sort keys %{ decode_json($answer->{body}) }], ['receipt', 'status'], 'with the same answer');
$gateway->post('/f/full', [email => 'c@example.com', website2 => '']);
is(lead()->{person}{email}, 'c@example.com', 'an empty trap is none, and the trapped one is not delivered');
is($gateway->sql('SELECT count(*) FROM event'), 5, 'but it is kept');

# JSON, nested or not.
$answer = $gateway->post_json('/f/plain', { person => { email => 'd@example.com', profiles =>
    [{ network => 'linkedin', id => 'dora' }] }, 'person.given_name' => 'Dora', attribution => { last => { gclid => 'g1' } },
    tags => ['a', 'b'], deep => { er => { still => 1 } } }, Accept => $browser);
is($answer->{status}, 202, 'JSON is never sent on');
like($answer->{headers}{'content-type'}, qr{^text/html}, 'a browser gets a page');
utf8::decode($answer->{body});
like($answer->{body}, qr{Merci &amp; à bientôt &lt;b&gt;}, 'with the words of the configuration');
$lead = lead();
is($lead->{person}{given_name}, 'Dora', 'a name with dots');
is($lead->{person}{profiles}[0]{id}, 'dora', 'a profile');
is($lead->{attribution}{last}{gclid}, 'g1', 'three parts');
is_deeply($lead->{extra}{tags}, ['a', 'b'], 'a list that nobody knows');
is($lead->{extra}{'deep.er.still'}, '1', 'an object that nobody knows');

# A profile that is none reaches nobody.
$answer = $gateway->post_json('/f/plain', { person => { profiles => [{ network => 'linkedin', url => 'n/a' }] } });
is($answer->{status}, 422, 'a profile that is none: 422');

# Idempotency-Key.
my @same = ([email => 'e@example.com'], 'Idempotency-Key' => '"key-1"');
my $first = $gateway->post('/f/plain', @same);
lead();
my $again = $gateway->post('/f/plain', @same);
is($again->{status}, $first->{status}, 'the same key again: the same status');
is($again->{body}, $first->{body}, 'and the same receipt');
$again = $gateway->post('/f/plain', [email => 'other@example.com'], 'Idempotency-Key' => '"key-1"');
is($again->{status}, 422, 'the same key with other content: 422');
is($gateway->post('/f/plain', [email => 'f@example.com'], 'Idempotency-Key' => 'x' x 256)->{status}, 400,
    'a key that is too long: 400');

# Origins: a form that was refused is sent again from the gateway's own page.
my $own = 'http://127.0.0.1:' . $gateway->port;
my @proxied = ('X-Forwarded-Host' => 'forms.example', 'X-Forwarded-Proto' => 'https', 'X-Forwarded-For' => '203.0.113.7');
my $sites = 0;
for my $case (
    ['the listed site', 202, Origin => 'http://www.example'],
    ['another site', 403, Origin => 'http://evil.example'],
    ["the gateway's own page", 202, Host => substr($own, 7), Origin => $own],
    ["the same by its Referer", 202, Host => substr($own, 7), Referer => "$own/f/sites"],
    ['its name at another port', 403, Host => substr($own, 7), Origin => 'http://127.0.0.1'],
    ['its own page behind a proxy', 202, @proxied, Origin => 'https://forms.example'],
    ['the same without TLS', 403, @proxied, Origin => 'http://forms.example'],
) {
    my ($name, $status, @headers) = @$case;
    $answer = $gateway->post('/f/sites', [email => 'site' . ++$sites . '@example.com'], @headers);
    is($answer->{status}, $status, "origins: $name");
    is($answer->{headers}{'access-control-allow-origin'}, $sites == 1 ? 'http://www.example' : undef,
        "origins: $name: what a script may read");
    lead() if $status == 202;
}
$answer = $gateway->post('/f/sites', [email => 'evil@example.com'], Accept => $browser, Origin => 'http://evil.example');
like($answer->{body}, qr{<h1>Not sent</h1>}, 'origins: a visitor of another site is told');
unlike($answer->{body}, qr{<form|evil\@example}, 'and offered no form, which would be sent from the gateway itself');

# Two boxes for one thing, of which one has no answer.
for my $case (
    ['+12025550111', [phone => '202 555 0111', mobile => 'n/a']],
    ['+12025550112', [mobile => '202 555 0112', phone => 'nein']],
    ['+12025550113', [phone => '-', mobile => '202 555 0113']],
) {
    my ($phone, $fields) = @$case;
    is($gateway->post('/f/plain', $fields)->{status}, 202, "$fields->[1] and $fields->[3]: one is a number");
    $lead = lead();
    is($lead->{person}{phone}, $phone, "$fields->[1] and $fields->[3]: it is the person's");
    is_deeply([$lead->{person}{other_phones}, $lead->{extra}], [undef, undef], '… and stands there alone');
}

# Refusals: a page for browsers, a problem for others.
$answer = $gateway->post('/f/plain', [full_name => '<No> Way'], Accept => $browser);
is($answer->{status}, 422, 'nobody can be reached');
like($answer->{headers}{'content-type'}, qr{^text/html}, 'a browser gets a page');
$answer = $gateway->post_json('/f/plain', [1, 2]);
is($answer->{status}, 422, 'an array is no form');
like(decode_json($answer->{body})->{detail}, qr/one JSON object/, 'and the detail says what would be right');
my $deep = '{"a":' x 30 . '1' . '}' x 30;
$answer = $gateway->exchange("POST /f/plain HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
        . length($deep) . "\r\n\r\n$deep");
is($answer->{status}, 422, 'nesting has a bound');
$answer = $gateway->exchange("POST /f/plain HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\n"
        . "Content-Length: 0\r\n\r\n");
is($answer->{status}, 415, 'another media type');
like(decode_json($answer->{body})->{detail}, qr/application\/json/, 'and what would be taken');

is((() = $gateway->events), $count, 'nothing else was delivered');
$gateway->finish;
done_testing;
