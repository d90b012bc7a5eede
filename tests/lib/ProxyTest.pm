# The gateway of conf/behind-a-proxy.yaml, and the real proxies of conf/ before it:
# the files as they are shipped, but for ports, paths and users. Everything runs
# on 127.0.0.1 on free ports, in the gateway's folder, as processes of the test.
package ProxyTest;
use strict;
use warnings;

use Exporter qw(import);
use File::Path qw(make_path);
use IO::Socket::INET;
use LeadgateTest;
use POSIX qw(:sys_wait_h);
use Test::More;

our @EXPORT = qw(behind_a_proxy start_proxy stop_proxy);

# Whoever is root has nginx and Apache httpd work as www-data, as they do.
my $user = $> == 0 ? 'www-data' : getpwuid $>;
my $group = $> == 0 ? 'www-data' : getgrgid $);
my @running;

sub top { return $ENV{LG_SRCDIR} }

# `sources` is a line of a further source.
sub behind_a_proxy {
    my (%options) = @_;
    my $more = $options{sources} ? "  $options{sources}\n" : '';
    my $text = slurp(top() . '/conf/behind-a-proxy.yaml');
    $text =~ s/(127\.0\.0\.1):\d+/$1:0/g;
    $text =~ s{unix:\S+}{unix:\@DIR\@/http.sock};
    $text =~ s/socket_group: www-data/socket_group: "$group"/;
    $text =~ s/trusted_users: \[www-data\]/trusted_users: ["$user"]/;
    $text =~ s{\.\./var/}{\@DIR\@/}g;
    $text =~ s/^sources:\n/sources:\n  urls: { plugin: urls, path: \/urls, auth: none }\n$more/m;
    $ENV{LEADGATE_TEST_PLUGINS} ||= ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/plugin';
    my $gateway = LeadgateTest->new(config => $text, files => { store => 'leadgate.db' })->start;
    chmod 0755, $gateway->dir; # www-data comes to the socket
    ($gateway->{http_port}, $gateway->{proxy_port}) = $gateway->log =~ /for=leads address=127\S+ port=(\d+)/g;
    my $certificate = $gateway->dir . '/forms.pem';
    system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=forms.example"
            . " -keyout $certificate.key -out $certificate.crt 2>/dev/null") == 0 or die "openssl failed\n";
    spew($certificate, slurp("$certificate.crt") . slurp("$certificate.key"));
    return $gateway;
}

# Below those that the kernel gives to clients and to who asks for any: other tests take
# thousands of them, and one more may be gone before the proxy has it.
my $next_port = 10000 + $$ * 7 % 8000;

sub free_ports {
    my ($count) = @_;
    my @sockets;
    for (1 .. 1000) {
        my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', LocalPort => $next_port++);
        push @sockets, $socket if $socket;
        return map { $_->sockport } @sockets if @sockets == $count;
    }
    die "no free port: $!\n";
}

# ---- what each is started with ---------------------------------------------------

sub nginx {
    my ($proxy, $gateway, $text) = @_;
    my $dir = $proxy->{dir};
    $text =~ s/^(\s*)server unix/$1# server unix/m;
    $text =~ s/server 127\.0\.0\.1:8080;/server 127.0.0.1:$gateway->{http_port};/;
    $text =~ s/server 127\S+;/"server unix:" . $gateway->dir . "\/http.sock;"/e if $proxy->{unix};
    $text =~ s/listen 80;/listen 127.0.0.1:$proxy->{http};/;
    $text =~ s/listen 443/listen 127.0.0.1:$proxy->{https}/;
    my $temporary = join ' ', map { "${_}_temp_path $dir/$_;" } qw(client_body proxy fastcgi uwsgi scgi);
    my $as = $> == 0 ? "user $user;" : '';
    spew("$dir/nginx.conf", <<"CONF");
daemon off; $as worker_processes 2; pid $dir/pid; error_log $dir/error.log;
events { worker_connections 256; }
http { access_log off; $temporary
$text
}
CONF
    return ('nginx', '-c', "$dir/nginx.conf", '-e', "$dir/error.log");
}

sub haproxy {
    my ($proxy, $gateway, $text) = @_;
    $text =~ s/maxconn 4000/maxconn 200/; # as descriptors allow
    $text =~ s/inter 5s/inter 1h/g; # checks are connections, too, and those are counted
    $text =~ s/bind :80\b/bind 127.0.0.1:$proxy->{http}/;
    $text =~ s/bind :443/bind 127.0.0.1:$proxy->{https}/;
    $text =~ s/bind :8443/bind 127.0.0.1:$proxy->{tcp}/;
    $text =~ s/127\.0\.0\.1:8080/127.0.0.1:$gateway->{http_port}/;
    $text =~ s/127\.0\.0\.1:8082/127.0.0.1:$gateway->{proxy_port}/;
    spew("$proxy->{dir}/haproxy.cfg", $text);
    return ('haproxy', '-db', '-f', "$proxy->{dir}/haproxy.cfg");
}

