# The commands: beside a running gateway, and when none runs.
use strict;
use warnings;

use JSON::PP;
use LeadgateTest;
use Test::More;

my $gateway = LeadgateTest->new->start;

sub run_ok {
    my ($what, $expected, $status, $out, $err) = @_;
    is($status, $expected, "$what: exit $expected") or diag("$out$err");
    return ($out, $err);
}
sub plain { return LeadgateTest::run_leadgate(@_) }

# A command that looks for the gateway at another store than it has says which.
{
    my $other = $gateway->dir . '/other.yaml';
    spew($other, slurp($gateway->config) =~ s{store\.db}{moved.db}r);
    my ($status, undef, $why) = LeadgateTest::run_leadgate('reload', '-c', $other);
    is($status, 1, 'no gateway is at another store');
    like($why, qr{no gateway runs on the store \S+/moved\.db$}m, '… which is named');
}

# Without a store.
my ($out, $err) = run_ok('version', 0, plain('version'));
like($out, qr/^leadgate \d+\.\d+\.\d+, plugin ABI \d+\.\d+\n$/, '… says both numbers');
run_ok('--version', 0, plain('--version'));
ok(decode_json((plain('version', '--json'))[1])->{version}, '… and as JSON');
($out) = run_ok('help', 0, plain('help'));
my @verbs = $out =~ /^  (\w+) /mg;
like($out, qr/^  $_ /m, "… lists $_") for qw(run check status plugins leads show sinks version help);
for my $verb (@verbs) {
    my ($usage) = run_ok("help $verb", 0, plain('help', $verb));
    like($usage, qr/\Ausage: leadgate $verb\b/, '… says the usage');
    is((run_ok("$verb $_", 0, plain($verb, $_)))[0], $usage, '… the same') for qw(--help -h);
}
is((plain(qw(replay archive -n --help)))[1], (plain(qw(help replay)))[1], '… also behind other words');
for my $verb (grep { !/^(help|version|manual|run)$/ } @verbs) {
    (undef, $err) = run_ok("$verb with a wrong option", 2, plain($verb, '--wrong'));
    like($err, qr/usage: leadgate $verb/, '… says the usage');
}
(undef, $err) = run_ok('no command', 2, plain());
(undef, $err) = run_ok('an unknown command', 2, plain('dance'));
like($err, qr/^leadgate: unknown command: dance$/m, '… names it');
(undef, $err) = run_ok('a misspelt command', 2, plain('chek', '-c', $gateway->config));
like($err, qr/unknown command: chek; did you mean "check"\?/, '… names the one that is near');
(undef, $err) = run_ok('help for a misspelt command', 2, plain('help', 'explian'));
like($err, qr/did you mean "explain"\?/, '… as well');
# A mistake is told of the word that was typed.
for (
    ['unknown option: -j', qw(leads -jn3)],
    ['unknown option: -j', qw(leads --json -jn3)],
    ['unknown option: -x', qw(leads here -n3 -x)],
    ['unknown option: --json=3', qw(leads --json=3)],
    ['unknown option: --since', qw(status --since 2026-01-01)],
    ['unknown option: --since=2026-01-01', qw(status --since=2026-01-01)],
    ['unknown option: --limit', qw(replay archive --limit 3)],
    ['unknown option: -n', qw(replay archive -n 3)],
    ['unknown option: --wrong', qw(replay archive --wrong)],
    ['this option needs a value: --since', qw(replay archive --since)],
    ['a count is a number from 0: --limit', qw(leads --limit three)],
    ['a count is a number from 0: -n', qw(leads -n three)],
) {
    my ($mistake, @words) = @$_;
    (undef, $err) = run_ok("@words", 2, plain(@words));
    like($err, qr/^leadgate \w+: \Q$mistake\E$/m, '… with the word that is wrong');
}
run_ok('-c without a file', 2, plain('check', '-c'));
run_ok('too many arguments', 2, plain('check', '-c', $gateway->config, 'more'));
(undef, $err) = run_ok('a configuration that is not there', 78, plain('check', '-c', '/nonexistent.yaml'));
like($err, qr{/nonexistent\.yaml}, '… names the file');
($out) = run_ok('manual', 0, plain('manual'));
like($out, qr/^\.SS $_$/m, "… has section $_") for qw(core listen admin store dedup defaults lead http sources sinks);
like($out, qr/source plugin webform/, '… and the plugins');

