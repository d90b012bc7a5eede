# A source's plugin that does not return from an errand: the alert names it, leads are
# taken and delivered meanwhile, and a stop has its time limit; nothing is lost.
use strict;
use warnings;

use JSON::PP;
use LeadgateTest;
use Test::More;
use Vendor;

$ENV{LEADGATE_TEST_PLUGINS} ||= ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/plugin';

# A process that gives a hanging plugin up leaves its thread behind.
$ENV{TSAN_OPTIONS} = join ':', grep { $_ } $ENV{TSAN_OPTIONS}, 'report_thread_leaks=0';

my $gateway = LeadgateTest->new(config => '');
my $dir = $gateway->dir;
my $vendor = Vendor->new($dir);

sub configure {
    my ($shutdown) = @_;
    return $gateway->configure(<<"YAML");
core: { loops: 2, shutdown: $shutdown }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store.db" }
sources:
  form: { plugin: webform, path: /form, auth: none }
  ads: { plugin: claimer, path: /ads, auth: none, url: "@{[$vendor->url]}", allow_private: true, timeout: 10s, retry_first: 5ms }
  stuck: { plugin: claimer, path: /stuck, auth: none, url: "@{[$vendor->url]}", allow_private: true, timeout: 50ms, retry_first: 5ms }
sinks:
  archive: { plugin: file, path: "\@DIR\@/leads.ndjson" }
YAML
}
sub order { my ($path, $body) = @_; return $gateway->exchange("POST $path HTTP/1.1\r\nHost: x\r\nContent-Length: " . length($body) . "\r\n\r\n$body")->{body} }
sub leads { return map { $_->{lead}{person}{email} } $gateway->events }
sub wait_lead { my ($email) = @_; wait_until { grep { $_ eq $email } leads() } "the lead of $email is there"; return }
sub wait_hang { wait_until { $gateway->admin('/readyz')->{content} =~ /"kind":"claims","name":"stuck".*"its plugin does not return/ } 'readiness names who hangs'; return }

$vendor->answer('/claim/one' => [{ body => { leads => ['one@example.com'], hang => "$dir/go-1" } }],
    '/claim/two' => [{ body => { leads => ['two@example.com'] } }],
    '/claim/three' => [{ body => { leads => ['three@example.com'], hang => "$dir/go-2" } }]);
$gateway->announce(qr/kind=claims name=stuck/, qr/event=source\.hangs source=stuck/, qr/event=plugin\.slow source=stuck/);
configure('20s')->start;

# ---- meanwhile -------------------------------------------------------------------------

is(order('/stuck', "claim one\n"), 'accepted ', 'a claim whose errand will hang');
wait_hang();
unlike($gateway->admin('/readyz')->{content}, qr/"name":"ads"/, '… and nobody else');
like($gateway->log, qr/kind=claims name=stuck .*its plugin does not return from an errand/, 'so does the log');
is(order('/ads', "claim two\n"), 'accepted ', 'claims are taken meanwhile');
is($gateway->post('/form', [email => 'form@example.com'])->{status}, 202, 'and leads');
wait_lead('form@example.com');
ok(!(grep { $_ eq 'two@example.com' } leads()), 'errands of others wait');
spew("$dir/go-1", '');
wait_lead($_) for qw(one@example.com two@example.com);
wait_until { $gateway->admin('/readyz')->{content} !~ /alerts/ } 'when it returns the alert is over';

# ---- a stop ---------------------------------------------------------------------------------

is($gateway->allow_calls(1, 8)->stop, 0, 'a stop');
configure('2s')->start;
order('/stuck', "claim three\n");
wait_hang();
is($gateway->post('/form', [email => 'last@example.com'])->{status}, 202, 'a lead before the stop');
$gateway->signal('TERM');
is($gateway->wait_end, 0, 'the process ends though a plugin hangs');
$gateway->read_log;
like($gateway->log, qr/level=warning event=source\.hangs source=stuck /, 'the log names it');
unlike($gateway->log, qr/event=sink\.hangs/, 'and the sinks had their time');

# ---- a second signal -------------------------------------------------------------------------

configure('600s')->start;
wait_hang();
wait_lead('last@example.com'); # which the stop may have left to this start
$gateway->signal('TERM');
wait_until { $gateway->log =~ /event=gateway\.draining/ } 'the stop has begun';
$gateway->signal('TERM');
is($gateway->wait_end, 0, 'a second signal ends the waiting, with minutes left');
$gateway->read_log;

spew("$dir/go-2", '');
$gateway->start;
wait_lead('three@example.com');
is(($gateway->command('balance'))[0], 0, 'nothing is lost: the balance closes');
$gateway->allow_calls(1, 8)->finish;
$vendor->stop;
done_testing;
