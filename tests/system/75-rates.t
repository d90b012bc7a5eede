# Who is turned away by the head of a request alone: clients and sources over
# their rates (429), and everybody while the journal takes no more (503); nobody
# waits, no body is read, and others are served.
use strict;
use warnings;

use IO::Select;
use IPC::Open2;
use LeadgateTest;
use Test::More;

my $config = <<'YAML';
core: { loops: 2 }
listen: [{ address: "127.0.0.1:0", trusted_proxies: [127.0.0.0/8] }]
admin: { address: "127.0.0.1:0" }
http: { max_address_rate: 1, max_address_burst: 3, rate_exempt: [127.0.0.0/8, 203.0.113.0/24], max_linger: 64KiB }
store: { path: "@DIR@/store.db", queue: 2 }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
  slow-form: { plugin: webform, path: /f/slow, auth: none, max_rate: 1, max_burst: 2 }
sinks: { archive: { plugin: file, path: "@DIR@/leads.ndjson" } }
YAML
my $gateway = LeadgateTest->new(config => $config)->start;
my $number = 0;

sub post_from {
    my ($client, $path) = @_;
    $number++;
    return $gateway->post($path || '/f/contact', [email => "p$number\@example.com"],
        'X-Forwarded-For' => $client);
}

sub metric {
    my ($name) = @_;
    my ($value) = $gateway->admin('/metrics')->{content} =~ /^\Q$name\E (\S+)$/m;
    return $value;
}
sub turned_away { return metric(qq(leadgate_source_turned_away_total{source="$_[0]",reason="$_[1]"})) }

sub check_429 {
    my ($answer, $what) = @_;
    is($answer->{status}, 429, $what);
    like($answer->{headers}{'retry-after'}, qr/^(?:[1-9]|[1-5]\d|60)$/, '… with Retry-After');
    like($answer->{headers}{'content-type'}, qr{^application/problem\+json}, '… as a problem');
}

# Addresses.
is(post_from('198.51.100.1')->{status}, 202, 'a client within its burst') for 1 .. 3;
check_429(post_from('198.51.100.1'), 'and beyond it');
is(post_from('198.51.100.2')->{status}, 202, 'another client is served');
is(post_from('203.0.113.9')->{status}, 202, 'an exempt one is never turned away') for 1 .. 5;
is(post_from('2001:db8:1:2::' . $_)->{status}, 202, 'an IPv6 client within its burst') for 1 .. 3;
check_429(post_from('2001:db8:1:2:ffff::1'), 'another address of its /64');
is(post_from('2001:db8:1:3::1')->{status}, 202, 'another /64 is served');
check_429(post_from('198.51.100.1', '/nowhere'), 'an address counts for every path');
is(turned_away('contact-form', 'address-rate'), 2, 'counted by source and reason');
is(metric('leadgate_http_unrouted_total{reason="rate"}'), 1, '… or as nobody\'s');

# Sources.
is(post_from("203.0.113.$_", '/f/slow')->{status}, 202, 'a source within its burst') for 1, 2;
check_429(post_from('203.0.113.3', '/f/slow'), 'and beyond it');
is(turned_away('slow-form', 'source-rate'), 1, '… counted');
is(post_from('203.0.113.3')->{status}, 202, 'another source takes leads');

# What an early answer does with the body: a short one is dropped, for a long one
# and for one that waits to be asked for the connection ends.
my $head = "POST /f/slow HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.3\r\n";
my $socket = $gateway->connect;
syswrite $socket, "${head}Content-Length: 5\r\n\r\n";
is(read_answer($socket)->{status}, 429, 'the answer does not wait for the body');
syswrite $socket, "helloGET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n";
is(read_answer($socket)->{status}, 404, '… and a short body is read over');
for my $row (['a long body', 'Content-Length: 65537'],
    ['a body that waits', "Content-Length: 5\r\nExpect: 100-continue"]) {
    my ($what, $fields) = @$row;
    my $sender = $gateway->connect;
    syswrite $sender, "$head$fields\r\n\r\n";
    my $answer = read_answer($sender);
    is($answer->{status}, 429, "$what: refused, and no 100 before it");
    is($answer->{headers}{connection}, 'close', '… and closed');
    is(sysread($sender, my $rest, 1), 0, '… at once');
}
my $endless = $gateway->connect;
$endless->blocking(0);
syswrite $endless, "${head}Transfer-Encoding: chunked\r\n\r\n";
my $sent = 0;
wait_until {
    my $chunk = syswrite $endless, "400\r\n" . 'x' x 1024 . "\r\n";
    $sent += $chunk || 0;
    !defined $chunk && ($!{EPIPE} || $!{ECONNRESET});
} 'an endless body is cut off';
cmp_ok($sent, '<', 16 << 20, '… soon');

# A reload takes other rates: what was used counts on, at the new rate.
$config =~ s/max_address_rate: 1,/max_address_rate: 0,/;
$config =~ s/max_rate: 1,/max_rate: 0,/;
$gateway->configure($config)->signal('HUP');
wait_until { $gateway->log =~ /event=reload\.done/ } 'all loops have the new rates';
is(post_from('198.51.100.1')->{status}, 202, 'the new rate of addresses counts');
is(post_from('198.51.100.1', '/f/slow')->{status}, 202, 'a reload lifts rates') for 1 .. 5;

# The queue: while another process keeps the journal from being written, as many
# wait as may, and the next is turned away before its body has come.
sub hold_journal {
    my $pid = open2(my $out, my $in, $gateway->sqlite3);
    print $in "BEGIN IMMEDIATE;\nSELECT 'held';\n";
    $in->flush;
    is(scalar <$out>, "held\n", 'the journal is held');
    return sub { close $in; waitpid $pid, 0 };
}
my $release = hold_journal();
my $bytes = 0;
my @waiting = map {
    my $sender = $gateway->connect;
    syswrite $sender, form_request('/f/contact', [email => "waits$_\@example.com"]);
    my $before = $bytes;
    wait_until { ($bytes = metric('leadgate_store_queue_bytes')) > $before } "$_ of two wait";
    $sender;
} 1, 2;
my $late = $gateway->connect;
syswrite $late, "POST /f/contact HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n";
my $answer = read_answer($late);
is($answer->{status}, 503, 'the third is turned away by its head');
like($answer->{headers}{'retry-after'}, qr/^[1-9]\d*$/, '… with Retry-After');
is(turned_away('contact-form', 'queue'), 1, '… counted');
$release->();
is(read_answer($_)->{status}, 202, 'who waited is served') for @waiting;
is(post_from('198.51.100.1')->{status}, 202, 'and so is the next');

close $_ for $socket, $endless, $late, @waiting;
$gateway->finish;
done_testing;
