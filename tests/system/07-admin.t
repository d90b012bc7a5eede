# The admin listener reads, and only reads; the control socket is for its owner.
use strict;
use warnings;

use IO::Socket::UNIX;
use JSON::PP;
use LeadgateTest;
use Test::More;

my $gateway = LeadgateTest->new->start;
$gateway->post('/f/contact', [email => 'ada@example.com']);
$gateway->post('/f/contact', [email => 'ada@example.com']);
$gateway->post('/f/contact', [full_name => 'nobody']);
$gateway->wait_events(1);

my $answer = $gateway->admin('/healthz');
is($answer->{status}, 200, '/healthz');
is_deeply(decode_json($answer->{content}), { status => 'ok' }, '… says ok');
$answer = $gateway->admin('/readyz');
is($answer->{status}, 200, '/readyz');
is_deeply(decode_json($answer->{content}), { status => 'ready' }, '… says ready');

$answer = $gateway->admin('/metrics');
is($answer->{status}, 200, '/metrics');
like($answer->{headers}{'content-type'}, qr{^text/plain; version=0\.0\.4}, '… is the text format');
my $metrics = $answer->{content};
for my $line (
    'leadgate_leads_total{source="contact-form",result="created"} 1',
    'leadgate_leads_total{source="contact-form",result="repeated"} 1',
    'leadgate_leads_total{source="contact-form",result="unreachable"} 1',
    'leadgate_source_requests_total{source="contact-form",result="stored"} 2',
    'leadgate_source_requests_total{source="contact-form",result="refused"} 1',
    'leadgate_ready 1', 'leadgate_store_last_seq 1', 'leadgate_store_leads 1',
) {
    like($metrics, qr/^\Q$line\E$/m, $line);
}
unlike($metrics, qr/ada|example\.com/, 'no personal data in a metric');
my (%types, %rows);
for my $line (split /\n/, $metrics) {
    $types{$1}++ if $line =~ /^# TYPE (\S+) /;
    $rows{$1}++ if $line =~ /^([^# ]\S*) /;
    next if $line =~ /^#/;
    next if $line =~ /^[a-z0-9_:]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[0-9.e+-]+$/ || $line =~ /\+Inf/;
    fail("not of the text format: $line");
}
is_deeply([grep { $types{$_} > 1 } sort keys %types], [], 'each metric has one type');
is_deeply([grep { $rows{$_} > 1 } sort keys %rows], [], 'and each row stands once');

my ($sink) = @{ decode_json($gateway->admin('/sinks')->{content})->{sinks} };
is($sink->{name}, 'archive', '/sinks names the sink');
is($sink->{plugin}, 'file', '… and its plugin');
wait_until { decode_json($gateway->admin('/sinks')->{content})->{sinks}[0]{position} == 1 } 'the sink has settled';
pass('… and how far it is');

for my $path (qw(/healthz /readyz /metrics /sinks)) {
    for my $method (qw(POST PUT DELETE)) {
        is($gateway->admin($path, $method)->{status}, 405, "$method $path: 405");
    }
}
is($gateway->admin('/healthz', 'HEAD')->{status}, 200, 'HEAD is a kind of reading');
is($gateway->admin('/nothing')->{status}, 404, 'another path: 404');
is($gateway->get('/metrics')->{status}, 404, 'the leads port has no /metrics');

# The control socket.
my $path = $gateway->store . '.sock';
ok(-S $path, 'the control socket stands beside the store');
is(sprintf('%o', (stat $path)[2] & 07777), '600', 'with mode 0600');

sub control {
    my ($line) = @_;
    my $socket = IO::Socket::UNIX->new(Peer => $path) or die "$path: $!\n";
    print $socket $line;
    shutdown $socket, 1 unless $line =~ /\n/;
    local $/;
    my $text = <$socket>;
    return defined $text ? $text : '';
}
is(decode_json(control(qq({"command":"status"}\n)))->{state}, 'ready', 'status');
is(decode_json(control(qq({"command":"sinks"}\n)))->{name}, 'archive', 'sinks');
ok(decode_json(control(qq({"command":"dance"}\n)))->{error}, 'an unknown command is an error');
ok(decode_json(control(qq(dance\n)))->{error}, 'so is what is no JSON');
is(control('{"command":"status"}'), '', 'an unfinished line gets no answer');
is(control('x' x 10_000), '', 'an endless line is cut');

SKIP: {
    skip 'only root can become another user', 1 if $> != 0;
    my $pid = fork;
    if (!$pid) {
        chmod 0666, $path;   # the mode alone must not be what protects it
        chmod 0755, $gateway->dir;
        $) = $( = 65534;
        $> = $< = 65534;
        my $socket = IO::Socket::UNIX->new(Peer => $path) or POSIX::_exit(3);
        print $socket qq({"command":"status"}\n);
        my $got = <$socket>;
        POSIX::_exit(defined $got ? 1 : 0);
    }
    waitpid $pid, 0;
    is($? >> 8, 0, 'another user is not answered');
    chmod 0600, $path;
}
wait_until { $> != 0 || $gateway->log =~ /event=control\.refused/ } 'the refusal is in the log';

# A socket that a killed gateway left is replaced.
$gateway->kill_hard;
ok(-S $path, 'a killed gateway leaves its socket');
$gateway->start;
is(decode_json(control(qq({"command":"status"}\n)))->{state}, 'ready', 'the next one replaces it');
is($gateway->stop, 0, 'stop');
ok(!-e $path, 'and removes it');
$gateway->finish;
done_testing;
