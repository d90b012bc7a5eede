# Requests that two servers could read as two different ones, each followed by a
# request that must never be answered: refused with one answer, closed, and no
# lead comes of what was hidden behind them. What is odd and has one meaning only
# is answered by that meaning.
use strict;
use warnings;

use IO::Select;
use JSON::PP;
use LeadgateTest;
use Test::More;

my $gateway = LeadgateTest->new->start;

my $post = "POST /f/contact HTTP/1.1\r\n";
my $host = "Host: a\r\n";
my $form = "Content-Type: application/x-www-form-urlencoded\r\n";
my $chunked = "Transfer-Encoding: chunked\r\n";
my $hidden = form_request('/f/contact', [email => 'hidden@example.com']);

# [what, bytes, status]; what is hidden comes after them.
my @refused;
sub refused {
    my ($status, $what, @rows) = @_;
    push @refused, map { [$what, $_, $status] } @rows;
}
sub fields { return map { "$post$host$_\r\n\r\n" } @_ }
sub bodies { return map { "$post$host$form$chunked\r\n$_" } @_ }

refused(400, 'Transfer-Encoding', fields(map { "Transfer-Encoding: $_" }
    '', 'xchunked', 'chunkedx', 'identity', 'gzip', 'deflate, gzip', 'chunked, identity', 'chunked, gzip',
    'chunked, chunked', 'chunked,', ',chunked', 'chunked;q=1', '"chunked"', "'chunked'", '[chunked]', '=chunked',
    'chun ked', 'chunked%00', "chunked\0", "\x0bchunked", "chunked\x0c", "chunk\xc3\xa9d", 'trailers', 'null',
    "chunked\\", "\x1fchunked", "chunked\x7f"));
refused(501, 'Transfer-Encoding', fields(map { "Transfer-Encoding: $_" }
    'gzip, chunked', 'identity, chunked', 'x , chunked'));
refused(400, 'Content-Length', fields(map { "Content-Length: $_" }
    '', '+5', '-5', '-0', '5,5', '5, 6', '0,0', '5,', ',5', '0x5', '5h', '5.0', '5 5', '5;', '"5"', '1e1', '5_0',
    "\xef\xbc\x95", "5\0", "5\x0b", "\x0c5", 'NaN', '9223372036854775808', '18446744073709551617',
    '99999999999999999999'));
refused(400, 'two lengths', fields(
    "Content-Length: 0\r\nContent-Length: 5", "Content-Length: 5\r\nContent-Length: 5",
    "Content-Length: 5\r\nX: y\r\ncontent-length: 0", "Content-Length: 0\r\nContent-Length:",
    "Content-Length: 5\r\n${chunked}X: y", "${chunked}Content-Length: 5", "Content-Length: 0\r\nTransfer-Encoding: CHUNKED",
    "${chunked}Transfer-Encoding: chunked", "${chunked}Transfer-Encoding: identity",
    "Transfer-Encoding: identity\r\n${chunked}X: y", "Content-Length: 5\r\nTransfer-Encoding: x"));
refused(400, 'chunked in HTTP/1.0', "POST /f/contact HTTP/1.0\r\n$host$chunked\r\n",
    "POST /f/contact HTTP/1.0\r\n${host}Connection: keep-alive\r\n$chunked\r\n");
refused(400, 'the name of a field', fields(
    'Content-Length : 5', "Content-Length\t: 5", "Content-Length\0: 5", "Content-Length\x0b: 5", 'Content Length: 5',
    'Content-Length(x): 5', '"Content-Length": 5', 'Content-Length=5', "Content-Length\xa0: 5", 'Content-Length',
    'Transfer-Encoding : chunked', "Transfer-Encoding\t: chunked", "Transfer-Encoding\x0b: chunked",
    "Transfer-Encoding\r: chunked", "\0Transfer-Encoding: chunked", "\x7fTransfer-Encoding: chunked",
    'Transfer Encoding: chunked', '[Transfer-Encoding]: chunked', ': chunked', '{X}: y', 'X@y: z', 'X/y: z'));
