# The balance closes after whatever happens: a random action on a long-lived
# store, then the count, some hundred times; and a second, independent count of a
# copy agrees with it in every number. Each kind of action comes at least once.
#
# LEADGATE_BALANCE_RUNS (300) and LEADGATE_BALANCE_SEED choose how many actions
# and which.
use strict;
use warnings;

use IPC::Open2;
use File::Path qw(remove_tree);
use JSON::PP;
use LeadgateTest;
use List::Util qw(shuffle);
use POSIX qw(mkfifo strftime);
use Test::More;
use Time::HiRes qw(sleep time);

$ENV{LEADGATE_TEST_PLUGINS} ||= ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/plugin';

# What slows every process down has fewer of them.
my $slow = $ENV{LG_WRAP} || ($ENV{LG_SAN} || '') =~ /\w/;
my $runs = $ENV{LEADGATE_BALANCE_RUNS} || ($slow ? 60 : 300);
my $seed = defined $ENV{LEADGATE_BALANCE_SEED} ? $ENV{LEADGATE_BALANCE_SEED} : time ^ $$;
srand $seed;
note("LEADGATE_BALANCE_SEED=$seed LEADGATE_BALANCE_RUNS=$runs");

my %sinks = map { $_ => 1 } qw(calm moody fussy);
my $batch = 5;
my $retention = '0s';
my $start = '';
my $gateway = LeadgateTest->new(files => { store => 'store/store.db' }, config => config())
    ->announce(qr/level=(warning|error)/);
my $dir = $gateway->dir;
mkfifo("$dir/fifo", 0600) or die "$dir/fifo: $!\n";
spew("$dir/$_.script", "deliver\n") for qw(calm moody fussy late);

# Each sink wants something else; `late` begins sometimes with what comes next.
sub config {
    my %more = (
        calm => q(, when: "inquiry.kind ~= 'quote'"), moody => ', events: [lead.created, lead.touched, gateway.alert]',
        fussy => ', events: [lead.created]', late => $start,
    );
    my $sinks = join '', map {
        "  $_: { plugin: failing_sink, script: \"\@DIR\@/$_.script\", log: \"\@DIR\@/$_.log\", timeout: 200ms,\n"
            . "    retry_first: 10ms, retry_max: 50ms, retry_for: 10m, batch_events: $batch$more{$_} }\n"
    } sort keys %sinks;
    return <<"YAML";
core: { loops: 2, shutdown: 5s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store/store.db", wal_size: 256KiB, retention: $retention }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none, honeypot: website2 }
  quote-form: { plugin: webform, path: /f/quote, auth: none, kind: quote }
sinks:
$sinks
YAML
}

# ---- what may happen -------------------------------------------------------------

my $people = 0;
my @receipts;

sub one_of { return $_[rand @_] }

# A new person, a known one with more to say, the same again, or a robot.
sub a_post {
    my $who = rand() < 0.4 || !$people ? $people++ : int rand $people;
    my @form = (full_name => "Person $who", email => "p$who\@example.com");
    push @form, message => 'message ' . int rand 4 if rand() < 0.7;
    push @form, website2 => 'http://spam.example' if rand() < 0.1;
    my @key = rand() < 0.3 ? ('Idempotency-Key' => "key-$who-" . int rand 3) : ();
    return form_request(one_of('/f/contact', '/f/quote'), \@form, @key);
}

sub post_some {
    for my $answer ($gateway->exchange_all(map { a_post() } 0 .. rand 8)) {
        die "a post was answered $answer->{status}\n" unless $answer->{status} =~ /^(202|422)$/;
        push @receipts, $answer->{body} =~ /"receipt":"([^"]+)"/;
    }
}

sub change_mood {
    my $sink = one_of(sort keys %sinks);
    my $mood = one_of(qw(deliver deliver deliver retry unclassified park reject fail never half thread),
        'late 20', 'hang 20');
    spew("$dir/$sink.script.new", "$mood\n");
    rename "$dir/$sink.script.new", "$dir/$sink.script" or die "$sink: $!\n";
    return "$sink: $mood";
}

# In the middle of what is under way.
sub kill_it {
    for (0 .. rand 4) {
        my $socket = $gateway->connect;
        syswrite $socket, a_post();
    }
    sleep rand 0.02;
    $gateway->kill_hard;
    $gateway->start;
    return;
}

# The same with the power: what was not synced is gone, or half of it.
sub cut_power {
    my $picture = "$dir/picture";
    mkdir $picture or die "$picture: $!\n";
    $gateway->kill_hard;
    my %cut = (FOLDER => "$dir/store", PICTURE => $picture, PLUG => "$dir/fifo", AFTER => 1 + int rand 60, SEED => int rand 1e9);
    $gateway->launch(program => ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/fault/cut_gateway',
        env => { map { ("CUT_$_" => $cut{$_}) } keys %cut });
    $gateway->wait_ready;
    spew("$dir/fifo", '!');
    my $status;
    wait_until {
        eval { $gateway->exchange(a_post()) };
        defined($status = $gateway->reap);
    } 'the power is gone';
    die "the gateway ended with $status, not by the cut\n" if $status ne 'signal 9';
    remove_tree("$dir/store");
    rename $picture, "$dir/store" or die "$picture: $!\n";
    $gateway->start;
    return "$cut{AFTER} operations later";
}

