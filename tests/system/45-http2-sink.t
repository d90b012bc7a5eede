# The http sink speaks HTTP/2 with somebody else's server, nghttpd, which speaks
# nothing else: in the clear with prior knowledge, and under TLS by ALPN.
use strict;
use warnings;

use Destination;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use LeadgateTest;
use Test::More;

use constant LEADS => 60;

my $folder = tempdir('leadgate-nghttpd-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $authority = Destination::make_authority($folder, 'authority');
my $certificate = Destination::make_certificate($folder, 'here.test', $authority);
spew("$folder/hosts", "127.0.0.1 here.test\n");
spew("$folder/leads", '{"id":"x"}');

my %servers;
END {
    local $?;
    for (grep { $_->{pid} } values %servers) {
        kill 'TERM', $_->{pid};
        waitpid $_->{pid}, 0;
    }
}
%servers = map { $_->[0] => start_nghttpd(@$_) } ['clear', '--no-tls'], ['tls', reverse @$certificate];

my $gateway = LeadgateTest->new;
$gateway->configure(slurp($gateway->config) . <<"YAML");
  clear: { plugin: http, url: "http://127.0.0.1:$servers{clear}{port}/leads", http2: true, allow_private: true }
  tls: { plugin: http, url: "https://here.test:$servers{tls}{port}/leads", ca_file: "$authority->[0]", allow_private: true }
  joined: { plugin: http, url: "http://127.0.0.1:$servers{clear}{port}/leads", http2: true, allow_private: true, batch: array }
http_client: { hosts_file: "$folder/hosts" }
YAML
$gateway->start->allow_calls(3, 1);

is((grep { $_->{status} != 202 } $gateway->exchange_all(
    map { form_request('/f/contact', [email => "p$_\@example.com"]) } 1 .. LEADS)), 0, 'the leads are accepted');
for my $name (qw(clear tls joined)) {
    wait_until { $gateway->sql("SELECT coalesce(sum(last_seq - first_seq + 1), 0) FROM attempt
        WHERE sink = '$name' AND outcome = 'delivered' AND status = 200") == LEADS } "$name delivers all";
    pass("$name delivers all");
    is($gateway->sql("SELECT count(*) FROM attempt WHERE sink = '$name' AND outcome <> 'delivered'"), 0, 'in the first try');
}
my %connections = map { $_ => connections($servers{$_}) } keys %servers;
is($connections{tls}, 1, 'all over one connection');
is($connections{clear}, 2, 'or one for each sink');

$gateway->finish;
done_testing;

# A free port may be taken by another before nghttpd has it: then the next one.
sub start_nghttpd {
    my ($name, @arguments) = @_;
    for (1 .. 10) {
        my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "$!\n";
        my $port = $socket->sockport;
        close $socket;
        my $log = "$folder/$name.log";
        my $pid = fork;
        die "fork: $!\n" unless defined $pid;
        if (!$pid) {
            open STDOUT, '>', $log;
            open STDERR, '>&', \*STDOUT;
            exec 'nghttpd', '-v', '--address=127.0.0.1', "--htdocs=$folder",
                ($arguments[0] eq '--no-tls' ? ('--no-tls', $port) : ($port, @arguments));
            die "nghttpd: $!\n";
        }
        my $ended;
        wait_until { ($ended = waitpid($pid, 1)) == $pid || slurp($log) =~ /listen \S+:$port$/m } 'nghttpd listens';
        return { pid => $pid, port => $port, log => $log } if $ended != $pid;
    }
    die "nghttpd does not start\n";
}

# Those that carried a request.
sub connections {
    my %seen = map { $_ => 1 } slurp($_[0]{log}) =~ /^\[id=(\d+)\] \[[^\]]*\] recv \(stream_id=\d+\) :method: POST/mg;
    return scalar keys %seen;
}
