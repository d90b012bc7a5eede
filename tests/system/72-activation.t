# Sockets that the process is started with, as by systemd: they are taken by
# name or by address, and whoever waits there is served by the next process.
use strict;
use warnings;

use File::Temp qw(tempdir);
use IO::Socket::INET;
use IO::Socket::UNIX;
use LeadgateTest;
use Test::More;

my $place = tempdir(CLEANUP => 1);
sub listening { return IO::Socket::INET->new(Listen => 16, LocalAddr => '127.0.0.1', LocalPort => 0) || die $! }
my ($named, $addressed, $idle) = map { listening() } 1 .. 3;
my $unix = IO::Socket::UNIX->new(Listen => 16, Local => "$place/s") || die $!;
my @ports = map { $_->sockport } $named, $addressed, $idle;

my $config = <<"YAML";
listen:
  - { address: "systemd:web", trusted_proxies: [127.0.0.0/8] }
  - { address: "127.0.0.1:$ports[1]" }
  - { address: "unix:$place/s" }
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store.db" }
sources: { contact-form: { plugin: webform, path: /f/contact, auth: none } }
sinks: { archive: { plugin: file, path: "\@DIR\@/leads.ndjson" } }
YAML
my @sockets = (web => $named, other => $addressed, 'unix.socket' => $unix, spare => $idle);
my $gateway = LeadgateTest->new(config => $config);
$gateway->announce(qr/event=socket\.idle name=spare/)->start(sockets => \@sockets);

my $sent = 0;
sub request { return form_request('/f/contact', [email => 'p' . ++$sent . '@example.com'], @_) }
sub dial { return $_[0] =~ /\D/ ? IO::Socket::UNIX->new(Peer => $_[0]) : $gateway->connect($_[0]) }
sub takes {
    my ($place, $what) = @_;
    my $socket = dial($place);
    syswrite $socket, request();
    my $answer = read_answer($socket);
    is($answer && $answer->{status}, 202, $what);
    return $socket;
}

my @places = (@ports[0, 1], "$place/s");
takes($places[0], 'a socket that is taken by its name');
takes($places[1], 'a socket that is taken by its address');
takes($places[2], 'a unix socket that is taken by its path');
like($gateway->log, qr/event=socket\.idle name=spare/, 'a socket that no entry takes is named in the log');
my $environment = slurp('/proc/' . $gateway->pid . '/environ');
like($environment, qr/LISTEN_FDS=4/, 'it was started with four');

# A reload keeps them, also when terms change, and gives up what is not wanted.
my $kept = takes($places[0], 'a connection of before the reload');
$gateway->configure($config =~ s/, trusted_proxies: \[.*?\]//r =~ s/^.*unix:.*\n//mr);
is(($gateway->command('reload'))[0], 0, 'a reload with other terms, and without the unix socket');
syswrite $kept, request();
is(read_answer($kept)->{status}, 202, 'the connection is served to its end');
takes($places[$_], 'the socket is ours as before') for 0, 1;
my $waiting = dial($places[2]);
syswrite $waiting, request();
ok(-S "$place/s", 'the unix socket stays where it is');
$gateway->announce(qr/event=socket\.idle name=unix\.socket/);
$gateway->configure($config);
is(($gateway->command('reload'))[0], 0, 'a reload that wants it again');
is(read_answer($waiting)->{status}, 202, '… serves who waited there');
takes($places[2], '… and others');
close $_ for $kept, $waiting;

# Restarts: who connects while nobody runs is served by the next one.
for my $round (1 .. 3) {
    is($gateway->stop, 0, "stopped, round $round");
    ok(-S "$place/s", 'the unix socket stays');
    my @waiting = map { dial($_) } @places;
    syswrite $_, request() for @waiting;
    $gateway->start(sockets => \@sockets);
    is(read_answer($_)->{status}, 202, 'who waited is answered') for @waiting;
}
is(scalar($gateway->wait_events($sent)), $sent, 'every lead has arrived once');

# A name that the process was not started with.
$gateway->stop;
$gateway->announce(qr/./)->configure($config =~ s/systemd:web/systemd:nobody/r)->launch(sockets => \@sockets);
is($gateway->wait_end, 1, 'a name that is not there is an error');
like($gateway->log, qr/cannot listen on systemd:nobody: the process was started with no such socket/, '… that is named');
$gateway->finish;
done_testing;