# Plugins.
($out) = run_ok('plugins', 0, plain('plugins'));
like($out, qr/^webform +source/m, '… lists webform');
like($out, qr/^file +sink/m, '… lists file');
($out) = run_ok('plugins webform', 0, plain('plugins', 'webform'));
like($out, qr/honeypot/, '… shows its options');
like($out, qr/default \[no, nein, non, nee, nej\]/, '… and lists as they are written');
my %plugin = map { my $p = decode_json($_); ($p->{name} => $p) } split /\n/, (plain('plugins', '--json'))[1];
is($plugin{file}{kind}, 'sink', '… and as JSON');
my ($one) = map { decode_json($_) } (plain('plugins', '--json', 'csvimport'))[1];
my %option = map { ($_->{name} => $_) } @{$one->{options}};
is_deeply($option{dates}{choices}, [qw(iso day_first month_first)], '… with what an option may be');
is($option{dates}{default}, 'iso', '… and by itself is');
my ($rotate) = grep { $_->{name} eq 'rotate_interval' } @{$plugin{file}{options}};
my ($denied) = grep { $_->{name} eq 'consent_denied' } @{$plugin{webform}{options}};
is_deeply($denied->{default}, [qw(no nein non nee nej)], '… a list with its entries');
is("$rotate->{min} to $rotate->{max}", '0ms to 366d', '… with its bounds');
is_deeply($one, $plugin{csvimport}, '… alike alone and in the list');
(undef, $err) = run_ok('plugins nothing', 1, plain('plugins', 'nothing'));
like($err, qr/nothing/, '… says that there is none');

# Beside a running gateway.
($out) = run_ok('check', 0, $gateway->command('check'));
like($out, qr/good: 1 listener, 2 sources, 1 sink\n/, '… counts what there is');
my @receipts = map {
    decode_json($gateway->post('/f/contact', [full_name => "Person $_", email => "p$_\@example.com"])->{body})
        ->{receipt}
} 1 .. 5;
my @events = $gateway->wait_events(5);

sub check_reading {
    my ($state) = @_;
    my ($out) = run_ok("status, $state", 0, $gateway->command('status', '--json'));
    my $status = decode_json($out);
    is($status->{state}, $state, "… is $state");
    like($status->{store}{path}, qr/store\.db$/, '… with its store');
    is($status->{store}{last_seq}, 5, '… and its last event');
    is($status->{store}{events}, undef, '… which is no number of events');
    ($out) = run_ok('status as text', 0, $gateway->command('status'));
    like($out, qr/^state +$state$/m, '… says the same');

    ($out) = run_ok('leads', 0, $gateway->command('leads'));
    my @lines = split /\n/, $out;
    is(@lines, 5, '… lists five');
    my @ids = map { (split)[0] } @lines; # they begin with their time
    is_deeply(\@ids, [reverse sort @ids], '… newest first');
    my @emails = map { /(p\d\@example\.com)/ } @lines; # those of one millisecond in any order
    is_deeply([sort @emails], [map { "p$_\@example.com" } 1 .. 5], '… each of them');
    like($lines[0], qr/ new +cold /, '… with their status');
    ($out) = run_ok('leads -n 2 --oldest', 0, $gateway->command('leads', '-n', 2, '--oldest', '--json'));
    my @records = map { decode_json($_) } split /\n/, $out;
    is_deeply([map { $_->{person}{email} } @records], [@emails[-1, -2]],
        '… lists the first two');

    ($out) = run_ok('show a receipt', 0, $gateway->command('show', $receipts[2], '--json'));
    is_deeply(decode_json($out), $events[2]{lead}, '… prints the record');
    ($out) = run_ok('show a lead', 0, $gateway->command('show', $events[2]{lead}{id}));
    like($out, qr/^person\.email +p3\@example\.com$/m, '… prints a line a value');
    my (undef, $err) = run_ok('show what is not there', 1,
        $gateway->command('show', '01890000-0000-7000-8000-000000000000'));
    like($err, qr/no lead and no receipt/, '… says so');
    run_ok('show what is no id', 2, $gateway->command('show', 'ada'));

    ($out) = run_ok('sinks', 0, $gateway->command('sinks', '--json'));
    my $sink = decode_json($out);
    is_deeply([@$sink{qw(name plugin last_seq)}], ['archive', 'file', 5], '… names it');
    return $sink;
}
wait_until {
    decode_json(($gateway->command('sinks', '--json'))[1])->{position} == 5
} 'the sink has settled';
my $sink = check_reading('ready');
is($sink->{delivered}, 5, 'five were delivered');
isnt($sink->{state}, 'stopped', 'and the lane lives');
is($gateway->stop, 0, 'the gateway stops');
my %before = map { $_ => (stat)[9] } glob $gateway->store . '*';
$sink = check_reading('stopped');
is($sink->{state}, 'stopped', 'the lane is stopped');
is($sink->{delivered}, 5, 'the journal knows what was delivered');
is_deeply([sort glob $gateway->store . '*'], [sort keys %before], 'reading leaves no file behind');

# A store that is not there.
my $none = LeadgateTest->new;
for my $verb (qw(leads sinks status)) {
    my (undef, $err) = run_ok("$verb without a store", 1, $none->command($verb));
    like($err, qr{store\.db}, "… names the store");
}
ok(!-e $none->store, 'and none was made');
$none->finish;
$gateway->finish;
done_testing;
