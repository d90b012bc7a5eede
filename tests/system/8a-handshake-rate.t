# How often one address may begin a TLS handshake: who is beyond it is closed before
# anything is computed for it, others are served, and so are connections that are open.
# Behind a PROXY header the address is the client's.
use strict;
use warnings;

use Destination;
use LeadgateTest;
use Test::More;
use TlsClient;

my $gateway = LeadgateTest->new(config => '');
my $dir = $gateway->dir;
my $authority = Destination::make_authority($dir, 'authority');
my $pair = Destination::make_certificate($dir, 'a.example', $authority);

sub configure {
    my ($http, $listen) = @_;
    $gateway->configure(<<"YAML");
core: { loops: 2 }
listen: [{ address: "127.0.0.1:0", tls: { certificate: $pair->[0], key: $pair->[1] }$listen }]
admin: { address: "127.0.0.1:0" }
http: { $http }
store: { path: "$dir/store.db" }
sources: { contact-form: { plugin: webform, path: /f/contact, auth: none } }
sinks: { archive: { plugin: file, path: "$dir/leads.ndjson" } }
YAML
    return;
}

sub refused {
    return $gateway->admin('/metrics')->{content}
        =~ /^leadgate_connections_closed_total\{reason="handshake-rate"\} (\d+)$/m ? $1 : 0;
}

my $serial = 0;
sub lead { return form_request('/f/contact', [email => 'p' . ++$serial . '@example.com']) }

# A minute brings one more, so that a slow machine gives none away.
my $few = 'max_handshake_rate: 1, max_handshake_burst: 3';
configure("$few, rate_exempt: [192.0.2.0/24]", '');
$gateway->start;
my $client = TlsClient->new(port => $gateway->port, ca => $authority->[0], name => 'a.example');

is($client->ask('connect', as => 'kept')->{error}, undef, 'an address begins a handshake');
$client->ask('send', as => 'kept', text => lead());
is($client->ask('answer', as => 'kept')->{status}, 202, '… and is served');
$client->ask('keep', as => 'kept', session => 'kept');
is($client->exchange(lead())->{status}, 202, 'and another');
$client->ask('plain', as => 'naked');
$client->ask('send', as => 'naked', text => "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
like($client->ask('end', as => 'naked')->{text}, qr{\AHTTP/1\.1 400 }, 'what is no TLS is none of them');
$client->ask('plain', as => 'silent');
$client->ask('close', as => 'silent', how => 'plain');
is($client->exchange(lead(), resume => 'kept')->{status}, 202, 'one that is resumed counts, too');
is(refused(), 0, 'up to the burst nobody is refused');
for my $version ('1.2', '1.3') {
    ok($client->ask('connect', as => 'more', max => $version)->{error}, "beyond it TLS $version is not begun");
}
my $said = `openssl s_client -connect 127.0.0.1:@{[$gateway->port]} -CAfile $authority->[0] </dev/null 2>&1`;
unlike($said, qr/BEGIN CERTIFICATE/, 'nor for openssl: no certificate was sent');
is(refused(), 3, 'each is counted');
$client->ask('send', as => 'kept', text => lead());
is($client->ask('answer', as => 'kept')->{status}, 202, 'a connection that is open goes on');

# ---- behind a PROXY header ------------------------------------------------------------------

configure("$few, rate_exempt: [192.0.2.0/24]", ', proxy_protocol: any, trusted_proxies: ["127.0.0.0/8"]');
is(($gateway->command('reload'))[0], 0, 'a PROXY header goes before');
sub from {
    my ($address) = @_;
    my $found = $client->ask('connect', as => 'proxied', joined => 1,
        before => "PROXY TCP4 $address 192.0.2.1 40000 443\r\n");
    return $found->{error} ? 'refused' : 'begun';
}
is(from('198.51.100.7'), 'begun', 'a client behind a proxy') for 1 .. 3;
is(from('198.51.100.7'), 'refused', 'and beyond its burst');
is(from('198.51.100.8'), 'begun', 'another client behind the same proxy');
is(from('192.0.2.9'), 'begun', 'one that is exempt') for 1 .. 4;
is(refused(), 4, 'counted');

# ---- other rates ----------------------------------------------------------------------------

configure('max_handshake_rate: 0', '');
is(($gateway->command('reload'))[0], 0, 'no rate');
is($client->exchange(lead())->{status}, 202, 'all are served') for 1 .. 4;
configure($few, ', trusted_proxies: ["127.0.0.0/8"]');
is(($gateway->command('reload'))[0], 0, 'a rate again, and a proxy that is trusted');
is($client->exchange(lead())->{status}, 202, 'it speaks for many') for 1 .. 4;
configure($few, '');
is(($gateway->command('reload'))[0], 0, 'nobody is trusted');
is($client->exchange(lead())->{status}, 202, 'this machine is exempt unless somebody says otherwise') for 1 .. 4;
is(refused(), 4, 'and nobody was refused meanwhile');
undef $client;
$gateway->finish;
done_testing;
