# A reload and sinks that are in trouble: nobody waits for them, nothing is lost.
use strict;
use warnings;

use Destination;
use File::Temp qw(tempdir);
use LeadgateTest;
use Test::More;

$ENV{LEADGATE_TEST_PLUGINS} ||= ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/plugin';

my $shutdown = '20s';
sub config {
    my (@sinks) = @_;
    my $sinks = join '', map { "  $_\n" } @sinks;
    return <<"YAML";
core: { loops: 2, shutdown: $shutdown }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store.db" }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
$sinks
YAML
}
sub hanging {
    my ($options) = @_;
    return qq(crm: { plugin: failing_sink, script: "\@DIR\@/script", log: "\@DIR\@/log", timeout: 50ms, retry_first: 10ms, retry_max: 20ms$options });
}
my $archive = 'archive: { plugin: file, path: "@DIR@/leads.ndjson" }';

my $gateway = LeadgateTest->new(config => config($archive, hanging('')));
my $dir = $gateway->dir;
my $last = 0;
sub post { is($gateway->post('/f/contact', [email => 'person' . ++$last . '@example.com'])->{status}, 202, "lead $last") }
sub delivered { return [grep { $_ } map { (split)[0] } slurp("$dir/log") =~ /(.+)\n/g] }
sub script { spew("$dir/script.new", $_[0]); rename "$dir/script.new", "$dir/script" or die $! }
sub state { return $gateway->admin('/sinks')->{content} =~ /"name":"crm".*?"state":"(\w+)"/ ? $1 : 'none' }

# ---- a sink that is dead ------------------------------------------------------------

script("retry\n");
$gateway->announce(qr/event=sink\.waiting sink=crm/)->start;
post();
wait_until { state() eq 'waiting' } 'the sink is in trouble';
my ($status, $out) = $gateway->command('reload', '--wait');
is($status, 0, 'a reload beside a sink that is dead');
like($out, qr/^kept +sink +crm$/m, 'whose lane is kept');
$gateway->configure(config($archive, hanging(', batch_events: 7')));
($status, $out) = $gateway->command('reload', '--wait');
is($status, 0, 'its section changes');
like($out, qr/^changed +sink +crm$/m, 'and the plan says so');
post();
script("deliver\n");
wait_until { @{ delivered() } == 2 } 'it gets well';
is_deeply([sort @{ delivered() }], [1, 2], 'and has all, once');

# ---- a sink that hangs in its plugin -------------------------------------------------

$gateway->announce(qr/event=sink\.hangs sink=crm/);
script("hold\n");
post();
wait_until { slurp("$dir/log") =~ /^0 hold$/m } 'it hangs';
$shutdown = '300ms';
$gateway->configure(config($archive, hanging(', batch_events: 8')));
($status, $out) = $gateway->command('reload');
is($status, 0, 'a reload does not wait for it');
like($out, qr/^changed +sink +crm$/m, 'its section changes');
post();
my $err;
($status, $out, $err) = $gateway->command('reload', '--wait');
is($status, 1, 'a reload that waits gives up at its limit');
like($err, qr/the lane of sink crm has not ended yet/, 'and says for whom');
wait_until { $gateway->log =~ /event=sink\.hangs sink=crm/ } 'the log names it';
is(state(), 'stopping', 'it is shown as stopping');
$gateway->wait_events($last);
is_deeply([sort @{ delivered() }], [1, 2], 'nothing is delivered beside it');
is((() = slurp("$dir/log") =~ /^0 hold$/mg), 1, 'nobody else calls its plugin');

# Gone and there again while it still hangs: then it goes on where it was.
$shutdown = '20s';
$gateway->configure(config($archive));
is(($gateway->command('reload'))[0], 0, 'it is removed');
post();
$gateway->configure(config($archive, hanging(', batch_events: 9')));
is(($gateway->command('reload'))[0], 0, 'and comes back');
$gateway->wait_events($last);
is_deeply([sort @{ delivered() }], [1, 2], 'still nothing');
script("deliver\n");
my %seen;
wait_until { %seen = map { $_ => 1 } @{ delivered() }; keys %seen == $last } 'it returns, its successor delivers the rest';
is(($gateway->command('reload', '--wait'))[0], 0, 'nothing of the old generation is left');
is_deeply([map { $_->{seq} } $gateway->events], [1 .. $last], 'the other sink had all, once, in order');

# ---- a plugin that is not there ------------------------------------------------------

$gateway->announce(qr/event=reload\.failed/);
$gateway->configure(config($archive, 'crm: { plugin: nowhere }'));
($status, $out, $err) = $gateway->command('reload');
is($status, 78, 'a sink whose plugin is missing');
like($err, qr/no plugin "nowhere"/, 'is named');
post();
wait_until { %seen = map { $_ => 1 } @{ delivered() }; $seen{$last} } 'the sink of before delivers';

$gateway->finish;

# ---- what sinks share -----------------------------------------------------------------

my $folder = tempdir('leadgate-destination-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $destination = Destination->new($folder);
my $named = 'http: { plugin: http, url: "http://here.test:' . $destination->port
    . '/takes/named", allow_private: true, retry_first: 10ms, retry_max: 20ms }';
my $shared = sub { return config($archive, $named) . "http_client: { $_[0] }\n" };
$gateway = LeadgateTest->new(config => $shared->("hosts_file: \"$folder/nobody\""))->announce(qr/event=sink\.waiting sink=http/);
spew("$folder/nobody", '');
spew("$folder/hosts", "127.0.0.1 here.test\n");
$gateway->start;
$gateway->allow_calls(1, 8);
$last = 0;
post();
wait_until { $gateway->sql("SELECT count(*) FROM attempt WHERE sink = 'http' AND outcome = 'retry'") > 0 } 'nobody knows its name';
$gateway->configure($shared->("hosts_file: \"$folder/hosts\""));
($status, $out) = $gateway->command('reload', '--wait');
is($status, 0, 'the client of all sinks changes');
like($out, qr/^changed +option +http_client\.hosts_file$/m, 'the option is told');
like($out, qr/^changed +sink +http$/m, 'a sink that makes calls changes with it');
like($out, qr/^kept +sink +archive$/m, 'one that makes none is kept');
wait_until { $destination->requests > 0 } 'it is called under the new option, without a restart';
$gateway->finish;

# ---- no more older generations than the option says ----------------------------------------

my $few = sub { return config("archive: { plugin: file, path: \"\@DIR\@/leads.ndjson\", batch_events: $_[0] }") =~ s/core: \{/core: { max_generations: $_[1],/r };
$gateway = LeadgateTest->new(config => $few->(1, 1))->announce(qr/event=reload\.failed/)->start;
my ($head, $body) = split /\r\n\r\n/, form_request('/f/contact', [email => 'slow@example.com'], Expect => '100-continue'), 2;
my $slow = $gateway->connect;
syswrite $slow, "$head\r\n\r\n";
sysread $slow, my $go_on, 4096;
like($go_on, qr/^HTTP\/1\.1 100 /, 'a request is under way');
$gateway->configure($few->(2, 1));
is(($gateway->command('reload'))[0], 0, 'one older generation may be at work');
$gateway->configure($few->(3, 1));
($status, $out, $err) = $gateway->command('reload');
is($status, 1, 'another reload is refused');
like($err, qr/too many older generations have requests under way/, 'and says why');
syswrite $slow, $body;
is(read_answer($slow)->{status}, 202, 'the request ends');
close $slow;
wait_until { ($gateway->command('reload'))[0] == 0 } 'then a reload is done';
$gateway->finish;
done_testing;
