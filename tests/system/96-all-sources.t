# Sources of all families in one gateway: the same person by a form, a text message, two
# social platforms and a partner's file is one lead, whoever comes first; what each
# sends again is stored once. Signatures are Python's.
use strict;
use warnings;

use JSON::PP;
use LeadgateTest;
use Mac;
use POSIX ();
use Test::More;
use Vendor;

my $gateway = LeadgateTest->new(config => '');
my $graph = Vendor->new($gateway->dir);
$gateway->configure(<<"YAML")->start;
core: { loops: 2, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store.db" }
sources:
  form: { plugin: webform, path: /f/contact, auth: none }
  sms: { plugin: twilio, path: /in/sms, auth_token: token, public_url: "https://sms.example/in/sms" }
  google: { plugin: google_ads, path: /in/google, key: google-key }
  meta: { plugin: meta, path: /in/meta, app_secret: secret, verify_token: word, access_token: page,
    graph_url: "@{[$graph->url]}/v21.0", allow_private: true, retry_first: 5ms, retry_max: 20ms }
  partners: { plugin: csvimport }
sinks:
  archive: { plugin: file, path: "\@DIR\@/leads.ndjson", events: [lead.created, lead.touched] }
YAML

$gateway->allow_calls(1, 8);

# ---- what each vendor sends of a person ------------------------------------------------

# number 1 is Ada1, ada1\@example.com, +12025550101.
sub phone { return sprintf '+12025550%03d', 100 + $_[0] }

my %request = (
    form => sub {
        my ($n) = @_;
        return form_request('/f/contact', [name => "Ada$n Lovelace", email => "ada$n\@example.com", phone => phone($n)]);
    },
    sms => sub {
        my ($n) = @_;
        my %message = (MessageSid => sprintf('SM%032d', $n), From => phone($n), To => '+15005550111', AccountSid => 'AC1',
            Body => "Please write to ada$n\@example.com");
        my $signed = join '', 'https://sms.example/in/sms', map { $_ . $message{$_} } sort keys %message;
        return form_request('/in/sms', [%message], 'X-Twilio-Signature' => mac_base64(python_mac('sha1', 'token', $signed)));
    },
    google => sub {
        my ($n) = @_;
        return json_request('/in/google', { lead_id => "google-$n", google_key => 'google-key', form_id => 7, user_column_data => [
            { column_id => 'FULL_NAME', string_value => "Ada$n Lovelace" }, { column_id => 'EMAIL', string_value => "ada$n\@example.com" },
            { column_id => 'PHONE_NUMBER', string_value => phone($n) }] });
    },
    meta => sub {
        my ($n) = @_;
        $graph->answer("/v21.0/9000$n" => [{ body => { id => "9000$n", created_time => '2024-05-01T10:00:00+0000', form_id => '7', field_data => [
            map { { name => $_->[0], values => [$_->[1]] } } ['full_name', "Ada$n Lovelace"], ['email', "ada$n\@example.com"], ['phone_number', phone($n)]] } }]);
        my $body = encode_json({ object => 'page', entry => [{ id => '1', time => 1714557601,
            changes => [{ field => 'leadgen', value => { leadgen_id => "9000$n", form_id => '7' } }] }] });
        return request_bytes('/in/meta', 'application/json', $body, 'X-Hub-Signature-256' => 'sha256=' . python_mac('sha256', 'secret', $body));
    },
);
my @webhooks = sort keys %request;
my @sources = sort @webhooks, 'partners';
my $touches = join ' ', 'lead.created', ('lead.touched') x $#sources;

sub is_taken {
    my ($answer, $what) = @_;
    like($answer->{status}, qr/^20[02]$/, "$what: taken");
    return;
}
# A partner's file: the exit status of its import.
sub import_file {
    my ($n, @options) = @_;
    my $file = $gateway->dir . "/partner-$n.csv";
    spew($file, "Lead ID,Full name,Email,Phone\np-$n,Ada$n Lovelace,ada$n\@example.com," . phone($n) . "\n");
    return ($gateway->command('import', @options, 'partners', $file))[0];
}
sub bring {
    my ($source, $n) = @_;
    return is(import_file($n), 0, "person $n by $source: taken") if $source eq 'partners';
    return is_taken($gateway->exchange($request{$source}->($n)), "person $n by $source");
}
sub balance_closes {
    my ($status, $out, $errors) = $gateway->command('balance');
    is("$status$errors", '0', 'the balance closes') or diag($out);
    return;
}

# ---- one after the other, beginning with each ------------------------------------------

my $events = 0;
for my $first (0 .. $#sources) {
    my @order = @sources[map { ($first + $_) % @sources } 0 .. $#sources];
    for my $source (@order) {
        bring($source, $first);
        $gateway->wait_events(++$events);
    }
    my @of = ($gateway->events)[-@sources .. -1];
    is(join(' ', map { $_->{type} } @of), $touches, "$order[0] first: one creation, and touches");
    is(keys %{ { map { $_->{lead}{id} => 1 } @of } }, 1, '… of one lead');
    is_deeply([map { $_->{lead}{identity}{touches} } @of], [1 .. @sources], '… which counts them');
    is("$of[-1]{lead}{person}{email} $of[-1]{lead}{person}{phone}", "ada$first\@example.com " . phone($first), '… and knows both ways to the person');
    is("$of[0]{lead}{status}{stage} $of[0]{lead}{status}{temperature}", 'new cold', '… new and cold at first');
}

# ---- the same again, in another order, and at once ---------------------------------------

for my $n (reverse 0 .. $#sources) {
    is_taken($_, "person $n again") for $gateway->exchange_all(map { $request{$_}->($n) } (reverse @webhooks) x 2);
    is(import_file($n, '--again'), 0, "person $n in the same file again");
}
balance_closes();

# ---- a new person, by all of them at the same moment, three times each ---------------------

defined(my $import = fork) or die "fork: $!\n";
POSIX::_exit(import_file(9)) if $import == 0;
is_taken($_, 'all at once') for $gateway->exchange_all(map { $request{$_}->(9) } (@webhooks) x 3);
waitpid $import, 0;
is($?, 0, 'with the file');
$gateway->wait_events($events + @sources);
my @of = ($gateway->events)[$events .. $events + $#sources];
is(join(' ', sort map { $_->{type} } @of), $touches, 'one creation, and touches');
is(keys %{ { map { $_->{lead}{id} => 1 } @of } }, 1, '… of one lead');
# The lead keeps the source that it came from first; a touch says its own.
is(join(' ', sort map { $_->{changes}{kept}{'source.name'} || $_->{lead}{source}{name} } @of), join(' ', @sources), '… one of each source');
balance_closes();
is($gateway->sql("SELECT count(*) FROM claim WHERE state NOT IN ('done')"), 0, 'no claim is left over');
is($gateway->sql('SELECT count(*) FROM event'), $events + @sources, 'and nothing is stored twice');

$graph->stop;
$gateway->finish;
done_testing;
