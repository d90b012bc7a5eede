# The http sink against a destination that misbehaves in every way: each way ends
# in its outcome, with a reason that says so in the journal.
use strict;
use warnings;

use Destination;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP;
use LeadgateTest;
use Test::More;

my $folder = tempdir('leadgate-destination-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $trusted = Destination::make_authority($folder, 'trusted');
my $stranger = Destination::make_authority($folder, 'stranger');
my $destination = Destination->new($folder,
    good => Destination::make_certificate($folder, 'here.test', $trusted),
    named => Destination::make_certificate($folder, 'elsewhere.test', $trusted),
    untrusted => Destination::make_certificate($folder, 'here.test', $stranger));
# Bound and not listening: nobody takes a connection, and nobody else gets the port.
my $unheard = IO::Socket::INET->new(Proto => 'tcp', LocalAddr => '127.0.0.1') or die "$!\n";
my $closed = $unheard->sockport;
# What must get through within this time does so beside all others, which begin at once.
my $moment = patience() / 6 . 's';

sub plain { return 'http://127.0.0.1:' . $destination->port . "/$_[0]" }
sub named { return "https://here.test:" . $destination->port($_[0]) . '/status/200' }

# name => [url, state, words of the reason, further options]
my %cases = (
    'refused' => ["http://127.0.0.1:$closed/", 'retry', qr/took no connection/],
    'no-tls' => ['https://127.0.0.1:' . $destination->port . '/status/200', 'retry', qr/TLS handshake failed/],
    'tls-good' => [named('good'), 'delivered'],
    'tls-named' => [named('named'), 'parked', qr/certificate is for another name/],
    'tls-untrusted' => [named('untrusted'), 'parked', qr/certificate is not trusted/],
    'name-dead' => ['http://dead.test/', 'retry', qr/no name server gave an answer/],
    'name-unknown' => ['http://unknown.test/', 'retry', qr/name servers know no such host/],
    'private' => [plain('status/200'), 'parked', qr/address is a private one/, 'allow_private: false'],

    'hang' => [plain('hang'), 'unclassified', qr/sent and no answer came in time/, "timeout: $moment"],
    'close' => [plain('close'), 'unclassified', qr/connection was lost after the request was sent/],
    'cut' => [plain('cut'), 'unclassified', qr/HTTP 200: the status came, but not the whole answer/],
    'garbage' => [plain('garbage'), 'unclassified', qr/no HTTP answer/],
    'slow' => [plain('slow'), 'unclassified', qr/HTTP 200: the status came, but not the whole answer/, "timeout: $moment"],
    'huge' => [plain('huge'), 'delivered'],

    'after-seconds' => [plain('retry-after/seconds'), 'retry', qr/HTTP 503: the destination has failed/],
    'after-date' => [plain('retry-after/date'), 'retry', qr/HTTP 503: the destination has failed/],

    'inside' => [plain('error-inside'), 'retry', qr/HTTP 200, but success_when does not hold/,
        'success_when: "body.ok"'],
    'inside-dead' => [plain('error-inside'), 'dead', qr/HTTP 200, but success_when does not hold/,
        'success_when: "length(body.errors) == 0", success_else: reject'],
    'inside-good' => [plain('takes/stored'), 'delivered', undef,
        'success_when: "body.ok and headers.x_result == \'stored\'", external_id: "body.id"'],
    'conflict-known' => [plain('status/409'), 'delivered', undef, 'outcomes: { 409: delivered, 4xx: park }'],
    'class' => [plain('status/418'), 'dead', qr/by outcomes it is reject/, 'outcomes: { 4xx: reject }'],
);
my %of_status = (
    delivered => [200, 201, 204],
    parked => [301, 302, 304, 308, 401, 402, 403, 404, 405, 406, 410, 415],
    dead => [400, 413, 422],
    retry => [408, 409, 418, 425, 429, 500, 502, 503, 504],
);
for my $state (sort keys %of_status) {
    my @known = @{ $of_status{$state} };
    $cases{"status-$_"} = [plain("status/$_"), $state,
        $state eq 'delivered' ? undef : qr/^HTTP $_: (the destination|it is too large)/] for @known;
}

sub sink_line {
    my ($name) = @_;
    my ($url, undef, undef, $more) = @{ $cases{$name} };
    my $private = $more && $more =~ /allow_private/ ? '' : 'allow_private: true, ';
    return qq(  $name: { plugin: http, url: "$url", ca_file: "$trusted->[0]", ${private})
        . 'retry_first: 1h, retry_max: 1h' . ($more ? ", $more" : '') . " }\n";
}

my $gateway = LeadgateTest->new(config => <<"YAML" . join '', map { sink_line($_) } sort keys %cases);
core: { loops: 1, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store.db" }
http_client: { nameserver: "127.0.0.1:@{[$destination->port('dns')]}", name_timeout: $moment }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
YAML
$gateway->announce(qr/sink\.(waiting|parked)/)->start;
$gateway->allow_calls(scalar keys %cases, 1);
my $receipt = decode_json($gateway->post('/f/contact', [email => 'ann@example.com'])->{body})->{receipt};
like($receipt, qr/^[0-9a-f-]{36}$/, 'a lead is accepted');

# [outcome, reason] of the attempt as the journal has it, or nothing yet.
sub attempt {
    my ($name) = @_;
    return split /\|/, $gateway->sql("SELECT outcome || '|' || coalesce(reason, '') FROM attempt WHERE sink = '$name' LIMIT 1"), 2;
}

for my $name (sort keys %cases) {
    my (undef, $state, $words) = @{ $cases{$name} };
    my @attempt;
    eval { wait_until { @attempt = attempt($name) } "$name has an outcome"; 1 } or diag($@);
    is($attempt[0], $state, "$name is $state");
    like($attempt[1], $words, 'and says why') if $words;
}

# What a person reads of them. What waits for a parked lane is pending.
my ($exit, $explained) = $gateway->command('explain', $receipt);
is($exit, 0, 'explain explains it');
for my $name (sort keys %cases) {
    my (undef, $state, $words) = @{ $cases{$name} };
    my ($now, $attempt) = $explained =~ /^  \Q$name\E +(\w+).*\n +\S+Z (.*)$/m;
    is($now, $state eq 'parked' ? 'pending' : $state, "explain says how $name stands");
    my ($reason) = ($attempt // '') =~ /^$state(?: \d+)?(?:: (.*?))?(?:, answer .*)?$/;
    like($reason, $words, 'and why') if $words;
}
like($explained, qr/, answer "\{"ok":false,"errors":\[\{"code":"NO_SUCH_LIST"\}\]\}"$/m, 'JSON of an answer can be read');

# ---- what goes with it -------------------------------------------------------------

for my $name ('after-seconds', 'after-date') {
    my $due = $gateway->sql("SELECT due - (SELECT at FROM attempt WHERE sink = '$name') FROM open WHERE sink = '$name'");
    cmp_ok($due, '>=', 7190_000, "$name: Retry-After is waited for");
}
is(($gateway->command('replay', 'after-seconds', '--id', $receipt))[0], 0, 'unless an operator wants to see it try');
wait_until { $gateway->sql("SELECT count(*) FROM attempt WHERE sink = 'after-seconds'") == 2 } 'then it does';
is(($gateway->command('resume', 'after-date'))[0], 0, 'or resumes the sink, which nobody had paused');
wait_until { $gateway->sql("SELECT count(*) FROM attempt WHERE sink = 'after-date'") == 2 } 'and it does as well';
is($gateway->sql("SELECT id FROM external WHERE sink = 'inside-good'"), 'x-17', 'the id out of the answer is kept');
like($gateway->sql("SELECT CAST(answer AS TEXT) FROM attempt WHERE sink = 'inside-dead'"), qr/NO_SUCH_LIST/,
    'and the first bytes of an answer');

my ($seen) = grep { $_->{path} eq '/takes/stored' } $destination->requests;
is($seen->{headers}{'idempotency-key'}, $receipt, 'the idempotency key is the id of the event');
is($seen->{headers}{'content-type'}, 'application/json', 'as JSON');
is(decode_json($seen->{body})->{id}, $receipt, 'whose body is the event');
is((grep { $_->{path} =~ m{^/status/200} && $_->{port} ne 'good' } $destination->requests), 1,
    'nothing was sent where a redirect, a private address or a bad certificate forbids it');

$gateway->finish;
$destination->stop;
done_testing;
