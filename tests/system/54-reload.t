# A new configuration in a running gateway: item by item, whole or not at all.
use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP;
use LeadgateTest;
use POSIX qw(mkfifo);
use Test::More;

$ENV{LEADGATE_TEST_PLUGINS} ||= ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/plugin';

# The default configuration with other sources and sinks.
sub config {
    my (%parts) = @_;
    my $core = $parts{core} || 'loops: 2, shutdown: 20s';
    my $store = $parts{store} || '';
    my $sources = join '', map { "  $_\n" } @{ $parts{sources}
        || ['contact-form: { plugin: webform, path: /f/contact, auth: none }'] };
    my $sinks = join '', map { "  $_\n" } @{ $parts{sinks}
        || ['archive: { plugin: file, path: "@DIR@/leads.ndjson" }'] };
    return "core: { $core }\nlisten: [{ address: \"127.0.0.1:0\" }]\n"
        . "admin: { address: \"127.0.0.1:0\" }\nstore: { path: \"\@DIR\@/store.db\"$store }\n"
        . "sources:\n${sources}sinks:\n$sinks";
}

sub mail {
    my ($gateway, $path, $name) = @_;
    return $gateway->post($path, [email => "$name\@example.com"])->{status};
}

sub generation {
    my ($gateway) = @_;
    return $gateway->admin('/metrics')->{content} =~ /^leadgate_generation (\d+)$/m ? $1 : undef;
}

my $gateway = LeadgateTest->new(config => config())->start(env => { LG_TEST_GATHER => '6ms' });
is(generation($gateway), 1, 'a start is the first generation');
my $kept = $gateway->connect;
my $rest = '';
syswrite $kept, form_request('/f/contact', [email => 'one@example.com']);
is(read_answer($kept, \$rest)->{status}, 202, 'a lead before');

# ---- sources ----------------------------------------------------------------------

$gateway->configure(config(sources => [
    'contact-form: { plugin: webform, path: /f/contact, auth: none }',
    'quote-form: { plugin: webform, path: /f/quote, auth: none }']));
is($gateway->post('/f/quote', [email => 'q@example.com'])->{status}, 404, 'a path that is not there yet');
my ($status, $out, $err) = $gateway->command('reload');
is($status, 0, 'a reload') or diag($err);
like($out, qr/^kept +source +contact-form$/m, 'the plan says what is kept');
like($out, qr/^new +source +quote-form$/m, 'and what is new');
like($out, qr/^kept +sink +archive$/m, 'and that the sink is kept');
like($out, qr/^kept +listener +127\.0\.0\.1:0$/m, 'and the listener');
like($out, qr/^generation +2$/m, 'and which generation it is');
is(mail($gateway, '/f/quote', 'two'), 202, 'the new path is served at once');
syswrite $kept, form_request('/f/quote', [email => 'three@example.com']);
is(read_answer($kept, \$rest)->{status}, 202, 'also on a connection of before');
is(generation($gateway), 2, 'the metrics have the generation');
is(decode_json(($gateway->command('status', '--json'))[1])->{generation}, 2, 'so has status');
like($gateway->log, qr/event=reload\.done generation=2/, 'and the log');

# A request under way keeps what it began with, even when its source is gone.
# The gateway's 100 Continue says that its head was taken.
my $bytes = form_request('/f/contact', [email => 'slow@example.com', message => 'x' x 500], Expect => '100-continue');
my ($head, $body) = $bytes =~ /\A(.*?\r\n\r\n)(.*)\z/s;
sub begin {
    my ($port) = @_;
    my $socket = $gateway->connect($port);
    my $said = '';
    syswrite $socket, $head;
    sysread $socket, $said, 1, length $said while $said !~ /\r\n\r\n/;
    like($said, qr/^HTTP\/1\.1 100 /, 'a request has begun');
    return $socket;
}
my $slow = begin();
$gateway->configure(config(sources => [
    'quote-form: { plugin: webform, path: /f/quote, auth: none, kind: quote }']));
