# Connections as real clients use them: kept, pipelined, chunked, asked to wait;
# and as many as are allowed.
use strict;
use warnings;

use LeadgateTest;
use Test::More;

my $gateway = LeadgateTest->new(config => <<'YAML')->start;
listen: [{ address: "127.0.0.1:0", probe_path: /up, trusted_proxies: [127.0.0.0/8] }]
admin: { address: "127.0.0.1:0" }
http: { max_connections: 20, max_body: 2KiB, max_pipelined: 4, head_timeout: 60s }
store: { path: "@DIR@/store.db" }
sources: { contact-form: { plugin: webform, path: /f/contact, auth: none } }
sinks: { archive: { plugin: file, path: "@DIR@/leads.ndjson" } }
YAML

sub lead { return form_request('/f/contact', [email => "p$_[0]\@example.com"], @_[1 .. $#_]) }

my $socket = $gateway->connect;
my $rest = '';
my $accepted = 0;
for my $i (1 .. 20) {
    syswrite $socket, lead($i);
    $accepted += read_answer($socket, \$rest)->{status} == 202;
}
is($accepted, 20, 'twenty leads, one after the other, on one connection');

# Pipelined: answers come in order, also behind those that wait for a sync.
my @kinds = map { $_ % 3 == 0 ? 202 : $_ % 3 == 1 ? 404 : 204 } 0 .. 29;
syswrite $socket, join '', map {
    $kinds[$_] == 202 ? lead(100 + $_)
        : $kinds[$_] == 404 ? "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"
        : "GET /up HTTP/1.1\r\nHost: a\r\n\r\n"
} 0 .. 29;
my @answers = map { read_answer($socket, \$rest) } 0 .. 29;
is_deeply([map { $_->{status} == 202 && $_->{body} eq '' ? 204 : $_->{status} } @answers], \@kinds,
    'thirty pipelined requests are answered in order');
my %receipts = map { $_->{body} => 1 } grep { $_->{body} =~ /receipt/ } @answers;
is(scalar keys %receipts, 10, '… each lead with a receipt of its own');
is($rest, '', '… and nothing more comes');

my $body = form_encode(email => 'chunked@example.com');
my $head = "POST /f/contact HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n";
syswrite $socket, "${head}Transfer-Encoding: chunked\r\n\r\n"
    . join('', map { "1;x=y\r\n$_\r\n" } split //, $body) . "0\r\nTrailer: x\r\n\r\n";
is(read_answer($socket, \$rest)->{status}, 202, 'a chunked body, a byte a chunk, with trailers');

syswrite $socket, "${head}Content-Length: " . length($body) . "\r\nExpect: 100-continue\r\n\r\n";
sysread $socket, my $continue, 1000;
is($continue, "HTTP/1.1 100 Continue\r\n\r\n", 'a client that waits is told to go on');
syswrite $socket, $body;
is(read_answer($socket, \$rest)->{status}, 202, '… and answered');

my $large = $gateway->connect;
syswrite $large, "${head}Content-Length: 2049\r\nExpect: 100-continue\r\n\r\n";
is(read_answer($large)->{status}, 413, 'a body over the limit is refused before it comes');
is(sysread($large, my $nothing, 1), 0, '… and the connection ends');
close $large;

syswrite $socket, "HEAD /up HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
my $last = read_answer($socket, \$rest);
is($last->{status}, 202, 'HEAD on the probe');
is($last->{headers}{connection}, 'close', 'close is answered by close');
is(sysread($socket, $nothing, 1), 0, '… and done');
close $socket;

my $old = $gateway->exchange("POST /f/contact HTTP/1.0\r\nContent-Length: " . length($body)
    . "\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n$body");
is($old->{status}, 202, 'HTTP/1.0 is answered');
is($old->{headers}{connection}, 'close', '… and closed');

# The proxy is believed, and no further than its own word.
syswrite $socket = $gateway->connect, form_request('/f/contact', [email => 'proxied@example.com'],
    'X-Forwarded-For' => '203.0.113.66, 198.51.100.7', Forwarded => 'for=203.0.113.1');
is(read_answer($socket)->{status}, 202, 'a lead through a proxy');
my ($proxied) = grep { ($_->{lead}{person}{email} || '') eq 'proxied@example.com' }
    $gateway->wait_events(32);
is($proxied->{lead}{client}{ip}, '198.51.100.7', 'the rightmost untrusted address is the client');
close $socket;

# As many as are allowed, none of them idle; the next is turned away at once; a
# place that is given back is there again.
my $open = sub {
    my ($connections) = $gateway->admin('/metrics')->{content} =~ /^leadgate_connections_closed_total\{reason="full"\} (\d+)/m;
    return $connections;
};
my @many;
wait_until {
    push @many, $gateway->connect;
    syswrite $many[-1], "GET /up HTTP/1.1\r\nHost: a\r\n\r\nGET";
    my $answer = eval { read_answer($many[-1]) };
    !$answer;
} 'no more connections are taken';
pop @many;
is(scalar @many, 20, 'as many connections as allowed');
cmp_ok($open->(), '>=', 1, '… and the rest is counted');
close shift @many;
wait_until {
    my $next = $gateway->connect;
    syswrite $next, "GET /up HTTP/1.1\r\nHost: a\r\n\r\n";
    eval { read_answer($next) };
} 'a place is free again';
close $_ for @many;

$gateway->finish;
done_testing;
