# Slow clients: whoever drips is cut off at an absolute deadline, however it
# spaces its bytes, and honest slow ones are served.
use strict;
use warnings;

use IO::Select;
use LeadgateTest;
use Test::More;
use Time::HiRes qw(sleep time);

my $gateway = LeadgateTest->new(config => <<'YAML')->start;
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
http: { head_timeout: 1s, body_timeout: 8s, minimum_rate: 50, idle_timeout: 2s, write_timeout: 2s }
store: { path: "@DIR@/store.db" }
sources: { contact-form: { plugin: webform, path: /f/contact, auth: none } }
sinks: { archive: { plugin: file, path: "@DIR@/leads.ndjson" } }
YAML

my $post = "POST /f/contact HTTP/1.1\r\nHost: a\r\n"
    . "Content-Type: application/x-www-form-urlencoded\r\n";

# [what, bytes at once, bytes of the drip, first line expected, earliest end]
my @drips = (
    ['the request line', 'G', "ET /" . 'a' x 500, 'HTTP/1.1 408 ', 0.9],
    ['a header', "GET / HTTP/1.1\r\n", 'X: ' . 'a' x 500, 'HTTP/1.1 408 ', 0.9],
    ['many headers', "GET / HTTP/1.1\r\n", "a:b\r\n" x 100, 'HTTP/1.1 408 ', 0.9],
    ['empty lines', "\r\n", '', '', 0.9],
    ['nothing at all', '', '', '', 1.9],
    ['a body', "${post}Content-Length: 500\r\n\r\n", 'a' x 500, 'HTTP/1.1 408 ', 4.9],
    ['a chunk', "${post}Transfer-Encoding: chunked\r\n\r\n1f4\r\n", 'a' x 500, 'HTTP/1.1 408 ', 4.9],
    ['a chunk extension', "${post}Transfer-Encoding: chunked\r\n\r\n1;", 'a' x 500, 'HTTP/1.1 408 ', 4.9],
    ['trailers', "${post}Transfer-Encoding: chunked\r\n\r\n0\r\n", "a: b\r\n" x 100, 'HTTP/1.1 408 ', 4.9],
);
my $started = time;
for my $drip (@drips) {
    my $socket = $gateway->connect;
    $socket->blocking(0);
    syswrite $socket, $drip->[1] if length $drip->[1];
    push @$drip, { socket => $socket, text => '', at => 0 };
}

# An honest one: 200 bytes a second however busy the machine is. The rate that is asked for
# lets it be late by seconds, and the drips be too slow.
my $honest = $gateway->connect;
my $sent = 0;
my $body = form_encode(email => 'slow@example.com', message => 'x' x 400);
syswrite $honest, $post . 'Content-Length: ' . length($body) . "\r\n\r\n";

# The client's side of every connection, until all have ended.
wait_until {
    my $open = 0;
    for my $drip (@drips) {
        my $state = $drip->[5];
        next if $state->{end};
        $open++;
        my $got = sysread $state->{socket}, $state->{text}, 65536, length $state->{text};
        $state->{end} = time - $started if defined $got ? $got == 0 : !$!{EAGAIN};
        syswrite $state->{socket}, substr $drip->[2], $state->{at}++, 1
            if !$state->{end} && $state->{at} < length $drip->[2];
    }
    my $due = int(200 * (time - $started)) - $sent;
    $sent += syswrite $honest, substr $body, 0, $due, '' if $due > 0 && length $body;
    sleep 0.05;
    $open == 0;
} 'all drips are cut off';

for my $drip (@drips) {
    my ($what, undef, undef, $first, $earliest, $state) = @$drip;
    ok($state->{text} =~ /\A\Q$first\E/ && (length $first || $state->{text} eq ''),
        "$what: " . ($first || 'closed without a word')) or diag($state->{text});
    cmp_ok($state->{end}, '>=', $earliest, '… not before its time');
}
syswrite $honest, $body if length $body;
is(read_answer($honest)->{status}, 202, 'a slow one that keeps the rate is served');

# The body's deadline counts for one that keeps the minimum rate, too.
my $steady = $gateway->connect;
$steady->blocking(0);
syswrite $steady, "${post}Content-Length: 500000\r\n\r\n";
my ($text, $begun) = ('', time);
wait_until {
    syswrite $steady, 'a' x 100;
    my $got = sysread $steady, $text, 65536, length $text;
    sleep 0.1;
    defined $got && $got == 0;
} 'the body is cut off';
like($text, qr/\AHTTP\/1\.1 408 /, 'a body that never ends: 408');
cmp_ok(time - $begun, '>=', 7.9, '… at its deadline');

close $steady;
for my $row (['idle-timeout', 1], ['head-timeout', 4], ['too-slow', 4], ['body-timeout', 1]) {
    my ($reason, $count) = @$row;
    wait_until {
        my ($counted) = $gateway->admin('/metrics')->{content}
            =~ /^leadgate_connections_closed_total\{reason="$reason"\} (\d+)$/m;
        $counted >= $count;
    } "$count or more connections are closed for $reason";
    pass("closed: $reason, $count or more");
}
$gateway->finish;
done_testing;
