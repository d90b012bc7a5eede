# What a destination calls a lead: given with a good answer, kept in the journal,
# told when the lead comes again, through restarts and reloads, until it is forgotten.
use strict;
use warnings;

use Destination;
use File::Temp qw(tempdir);
use JSON::PP;
use LeadgateTest;
use Test::More;

my $folder = tempdir('leadgate-destination-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $destination = Destination->new($folder);
my $url = 'http://127.0.0.1:' . $destination->port;

my $sinks = <<"YAML";
  crm:
    plugin: http
    url: "$url/takes/crm"
    update_url: "$url/takes/crm/:external_id?by=gateway"
    allow_private: true
    order: person
    external_id: body.id
    mapping: { mail: person.email, text: inquiry.message, known_as: event.external_id, seq: event.seq }
YAML
my $other = <<"YAML";
  other:
    plugin: http
    url: "$url/takes/other"
    allow_private: true
    order: person
    mapping: { known_as: event.external_id, seq: event.seq }
YAML
my $gateway = LeadgateTest->new;
my $plain = slurp($gateway->config);
$gateway->configure($plain . $sinks . $other)->start;
$gateway->allow_calls(2, 8);

sub post {
    my ($mail, $text) = @_;
    my $answer = $gateway->post('/f/contact', [email => $mail, message => $text]);
    is($answer->{status}, 202, "$mail says $text");
    return decode_json($answer->{body})->{receipt};
}

# The requests to a sink, as [method, path, body].
sub asked {
    my ($name) = @_;
    return map { [$_->{method}, $_->{path}, decode_json($_->{body})] } grep { $_->{path} =~ m{^/takes/$name\b} } $destination->requests;
}

# Waits for the n-th of them.
sub nth {
    my ($name, $n) = @_;
    wait_until { (my @all = asked($name)) >= $n } "$name was asked $n times";
    return (asked($name))[$n - 1];
}

post('ann@example.com', 'one');
is_deeply(nth('crm', 1), ['POST', '/takes/crm', { mail => 'ann@example.com', text => 'one', seq => 1 }], 'a new lead is made');
post('ann@example.com', 'two');
is_deeply(nth('crm', 2), ['PATCH', '/takes/crm/x-17?by=gateway',
    { mail => 'ann@example.com', text => 'one', known_as => 'x-17', seq => 2 }], 'its touch carries its id');
my $receipt = post('bob@example.com', 'three');
is((nth('crm', 3))->[0], 'POST', 'another person is made');
is_deeply([map { $_->[2]{known_as} } nth('other', 3), asked('other')], [(undef) x 4], 'a sink that takes no ids is told none');

# Both at once: the second waits until the first has its id.
post('cid@example.com', 'four');
post('cid@example.com', 'five');
nth('crm', 5);
is_deeply([map { $_->[0] } (asked('crm'))[3, 4]], ['POST', 'PATCH'], 'one after the other');

# ---- kept ----------------------------------------------------------------------------

# The lane knows it before the journal does.
wait_until { $gateway->sql('SELECT count(*) FROM external') >= 3 } 'the last answer is settled';
is($gateway->sql("SELECT count(*) || ' ' || min(id) || ' ' || max(sink) FROM external"), '3 x-17 crm', 'the journal has it');
wait_until { $gateway->sql("SELECT max(last_seq) FROM settled WHERE sink = 'other'") >= 3 } 'the other sink has settled it, too';
my ($exit, $explained) = $gateway->command('explain', $receipt);
is($exit, 0, 'explain explains it');
like($explained, qr/^  crm +delivered \S+, the lead is known there as x-17$/m, 'with the id');
like($explained, qr/^  other +delivered \S+$/m, 'where there is one');
my ($in_json) = grep { $_->{kind} eq 'event' } map { decode_json($_) } split /\n/, ($gateway->command('explain', '--json', $receipt))[1];
is_deeply([map { $_->{external_id} } sort { $a->{sink} cmp $b->{sink} } @{ $in_json->{deliveries} }], [undef, 'x-17', undef],
    'as JSON, too');

is($gateway->stop, 0, 'a restart');
$gateway->start->allow_calls(2, 8);
post('ann@example.com', 'six');
is((nth('crm', 6))->[0], 'PATCH', 'keeps it');
$gateway->configure($plain . ($sinks =~ s/^    order:/    update_method: PUT\n    order:/mr) . $other);
is(($gateway->command('reload', '--wait'))[0], 0, 'a reload that changes the sink');
post('ann@example.com', 'seven');
is((nth('crm', 7))->[0], 'PUT', 'keeps it');
is(($gateway->command('replay', '--again', '--id', $receipt, 'crm'))[0], 0, 'a replay');
is_deeply([@{ nth('crm', 8) }[0, 1]], ['PUT', '/takes/crm/x-17?by=gateway'], 'goes to the same');

# ---- forgotten -------------------------------------------------------------------------

$gateway->configure($plain . $other);
is(($gateway->command('reload', '--wait'))[0], 0, 'the sink is gone');
is($gateway->sql('SELECT count(*) FROM external'), 3, 'what it was told stays');
is(($gateway->command('forget', 'crm'))[0], 0, 'until it is forgotten');
is($gateway->sql('SELECT count(*) FROM external'), 0, 'with all the rest');
$gateway->finish;

# ---- what is no update_url ---------------------------------------------------------------

for my $case (
    ['update_url: "http://crm.example/x"', qr/update_url: it has no :external_id/],
    ['update_url: "http://crm.example/:external_id", batch: array', qr/update_url: it takes one event at a time/],
    ['update_url: "http://u:p@crm.example/:external_id"', qr/give user and password as options/],
) {
    my ($text, $words) = @$case;
    spew("$folder/bad.yaml", "listen: [{ address: \"127.0.0.1:0\" }]\nstore: { path: x.db }\n"
        . "sources: { form: { plugin: webform, path: /f, auth: none } }\n"
        . "sinks:\n  crm: { plugin: http, url: \"http://crm.example/\", $text }\n");
    my ($status, undef, $err) = LeadgateTest::run_leadgate('check', '-c', "$folder/bad.yaml");
    is($status, 78, "refused: $text");
    like($err, $words, 'with what is wrong');
}
done_testing;
