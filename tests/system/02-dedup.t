# The same submission, the same delivery, the same person.
use strict;
use warnings;

use JSON::PP;
use LeadgateTest;
use Test::More;

my $gateway = LeadgateTest->new->start;

sub receipt {
    my ($answer) = @_;
    return decode_json($answer->{body})->{receipt};
}

# A hundred equal posts at once.
my @pairs = (full_name => 'Grace Hopper', email => 'grace@example.com', phone => '(650) 253-0000',
    message => 'hello');
my @answers = $gateway->exchange_all((form_request('/f/contact', [@pairs])) x 100);
is((grep { $_ && $_->{status} == 202 } @answers), 100, 'a hundred equal posts are accepted');
my %bodies = map { $_->{body} => 1 } @answers;
is(keys %bodies, 1, 'with a hundred equal answers');
my ($first) = $gateway->wait_events(1);
is(receipt($answers[0]), $first->{id}, 'whose receipt is the event');

# The double click again, later.
my $again = $gateway->post('/f/contact', [@pairs]);
is($again->{body}, $answers[0]{body}, 'a later double click gets the same bytes');

# The same person from another form: blanks are filled, nothing is overwritten.
my $touch = $gateway->post('/f/quote', [
    full_name => 'Grace B. Hopper', email => 'GRACE@example.com', company => 'Navy', city => 'Arlington',
    message => 'please call',
]);
is($touch->{status}, 202, 'the same person from another form is accepted');
isnt(receipt($touch), $first->{id}, 'with a receipt of its own');
is_deeply([sort keys %{ decode_json($touch->{body}) }], ['receipt', 'status'],
    'and the answer does not say that the person was known');
my (undef, $touched) = $gateway->wait_events(2);
is($touched->{type}, 'lead.touched', 'it is a touch');
is($touched->{id}, receipt($touch), 'under its receipt');
is($touched->{lead}{id}, $first->{lead}{id}, 'of the known lead');
is($touched->{lead}{organization}{name}, 'Navy', 'a blank is filled');
is($touched->{lead}{person}{locality}, 'Arlington', 'another one too');
is($touched->{lead}{person}{full_name}, 'Grace Hopper', 'nothing is overwritten');
is($touched->{lead}{inquiry}{message}, 'hello', 'not the message either');
is($touched->{lead}{identity}{touches}, 2, 'two touches');
my $changes = JSON::PP->new->canonical->encode($touched->{changes});
like($changes, qr/Grace B\. Hopper/, 'what was not taken stands in changes');
like($changes, qr/please call/, 'all of it');
like($changes, qr/Navy/, 'and what was filled');

# Deliveries: the same Idempotency-Key.
my @key = ('Idempotency-Key' => 'order-4711');
my @other = (full_name => 'Ada Lovelace', email => 'ada@example.com');
my $one = $gateway->post('/f/contact', \@other, @key);
my $two = $gateway->post('/f/contact', \@other, @key);
is($two->{body}, $one->{body}, 'a redelivery gets the first answer');
my $conflict = $gateway->post('/f/contact', [@other, message => 'something else'], @key);
is($conflict->{status}, 422, 'the same key for other content is refused');
like($conflict->{body}, qr/Idempotency-Key/, 'and told why');
my $elsewhere = $gateway->post('/f/quote', \@other, @key);
is($elsewhere->{status}, 202, 'the same key at another source is another key');
isnt(receipt($elsewhere), receipt($one), 'with another receipt');

# Two colleagues behind one office number.
my $office = '+1 212 555 0100';
$gateway->post('/f/contact', [full_name => 'Jane Roe', email => 'jane@firm.example', phone => $office]);
$gateway->post('/f/contact', [full_name => 'Richard Miles', email => 'richard@firm.example', phone => $office]);
my @events = $gateway->wait_events(6);
my ($jane) = grep { ($_->{lead}{person}{email} || '') eq 'jane@firm.example' } @events;
my ($richard) = grep { ($_->{lead}{person}{email} || '') eq 'richard@firm.example' } @events;
is($richard->{type}, 'lead.created', 'a colleague is a lead of his own');
isnt($richard->{lead}{id}, $jane->{lead}{id}, 'not the same');
is_deeply($richard->{lead}{identity}{possible_duplicates}, [$jane->{lead}{id}],
    'but linked as a possible duplicate');

# A new message of a person who is known by the phone alone.
$gateway->post('/f/contact', [full_name => 'Grace Hopper', phone => '650-253-0000', message => 'again']);
@events = $gateway->wait_events(7);
is($events[6]{type}, 'lead.touched', 'the phone and the name are enough');
is($events[6]{lead}{id}, $first->{lead}{id}, 'to know her');
is($events[6]{lead}{person}{email}, 'grace@example.com', 'and her email stays');

# One profile in two spellings, the second time without its id.
$gateway->post_json('/f/contact', { email => 'eve@example.com', profiles =>
    [{ network => 'linkedin', id => '7', url => 'https://www.linkedin.com/in/eve/' }] });
$gateway->post_json('/f/contact', { email => 'eve@example.com', message => 'two', profiles =>
    [{ network => 'LinkedIn', url => 'linkedin.com/in/Eve' }] });
$gateway->post_json('/f/contact', { message => 'three', profiles =>
    [{ network => 'linkedin', url => 'http://de.linkedin.com/in/eve?trk=x' }] });
@events = $gateway->wait_events(10);
is_deeply([map { $_->{type} } @events[7 .. 9]], [qw(lead.created lead.touched lead.touched)],
    'a profile in another spelling is the same');
is_deeply([map { $_->{url} } @{ $events[9]{lead}{person}{profiles} }],
    ['https://www.linkedin.com/in/eve/', 'https://linkedin.com/in/Eve', 'http://de.linkedin.com/in/eve?trk=x'],
    'and all spellings are kept');

# All of it outlives a restart.
is($gateway->stop, 0, 'the gateway stops');
$gateway->start;
is($gateway->post('/f/contact', \@other, @key)->{body}, $one->{body},
    'a redelivery after a restart gets the first answer');
is($gateway->post('/f/contact', [@pairs])->{body}, $answers[0]{body}, 'so does a double click');
$gateway->post('/f/contact', [email => 'grace@example.com', message => 'third']);
@events = $gateway->wait_events(11);
is($events[10]{type}, 'lead.touched', 'and the person is known');
is((grep { $_->{type} eq 'lead.created' } @events), 5, 'five people in all');
is_deeply([map { $_->{seq} } @events], [1 .. 11], 'eleven events, each once, in order');

my ($status, $out) = $gateway->command('leads', '--json', '-n', '0');
is($status, 0, 'leadgate leads');
is((() = $out =~ /\n/g), 5, 'knows five');
$gateway->finish;
done_testing;
