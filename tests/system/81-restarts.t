# Restarts under load, behind nginx and with sockets that outlive the process: no
# request is lost and none refused, whether the successor starts before or after its
# predecessor ends. LG_RESTARTS says how many.
use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use LeadgateTest;
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

# Sanitizers make each start several times as long.
use constant RESTARTS => $ENV{LG_RESTARTS} || ($ENV{LG_SAN} || $ENV{LG_WRAP} ? 6 : 20);
use constant CONNECTIONS => 8;

my ($nginx) = grep { -x } map { "$_/nginx" } split(/:/, $ENV{PATH}), '/usr/sbin';
plan skip_all => 'there is no nginx' unless $nginx;

# The socket that the service manager would keep. What nginx has of connections goes with
# the first requests after a stop, so the grace is not waited for; but a request that meets
# its end is lost, so that it is longer than nginx may stand still.
my $listener = IO::Socket::INET->new(Listen => 1024, LocalAddr => '127.0.0.1', LocalPort => 0)
    or die "listening: $!\n";
my $config = <<"YAML";
core: { loops: 2, shutdown: 20s }
listen: [{ address: "127.0.0.1:@{[ $listener->sockport ]}", trusted_proxies: [127.0.0.0/8] }]
admin: { address: "127.0.0.1:0" }
http: { drain_grace: 15s }
store: { path: "\@DIR\@/store.db", max_wait: 60s }
dedup: { keys: [email] }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
  archive: { plugin: file, path: "\@DIR\@/leads.ndjson", gather: 5ms }
YAML

# Generations of one gateway: each has its own configuration file and log, all of
# them the same folder.
my $started = 0;
my $first = LeadgateTest->new(config => $config);
sub next_gateway {
    my $gateway = $started++ ? LeadgateTest->new(dir => $first->dir, config => $config) : $first;
    $gateway->{log_count} = 1000 + $started;
    return $gateway->launch(sockets => [leads => $listener]);
}

my $dir = $first->dir;
mkdir "$dir/nginx";
spew("$dir/nginx.conf", <<"CONF");
daemon off;
master_process off;
worker_processes 1;
pid $dir/nginx/pid;
error_log $dir/nginx/error.log notice;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path $dir/nginx/body;
    proxy_temp_path $dir/nginx/proxy;
    fastcgi_temp_path $dir/nginx/fastcgi;
    uwsgi_temp_path $dir/nginx/uwsgi;
    scgi_temp_path $dir/nginx/scgi;
    keepalive_requests 1000000;
    upstream leadgate { server 127.0.0.1:@{[ $listener->sockport ]}; keepalive 16; keepalive_requests 1000000; }
    server {
        listen unix:$dir/nginx.sock;
        location / {
            proxy_pass http://leadgate;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header X-Forwarded-For 127.0.0.1;
        }
    }
}
CONF

sub dial { return IO::Socket::UNIX->new(Peer => "$dir/nginx.sock") }

sub spawn {
    my ($code) = @_;
    my $pid = fork;
    die "fork: $!\n" unless defined $pid;
    return $pid if $pid;
    eval { $code->(); 1 } or print STDERR "# $@";
    POSIX::_exit(1);
}

# Each connection asks for one thing at a time; receipts and what went wrong are
# written down, and a line when it has ended.
my ($receipts, $stop) = ("$dir/receipts", "$dir/stop");

sub load {
    open my $out, '>', $receipts or die "$receipts: $!\n";
    my ($select, $n, %rest) = (IO::Select->new, 0);
    my $ask = sub {
        my ($socket) = @_;
        $n++;
        syswrite $socket, form_request('/f/contact', [email => "person$n\@example.com", message => "lead $n"]);
    };
    for (1 .. CONNECTIONS) {
        my $socket = dial() || die "connecting: $!\n";
        $select->add($socket);
        $rest{$socket} = '';
        $ask->($socket);
    }
    while ($select->count) {
        my @ready = $select->can_read(patience()) or do { print $out "bad: no answer\n"; last };
        for my $socket (@ready) {
            my $answer = eval { read_answer($socket, \$rest{$socket}) };
            my ($receipt) = ($answer ? $answer->{body} : '') =~ /"receipt":"([^"]+)"/;
            if ($receipt && $answer->{status} == 202) {
                print $out "$receipt\n";
            } else {
                print $out 'bad: ', $answer ? "$answer->{status} $answer->{body}" : "closed $@", "\n";
                next $select->remove($socket) unless $answer;
            }
            -e $stop ? $select->remove($socket) : $ask->($socket);
        }
    }
    print $out "end $n\n";
    close $out;
    POSIX::_exit(0);
}

sub answered { return scalar(() = slurp($receipts) =~ /\n/g) }

my ($proxy, $client);
# A test that dies must not leave them behind.
END {
    my $status = $?;
    kill 'KILL', $_ for grep { $_ } $proxy, $client;
    $? = $status;
}

my $gateway = next_gateway()->wait_ready;
$proxy = spawn(sub { exec $nginx, '-p', "$dir/nginx", '-c', "$dir/nginx.conf", '-e', "$dir/nginx/error.log" });
wait_until { dial() } 'nginx listens';
$client = spawn(\&load);

# Ends it in order; its sockets to nginx come and go, so they are not counted.
sub leave {
    my ($old) = @_;
    my $status = $old->signal('TERM')->wait_end;
    $old->read_log;
    return $status == 0 && $old->log =~ /event=gateway\.stopped connections_cut=0 requests_cut=0/;
}

my @failed;
for my $round (1 .. RESTARTS) {
    my $before = answered();
    my $overlaps = $round % 2;
    my $next;
    if ($overlaps) {
        $next = next_gateway();
        wait_until { $next->log =~ /event=store\.read_ahead/ } 'the successor waits for the store';
    }
    leave($gateway) or push @failed, "round $round: " . $gateway->log;
    $next ||= next_gateway();
    $next->wait_ready;
    push @failed, "round $round: did not wait" if $overlaps && $next->log !~ /event=store\.taken_over/;
    $gateway = $next;
    wait_until { answered() > $before + CONNECTIONS } 'leads come in';
}
is_deeply(\@failed, [], RESTARTS . ' restarts, each with an orderly end') or diag(@failed);

spew($stop, '');
wait_until { waitpid($client, POSIX::WNOHANG()) == $client } 'the load has ended', 60;
undef $client;
my @lines = split /\n/, slurp($receipts);
my ($asked) = (pop @lines || '') =~ /^end (\d+)$/;
my @bad = grep { /^bad/ } @lines;
is(scalar @bad, 0, "none of $asked requests was refused or lost") or diag(join "\n", @bad[0 .. ($#bad > 9 ? 9 : $#bad)]);
is(scalar @lines, $asked, 'each was answered');
is($gateway->sql('SELECT count(*) FROM event'), $asked, 'each acknowledged lead is in the journal once');
my ($status, $out) = $gateway->command('balance');
is($status, 0, 'the balance closes') or diag($out);
wait_until { (() = slurp($gateway->sink) =~ /\n/g) >= $asked } 'the sink has all';
my %seen;
$seen{ $_->{id} }++ for $gateway->events;
is(scalar(grep { !$seen{$_} } @lines), 0, 'and delivered');
is(scalar(grep { $_ > 1 } values %seen), 0, 'once: each lane went on where the last one ended');

kill 'QUIT', $proxy;
waitpid $proxy, 0;
undef $proxy;
$gateway->finish;
$first->finish unless $gateway == $first;
done_testing;
