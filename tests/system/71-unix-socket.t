# Listeners on unix sockets: the file, who may connect, who is believed, and
# what a crash or a reload leaves.
use strict;
use warnings;

use IO::Socket::UNIX;
use LeadgateTest;
use Test::More;

my $me = getpwuid $>;
my $config = <<"YAML";
listen:
  - { address: "unix:\@DIR\@/plain.sock", socket_mode: "0600" }
  - { address: "unix:\@DIR\@/proxy.sock", trusted_users: [$me] }
  - { address: "unix:\@DIR\@/header.sock", trusted_users: ["*"], proxy_protocol: any, trusted_proxies: [192.0.2.0/24] }
  - { address: "127.0.0.1:0" }
admin: { address: "127.0.0.1:0" }
http: { max_connections_per_address: 2 }
store: { path: "\@DIR\@/store.db" }
sources: { contact-form: { plugin: webform, path: /f/contact, auth: none } }
sinks: { archive: { plugin: file, path: "\@DIR\@/leads.ndjson" } }
YAML
my $gateway = LeadgateTest->new(config => $config)->start;
my $dir = $gateway->dir;

sub dial {
    my ($name) = @_;
    return IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => "$dir/$name.sock");
}

sub mode { return sprintf '%04o', (stat "$dir/$_[0].sock")[2] & 0777 }

my $number = 0;
sub takes {
    my ($socket, $ip, $what, $before, %headers) = @_;
    my $email = 'p' . ++$number . '@example.com';
    syswrite $socket, $before . form_request('/f/contact', [email => $email], %headers);
    my $answer = read_answer($socket);
    is($answer && $answer->{status}, 202, $what);
    my $event;
    wait_until {
        ($event) = grep { ($_->{lead}{person}{email} || '') eq $email } $gateway->events;
    } "$email has arrived";
    is($event->{lead}{client}{ip}, $ip, '… from ' . ($ip || 'nobody known'));
}

ok(-S "$dir/$_.sock", "$_.sock is there") for qw(plain proxy header);
is(mode('plain'), '0600', 'with the mode that was asked for');
is(mode('proxy'), '0660', '… or nothing for others');

takes(dial('plain'), undef, 'a lead through a unix socket', '');
takes(dial('proxy'), '198.51.100.7', 'a lead of a proxy whose user is trusted', '',
    'X-Forwarded-For' => '203.0.113.66, 198.51.100.7');
takes(dial('proxy'), undef, 'a proxy that says nothing of its client', '');
takes(dial('header'), '198.51.100.8', 'a PROXY header through a unix socket',
    "PROXY TCP4 198.51.100.8 127.0.0.1 1 2\r\n", 'X-Forwarded-For' => '203.0.113.66');
takes(dial('header'), '203.0.113.66', '… of a trusted proxy before it',
    "PROXY TCP4 192.0.2.8 127.0.0.1 1 2\r\n", 'X-Forwarded-For' => '203.0.113.66');
takes(dial('header'), undef, '… of nobody', "PROXY UNKNOWN\r\n", 'X-Forwarded-For' => '203.0.113.66');

# Who is not believed is pointed out once.
takes(dial('plain'), undef, 'a forged header', '', 'X-Forwarded-For' => '203.0.113.1') for 1 .. 2;
is(scalar(() = $gateway->log =~ /event=forwarded\.ignored listener=unix:\S+ peer=unix hint="[^"]*trusted_users/g), 1,
    'a header of an untrusted user is named in the log, once');
is($gateway->post('/f/contact', [email => "tcp$_\@example.com"], Forwarded => 'for=203.0.113.2')->{status}, 202,
    'a lead over TCP with a forged header') for 1 .. 2;
is(scalar(() = $gateway->log =~ /event=forwarded\.ignored listener=127\S+ peer=127\.0\.0\.1 hint="[^"]*trusted_proxies/g), 1,
    'a header of an untrusted private address is, too');
