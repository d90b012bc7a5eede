# As many connections as may be, in all, of a listener and of an address: the
# longest-idle one makes room for a new one, whichever loop has it; when none is
# idle the new one is turned away. And when descriptors run out accepting pauses,
# without a spin, until some are free, while the journal has all that it needs.
use strict;
use warnings;

use IO::Select;
use LeadgateTest;
use Test::More;

my $config = <<'YAML';
core: { loops: 2 }
listen:
  - { address: "127.0.0.1:0", probe_path: /up, max_connections: 6 }
  - { address: "127.0.0.2:0", probe_path: /up }
admin: { address: "127.0.0.1:0" }
http: { max_connections: 12, max_connections_per_address: 8, idle_timeout: 1h, head_timeout: 1h }
store: { path: "@DIR@/store.db" }
sources: { contact-form: { plugin: webform, path: /f/contact, auth: none } }
sinks: { archive: { plugin: file, path: "@DIR@/leads.ndjson" } }
YAML
my $gateway = LeadgateTest->new(config => $config)->start;
my @ports = $gateway->log =~ /event=gateway\.listening for=leads address=\S+ port=(\d+)/g;

sub closed {
    my ($reason) = @_;
    my ($count) = $gateway->admin('/metrics')->{content}
        =~ /^leadgate_connections_closed_total\{reason="$reason"\} (\d+)$/m;
    return $count;
}

# A connection from a client's address to a listener that was answered once.
sub connect_from {
    my ($client, $listener) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.$listener", PeerPort => $ports[$listener - 1],
        LocalAddr => $client, Proto => 'tcp') or die "connect: $!\n";
    return answers($socket) ? $socket : undef;
}
sub answers {
    my ($socket) = @_;
    syswrite $socket, "GET /up HTTP/1.1\r\nHost: a\r\n\r\n";
    my $answer = eval { read_answer($socket) };
    return $answer && $answer->{status} == 202;
}
# In the middle of a head nobody is idle.
sub begin { syswrite $_[0], "GET" }

# Those of some sockets that the gateway has closed; waits for the first.
sub ended {
    my (@sockets) = @_;
    my @ready = IO::Select->new(@sockets)->can_read(patience());
    return grep { !sysread $_, my $byte, 1 } @ready;
}
sub others {
    my ($gone, @sockets) = @_;
    return grep { $_ != $gone } @sockets;
}

# The listener's bound: six idle ones, over both loops; each more takes the place
# of one of them.
my @one = map { connect_from('127.0.1.1', 1) } 1 .. 6;
is(scalar(grep { $_ } @one), 6, 'as many connections as the listener may have');
for my $n (1, 2) {
    my $more = connect_from('127.0.1.2', 1);
    ok($more, 'one more is served');
    my @gone = ended(@one);
    is(scalar @gone, 1, '… in the place of an idle one');
    @one = (others($gone[0], @one), $more);
}
is(closed('displaced'), 2, 'with a reason of its own');
ok(answers($_), 'all others are still there') for @one;

# Who has begun a request stays.
begin($_) for @one[1 .. 5];
push @one, connect_from('127.0.1.2', 1);
is((ended(@one))[0], $one[0], 'the only idle one goes, nobody who has begun a request');
shift @one;
begin($one[-1]);
is(connect_from('127.0.1.3', 1), undef, 'when none is idle the new one is turned away');
is(closed('full-listener'), 1, '… for its reason');

# The bound in all: six more at the other listener, then one of these goes.
my @two = map { connect_from('127.0.1.4', 2) } 1 .. 6;
is(scalar(grep { $_ } @two), 6, 'the other listener fills the rest');
my $more = connect_from('127.0.1.5', 2);
ok($more, 'one more is served');
my @gone = ended(@two);
is(scalar @gone, 1, '… in the place of an idle one');
@two = (others($gone[0], @two), $more);
begin($_) for @two;
is(connect_from('127.0.1.5', 2), undef, 'when none is idle the new one is turned away');
is(closed('full'), 1, '… for its reason');
close $_ for @one, @two;

# An address at its bound takes nobody's place.
my @same;
wait_until { @same = map { connect_from('127.0.1.6', 2) } 1 .. 8; 8 == grep { $_ } @same } 'eight of one address';
is(connect_from('127.0.1.6', 2), undef, 'an address at its bound is turned away');
cmp_ok(closed('full-address'), '>=', 1, '… for its reason');
ok(answers($_), '… and displaces nobody') for @same;
close $_ for @same;
$gateway->finish;