($status, $out) = $gateway->command('reload', '--json');
is($status, 0, 'a source is removed');
my %changes = map { ("$_->{kind} $_->{name}" => $_->{change}) } grep { $_->{kind} }
    map { decode_json($_) } split /\n/, $out;
is_deeply(\%changes, { 'source contact-form' => 'removed', 'source quote-form' => 'changed',
    'sink archive' => 'kept', 'listener 127.0.0.1:0' => 'kept' }, 'another changed');
is(mail($gateway, '/f/contact', 'late'), 404, 'its path is gone');
syswrite $slow, $body;
is(read_answer($slow)->{status}, 202, 'the request that had begun is answered by it');
($status, $out) = $gateway->command('reload', '--wait');
is($status, 0, 'a reload that waits');
like($out, qr/^drained +4$/m, 'says when the old generation is over');
my @events = $gateway->wait_events(4);
is($events[3]{lead}{source}{name}, 'contact-form', 'its lead is delivered');

# ---- mistakes ---------------------------------------------------------------------

sub refused {
    my ($why, @patterns) = @_;
    my $before = generation($gateway);
    ($status, $out, $err) = $gateway->command('reload');
    is($status, 78, "$why: the reload is refused");
    is(($gateway->command('status'))[0], 0, 'status does not mind');
    like($err, $_, 'all is said') for @patterns;
    is($out, '', 'no plan is printed');
    is(generation($gateway), $before, 'the old generation stays');
    is(mail($gateway, '/f/quote', "after-$before-" . time . rand), 202, 'and serves');
    is($gateway->admin('/readyz')->{status}, 200, 'and is ready');
}
$gateway->announce(qr/event=reload\.failed/);

$gateway->configure(config(sources => [
    'quote-form: { plugin: webform, pth: /f/quote, auth: none }',
    'other: { plugin: webform, path: /f/quote }',
    'third: { plugin: absent, path: /f/third, auth: none }']) . "stire: {}\n");
refused('a broken file', qr/unknown option "pth".*did you mean "path"/, qr/no plugin "absent"/,
    qr/unknown section "stire"/, qr/\^/);
for my $words (qr/unknown option/, qr/no plugin/, qr/unknown section/) {
    like($gateway->log, qr/level=error event=reload\.failed reason=.*$words/, 'the log names it, too');
}
$gateway->configure(config(sources => [
    'quote-form: { plugin: failing_source, path: /f/quote, auth: none, fail_open: true }']));
refused('a source that cannot be opened', qr/fail_open is set/);
$gateway->configure(config(sinks => ['archive: { plugin: file, path: "@DIR@/leads.ndjson", events: [lead.made] }']));
refused('an unknown event type', qr/no event type "lead\.made"/);
$gateway->configure(config(sinks => ['archive: { plugin: file, path: "@DIR@/leads.ndjson", start: 2999-01-31 }']));
refused('a start that is to come', qr/start 2999-01-31 is yet to come/);
spew($gateway->config, "listen: [\n");
($status, $out, $err) = $gateway->command('reload');
is($status, 78, 'a file that is no YAML is refused');
$gateway->signal('HUP');
wait_until { (() = $gateway->log =~ /event=reload\.kept generation=4/g) == 5 } 'a signal says so in the log';
like($gateway->admin('/metrics')->{content}, qr/^leadgate_reloads_total\{result="failed"\} 5$/m, 'failures are counted');
unlink $gateway->config;
mkfifo($gateway->config, 0600) or die "$!\n";
$gateway->signal('HUP');
wait_until { $gateway->log =~ /level=error event=reload\.failed reason=.*cannot be read: it is a pipe/ } 'a pipe is not waited for';
is($gateway->admin('/readyz')->{status}, 200, 'and the main thread goes on');

