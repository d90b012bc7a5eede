# Dead letters: what they tell, and how they are delivered after all: by plan,
# under today's configuration, and never twice unless asked for.
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
store: { path: "@DIR@/store.db" }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
  crm: { plugin: failing_sink, script: "@DIR@/script", log: "@DIR@/log" }
  archive: { plugin: file, path: "@DIR@/leads.ndjson" }
YAML
my ($script, $log) = map { $gw->dir . "/$_" } qw(script log);

sub delivered { return map { (split)[0] } slurp($log) =~ /^(.+)\n/mg }
sub states {
    my %count = map { split /\|/ } split /\n/,
        $gw->sql("SELECT state, count(*) FROM open WHERE sink = 'crm' GROUP BY state");
    return \%count;
}
sub replay {
    my ($status, $out, $errors) = $gw->command('replay', '--json', @_, 'crm');
    is($status, 0, "replay @_ ends well") or diag($errors);
    return map { decode_json($_) } split /\n/, $out;
}
sub balance_closes {
    my ($name) = @_;
    my ($status, $out, $errors) = $gw->command('balance');
    is($status, 0, "the balance closes $name") or diag("$out$errors");
}

spew($script, "reject\n");
spew($log, '');
$gw->start;
my @receipts = map {
    my $answer = $gw->post('/f/contact', $_);
    is($answer->{status}, 202, 'a lead is taken');
    decode_json($answer->{body})->{receipt};
} [email => 'ada@example.com', message => 'one'], [email => 'ben@example.com'],
    [email => 'ada@example.com', message => 'two'];
wait_until { (states()->{dead} || 0) == 3 } 'the sink has refused all';

subtest 'they are listed' => sub {
    my ($status, $out) = $gw->command('dead', 'crm');
    is($status, 0, 'dead ends well');
    like($out, qr/^1 event \Q$receipts[0]\E lead \S{36}\n    \S+Z after \d+ attempts?, status 599: told to\n    answer: the answer/m,
        'which event and why');
    unlike($out, qr/example\.com/, 'nobody is named');
    ($status, $out) = $gw->command('dead', '--json', 'crm');
    my @letters = map { decode_json($_) } split /\n/, $out;
    is(scalar @letters, 3, 'three letters');
    is($letters[$_]{event}, $receipts[$_], "the receipt of letter $_") for 0 .. 2;
    is($letters[2]{type}, 'lead.touched', 'and its type');
    is($letters[2]{lead}, $letters[0]{lead}, 'and its lead');
    cmp_ok($letters[0]{attempts}, '>=', 1, 'and its attempts');
    like($letters[0]{tried_at}, qr/^\d{4}-.*Z$/, 'and when');
    ($status, $out) = $gw->command('dead', '--json', '--limit', 1, 'crm');
    is(scalar(() = $out =~ /\n/g), 1, 'a limit');
    ($status, $out) = $gw->command('dead', 'archive');
    is($out, "archive has no dead letters\n", 'another sink has none');
};

