# What is not HTTP, or could be read in two ways, gets its status, a sentence,
# and a closed connection; nothing hangs, nothing crashes, and the next sender
# is served as if nothing had happened.
use strict;
use warnings;

use IO::Select;
use JSON::PP;
use LeadgateTest;
use Test::More;

my $gateway = LeadgateTest->new->start;

my $get = "GET / HTTP/1.1\r\n";
my $host = "Host: a\r\n";
my $post = "POST /f/contact HTTP/1.1\r\n$host";
my $chunked = "${post}Transfer-Encoding: chunked\r\n\r\n";
my $long = 'a' x 20_000;

# [bytes, status, label of the counter]
my @bad = (
    ["GET / HTTP/1.1\n$host\r\n", 400, 'line-end'],
    ["${get}Host: a\n\r\n", 400, 'line-end'],
    ["$get$host\n", 400, 'line-end'],
    ["\n$get$host\r\n", 400, 'line-end'],
    ["\r\n\r\n\r\n\r\n\r\n$get$host\r\n", 400, 'empty-lines'],
    ["\r$get$host\r\n", 400, 'method'],
    ["GET\r\n\r\n", 400, 'request-line'],
    ["GET /\r\n\r\n", 400, 'request-line'],
    ["GET  / HTTP/1.1\r\n$host\r\n", 400, 'request-line'],
    ["GET /  HTTP/1.1\r\n$host\r\n", 400, 'request-line'],
    ["GET / HTTP/1.1 \r\n$host\r\n", 400, 'request-line'],
    ["GET / HTTP/11\r\n$host\r\n", 400, 'request-line'],
    ["GET / http/1.1\r\n$host\r\n", 400, 'request-line'],
    ["GET / HTTP/1.x\r\n$host\r\n", 400, 'request-line'],
    [" $get$host\r\n", 400, 'method'],
    ["GET\t/ HTTP/1.1\r\n$host\r\n", 400, 'method'],
    ["G\0ET / HTTP/1.1\r\n$host\r\n", 400, 'method'],
    ["<GET> / HTTP/1.1\r\n$host\r\n", 400, 'method'],
    ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, 'method'],
    ["\x00\x00\x00\x00", 400, 'method'],
    ["GET x HTTP/1.1\r\n$host\r\n", 400, 'target'],
    ["GET * HTTP/1.1\r\n$host\r\n", 400, 'target'],
    ["GET /a#b HTTP/1.1\r\n$host\r\n", 400, 'target'],
    ["GET /a\0b HTTP/1.1\r\n$host\r\n", 400, 'target'],
    ["GET /a\x7fb HTTP/1.1\r\n$host\r\n", 400, 'target'],
    ["GET http:// HTTP/1.1\r\n$host\r\n", 400, 'target'],
    ["GET http://u\@a/ HTTP/1.1\r\n$host\r\n", 400, 'target'],
    ["GET ftp://a/ HTTP/1.1\r\n$host\r\n", 400, 'target'],
    ["CONNECT a:443 HTTP/1.1\r\n$host\r\n", 501, 'connect'],
    ["GET /$long HTTP/1.1\r\n$host\r\n", 414, 'target-too-long'],
    ["GET / HTTP/2.0\r\n$host\r\n", 505, 'version'],
    ["GET / HTTP/1.2\r\n$host\r\n", 505, 'version'],
    ["GET / HTTP/0.9\r\n$host\r\n", 505, 'version'],
    ["${get}Host : a\r\n\r\n", 400, 'field-colon'],
    ["${get}Host\t: a\r\n\r\n", 400, 'field-colon'],
    ["${get}${host}no colon\r\n\r\n", 400, 'field-colon'],
    ["${post}Content-Length : 5\r\n\r\nhello", 400, 'field-colon'],
    ["${get}${host}: x\r\n\r\n", 400, 'field-name'],
    ["${get}${host}a\0b: x\r\n\r\n", 400, 'field-name'],
    ["${get}${host}a(b): x\r\n\r\n", 400, 'field-name'],
    ["${post}Transfer-Encoding\x0b: chunked\r\n\r\n", 400, 'field-name'],
    ["${get}${host}a: b\r\n c\r\n\r\n", 400, 'field-folded'],
    ["${get}${host}a: b\r\n\tc\r\n\r\n", 400, 'field-folded'],
    ["$get $host\r\n", 400, 'field-folded'],
    ["${get}${host}a: b\0c\r\n\r\n", 400, 'field-value'],
    ["${get}${host}a: b\rc\r\n\r\n", 400, 'field-value'],
    ["${get}${host}a: \x1b[0m\r\n\r\n", 400, 'field-value'],
    ["${get}${host}a: $long\r\n\r\n", 431, 'head-too-large'],
    [$get . $host . "a: b\r\n" x 200 . "\r\n", 431, 'fields-too-many'],
    ["$get\r\n", 400, 'host-missing'],
    ["$get$host$host\r\n", 400, 'host-repeated'],
    ["${get}Host: a\r\nhost: b\r\n\r\n", 400, 'host-repeated'],
    ["${get}Host:\r\n\r\n", 400, 'host'],
    ["${get}Host: a/b\r\n\r\n", 400, 'host'],
    ["${get}Host: a b\r\n\r\n", 400, 'host'],
    ["${get}Host: a:b\r\n\r\n", 400, 'host'],
    ["${post}Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400, 'length-repeated'],
    ["${post}Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400, 'length-repeated'],
    ["${post}Content-Length: 5, 5\r\n\r\n", 400, 'length'],
    ["${post}Content-Length: +5\r\n\r\n", 400, 'length'],
    ["${post}Content-Length: -5\r\n\r\n", 400, 'length'],
    ["${post}Content-Length: 0x5\r\n\r\n", 400, 'length'],
    ["${post}Content-Length: 5 \r\n6\r\n\r\n", 400, 'field-colon'],
    ["${post}Content-Length:\r\n\r\n", 400, 'length'],
    ["${post}Content-Length: 99999999999999999999\r\n\r\n", 400, 'length'],
    ["${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400, 'length-chunked'],
    ["${post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400, 'length-chunked'],
    ["${post}Transfer-Encoding: identity\r\n\r\n", 400, 'coding'],
    ["${post}Transfer-Encoding: xchunked\r\n\r\n", 400, 'coding'],
    ["${post}Transfer-Encoding: chunked, identity\r\n\r\n", 400, 'coding'],
    ["${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400, 'coding'],
    ["${post}Transfer-Encoding: gzip, chunked\r\n\r\n", 501, 'coding-unknown'],
    ["POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, 'coding-old'],
    ["${post}Expect: a miracle\r\n\r\n", 417, 'expectation'],
    ["${post}Content-Length: 9999999999\r\n\r\n", 413, 'body-too-large'],
    ["${chunked}\r\n", 400, 'chunk'],
    ["${chunked}x\r\n", 400, 'chunk'],
    ["${chunked}-1\r\n", 400, 'chunk'],
    ["${chunked}0x1\r\na\r\n0\r\n\r\n", 400, 'chunk'],
    ["${chunked}1\na\r\n0\r\n\r\n", 400, 'chunk'],
    ["${chunked}1\r\nab\r\n0\r\n\r\n", 400, 'chunk'],
    ["${chunked}ffffffffffffffff\r\n", 400, 'chunk'],
    ["${chunked}10000000000000000\r\n", 400, 'chunk'],
    ["${chunked}0\r\nx y\r\n\r\n", 400, 'trailer'],
    ["${chunked}0\r\nx: y\n\r\n", 400, 'trailer'],
    ["${chunked}1;$long\r\na\r\n0\r\n\r\n", 431, 'extras-too-large'],
);
cmp_ok(scalar @bad, '>=', 60, 'the table is long');

# All bytes until the peer closes.
sub read_to_end {
    my ($socket) = @_;
    my $text = '';
    while (IO::Select->new($socket)->can_read(patience())) {
        my $got = sysread $socket, $text, 65536, length $text;
        return $text if defined $got && $got == 0;
        return "reset after: $text" unless $got;
    }
    return "hangs after: $text";
}

my %expected;
for my $case (@bad) {
    my ($bytes, $status, $label) = @$case;
    my $name = substr $bytes, 0, 90;
    $name =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
    my $socket = $gateway->connect;
    syswrite $socket, $bytes;
    my $text = read_to_end($socket);
    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    $expected{$label}++;
    my $problem = eval { decode_json($body) } || {};
    ok($text =~ /\AHTTP\/1\.1 $status / && $head =~ /^Connection: close\r?$/m
            && $head =~ /^Content-Type: application\/problem\+json\r?$/m
            && ($problem->{status} || 0) == $status && length($problem->{detail} || '') > 10,
        "$status $label: $name") or diag("got: $text");
}

my $metrics = $gateway->admin('/metrics')->{content};
my %counted = $metrics =~ /^leadgate_http_refused_total\{reason="([^"]+)"\} ([1-9]\d*)$/mg;
is_deeply(\%counted, \%expected, 'every refusal is counted under its reason');

# What is good HTTP and refused by the gateway itself keeps the connection.
my $socket = $gateway->connect;
syswrite $socket, "GET /nowhere HTTP/1.1\r\n$host\r\n";
is(read_answer($socket)->{status}, 404, 'an unknown path: 404');
syswrite $socket, "DELETE /f/contact HTTP/1.1\r\n$host\r\n";
my $answer = read_answer($socket);
is($answer->{status}, 405, 'a method that the source does not take: 405');
like($answer->{headers}{allow}, qr/\bPOST\b/, '… and which it takes');
syswrite $socket, "GET /nowhere HTTP/1.1\r\n${host}Accept: text/html\r\n\r\n";
$answer = read_answer($socket);
like($answer->{headers}{'content-type'}, qr{^text/html}, 'who prefers HTML gets a page');
like($answer->{body}, qr/<h1>404 Not Found/, '… that says the same');
syswrite $socket, "GET /f/contact?email=a HTTP/1.1\r\n${host}Accept: text/html\r\n\r\n";
$answer = read_answer($socket);
is($answer->{status}, 405, 'a form without a method');
is($answer->{headers}{allow}, 'OPTIONS, POST', '… is told what is taken');
like($answer->{headers}{'content-type'}, qr{^text/html}, '… on a page, too');
like($answer->{body}, qr/a form needs method=&quot;post&quot;/, '… that says what would be right');
syswrite $socket, "POST /nowhere HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello"
    . form_request('/f/contact', [email => 'ada@example.com']);
my $rest = '';
is(read_answer($socket, \$rest)->{status}, 404, 'a body that nobody wants is skipped');
is(read_answer($socket, \$rest)->{status}, 202, 'and the next request is served');
close $socket;
is(scalar(my @events = $gateway->wait_events(1)), 1, 'one lead came of all this');

$gateway->finish;
done_testing;
