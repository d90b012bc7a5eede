# A stop in its steps: readiness falls first, then no connection is accepted, what
# is idle gets a grace; and a successor that starts meanwhile takes over.
use strict;
use warnings;

use IO::Socket::INET;
use LeadgateTest;
use Test::More;
use Time::HiRes qw(time);

sub config {
    my (%options) = @_;
    return <<"YAML";
core: { loops: 2, shutdown: 20s, stop_delay: $options{delay} }
listen: [{ address: "127.0.0.1:$options{port}" }]
admin: { address: "127.0.0.1:$options{admin}" }
http: { drain_grace: $options{grace}, idle_timeout: 1h }
store: { path: "\@DIR\@/store.db", max_wait: 60s }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
  archive: { plugin: file, path: "\@DIR\@/leads.ndjson" }
YAML
}

sub mail { return form_request('/f/contact', [email => "$_[0]\@example.com"]) }

sub metric {
    my ($gateway, $name) = @_;
    my ($value) = $gateway->admin('/metrics')->{content} =~ /^\Q$name\E (\d+)$/m;
    return $value || 0;
}

# A request that has begun, which its 100 Continue says: its connection, and its body.
sub begin {
    my ($gateway, $name) = @_;
    my ($head, $body) = form_request('/f/contact', [email => "$name\@example.com"], Expect => '100-continue') =~ /\A(.*?\r\n\r\n)(.*)\z/s;
    my $socket = $gateway->connect;
    syswrite $socket, $head;
    sysread $socket, my $go, 100;
    is($go, "HTTP/1.1 100 Continue\r\n\r\n", "request $name has begun");
    return ($socket, $body);
}

# ---- an idle connection whose next request is on its way ------------------------------
my $gateway = LeadgateTest->new(config => config(delay => '0s', port => 0, admin => 0, grace => '60s'))->start;
my ($busy, $silent) = map { $gateway->connect } 1 .. 2;
my $rest = '';
syswrite $busy, mail('one');
is(read_answer($busy, \$rest)->{status}, 202, 'a connection is kept');
wait_until { metric($gateway, 'leadgate_connections') == 2 } 'both connections are open';
delete $gateway->{descriptors};
$gateway->signal('TERM');
wait_until {
    !IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $gateway->port, Timeout => 1);
} 'no connection is accepted';
syswrite $busy, mail('two');
my $answer = read_answer($busy, \$rest);
is($answer->{status}, 202, 'a request that comes after the stop on an idle connection is answered');
is(lc $answer->{headers}{connection}, 'close', 'as the last one');
is(sysread($busy, my $nothing, 1), 0, 'then the connection ends');
syswrite $silent, mail('three');
is(read_answer($silent)->{status}, 202, 'also on one that had asked for nothing yet');
is($gateway->wait_end, 0, 'with the last connection the gateway ends, before the grace does');
like($gateway->log, qr/event=gateway\.stopped connections_cut=0 requests_cut=0 lanes_left=0/, 'and says that nothing was left');
$gateway->read_log;

# ---- the grace ends -------------------------------------------------------------------
$gateway->configure(config(delay => '0s', port => 0, admin => 0, grace => '100ms'))->start;
my $idle = $gateway->connect;
syswrite $idle, mail('four');
is(read_answer($idle)->{status}, 202, 'a connection is idle');
delete $gateway->{descriptors};
$gateway->signal('TERM');
is(sysread($idle, $nothing, 1), 0, 'it is closed when its grace ends');
is($gateway->wait_end, 0, 'and the gateway ends');
like($gateway->log, qr/event=gateway\.stopped connections_cut=0 /, 'without cutting it');
$gateway->read_log;

