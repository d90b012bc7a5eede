# A crowd and attacks: a thousand connections that say nothing; then twenty each that
# drip heads, bodies, chunks and TLS hellos byte by byte, or ask and never read the
# answers; then heads and bodies without end. Each attacker is cut off at its deadline,
# a normal client is served meanwhile, the idle ones stay, and the memory comes back.
use strict;
use warnings;

use Destination;
use LeadgateTest;
use POSIX ();
use Socket qw(AF_INET INADDR_LOOPBACK SOCK_STREAM SOL_SOCKET SO_RCVBUF pack_sockaddr_in);
use Test::More;
use Time::HiRes qw(sleep time);

my $gateway = LeadgateTest->new(config => '');
my ($certificate, $key) = @{ Destination::make_authority($gateway->dir, 'a.example') };
$gateway->configure(<<"YAML")->start;
core: { loops: 2 }
listen:
  - { address: "127.0.0.1:0", trusted_proxies: [127.0.0.0/8], tls: { certificate: $certificate, key: $key } }
  - { address: "127.0.0.1:0", trusted_proxies: [127.0.0.0/8], probe_path: /up }
admin: { address: "127.0.0.1:0" }
http:
  handshake_timeout: 2s
  head_timeout: 2s
  body_timeout: 4s
  write_timeout: 2s
  idle_timeout: 1h
  max_buffered: 4MiB
store: { path: "\@DIR\@/store.db" }
sources: { contact-form: { plugin: webform, path: /f/contact, auth: none } }
sinks: { archive: { plugin: file, path: "\@DIR\@/leads.ndjson" } }
YAML

my $post = "POST /f/contact HTTP/1.1\r\nHost: a\r\n"
    . "Content-Type: application/x-www-form-urlencoded\r\n";
my ($tls_port) = $gateway->log =~ /event=gateway\.listening for=leads address=\S+ port=(\d+)/;

# A process with so many connections; the answer ends it, after all of them have asked
# for something, and says how many were served.
sub crowd {
    my ($count) = @_;
    pipe my $ready, my $say or die "pipe: $!\n";
    pipe my $wait, my $go or die "pipe: $!\n";
    my $pid = fork;
    die "fork: $!\n" unless defined $pid;
    if (!$pid) {
        close $_ for $ready, $go;
        my @sockets = map { $gateway->connect } 1 .. $count;
        syswrite $say, 'r';
        sysread $wait, my $word, 1;
        my $served = 0;
        for my $socket (@sockets) {
            syswrite $socket, "GET /up HTTP/1.1\r\nHost: a\r\n\r\n";
            my $answer = eval { read_answer($socket) };
            $served++ if $answer && $answer->{status} == 202;
        }
        syswrite $say, $served;
        POSIX::_exit(0);
    }
    close $_ for $say, $wait;
    sysread $ready, my $word, 1;
    return sub {
        syswrite $go, 'g';
        sysread $ready, my $served, 10;
        waitpid $pid, 0;
        return $served;
    };
}
sub anonymous_kib { return (slurp('/proc/' . $gateway->pid . '/status') =~ /^RssAnon:\s+(\d+)/m)[0] }
sub connections { return ($gateway->admin('/metrics')->{content} =~ /^leadgate_connections (\d+)$/m)[0] }

sub closed {
    my ($reason) = @_;
    my ($count) = $gateway->admin('/metrics')->{content}
        =~ /^leadgate_connections_closed_total\{reason="$reason"\} (\d+)$/m;
    return $count;
}

my $before = anonymous_kib();
my @ends = map { crowd(250) } 1 .. 4;
wait_until { connections() == 1000 } 'a thousand idle connections stand';

# The normal client: a new connection and a new lead each time. Who is told when to come
# again does so, where that may happen to it.
my ($served, $asked) = (0, 0);
sub be_served {
    my ($patient) = @_;
    my @lead = ('/f/contact', [email => 'normal' . ++$asked . '@example.com']);
    my $answer = $gateway->post(@lead) || {};
    my $again_in = $patient && ($answer->{headers} || {})->{'retry-after'};
    if ($again_in) {
        sleep $again_in;
        $answer = $gateway->post(@lead) || {};
    }
    $served += ($answer->{status} || 0) == 202;
}

# ---- drips ---------------------------------------------------------------------------------
# Little room for answers, so that it is full soon.
sub connect_small {
    my ($port) = @_;
    socket my $socket, AF_INET, SOCK_STREAM, 0 or die "socket: $!\n";
    setsockopt $socket, SOL_SOCKET, SO_RCVBUF, 4096 or die "setsockopt: $!\n";
    connect $socket, pack_sockaddr_in($port, INADDR_LOOPBACK) or die "connect: $!\n";
    $socket->blocking(0);
    return $socket;
}

