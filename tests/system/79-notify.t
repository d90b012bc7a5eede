# What the service manager hears: ready, reloading, stopping, status, and that the
# gateway is alive as long as it is.
use strict;
use warnings;

use File::Basename qw(dirname);
use IO::Select;
use IO::Socket::UNIX;
use LeadgateTest;
use Socket qw(SOCK_DGRAM);
use Test::More;

$ENV{LEADGATE_TEST_PLUGINS} = ($ENV{LG_BUILDDIR} || '.') . '/tests/plugin';

my $gateway = LeadgateTest->new(config => <<'YAML');
core: { loops: 1, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "@DIR@/store.db", max_wait: 60s }
http: { drain_grace: 0s }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
  odd: { plugin: failing_source, path: /odd, auth: none }
sinks:
  archive: { plugin: file, path: "@DIR@/leads.ndjson" }
YAML

my $path = $gateway->dir . '/notify';
my $manager = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $path) or die "$path: $!\n";
my @heard;

# Takes what has come; each word is a hash of its lines.
sub listen_in {
    while (IO::Select->new($manager)->can_read(0)) {
        my $word = '';
        recv $manager, $word, 4096, 0;
        push @heard, { map { /^([A-Z_]+)=(.*)$/ ? ($1 => $2) : () } split /\n/, $word };
    }
    return @heard;
}

sub hear {
    my ($name, $value) = @_;
    my $found;
    wait_until {
        ($found) = grep { defined $_->{$name} && (!defined $value || $_->{$name} =~ $value) } listen_in();
        $found;
    } "the manager hears $name";
    return $found;
}

sub forget { listen_in(); @heard = (); return }

# ---- ready, reloading, stopping ----------------------------------------------------------
$gateway->start(env => { NOTIFY_SOCKET => $path });
is(hear('READY')->{READY}, 1, 'it is told when leads are taken');
like(hear('READY')->{STATUS}, qr/taking leads/, 'with a status for people');
ok(!(grep { $_->{WATCHDOG} } @heard), 'it does not hear what it did not ask for');

forget();
is(($gateway->command('reload'))[0], 0, 'a reload');
my $reloading = hear('RELOADING');
is($reloading->{RELOADING}, 1, 'is announced');
cmp_ok($reloading->{MONOTONIC_USEC}, '>', 0, 'with its time');
hear('READY');
ok((grep { $_->{READY} } @heard), 'and its end');

my $good = slurp($gateway->config);
spew($gateway->config, "$good\nnonsense: 1\n");
forget();
$gateway->announce(qr/event=reload\.failed/);
is(($gateway->command('reload'))[0], 78, 'a reload that fails');
hear('RELOADING');
ok(hear('READY'), 'ends as well');
spew($gateway->config, $good);

# ---- a start that waits --------------------------------------------------------------------
my $second = LeadgateTest->new(dir => $gateway->dir, config => $good);
$second->{log_count} = 100;
forget();
$second->launch(env => { NOTIFY_SOCKET => $path });
like(hear('STATUS', qr/waiting/)->{STATUS}, qr/another gateway/, 'a start that waits says for what');
cmp_ok(hear('EXTEND_TIMEOUT_USEC')->{EXTEND_TIMEOUT_USEC}, '>=', 10e6, 'and asks for time');
ok(!(grep { $_->{READY} } @heard), 'and is not ready');

forget();
delete $gateway->{descriptors};
$gateway->signal('TERM');
my $stopping = hear('STOPPING');
is($stopping->{STOPPING}, 1, 'a stop is announced');
cmp_ok($stopping->{EXTEND_TIMEOUT_USEC}, '>=', 20e6, 'with the time that it may take');
is($gateway->wait_end, 0, 'and done');
$gateway->read_log;
hear('READY');
pass('then the one that waited is ready');
$second->wait_ready;
$second->signal('TERM');
is($second->wait_end, 0, 'and ends');

# ---- alive, as long as no loop is stuck -----------------------------------------------------
forget();
$gateway->start(env => { NOTIFY_SOCKET => $path, WATCHDOG_USEC => 1_200_000 });
hear('WATCHDOG') for 1 .. 2;
forget();
hear('WATCHDOG');
pass('a manager that asks hears again and again that it is alive');
$gateway->announce(qr/event=watchdog\.silent/);
sub order_sleep {
    my ($ms) = @_;
    my $socket = $gateway->connect;
    my $order = "sleep $ms\nlead sleepy$ms\@example.com\n";
    syswrite $socket, "POST /odd HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: "
        . length($order) . "\r\n\r\n$order";
    return $socket;
}
sub named { return scalar(() = $gateway->log =~ /event=watchdog\.silent thread=loop-0 /g) }

# Again where the main thread was kept from looking while the loop slept.
my $named = named();
wait_until {
    my $odd = order_sleep(1500);
    is(read_answer($odd)->{status}, 200, 'a loop that was stuck goes on');
    named() > $named;
} 'a loop that is stuck is named';
forget();
hear('WATCHDOG');
pass('then the manager hears it again');

$named = named();
my $stuck = order_sleep(3_600_000);
wait_until { named() > $named } 'it is named again';
# A last word may be on its way still.
wait_until { forget(); sleep 3; !grep { $_->{WATCHDOG} } listen_in() } 'the manager hears nothing';
pass('while it is stuck the manager hears nothing, and may start us anew');
is($gateway->admin('/healthz')->{status}, 200, 'though the main thread is well');
is($gateway->kill_hard, 'signal 9', 'so it does');

$gateway->finish;
done_testing;
