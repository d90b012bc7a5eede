# The access log: off unless asked for, nothing personal, opened anew by a reload,
# and never in the way of an answer.
use strict;
use warnings;

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
$gateway->finish;
done_testing;
