# The PROXY protocol: mandatory where it is said, from trusted peers alone, and
# the address in it is the peer's for everything that follows.
use strict;
use warnings;

use Destination;
use LeadgateTest;
use Socket qw(inet_aton);
use Test::More;

my $gateway = LeadgateTest->new(config => '');
my ($certificate, $key) = @{ Destination::make_certificate($gateway->dir, 'a.example',
    Destination::make_authority($gateway->dir, 'authority')) };
$gateway->configure(<<"YAML")->start;
listen:
  - { address: "127.0.0.1:0", proxy_protocol: any, trusted_proxies: [127.0.0.0/8] }
  - { address: "127.0.0.1:0", proxy_protocol: v1, trusted_proxies: [127.0.0.0/8, 192.0.2.0/24] }
  - { address: "127.0.0.1:0", proxy_protocol: v2, trusted_proxies: [127.0.0.0/8] }
  - { address: "127.0.0.1:0", proxy_protocol: any, trusted_proxies: [192.0.2.0/24] }
  - { address: "127.0.0.1:0", proxy_protocol: any, trusted_proxies: [127.0.0.0/8], tls: { certificate: $certificate, key: $key } }
admin: { address: "127.0.0.1:0" }
http: { max_connections_per_address: 2, max_proxy_header: 300, handshake_timeout: 60s }
store: { path: "\@DIR\@/store.db" }
sources: { contact-form: { plugin: webform, path: /f/contact, auth: none } }
sinks: { archive: { plugin: file, path: "\@DIR\@/leads.ndjson" } }
YAML
$gateway->announce(qr/event=proxy\.refused/);
my ($any, $v1, $v2, $strange, $tls) = $gateway->log =~ /event=gateway\.listening for=leads .*?port=(\d+)/g;

my $signature = "\r\n\r\n\0\r\nQUIT\n";

sub header_v2 {
    my ($from, $command, $tlvs) = @_;
    my $addresses = inet_aton($from) . inet_aton('127.0.0.1') . pack('nn', 4096, 443) . ($tlvs || '');
    return $signature . pack('CCn', $command, 0x11, length $addresses) . $addresses;
}

sub header_v1 { return "PROXY TCP4 $_[0] 127.0.0.1 4096 443\r\n" }

sub closed {
    my ($reason) = @_;
    return $gateway->admin('/metrics')->{content} =~ /^leadgate_connections_closed_total\{reason="\Q$reason\E"\} (\d+)/m
        ? $1 : 0;
}

my %ip;
sub client_of {
    my ($email) = @_;
    wait_until {
        %ip = map { ($_->{lead}{person}{email} || '') => $_->{lead}{client}{ip} } $gateway->events;
        exists $ip{$email};
    } "$email has arrived";
    return $ip{$email};
}

my $number = 0;
sub takes {
    my ($port, $header, $ip, $what, %headers) = @_;
    my $email = 'p' . ++$number . '@example.com';
    my $answer = $gateway->exchange($header . form_request('/f/contact', [email => $email], %headers), $port);
    is($answer && $answer->{status}, 202, $what);
    is(client_of($email), $ip, "… and the client is " . ($ip || 'nobody'));
}

takes($any, header_v1('198.51.100.1'), '198.51.100.1', 'version 1');
takes($any, header_v2('198.51.100.2', 0x21), '198.51.100.2', 'version 2');
takes($any, header_v2('198.51.100.3', 0x21, "\x04\0\x03abc" x 3), '198.51.100.3', 'version 2 with TLVs');
takes($any, "PROXY TCP6 2001:db8::7 ::1 4096 443\r\n", '2001:db8::7', 'version 1 of IPv6');
takes($v1, header_v1('198.51.100.4'), '198.51.100.4', 'version 1 where that is said');
takes($v2, header_v2('198.51.100.5', 0x21), '198.51.100.5', 'version 2 where that is said');
takes($any, header_v2('198.51.100.6', 0x20), '127.0.0.1', 'LOCAL is the proxy itself');
takes($any, "PROXY UNKNOWN\r\n", '127.0.0.1', 'UNKNOWN is the proxy, for all we know');

# What a client says of himself behind such a proxy is worth nothing, unless he
# is a trusted proxy, too.
my @forged = ('X-Forwarded-For' => '203.0.113.1', Forwarded => 'for=203.0.113.2');
takes($any, header_v1('198.51.100.7'), '198.51.100.7', 'forged headers behind a PROXY header', @forged);
takes($any, "PROXY UNKNOWN\r\n", '127.0.0.1', 'forged headers behind UNKNOWN', @forged);
takes($any, header_v2('198.51.100.6', 0x20), '127.0.0.1', 'forged headers behind LOCAL', @forged);
takes($v1, header_v1('192.0.2.9'), '203.0.113.1', 'a trusted proxy behind the PROXY header', @forged);

# Any split gives the same: a byte at a time.
{
    my $bytes = header_v2('198.51.100.8', 0x21) . form_request('/f/contact', [email => 'slow@example.com']);
    my $socket = $gateway->connect($any);
    $socket->setsockopt(Socket::IPPROTO_TCP(), Socket::TCP_NODELAY(), 1);
    syswrite $socket, $_ for split //, substr $bytes, 0, 40;
    syswrite $socket, substr $bytes, 40;
    is(read_answer($socket)->{status}, 202, 'a header that comes byte by byte');
    is(client_of('slow@example.com'), '198.51.100.8', '… says who it is');
}

