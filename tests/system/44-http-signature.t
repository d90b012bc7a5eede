# What the http sink sends: bodies of one event and of many, keys that stay the
# same when it is sent again, credentials, and signatures, which are verified by
# somebody else: Python's hmac.
use strict;
use warnings;

use Destination;
use Digest::SHA qw(sha256_hex);
use File::Temp qw(tempdir);
use JSON::PP;
use LeadgateTest;
use MIME::Base64;
use Test::More;

use constant LEADS => 5;

my $folder = tempdir('leadgate-destination-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $destination = Destination->new($folder);
my $url = 'http://127.0.0.1:' . $destination->port;
my @keys = map { encode_base64($_ x 32, '') } 'k', 'l';

my $sinks = <<"YAML";
  single: { plugin: http, url: "$url/takes/single", allow_private: true, secret: "whsec_$keys[0] $keys[1]", bearer: t0ken }
  array: { plugin: http, url: "$url/takes/array", allow_private: true, batch: array, secret_file: "$folder/secrets", method: PUT, user: ann, password: "pass:word" }
  lines: { plugin: http, url: "$url/takes/lines?list=1", allow_private: true, batch: ndjson, headers: { X-Api-Key: "k 1", X-Empty: "" } }
  again: { plugin: http, url: "$url/fails-once/again", allow_private: true, secret: "$keys[1]", retry_first: 20ms, retry_max: 50ms }
  pairs: { plugin: http, url: "$url/takes/pairs", allow_private: true, batch: array, batch_events: 2 }
YAML
spew("$folder/secrets", "$keys[1]\n$keys[0]\n");
chmod 0600, "$folder/secrets";

# The sinks come when the leads are there: so the first batch holds them all.
my $gateway = LeadgateTest->new->start;
my @receipts = map {
    decode_json($gateway->post('/f/contact', [email => "p$_\@example.com", message => "caf\x{e9} \"$_\""])->{body})->{receipt}
} 1 .. LEADS;
is($gateway->stop, 0, 'the leads are in the journal');
$gateway->configure(slurp($gateway->config) . $sinks)->announce(qr/sink\.waiting/)->start;
$gateway->allow_calls(5, 8);

my %sent;
sub sent_events {
    my ($name) = @_;
    my @requests = grep { $_->{path} =~ m{^/[a-z-]+/$name\b} } $destination->requests;
    $sent{$name} = \@requests;
    return map { $_->{body} =~ /^\[/ ? @{ decode_json($_->{body}) } : map { decode_json($_) } split /\n/, $_->{body} } @requests;
}
for my $name (qw(single array lines pairs)) {
    wait_until { (my @events = sent_events($name)) >= LEADS } "$name has them all";
    is_deeply([sort map { $_->{id} } sent_events($name)], [sort @receipts], "$name has each event once");
}
wait_until { $gateway->sql("SELECT count(*) FROM attempt WHERE sink = 'again' AND outcome = 'delivered'") > 0
        && $gateway->sql("SELECT count(*) FROM open WHERE sink = 'again'") == 0
        && (my @events = sent_events('again')) >= 2 * LEADS } 'all are there in the second try';

# ---- forms, keys, headers --------------------------------------------------------------

is(scalar @{ $sent{single} }, LEADS, 'single: one event a request');
is((grep { decode_json($_->{body})->{id} ne $_->{headers}{'idempotency-key'} } @{ $sent{single} }), 0, 'whose id is its key');
is((grep { $_->{headers}{authorization} ne 'Bearer t0ken' } @{ $sent{single} }), 0, 'with a bearer token');
is((grep { $_->{method} ne 'POST' || $_->{headers}{'content-type'} ne 'application/json' } @{ $sent{single} }), 0, 'by POST, as JSON');

is(scalar @{ $sent{array} }, 1, 'array: all in one request');
my $array = $sent{array}[0];
is($array->{method}, 'PUT', 'by the method that was asked for');
is($array->{headers}{'idempotency-key'}, sha256_hex(join '', map { "$_->{id}\n" } @{ decode_json($array->{body}) }),
    'whose key is the digest of its ids');
is($array->{headers}{authorization}, 'Basic ' . encode_base64('ann:pass:word', ''), 'with basic credentials');

is(scalar @{ $sent{lines} }, 1, 'lines: all in one request');
my $lines = $sent{lines}[0];
is($lines->{path}, '/takes/lines?list=1', 'the query stays');
is($lines->{headers}{'content-type'}, 'application/x-ndjson', 'as lines of JSON');
is(() = $lines->{body} =~ /\n/g, LEADS, 'each ends in a line feed');
is_deeply([@{ $lines->{headers} }{qw(x-api-key x-empty)}], ['k 1', ''], 'with headers of the configuration');
ok(!exists $lines->{headers}{'webhook-signature'}, 'without a secret there is no signature');

is_deeply([sort map { scalar @{ decode_json($_->{body}) } } @{ $sent{pairs} }], [1, 2, 2], 'pairs: as many as batch_events says');

my %times;
$times{ $_->{headers}{'idempotency-key'} }++ for @{ $sent{again} };
is_deeply(\%times, { map { $_ => 2 } @receipts }, 'again: the key is the same when it is sent again');
is((grep { $_->{headers}{'webhook-id'} ne $_->{headers}{'idempotency-key'} } @{ $sent{again} }), 0, 'and so is the webhook-id');

# ---- signatures --------------------------------------------------------------------------

spew("$folder/verify.py", <<'PYTHON');
import base64, hashlib, hmac, json, sys, time
keys = [base64.b64decode(k) for k in sys.argv[2:]]
for line in open(sys.argv[1]):
    request = json.loads(line)
    headers = request['headers']
    if 'webhook-signature' not in headers:
        continue
    body = base64.b64decode(request['body'])
    signed = b'%s.%s.%s' % (headers['webhook-id'].encode(), headers['webhook-timestamp'].encode(), body)
    macs = ['v1,' + base64.b64encode(hmac.new(k, signed, hashlib.sha256).digest()).decode() for k in keys]
    signatures = headers['webhook-signature'].split(' ')
    fresh = abs(time.time() - int(headers['webhook-timestamp'])) < 300
    which = [macs.index(s) if s in macs else -1 for s in signatures]
    print(request['path'], fresh, *which)
PYTHON
my @verified = split /\n/, qx{python3 $folder/verify.py $folder/requests @keys};
my %verified;
$verified{$_}++ for @verified;
is_deeply(\%verified, {
    '/takes/single True 0 1' => LEADS,
    '/takes/array True 1 0' => 1,
    '/fails-once/again True 1' => 2 * LEADS,
}, 'every signature is the one that Python makes, in the order of the secrets');

$gateway->finish;

# ---- refusals ------------------------------------------------------------------------------

for my $case (
    ['no url', '', qr/"url"/],
    ['a URL with a user', 'url: "https://ann:x@a.test/"', qr/user and password as options/],
    ['a URL with a name', 'url: "https://ann@a.test?x=1"', qr/user and password as options/],
    ['a URL of another kind', 'url: "ftp://a.test/"', qr/url/],
    ['a short secret', 'url: "https://a.test/", secret: "whsec_c2hvcnQ="', qr/secret 1: give base64/],
    ['no base64', "url: 'https://a.test/', secret: '$keys[0] not-base64-at-all-but-long-enough'", qr/secret 2: give base64/],
    ['two kinds of credentials', 'url: "https://a.test/", bearer: a, user: b, password: c', qr/exclude each other/],
    ['half of credentials', 'url: "https://a.test/", user: b', qr/go together/],
    ['a header of ours', 'url: "https://a.test/", headers: { Webhook-Id: x }', qr/"Webhook-Id" is not yours/],
    ['a header that splits', 'url: "https://a.test/", headers: { X: "a\nb" }', qr/control characters/],
    ['no such outcome', 'url: "https://a.test/", outcomes: { 409: dead }', qr/:\d+:\d+: error: "outcomes": "dead" is no outcome/],
    ['no such status', 'url: "https://a.test/", outcomes: { 40: retry }', qr/"40" is no status/],
    ['a redirect that succeeds', 'url: "https://a.test/", outcomes: { 3xx: delivered }', qr/never a success/],
    ['a name that no answer has', 'url: "https://a.test/", success_when: "statsu == 200"',
        qr/:\d+:\d+: error: "success_when": 1:1: unknown name 'statsu'; did you mean 'status'/],
) {
    my ($what, $options, $words) = @$case;
    my $refused = LeadgateTest->new;
    $refused->configure(slurp($refused->config) . '  odd: { plugin: http' . ($options && ", $options") . " }\n");
    my ($status, undef, $errors) = $refused->command('check');
    is($status, 78, "$what is refused");
    like($errors, $words, 'with a sentence');
    $refused->finish;
}
{
    my $refused = LeadgateTest->new(sink => ', success_when: "status == 200"');
    my ($status, undef, $errors) = $refused->command('check');
    is($status, 78, 'options of calls are none of a sink that makes none');
    like($errors, qr/unknown option "success_when"/, 'with a sentence');
    $refused->finish;
}

$destination->stop;
done_testing;