sub apache {
    my ($proxy, $gateway, $text) = @_;
    my $dir = $proxy->{dir};
    my $modules = join "\n", map { "LoadModule ${_}_module /usr/lib/apache2/modules/mod_$_.so" }
        qw(mpm_event authz_core proxy proxy_http headers ssl http2 socache_shmcb);
    $text =~ s/127\.0\.0\.1:8080/127.0.0.1:$gateway->{http_port}/g;
    $text =~ s/\*:80\b/127.0.0.1:$proxy->{http}/;
    $text =~ s/\*:443/127.0.0.1:$proxy->{https}/;
    my $as = $> == 0 ? "User $user\nGroup $group" : '';
    spew("$dir/apache.conf", <<"CONF");
ServerRoot $dir
$modules
$as
PidFile $dir/pid
DefaultRuntimeDir $dir
ErrorLog $dir/error.log
Listen 127.0.0.1:$proxy->{http}
Listen 127.0.0.1:$proxy->{https}
$text
CONF
    return ('apache2', '-DFOREGROUND', '-f', "$dir/apache.conf");
}

sub caddy {
    my ($proxy, $gateway, $text) = @_;
    $text =~ s/127\.0\.0\.1:8080/127.0.0.1:$gateway->{http_port}/;
    $text =~ s{http://forms\.example}{http://forms.example:$proxy->{http}};
    $text =~ s{https://forms\.example}{https://forms.example:$proxy->{https}};
    spew("$proxy->{dir}/Caddyfile", "{\n\tadmin off\n\tauto_https disable_redirects\n\tdefault_bind 127.0.0.1\n}\n$text");
    return ('caddy', 'run', '--adapter', 'caddyfile', '--config', "$proxy->{dir}/Caddyfile");
}

my %kinds = (
    nginx => [\&nginx, 'nginx.conf'], haproxy => [\&haproxy, 'haproxy.cfg'],
    apache => [\&apache, 'apache.conf'], caddy => [\&caddy, 'Caddyfile'],
);

# ---- running ------------------------------------------------------------------------

sub listens {
    my ($port) = @_;
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 5);
}

# Undef when a port was taken meanwhile by somebody else.
sub try_proxy {
    my ($gateway, $kind, %with) = @_;
    my ($write, $file) = @{ $kinds{$kind} };
    my %proxy = (kind => $kind, dir => $gateway->dir . "/$kind", %with);
    make_path($proxy{dir});
    @proxy{qw(http https tcp)} = free_ports(3);
    my $text = slurp(top() . "/conf/$file");
    my $certificate = $gateway->dir . '/forms.pem';
    $text =~ s{\S+/forms\.example\.key}{$certificate.key}g;
    $text =~ s{\S+/forms\.example\.pem}{$certificate}g;
    my @command = $write->(\%proxy, $gateway, $text);
    my $pid = fork;
    die "fork: $!\n" unless defined $pid;
    if (!$pid) {
        setpgrp;
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$proxy{dir}/out";
        open STDERR, '>&', \*STDOUT;
        @ENV{qw(HOME XDG_DATA_HOME XDG_CONFIG_HOME)} = ($proxy{dir}) x 3;
        $ENV{PATH} .= ':/usr/sbin:/sbin';
        exec @command or POSIX::_exit(127);
    }
    $proxy{pid} = $pid;
    push @running, $pid;
    my @ports = ($proxy{http}, $proxy{https}, $kind eq 'haproxy' ? $proxy{tcp} : ());
    my $ended;
    wait_until {
        $ended = waitpid($pid, WNOHANG) == $pid;
        $ended || @ports == grep { listens($_) } @ports;
    } "$kind listens";
    return \%proxy unless $ended;
    @running = grep { $_ != $pid } @running;
    diag(slurp("$proxy{dir}/out") . slurp("$proxy{dir}/error.log"));
    return undef;
}

# A proxy before the gateway: { http, https, tcp } are its ports. `unix` has nginx
# come by the unix socket.
sub start_proxy {
    my ($gateway, $kind, %with) = @_;
    for (1 .. 3) {
        my $proxy = try_proxy($gateway, $kind, %with);
        return $proxy if $proxy;
    }
    die "$kind does not start\n";
}

sub stop_proxy {
    my ($proxy) = @_;
    kill 'TERM', $proxy->{pid};
    wait_until { waitpid($proxy->{pid}, WNOHANG) == $proxy->{pid} } "$proxy->{kind} has ended";
    kill 'KILL', -$proxy->{pid}; # workers that linger
    @running = grep { $_ != $proxy->{pid} } @running;
}

END {
    my $status = $?;
    kill 'KILL', -$_ for @running;
    $? = $status;
}

1;