# Another store waits for the next start. The one that is open is no file for a sink meanwhile.
sub reloads { return scalar(() = $gateway->log =~ /event=reload\.(?:kept|done)/g) }
my $reloads = reloads();
$gateway->configure(config(sinks => ['archive: { plugin: file, path: "@DIR@/store.db" }']) =~ s/store\.db/next.db/r);
$gateway->signal('HUP');
wait_until { reloads() > $reloads } 'a reload that changes the store is over';
like($gateway->log, qr/store\.db is a file of the journal/, 'the journal that is open is no file for a sink');
is(generation($gateway), 4, 'all stays as it is');

# What cannot change stays as it is, and is named.
$gateway->announce(qr/event=reload\.needs-restart/);
$gateway->configure(config(core => 'loops: 3, shutdown: 21s', store => ', max_size: 3GiB',
    sources => ['quote-form: { plugin: webform, path: /f/quote, auth: none }']));
($status, $out) = $gateway->command('reload');
is($status, 0, 'what needs a restart is no mistake');
like($out, qr/^needs a restart +option +core\.loops$/m, 'it is named');
like($out, qr/^needs a restart +option +store\.max_size$/m, 'each of it');
like($out, qr/^changed +option +core\.shutdown$/m, 'what can change is taken');
my $picture = decode_json(($gateway->command('status', '--json'))[1]);
is($picture->{loops}, 2, 'as many loops as before');
isnt($picture->{store}{max_bytes}, 3 << 30, 'the store is as it was');

# Variables are the gateway's: the command need not have them.
my $variable = 'archive: { plugin: file, path: "@DIR@/leads.ndjson", gather: "${LG_TEST_GATHER}" }';
$gateway->configure(config(core => 'loops: 2, shutdown: 21s', sinks => [$variable],
    sources => ['quote-form: { plugin: webform, path: /f/quote, auth: none }']));
is(($gateway->command('check'))[0], 78, 'a variable that is not set here');
($status, $out) = $gateway->command('reload');
is($status, 0, 'is set where it matters');
like($out, qr/^changed +sink +archive$/m, 'and makes a difference');

# The log's level is taken at once.
unlike($gateway->log, qr/level=debug/, 'no line of level debug so far');
$gateway->configure(config(core => 'loops: 2, shutdown: 21s, log_level: debug',
    sources => ['quote-form: { plugin: webform, path: /f/quote, auth: none }']));
is(($gateway->command('reload'))[0], 0, 'the level of the log changes');
close $gateway->connect;
wait_until { $gateway->log =~ /level=debug event=conn\.closed/ } 'and what is logged with it';

# ---- sinks ------------------------------------------------------------------------

my $dir = $gateway->dir;
my @quote = (sources => ['quote-form: { plugin: webform, path: /f/quote, auth: none }']);
sub seqs { return [map { $_->{seq} } read_lines("$dir/$_[0]")] }
sub last_seq { return $gateway->sql('SELECT max(seq) FROM event') }
my $before = last_seq();
wait_until { my $s = seqs('leads.ndjson'); @$s && $s->[-1] == $before } 'all is delivered';
$gateway->configure(config(@quote, sinks => ['archive: { plugin: file, path: "@DIR@/second.ndjson" }']));
($status, $out) = $gateway->command('reload', '--wait');
is($status, 0, 'a sink is changed');
like($out, qr/^changed +sink +archive$/m, 'and the plan says so');
mail($gateway, '/f/quote', "second$_") for 1 .. 3;
wait_until { @{ seqs('second.ndjson') } >= 3 } 'its successor delivers';
is_deeply(seqs('second.ndjson'), [$before + 1 .. $before + 3], 'from where the one before had ended');

$gateway->configure(config(@quote, sinks => ['other: { plugin: file, path: "@DIR@/other.ndjson" }']));
is(($gateway->command('reload', '--wait'))[0], 0, 'a sink is removed, another one is new');
mail($gateway, '/f/quote', "third$_") for 1 .. 2;
wait_until { @{ seqs('other.ndjson') } == last_seq() } 'the new one delivers all that there is';
is(scalar @{ seqs('second.ndjson') }, 3, 'the removed one gets nothing');
$gateway->configure(config(@quote, sinks => ['archive: { plugin: file, path: "@DIR@/second.ndjson" }',
    'other: { plugin: file, path: "@DIR@/other.ndjson" }']));