# ---- time for load balancers, and a second signal -------------------------------------
$gateway->configure(config(delay => '15s', port => 0, admin => 0, grace => '60s'))->start;
delete $gateway->{descriptors};
$gateway->signal('TERM');
wait_until { $gateway->admin('/readyz')->{status} == 503 } 'readiness falls';
is($gateway->exchange(mail('five'))->{status}, 202, 'new connections are served while it is noticed');
my ($kept) = begin($gateway, 'six');
wait_until { metric($gateway, 'leadgate_connections') == 1 } 'no other connection is open';
$gateway->announce(qr/event=gateway\.cut/);
my $began = time;
$gateway->signal('TERM');
is($gateway->wait_end, 0, 'a second signal ends the waiting');
cmp_ok(time - $began, '<', 14, 'also that for load balancers');
like($gateway->log, qr/event=gateway\.cut connections=1/, 'what was cut');
like($gateway->log, qr/event=gateway\.stopped connections_cut=1 requests_cut=1 lanes_left=0/, '… is counted');
$gateway->read_log;

# ---- a successor on the same store and the same addresses --------------------------------
$gateway->configure(config(delay => '0s', port => 0, admin => 0, grace => '60s'))->start;
my ($port, $admin) = ($gateway->port, $gateway->admin_port);
my ($last, $body) = begin($gateway, 'seven');
my $next = LeadgateTest->new(dir => $gateway->dir, files => { config => 'next.yaml' },
    config => config(delay => '0s', port => $port, admin => $admin, grace => '0s'));
$next->{log_count} = 100;
$next->launch;
wait_until { $next->log =~ /event=store\.read_ahead rows=(\d+)/ } 'the successor reads the index beside the first one';
like($next->log, qr/event=store\.waiting reason=.*in use by process $gateway->{pid}\b/, 'it waits for the store and says for whom');
unlike($next->log, qr/event=gateway\.listening/, 'and listens nowhere yet');
is($gateway->exchange(mail('eight'))->{status}, 202, 'the first one serves on');
delete $gateway->{descriptors};
$gateway->signal('TERM');
wait_until {
    !IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 1);
} 'the first one accepts no more';
unlike($next->log, qr/event=store\.taken_over/, 'but has the store while it drains');
syswrite $last, $body;
is(read_answer($last)->{status}, 202, 'its last request is answered');
is($gateway->wait_end, 0, 'it ends');
$gateway->read_log;
$next->wait_ready;
$next->{descriptors} = $next->descriptors;
like($next->log, qr/event=store\.taken_over waited_ms=\d+/, 'the successor has the store');
is($next->port, $port, 'and the address');
is($next->exchange(mail('nine'))->{status}, 202, 'and takes leads');
my $again = $next->exchange(mail('eight'));
is($next->sql('SELECT count(*) FROM event'), 9 - 1, 'a double click on what came while it waited is known')
    or diag($again->{body});
wait_until { my %seen; $seen{ $_->{seq} }++ for $next->events; keys %seen == 8 } 'all are delivered';

# ---- a start that is given up -----------------------------------------------------------
my $third = LeadgateTest->new(dir => $gateway->dir, files => { config => 'next.yaml' },
    config => config(delay => '0s', port => $port, admin => $admin, grace => '0s'));
$third->{log_count} = 200;
$third->launch;
wait_until { $third->log =~ /event=store\.waiting/ } 'a third one waits';
$third->signal('HUP');
$third->signal('TERM');
is($third->wait_end, 0, 'SIGTERM ends a start that waits');
unlike($third->log, qr/event=gateway\.listening|level=(error|warning)/, 'which has touched nothing');
is($next->exchange(mail('ten'))->{status}, 202, 'the running one does not notice');

# ---- a start that has waited long enough ------------------------------------------------
$third->configure(config(delay => '0s', port => $port, admin => $admin, grace => '0s') =~ s/max_wait: 60s/max_wait: 100ms/r);
$third->launch;
is($third->wait_end, 1, 'a start ends when store.max_wait is over');
like($third->log, qr/event=gateway\.failed reason=.*in use by process $next->{pid}\b/, 'and says who has the store');
$third->configure(config(delay => '20s', port => $port, admin => $admin, grace => '0s'));
my ($status, undef, $said) = $third->command('check');
is($status, 78, 'a delay that takes all the time of a stop is a mistake');
like($said, qr/next\.yaml:1:\d+: error: "stop_delay" is a part of "shutdown" and leaves nothing of it/, '… which is shown');
is($next->exchange(mail('eleven'))->{status}, 202, 'the running one goes on');

$next->finish;
$gateway->finish;
done_testing;
