# No room: 503 with Retry-After before the sender is misled, readiness says why,
# and service resumes by itself when there is room.
use strict;
use warnings;

use JSON::PP;
use LeadgateTest;
use Test::More;

$ENV{LEADGATE_TEST_PLUGINS} ||= ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/plugin';

my $number = 0;
my $filler = 'x' x 20_000;

sub post {
    my ($gateway) = @_;
    $number++;
    return $gateway->post('/f/contact', [email => "p$number\@example.com", message => $filler]);
}

# Posts until one is turned away; returns the answer and how many were taken.
sub post_until_full {
    my ($gateway, $most) = @_;
    for my $taken (0 .. $most) {
        my $answer = post($gateway);
        return ($answer, $taken) if $answer->{status} != 202;
    }
    return (undef, $most);
}

sub check_full {
    my ($gateway, $answer) = @_;
    is($answer->{status}, 503, 'then the answer is 503');
    like($answer->{headers}{'retry-after'} || '', qr/^[1-9]\d*$/, 'with Retry-After');
    like($answer->{headers}{'content-type'}, qr{^application/problem\+json}, 'as a problem');
    my $ready = $gateway->admin('/readyz');
    is($ready->{status}, 503, 'readiness falls');
    my $detail = eval { decode_json($ready->{content})->{detail} } || '';
    like($detail, qr/full|room|size|space/i, "and says why: $detail");
    is($gateway->admin('/healthz')->{status}, 200, 'but the process is well');
    is(post($gateway)->{status}, 503, 'the next one is turned away too');
    my $early = $gateway->connect;
    syswrite $early, "POST /f/contact HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n";
    is(read_answer($early)->{status}, 503, 'before its body has come');
    like($gateway->admin('/metrics')->{content},
        qr/^leadgate_source_turned_away_total\{source="contact-form",reason="store"\} [1-9]/m, 'and counted');
    close $early;
}

sub check_journal {
    my ($gateway, $acknowledged) = @_;
    is($gateway->sql('SELECT count(*) FROM event'), $acknowledged, 'what was acknowledged is in the journal');
}

my @announced = (qr/event=\S*(store|outbox|room|disk|writer|sink|lane|plugin)/);

# store.max_size
{
    my $gateway = LeadgateTest->new(store => ', max_size: 4MiB')->announce(@announced)->start;
    my ($answer, $taken) = post_until_full($gateway, 400);
    cmp_ok($taken, '>', 20, "store.max_size: $taken leads are taken");
    check_full($gateway, $answer);
    cmp_ok(-s $gateway->store, '<=', 4 << 20, 'the file is not larger than it may be');
    check_journal($gateway, $taken);
    is(($gateway->command('check'))[0], 0, 'commands work');
    is($gateway->stop, 0, 'it stops in order');
    my $config = slurp($gateway->config);
    $config =~ s/4MiB/64MiB/;
    spew($gateway->config, $config);
    $gateway->start;
    is(post($gateway)->{status}, 202, 'with more room it takes leads again');
    $gateway->wait_events($taken + 1);
    $gateway->finish;
}

# No room even for the outcomes of deliveries: said once, and not the end.
{
    my $gateway = LeadgateTest->new(config => <<'YAML')->announce(@announced);
listen: [{ address: "127.0.0.1:0" }]
store: { path: "@DIR@/store.db", max_size: 1MiB }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
  crm: { plugin: failing_sink, script: "@DIR@/script", retry_first: 100ms, retry_max: 100ms }
YAML
    spew($gateway->dir . '/script', "retry\n");
    $gateway->start;
    $gateway->command('pause', 'crm');
    my @requests = map { form_request('/f/contact', [email => "w$_\@example.com"]) } 1 .. 200;
    is(scalar(grep { $_->{status} == 202 } $gateway->exchange_all(@requests)), 200, 'leads that wait for a sink');
    # Something that nobody drops.
    $gateway->sql("PRAGMA max_page_count = 100000; INSERT INTO state VALUES ('test', 'hog', zeroblob(1 << 20), NULL)");
    $gateway->command('resume', 'crm');
    wait_until { $gateway->log =~ /level=error event=sink\.outcomes_wait sink=crm / } 'the log says that outcomes wait';
    $gateway->sql("DELETE FROM state WHERE key = 'hog'");
    wait_until { $gateway->log =~ /event=sink\.outcomes_stored sink=crm/ } 'and that it is over';
    is(scalar(() = $gateway->log =~ /event=sink\.outcomes_wait/g), 1, 'it was said once');
    spew($gateway->dir . '/script', "deliver\n");
    wait_until { $gateway->sql('SELECT max(last_seq) FROM settled') == 200
        && $gateway->sql('SELECT count(*) FROM open') == 0 } 'all is delivered in the end';
    $gateway->finish;
}