# The header stands before the handshake of TLS.
{
    open my $curl, '-|', 'curl', '-sS', '--insecure', '--haproxy-protocol', '--interface', '127.0.0.9', '-o', '/dev/null',
        '-w', '%{http_code}', '-d', 'email=sealed@example.com', "https://127.0.0.1:$tls/f/contact" or die "curl: $!\n";
    is(join('', <$curl>), '202', 'a header before TLS');
    is(client_of('sealed@example.com'), '127.0.0.9', '… says who it is');
}

sub closes {
    my ($port, $bytes, $reason, $what) = @_;
    my $before = closed($reason);
    my $socket = $gateway->connect($port);
    syswrite $socket, $bytes;
    is(eval { read_answer($socket) }, undef, "$what: closed without an answer");
    wait_until { closed($reason) == $before + 1 } "it is counted as $reason";
    pass("… as $reason");
}

my $request = form_request('/f/contact', [email => 'nobody@example.com']);
closes($any, $request, 'proxy-header', 'no header');
closes($tls, "\x16\x03\x01\x02\x00", 'proxy-header', 'TLS without a header');
closes($any, "PROXY TCP4 198.51.100.1\r\n$request", 'proxy-header', 'a broken header');
closes($v1, header_v2('198.51.100.9', 0x21) . $request, 'proxy-header', 'version 2 where 1 is said');
closes($v2, header_v1('198.51.100.9') . $request, 'proxy-header', 'version 1 where 2 is said');
closes($any, header_v2('198.51.100.9', 0x21, 'x' x 280) . $request, 'proxy-header', 'a header over the limit');
closes($strange, header_v1('198.51.100.9') . $request, 'proxy-untrusted', 'a header from a stranger');
like($gateway->log, qr/event=proxy\.refused .*peer=127\.0\.0\.1/, 'the log names the private address of a stranger');
is(scalar(() = $gateway->log =~ /event=proxy\.refused/g), 5, 'a warning a listener is enough');

# The address in the header is what is counted, not the proxy's.
my @open = map {
    my $socket = $gateway->connect($any);
    syswrite $socket, header_v1('198.51.100.10') . form_request('/f/contact', [email => "q$_\@example.com"]);
    is(read_answer($socket)->{status}, 202, "connection $_ of one address behind the proxy");
    $socket;
} 1 .. 2;
closes($any, header_v1('198.51.100.10') . $request, 'full-address', 'a third');
takes($any, header_v1('198.51.100.11'), '198.51.100.11', 'another address still has its place');
close shift @open;
wait_until {
    my $answer = eval { $gateway->exchange(header_v1('198.51.100.10') . form_request('/f/contact', [email => 'again@example.com']), $any) };
    $answer && $answer->{status} == 202;
} 'the place is free again';
close $_ for @open;

# Who says nothing is cut off by a deadline of its own.
$gateway->configure(slurp($gateway->config) =~ s/handshake_timeout: 60s/handshake_timeout: 50ms/r);
is(($gateway->command('reload'))[0], 0, 'a reload with a shorter time');
closes($any, '', 'proxy-timeout', 'silence');
closes($any, 'PROXY TCP4 ', 'proxy-timeout', 'half a header');

ok(!grep({ ($_->{lead}{person}{email} || '') eq 'nobody@example.com' } $gateway->events),
    'nothing of what was refused has arrived');
$gateway->finish;

# Mistakes show before anything runs.
sub complains {
    my ($listen, $pattern, $what) = @_;
    my $wrong = LeadgateTest->new(config => <<"YAML");
listen: [$listen]
store: { path: "\@DIR\@/store.db" }
sources: { contact-form: { plugin: webform, path: /f/contact, auth: none } }
sinks: { archive: { plugin: file, path: "\@DIR\@/leads.ndjson" } }
YAML
    my ($status, $out, $err) = $wrong->command('check');
    is($status, 78, $what);
    like($err, $pattern, '… and how to repair it');
    $wrong->finish;
}
complains('{ address: "127.0.0.1:0", proxy_protocol: v2 }', qr/leadgate\.yaml:1:.*proxy_protocol: name the proxies/,
    'PROXY headers from nobody');
complains('{ address: "127.0.0.1:0", trusted_proxies: [10.0.0.1/8] }', qr/trusted_proxies: "10\.0\.0\.1\/8"/,
    'a prefix with bits beyond it');
complains('{ address: "127.0.0.1:0", trusted_users: [root] }', qr/trusted_users: only a unix socket/,
    'users on a TCP socket');
complains('{ address: "127.0.0.1:0", socket_mode: "0660" }', qr/are for unix:\/PATH/, 'a mode of a TCP socket');
complains('{ address: "unix:http.sock" }', qr/no absolute path/, 'a relative path');
complains('{ address: "unix:/tmp/s", socket_mode: "rw" }', qr/no mode such as 0660/, 'an odd mode');
complains('{ address: "unix:/tmp/s", trusted_users: [no-such-user-here] }', qr/no user "no-such-user-here"/, 'an unknown user');
done_testing;