# Two that come at once find the same loop with the longest-idle connection, where only
# one is: the other takes its place elsewhere. Once for each loop, for it matters which
# of them accepts.
for my $oldest (0, 1) {
    my $pair = LeadgateTest->new(config => $config =~ s/max_connections: 6/max_connections: 4/r)->start;
    @ports = $pair->log =~ /event=gateway\.listening for=leads address=\S+ port=(\d+)/g;
    my @four = map { connect_from('127.0.1.1', 1) } 1 .. 4; # in turn on one loop and the other
    is(scalar(grep { $_ } @four), 4, 'two on each loop');
    answers($four[0]) if $oldest;
    begin($four[$oldest + 2]);
    $pair->signal('STOP');
    my @new = map {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $ports[0], LocalAddr => '127.0.1.2');
        syswrite $socket, "GET /up HTTP/1.1\r\nHost: a\r\n\r\n";
        $socket;
    } 1 .. 2;
    $pair->signal('CONT');
    my @statuses = map { my $answer = eval { read_answer($_) }; $answer ? $answer->{status} : 'none' } @new;
    is("@statuses", '202 202', 'both of two newcomers are served');
    syswrite $four[$oldest + 2], " /up HTTP/1.1\r\nHost: a\r\n\r\n";
    is(eval { read_answer($four[$oldest + 2])->{status} }, 202, '… and nobody who has begun a request went for it');
    close $_ for @four, @new;
    $pair->finish;
}

# Descriptors: few for the process, and a reserve of them.
my $few = LeadgateTest->new(config => <<'YAML');
core: { loops: 1 }
listen: [{ address: "127.0.0.1:0", probe_path: /up, backlog: 256 }]
admin: { address: "127.0.0.1:0" }
http: { max_connections: 1000, max_connections_per_address: 1000, reserved_descriptors: 40, idle_timeout: 1h, head_timeout: 1h }
store: { path: "@DIR@/store.db" }
sources: { contact-form: { plugin: webform, path: /f/contact, auth: none } }
sinks: { archive: { plugin: file, path: "@DIR@/leads.ndjson" } }
YAML
use constant DESCRIPTORS => 120;
$few->announce(qr/event=listener\.paused/, qr/event=process\.descriptors .*limit=120 needed=1040 /);
spew($few->dir . '/few', "#!/bin/sh\nulimit -n " . DESCRIPTORS . "\nexec " . leadgate_binary() . " \"\$@\"\n");
chmod 0755, $few->dir . '/few';
$few->start(program => $few->dir . '/few');
like($few->log, qr/event=process\.descriptors/, 'too few descriptors are a warning, with numbers');

sub metric {
    my ($name) = @_;
    my ($value) = $few->admin('/metrics')->{content} =~ /^\Q$name\E (\S+)$/m;
    return $value;
}
sub open_descriptors { return scalar(() = glob '/proc/' . $few->pid . '/fd/*') }
sub cpu_ticks { return eval { my @stat = split / /, slurp('/proc/' . $few->pid . '/stat'); $stat[13] + $stat[14] } }

my $first = $few->connect;
my @busy = map { my $socket = $few->connect; begin($socket); $socket } 1 .. DESCRIPTORS;
wait_until { metric('leadgate_accept_paused') == 1 } 'accepting pauses';
cmp_ok(open_descriptors(), '<', DESCRIPTORS - 20, 'the reserve is left');
is(metric('leadgate_accept_pauses_total'), 1, 'once an episode is counted');
my ($ticks, $looks) = (cpu_ticks(), 0);
wait_until { ++$looks > 20 } 'some time has passed';
cmp_ok(cpu_ticks() - $ticks, '<', 100, 'nothing spins');
my $rest = '';
syswrite $busy[0], " /up HTTP/1.1\r\nHost: a\r\n\r\n" . form_request('/f/contact', [email => 'late@example.com']);
is(read_answer($busy[0], \$rest)->{status}, 202, 'who is connected is answered');
is(read_answer($busy[0], \$rest)->{status}, 202, '… and stored');
is(scalar(() = $few->log =~ /event=listener\.paused/g), 1, 'and logged once');

# Some go, and all that waited are accepted in turn.
close $_ for splice @busy, 1, 100;
wait_until { metric('leadgate_accept_paused') == 0 } 'accepting goes on';
like($few->log, qr/event=listener\.resumed/, '… which is logged');
my $new = $few->connect;
ok(answers($new), 'a new connection is served');
close $_ for $new, $first, @busy;

# What is configured is compared with the limit by each reload, too.
sub warnings { return scalar(() = $few->log =~ /event=process\.descriptors/g) }
my $more_than_fit = slurp($few->config);
$few->configure($more_than_fit =~ s/max_connections: 1000,/max_connections: 60,/r);
is(($few->command('reload'))[0], 0, 'a reload with bounds that fit');
is(warnings(), 1, '… warns of nothing');
$few->configure($more_than_fit);
is(($few->command('reload'))[0], 0, 'one with bounds that do not');
is(warnings(), 2, '… warns as a start does');
$few->finish;
done_testing;