refused(400, 'a field that goes on', fields(
    "Transfer-Encoding:\r\n chunked", "Transfer-Encoding: x\r\n chunked", "Content-Length:\r\n\t5",
    "Content-Length: 5\r\n 0", "X: y\r\n Content-Length: 5", "X: y\r\n\tTransfer-Encoding: chunked", "X: y\r\n "),
    "${post} $host\r\n", "$post\t$host\r\n", "${post}Host:\r\n a\r\n\r\n");
refused(400, 'the end of a line', "POST /f/contact HTTP/1.1\n$host\r\n", "POST /f/contact HTTP/1.1\r$host\r\n",
    "${post}Host: a\n\r\n", "$post$host\n", "${post}Host: a\n\n", "\n$post$host\r\n", "\r$post$host\r\n",
    "${post}Host: a\n\rX: y\r\n\r\n", fields("X: y\nContent-Length: 5", "X: y\rContent-Length: 5", "X: y\r", "X: y\r\rZ: 1",
        "Content-Length: 5\n", "\rContent-Length: 5"), "\r\n\r\n\r\n\r\n\r\n$post$host\r\n");
refused(400, 'a control character', "\0$post$host\r\n", "PO\0ST /f/contact HTTP/1.1\r\n$host\r\n",
    "POST /f/\0contact HTTP/1.1\r\n$host\r\n", "POST /f/contact HTTP/1.1\0\r\n$host\r\n",
    "POST /f/contact\0 HTTP/1.1\r\n$host\r\n", "${post}Host: a\0b\r\n\r\n",
    fields("X: y\0Content-Length: 5", "X: \x01", "X: \x08y", "X: \x1b[2J", "X: \x7f"));
refused(400, 'the first line', map { "$_\r\n$host\r\n" }
    'POST', 'POST ', 'POST /f/contact', 'POST  /f/contact HTTP/1.1', 'POST /f/contact  HTTP/1.1', ' POST /f/contact HTTP/1.1',
    "POST\t/f/contact HTTP/1.1", "POST /f/contact\tHTTP/1.1", 'POST /f/contact HTTP/1.1 ', "POST /f/contact HTTP/1.1\t",
    'POST /f/con tact HTTP/1.1', "POST\x0b/f/contact HTTP/1.1", '(POST) /f/contact HTTP/1.1', '"POST" /f/contact HTTP/1.1',
    'PO,ST /f/contact HTTP/1.1', 'POST: /f/contact HTTP/1.1', '/f/contact POST HTTP/1.1', "POST /f/contact\x0cHTTP/1.1",
    "P\xc3\x96ST /f/contact HTTP/1.1", 'POST@ /f/contact HTTP/1.1');
refused(400, 'the version', map { "POST /f/contact $_\r\n$host\r\n" }
    'HTTP/1', 'HTTP/1.', 'HTTP/11', 'HTTP/1.11', 'HTTP/01.1', 'HTTP/1,1', 'HTTP/+1.1', 'HTTP/-1.1', 'http/1.1', 'Http/1.1',
    'XTTP/1.1', 'HTTPS/1.1', 'HTTP /1.1', 'HTTP/ 1.1', 'HTTP/1 .1', 'HTTP/1.x', 'HTTP', '1.1', 'ICY/1.1', 'RTSP/1.0');
refused(505, 'the version', map { "POST /f/contact $_\r\n$host\r\n" }
    'HTTP/0.9', 'HTTP/1.2', 'HTTP/1.9', 'HTTP/2.0', 'HTTP/3.0', 'HTTP/9.9');
refused(400, 'the target', map { "POST $_ HTTP/1.1\r\n$host\r\n" }
    'f/contact', '*', '?a', 'a:80', 'http://', 'http:///f/contact', 'https://', 'http:/f/contact', 'http//a/f/contact',
    'ftp://a/f/contact', 'file:///f/contact', 'http://u@a/f/contact', 'http://u:p@a/', 'http://a:b/', 'http://[::1/',
    '/f/contact#x', "/f/contact\x7f", 'javascript:1', '\\f\\contact', 'http://a\\b/');
