# A pause: nothing goes to a sink that an operator has paused, whatever happens,
# and nothing else is held up by it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use LeadgateTest;
use Test::More;

$ENV{LEADGATE_TEST_PLUGINS} ||= ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/plugin';

my $gw = LeadgateTest->new(config => <<'YAML');
core: { loops: 1 }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "@DIR@/store.db" }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
  crm: { plugin: failing_sink, script: "@DIR@/script", log: "@DIR@/log", retry_first: 10ms, retry_max: 20ms }
  archive: { plugin: file, path: "@DIR@/leads.ndjson" }
YAML
$gw->announce(qr/event=sink\.waiting/);
my ($script, $log) = map { $gw->dir . "/$_" } qw(script log);
my $number = 0;

sub delivered { return map { (split)[0] } slurp($log) =~ /^(.+)\n/mg }
sub post { return $gw->post('/f/contact', [email => 'p' . ++$number . '@example.com']) }
sub say_to {
    my ($verb, @words) = @_;
    my ($status, $out, $errors) = $gw->command($verb, @words);
    is($status, 0, "$verb @words") or diag($errors);
    return $out;
}
sub crm {
    my ($status, $out) = $gw->command('sinks', '--json');
    return (grep { $_->{name} eq 'crm' } map { decode_json($_) } split /\n/, $out)[0];
}
# Not what `leadgate sinks` says: that is the journal's, before the lane has heard it.
sub wait_paused {
    wait_until { $gw->admin('/sinks')->{content} =~ /"name":"crm".*?"state":"paused"/ } 'the lane has seen it';
}
sub settled { return $gw->sql("SELECT ifnull(max(last_seq), 0) FROM settled WHERE sink = '$_[0]'") }

spew($log, '');
$gw->start;
post();
wait_until { settled('crm') == 1 } 'the first lead is delivered';

subtest 'nothing goes while it is paused' => sub {
    like(say_to('pause', 'crm', 'their server moves'), qr/^crm is paused/, 'it says so');
    wait_paused();
    like(crm()->{reason}, qr/their server moves/, 'the reason is shown');
    post() for 1 .. 3;
    wait_until { settled('archive') == 4 } 'another sink goes on';
    is_deeply([delivered()], [1], 'nothing was sent');
    is(crm()->{state}, 'paused', 'the journal says so as well');
    is(crm()->{pending}, 3, 'they wait');
    say_to('pause', 'crm');
};

subtest 'it outlives a restart' => sub {
    $gw->stop;
    is($gw->sql("SELECT count(*) FROM state WHERE scope = 'sink.paused'"), 1, 'it is noted');
    $gw->start;
    post();
    wait_until { settled('archive') == 5 } 'another sink goes on';
    wait_paused();
    is_deeply([delivered()], [1], 'nothing was sent');
};

subtest 'and ends when told' => sub {
    is(say_to('resume', 'crm'), "crm goes on\n", 'it says so');
    wait_until { settled('crm') == 5 } 'all is delivered';
    is_deeply([delivered()], [1 .. 5], 'in order, once');
    is(say_to('resume', 'crm'), "crm was not paused\n", 'twice is said');
};

subtest 'what is due waits as well' => sub {
    spew($script, "retry\n");
    post();
    wait_until { $gw->sql("SELECT count(*) FROM open WHERE state = 'retry'") == 1 } 'one is to be tried again';
    say_to('pause', 'crm');
    wait_paused();
    # What was tried before that may be settled later: what would be tried now would be taken.
    spew($script, "deliver\n");
    post();
    wait_until { settled('archive') == 7 } 'a lead went by';
    is_deeply([delivered()], [1 .. 5], 'no attempt since');
    say_to('resume', 'crm');
    wait_until { (grep { $_ == 6 } delivered()) == 1 && settled('crm') == 7 } 'then both go';
    wait_until { $gw->sql("SELECT count(*) FROM open") == 0 } 'and are settled';
};

subtest 'what is replayed waits as well' => sub {
    like(say_to('replay', '--again', '--since', '2020-01-01T00:00:00Z', 'archive'), qr/^replayed: 7 events are due now\n\z/m, 'it is due at once');
    say_to('pause', 'crm');
    like(say_to('replay', '--again', '--since', '2020-01-01T00:00:00Z', 'crm'),
        qr/^replayed: 7 events wait: crm is paused until `leadgate resume crm`\n\z/m, 'unless the sink is paused');
    my ($done) = reverse split /\n/, say_to('replay', '--json', '--again', '--since', '2020-01-01T00:00:00Z', 'crm');
    is_deeply(decode_json($done), { replayed => 7, paused => JSON::PP::true }, 'which programs are told, too');
    say_to('resume', 'crm');
    wait_until { $gw->sql("SELECT count(*) FROM open") == 0 } 'then all of it goes';
};

subtest 'by a command alone' => sub {
    $gw->stop;
    say_to('pause', 'crm');
    $gw->start;
    post();
    wait_until { settled('archive') == 8 } 'another sink goes on';
    wait_paused();
    is((grep { $_ == 8 } delivered()), 0, 'nothing was sent');
    $gw->stop;
    say_to('resume', 'crm');
    $gw->start;
    wait_until { settled('crm') == 8 } 'it is delivered';
    my ($status, $out, $errors) = $gw->command('pause', 'erp');
    is($status, 1, 'a sink that is not there cannot be paused');
    like($errors, qr/there is no sink erp in the configuration/, 'and why');
    ($status, $out, $errors) = $gw->command('balance');
    is($status, 0, 'the balance closes') or diag("$out$errors");
};

$gw->finish;
done_testing;
