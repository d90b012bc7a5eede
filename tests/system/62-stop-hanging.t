# A stop while a plugin blocks for ever: the process ends when its time is over, the
# other sinks finish what they have under way, the log names who did not return,
# and the next start goes on with nothing lost.
use strict;
use warnings;

use JSON::PP;
use LeadgateTest;
use Test::More;
use Time::Local qw(timegm);

$ENV{LEADGATE_TEST_PLUGINS} ||= ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/plugin';

# A process that gives a hanging plugin up leaves that plugin's threads behind.
$ENV{TSAN_OPTIONS} = join ':', grep { $_ } $ENV{TSAN_OPTIONS}, 'report_thread_leaks=0';

use constant {
    # For a machine that has other work: who is under way needs some of the one, and a
    # process that has ended some of the other.
    SHUTDOWN_SECONDS => 10,
    SLACK_SECONDS => 20,
};

# The one that hangs is the first that the stop comes to.
sub config {
    my ($shutdown) = @_;
    return <<"YAML";
core: { loops: 2, shutdown: ${shutdown}s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store.db" }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
  stuck: { plugin: failing_sink, script: "\@DIR\@/stuck.script", log: "\@DIR\@/stuck.log" }
  slow: { plugin: failing_sink, script: "\@DIR\@/slow.script", log: "\@DIR\@/slow.log" }
  steady: { plugin: file, path: "\@DIR\@/leads.ndjson" }
YAML
}

my $gateway = LeadgateTest->new(config => config(SHUTDOWN_SECONDS));
my $dir = $gateway->dir;
my $posted = 0;

sub post_people {
    for (1 .. $_[0]) {
        my $answer = $gateway->post('/f/contact', [email => 'p' . ++$posted . '@example.com']);
        die "answer $answer->{status}\n" if $answer->{status} != 202;
    }
}
sub script {
    my ($sink, $text) = @_;
    spew("$dir/$sink.script.new", "$text\n");
    rename "$dir/$sink.script.new", "$dir/$sink.script" or die "$sink: $!\n";
}
sub holds { my ($sink) = @_; return scalar(() = slurp("$dir/$sink.log") =~ /^0 hold$/mg) }
sub seen { my ($sink) = @_; return [sort { $a <=> $b } slurp("$dir/$sink.log") =~ /^([1-9]\d*) /mg] }
sub settled { my ($sink) = @_; return [sort { $a <=> $b } $gateway->delivered($sink)] }

# The log's own time of an event, in seconds.
sub logged_at {
    my ($event) = @_;
    my ($y, $mo, $d, $h, $m, $s) =
        $gateway->log =~ /^time=(\d+)-(\d+)-(\d+)T(\d+):(\d+):([\d.]+)Z \S+ event=\Q$event\E/m or die "no $event\n";
    return timegm(0, $m, $h, $d, $mo - 1, $y) + $s;
}

# ---- one hangs, one is under way, one has all -------------------------------------

script($_, 'hold') for qw(stuck slow);
$gateway->announce(qr/event=sink\.hangs sink=stuck/)->start;
post_people(5);
wait_until { holds('stuck') && holds('slow') } 'both are in their plugins';
post_people(20);
$gateway->signal('TERM');
wait_until { $gateway->log =~ /event=gateway\.draining/ } 'the stop has begun';
script('slow', 'deliver');
is($gateway->wait_end, 0, 'the process ends');
$gateway->read_log;
my $took = logged_at('gateway.stopped') - logged_at('gateway.draining');
cmp_ok($took, '<', SHUTDOWN_SECONDS + SLACK_SECONDS, sprintf 'in its time: %.3f s', $took);
like($gateway->log, qr/level=warning event=sink\.hangs sink=stuck /, 'the log names who hangs');
unlike($gateway->log, qr/event=sink\.hangs sink=(slow|steady)/, '… and nobody else');
is_deeply(seen('stuck'), [], 'the one that hangs has delivered nothing');
is_deeply(settled('stuck'), [], '… and nothing is called delivered');
ok(@{ seen('slow') }, 'what was under way elsewhere came to its end');
is_deeply(settled('slow'), seen('slow'), '… and is settled');
is_deeply(settled('steady'), [map { $_->{seq} } $gateway->events], 'as is what the third one wrote');

# ---- the next start ------------------------------------------------------------------

script('stuck', 'deliver');
$gateway->configure(config(600))->start;
post_people(5);
$gateway->wait_events($posted);
for my $sink (qw(stuck slow)) {
    wait_until { @{ settled($sink) } == $posted } "$sink has all";
    is_deeply(seen($sink), [1 .. $posted], "$sink had each, once");
}
is_deeply([map { $_->{seq} } $gateway->events], [1 .. $posted], 'steady too, in order');
is(($gateway->command('balance'))[0], 0, 'the balance closes');

# ---- a second signal ends the waiting --------------------------------------------------

my $held = holds('stuck');
script('stuck', 'hold');
post_people(1);
wait_until { holds('stuck') > $held } 'it hangs again';
for my $sink (qw(slow steady)) {
    wait_until { @{ settled($sink) } == $posted } "$sink has all";
}
# Who is at the end of his work is waited for no longer than a moment, either.
$gateway->announce(qr/event=sink\.hangs sink=(?:slow|steady) /);
$gateway->signal('TERM');
wait_until { $gateway->log =~ /event=gateway\.draining/ } 'the stop has begun';
$gateway->signal('TERM');
is($gateway->wait_end, 0, 'a second signal ends the waiting, with minutes left');
$gateway->read_log;
like($gateway->log, qr/event=sink\.hangs sink=stuck /, 'the log names who hangs');
script('stuck', 'deliver');
$gateway->start;
wait_until { @{ settled('stuck') } == $posted } 'the next start delivers it';
is_deeply(seen('stuck'), [1 .. $posted], '… once');
$gateway->finish;
done_testing;
