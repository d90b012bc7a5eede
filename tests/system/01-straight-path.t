# One lead from a form to a file, and what its record says.
use strict;
use warnings;
use utf8;

use JSON::PP;
use LeadgateTest;
use Test::More;
use Time::HiRes qw(time);

my $uuid = qr/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
my $instant = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
my $gateway = LeadgateTest->new->start;

my $answer = $gateway->post('/f/contact', [
    full_name => "  Ada \t Lovelace ", email => 'Ada.Lovelace@EXAMPLE.com',
    phone => '(650) 253-0000', message => "Please call me\r\nabout a demo", shoe_size => '38',
    landing_url => 'https://shop.example/p?utm_source=news&gclid=abc123&x=1',
], 'User-Agent' => 'Test/1.0');

is($answer->{status}, 202, 'a form post is accepted');
my $told = decode_json($answer->{body});
is($told->{status}, 'accepted', 'and told so');
like($told->{receipt}, $uuid, 'with a receipt');
is_deeply([sort keys %$told], ['receipt', 'status'], 'and nothing else');
like($answer->{headers}{'content-type'}, qr{^application/json}, 'as JSON');

my ($event) = $gateway->wait_events(1);
is($event->{type}, 'lead.created', 'as a new lead');
is($event->{id}, $told->{receipt}, 'the receipt is the event');
is($event->{seq}, 1, 'the first of the journal');
like($event->{at}, $instant, 'with its time');

my $lead = $event->{lead};
is($lead->{schema}, 'leadgate/lead/1', 'the record says what it is');
like($lead->{id}, $uuid, 'the lead has an id');
isnt($lead->{id}, $event->{id}, 'of its own');
like($lead->{$_}, $instant, $_) for qw(captured_at occurred_at);
is_deeply($lead->{source}, { name => 'contact-form', plugin => 'webform', channel => 'web' }, 'source');
is($lead->{person}{full_name}, 'Ada Lovelace', 'white space collapses');
is($lead->{person}{email}, 'Ada.Lovelace@example.com', 'email in one form');
is($lead->{person}{phone}, '+16502530000', 'phone in E.164');
is($lead->{raw}{'person.phone'}, '(650) 253-0000', 'and as it was sent');
is($lead->{inquiry}{message}, "Please call me\nabout a demo", 'message keeps its lines');
is($lead->{inquiry}{kind}, 'contact', 'kind of the inquiry');
is($lead->{extra}{shoe_size}, '38', 'an unknown field is kept');
is($lead->{attribution}{last}{utm_source}, 'news', 'utm is taken out of the landing page');
is($lead->{attribution}{first}{gclid}, 'abc123', 'the first attribution is the last one');
is($lead->{client}{ip}, '127.0.0.1', 'address of the client');
is($lead->{client}{user_agent}, 'Test/1.0', 'and its user agent');
is($lead->{status}{stage}, 'new', 'stage new');
is($lead->{status}{temperature}, 'cold', 'temperature cold');
is($lead->{status}{intent}, 'soft', 'intent soft');
is($lead->{identity}{touches}, 1, 'touched once');
is($lead->{screening}{verdict}, 'clean', 'screened');

$answer = $gateway->post_json('/f/quote', {
    name => 'Zoë Müller', email => 'zoe@bücher.example', phone => '+49 30 901820',
    company => 'Bücher GmbH', budget => 1.10, ids => [12345678901234567890],
});
is($answer->{status}, 202, 'a JSON post is accepted');
my (undef, $second) = $gateway->wait_events(2);
is($second->{id}, decode_json($answer->{body})->{receipt}, 'with its own receipt');
is($second->{lead}{person}{full_name}, 'Zoë Müller', 'UTF-8 stays');
is($second->{lead}{person}{email}, 'zoe@xn--bcher-kva.example', 'IDNA');
is($second->{lead}{person}{phone}, '+4930901820', 'a number with its country');
is($second->{lead}{organization}{name}, 'Bücher GmbH', 'company');
is($second->{lead}{inquiry}{kind}, 'quote', 'the kind that the source says');
is($second->{lead}{status}{intent}, 'hard', 'a quote is hard intent');
like(LeadgateTest::slurp($gateway->sink), qr/12345678901234567890/, 'a long number keeps its digits');

# Refusals.
for my $case (
    ['nobody can be reached', 422, form_request('/f/contact', [full_name => 'No Way'])],
    ['a phone that nobody can read', 422, form_request('/f/contact', [phone => 'call me'])],
    ['broken JSON', 400, "POST /f/contact HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            . "Content-Length: 9\r\n\r\n{\"email\":"],
    ['no such path', 404, form_request('/nowhere', [email => 'a@example.com'])],
    ['another method', 405, form_request('/f/contact', [], ':method' => 'PUT')],
    ['another media type', 415, "POST /f/contact HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
            . "Content-Length: 1\r\n\r\nx"],
) {
    my ($what, $status, $bytes) = @$case;
    my $refusal = $gateway->exchange($bytes);
    is($refusal->{status}, $status, "$what: $status");
    like($refusal->{headers}{'content-type'}, qr{^application/problem\+json}, '… as a problem');
    my $problem = decode_json($refusal->{body});
    is($problem->{status}, $status, '… that says its status');
    ok(length $problem->{detail}, "… and why: $problem->{detail}");
}
is($gateway->exchange(form_request('/f/contact', [], ':method' => 'DELETE'))->{headers}{allow}, 'OPTIONS, POST',
    'a 405 names what is allowed');
like(decode_json($gateway->post('/f/contact', [full_name => 'No Way'])->{body})->{detail},
    qr/give an email, a phone number or a profile/, 'the detail says what would help');

# A browser.
$answer = $gateway->post('/f/contact', [email => 'browser@example.com'],
    Accept => 'text/html,application/xhtml+xml,*/*;q=0.8');
is($answer->{status} < 400, 1, 'a browser is thanked');
like($answer->{headers}{'content-type'} || '', qr{^text/html}, 'with a page');
$gateway->wait_events(3);

# A machine with other work may stop anybody for seconds, so one of many must be as quick.
my $stored = 3;
wait_until {
    my $started = time;
    $gateway->post('/f/contact', [email => 'p' . ++$stored . '@example.com']);
    $gateway->wait_events($stored);
    time - $started < 1;
} 'a lead is in the file within a second';
pass('a lead is in the file within a second');

unlike($gateway->log, qr/example\.com|Lovelace|650/, 'no personal data in the log');
is((() = $gateway->events), $stored, 'nothing was stored beyond these');
my @readable = grep { -f && (stat)[2] & 077 } glob $gateway->store . '*';
is("@readable", '', 'the journal and its log are for the gateway\'s user alone');
$gateway->finish;
done_testing;
