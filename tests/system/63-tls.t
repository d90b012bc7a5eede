# TLS: versions, ciphers, names, protocols, and the ways in which a connection may
# begin and end.
use strict;
use warnings;

use Destination;
use LeadgateTest;
use Test::More;
use TlsClient;

my $gateway = LeadgateTest->new(config => '');
my $dir = $gateway->dir;
my $authority = Destination::make_authority($dir, 'authority');
my %pair = map { $_ => Destination::make_certificate($dir, $_, $authority) } qw(a.example), '*.b.example';
my $more = "certificates: [{ certificate: \"$pair{'*.b.example'}[0]\", key: \"$pair{'*.b.example'}[1]\" }]";
my $tls = "certificate: $pair{'a.example'}[0], key: $pair{'a.example'}[1], $more";

$gateway->configure(<<"YAML")->start;
core: { loops: 2 }
listen: [{ address: "127.0.0.1:0", tls: { $tls } }]
admin: { address: "127.0.0.1:0" }
http: { max_body: 4MiB }
store: { path: "$dir/store.db" }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none, max_value: 1MiB }
sinks:
  archive: { plugin: file, path: "$dir/leads.ndjson" }
YAML
my $client = TlsClient->new(port => $gateway->port, ca => $authority->[0], name => 'a.example');

sub counted {
    my ($name, $label) = @_;
    return $gateway->admin('/metrics')->{content} =~ /^\Q$name\E\{\w+="$label"\} (\d+)$/m ? $1 : 0;
}
sub closed { return counted('leadgate_connections_closed_total', $_[0]) }

# Waits until the reason has been counted once more.
sub closes_for {
    my ($reason, $before) = @_;
    wait_until { closed($reason) > $before } "a connection is closed for $reason";
    pass("closed: $reason");
}

sub form {
    my (%headers) = @_;
    return form_request('/f/contact', [email => 'x' . int(rand(1e9)) . '@example.com'], %headers);
}

# ---- versions, ciphers, names, protocols -------------------------------------------

for my $version ('1.2', '1.3') {
    my $found = $client->ask('connect', as => $version, max => $version);
    is($found->{version}, "TLSv$version", "TLS $version is spoken");
    like($found->{cipher}, qr/GCM|CHACHA20/, 'with authenticated encryption');
    like($found->{cipher}, qr/^ECDHE/, 'and a key that is forgotten') if $version eq '1.2';
    is($found->{compression}, undef, 'and no compression');
    $client->ask('send', as => $version, text => form());
    is($client->ask('answer', as => $version)->{status}, 202, 'and takes a lead');
    $client->ask('close', as => $version, how => 'notify');
}
my $before = closed('tls-version');
like($client->ask('connect', as => 'old', max => '1.1')->{error}, qr/version/i, 'TLS 1.1 is refused');
closes_for('tls-version', $before);
$before = closed('tls-cipher');
for my $ciphers ('AES128-SHA', 'ECDHE-ECDSA-AES128-SHA', 'AES128-GCM-SHA256') {
    ok($client->ask('connect', as => 'old', max => '1.2', ciphers => "$ciphers:\@SECLEVEL=0")->{error},
        "$ciphers is refused");
}
wait_until { closed('tls-cipher') == $before + 3 } 'all three are counted';

my $first = $client->ask('connect', as => 'first')->{fingerprint};
is($client->ask('connect', as => 'other', name => 'nobody.example', verify => 0)->{fingerprint}, $first,
    'a name that no certificate has gets the first one');
my $second = $client->ask('connect', as => 'second', name => 'x.b.example')->{fingerprint};
isnt($second, $first, 'a wildcard serves a name below it');
like($client->ask('connect', as => 'deep', name => 'x.y.b.example')->{error}, qr/mismatch|not valid/i,
    'and no deeper ones');
is($client->ask('connect', as => 'web', alpn => ['spdy/3', 'http/1.1'])->{alpn}, 'http/1.1', 'ALPN agrees on http/1.1');
$before = closed('tls-alpn');
like($client->ask('connect', as => 'alien', alpn => ['gopher'])->{error}, qr/no application protocol/i,
    'a protocol that is none of ours is refused');
closes_for('tls-alpn', $before);

$client->ask('send', as => 'first', text => form());
is($client->ask('answer', as => 'first')->{status}, 202, 'the ticket comes with an answer');
$client->ask('keep', as => 'first', session => 'first');
my $resumed = counted('leadgate_tls_handshakes_total', 'resumed');
ok($client->ask('connect', as => 'again', resume => 'first')->{resumed}, 'a ticket saves a handshake');
# By TLS 1.3 a client is through before the server has read its last word.
wait_until { counted('leadgate_tls_handshakes_total', 'resumed') > $resumed } 'it is counted';
is(counted('leadgate_tls_handshakes_total', 'resumed'), $resumed + 1, 'and is counted');

