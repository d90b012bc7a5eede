# HTTP/2 on the port that speaks HTTP/1.1, too: curl, nghttp and h2load post
# leads by prior knowledge, kept open and many at once.
use strict;
use warnings;

use File::Temp qw(tempdir);
use LeadgateTest;
use Test::More;

my $gateway = LeadgateTest->new(config => <<'YAML')->start;
listen: [{ address: "127.0.0.1:0", probe_path: /up, trusted_proxies: [127.0.0.0/8] }]
admin: { address: "127.0.0.1:0" }
http: { max_body: 2KiB, max_streams: 20 }
store: { path: "@DIR@/store.db" }
sources: { contact-form: { plugin: webform, path: /f/contact, auth: none } }
sinks: { archive: { plugin: file, path: "@DIR@/leads.ndjson" } }
YAML
my $url = 'http://127.0.0.1:' . $gateway->port;
my $folder = tempdir('leadgate-http2-XXXXXX', TMPDIR => 1, CLEANUP => 1);

sub said {
    my (@command) = @_;
    open my $out, '-|', @command or die "$command[0]: $!\n";
    local $/;
    my $text = <$out>;
    close $out;
    return $text // '';
}

sub curl { return said('curl', '-sS', '--http2-prior-knowledge', '--max-time', patience(), @_) }

# ---- curl ----------------------------------------------------------------------------

my $answer = curl('-i', '-d', form_encode(email => 'curl@example.com', full_name => 'Ada Lovelace'),
    "$url/f/contact");
like($answer, qr{^HTTP/2 202 \r\n}, 'curl posts a lead');
like($answer, qr/^date: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT\r$/m, '… the answer has a date');
like($answer, qr/^content-length: \d+\r$/m, '… and a length');
like($answer, qr/"receipt":"[-0-9a-f]{36}"/, '… and a receipt');

$answer = curl('-i', '-I', "$url/up");
like($answer, qr{^HTTP/2 202 \r\n.*content-length: 0\r\n}s, 'HEAD on the probe');
$answer = curl('-i', "$url/nowhere");
like($answer, qr{^HTTP/2 404 \r\n.*application/problem\+json}s, 'a path that nobody has');
$answer = curl('-i', '-d', 'x' x 100_000, "$url/f/contact");
like($answer, qr{^HTTP/2 413 \r\n}, 'a body over the limit');
$answer = curl('-i', '-H', 'Expect: 100-continue', '-d', 'email=waits%40example.com',
    "$url/f/contact");
like($answer, qr{^HTTP/2 100 \r\n\r\nHTTP/2 202 }, 'who waits is told to go on');
$answer = curl('-i', '-H', 'Expect: something', '-d', 'email=waits%40example.com', "$url/f/contact");
like($answer, qr{^HTTP/2 417 }, '… where that can be met');
$answer = curl('-i', '-H', 'X-Forwarded-For: 203.0.113.66, 198.51.100.7', '-H', 'Cookie: a=1; b=2',
    '-d', 'email=proxied%40example.com', "$url/f/contact");
like($answer, qr{^HTTP/2 202 }, 'a lead through a proxy');

# ---- nghttp and h2load ---------------------------------------------------------------

spew("$folder/form", form_encode(email => 'nghttp@example.com'));
$answer = said('nghttp', '-v', '-m', 10, '-d', "$folder/form", '-H',
    'content-type: application/x-www-form-urlencoded', "$url/f/contact");
is((() = $answer =~ /:status: 202/g), 10, 'nghttp posts ten at once');
like($answer, qr/SETTINGS_MAX_CONCURRENT_STREAMS\(0x03\):20/, '… is told how many it may');
like($answer, qr/SETTINGS_MAX_HEADER_LIST_SIZE\(0x06\):16384/, '… and how large a head may be');

spew("$folder/load", form_encode(email => 'h2load@example.com', message => 'm' x 900));
$answer = said('h2load', '-c', 5, '-m', 20, '-n', 2000, '-d', "$folder/load", '-H',
    'content-type: application/x-www-form-urlencoded', "$url/f/contact");
like($answer, qr/ 2000 succeeded, 0 failed, 0 errored/, 'h2load posts 2000') or diag $answer;
like($answer, qr/status codes: 2000 2xx/, '… and all are taken');

# ---- beside HTTP/1.1 -----------------------------------------------------------------

is($gateway->post('/f/contact', [email => 'one@example.com'])->{status}, 202,
    'HTTP/1.1 on the same port');
my $socket = $gateway->connect;
syswrite $socket, $_ for split //, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r";
syswrite $socket, "\n\0\0\0\x04\0\0\0\0\0";
sysread $socket, my $frame, 9;
is(unpack('H*', $frame), '000024040000000000', 'a preface byte by byte is answered by SETTINGS');
close $socket;
$socket = $gateway->connect;
syswrite $socket, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r ";
is(read_answer($socket)->{status}, 505, 'what is not quite the preface is HTTP/1.1');
close $socket;

my ($proxied) = grep { ($_->{lead}{person}{email} || '') eq 'proxied@example.com' }
    $gateway->wait_events(6);
is($proxied->{lead}{client}{ip}, '198.51.100.7', 'the rightmost untrusted address is the client');
is($gateway->stop, 0, 'ends in order');
done_testing;
