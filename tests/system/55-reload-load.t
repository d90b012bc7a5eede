# Five hundred reloads while leads come in: nobody is refused, reset or lost.
use strict;
use warnings;

use IO::Handle;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP;
use LeadgateTest;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

use constant RELOADS => 500;
use constant CONNECTIONS => 6;

# What changes from one reload to the next: limits, a source's options, a sink's
# options (its lane is replaced, on the same file); and a listener, a source and a
# sink are not always there.
sub config {
    my ($n) = @_;
    my $listen = $n % 5 ? ', { address: "127.0.0.1:0" }' : '';
    my $gather = 5 + $n % 2;
    my $other = $n % 2 ? '  quote-form: { plugin: webform, path: /f/quote, auth: none, kind: quote }' : '';
    my $copy = $n % 3 ? '  copy: { plugin: file, path: "@DIR@/copy.ndjson" }' : '';
    return <<"YAML";
core: { loops: 2, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }$listen]
admin: { address: "127.0.0.1:0" }
http: { max_headers: @{[ 50 + $n % 7 ]}, idle_timeout: @{[ 60 + $n % 3 ]}s }
store: { path: "\@DIR\@/store.db" }
dedup: { keys: [email] }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none, max_items: @{[ 10 + $n % 5 ]} }
$other
sinks:
  archive: { plugin: file, path: "\@DIR\@/leads.ndjson", gather: ${gather}ms }
$copy
YAML
}

my $gateway = LeadgateTest->new(config => config(0))->start;
my $receipts = $gateway->dir . '/receipts';
my $stop = $gateway->dir . '/stop';

# The client: connections that are kept, one request on each at a time. It writes
# each receipt down, or what went wrong, and a line when it has ended.
sub client {
    open my $out, '>', $receipts or die "$receipts: $!\n";
    $out->autoflush(1);
    my ($select, %rest) = (IO::Select->new);
    my $n = 0;
    my $ask = sub {
        my ($socket) = @_;
        $n++;
        syswrite $socket, form_request('/f/contact', [email => "person$n\@example.com", message => "lead $n"]);
    };
    for (1 .. CONNECTIONS) {
        my $socket = $gateway->connect;
        $select->add($socket);
        $rest{$socket} = '';
        $ask->($socket);
    }
    while ($select->count) {
        my @ready = $select->can_read(60) or do { print $out "bad: no answer\n"; last };
        for my $socket (@ready) {
            my $answer = eval { read_answer($socket, \$rest{$socket}) };
            my ($receipt) = ($answer ? $answer->{body} : '') =~ /"receipt":"([^"]+)"/;
            if (!$receipt || $answer->{status} != 202) {
                print $out 'bad: ', $answer ? "$answer->{status} $answer->{body}" : "closed $@", "\n";
                $select->remove($socket);
                next;
            }
            print $out "$receipt\n";
            -e $stop ? $select->remove($socket) : $ask->($socket);
        }
    }
    print $out "end $n\n";
    close $out;
    return;
}

my $child = fork;
die "fork: $!\n" unless defined $child;
if (!$child) {
    eval { client(); 1 } or spew($receipts, "bad: $@");
    POSIX::_exit(0);
}

# Reloads back to back: one is asked for as soon as the loops have taken the last.
sub reload {
    my $socket = IO::Socket::UNIX->new(Peer => $gateway->store . '.sock') or return "no socket: $!";
    syswrite $socket, qq({"command":"reload"}\n);
    local $/;
    return <$socket>;
}

# Now and then they wait for an answer, for a slow disk has fewer of these than of reloads.
my ($generation, @failed) = (1);
for my $n (1 .. RELOADS) {
    $gateway->configure(config($n));
    my $answer = reload();
    my ($taken) = $answer =~ /^\{"generation":(\d+)\}$/m;
    push @failed, "reload $n: $answer" unless $taken && $taken == $generation + 1;
    $generation = $taken || $generation;
    push @failed, "reload $n: not ready" if $n % 50 == 0 && $gateway->admin('/readyz')->{status} != 200;
    next if $n % 10;
    my $written = -s $receipts || 0;
    wait_until { (-s $receipts || 0) > $written } 'a lead is answered';
}
is_deeply(\@failed, [], RELOADS . ' reloads were taken, one generation each');
spew($stop, '');
wait_until { waitpid($child, POSIX::WNOHANG()) == $child } 'the load has ended', 120;

my @lines = split /\n/, slurp($receipts);
my ($asked) = (pop @lines || '') =~ /^end (\d+)$/;
my @bad = grep { /^bad/ } @lines;
is(scalar @bad, 0, 'no request was refused, no connection was closed') or diag(join "\n", @bad[0 .. ($#bad > 9 ? 9 : $#bad)]);
cmp_ok($asked, '>', RELOADS / 10, 'there was load all the time');
is(scalar @lines, $asked, 'every request was answered');

my $events = $gateway->sql('SELECT count(*) FROM event');
is($events, $asked, 'each acknowledged lead is in the journal once');
wait_until { (() = slurp($gateway->sink) =~ /\n/g) >= $events } 'the sink has all';
my %seen;
$seen{ $_->{id} }++ for $gateway->events;
is(scalar(grep { !$seen{$_} } @lines), 0, 'and in the file');
is(scalar(grep { $_ > 1 } values %seen), 0, 'once: a lane that is replaced hands over in order');

# Nothing of five hundred generations stays.
$gateway->configure(config(0));
my ($status, $out, $err) = $gateway->command('reload', '--wait');
is($status, 0, 'the last generation is alone') or diag($out, $err);
$gateway->finish;
done_testing;
