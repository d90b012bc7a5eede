# Plugins that do what a plugin can do wrong: others go on, nothing is lost, and
# the log says who it was.
use strict;
use warnings;

use JSON::PP;
use LeadgateTest;
use Test::More;
use Time::HiRes qw(time);

$ENV{LEADGATE_TEST_PLUGINS} ||= ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/plugin';

my $config = <<'YAML';
core: { loops: 1, shutdown: 2s, slow_call: 20ms }
listen: { address: "127.0.0.1:0" }
admin: { address: "127.0.0.1:0" }
store: { path: "@DIR@/store.db" }
sources:
  odd: { plugin: failing_source, path: /odd, auth: none }
sinks:
  archive: { plugin: file, path: "@DIR@/leads.ndjson" }
  bad: { plugin: failing_sink, script: "@DIR@/script", log: "@DIR@/bad.log", timeout: 300ms,
         retry_first: 20ms, retry_max: 100ms }
YAML
my $gateway = LeadgateTest->new(config => $config);
spew($gateway->dir . '/script', "deliver\n");
$gateway->start;

sub odd {
    my ($body) = @_;
    return $gateway->exchange("POST /odd HTTP/1.1\r\nHost: x\r\nContent-Length: " . length($body) . "\r\n\r\n$body");
}
sub delivered_badly { my @seqs = slurp($gateway->dir . "/bad.log") =~ /^(\d+) /mg; return @seqs }

# Sources.
is(odd("lead a\@example.com\n")->{status} < 300, 1, 'a lead is accepted');
is(odd("refuse 403\n")->{status}, 403, 'a plugin may refuse');
$gateway->announce(qr/event=plugin\.(failed|slow|reply-failed)/);
is(odd("lead b\@example.com\nfail\n")->{status}, 500, 'a plugin that fails without a word: 500');
is(odd("strange\n")->{status}, 500, 'a plugin that returns nonsense: 500');
is(odd("empty\n")->{status}, 422, 'a lead that nobody can reach: 422');
my $mixed = odd("quiet\nlead c\@example.com\nempty\n");
is($mixed->{status}, 202, 'a bad item is refused alone');
my $body = decode_json($mixed->{body});
is_deeply([map { $_->{status} } @{ $body->{results} }], ['accepted', 'refused'], 'and each is told')
    or diag($mixed->{body});
is(odd("sleep 60\nlead d\@example.com\n")->{status} < 300, 1, 'a slow plugin answers in the end');
wait_until { $gateway->log =~ /event=plugin\.slow source=odd call=receive us=\d+/ } 'the log names it';
# Not how often: the machine may stop the others' calls for as long.
like($gateway->admin('/metrics')->{content}, qr/^leadgate_source_slow_calls_total\{source="odd"\} [1-9]\d*$/m, 'it is counted');
my @events = $gateway->wait_events(3);
is_deeply([map { $_->{lead}{person}{email} } @events], ['a@example.com', 'c@example.com', 'd@example.com'],
    'what was refused is not stored');
wait_until { delivered_badly() == 3 } 'the other sink has them too';

# A sink that hangs does not keep the gateway from ending.
spew($gateway->dir . '/script', "hang 60000\n");
odd("lead last\@example.com\n");
my $number = $gateway->wait_events(4);
wait_until { my ($bad) = grep { $_->{name} eq 'bad' } @{ decode_json($gateway->admin('/sinks')->{content})->{sinks} };
    $bad->{in_flight} > 0 } 'the bad sink has it';
my $started = time;
$gateway->announce(qr/event=sink\.hangs/);
is($gateway->stop, 0, 'the gateway ends beside a sink that hangs');
cmp_ok(time - $started, '<', 20, 'within its limit');
like($gateway->log, qr/event=sink\.hangs sink=bad/, 'and the log names the sink');

# Nothing was lost: the next start delivers it.
spew($gateway->dir . '/script', "deliver\n");
$gateway->start;
wait_until { my %seen = map { $_ => 1 } delivered_badly(); $seen{$number} } 'the last lead is delivered after the restart';
pass('the last lead is delivered after the restart');
$gateway->stop;

# What fails at the start.
for my $case (
    ['check', 'fail_check: true', qr/fail_check is set/],
    ['open', 'fail_open: true', qr/fail_open is set/],
) {
    my ($what, $option, $says) = @$case;
    my $broken = LeadgateTest->new(config => $config =~ s/path: \/odd/path: \/odd, $option/r);
    $broken->launch;
    is($broken->wait_end, 78, "a source that refuses in $what: 78");
    like($broken->log, $says, 'with its words');
    like($broken->log, qr/^\Q@{[ $broken->config ]}\E:\d+:\d+: error: /m, 'at its place');
    $broken->finish;
}
$gateway->finish;
done_testing;