refused(501, 'a tunnel', "CONNECT a:443 HTTP/1.1\r\n$host\r\n");
refused(400, 'Host', "$post\r\n", "$post$host$host\r\n", "$post${host}Host: b\r\n\r\n", "$post${host}X: y\r\nhOST: a\r\n\r\n",
    map { "${post}Host: $_\r\n\r\n" } '', 'a b', 'a/b', 'a:b', 'a:80:80', 'a@b', 'a#b', 'a?b', 'a\\b', '[::1', '::1]',
    'http://a', '<a>', "a\xa0b");
refused(400, 'Host', "POST http://a/f/contact HTTP/1.1\r\n$host$host\r\n", "POST http://a/f/contact HTTP/1.1\r\n\r\n");
refused(400, 'the size of a chunk', bodies(map { "$_\r\n" }
    '', 'x', 'g', '-1', '+1', '0x1', "1 x", ' 1', "\t1", '1,1', '1.', '1_0', "1\0", "1\x0b", 'ffffffffffffffff',
    '8000000000000000', '10000000000000000', '00000000000000001', "\xef\xbc\x91", '"1"', "1\r", "\r1"),
    bodies("1\na\r\n0\r\n\r\n", "0\n\r\n"));
refused(400, 'a chunk', bodies("1\r\nab\r\n0\r\n\r\n", "1\r\na\n0\r\n\r\n", "1\r\na\r0\r\n\r\n", "1\r\na0\r\n\r\n",
    "2\r\na\r\n0\r\n\r\n", "1\r\na\r\n\r\n0\r\n\r\n", "1\r\na\r\n -0\r\n\r\n", "5\r\nhello\n\r0\r\n\r\n"));
refused(400, 'the extension of a chunk', bodies("1;a\na\r\n0\r\n\r\n", "1;a=\"b\nc\"\r\na\r\n0\r\n\r\n", "1;\0\r\na\r\n0\r\n\r\n",
    "1;a\rb\r\na\r\n0\r\n\r\n", "1 ;\x0b\r\na\r\n0\r\n\r\n", "0;a\n\r\n", "1 a\r\na\r\n0\r\n\r\n"));
refused(400, 'a trailer', bodies(map { "0\r\n$_\r\n\r\n" } 'x y', ': a', ' a: b', "\ta: b", 'x : y', "x\0: y", "x: \0", "x: y\nz: 1",
    "x: y\r", 'x', '(x): y', "x: y\r\n z"), bodies("0\r\n\n", "0\r\n\rx", "0\r\nx: y\n\r\n"));
refused(431, 'extensions', bodies('1;' . 'x' x 20_000 . "\r\na\r\n0\r\n\r\n", "0\r\n" . "x: y\r\n" x 4000));
refused(417, 'Expect', fields('Expect: 100-continues', 'Expect: 100-continue, x', 'Expect: 200-ok'));

my %distinct = map { $_->[1] => 1 } @refused;
is(scalar keys %distinct, scalar @refused, 'no request stands in the table twice');
cmp_ok(scalar @refused, '>=', 150, scalar(@refused) . ' requests that are refused');

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

sub printable {
    my ($text) = @_;
    $text =~ s/\Q$post\E/…/;
    $text = substr $text, 0, 70;
    $text =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
    return $text;
}

for my $row (@refused) {
    my ($what, $bytes, $status) = @$row;
    my $socket = $gateway->connect;
    syswrite $socket, $bytes . $hidden;
    my $text = read_to_end($socket);
    close $socket;
    my $answers = () = $text =~ m{HTTP/1\.1 \d}g;
    my ($head) = $text =~ /\A(.*?)\r\n\r\n/s;
    ok($answers == 1 && $text =~ m{\AHTTP/1\.1 $status } && $head =~ /^Connection: close\r?$/m,
        "$what: $status, closed: " . printable($bytes)) or diag("got: $text");
}