# ---- requests -------------------------------------------------------------------------

$client->ask('connect', as => 'many');
$client->ask('send', as => 'many', text => join '', map { form() } 1 .. 8);
is(join(',', map { $client->ask('answer', as => 'many')->{status} } 1 .. 8), join(',', (202) x 8),
    'pipelined requests are answered in turn');
my $text = form_request('/f/contact', [email => 'big@example.com', message => 'x' x 1_000_000]);
$client->ask('send', as => 'many', text => $text);
is($client->ask('answer', as => 'many')->{status}, 202, 'a body of many records');
my ($head, $body) = form(Expect => '100-continue') =~ /\A(.*?\r\n\r\n)(.*)\z/s;
$client->ask('send', as => 'many', text => $head);
is($client->ask('answer', as => 'many')->{status}, 100, '100 Continue');
$client->ask('send', as => 'many', text => $body);
is($client->ask('answer', as => 'many')->{status}, 202, 'and the answer');
$client->ask('send', as => 'many', text => form(Connection => 'close'));
is($client->ask('answer', as => 'many')->{closes}, JSON::PP::true, 'a last answer');
is($client->ask('end', as => 'many')->{how}, 'notified', 'is followed by close_notify');

open my $curl, '-|', 'curl', '-s', '-o', '/dev/null', '-w', '%{http_code} %{ssl_verify_result}', '--cacert', $authority->[0],
    '--resolve', 'a.example:' . $gateway->port . ':127.0.0.1', '-d', 'email=curl@example.com',
    'https://a.example:' . $gateway->port . '/f/contact';
is(join('', <$curl>), '202 0', 'curl is content');
close $curl;
my $reneg = `printf 'R\\n' | timeout 20 openssl s_client -connect 127.0.0.1:@{[$gateway->port]} -tls1_2 2>&1`;
like($reneg, qr/no renegotiation|RENEGOTIATING.*(?:error|alert)/s, 'no renegotiation');

# ---- odd beginnings -------------------------------------------------------------------

for my $plain ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", form(), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 'G') {
    $before = closed('tls-plain');
    $client->ask('plain', as => 'plain');
    $client->ask('send', as => 'plain', text => $plain);
    my $end = $client->ask('end', as => 'plain');
    like($end->{text}, qr{\AHTTP/1\.1 400 .*\r\n\r\n.*https://}s, 'a plain request gets a readable 400');
    is($end->{how}, 'closed', 'and an end without a reset');
    closes_for('tls-plain', $before);
}
$before = closed('tls-error');
$client->ask('plain', as => 'junk');
$client->ask('send', as => 'junk', text => "\x16\x03\x01\x00\x10garbage in a record");
$client->ask('end', as => 'junk');
closes_for('tls-error', $before);
$before = closed('tls-left');
$client->ask('hello', as => 'half', without => 20);
$client->ask('close', as => 'half', how => 'plain');
closes_for('tls-left', $before);
$before = closed('tls-alert');
like($client->ask('connect', as => 'foreign', foreign => 1)->{error}, qr/CERTIFICATE_VERIFY_FAILED/,
    'a client that does not trust us');
closes_for('tls-alert', $before);

# ---- odd ends ---------------------------------------------------------------------------

for (['notify', 'peer-closed'], ['abrupt', 'tls-truncated'], ['reset', 'peer-reset']) {
    my ($how, $reason) = @$_;
    $before = closed($reason);
    $client->ask('connect', as => 'short');
    $client->ask('send', as => 'short', text => form());
    $client->ask('answer', as => 'short');
    $client->ask('close', as => 'short', how => $how);
    closes_for($reason, $before);
}

# ---- drain ------------------------------------------------------------------------------

$client->ask('connect', as => 'idle');
$client->ask('connect', as => 'busy');
($head, $body) = form(Expect => '100-continue') =~ /\A(.*?\r\n\r\n)(.*)\z/s;
$client->ask('send', as => 'busy', text => $head);
is($client->ask('answer', as => 'busy')->{status}, 100, 'a request has begun');
$gateway->signal('TERM');
is($client->ask('end', as => 'idle')->{how}, 'notified', 'an idle connection is ended with close_notify');
$client->ask('send', as => 'busy', text => $body);
is($client->ask('answer', as => 'busy')->{status}, 202, 'a request under way is answered');
is($client->ask('end', as => 'busy')->{how}, 'notified', 'and its connection ended with close_notify');
is($gateway->wait_end, 0, 'the gateway ends in order');
$gateway->read_log;
is($gateway->sql('SELECT count(*) FROM event'), 19, 'what was answered 202 is in the journal');
unlike($gateway->log, qr/PRIVATE KEY/, 'no key in the log');
$gateway->finish;
done_testing;
