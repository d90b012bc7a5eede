# The access log: off unless asked for, nothing personal, opened anew by a reload,
# and never in the way of an answer. Whatever is refused, and each connection that is
# cut off, names its reason.
use strict;
use warnings;

use IO::Socket::INET;
use IPC::Open2;
use JSON::PP;
use LeadgateTest;
use POSIX ();
use Test::More;

sub config {
    my ($log) = @_;
    return <<"YAML";
core: { loops: 2, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store.db" }
http: { max_body: 4KiB }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
  archive: { plugin: file, path: "\@DIR\@/leads.ndjson" }
$log
YAML
}

my $gateway = LeadgateTest->new(config => config(''))->start;
my $dir = $gateway->dir;
my $path = "$dir/access.log";
my %ask = ('User-Agent' => 'Secret/1.0', Referer => 'https://personal.example/', 'X-Forwarded-For' => '192.0.2.77');

sub number {
    my ($result) = @_;
    my ($n) = $gateway->admin('/metrics')->{content} =~ /^leadgate_access_log_lines_total\{result="$result"\} (\d+)$/m;
    return $n;
}
sub lines_of { return read_lines($_[0]) }
sub wait_lines {
    my ($file, $count) = @_;
    wait_until { (my @lines = lines_of($file)) >= $count } "$file has $count lines";
    return lines_of($file);
}

is($gateway->post('/f/contact', [email => 'off@example.com'], %ask)->{status}, 202, 'without a path');
is(number('written'), 0, 'nothing is written');
ok(!-e $path, 'and no file is there');

$gateway->announce(qr/event=forwarded\.ignored/);

# ---- on, by a reload -----------------------------------------------------------------------
$gateway->configure(config(qq(access_log: { path: "$path" })));
is(($gateway->command('reload'))[0], 0, 'a reload opens it');
ok(-e $path, 'at once');
is(sprintf('%o', (stat $path)[2] & 07777), '600', 'for its owner alone');
$gateway->{descriptors}{file}++;
is($gateway->post('/f/contact?token=hidden', [email => 'ada@example.com', full_name => 'Ada Lovelace'], %ask)->{status}, 202, 'a lead');
my ($line) = wait_lines($path, 1);
is_deeply([sort keys %$line], [qw(bytes duration_us method path protocol source status time)], 'its line has these members');
is($line->{source}, 'contact-form', 'the source');
is($line->{path}, '/f/contact', 'its path, without the query');
is("$line->{method} $line->{status} $line->{protocol}", 'POST 202 http/1.1', 'what was done');
like($line->{time}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'when');
cmp_ok($line->{duration_us}, '>', 0, 'how long it took');
cmp_ok($line->{bytes}, '>', 20, 'and how long the answer is');

is($gateway->exchange("GET /people/ada\@example.com?x=1 HTTP/1.1\r\nHost: x\r\n\r\n")->{status}, 404, 'a path that nobody has');
is($gateway->exchange("ADA /f/contact HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")->{status}, 405, 'a method that nobody has');
is($gateway->post('/f/contact', [message => 'x' x 9000])->{status}, 413, 'a body that is too large');
is($gateway->exchange("GET /\r\nbroken\r\n\r\n")->{status}, 400, 'and what is no request');
my @lines = wait_lines($path, 5);
is($lines[1]{status}, 404, 'the first');
ok(!exists $lines[1]{path} && !exists $lines[1]{source}, '… has neither path nor source');
is("$lines[2]{method} $lines[2]{status}", 'other 405', 'the second does not repeat what it was called');
is("$lines[3]{status} $lines[3]{reason}", '413 body-too-large', 'a refusal has its reason');
is($lines[4]{status}, 400, 'also of what was not understood');
ok($lines[4]{reason}, "… which is $lines[4]{reason}");
unlike(slurp($path), qr/ada|hidden|127\.0\.0\.1|192\.0\.2|Secret|personal|people/i, 'nobody is in the log');
is($gateway->admin('/healthz')->{status}, 200, 'the admin listener');
is(scalar(lines_of($path)), 5, 'is not for the log');

# ---- moved away, as logrotate does ------------------------------------------------------------
rename $path, "$path.1";
is($gateway->post('/f/contact', [email => 'b@example.com'])->{status}, 202, 'a lead after the move');
wait_lines("$path.1", 6);
is(($gateway->command('reload'))[0], 0, 'a reload');
is($gateway->post('/f/contact', [email => 'c@example.com'])->{status}, 202, 'and one after it');
is(scalar(wait_lines($path, 1)), 1, 'goes to the new file');
is(scalar(lines_of("$path.1")), 6, 'the old one stays');

# ---- what goes wrong ---------------------------------------------------------------------------
$gateway->configure(config(qq(access_log: { path: "$dir/none/access.log" })));
$gateway->announce(qr/event=reload\.failed/);
my ($status, $out, $err) = $gateway->command('reload');
is($status, 78, 'a file that cannot be opened fails the reload');
like($err, qr/none\/access\.log cannot be opened/, 'and is named') or diag($err);
$gateway->announce(qr/event=access_log\.failed/);
$gateway->configure(config('access_log: { path: /dev/full }'));
is(($gateway->command('reload'))[0], 0, 'a file that takes nothing');
is($gateway->post('/f/contact', [email => 'd@example.com'])->{status}, 202, 'harms no lead');
wait_until { number('dropped') == 1 } 'the line is counted as dropped';
like($gateway->log, qr/event=access_log\.failed/, 'and the log says so once');

# A pipe that nobody reads any more.
POSIX::mkfifo("$dir/pipe", 0600) or die "mkfifo: $!\n";
$gateway->configure(config(qq(access_log: { path: "$dir/pipe" })));
is(($gateway->command('reload'))[0], 78, 'a pipe without a reader is refused, and nobody waits for one');
open my $reader, '+<', "$dir/pipe" or die "$dir/pipe: $!\n";
is(($gateway->command('reload'))[0], 0, 'one with a reader is taken');
my $socket = $gateway->connect;
my ($good, $asked, $rest) = (0, 0, '');
my $dropped = number('dropped');
wait_until {
    for (1 .. 50) {
        syswrite $socket, "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";
        $asked++;
        $good += read_answer($socket, \$rest)->{status} == 404;
    }
    number('dropped') > $dropped;
} 'lines are dropped when it is full';
close $socket;
is($good, $asked, "while all $asked requests are answered");
$gateway->configure(config(''));
is(($gateway->command('reload'))[0], 0, 'it is turned off');
is($gateway->post('/f/contact', [email => 'e@example.com'])->{status}, 202, 'a lead');
is($gateway->stop, 0, 'a stop');
unlink $path;
$gateway->configure(config(qq(access_log: { path: "$path" })))->start;
is($gateway->post('/f/contact', [email => 'f@example.com'])->{status}, 202, 'from the start on');
is($gateway->stop, 0, 'it is written to the end');
is(scalar(lines_of($path)), 1, '… whole');

# What a stop does not wait for.
$gateway->announce(qr/event=gateway\.cut/)->start;
my $cut = $gateway->connect;
begin_body($cut, form_request('/f/contact', [email => 'g@example.com'], Expect => '100-continue'));
$gateway->signal('TERM');
wait_until { $gateway->log =~ /event=gateway\.draining connections=1/ } 'a request holds up a stop';
is($gateway->stop, 0, 'a second signal ends it');
is((lines_of($path))[-1]{closed}, 'stopped', 'and its connection is noted');
close $cut;
$gateway->finish;

# ---- why ------------------------------------------------------------------------------------------
my $strict = LeadgateTest->new(config => <<'YAML')->announce(qr/event=(?:store|sink)\./)->start;
core: { loops: 2 }
listen:
  - { address: "127.0.0.1:0", max_connections: 1 }
  - { address: "127.0.0.1:0", trusted_proxies: [127.0.0.0/8] }
admin: { address: "127.0.0.1:0" }
http: { max_address_rate: 1, max_address_burst: 3, max_body: 64KiB, head_timeout: 4s }
store: { path: "@DIR@/store.db", max_size: 4MiB, queue: 2 }
lead: { max_record: 32KiB }
access_log: { path: "@DIR@/access.log" }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
  slow-form: { plugin: webform, path: /f/slow, auth: none, max_rate: 1, max_burst: 1 }
sinks: { archive: { plugin: file, path: "@DIR@/leads.ndjson" } }
YAML
$strict->{descriptors}{file}++;
$path = $strict->dir . '/access.log';
my $known = 0;

# So many lines, in their order.
sub new_lines {
    my ($count) = @_;
    my @all = wait_lines($path, $known + $count);
    $known += $count;
    return @all[$known - $count .. $known - 1];
}
sub check_line {
    my ($expected, $what) = @_;
    my ($line) = new_lines(1);
    my $got = join ' ', map { defined $line->{$_} ? $line->{$_} : '-' } qw(source status reason);
    is($got, $expected, $what);
}
my $people = 0;
sub person { $people++; return (email => "p$people\@example.com") }
sub ask_from {
    my ($client, $to, $pairs, %headers) = @_;
    return $strict->post($to, $pairs, 'X-Forwarded-For' => "192.0.2.$client", %headers)->{status};
}

is(ask_from(1, '/f/contact', [person()]), 202, 'a client within its rate') for 1 .. 3;
ok(!grep({ exists $_->{reason} } new_lines(3)), '… has no reason');
is(ask_from(1, '/f/contact', [person()]), 429, 'beyond it');
check_line('- 429 address-rate', '… it is the address');
is(ask_from(1, '/nowhere', [person()]), 429, 'also where there is no source');
check_line('- 429 address-rate', '… it is');
is(ask_from(2, '/f/slow', [person()]), 202, 'a source within its rate');
is(ask_from(2, '/f/slow', [person()]), 429, 'beyond it');
new_lines(1);
check_line('- 429 source-rate', '… it is the source');
is(ask_from(3, '/f/contact', [message => 'x']), 422, 'a lead whom nobody can reach');
check_line('contact-form 422 unreachable', '… says so');
is(ask_from(4, '/f/contact', [person()], 'Idempotency-Key' => 'key'), 202, 'a key');
is(ask_from(4, '/f/contact', [person()], 'Idempotency-Key' => 'key'), 422, '… used again for another');
new_lines(1);
check_line('contact-form 422 conflict', '… says so');
is(ask_from(5, '/f/contact', [person(), map { ("field$_" => 'x' x 3000) } 1 .. 15]), 413, 'a lead that is too large');
check_line('contact-form 413 too-large', '… says so');
is(ask_from(6, '/f/contact', [person()], 'Content-Type' => 'image/png'), 415, 'what the plugin does not take');
check_line('contact-form 415 refused', '… says so');

# Sends all but the last byte of a request whose head was understood; returns that.
sub begin_body {
    my ($socket, $bytes) = @_;
    my ($head, $body) = $bytes =~ /\A(.*?\r\n\r\n)(.*)\z/s;
    syswrite $socket, $head;
    sysread $socket, my $go, 100;
    is($go, "HTTP/1.1 100 Continue\r\n\r\n", 'a body is asked for');
    syswrite $socket, substr $body, 0, -1;
    return substr $body, -1;
}

# Connections that are cut off, or never were.
my $half = $strict->connect;
syswrite $half, 'POST /f/contact HTTP/1.1\r\nHost: a\r\n';
is(read_answer($half)->{status}, 408, 'half a head');
is_deeply([map { $_->{reason} || $_->{closed} } new_lines(2)], ['head-timeout', 'head-timeout'], '… is answered, and its connection cut off');
close $half;
my ($port) = $strict->log =~ /event=gateway\.listening for=leads address=\S+ port=(\d+)/;
sub second { return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) || die "connect: $!\n" }
my $kept = second();
begin_body($kept, form_request('/f/contact', [person()], Expect => '100-continue'));
my $turned = second();
is(sysread($turned, my $byte, 1), 0, 'a connection too many is turned away');
my ($away) = new_lines(1);
is_deeply([sort keys %$away], [qw(closed time)], '… which is a line of its own');
is($away->{closed}, 'full-listener', '… and says why');
close $turned;
close $kept;
is((new_lines(1))[0]{closed}, 'peer-left', 'and so does one that goes in the middle of its body');