is(($gateway->command('reload', '--wait'))[0], 0, 'it comes back');
wait_until { @{ seqs('second.ndjson') } >= 5 } 'and delivers again';
is_deeply(seqs('second.ndjson'), [$before + 1 .. $before + 5], 'from where it had been');

# ---- listeners ----------------------------------------------------------------------

# The same with other addresses. The last ports of the log are those that serve.
sub listening {
    my ($listen, $admin, $http) = @_;
    my $text = config(@quote, sinks => ['archive: { plugin: file, path: "@DIR@/second.ndjson" }']);
    $text =~ s/^listen: .*$/listen: [$listen]/m;
    $text =~ s/^admin: .*$/admin: { address: "$admin" }/m;
    return $text . ($http || '');
}
# Port 0 is any free one; written in another way it is another address. A reload
# that moves an address names all of them in the log: here are the last ones.
my $other = '127.0.0.1:00';
sub ports {
    my ($for, $count) = @_;
    my @ports = $gateway->log =~ /event=gateway\.listening for=$for address=\S+ port=(\d+)/g;
    return @ports[-$count .. -1];
}
sub post_at {
    my ($port, $name) = @_;
    my $answer = eval { $gateway->exchange(form_request('/f/quote', [email => "$name\@example.com"]), $port) };
    return $answer ? $answer->{status} : 'nobody';
}

my ($old, $old_admin) = ($gateway->port, $gateway->admin_port);
my $stays = $gateway->connect;
my $stays_rest = '';
syswrite $stays, form_request('/f/quote', [email => 'stays@example.com']);
read_answer($stays, \$stays_rest);
$gateway->configure(listening(qq({ address: "127.0.0.1:0" }, { address: "$other" }), '127.0.0.1:0'));
($status, $out, $err) = $gateway->command('reload', '--wait');
is($status, 0, 'a second listener') or diag($err);
like($out, qr/^new +listener +127\.0\.0\.1:00$/m, 'is in the plan');
my $new = (ports('leads', 2))[1];
is(post_at($new, 'second'), 202, 'and answers');
is(post_at($old, 'first'), 202, 'so does the first one');

my $trusting = '{ address: "127.0.0.1:0", trusted_proxies: [127.0.0.1] }';
$gateway->configure(listening(qq($trusting, { address: "$other" }), '127.0.0.1:0'));
is(($gateway->command('reload', '--wait'))[0], 0, 'a listener trusts a proxy');
$gateway->announce(qr/event=forwarded\.ignored .*peer=127\.0\.0\.1/);
syswrite $stays, form_request('/f/quote', [email => 'untrusted@example.com'], 'X-Forwarded-For' => '192.0.2.1');
my $last = read_answer($stays, \$stays_rest);
is($last->{status}, 202, 'a connection of before is served');
is($last->{headers}{connection}, 'close', 'for the last time');
is($gateway->exchange(form_request('/f/quote', [email => 'trusted@example.com'], 'X-Forwarded-For' => '192.0.2.2'), $old)->{status},
    202, 'the same port goes on');
sub client_of {
    my ($mail) = @_;
    wait_until { my ($event) = grep { $_->{lead}{person}{email} eq $mail } read_lines("$dir/second.ndjson"); $event ? $event->{lead}{client}{ip} : undef } "$mail is delivered";
}
is(client_of('untrusted@example.com'), '127.0.0.1', 'the old connection had the old terms');
is(client_of('trusted@example.com'), '192.0.2.2', 'a new one has the new terms');

