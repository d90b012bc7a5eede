# explain: everything about one person, by receipt, lead id, email and phone
# number; with every event, every sink and every attempt.
use strict;
use warnings;

use JSON::PP;
use LeadgateTest;
use Test::More;

$ENV{LEADGATE_TEST_PLUGINS} ||= ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/plugin';

my $gateway = LeadgateTest->new(config => <<'YAML');
core: { loops: 2, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "@DIR@/store.db" }
defaults: { region: US }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none, honeypot: website2 }
  quote-form: { plugin: webform, path: /f/quote, auth: none, kind: quote }
  colleagues: { plugin: webform, path: /f/colleagues, auth: none, merge: link }
sinks:
  archive: { plugin: file, path: "@DIR@/leads.ndjson" }
  busy: { plugin: failing_sink, script: "@DIR@/busy", retry_first: 10ms, retry_max: 500ms }
  strict: { plugin: failing_sink, script: "@DIR@/strict", events: [lead.created] }
  far: { plugin: failing_sink, when: "person.country == 'NZ'" }
YAML
spew($gateway->dir . '/busy', "retry\n");
spew($gateway->dir . '/strict', "reject\n");
$gateway->announce(qr/level=warning/)->start;

sub receipt { return decode_json($_[0]{body})->{receipt} }

my $first = receipt($gateway->post('/f/contact', [
    full_name => 'Ada Lovelace', email => 'Ada@Example.COM', phone => '(212) 555-0123',
]));
my $touch = receipt($gateway->post('/f/quote', [
    full_name => 'Ada Lovelace', email => 'ada@example.com', company => 'Analytical Engines',
], 'Idempotency-Key' => 'one'));
my $trap = receipt($gateway->post('/f/contact', [
    full_name => 'Robot', email => 'robot@example.com', website2 => 'http://spam.example',
]));

# What is known of somebody: the lead, then the events.
sub lines_of {
    my ($who) = @_;
    my ($status, $out, $err) = $gateway->command('explain', '--json', $who);
    my @lines = map { decode_json($_) } split /\n/, $out;
    return ($status, $err, map { $_->{kind} eq 'lead' ? $_->{lead} : $_ } @lines);
}

sub told {
    my ($who) = @_;
    my ($status, $err, @lines) = lines_of($who);
    is($status, 0, "explain $who") or diag($err);
    return @lines;
}

sub delivery {
    my ($event, $sink) = @_;
    return (grep { $_->{sink} eq $sink } @{ $event->{deliveries} })[0];
}

wait_until {
    my (undef, undef, undef, @events) = (lines_of($first), (lines_of($trap))[3]);
    @events == 3 && !grep { $_->{state} eq 'pending' } map { @{ $_->{deliveries} } } @events
        and @{ delivery($events[0], 'busy')->{attempts} } >= 3;
} 'attempts were made';

my ($lead, @events) = told($first);
is($lead->{person}{phone}, '+12125550123', 'the lead is whole');
is($lead->{raw}{'person.phone'}, '(212) 555-0123', '… with what was sent');
is_deeply([map { $_->{receipt} } @events], [$first, $touch], '… and its events in order');
my ($created, $touched) = @events;
is_deeply($created->{capture}, {
    source => 'contact-form', plugin => 'webform', channel => 'web',
    repeats_known_by => 'content', keys => ['email', 'phone'],
}, 'how it came in');
is($created->{bytes}, length $gateway->sql('SELECT body FROM event WHERE seq = 1'), '… and how much');
is_deeply([@{ $touched->{capture} }{qw(source repeats_known_by)}], ['quote-form', 'idempotency key'],
    'where the touch came from');
is_deeply($touched->{changes}{matched_by}, ['email'], '… how it matched');
is($touched->{changes}{filled}{'organization.name'}, 'Analytical Engines', '… and what it brought');
ok(!$created->{changes}, 'the first brought no changes');

