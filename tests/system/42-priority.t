# A slow destination before which leads wait: those in a hurry go first though they came
# last, and the oldest of the others is not kept for ever.
use strict;
use warnings;

use Destination;
use File::Temp qw(tempdir);
use JSON::PP;
use LeadgateTest;
use Test::More;

use constant { SOFT => 200, HARD => 5 };

my $folder = tempdir('leadgate-destination-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $destination = Destination->new($folder);

sub config {
    my ($more) = @_;
    return <<"YAML";
core: { loops: 1, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store.db" }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
  crm: { plugin: http, url: "http://127.0.0.1:@{[$destination->port]}/takes/it", allow_private: true, concurrency: 1, rate: 50, $more }
YAML
}
my $gateway = LeadgateTest->new(config => config('priority: urgent, urgent_after: 1h'));
$gateway->start;
$gateway->allow_calls(1, 8);

# Leads that wait behind a pause: many soft ones, then a few that ask for a quote.
my $round = 0;
sub wait_behind_a_pause {
    $round++;
    is(($gateway->command('pause', 'crm'))[0], 0, 'the sink is paused');
    wait_until { $gateway->admin('/sinks')->{content} =~ /"name":"crm".*?"state":"paused"/ } 'its lane has heard it';
    $gateway->post('/f/contact', [email => "soft$_.$round\@example.com"]) for 1 .. SOFT;
    $gateway->post('/f/contact', [email => "hard$_.$round\@example.com", inquiry_kind => 'quote']) for 1 .. HARD;
    return;
}

# Who was asked for in this round, in order.
sub order {
    return grep { /\.$round\@/ } map { decode_json($_->{body})->{lead}{person}{email} } $destination->requests;
}

wait_behind_a_pause();
is(($gateway->command('resume', 'crm'))[0], 0, 'and resumed');
wait_until { order() == SOFT + HARD } 'all have gone', 4 * patience(); # each takes a sync of the journal
is_deeply([order()], [(map { "hard$_.1\@example.com" } 1 .. HARD), (map { "soft$_.1\@example.com" } 1 .. SOFT)],
    'those in a hurry first, all in order');

# Everything is old now: the oldest takes turns with the urgent ones.
wait_behind_a_pause();
$gateway->configure(config('priority: urgent, urgent_after: 0s'));
is(($gateway->command('reload', '--wait'))[0], 0, 'the age is changed');
is(($gateway->command('resume', 'crm'))[0], 0, 'and the sink resumed');
wait_until { order() == SOFT + HARD } 'all have gone', 4 * patience(); # each takes a sync of the journal
is_deeply([(order())[0 .. 2 * HARD]],
    [(map { ("hard$_.2\@example.com", "soft$_.2\@example.com") } 1 .. HARD), 'soft' . (HARD + 1) . '.2@example.com'],
    'the oldest are not kept waiting');
wait_until { $gateway->sql("SELECT max(last_seq) FROM settled WHERE sink = 'crm'") == 2 * (SOFT + HARD) } 'all is settled';
is($gateway->sql('SELECT count(*) FROM open'), 0, 'nothing is left open');

$gateway->finish;
$destination->stop;
done_testing;
