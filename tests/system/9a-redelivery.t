# What is delivered again by each source: with the same id, its parts in another order, many
# at the same moment on connections of their own, and once more when all is over. Each is
# answered with 2xx and as the first one was, and is one lead.
use strict;
use warnings;

use JSON::PP;
use LeadgateTest;
use List::Util qw(shuffle);
use Mac;
use Test::More;
use Vendor;

use constant { PEOPLE => 8, TIMES => 6 };
srand 1;

my $gateway = LeadgateTest->new(config => '');
my $graph = Vendor->new($gateway->dir);
$gateway->configure(<<"YAML")->start;
core: { loops: 2, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store.db" }
sources:
  form: { plugin: webform, path: /f/contact, auth: none }
  sms: { plugin: twilio, path: /in/sms, auth_token: token, public_url: "https://sms.example/in/sms", answer: Thanks }
  google: { plugin: google_ads, path: /in/google, key: google-key }
  meta: { plugin: meta, path: /in/meta, app_secret: secret, verify_token: word, access_token: page,
    graph_url: "@{[$graph->url]}/v21.0", allow_private: true, retry_first: 5ms, retry_max: 20ms }
sinks:
  archive: { plugin: file, path: "\@DIR\@/leads.ndjson", events: [lead.created, lead.touched] }
YAML
$gateway->allow_calls(1, 4);

sub turn { my ($by, @list) = @_; return @list[map { ($_ + $by) % @list } 0 .. $#list] }

# The $time-th delivery of what has the number $n: its parts begin with another one.
my %delivery = (
    form => sub {
        my ($n, $time) = @_;
        my @fields = (turn($time, [email => "form$n\@example.com"], [name => "Ada $n"], [message => 'Hi'], [city => 'Rome']), [colour => 'red']);
        return form_request('/f/contact', [map { @$_ } @fields], 'Idempotency-Key' => "form-$n");
    },
    sms => sub {
        my ($n, $time) = @_;
        my @pairs = ([MessageSid => "SM$n"], [From => sprintf '+1202555%04d', 100 + $n], [To => '+15005550111'], [Body => "Hello $n"], [NumMedia => 0]);
        my $text = join '', 'https://sms.example/in/sms', map { @$_ } sort { $a->[0] cmp $b->[0] } @pairs;
        return form_request('/in/sms', [map { @$_ } turn($time, @pairs)], 'X-Twilio-Signature' => mac_base64(python_mac('sha1', 'token', $text)));
    },
    google => sub {
        my ($n, $time) = @_;
        my @columns = map { qq({"column_id":"$_->[0]","string_value":"$_->[1]"}) }
            turn($time, ['EMAIL', "google$n\@example.com"], ['WORK_EMAIL', "work$n\@example.com"], ['q', 'b'], ['q', 'a'], ['FULL_NAME', "Ada $n"]);
        my $list = join ',', @columns;
        return request_bytes('/in/google', 'application/json',
            '{' . join(',', turn($time, qq("lead_id":"google-$n"), '"google_key":"google-key"', qq("user_column_data":[$list]))) . '}');
    },
    meta => sub {
        my ($n, $time) = @_;
        my @ids = turn($time, map { "7${n}0$_" } 1 .. 3);
        my $body = encode_json({ object => 'page', entry => [map { { id => '9',
            changes => [{ field => 'leadgen', value => { leadgen_id => $_, form_id => '8' } }] } } @ids, $ids[0]] });
        return request_bytes('/in/meta', 'application/json', $body, 'X-Hub-Signature-256' => 'sha256=' . python_mac('sha256', 'secret', $body));
    },
);
my %leads = (form => PEOPLE, sms => PEOPLE, google => PEOPLE, meta => 3 * PEOPLE);
$graph->answer(map { my $id = $_; ("/v21.0/$id" => [{ body => { id => $id, created_time => '2024-05-01T10:00:00+0000', form_id => '8',
    field_data => [{ name => 'email', values => ["meta$id\@example.com"] }] } }]) } map { ("7${_}01", "7${_}02", "7${_}03") } 1 .. PEOPLE);

# All of them at once; what each number's deliveries were answered, without repetitions.
sub deliver {
    my (@sources) = @_;
    my @all = shuffle map { my $source = $_; map { my $n = $_; map { [$source, $n, $delivery{$source}->($n, $_)] } 1 .. TIMES } 1 .. PEOPLE } @sources;
    my @answers = $gateway->exchange_all(map { $_->[2] } @all);
    is(scalar(grep { $_->{status} =~ /^20[02]$/ } @answers), scalar @all, "@sources: " . @all . ' deliveries at once, 2xx each time');
    my %told;
    $told{"$all[$_][0] $all[$_][1]"}{"$answers[$_]{status} $answers[$_]{body}"} = 1 for 0 .. $#all;
    return map { ($_ => join '; ', sort keys %{ $told{$_} }) } keys %told;
}

my ($events, %first) = (0);
for my $source (sort keys %delivery) {
    my %told = deliver($source);
    %first = (%first, %told);
    is(scalar(grep { /; / } values %told), 0, "$source: the same answer to each delivery of one thing");
    $gateway->wait_events($events += $leads{$source});
    is($gateway->sql('SELECT count(*) FROM event'), $events, "$source: stored once");
}
is(keys %{ { map { /"receipt":"([^"]+)"/ ? ($1 => 1) : () } values %first } }, PEOPLE, 'each form has a receipt of its own');
is(scalar(grep { m{^/v21\.0/7} } $graph->targets), $leads{meta}, 'Graph is asked for each lead once');

is_deeply({ deliver(sort keys %delivery) }, \%first, 'all of it once more, by all at once: the same answers');
is($gateway->sql('SELECT count(*) FROM event'), $events, 'and nothing new is stored');
is($gateway->sql("SELECT count(*) FROM event WHERE type = 'lead.created'"), $events, 'each was a lead of its own');
is($gateway->sql("SELECT count(*) FROM claim WHERE state <> 'done'"), 0, 'no claim is left over');
is(scalar(() = $gateway->events), $events, 'and each was delivered once');
my ($status, $out) = $gateway->command('balance');
is($status, 0, 'the balance closes') or diag($out);

$gateway->finish;
$graph->stop;
done_testing;