is(delivery($created, 'archive')->{state}, 'delivered', 'one sink has it');
ok(delivery($created, 'archive')->{settled_at}, '… since a time');
my $busy = delivery($created, 'busy');
is($busy->{state}, 'retry', 'one will be asked again');
ok($busy->{next_at}, '… at a time');
my $attempt = $busy->{attempts}[0];
is_deeply([@$attempt{qw(outcome status reason answer)}],
    ['retry', 599, 'told to', "the answer's first bytes"], '… every attempt is told');
my $strict = delivery($created, 'strict');
is($strict->{state}, 'dead', 'one refused it');
is($strict->{reason}, 'told to', '… with a reason');
is(@{ $strict->{attempts} }, 1, '… at once');
my $filtered = delivery($touched, 'strict');
is($filtered->{state}, 'filtered', 'and does not take touches');
like($filtered->{why}, qr/does not take this type/, '… which is told');
is_deeply($filtered->{attempts}, [], '… without an attempt');

$filtered = delivery($created, 'far');
is($filtered->{state}, 'filtered', 'a rule says no');
like($filtered->{why}, qr/`when` says no/, '… which is told');

# Whatever it is asked by, the person is the same.
for my $who ($lead->{id}, $touch, 'ada@example.com', 'ADA+news@example.com', '212-555-0123',
    '+1 (212) 555-0123') {
    my ($same, @history) = told($who);
    is($same->{id}, $lead->{id}, '… finds the lead');
    is(@history, 2, '… with its history');
}

(undef, my $discarded) = told($trap);
is($discarded->{type}, 'lead.discarded', 'a trap is told');
is(delivery($discarded, 'archive')->{state}, 'discarded', '… as discarded');
like(delivery($discarded, 'archive')->{why}, qr/trap/, '… and why');

# For people.
my ($status, $out) = $gateway->command('explain', $first);
like($out, qr/^  normalized +person\.email = Ada\@example\.com, sent as "Ada\@Example\.COM"$/m,
    'text has the raw value beside the value');
like($out, qr/^ +person\.phone = \+12125550123, sent as "\(212\) 555-0123"$/m, '… of each');
like($out, qr/^  status +stage new, temperature cold/m, '… the status');
like($out, qr/^  screening +verdict clean$/m, '… the screening');
like($out, qr/^event 2 lead\.touched /m, '… the events');
like($out, qr/^  filled +organization\.name = Analytical Engines$/m, '… what a touch brought');
like($out, qr/^  strict +dead, 1 attempt: told to$/m, '… a sink');
like($out, qr/^ +\S+Z dead 599: told to, answer "the answer's first bytes"$/m, '… an attempt');
like($out, qr/^  strict +filtered .*does not take this type/m, '… and why there was none');

# show, with the events.
($status, $out) = $gateway->command('show', '--history', $touch);
is($status, 0, 'show --history');
like($out, qr/^person\.email +Ada\@example\.com$/m, '… shows the lead');
like($out, qr/^event 1 lead\.created \S+Z \Q$first\E\nevent 2 lead\.touched \S+Z \Q$touch\E$/m,
    '… and its events');
($status, $out) = $gateway->command('show', '--history', '--json', $lead->{id});
my (undef, @bodies) = map { decode_json($_) } split /\n/, $out;
is_deeply([map { [@$_{qw(seq id type)}] } @bodies], [[1, $first, 'lead.created'], [2, $touch, 'lead.touched']],
    '… as sinks receive them');

# Several people with one address are listed.
my @both = map { receipt($gateway->post('/f/colleagues', [
    full_name => $_, email => 'office@desk.example', phone => '212 555 0177',
])) } 'Grace Hopper', 'Jean Bartik';
($status, $out) = $gateway->command('explain', '212 555 0177');
is($status, 0, 'two that share a number');
like($out, qr/^2 leads are known by it/, '… are counted');
like($out, qr/ Grace Hopper$/m, '… and listed');
like($out, qr/ Jean Bartik$/m, '… both');
($status, $out) = $gateway->command('explain', '--json', '212 555 0177');
is_deeply([map { decode_json($_)->{lead}{person}{full_name} } split /\n/, $out],
    ['Grace Hopper', 'Jean Bartik'], '… and as JSON');
