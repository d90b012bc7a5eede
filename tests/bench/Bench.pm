# Servers and loads of the benchmark: starts nginx and leadgate on 127.0.0.1,
# runs wrk against them, and reads what it cost. Ends only what it started.
package Bench;
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use IPC::Open2;
use POSIX ();
use Reserve;
use Time::HiRes qw(time sleep);

my $ticks = POSIX::sysconf(&POSIX::_SC_CLK_TCK);
my %running;
my $owner = $$; # no process that is forked off ends them

END { if ($$ == $owner) { stop_server($_) for keys %running } }
$SIG{INT} = $SIG{TERM} = sub { exit 1 };

sub free_port {
    my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1:0')
        or die "no free port: $!\n";
    return $socket->sockport;
}

sub wait_for_port {
    my ($port, $pid) = @_;
    for (1 .. 6000) {
        return if IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port");
        die "the server ended while starting\n" if waitpid($pid, POSIX::WNOHANG()) == $pid;
        sleep 0.01;
    }
    die "nothing answers on port $port\n";
}

sub spawn {
    my ($log, @command) = @_;
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    open STDOUT, '>', $log or die "$log: $!\n";
    open STDERR, '>&', \*STDOUT;
    exec @command or POSIX::_exit(127);
}

# The port takes connections before there is a worker.
sub worker_of {
    my ($pid) = @_;
    for (1 .. 6000) {
        open my $children, '<', "/proc/$pid/task/$pid/children" or die "nginx: $!\n";
        my ($worker) = split ' ', <$children> // '';
        return $worker if $worker;
        sleep 0.01;
    }
    die "nginx starts no worker\n";
}

# One worker that answers 202 without a body; `http2`: it speaks nothing else; `tls`
# is a certificate and its key.
# Then tickets are off: each connection begins with a whole handshake.
sub start_nginx {
    my ($folder, %with) = @_;
    my $port = free_port();
    my $http2 = $with{http2} ? ' http2' : '';
    my ($ssl, $lines) = $with{tls}
        ? (' ssl', "ssl_certificate $with{tls}[0]; ssl_certificate_key $with{tls}[1];\n"
            . "  ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets off; ssl_session_cache off;\n")
        : ('', '');
    make_path("$folder/nginx");
    open my $conf, '>', "$folder/nginx.conf" or die "$folder/nginx.conf: $!\n";
    print $conf <<"CONF";
daemon off; worker_processes 1; pid $folder/nginx.pid; error_log $folder/nginx.log;
events { worker_connections 1024; }
http {
  ${lines}access_log off; keepalive_requests 100000000; keepalive_timeout 60s;
  client_body_temp_path $folder/nginx; proxy_temp_path $folder/nginx;
  fastcgi_temp_path $folder/nginx; uwsgi_temp_path $folder/nginx; scgi_temp_path $folder/nginx;
  server { listen 127.0.0.1:$port backlog=1024$ssl$http2; location / { return 202; } }
}
CONF
    close $conf;
    my $pid = spawn("$folder/nginx.out", 'nginx', '-c', "$folder/nginx.conf");
    $running{$pid} = 1;
    wait_for_port($port, $pid);
    return { name => 'nginx', pid => $pid, cpu_pid => worker_of($pid), port => $port,
             tls => $with{tls} };
}

# leadgate with its store and its file in `folder`; `sink` 0 leaves the file out,
# `archive` are further options of it,
# `sinks` and `sources` are lines of further ones, `http_client` and `http` are those sections,
# `tls` is as for nginx.
sub start_leadgate {
    my ($build, $folder, %with) = @_;
    my ($port, $admin) = (free_port(), free_port());
    my $loops = $with{loops} // 1;
    my $tls = $with{tls}
        ? ", tls: { certificate: \"$with{tls}[0]\", key: \"$with{tls}[1]\", ticket_lifetime: 0s }" : '';
    make_path($folder);
    open my $conf, '>', "$folder/gw.yaml" or die "$folder/gw.yaml: $!\n";
    print $conf <<"CONF";
core: { loops: $loops, plugin_path: ["$build/plugins"] }
listen:
  - { address: "127.0.0.1:$port", probe_path: /bare$tls }
admin: { address: "127.0.0.1:$admin" }
store: { path: leadgate.db, max_size: 40GiB }
defaults: { region: US }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
CONF
    print $conf $with{sources} if $with{sources};
    for (qw(http http_client)) {
        print $conf "$_: $with{$_}\n" if $with{$_};
    }
    my $archive = $with{archive} // '';
    print $conf "sinks:\n  archive: { plugin: file, path: leads.ndjson$archive }\n" if $with{sink} // 1;
    print $conf $with{sinks} if $with{sinks};
    close $conf;
    my $begun = time;
    my $pid = spawn("$folder/gw.log", "$build/leadgate", 'run', '-c', "$folder/gw.yaml");
    $running{$pid} = 1;
    wait_for_port($port, $pid);
    return { name => 'leadgate', pid => $pid, cpu_pid => $pid, port => $port, admin => $admin,
             tls => $with{tls}, folder => $folder, start_s => time - $begun };
}

