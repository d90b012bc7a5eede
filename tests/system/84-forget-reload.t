# A sink comes and goes by reloads while it is forgotten and leads come in, round
# after round and all at once: the balance closes, nothing is delivered to it twice,
# what was forgotten stays so, and the sink beside it notices nothing.
#
# LEADGATE_FORGET_ROUNDS (25) and LEADGATE_FORGET_SEED choose how many and which.
use strict;
use warnings;

use IO::Socket::UNIX;
use LeadgateTest;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

$ENV{LEADGATE_TEST_PLUGINS} ||= ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/plugin';

my $slow = $ENV{LG_WRAP} || ($ENV{LG_SAN} || '') =~ /\w/;
my $rounds = $ENV{LEADGATE_FORGET_ROUNDS} || ($slow ? 8 : 25);
my $seed = defined $ENV{LEADGATE_FORGET_SEED} ? $ENV{LEADGATE_FORGET_SEED} : $$;
srand $seed;
note("LEADGATE_FORGET_SEED=$seed LEADGATE_FORGET_ROUNDS=$rounds");

# `guest` begins with what comes next, so that after it was forgotten nothing of
# before is due: whatever it gets twice it should not have got.
sub config {
    my ($guest) = @_;
    my $line = $guest ? qq(  guest: { plugin: failing_sink, script: "\@DIR\@/script", log: "\@DIR\@/guest.log", start: now, batch_events: $guest, retry_first: 5ms, retry_max: 20ms }\n) : '';
    return <<"YAML";
core: { loops: 2, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store.db" }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
  steady: { plugin: file, path: "\@DIR\@/leads.ndjson" }
$line
YAML
}

my $gateway = LeadgateTest->new(config => config(3))->announce(qr/event=sink\.(waiting|parked) sink=guest/);
my $dir = $gateway->dir;

sub one_of { return $_[rand @_] }
sub script { spew("$dir/script.new", "$_[0]\n"); rename "$dir/script.new", "$dir/script" or die "script: $!\n" }
sub delivered { return slurp("$dir/guest.log") =~ /^([1-9]\d*) /mg }

# What the journal has of the guest.
sub rows {
    return $gateway->sql("SELECT (SELECT count(*) FROM settled WHERE sink = 'guest') + (SELECT count(*) FROM open WHERE sink = 'guest')"
        . " + (SELECT count(*) FROM attempt WHERE sink = 'guest') + (SELECT count(*) FROM state WHERE key = 'guest' AND scope LIKE 'sink.%')");
}

# ---- others, at the same time --------------------------------------------------------

my $stop = "$dir/enough";

# A process that does something until it is told to stop or the block says false.
sub begin_worker {
    my ($do, $end) = @_;
    my $pid = fork;
    die "fork: $!\n" unless defined $pid;
    return $pid if $pid;
    1 while !-e $stop && eval { $do->() };
    $end->();
    POSIX::_exit(0);
}

# Leads come in, and those that were taken are counted.
sub begin_posts {
    my $taken = 0;
    return begin_worker(sub {
        my $answer = $gateway->post('/f/contact', [email => "p$taken\@example.com"]);
        die "status $answer->{status}\n" if $answer->{status} != 202;
        sleep 0.002;
        ++$taken;
    }, sub { spew("$dir/taken", $@ ? "after $taken: $@" : $taken) });
}

# Asks for the guest to be forgotten, again and again, and counts the answers.
sub begin_forgetting {
    my %answers;
    return begin_worker(sub {
        my $socket = IO::Socket::UNIX->new(Peer => $gateway->store . '.sock') or die "no control socket: $!\n";
        print $socket qq({"command":"forget","sink":"guest"}\n);
        my $answer = join '', <$socket>;
        $answers{ $answer =~ /"count":"?0\b/ ? 'unknown' : $answer =~ /"count"/ ? 'done'
            : $answer =~ /is configured/ ? 'configured' : $answer =~ /ending its last batch/ ? 'ending' : $answer }++;
        sleep 0.001;
        1;
    }, sub { spew("$dir/forgotten", join ', ', map { "$_: $answers{$_}" } sort keys %answers) });
}

# ---- rounds ---------------------------------------------------------------------------

sub reload {
    my ($guest, @how) = @_;
    $gateway->configure(config($guest));
    my ($status, $out, $err) = $gateway->command('reload', @how);
    die "a reload ended with $status:\n$out$err" if $status ne '0';
}

script('deliver');
$gateway->start;
delete $gateway->{descriptors}; # lanes come and go
my @workers = (begin_posts(), begin_forgetting());
my @revived;
for my $round (1 .. $rounds) {
    # There it is, and has something to do; then it goes with that under way.
    script(one_of(qw(deliver deliver thread retry), 'late 10'));
    reload(1 + int rand 9, rand() < 0.3 ? '--wait' : ());
    sleep rand 0.05;
    script('deliver') if rand() < 0.5;
    # Sometimes it comes back while it is being forgotten.
    reload(0, rand() < 0.3 ? '--wait' : ());
    sleep rand 0.03;
    next if $round % 5;

    # Gone for good: nothing of it is written any more.
    $gateway->command('reload', '--wait');
    wait_until { rows() == 0 } 'it is forgotten';
    my $last = $gateway->sql('SELECT max(seq) FROM event');
    wait_until { $gateway->sql("SELECT max(last_seq) FROM settled WHERE sink = 'steady'") > $last } 'others have gone on';
    push @revived, $round if rows() != 0;
    my ($status, $out, $err) = $gateway->command('balance');
    is($status, 0, "the balance closes after $round rounds") or diag("$out$err");
}
is_deeply(\@revived, [], 'what was forgotten stays so');

# In the end it comes once more.
script('deliver');
reload(5, '--wait');
my $from = $gateway->sql('SELECT max(seq) FROM event');
wait_until { grep { $_ > $from } delivered() } 'and gets what comes then';
spew($stop, '');
waitpid $_, 0 for @workers;
my ($taken, $forgotten) = map { slurp("$dir/$_") } qw(taken forgotten);
like($taken, qr/^\d+$/, 'no post was refused');
is($gateway->sql('SELECT max(seq) FROM event'), $taken, "$taken leads are in the journal");
$gateway->wait_events($taken);
is_deeply([map { $_->{seq} } $gateway->events], [1 .. $taken], 'the sink beside it had each once, in order');
wait_until { $gateway->sql("SELECT max(last_seq) FROM settled WHERE sink = 'guest'") == $taken
    && $gateway->sql("SELECT count(*) FROM open WHERE sink = 'guest'") == 0 } 'the guest has settled all';
my %times;
$times{$_}++ for delivered();
is_deeply([grep { $times{$_} > 1 } sort { $a <=> $b } keys %times], [], 'the guest had nothing twice');
cmp_ok(scalar keys %times, '>', 0, keys(%times) . ' events were delivered to it');
is_deeply([grep { !$times{$_} } $gateway->delivered('guest')], [], 'and nothing is called delivered that it had not');
like($forgotten, qr/^configured: \d+, done: [1-9]\d*(, (ending|unknown): \d+)*$/, "forget was done or said why not: $forgotten");
my ($status, $out, $err) = $gateway->command('balance');
is($status, 0, 'the balance closes') or diag("$out$err");
$gateway->finish;
done_testing;