subtest 'a dry run only says' => sub {
    my ($plan, @more) = replay('--dry-run');
    is_deeply($plan->{taken}, { dead => 3 }, 'what it would take');
    is_deeply($plan->{types}, { 'lead.created' => 2, 'lead.touched' => 1 }, 'of which kinds');
    is(scalar @more, 0, 'and no more');
    is(states()->{dead}, 3, 'nothing has changed');
    my ($status, $out) = $gw->command('replay', '--dry-run', 'crm');
    like($out, qr/^crm: 3 events under today's configuration\n/, 'in words');
};

subtest 'one by its id' => sub {
    spew($script, "deliver\n");
    my ($plan, $done) = replay('--id', $receipts[1]);
    is_deeply($plan->{taken}, { dead => 1 }, 'one letter');
    is($done->{replayed}, 1, 'is done');
    wait_until { delivered() == 1 } 'it is delivered';
    is_deeply([delivered()], [2], 'the right one');
    wait_until { !states()->{retry} } 'it is settled';
    is(states()->{dead}, 2, 'the others stay');
    balance_closes('with one delivered');
};

subtest 'all of them' => sub {
    my ($plan, $done) = replay();
    is($done->{replayed}, 2, 'two were left');
    wait_until { delivered() == 3 } 'they are delivered';
    wait_until { $gw->sql("SELECT count(*) FROM open") == 0 } 'and settled';
    balance_closes('when all is delivered');
};

subtest 'what is done is not repeated' => sub {
    my @plans = replay('--since', '2020-01-01T00:00:00Z');
    is_deeply($plans[0]{left}, { delivered => 3 }, 'all is left');
    is(scalar @plans, 1, 'nothing is ordered');
    my ($status, $out) = $gw->command('replay', '--since', '2020-01-01T00:00:00Z', 'crm');
    like($out, qr/left: delivered 3: the destination has them; --again repeats them/, 'and why');
    is(scalar(() = delivered()), 3, 'nothing was sent');
};

subtest 'unless again' => sub {
    my ($plan, $done) = replay('--again', '--since', '2020-01-01T00:00:00Z');
    is_deeply($plan->{taken}, { delivered => 3 }, 'all is taken');
    wait_until { delivered() == 6 } 'all is sent once more';
    wait_until { $gw->sql("SELECT count(*) FROM open") == 0 } 'and settled';
    balance_closes('after a repetition');
    my ($later) = replay('--again', '--since', '2099-01-01T00:00:00Z');
    is($later->{events}, 0, 'nothing since a later time');
};

subtest 'a lead with all its events' => sub {
    my $lead = $gw->sql('SELECT lower(hex(lead)) FROM event WHERE seq = 1');
    $lead =~ s/^(.{8})(.{4})(.{4})(.{4})(.{12})$/$1-$2-$3-$4-$5/;
    my ($plan, $done) = replay('--again', '--id', $lead);
    is($done->{replayed}, 2, 'created and touched');
    wait_until { delivered() == 8 } 'both are sent';
    is_deeply([sort +(delivered())[6, 7]], [1, 3], 'the right ones');
    wait_until { $gw->sql("SELECT count(*) FROM open") == 0 } 'and settled';
};

subtest 'mistakes' => sub {
    my @rows = (
        [2, qr/give one of/, '--dead', '--id', $receipts[0], 'crm'],
        [2, qr/wants a time/, '--since', 'yesterday', 'crm'],
        [2, qr/36 characters/, '--id', 'x', 'crm'],
        [1, qr/no event and no lead/, '--id', '01890000-0000-7000-8000-000000000000', 'crm'],
        [1, qr/there is no sink erp/, 'erp'],
        [2, qr/usage/],
    );
    for my $row (@rows) {
        my ($status, $pattern, @words) = @$row;
        my ($got, $out, $errors) = $gw->command('replay', @words);
        is($got, $status, "replay @words");
        like($errors, $pattern, 'says why');
    }
    my ($status, $out, $errors) = $gw->command('dead', 'erp');
    is($status, 1, 'a sink that is not there has no letters');
    like($errors, qr/knows a sink erp/, 'and that is said');
    ($status, $out, $errors) = $gw->command('forget', 'crm');
    is($status, 1, 'a configured sink is not forgotten');
    like($errors, qr/is configured; take it out/, 'and why');
    ($status, $out, $errors) = $gw->command('forget', 'erp');
    like($errors, qr/knows no sink and no source erp/, 'nor one that never was');
};

subtest 'when none runs' => sub {
    $gw->stop;
    my ($plan, $done) = replay('--again', '--id', $receipts[1]);
    is($done->{replayed}, 1, 'the command owns the store');
    is(states()->{retry}, 1, 'it is due');
    balance_closes('while it waits');
    $gw->start;
    wait_until { delivered() == 9 } 'the next gateway sends it';
    is((delivered())[8], 2, 'the right one');
    wait_until { $gw->sql("SELECT count(*) FROM open") == 0 } 'and it is settled';
};

# What today's `when` would do with them is in the plan.
subtest 'a plan under the configuration of today' => sub {
    my $config = slurp($gw->config);
    my $filtered = $config =~ s/(crm: \{ )/$1when: "person.email == 'ada\@example.com'", /r;
    spew($gw->config, $filtered);
    my ($plan) = replay('--dry-run', '--again', '--since', '2020-01-01T00:00:00Z');
    is($plan->{events}, 3, 'three would go');
    is($plan->{filtered_today}, 1, 'of which one would be filtered');
    is($plan->{when_fails_today}, 0, 'and none is unsure');
    my ($status, $out) = $gw->command('replay', '--dry-run', '--again', '--since', '2020-01-01T00:00:00Z', 'crm');
    like($out, qr/^  of these       1: would be filtered today$/m, 'in words');
    spew($gw->config, $config =~ s/(crm: \{ )/$1when: "organization.employees > 5", /r);
    ($plan) = replay('--dry-run', '--again', '--since', '2020-01-01T00:00:00Z');
    is($plan->{when_fails_today}, 3, 'one that fails is said, too');
    is($plan->{mapping_fails_today}, 0, 'there is no mapping');
    spew($gw->config, $config =~ s/(crm: \{ )/$1mapping: { half: organization.employees \/ 2 }, /r);
    ($plan) = replay('--dry-run', '--again', '--since', '2020-01-01T00:00:00Z');
    is($plan->{mapping_fails_today}, 3, 'a mapping that fails is said');
    ($status, $out) = $gw->command('replay', '--dry-run', '--again', '--since', '2020-01-01T00:00:00Z', 'crm');
    like($out, qr/^  of these       3: `mapping` fails on them, so they wait$/m, 'in words');
    spew($gw->config, $config =~ s/(crm: \{ )/$1events: [lead.touched], /r);
    ($plan) = replay('--dry-run', '--again', '--since', '2020-01-01T00:00:00Z');
    is($plan->{filtered_today}, 2, 'types of events are looked at');
    spew($gw->config, $config);
};

# Whatever a destination answers, a line of --json is JSON, to somebody else's parser.
subtest 'answers with odd bytes' => sub {
    $gw->stop;
    my $odd = join '', map { sprintf '%02x', $_ } 0 .. 255;
    $gw->sql("INSERT OR REPLACE INTO open (sink, seq, state, attempts, error) VALUES ('crm', 1, 'dead', 1, CAST(x'$odd' AS TEXT));"
        . "INSERT INTO attempt VALUES ('crm', 1000, 1, 1, 'dead', 400, x'$odd', NULL);"
        . "INSERT OR REPLACE INTO open (sink, seq, state, attempts, error) VALUES ('crm', 2, 'dead', 1, 'plain');"
        . "INSERT INTO attempt VALUES ('crm', 1000, 2, 2, 'dead', 400, x'2261225c0a0dc3a9c3e280a8f0908d88ff', NULL)");
    my ($status, $out) = $gw->command('dead', '--json', 'crm');
    is($status, 0, 'dead --json');
    spew($gw->dir . '/letters', $out);
    my $python = 'import json, sys; print([(l["seq"], l["answer"]) for l in map(json.loads, open(sys.argv[1], encoding="utf-8", newline="\n"))][1])';
    open my $pipe, '-|', '/usr/bin/python3', '-c', $python, $gw->dir . '/letters' or die $!;
    my $seen = do { local $/; <$pipe> };
    ok(close $pipe, 'each line parses');
    is($seen, qq((2, '"a"\\\\\\n\\r\xc3\xa9\xef\xbf\xbd\\u2028\xf0\x90\x8d\x88\xef\xbf\xbd')\n), 'and says what was answered');
    ($status, $out) = $gw->command('dead', 'crm');
    unlike($out, qr/[\x00-\x09\x0b-\x1f\x7f]/, 'nor do control characters reach the terminal');
    $gw->sql("DELETE FROM open WHERE sink = 'crm'; DELETE FROM attempt WHERE sink = 'crm' AND at = 1000");
    $gw->start;
};

# As a partner's lead has them that is told of each day.
subtest 'a lead with more than a thousand events' => sub {
    $gw->stop;
    my $last = $gw->sql('SELECT max(seq) FROM event');
    my ($lead) = slurp($gw->sink) =~ /"lead":\{[^{}]*?"id":"([^"]{36})"/;
    my $id = $lead =~ tr/-//dr;
    my $own = $gw->sql("SELECT count(*) FROM event WHERE lead = x'$id'");
    $gw->sql('WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)'
        . " INSERT INTO event SELECT $last + i, 'lead.touched', x'$id', 1, '{}' FROM n");
    my ($plan) = replay('--dry-run', '--again', '--id', $lead);
    is($plan->{events} + ($plan->{left}{pending} || 0), $own + 2500, 'all of them are looked at');
    $gw->sql("DELETE FROM event WHERE seq > $last");
    $gw->start;
};

subtest 'a sink that was removed is forgotten' => sub {
    $gw->stop;
    my $config = slurp($gw->config);
    $config =~ s/^  crm:.*\n//m;
    spew($gw->config, $config);
    $gw->start;
    my ($status, $out, $errors) = $gw->command('forget', 'crm');
    is($status, 0, 'by the running gateway') or diag($errors);
    is($gw->sql("SELECT (SELECT count(*) FROM settled WHERE sink = 'crm') +"
            . " (SELECT count(*) FROM open WHERE sink = 'crm') +"
            . " (SELECT count(*) FROM attempt WHERE sink = 'crm')"), 0, 'nothing is left of it');
    balance_closes('for the others');
};

$gw->finish;
done_testing;