sub stop_server {
    my ($server) = @_;
    my $pid = ref $server ? $server->{pid} : $server;
    return unless delete $running{$pid};
    kill 'TERM', $pid;
    for (1 .. 600) {
        return if waitpid($pid, POSIX::WNOHANG()) == $pid;
        sleep 0.05;
    }
    kill 'KILL', $pid;
    waitpid $pid, 0;
}

sub cpu_seconds {
    my ($pid) = @_;
    open my $stat, '<', "/proc/$pid/stat" or return 0;
    my $line = <$stat>;
    $line =~ s/^.*\) //;
    my @fields = split ' ', $line;
    return ($fields[11] + $fields[12]) / $ticks;
}

# Runs wrk with one thread, or the command `client`, pinned to the last core; returns
# rates and costs. `stores_s` are the seconds for which memory is taken first, for what
# its files will need.
sub load {
    my ($server, %with) = @_;
    my $connections = $with{connections} // 64;
    my $url = ($server->{tls} ? 'https' : 'http') . "://127.0.0.1:$server->{port}" . ($with{path} // '/');
    my @client = $with{client} ? @{ $with{client} } : ('wrk', '-t1', "-c$connections",
        '-d' . $with{seconds} . 's', '--timeout', '10s', '-s', $with{script}, $url);
    push @client, '--', @{ $with{arguments} } if $with{arguments};
    my @command = ('taskset', '-c', $with{core} // 1, @client);
    my $reserve = Reserve->new($with{stores_s} // 0);
    my $before = cpu_seconds($server->{cpu_pid});
    $reserve->give;
    my ($peak_wal, $line) = (0, undef);
    my $pid = open my $wrk, '-|', @command or die "$client[0]: $!\n";
    until (waitpid($pid, POSIX::WNOHANG()) == $pid) { # what it says fits into the pipe
        my $wal = $server->{folder} ? -s "$server->{folder}/leadgate.db-wal" : 0;
        $peak_wal = $wal if ($wal // 0) > $peak_wal;
        sleep 0.05;
    }
    my $cpu = cpu_seconds($server->{cpu_pid}) - $before;
    while (my $said = <$wrk>) { $line = $said if $said =~ /^RESULT / }
    close $wrk;
    die "$client[0] said nothing about $server->{name}\n" unless $line;
    my %result = $line =~ /(\w+)=([\d.]+)/g;
    $result{rate} = $result{requests} / $result{seconds};
    $result{cpu_us} = $result{requests} ? 1e6 * $cpu / $result{requests} : 0;
    $result{client_us} = $result{requests} ? 1e6 * $result{client_s} / $result{requests} : 0;
    $result{peak_wal} = $peak_wal;
    return \%result;
}

# The numbers of /metrics by name, labels included.
sub metrics {
    my ($server) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$server->{admin}") or return {};
    print $socket "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    local $/;
    my %metrics = <$socket> =~ /^([a-z_\d]+(?:\{[^}]*\})?) ([-\d.e+]+)\r?$/gm;
    return \%metrics;
}

# What `leadgate status` says of the store: quantiles are not among the metrics.
sub store_status {
    my ($build, $server) = @_;
    my $said = qx($build/leadgate status --json -c $server->{folder}/gw.yaml);
    return { $said =~ /"([a-z\d_]+)":(\d+)/g };
}

# Anonymous memory in bytes.
sub anonymous_bytes {
    my ($server) = @_;
    open my $rollup, '<', "/proc/$server->{pid}/smaps_rollup" or return 0;
    while (<$rollup>) { return $1 * 1024 if /^Anonymous:\s+(\d+) kB/ }
    return 0;
}

# What one of `count` idle connections holds in the server; `kind` is idle.py's.
sub held_bytes {
    my ($server, $count, $kind) = @_;
    my $before = anonymous_bytes($server);
    my $pid = open2(my $out, my $in, '/usr/bin/python3', dirname(__FILE__) . '/idle.py',
        $server->{port}, $count, $kind);
    my $said = <$out> // '';
    my $after = anonymous_bytes($server);
    close $in;
    waitpid $pid, 0;
    die "bench: $count connections could not be held\n" unless $said eq "ready\n";
    return ($after - $before) / $count;
}

sub median {
    my @sorted = sort { $a <=> $b } @_;
    return @sorted ? $sorted[@sorted / 2] : 0;
}

1;
