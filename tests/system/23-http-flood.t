# A crowd and an attack: a thousand connections that say nothing, others that
# send heads and bodies without end and one that never reads its answers. Each
# attacker is cut off at its deadline, a normal client is served meanwhile, and
# the memory comes back.
use strict;
use warnings;

use LeadgateTest;
use POSIX ();
use Test::More;

my $gateway = LeadgateTest->new(config => <<'YAML')->start;
core: { loops: 2 }
listen: [{ address: "127.0.0.1:0", probe_path: /up, trusted_proxies: [127.0.0.0/8] }]
admin: { address: "127.0.0.1:0" }
http:
  { head_timeout: 2s, body_timeout: 4s, idle_timeout: 1h, write_timeout: 2s, max_pipelined: 1000, max_buffered: 4MiB }
store: { path: "@DIR@/store.db" }
sources: { contact-form: { plugin: webform, path: /f/contact, auth: none } }
sinks: { archive: { plugin: file, path: "@DIR@/leads.ndjson" } }
YAML

my $post = "POST /f/contact HTTP/1.1\r\nHost: a\r\n"
    . "Content-Type: application/x-www-form-urlencoded\r\n";

# One that asks and never reads: its answers fill the kernel's buffers, then it is
# read no more, then it is cut off.
my $deaf = $gateway->connect;
$deaf->blocking(0);
wait_until {
    my $sent = syswrite $deaf, "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n" x 500;
    !defined $sent && ($!{EPIPE} || $!{ECONNRESET});
} 'one who never reads is cut off';
pass('one who never reads is cut off');
close $deaf;

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
        POSIX::_exit(0);
    }
    close $_ for $say, $wait;
    sysread $ready, my $word, 1;
    return sub { syswrite $go, 'g'; waitpid $pid, 0 };
}
sub anonymous_kib { return (slurp('/proc/' . $gateway->pid . '/status') =~ /^RssAnon:\s+(\d+)/m)[0] }
sub connections { return ($gateway->admin('/metrics')->{content} =~ /^leadgate_connections (\d+)$/m)[0] }

wait_until { connections() == 0 } 'the deaf one is gone';
my $before = anonymous_kib();
my @ends = map { crowd(250) } 1 .. 4;
wait_until { connections() == 1000 } 'a thousand idle connections stand';
my @attackers = map {
    my $socket = $gateway->connect;
    $socket->blocking(0);
    syswrite $socket, $_ % 3 == 0 ? 'GET /' : $_ % 3 == 1 ? "${post}Content-Length: 500000\r\n\r\n" . 'x' x 400_000
        : "${post}Transfer-Encoding: chunked\r\n\r\n61a80\r\n" . 'x' x 300_000;
    $socket;
} 1 .. 60;
my ($served, $asked) = (0, 0);
wait_until {
    $asked++;
    $served += ($gateway->exchange("GET /up HTTP/1.1\r\nHost: a\r\n\r\n")->{status} || 0) == 202;
    connections() <= 1000;
} 'all attackers are cut off';
is($served, $asked, "a normal client was served all the time, $served times");
is($gateway->post('/f/contact', [email => 'normal@example.com'])->{status}, 202, '… and its lead is stored');
is(connections(), 1000, '… and the idle ones are there still');
close $_ for @attackers;
$_->() for @ends;
wait_until { connections() == 0 } 'all are gone';
my $limit = $ENV{LG_SAN} || $ENV{LG_WRAP} ? 1 << 30 : 16 << 10;
wait_until { anonymous_kib() - $before < $limit } 'the memory of the flood has come back';
pass('the memory of the flood has come back: ' . (anonymous_kib() - $before) . ' KiB more than before');

for my $reason (qw(head-timeout body-timeout write-timeout refused)) {
    my ($count) = $gateway->admin('/metrics')->{content}
        =~ /^leadgate_connections_closed_total\{reason="$reason"\} (\d+)$/m;
    cmp_ok($count, '>=', 1, "closed: $reason");
}
$gateway->finish;
done_testing;