my (undef, $second) = told($both[1]);
is(@{ (told($both[1]))[0]{identity}{possible_duplicates} }, 1, 'one is linked to the other');

# What steers a terminal does not reach it: DEL and C1 are escaped in JSON, too.
my $wild = "a\x7fb\xc2\x9b2J";
my $sender = receipt($gateway->post('/f/contact', [email => 'wild@example.com', wish => $wild]));
like($gateway->sql('SELECT group_concat(CAST(body AS TEXT)) FROM event'), qr/\Q$wild\E/, 'the journal has what was sent');
for my $command (['explain', $sender], ['show', '--history', $sender], ['leads']) {
    my ($verb, @rest) = @$command;
    ($status, $out) = $gateway->command($verb, '--json', @rest);
    is($status, 0, "$verb --json");
    unlike($out, qr/\x7f|\xc2[\x80-\x9f]/, '… has no control characters');
    like($out, qr/a\\u007fb\\u009b2J/, '… but what they stand for');
    ok((eval { decode_json($_) } or diag($_)), '… as JSON') for split /\n/, $out;
}

# Nobody.
for my $case (
    ['nobody@example.com', qr/nobody is known by nobody\@example\.com/],
    ['212 555 0100', qr/nobody is known by 212 555 0100/],
    ['01890000-0000-7000-8000-000000000000', qr/no lead and no receipt has the id 01890000/],
    ['ada', qr/ada is no id, no email address and no key of a claim/],
    ['ada@', qr/cannot be read as an email address/],
) {
    my ($code, undef, $said) = $gateway->command('explain', $case->[0]);
    is($code, 1, "explain $case->[0]: exit 1");
    like($said, $case->[1], '… says why');
}
unlike($gateway->log, qr/ada\@|lovelace|\+1212|555-01|hopper|office\@/i, 'nothing of it is in the log');

# Without a gateway it knows as much; a sink that was removed is still told.
spew($gateway->dir . '/busy', "deliver\n");
wait_until { delivery((lines_of($first))[3], 'busy')->{state} eq 'delivered' } 'the busy sink has it';
is($gateway->stop, 0, 'the gateway stops');
my $config = slurp($gateway->config);
$config =~ s/^  strict:.*\n//m;
$config .= "  young: { plugin: failing_sink, start: now }\n";
$gateway->configure($config)->start;
wait_until { delivery((lines_of($first))[3], 'young')->{state} ne 'pending' } 'a sink that is new has begun';
is($gateway->stop, 0, 'the gateway stops again');
(undef, $created) = told('ada@example.com');
$busy = delivery($created, 'busy');
is($busy->{state}, 'delivered', 'what was tried again came through');
is($busy->{attempts}[-1]{outcome}, 'delivered', '… at the last attempt');
$strict = delivery($created, 'strict');
is($strict->{state}, 'dead', 'the journal knows a sink that was removed');
ok(!$strict->{configured}, '… and that it is not configured');
like(delivery($created, 'young')->{why}, qr/before the sink began/, 'a sink that began later has not got it');

# A replay judges anew what was there before.
(my $picky = $config) =~ s/start: now/start: now, when: "false"/;
$gateway->configure($picky);
is(($gateway->command('replay', 'young', '--since', '2000-01-01'))[0], 0, 'all is replayed to it');
$gateway->start;
wait_until { $gateway->sql("SELECT count(*) FROM open WHERE sink = 'young'") == 0 } 'and left out again';
is($gateway->stop, 0, 'the gateway stops once more');
(undef, $created) = told('ada@example.com');
like(delivery($created, 'young')->{why}, qr/`when` says no/, 'for what the sink says today');

# Who is not recognised by a number cannot be found by it.
$gateway->configure("$config\ndedup: { keys: [email] }\n");
(undef, undef, my $said) = $gateway->command('explain', '212 555 0100');
like($said, qr/nobody is known by 212 555 0100; dedup\.keys does not name phone$/m, 'a kind that has no keys is named');

$gateway->finish;
done_testing;
