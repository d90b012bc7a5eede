# Restarts and reloads under load of a client that keeps HTTP/2 connections to us: no
# request that was taken is left without its answer, and none is refused. The sockets
# outlive the process. LG_RESTARTS says how many restarts.
use strict;
use warnings;

use FindBin;
use IO::Socket::INET;
use LeadgateTest;
use POSIX ();
use Test::More;

# Sanitizers make each start several times as long.
use constant RESTARTS => $ENV{LG_RESTARTS} || ($ENV{LG_SAN} || $ENV{LG_WRAP} ? 4 : 8);
use constant { CONNECTIONS => 4, STREAMS => 8 };

my $listener = IO::Socket::INET->new(Listen => 1024, LocalAddr => '127.0.0.1', LocalPort => 0)
    or die "listening: $!\n";
my $port = $listener->sockport;
my $config = <<"YAML";
core: { loops: 2, shutdown: 20s }
listen: [{ address: "127.0.0.1:$port" }]
admin: { address: "127.0.0.1:0" }
http: { drain_grace: 200ms, flood_interval: 1s }
store: { path: "\@DIR\@/store.db", max_wait: 60s }
dedup: { keys: [email] }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
  archive: { plugin: file, path: "\@DIR\@/leads.ndjson", gather: 5ms }
YAML

my $started = 0;
my $first = LeadgateTest->new(config => $config);

# Generations of one gateway, in one folder.
sub next_gateway {
    my $gateway = $started++ ? LeadgateTest->new(dir => $first->dir, config => $config) : $first;
    $gateway->{log_count} = 1000 + $started;
    return $gateway->launch(sockets => [leads => $listener]);
}

my $gateway = next_gateway()->wait_ready;
my $receipts = $first->dir . '/receipts';
my $client = fork // die "fork: $!\n";
if (!$client) {
    exec '/usr/bin/python3', '-B', "$FindBin::Bin/../lib/h2kept.py", $port, CONNECTIONS, STREAMS, $receipts
        or POSIX::_exit(127);
}

# A test that dies must not leave it behind.
END {
    my $status = $?;
    kill 'KILL', $client if $client;
    $? = $status;
}

sub answered { return scalar(() = slurp($receipts) =~ /\n/g) }

sub wait_leads {
    my $before = answered();
    wait_until { answered() > $before + 2 * CONNECTIONS * STREAMS } 'leads come in';
}

wait_leads();
my @failed;
for my $round (1 .. RESTARTS) {
    # Other terms for the listener end its connections, as a restart does.
    my $terms = $round % 2 ? ', trusted_proxies: [192.0.2.0/24]' : '';
    $gateway->configure($config =~ s/(:$port")/$1$terms/r);
    my ($status, $said) = $gateway->command('reload');
    push @failed, "round $round: the reload failed: $said" if $status;
    wait_leads();
    my $next = next_gateway();
    wait_until { $next->log =~ /event=store\.read_ahead/ } 'the successor waits for the store';
    my $ended = $gateway->signal('TERM')->wait_end;
    $gateway->read_log;
    push @failed, "round $round: $ended " . $gateway->log
        unless $ended == 0 && $gateway->log =~ /event=gateway\.stopped connections_cut=0 requests_cut=0/;
    $gateway = $next->wait_ready;
    wait_leads();
}
is_deeply(\@failed, [], RESTARTS . ' reloads and restarts, each in order') or diag(@failed);

spew("$receipts.stop", '');
wait_until { waitpid($client, POSIX::WNOHANG()) == $client } 'the load has ended', 60;
undef $client;
my @lines = split /\n/, slurp($receipts);
my ($asked, $opened) = (pop @lines || '') =~ /^end (\d+) (\d+)$/;
my @bad = grep { /^bad/ } @lines;
is(scalar @bad, 0, "none of $asked requests was refused or lost") or diag(join "\n", @bad[0 .. ($#bad > 9 ? 9 : $#bad)]);
is(scalar @lines, $asked, 'each was answered');
cmp_ok($opened, '>=', CONNECTIONS * (RESTARTS + 1), "over $opened connections");
is($gateway->sql('SELECT count(*) FROM event'), $asked, 'each acknowledged lead is in the journal once');
my ($status, $out) = $gateway->command('balance');
is($status, 0, 'the balance closes') or diag($out);
wait_until { (() = slurp($gateway->sink) =~ /\n/g) >= $asked } 'the sink has all';
my %seen;
$seen{ $_->{id} }++ for $gateway->events;
is(scalar(grep { !$seen{$_} } @lines), 0, 'and delivered');
$gateway->finish;
$first->finish unless $gateway == $first;
done_testing;
