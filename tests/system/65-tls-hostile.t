# TLS behind a PROXY header, and clients that mean no good: hellos that never end
# are cut at their deadline, too many of them cost the oldest, and all the while
# others are served.
use strict;
use warnings;

use Destination;
use LeadgateTest;
use Test::More;
use Time::HiRes qw(sleep time);
use TlsClient;

use constant SLOW => 40;

my $gateway = LeadgateTest->new(config => '');
my $dir = $gateway->dir;
my $authority = Destination::make_authority($dir, 'authority');
my $pair = Destination::make_certificate($dir, 'a.example', $authority);

sub configure {
    my ($http, $listen) = @_;
    $gateway->configure(<<"YAML");
core: { loops: 1 }
listen: [{ address: "127.0.0.1:0", tls: { certificate: $pair->[0], key: $pair->[1], strict_names: true }$listen }]
admin: { address: "127.0.0.1:0" }
http: { $http }
store: { path: "$dir/store.db" }
sources: { contact-form: { plugin: webform, path: /f/contact, auth: none } }
sinks: { archive: { plugin: file, path: "$dir/leads.ndjson" } }
YAML
    return;
}

sub closed {
    my ($reason) = @_;
    return $gateway->admin('/metrics')->{content}
        =~ /^leadgate_connections_closed_total\{reason="$reason"\} (\d+)$/m ? $1 : 0;
}

my $serial = 0;
sub lead { return form_request('/f/contact', [email => 'p' . ++$serial . '@example.com']) }

# ---- slow hellos ------------------------------------------------------------------------

configure('handshake_timeout: 3s, head_timeout: 1s', '');
$gateway->start;
my $client = TlsClient->new(port => $gateway->port, ca => $authority->[0], name => 'a.example');
my $begun = time;
for my $n (1 .. SLOW) {
    # Some say nothing, some a byte, some all but the last one, and go on dripping.
    if ($n % 3 == 0) { $client->ask('plain', as => $n) }
    else { $client->ask('hello', as => $n, without => $n % 3 == 1 ? 1 : 100) }
}
my ($served, $missed, $worst) = (0, 0, 0);
wait_until {
    my $before = time;
    my $answer = $client->exchange(lead());
    ($answer->{status} || 0) == 202 ? $served++ : $missed++;
    $worst = time - $before if time - $before > $worst;
    for my $n (grep { $_ % 3 == 2 } 1 .. SLOW) {
        $client->ask('send', as => $n, text => "\x00");
    }
    closed('handshake-timeout') >= SLOW;
} 'all slow hellos are cut off';
my $took = time - $begun;
cmp_ok($took, '>=', 2.9, 'slow hellos are cut off, not before their time');
like($client->ask('end', as => $_)->{how}, qr/closed|reset/, "hello $_ has ended") for 1 .. SLOW;
my $cut = closed('handshake-timeout');
ok($cut >= SLOW && $cut <= SLOW + $missed, "each with its reason ($cut)");
cmp_ok($served, '>=', 1, "meanwhile others are served ($served)");
note(sprintf '%d were not, on a machine that stood still; the slowest of them took %.3f s', $missed, $worst);
like($client->ask('connect', as => 'stranger', name => 'b.example', verify => 0)->{error}, qr/unrecognized name/i,
    'strict_names refuses other names');
wait_until { closed('tls-name') == 1 } 'it is counted';

# ---- too many of them ----------------------------------------------------------------------

configure('handshake_timeout: 60s, max_handshakes: 10', '');
is(($gateway->command('reload'))[0], 0, 'a bound on handshakes');
$client->ask('hello', as => "many $_", without => 1) for 1 .. SLOW;
wait_until { closed('full-handshakes') == SLOW - 10 } 'the oldest are closed';
is($client->exchange(lead())->{status}, 202, 'and there is always room for another');
$client->ask('close', as => "many $_", how => 'plain') for 1 .. SLOW;

# ---- behind a PROXY header ------------------------------------------------------------------

configure('handshake_timeout: 60s', ', proxy_protocol: any, trusted_proxies: ["127.0.0.0/8"]');
is(($gateway->command('reload'))[0], 0, 'a PROXY header goes before');
for my $proxied ('whole', 'split') {
    my $found = $client->ask('connect', as => $proxied,
        before => "PROXY TCP4 192.0.2.7 192.0.2.1 40000 443\r\n", joined => $proxied eq 'whole' ? 1 : 0);
    is($found->{version}, 'TLSv1.3', "TLS after a PROXY header, $proxied") or diag($found->{error});
    $client->ask('send', as => $proxied, text => lead());
    is($client->ask('answer', as => $proxied)->{status}, 202, 'takes a lead');
    $client->ask('close', as => $proxied, how => 'notify');
}
$client->ask('plain', as => 'naked');
$client->ask('send', as => 'naked', text => "PROXY TCP4 192.0.2.7 192.0.2.1 40000 443\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
like($client->ask('end', as => 'naked')->{text}, qr{\AHTTP/1\.1 400 .*https://}s, 'a plain request after it gets the 400');
is($gateway->sql("SELECT count(*) FROM event WHERE json_extract(body, '\$.lead.client.ip') = '192.0.2.7'"), 2,
    'and the address of the header is the client');
undef $client;
$gateway->finish;
done_testing;