# What has one meaning: the requests that it holds are answered, no more and no
# fewer, and what looks like a request inside of a body is a body.
my $number = 0;
sub mail { return form_encode(email => 'p' . ++$number . '@example.com') }
sub sized { my ($body) = @_; return 'Content-Length: ' . length($body) . "\r\n\r\n$body" }
sub chunks { my ($body) = @_; return sprintf "%x\r\n%s\r\n", length $body, $body }
my $next = "GET /nowhere HTTP/1.1\r\n$host\r\n";
my @taken = (
    ['a request in a body', "$post$host$form" . sized(mail() . '&message=' . form_encode(x => $hidden)), 202],
    ['a bare request as a body', "POST /nowhere HTTP/1.1\r\n$host" . sized($hidden), 404],
    ['a request in a chunk', "POST /nowhere HTTP/1.1\r\n$host$chunked\r\n" . chunks($hidden) . "0\r\n\r\n", 404],
    ['a request in a trailer', "$post$host$form$chunked\r\n" . chunks(mail()) . "0\r\nX: GET / HTTP/1.1\r\n\r\n", 202],
    ['a length in a trailer', "$post$host$form$chunked\r\n" . chunks(mail()) . "0\r\nContent-Length: 50\r\n\r\n", 202],
    ['a coding in a trailer', "$post$host$form$chunked\r\n" . chunks(mail()) . "0\r\nTransfer-Encoding: x\r\n\r\n", 202],
    ['a request in an extension', "$post$host$form$chunked\r\n" . do { my $m = mail(); sprintf "%x;GET / HTTP/1.1\r\n%s\r\n", length $m, $m } . "0\r\n\r\n", 202],
    ['CHUNKED', "$post$host${form}Transfer-Encoding: CHUNKED\r\n\r\n" . chunks(mail()) . "0\r\n\r\n", 202],
    ['blanks around chunked', "$post$host${form}Transfer-Encoding: \t chunked \t\r\n\r\n" . chunks(mail()) . "0\r\n\r\n", 202],
    ['zeros before a size', "$post$host$form$chunked\r\n" . do { my $m = mail(); sprintf "%08x\r\n%s\r\n", length $m, $m } . "000\r\n\r\n", 202],
    ['zeros before a length', "$post$host$form" . do { my $m = mail(); sprintf "Content-Length: %08d\r\n\r\n%s", length $m, $m }, 202],
    ['another host in the target', "POST http://b.example/f/contact HTTP/1.1\r\n$host$form" . sized(mail()), 202],
    ['a lower-case method', "post /f/contact HTTP/1.1\r\n$host" . sized(mail()), 405],
    ['an empty line before', "\r\n$post$host$form" . sized(mail()), 202],
    ['a path with two slashes', "POST //f/contact HTTP/1.1\r\n$host" . sized(mail()), 404],
    ['an escaped path', "POST /f%2fcontact HTTP/1.1\r\n$host" . sized(mail()), 404],
    ['dots in a path', "POST /x/../f/contact HTTP/1.1\r\n$host" . sized(mail()), 404],
    ['a body of a GET', "GET /nowhere HTTP/1.1\r\n$host" . sized($hidden), 404],
    ['a name with an underscore', "$post${host}Content_Length: 5\r\n$form" . sized(mail()), 202],
    ['a length of another name', "$post${host}X-Content-Length: 5\r\n$form" . sized(mail()), 202],
);
for my $row (@taken) {
    my ($what, $bytes, $status) = @$row;
    my ($socket, $rest) = ($gateway->connect, '');
    syswrite $socket, $bytes . $next;
    my @answers = map { read_answer($socket, \$rest) } 1, 2;
    is_deeply([map { $_->{status} } @answers], [$status, 404], "$what: $status, then what follows it");
    shutdown $socket, 1;
    is(read_to_end($socket), '', '… and nothing else');
    close $socket;
}
my $leads = grep { $_->[2] == 202 } @taken;
is(scalar(my @events = $gateway->wait_events($leads)), $leads, 'as many leads as were sent');
is($gateway->sql("SELECT count(*) FROM event WHERE body LIKE '%hidden\@%' AND body NOT LIKE '%message%'"), 0,
    'and none that was hidden');
$gateway->finish;
done_testing;
