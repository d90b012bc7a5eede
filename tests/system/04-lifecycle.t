# Start, drain, restart: what is under way is answered, what was taken is there.
use strict;
use warnings;

use JSON::PP;
use LeadgateTest;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

my $gateway = LeadgateTest->new->start;

like($gateway->log, qr/event=gateway\.listening for=leads .*port=\d+/, 'the log names the port');
like($gateway->log, qr/event=gateway\.source name=contact-form path=\/f\/contact/, 'and the source');

# A request whose body is still on its way when the stop begins: enough of it, for the
# minimum rate, to wait for its end as long as the stop may take.
my $bytes = form_request('/f/contact', [email => 'slow@example.com', message => 'x' x 8000]);
my $slow = $gateway->connect;
syswrite $slow, substr $bytes, 0, length($bytes) - 10;
# Another connection that is idle after an answer.
my $idle = $gateway->connect;
syswrite $idle, form_request('/f/contact', [email => 'idle@example.com']);
is(read_answer($idle)->{status}, 202, 'a connection may wait for its next request');
is($gateway->admin('/readyz')->{status}, 200, 'ready');

delete $gateway->{descriptors};
$gateway->signal('TERM');
wait_until { $gateway->log =~ /event=gateway\.draining/ } 'the drain begins';
my $ready = $gateway->admin('/readyz');
is($ready->{status}, 503, 'readiness falls');
like($ready->{content}, qr/stopping/, 'and says why');
my $refused = wait_until {
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $gateway->port, Timeout => 1);
    !$socket;
} 'no new connection is accepted';
ok($refused, 'no new connection is accepted');
is(sysread($idle, my $nothing, 1), 0, 'the idle connection is closed');

syswrite $slow, substr $bytes, -10;
my $answer = read_answer($slow);
is($answer->{status}, 202, 'the request under way is answered');
is(lc($answer->{headers}{connection} || ''), 'close', 'and told that the connection ends');
is($gateway->wait_end, 0, 'then the gateway ends');
$gateway->read_log;
like($gateway->log, qr/event=gateway\.stopped/, 'and says so');
my $receipt = decode_json($answer->{body})->{receipt};

# Again: the events go on where they were.
$gateway->start;
my @events = $gateway->wait_events(2);
is((grep { $_->{id} eq $receipt } @events), 1, 'what was accepted in the drain is delivered once');
$gateway->post('/f/contact', [email => 'third@example.com']);
@events = $gateway->wait_events(3);
is($events[2]{seq}, 3, 'the journal goes on');

# A second gateway on the same store.
my $second = LeadgateTest->new(dir => $gateway->dir, store => ', max_wait: 0s');
$second->launch;
is($second->wait_end, 1, 'a second gateway on the store does not start');
like($second->log, qr/level=error event=gateway\.failed .*(owned|lock|another|process|run)/i, 'and says why');
is($gateway->post('/f/contact', [email => 'fourth@example.com'])->{status}, 202, 'the first one goes on');
is(($gateway->command('status', '--json'))[0], 0, 'and still has its control socket');
$gateway->{log} = "$gateway->{dir}/log.2"; # the second one's log stands in log.1

# A second SIGTERM ends the waiting.
sub connections { return ($gateway->admin('/metrics')->{content} =~ /^leadgate_connections (\d+)$/m)[0] }
wait_until { connections() == 0 } 'the connections of before are gone';
my $hanging = $gateway->connect;
syswrite $hanging, substr $bytes, 0, 100;
wait_until { connections() == 1 } 'the connection is open';
delete $gateway->{descriptors};
$gateway->signal('TERM');
wait_until { $gateway->log =~ /event=gateway\.draining.*\z/s } 'the drain begins';
$gateway->announce(qr/event=gateway\.cut/);
$gateway->signal('TERM');
is($gateway->wait_end, 0, 'a second SIGTERM ends the waiting');
$gateway->read_log;
like($gateway->log, qr/event=gateway\.cut connections=1/, 'and the log counts who was cut');

$gateway->finish;

# A reload that is asked for before there is anything to reload. The configuration
# is a pipe, which the gateway waits for at its very beginning; the reload finds a file.
my $early = LeadgateTest->new;
my $text = slurp($early->config);
unlink $early->config;
POSIX::mkfifo($early->config, 0600) or die "mkfifo: $!\n";
$early->launch;
open my $pipe, '>', $early->config or die "opening the pipe: $!\n";
$early->signal('HUP');
unlink $early->config;
spew($early->config, $text);
print $pipe $text;
close $pipe;
$early->wait_ready;
wait_until { $early->log =~ /event=reload\.done generation=2/ } 'the reload is done';
pass('it reads its configuration again');
$early->finish;
done_testing;
