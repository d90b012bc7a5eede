# What is old and done goes, whatever happens meanwhile, and a copy of the journal
# can be taken at any time.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use LeadgateTest;
use POSIX ();
use Test::More;

$ENV{LEADGATE_TEST_PLUGINS} ||= ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/plugin';

sub gateway {
    my ($store) = @_;
    return LeadgateTest->new(config => <<"YAML");
core: { loops: 1 }
listen: [{ address: "127.0.0.1:0" }]
store: { path: "\@DIR\@/store.db"$store }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
  crm: { plugin: failing_sink, script: "\@DIR\@/script", log: "\@DIR\@/log" }
  archive: { plugin: file, path: "\@DIR\@/leads.ndjson" }
YAML
}

my $number = 0;
sub post_many {
    my ($gw, $count, $words) = @_;
    my @requests = map { form_request('/f/contact', [email => 'p' . ++$number . '@example.com',
        message => 'words ' x ($words || 100)]) } 1 .. $count;
    my $good = 0;
    while (my @some = splice @requests, 0, 50) {
        $good += $_->{status} == 202 for $gw->exchange_all(@some);
    }
    return $good;
}
sub settled_all {
    my ($gw, $count) = @_;
    return 2 == grep { $_ >= $count } split /\n/,
        $gw->sql("SELECT max(last_seq) FROM settled GROUP BY sink");
}
sub balance_closes {
    my ($gw, $name) = @_;
    my ($status, $out, $errors) = $gw->command('balance');
    is($status, 0, "the balance closes $name") or diag("$out$errors");
}

subtest 'retention' => sub {
    my $gw = gateway(', retention: 1s');
    spew($gw->dir . '/script', "reject\n");
    $gw->start;
    is(post_many($gw, 1), 1, 'one that is refused by a sink');
    wait_until { $gw->sql("SELECT count(*) FROM open WHERE state = 'dead'") == 1 } 'it is dead';
    spew($gw->dir . '/script', "deliver\n");
    is(post_many($gw, 200), 200, 'and others');
    # The newest event stays, and the dead letter's.
    wait_until { $gw->sql('SELECT count(*) FROM event') == 2 } 'the others are gone';
    is($gw->sql('SELECT min(seq) FROM event'), 1, 'the dead letter is there');
    balance_closes($gw, 'after it');
    my ($status, $out) = $gw->command('replay', 'crm');
    is($status, 0, 'it can be delivered still');
    wait_until { $gw->sql('SELECT min(seq) FROM event') == 201 } 'and then it goes too';
    wait_until { $gw->sql('SELECT count(*) FROM identity') == 1 } 'with its keys';
    is($gw->sql('SELECT count(*) FROM lead'), 1, 'and its lead');
    is(post_many($gw, 1), 1, 'a lead after that');
    wait_until { settled_all($gw, 202) } 'has the next number and is delivered';
    balance_closes($gw, 'in the end');
    $gw->finish;
};

subtest 'a full journal takes leads again' => sub {
    my $gw = gateway(', max_size: 1MiB, retention: 1s')->announce(qr/event=store\.(full|fills)/);
    # What a sink has not settled stays, however old it is.
    spew($gw->dir . '/script', "hold\n");
    $gw->start;
    my ($taken, $refused) = (0, 0);
    wait_until {
        my $good = post_many($gw, 50, 3000);
        $taken += $good;
        $refused += 50 - $good;
        $refused;
    } 'it is full';
    spew($gw->dir . '/script', "deliver\n");
    wait_until { post_many($gw, 1) } 'leads are taken again';
    balance_closes($gw, 'when it was full');
    wait_until { settled_all($gw, $gw->sql('SELECT max(seq) FROM event')) } 'all is settled';
    $gw->finish;
};

subtest 'killed in the middle of it' => sub {
    my $gw = gateway('');
    $gw->start;
    is(post_many($gw, 1200), 1200, 'leads');
    wait_until { settled_all($gw, 1200) } 'all is settled';
    $gw->stop;
    my $config = slurp($gw->config);
    $config =~ s/(store: \{)/$1 retention: 1s,/;
    spew($gw->config, $config);
    my $before = 1200;
    my $faults = ($ENV{LG_FAULT} || '') eq 'yes';
    for my $round (1 .. 4) {
        if ($faults) {    # inside a transaction
            $gw->launch(env => { LEADGATE_FAULT => 'in-chore:' . (1 + int rand 3) });
            is($gw->wait_end, 'signal 9', 'killed in a step');
        } else {
            $gw->start;
            wait_until { $gw->sql('SELECT count(*) FROM event') < $before } "round $round prunes";
            $gw->kill_hard;
        }
        $before = $gw->sql('SELECT count(*) FROM event');
        is($gw->sql('PRAGMA integrity_check'), 'ok', "the journal is whole after round $round");
        is($gw->sql('SELECT count(*) FROM lead l LEFT JOIN event e ON e.seq = l.event'
                . ' WHERE e.seq IS NULL'), 0, 'every lead has its record');
        balance_closes($gw, "after round $round");
        last if $before == 1;
    }
    $gw->start;
    wait_until { $gw->sql('SELECT count(*) FROM event') == 1 } 'it ends with the newest event';
    wait_until { $gw->sql('SELECT count(*) FROM identity') == 1 } 'and its keys';
    balance_closes($gw, 'in the end');
    $gw->finish;
};

subtest 'a copy under load' => sub {
    my $gw = gateway('');
    $gw->start;
    is(post_many($gw, 500), 500, 'leads');
    my $copy = $gw->dir . '/copy.db';
    my $stop = $gw->dir . '/stop';
    my $pid = fork;
    if (!$pid) {
        $number += 1000000;    # other people than those that come later
        my $good = eval { post_many($gw, 10) until -e $stop; 1 };
        POSIX::_exit($good ? 0 : 1);
    }
    my $before = $gw->sql('SELECT max(seq) FROM event');
    wait_until { $gw->sql('SELECT max(seq) FROM event') > $before } 'the load is there';
    my ($status, $out, $errors) = $gw->command('backup', $copy);
    spew($stop, '');
    waitpid $pid, 0;
    is($?, 0, 'the load went well');
    is($status, 0, 'backup ends well') or diag($errors);
    is((stat $copy)[2] & 07777, 0600, 'for its owner alone');
    is(qx(sqlite3 $copy 'PRAGMA integrity_check'), "ok\n", 'the copy is whole');
    chomp(my $events = qx(sqlite3 $copy 'SELECT count(*) FROM event'));
    cmp_ok($events, '>=', 500, "with $events events");
    ($status, $out, $errors) = $gw->command('backup', $copy);
    is($status, 1, 'nothing is overwritten');
    like($errors, qr/is there already/, 'and why');
    wait_until { settled_all($gw, $gw->sql('SELECT max(seq) FROM event')) } 'all is settled';
    $gw->stop;

    # To restore is to use it.
    unlink map { $gw->store . $_ } '', '-wal', '-shm';
    rename $copy, $gw->store;
    $gw->start;
    is(post_many($gw, 1), 1, 'a gateway runs on it');
    wait_until { settled_all($gw, $events + 1) } 'and delivers';
    balance_closes($gw, 'on the copy');
    $gw->stop;
    ($status, $out, $errors) = $gw->command('backup', $copy);
    is($status, 0, 'a copy without a gateway') or diag($errors);
    is(qx(sqlite3 $copy 'PRAGMA integrity_check'), "ok\n", 'is whole');
    $gw->finish;
};

done_testing;
