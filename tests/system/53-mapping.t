# Bodies that a sink's mapping makes: what the destination gets is what the mapping
# says, nested, typed and escaped, as JSON and as a form, one by one and in arrays
# and lines; a lead on which it fails waits and harms nobody.
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

my $nested = <<'YAML';
    mapping:
      properties:
        email: person.email
        firstname: person.given_name
        company: organization.name
        employees: organization.employees
        message: inquiry.message
        products: inquiry.products
        nothing: { at_all: person.birth_date }
      source: "'website'"
      hot: inquiry.kind == 'demo'
      score: "1.5"
      tags: ["'lead'", inquiry.kind, person.birth_date]
      event: { id: event.id, type: event.type, at: event.at, lead: id, phone: "event.changes.filled['person.phone']" }
YAML
my $sinks = <<"YAML";
  single:
    plugin: http
    url: "$url/takes/single"
    allow_private: true
$nested
  array:
    plugin: http
    url: "$url/takes/array"
    allow_private: true
    batch: array
    mapping: { mail: person.email }
  form:
    plugin: http
    url: "$url/takes/form"
    allow_private: true
    mapping_as: form
    mapping: { EMAIL: person.email, "MESSAGE TEXT": inquiry.message, PRODUCT: inquiry.products, SIZE: organization.employees, YES: "true" }
  lines: { plugin: file, path: "\@DIR\@/lines.ndjson", mapping: { mail: person.email, seq: event.seq } }
  failing:
    plugin: http
    url: "$url/takes/failing"
    allow_private: true
    retry_first: 1h
    retry_max: 1h
    mapping: { mail: person.email, size: { half: organization.employees / 2 } }
  small: { plugin: file, path: "\@DIR\@/small.ndjson", retry_first: 1h, retry_max: 1h, max_body: 256, mapping: { text: inquiry.message } }
YAML
my $gateway = LeadgateTest->new;
$gateway->configure(slurp($gateway->config) . $sinks)->announce(qr/sink\.mapping_failed/)->start;
$gateway->allow_calls(4, 8);

my $message = "caf\x{e9} \"quoted\" \\ & = +\tand a tab\n" . ('x' x 300);
utf8::encode($message);
my %lead = (
    email => 'ann@example.com', given_name => 'Ann', organization_name => 'Plain & Co', organization_employees => 51,
    inquiry_kind => 'demo', inquiry_message => $message, inquiry_products => 'one two',
);
my $first = $gateway->post('/f/contact', [%lead]);
is($first->{status}, 202, 'a lead with everything is accepted') or diag($first->{body});
my $plain = $gateway->post('/f/contact', [email => 'bob@example.com']);
is($plain->{status}, 202, 'one with little too');

sub bodies {
    my ($name) = @_;
    return grep { $_->{path} eq "/takes/$name" } $destination->requests;
}

# ---- one by one ----------------------------------------------------------------------

wait_until { (my @all = bodies('single')) >= 2 } 'single has both';
my ($event) = grep { $_->{lead}{person}{email} eq 'ann@example.com' } $gateway->wait_events(2);
my %by_mail = map { my $body = decode_json($_->{body}); ($body->{properties}{email} => $body) } bodies('single');
is_deeply($by_mail{'ann@example.com'}, {
    properties => {
        email => 'ann@example.com', firstname => 'Ann', company => 'Plain & Co', employees => 51,
        message => $event->{lead}{inquiry}{message}, products => $event->{lead}{inquiry}{products},
    },
    source => 'website', hot => JSON::PP::true, score => 1.5, tags => ['lead', 'demo'],
    event => { id => $event->{id}, type => 'lead.created', at => $event->{at}, lead => $event->{lead}{id} },
}, 'what the mapping says, nested, with what is absent left out');
like($event->{lead}{inquiry}{message}, qr/caf\x{e9} "quoted" \\ & = \+/, 'the message came through whole');
my ($raw) = map { $_->{body} } grep { $_->{body} =~ /ann\@/ } bodies('single');
like($raw, qr/"employees":51,/, 'numbers are numbers');
unlike($raw, qr/[\x00-\x1f]/, 'control characters are escaped');
is_deeply([sort keys %{ $by_mail{'bob@example.com'} }], [qw(event hot properties score source tags)], 'of the other too');
is_deeply($by_mail{'bob@example.com'}{properties}, { email => 'bob@example.com' }, 'with the one property that it has');
is((bodies('single'))[0]{headers}{'content-type'}, 'application/json', 'as JSON');

# ---- many, forms, files ----------------------------------------------------------------

my @mails;
wait_until { @mails = map { @{ decode_json($_->{body}) } } bodies('array'); @mails >= 2 } 'array has both';
is_deeply([sort map { join ',', %$_ } @mails], ['mail,ann@example.com', 'mail,bob@example.com'], 'arrays hold mapped bodies');