$gateway->announce(qr/event=forwarded\.ignored/);
ok(!grep({ ($_->{lead}{client}{ip} || '') =~ /^203\.0\.113\.[12]$/ } $gateway->wait_events($number + 2)),
    'and none is believed');

# The bound per address does not count who has none.
my @many = map { dial('plain') } 1 .. 10;
takes($_, undef, 'one of many connections', '') for @many[0, 9];

# Connections outlive a reload that changes the file's mode; a listener that is
# removed takes its file along.
my $kept = $many[4];
$gateway->configure($config =~ s/"0600"/"0666"/r =~ s/^.*header\.sock.*\n//mr);
my ($status, $out) = $gateway->command('reload');
is($status, 0, 'a reload') or diag($out);
is(mode('plain'), '0666', 'gives the file its new mode');
ok(!-e "$dir/header.sock" && !-e "$dir/header.sock.lock", 'what was removed is gone with its lock');
takes($kept, undef, 'a connection of before is served', '');
takes(dial('plain'), undef, '… and a new one', '');
is(dial('header'), undef, 'nobody answers at the removed one');
$gateway->configure($config);
is(($gateway->command('reload'))[0], 0, 'a reload that brings it back');
takes(dial('header'), '198.51.100.8', '… and it answers again', "PROXY TCP4 198.51.100.8 127.0.0.1 1 2\r\n");

# A file that somebody removes is made again, with the lock where that has gone too; what
# stands in its place is not removed, and waited for.
$gateway->announce(qr/event=listener\.(made-again|lost)/);
takes(my $before = dial('plain'), undef, 'a connection', '');
unlink "$dir/plain.sock", "$dir/plain.sock.lock";
wait_until { -S "$dir/plain.sock" && dial('plain') } 'a removed file is made again';
takes(dial('plain'), undef, 'leads go through it', '');
takes($before, undef, 'and through the connection of before', '');
is(mode('plain'), '0600', 'with the mode that was asked for');
ok(-e "$dir/plain.sock.lock", 'and with its lock');
# In one step: the gateway may look at any moment, and would make it again.
spew("$dir/other", "somebody's");
rename "$dir/other", "$dir/plain.sock" or die "rename: $!\n";
wait_until { $gateway->log =~ /event=listener\.lost path=\S+plain\.sock reason="[^"]*is no socket/ } 'a file in the way is told';
is(slurp("$dir/plain.sock"), "somebody's", 'and left alone');
unlink "$dir/plain.sock";
wait_until { dial('plain') } 'when it is gone, the gateway listens again';

# A second gateway leaves the socket alone.
my $second = LeadgateTest->new(config => $config =~ s/\@DIR\@\/(\w+)\.sock/$dir\/$1.sock/gr);
$second->announce(qr/./)->launch;
is($second->wait_end, 1, 'a second gateway on the same sockets does not start');
like($second->log, qr/cannot listen on \S+plain\.sock: another listener does/, '… and says why');
takes(dial('plain'), undef, 'the first is not harmed', '');
close $_ for @many;

# A killed one leaves its files; the next one is not kept from starting.
is($gateway->kill_hard, 'signal 9', 'killed');
ok(-S "$dir/plain.sock", 'its file stays');
is(dial('plain'), undef, 'and nobody answers');
$gateway->start;
takes(dial('plain'), undef, 'the next one answers', '');
is($gateway->stop, 0, 'stopped in order');
ok(!-e "$dir/$_.sock" && !-e "$dir/$_.sock.lock", "$_.sock and its lock are gone") for qw(plain proxy header);

# What is no socket is nobody's to remove.
spew("$dir/plain.sock", "somebody's");
$gateway->announce(qr/event=gateway\.failed/)->launch;
is($gateway->wait_end, 1, 'a file in the way is an error');
is(slurp("$dir/plain.sock"), "somebody's", '… and stays as it was');
unlink "$dir/plain.sock";
delete $gateway->{pid};
$_->finish for $second, $gateway;
done_testing;