# Also with another retention: then old events are pruned.
sub restart {
    $retention = @_ ? $_[0] : one_of('0s', '1s', '2s');
    my $status = $gateway->stop;
    die "the gateway ended with $status\n" if $status ne '0';
    $gateway->configure(config())->start;
    return "keeps for $retention";
}

# A command that must succeed.
sub order {
    my ($name, @arguments) = @_;
    my ($status, $out, $err) = $gateway->command($name, @arguments);
    my $pruned = grep { $_ eq '--id' } @arguments; # the event may be gone
    die "$name @arguments ended with $status\n$out$err" unless $status eq '0' || ($status eq '1' && $pruned);
    return "@arguments";
}

# Whoever comes opens descriptors of its own: those of the start count no more.
sub reload {
    my $how = order('reload', rand() < 0.5 ? '--wait' : ());
    delete $gateway->{descriptors};
    return "reload $how";
}

# One that changes nothing, or one that fails and leaves everything as it was.
sub reload_in_vain {
    return 'the same' if rand() < 0.5 && reload();
    $gateway->configure(config() . "\nno-such-section: {}\n");
    my ($status) = $gateway->command('reload');
    $gateway->configure(config());
    die "a broken configuration was answered $status\n" if $status ne '78';
    return 'broken';
}

# A sink comes or goes, or is configured otherwise.
sub reconfigure {
    if (rand() < 0.5) { $batch = 1 + int rand 9 }
    elsif ($sinks{late}) { delete $sinks{late} }
    else { $sinks{late} = 1; $start = one_of('', ', start: now') }
    $gateway->configure(config());
    if (rand() < 0.3) { restart() } else { reload() }
    return $sinks{late} ? "late is there, batches of $batch" : "no late, batches of $batch";
}

sub pause_one { return order('pause', one_of(sort keys %sinks), 'a reason') }
sub resume_one { return order('resume', one_of(sort keys %sinks)) }

# Dead letters, everything since a moment ago, or one event; as a plan or in earnest.
sub replay_one {
    my $since = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time - int rand 3));
    my @what = one_of([], ['--dead'], ['--since', $since], @receipts ? ['--id', one_of(@receipts)] : []);
    my @how = ((rand() < 0.3 ? '--again' : ()), (rand() < 0.2 ? '--dry-run' : ()));
    return order('replay', @{ $what[0] }, @how, one_of(sort keys %sinks));
}

# Only what is not configured can be forgotten.
sub forget_late {
    return 'not now' if $sinks{late} || $gateway->sql(
        "SELECT count(*) FROM settled WHERE sink = 'late'") == 0;
    return order('forget', 'late');
}

# Made while everything goes on, it is a journal that closes as well.
sub back_up {
    my $file = "$dir/backup.db";
    unlink glob "$file*";
    order('backup', $file);
    spew("$dir/backup.yaml", slurp($gateway->config) =~ s{/store/store\.db}{/backup.db}r);
    my ($status, $text) = balance("$dir/backup.yaml");
    die "of the backup it does not close:\n$text" if $status ne '0';
    return;
}

# The same while nobody runs: then the commands own the store.
sub order_without_gateway {
    $gateway->kill_hard;
    my @done = map { one_of(\&pause_one, \&resume_one, \&replay_one, \&forget_late)->() } 0 .. rand 3;
    $gateway->start;
    return join '; ', @done;
}

sub let_go_on { sleep rand 0.03 }

my @actions = map { my ($name, $action, $weight) = @$_; ([$name, $action]) x $weight } (
    ['post', \&post_some, 16], ['mood', \&change_mood, 10], ['go on', \&let_go_on, 4],
    ['kill', \&kill_it, 2], ['power cut', \&cut_power, 2], ['restart', \&restart, 2],
    ['reconfigure', \&reconfigure, 3], ['reload', \&reload_in_vain, 2], ['backup', \&back_up, 1],
    ['pause', \&pause_one, 3], ['resume', \&resume_one, 4], ['replay', \&replay_one, 6],
    ['forget', \&forget_late, 1], ['without a gateway', \&order_without_gateway, 1],
);

# ---- counting --------------------------------------------------------------------

my $counter = open2(my $counts, my $asked, "$ENV{LG_SRCDIR}/tests/lib/count_balance");
my @happened;

sub balance {
    my ($config) = @_;
    my ($status, $out, $err) = LeadgateTest::run_leadgate('balance', '--json', '-c', $config);
    my @lines = map { decode_json($_) } split /\n/, $out;
    return ($status, "$out$err", @lines);
}