# [what, port, bytes at once, bytes that follow one by one, over and over, reads, first line
# of the answer, reason, seconds]
my $ask = "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n" x 500;
my @kinds = (
    ['a head', $gateway->port, "GET / HTTP/1.1\r\nHost: a\r\n", "X: y\r\n", 1, 'HTTP/1.1 408 ', 'head-timeout', 2],
    ['a body', $gateway->port, "${post}Content-Length: 500000\r\n\r\n", 'x', 1, 'HTTP/1.1 408 ', 'body-timeout', 4],
    ['chunks', $gateway->port, "${post}Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", 1, 'HTTP/1.1 408 ', 'body-timeout', 4],
    ['a TLS hello', $tls_port, "\x16\x03\x01\x3f\xff\x01\x00\x3f\xfb\x03\x03", "\x00", 1, '', 'handshake-timeout', 2],
    ['requests whose answers are never read', $gateway->port, '', $ask, 0, '', 'write-timeout', 2],
);
my $each = 20;
my %due;
$due{ $_->[6] } += $each for @kinds;
my %closed = map { $_ => closed($_) } keys %due;
my @drips = map {
    my $kind = $_;
    map {
        my $began = time;
        my $socket = connect_small($kind->[1]);
        syswrite $socket, $kind->[2];
        { kind => $kind, socket => $socket, began => $began, at => 0, text => '' };
    } 1 .. $each;
} @kinds;

sub drip {
    my ($drip) = @_;
    my (undef, undef, undef, $more, $reads) = @{ $drip->{kind} };
    my $size = $reads ? 1 : length($more) - $drip->{at};
    my $sent = syswrite $drip->{socket}, $more, $size, $drip->{at};
    my $cut = !defined $sent && ($!{EPIPE} || $!{ECONNRESET});
    $drip->{at} = ($drip->{at} + ($sent || 0)) % length $more;
    if ($reads) {
        my $got = sysread $drip->{socket}, $drip->{text}, 65536, length $drip->{text};
        $cut ||= defined $got ? $got == 0 : $!{ECONNRESET};
    }
    $drip->{seconds} = time - $drip->{began} if $cut;
}

wait_until {
    drip($_) for grep { !$_->{seconds} } @drips;
    be_served();
    !grep { !$_->{seconds} } @drips;
} 'all that drip are cut off';
for my $kind (@kinds) {
    my ($what, $first, $seconds) = @$kind[0, 5, 7];
    my @mine = grep { $_->{kind} == $kind } @drips;
    is(scalar(grep { index($_->{text}, $first) == 0 } @mine), $each, "who drips $what: " . ($first || 'cut off'));
    my ($least) = sort { $a <=> $b } map { $_->{seconds} } @mine;
    cmp_ok($least, '>=', $seconds - 0.01, "… not before the $seconds seconds that it has");
}
for my $reason (sort keys %due) {
    wait_until { closed($reason) - $closed{$reason} >= $due{$reason} } "all are counted as $reason";
    is(closed($reason) - $closed{$reason}, $due{$reason}, "closed: $reason, each of them and nobody else");
}
close $_->{socket} for @drips;
is($served, $asked, "a normal client was served meanwhile, each of $asked times");
wait_until { connections() == 1000 } 'only the idle ones are left';
is(connections(), 1000, 'the idle ones are there still');

# ---- floods --------------------------------------------------------------------------------
my @attackers = map {
    my $socket = $gateway->connect;
    $socket->blocking(0);
    syswrite $socket, $_ % 3 == 0 ? 'GET /' : $_ % 3 == 1 ? "${post}Content-Length: 500000\r\n\r\n" . 'x' x 400_000
        : "${post}Transfer-Encoding: chunked\r\n\r\n61a80\r\n" . 'x' x 300_000;
    $socket;
} 1 .. 60;
($served, $asked) = (0, 0);
wait_until {
    be_served(1); # bodies that began within the last second give way to nobody
    connections() <= 1000;
} 'all attackers are cut off';
is($served, $asked, "a normal client was served all the time, $served times");
is(connections(), 1000, '… and the idle ones are there still');
close $_ for @attackers;
is(join(' ', map { $_->() } @ends), '250 250 250 250', '… and each of them is served when it asks at last');
wait_until { connections() == 0 } 'all are gone';
my $limit = $ENV{LG_SAN} || $ENV{LG_WRAP} ? 1 << 30 : 16 << 10;
wait_until { anonymous_kib() - $before < $limit } 'the memory of the flood has come back';
pass('the memory of the flood has come back: ' . (anonymous_kib() - $before) . ' KiB more than before');

cmp_ok(closed('refused'), '>', 0, 'bodies beyond what may be buffered are refused');
$gateway->finish;
done_testing;