# The journal: two wait, the third came when there was room and the fourth did not.
my $late = $strict->connect;
my $request = form_request('/f/contact', [person()], Expect => '100-continue');
my $last = begin_body($late, $request);
my $holder = open2(my $rows, my $in, $strict->sqlite3);
print $in "BEGIN IMMEDIATE;\nSELECT 'held';\n";
$in->flush;
is(scalar <$rows>, "held\n", 'the journal is held');
my $bytes = 0;
my @waiting = map {
    my $sender = $strict->connect;
    syswrite $sender, form_request('/f/contact', [person()]);
    my $before = $bytes;
    wait_until {
        ($bytes) = $strict->admin('/metrics')->{content} =~ /^leadgate_store_queue_bytes (\d+)$/m;
        $bytes > $before;
    } "$_ of two wait";
    $sender;
} 1, 2;
syswrite $late, $last;
is(read_answer($late)->{status}, 503, 'a body that came too late');
check_line('contact-form 503 queue', '… met a full queue');
is(ask_from(7, '/f/contact', [person()]), 503, 'one by its head alone');
check_line('- 503 queue', '… too');
close $in;
waitpid $holder, 0;
is(read_answer($_)->{status}, 202, 'who waited is served') for @waiting;
new_lines(2);
close $_ for $late, @waiting;
my $status_now;
for my $try (1 .. 400) {
    $status_now = ask_from(100 + int($try / 3), '/f/contact', [person(), message => 'x' x 20_000]);
    last if $status_now != 202;
    $known++;
}
is($status_now, 503, 'a store that is full');
check_line('contact-form 503 store', '… is another reason');
is(ask_from(8, '/f/contact', [person()]), 503, 'now by the head alone');
check_line('- 503 store', '… too');
unlike(slurp($path), qr/example\.com|192\.0\.2|127\.0\.0\.1|xxx|key/, 'nobody is in the log');
$strict->finish;
done_testing;