# What is wrong now; nothing: ''. Now and then also beside the gateway.
sub check {
    my ($status, $text) = @happened % 5 ? (0, '') : balance($gateway->config);
    return "beside the gateway it does not close:\n$text" if $status ne '0';
    print $asked $gateway->store, "\t$dir/copy.db\n";
    my $second = decode_json(scalar <$counts> || die "the second count ended\n");
    return "the second count: @{ $second->{wrong} }" if @{ $second->{wrong} };
    my $config = slurp($gateway->config);
    $config =~ s{/store/store\.db}{/copy.db};
    spew("$dir/copy.yaml", $config);
    ($status, $text, my @lines) = balance("$dir/copy.yaml");
    return "of the copy it does not close:\n$text" if $status ne '0';
    my ($intake) = grep { $_->{kind} eq 'intake' } @lines;
    return "$intake->{events} events, not $second->{events}" if $intake->{events} != $second->{events};
    return "$intake->{leads} leads, not $second->{leads}" if $intake->{leads} != $second->{leads};
    for my $sink (grep { $_->{kind} eq 'sink' } @lines) {
        my $other = $second->{sinks}{ $sink->{name} } || { pending => $second->{events} };
        for my $state (qw(pending delivered filtered retry parked dead unclassified held discarded erased)) {
            my $counted = $other->{$state} || 0;
            return "$sink->{name}: $sink->{$state} $state, not $counted" if $sink->{$state} != $counted;
        }
    }
    return '';
}

# ---- for people, and what it says when something is wrong -----------------------

sub check_text {
    my ($status, $out) = $gateway->command('balance');
    is($status, 0, 'balance as text');
    like($out, qr/^events +\d+ = \d+ lead\.\w+/m, '… counts events by type');
    like($out, qr/^calm +\d+ = (\d+ \w+( \+ )?)+$/m, '… and the states of a sink');
    like($out, qr/^closes$/m, '… and closes');
    is(check(), '', '… as it does of a copy');
    # Of the copy, for the journal may change meanwhile, and by its number, for the rows
    # of several sinks end with the newest event.
    my ($row, $sink) = split /\|/, $gateway->sql("SELECT rowid, sink FROM settled WHERE outcomes LIKE '%delivered%'"
        . " OR outcomes LIKE '%filtered%' ORDER BY last_seq DESC LIMIT 1", "$dir/copy.db");
    $gateway->sql("INSERT INTO settled SELECT * FROM settled WHERE rowid = $row", "$dir/copy.db");
    ($status, $out) = LeadgateTest::run_leadgate('balance', '-c', "$dir/copy.yaml");
    is($status, 1, 'a settled row is there twice: exit 1');
    like($out, qr/^$sink: events? \d.* in more than one state$/m, '… the events are named');
    like($out, qr/^does not close/m, '… it does not close');
}

# ---- the runs --------------------------------------------------------------------

$gateway->start;
my $wrong = '';
my $done = 0;
my %kind = map { $_->[0] => $_ } @actions;
my @at_least = shuffle(values %kind);
for (; $done < $runs && !$wrong; $done++) {
    my $action = shift @at_least || one_of(@actions);
    my $detail = eval { $action->[1]->() } || '';
    push @happened, $action->[0] . ($detail =~ /\D/ ? " ($detail)" : '');
    $wrong = $@ || check();
}
is($wrong, '', "the balance closes after each of $runs actions") or diag("after $done actions, the last: ",
        join ', ', @happened > 12 ? @happened[-12 .. -1] : @happened);
# In the end everything that can go goes, and nothing is called delivered that the
# sink has not seen. All may be pruned by now: there is one more, and it stays.
spew("$dir/$_.script", "deliver\n") for keys %sinks;
restart('0s');
is($gateway->post('/f/contact', [email => 'last@example.com'])->{status}, 202, 'the last one');
order('resume', $_) for keys %sinks;
wait_until {
    my (undef, undef, @lines) = balance($gateway->config);
    !grep { $_->{kind} eq 'sink' && $_->{configured} && ($_->{pending} || $_->{retry} || $_->{unclassified}) } @lines;
} 'all that can be delivered is';
for my $sink (sort keys %sinks) {
    my %seen = map { $_ => 1 } slurp("$dir/$sink.log") =~ /^(\d+) /mg;
    my @told = $gateway->delivered($sink);
    is(scalar(grep { !$seen{$_} } @told), 0, "$sink has seen all " . @told . ' events that are called delivered');
}
check_text();
close $asked;
waitpid $counter, 0;
is($?, 0, 'the second count ended well');
cmp_ok($gateway->sql('SELECT max(seq) FROM event'), '>', $runs / 4, 'there was something to count');
my %count;
$count{ s/ \(.*//r }++ for @happened;
note(@receipts . ' receipts, ', $gateway->sql('SELECT max(seq) - count(*) FROM event'), ' events pruned; ',
    join ', ', map { "$_ $count{$_}" } sort keys %count);

$gateway->finish;
done_testing;