wait_until { (my @all = bodies('form')) >= 2 } 'form has both';
my ($form) = grep { $_->{body} =~ /ann/ } bodies('form');
is($form->{headers}{'content-type'}, 'application/x-www-form-urlencoded', 'a form says that it is one');
my @pairs = map { [map { s/\+/ /gr =~ s/%(..)/chr hex $1/ger } split /=/] } split /&/, $form->{body};
utf8::decode($_->[1]) for @pairs;
is_deeply(\@pairs, [['EMAIL', 'ann@example.com'], ['MESSAGE TEXT', $event->{lead}{inquiry}{message}],
    (map { ['PRODUCT', $_] } @{ $event->{lead}{inquiry}{products} }), ['SIZE', '51'], ['YES', 'true']],
    'and has the pairs of the mapping');

my $lines = $gateway->dir . '/lines.ndjson';
wait_until { -e $lines && (() = slurp($lines) =~ /\n/g) >= 2 } 'lines has both';
is(slurp($lines), qq({"mail":"ann\@example.com","seq":1}\n{"mail":"bob\@example.com","seq":2}\n), 'a file has mapped lines');

# ---- what fails --------------------------------------------------------------------------

wait_until { (my @all = bodies('failing')) >= 1 } 'failing has the lead that can be mapped';
is_deeply(decode_json((bodies('failing'))[0]{body}), { mail => 'ann@example.com', size => { half => 25.5 } }, 'which is right');
my $open = sub { $gateway->sql("SELECT seq || ' ' || state || ' ' || error FROM open WHERE sink = '$_[0]'") };
wait_until { $open->('failing') } 'the other one waits';
is($open->('failing'), q(2 retry "mapping": size.half: attempt to perform arithmetic on an absent value (field 'employees'); )
    . 'say what to take instead, as in (organization.employees or 0)', 'with the reason');
wait_until { $open->('small') } 'a body that is too large waits';
is($open->('small'), '1 retry "mapping": there is no room for the body: max_body is 256 bytes', 'with the reason');
my ($exit, $explained) = $gateway->command('explain', decode_json($plain->{body})->{receipt});
is($exit, 0, 'explain explains it');
like($explained, qr/failing +retry, .*: "mapping": size\.half: /, 'and names the field');
like($gateway->admin('/metrics')->{content}, qr/^leadgate_sink_mapping_errors_total\{sink="failing"\} [1-9]/m, 'it is counted');

# Repaired by a reload, it goes.
my $repaired = slurp($gateway->config) =~ s{organization\.employees / 2}{(organization.employees or 0) / 2}r;
$gateway->configure($repaired);
is(($gateway->command('reload', '--wait'))[0], 0, 'the mapping is repaired');
is(($gateway->command('replay', 'failing', '--id', decode_json($plain->{body})->{receipt}))[0], 0, 'and the lead is sent for');
wait_until { (my @all = bodies('failing')) >= 2 } 'it goes under the new mapping';
is_deeply(decode_json((bodies('failing'))[1]{body}), { mail => 'bob@example.com', size => { half => 0 } }, 'which is right');
$gateway->finish;

# ---- what is no mapping ---------------------------------------------------------------------

my $config = "$folder/bad.yaml";
for my $case (
    ['mapping: { mail: person.emial }', qr/bad\.yaml:5:\d+: error: "mapping\.mail": 1:8: unknown name 'person\.emial'; did you mean 'person\.email'\?\n.*\n +\^/],
    ["mapping:\n      a:\n        - 1\n        - { b: person. }", qr/bad\.yaml:11:16: error: "mapping\.a\[2\]\.b": 1:8: /],
    ['mapping: { type: event.tpye }', qr/did you mean 'event\.type'\?/],
    ['mapping: { a: { b: "1" } }, mapping_as: form', qr/"mapping": a: a form cannot hold a mapping/],
    ['mapping: { a: "1" }, mapping_as: form, batch: array', qr/"mapping_as": a form holds one event, and this sink sends several/],
    ['mapping: person.email', qr/expected a mapping of expressions/],
) {
    my ($text, $words) = @$case;
    my $line = $text =~ /\n/ ? "  crm:\n    plugin: http\n    url: http://crm.example/\n    $text\n"
        : "  crm: { plugin: http, url: \"http://crm.example/\", $text }\n";
    spew($config, "listen: [{ address: \"127.0.0.1:0\" }]\nstore: { path: x.db }\n"
        . "sources: { form: { plugin: webform, path: /f, auth: none } }\nsinks:\n$line");
    my ($status, undef, $err) = LeadgateTest::run_leadgate('check', '-c', $config);
    is($status, 78, "refused: $text");
    like($err, $words, 'with its place and what is wrong');
}
done_testing;
