# Stores of older versions, as those have left them: they open, are brought up to
# date, and everything in them goes on. A newer one is refused and not touched. A
# power cut or a full disk amid the change leaves either the old one or the new one.
use strict;
use warnings;

use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use JSON::PP;
use LeadgateTest;
use POSIX qw(mkfifo);
use Test::More;

$ENV{LEADGATE_TEST_PLUGINS} ||= ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/plugin';

use constant { EVENTS => 11, POWER_CUT => 'signal 9' };
my $slow = $ENV{LG_WRAP} || ($ENV{LG_SAN} || '') =~ /\w/;
my $stores = "$ENV{LG_SRCDIR}/tests/system/stores";

# `late` is new; the others go on where they were.
my $config = <<'YAML';
core: { loops: 1, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "@DIR@/store/store.db" }
dedup: { person_window: 36500d }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
  archive: { plugin: file, path: "@DIR@/leads.ndjson" }
  crm: { plugin: failing_sink, log: "@DIR@/crm.log" }
  late: { plugin: failing_sink, log: "@DIR@/late.log" }
YAML

sub new_gateway { return LeadgateTest->new(files => { store => 'store/store.db' }, config => $config) }

# The store of a version, anew; more SQL adds to it.
sub make_store {
    my ($gateway, $version, $more) = @_;
    my $dir = $gateway->dir;
    remove_tree("$dir/store");
    mkdir "$dir/store" or die "$dir/store: $!\n";
    open my $shell, '|-', "sqlite3 '$dir/store/store.db' >/dev/null" or die "sqlite3: $!\n";
    print $shell "PRAGMA journal_mode = WAL;\n", slurp("$stores/schema-$version.sql"), $more || '';
    close $shell or die "the store of version $version cannot be made\n";
}

# How the tables and indexes are made, and their version.
sub describe {
    my ($gateway, $store) = @_;
    return join "\n", map { $gateway->sql($_, $store) } 'PRAGMA user_version',
        "SELECT m.name, c.name, c.type FROM sqlite_schema m, pragma_table_xinfo(m.name) c WHERE m.type = 'table' ORDER BY 1, c.cid",
        "SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name";
}

# All that is in the tables which every version has.
sub content {
    my ($gateway, $store) = @_;
    return join "\n", map { $gateway->sql($_, $store) }
        'PRAGMA integrity_check', 'SELECT seq, type, hex(lead), at, body FROM event', 'SELECT hex(id), event FROM lead',
        'SELECT seq, hex(lead), at, hex(keys) FROM identity', 'SELECT sink, first_seq, last_seq, at, outcomes FROM settled',
        'SELECT sink, seq, state, attempts, due, error FROM open',
        'SELECT sink, at, first_seq, last_seq, outcome, status, answer FROM attempt',
        'SELECT scope, key, hex(value), expires FROM state';
}

sub seen { my ($gateway, $sink) = @_; return [sort { $a <=> $b } slurp($gateway->dir . "/$sink.log") =~ /^(\d+) /mg] }

my $fresh = do {
    my $gateway = new_gateway()->start;
    my $text = describe($gateway);
    $gateway->finish;
    $text;
};
my ($version) = $fresh =~ /^(\d+)\n/;

# ---- what is there goes on ---------------------------------------------------------

for my $old (sort { $a <=> $b } map { /schema-(\d+)\.sql$/ } glob "$stores/*") {
    my $gateway = new_gateway();
    make_store($gateway, $old);
    my $before = content($gateway);
    my ($status, $out, $err) = $gateway->command('balance');
    is($status, 1, "a command that only reads does not change a store of schema $old");
    like($err, qr/written by an older leadgate; start the gateway once/, '… and says what to do');
    is($gateway->sql('PRAGMA user_version'), $old, '… which is as it was');
    my @open = split /\n/, $gateway->sql("SELECT seq FROM open WHERE sink = 'crm' AND state = 'retry'");
    my $settled = $gateway->sql("SELECT max(last_seq) FROM settled WHERE sink = 'crm'");
    is(scalar @open, 2, 'it has events to be tried again');

    $gateway->start;
    is(describe($gateway), $fresh, "the start makes of it what a new store of schema $version is");
    my $touched = $gateway->post('/f/contact', [email => 'person1@example.com', message => 'years later']);
    is($touched->{status}, 202, 'it takes leads');
    is($gateway->post('/f/contact', [email => 'new@example.com'])->{status}, 202, 'of new people too');
    my $last = EVENTS + 2;
    is($gateway->sql('SELECT group_concat(type) FROM (SELECT type FROM event WHERE seq > ' . EVENTS . ' ORDER BY seq)'),
        'lead.touched,lead.created', '… and knows the old ones');
    my @due = sort { $a <=> $b } @open, $settled + 1 .. $last;
    wait_until { @{ seen($gateway, 'crm') } == @due && @{ seen($gateway, 'late') } == $last } 'all is delivered';
    is_deeply(seen($gateway, 'crm'), \@due, 'what was open or pending is delivered, once');
    is_deeply(seen($gateway, 'late'), [1 .. $last], 'a new sink gets everything from the beginning');
    $gateway->wait_events(2);
    is_deeply([map { $_->{seq} } $gateway->events], [EVENTS + 1, $last], 'and one that had all the rest');
    wait_until { $gateway->sql("SELECT count(*) FROM open WHERE state <> 'dead'") == 0 } 'all is settled';
    ($status, $out) = $gateway->command('dead', '--json', 'crm');
    is_deeply([map { my $l = decode_json($_); [@$l{qw(seq attempts)}] } split /\n/, $out], [[5, 1], [6, 1]],
        'dead letters are there') or diag($out);
    is(($gateway->command('balance'))[0], 0, 'the balance closes');
    is(($gateway->command('replay', 'crm'))[0], 0, 'they can be replayed');
    wait_until { $gateway->sql('SELECT count(*) FROM open') == 0 } 'and go';
    for my $what ('person1@example.com', decode_json($touched->{body})->{receipt}) {
        ($status, $out, $err) = $gateway->command('explain', $what);
        is($status, 0, 'explain tells of both times') or diag($err);
    }
    ($status, $out, $err) = $gateway->command('balance');
    is($status, 0, 'the balance closes') or diag("$out$err");
    is($gateway->stop, 0, 'it stops');
    $gateway->start;
    is(describe($gateway), $fresh, 'another start changes nothing');
    $gateway->finish;
}