# A sink that rejects everything uses up its part of what is kept, and no other's.
{
    my $gateway = LeadgateTest->new(config => <<'YAML')->announce(@announced);
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "@DIR@/store.db", max_size: 4MiB }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
  fussy: { plugin: failing_sink, script: "@DIR@/fussy", batch_events: 10 }
  moody: { plugin: failing_sink, script: "@DIR@/moody", batch_events: 10, retry_first: 1h, retry_max: 1h }
YAML
    my $dir = $gateway->dir;
    spew("$dir/fussy", "reject\n");
    spew("$dir/moody", "retry\n");
    $gateway->start;
    $gateway->command('pause', 'fussy');
    my ($taken, $n, @statuses) = (0, 0);
    until (grep { $_ == 503 } @statuses) {
        my @requests = map { form_request('/f/contact', [email => 'r' . $n++ . '@example.com']) } 1 .. 100;
        @statuses = map { $_->{status} } $gateway->exchange_all(@requests);
        $taken += grep { $_ == 202 } @statuses;
        die "no end of it\n" if $n > 10_000;
    }
    $gateway->command('resume', 'fussy');
    wait_until { $gateway->log =~ /event=sink\.outcomes_wait sink=fussy / } "dead letters: no more of them at $taken leads";
    my ($status, $out) = $gateway->command('sinks', '--json');
    my %sinks = map { my $sink = decode_json($_); ($sink->{name} => $sink) } split /\n/, $out;
    is($sinks{fussy}{state}, 'waiting', 'their sink does not look well');
    like($sinks{fussy}{reason}, qr/cannot take the outcomes of deliveries/, '… and says why');
    like(($gateway->command('status'))[1], qr/\.state +waiting\n\S+\.reason +the journal cannot take/, '… as status does');
    my $dead = $gateway->sql("SELECT count(*) FROM open WHERE sink = 'fussy'");
    spew("$dir/moody", "deliver\n");
    $gateway->command('resume', 'moody');
    wait_until { $gateway->sql("SELECT max(last_seq) FROM settled WHERE sink = 'moody'") == $taken
        && $gateway->sql("SELECT count(*) FROM open WHERE sink = 'moody'") == 0 } 'another sink delivers all';
    cmp_ok($dead, '<', $taken, "$dead dead letters of $taken leads had room");
    $gateway->stop;
    spew("$dir/fussy", "deliver\n");
    $gateway->start;
    wait_until { $gateway->sql("SELECT max(last_seq) FROM settled WHERE sink = 'fussy'") == $taken }
        'what waited goes again after a restart';
    $gateway->finish;
}

# A full disk.
SKIP: {
    my $mount = File::Temp::tempdir('leadgate-full-XXXXXX', TMPDIR => 1, CLEANUP => 0);
    if ($> != 0 || system("mount -t tmpfs -o size=24m leadgate-test $mount 2>/dev/null") != 0) {
        rmdir $mount;
        skip 'no tmpfs can be mounted here', 1;
    }
    eval {
        my $gateway = LeadgateTest->new(dir => $mount, store => ', wal_size: 1MiB')
            ->announce(@announced)->start;
        my $before = post($gateway);
        is($before->{status}, 202, 'a small disk: leads are taken');
        # Something else takes the room.
        open my $hog, '>:raw', "$mount/hog" or die "$mount/hog: $!\n";
        1 while syswrite $hog, 'x' x 65536;
        close $hog;
        my ($answer, $taken) = post_until_full($gateway, 1500);
        check_full($gateway, $answer);
        my $acknowledged = 1 + $taken;
        unlink "$mount/hog";
        my $again;
        wait_until { ($again = post($gateway))->{status} == 202 } 'leads are taken again';
        pass('with room again, leads are taken again without a restart');
        is($gateway->admin('/readyz')->{status}, 200, 'and readiness says so');
        check_journal($gateway, $acknowledged + 1);
        $gateway->wait_events($acknowledged + 1);
        pass('everything reaches the sink');
        $gateway->finish;
        1;
    } or fail("a full disk: $@");
    system "umount $mount" and diag("$mount stays mounted");
    rmdir $mount;
}
done_testing;
