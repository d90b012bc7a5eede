# sinks: how each lane stands while it runs, what the journal alone knows, and
# sinks that were removed from the configuration.
use strict;
use warnings;

use JSON::PP;
use LeadgateTest;
use Test::More;

$ENV{LEADGATE_TEST_PLUGINS} ||= ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/plugin';

my $gateway = LeadgateTest->new(config => <<'YAML');
core: { loops: 1, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "@DIR@/store.db" }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
  archive: { plugin: file, path: "@DIR@/leads.ndjson" }
  shut: { plugin: failing_sink, script: "@DIR@/shut", retry_first: 1h, retry_max: 1h }
  slow: { plugin: failing_sink, script: "@DIR@/slow", timeout: 1h }
YAML
my $dir = $gateway->dir;
spew("$dir/shut", "park\n");
spew("$dir/slow", "never\n");
$gateway->announce(qr/level=warning/)->start;

sub sinks {
    my ($status, $out, $err) = $gateway->command('sinks', '--json');
    die "sinks: $status\n$out$err" if $status ne '0';
    return { map { my $sink = decode_json($_); ($sink->{name} => $sink) } split /\n/, $out };
}

my $time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
$gateway->post('/f/contact', [email => "p$_\@example.com"]) for 1 .. 3;
my $sinks;
wait_until {
    $sinks = sinks();
    $sinks->{archive}{delivered} == 3 && $sinks->{shut}{state} eq 'parked' && $sinks->{slow}{in_flight};
} 'the lanes have tried';
is($sinks->{archive}{state}, 'running', 'a sink that works');
ok(!exists $sinks->{archive}{reason}, '… without a reason');
is($sinks->{archive}{pending}, 0, '… and nothing waits');
ok(!exists $sinks->{archive}{oldest_pending}, '… nor has an age');
is($sinks->{shut}{state}, 'parked', 'a sink that is parked');
is($sinks->{shut}{reason}, 'told to', '… says why');
like($sinks->{shut}{since}, $time, '… since when');
like($sinks->{shut}{next_attempt}, $time, '… and when it is tried again');
is($sinks->{slow}{pending}, 3, 'a sink that hangs has all waiting');
like($sinks->{slow}{oldest_pending}, $time, '… since a time');
cmp_ok($sinks->{slow}{oldest_pending_age_ms}, '>=', 0, '… which is an age');
ok($_->{configured}, "$_->{name} is configured") for values %$sinks;

my ($status, $out) = $gateway->command('sinks');
is($status, 0, 'sinks as text');
like($out, qr/^archive +file +running +3 of 3 +delivered 3/m, '… one that works');
like($out, qr/^shut +\S+ +parked .*, next attempt \S+Z \(told to\)$/m, '… one that is parked');
like($out, qr/^slow +\S+ +\w+ +0 of 3 +pending 3, oldest waits \d+m?s, in flight 1/m, '… one that hangs');

# Paused, then without a gateway, then removed.
is(($gateway->command('pause', 'archive', 'they move'))[0], 0, 'one is paused');
wait_until { sinks()->{archive}{state} eq 'paused' } 'its lane has heard';
is(sinks()->{archive}{reason}, 'they move', '… and says why');
spew("$dir/slow", "deliver\n");
$gateway->kill_hard;
$sinks = sinks();
is($sinks->{archive}{state}, 'paused', 'without a gateway the pause is known');
is($sinks->{archive}{reason}, 'they move', '… with its reason');
is($sinks->{shut}{state}, 'stopped', 'others are stopped');
ok(!exists $sinks->{shut}{in_flight}, '… and have nothing in flight');
my $config = slurp($gateway->config);
$config =~ s/^  archive:.*\n//m;
$gateway->configure($config);
$sinks = sinks();
is($sinks->{archive}{state}, 'removed', 'a sink that is not configured is listed');
ok(!$sinks->{archive}{configured}, '… as such');
like($sinks->{archive}{reason}, qr/forget/, '… with what to do');
is($sinks->{archive}{delivered}, 3, '… and what it had');
is(($gateway->command('forget', 'archive'))[0], 0, 'it can be forgotten');
is_deeply([sort keys %{ sinks() }], ['shut', 'slow'], '… and is listed no more');

$gateway->start->finish;
done_testing;