# ---- a newer one ---------------------------------------------------------------------

{
    my $gateway = new_gateway()->announce(qr/event=gateway\.failed/);
    make_store($gateway, 2, 'PRAGMA user_version = ' . ($version + 1) . ";\n");
    my $bytes = slurp($gateway->store);
    $gateway->launch;
    is($gateway->wait_end, 1, 'a store of a newer version is refused');
    my $why = qr/store\.db was written by a newer leadgate \(its schema is @{[$version + 1]}, this one knows up to $version\); start that version again/;
    like($gateway->log, $why, '… with the reason and what to do');
    my ($status, $out, $err) = $gateway->command('balance');
    is($status, 1, 'by a command too');
    like($err, $why, '… in the same words');
    ok(slurp($gateway->store) eq $bytes, '… and not a byte of it has changed');
    $gateway->finish;
}

# ---- no room for the change -------------------------------------------------------------

# As much as the change needs beside the store: a file may not grow beyond 40 KiB.
{
    my $gateway = new_gateway()->announce(qr/event=gateway\.failed/);
    make_store($gateway, 1, <<'SQL');
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
INSERT INTO attempt SELECT 'crm', 1795322803358 + i, 5, 5, 'dead', 599, NULL FROM n;
SQL
    my ($schema, $rows) = (describe($gateway), content($gateway));
    my $limited = $gateway->dir . '/limited';
    spew($limited, "#!/bin/sh\nulimit -f 80\nexec " . leadgate_binary() . " \"\$@\"\n");
    chmod 0755, $limited;
    $gateway->launch(program => $limited);
    is($gateway->wait_end, 1, 'without room the gateway does not start');
    like($gateway->log, qr/event=gateway\.failed reason="[^"]*store\.db could not be brought up to date: /, '… and says why');
    ok(describe($gateway) eq $schema && content($gateway) eq $rows, 'the store is the old one, whole');
    $gateway->start;
    is(describe($gateway), $fresh, 'with room again it is brought up to date');
    is($gateway->sql('SELECT count(*) FROM attempt WHERE at > 1795322803358 AND first_seq = 5'), 5000 + 1, 'with all it had');
    $gateway->finish;
}

# ---- the power fails in the middle ----------------------------------------------------------

{
    # A sink that has all: nothing else is written.
    my $gateway = new_gateway();
    my $dir = $gateway->dir;
    $gateway->configure($config =~ s/^  (crm|late):.*\n//mgr);
    my ($picture, $fifo) = map { "$dir/$_" } qw(picture fifo);
    mkfifo($fifo, 0600) or die "$fifo: $!\n";
    make_store($gateway, 1);
    my ($schema, $rows) = (describe($gateway), content($gateway));
    my ($cuts, %came, $ready) = (0);
    # Every write, sync or truncation of the start in turn, the disk keeping this or that.
    my $kinds = $slow ? 1 : 4;
    for (my $try = 0; !$ready; $try++) {
        my $at = 1 + int $try / $kinds;
        make_store($gateway, 1);
        remove_tree($picture);
        mkdir $picture or die "$picture: $!\n";
        $gateway->launch(program => "$ENV{LG_BUILDDIR}/tests/fault/cut_gateway", env => { CUT_START => 1,
            CUT_AFTER => $at, CUT_SEED => 1 + $try * 2654435761, CUT_FOLDER => "$dir/store", CUT_PICTURE => $picture, CUT_PLUG => $fifo });
        my $status;
        wait_until { defined($status = $gateway->reap) || ($ready = $gateway->log =~ /event=gateway\.ready/) } 'the cut or the start';
        $gateway->read_log;
        last if $ready;
        die "the gateway ended with $status:\n" . $gateway->log if $status ne POWER_CUT;
        $cuts++;
        my $kept = "$picture/store.db";
        my $now = describe($gateway, $kept);
        my $which = $now eq $schema ? 'old' : $now eq $fresh ? 'new' : "neither:\n$now";
        $which .= ', not whole' if content($gateway, $kept) ne $rows;
        $came{$which}++;
    }
    $gateway->kill_hard;
    note("$cuts cuts: ", join ', ', map { "$_ $came{$_}" } sort keys %came);
    is_deeply([grep { $_ ne 'old' && $_ ne 'new' } keys %came], [], 'after each cut the store is the old one or the new one, whole');
    ok($came{old}, 'some cuts came before the change was done');

    remove_tree("$dir/store");
    make_store($gateway, 1);
    $gateway->configure($config)->start;
    wait_until { @{ seen($gateway, 'late') } >= EVENTS } 'the next start goes on';
    is(($gateway->command('balance'))[0], 0, 'the balance closes');
    $gateway->finish;
}

done_testing;