# A removed address: an idle connection is closed, a request under way is answered.
sub connections { return $gateway->admin('/metrics')->{content} =~ /^leadgate_connections (\d+)$/m ? $1 : 0 }
close $_ for $kept, $slow, $stays;
wait_until { connections() == 0 } 'earlier connections are closed';
my $idle = $gateway->connect($old);
my $busy = $gateway->connect($old);
syswrite $busy, substr $bytes, 0, 50;
wait_until { connections() == 2 } 'both are there';
$gateway->configure(listening(qq({ address: "$other" }), $other));
is(($gateway->command('reload'))[0], 0, 'an address is removed, the admin listener moves');
my ($new_admin) = ports('admin', 1);
is((ports('leads', 1))[0], $new, 'the other one keeps its port');
is(sysread($idle, my $nothing, 1), 0, 'the idle connection is closed');
is(post_at($old, 'gone'), 'nobody', 'nobody listens there');
syswrite $busy, substr $bytes, 50;
is(read_answer($busy)->{status}, 404, 'what was under way is answered');
is(($gateway->command('reload', '--wait'))[0], 0, 'and then the address is drained');
is($gateway->exchange("GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n", $new_admin)->{status}, 200, 'the admin listener answers at its new address');
is(eval { $gateway->exchange("GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n", $old_admin) }, undef, 'and not at the old one');
delete $gateway->{ports};

# A taken port: nothing changes at all.
my $taken = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1);
$gateway->configure(listening(sprintf('{ address: "127.0.0.1:%d" }', $taken->sockport), $other));
refused('a port is taken', qr/cannot listen on .*taken/, qr/leadgate\.yaml:2:/);
$gateway->configure(listening(qq({ address: "$other" }), '127.0.0.1:' . $taken->sockport));
refused('the admin port is taken', qr/admin listener: cannot listen/);
close $taken;

# Limits are for what comes next.
$gateway->configure(listening(qq({ address: "$other" }), $other, "http: { max_headers: 8, max_head: 2KiB }\n"));
my $earlier = $gateway->connect($new);
is(($gateway->command('reload'))[0], 0, 'tighter limits');
syswrite $earlier, form_request('/f/quote', [email => 'long@example.com'], map { ("X-$_" => 'x') } 1 .. 9);
is(read_answer($earlier)->{status}, 431, 'hold on a connection of before');
$gateway->configure(listening(qq({ address: "$other" }), $other, "http: { max_headers: 200, max_head: 64KiB }\n"));
$earlier = $gateway->connect($new);
syswrite $earlier, form_request('/f/quote', [email => 'warm@example.com']);
read_answer($earlier, \(my $warm = ''));
is(($gateway->command('reload'))[0], 0, 'wider limits');
syswrite $earlier, form_request('/f/quote', [email => 'long@example.com'], map { ("X-$_" => 'x' x 200) } 1 .. 150);
is(read_answer($earlier, \$warm)->{status}, 202, 'too');

# ---- one more reload, however many signals ------------------------------------------

my $hold = "$dir/hold";
$gateway->configure(config(sources => ["slow: { plugin: slow_opener, path: /slow, auth: none, hold: '$hold' }",
    'quote-form: { plugin: webform, path: /f/quote, auth: none }']));
is(($gateway->command('reload'))[0], 0, 'a source that opens slowly');
delete $gateway->{ports};
my $number = generation($gateway);
spew($hold, '');
$gateway->signal('HUP');
wait_until { slurp("/proc/$gateway->{pid}/status") =~ /^ShdPnd:\s+0+$/m } 'the signal was read';
$gateway->signal('HUP') for 1 .. 20;
unlink $hold;
wait_until { $gateway->log =~ /event=reload\.done generation=${\($number + 2)}/ } 'the reloads are over';
is(($gateway->command('reload'))[0], 0, 'another one');
is(generation($gateway), $number + 3, 'twenty signals during a reload were one more');

# As it was in the beginning, so that what is left over shows.
close $_ for $idle, $busy, $earlier;
$gateway->configure(config());
is(($gateway->command('reload', '--wait'))[0], 0, 'back to the first configuration');

$gateway->finish;
done_testing;
