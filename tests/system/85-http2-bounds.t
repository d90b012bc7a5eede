# The bounds that HTTP/2 shares with HTTP/1.1: connections make room for others when
# they are idle and never when a stream is open, all bodies together are bounded by
# what heads say and by what comes, and whoever is turned away is told by the head.
use strict;
use warnings;

use FindBin;
use IPC::Open2;
use LeadgateTest;
use Test::More;

sub checks {
    my ($gateway, $what) = @_;
    open my $said, '-|', '/usr/bin/python3', '-B', "$FindBin::Bin/../lib/h2bounds.py", $what, $gateway->port
        or die "python3: $!\n";
    while (my $line = <$said>) {
        my ($not, $check) = $line =~ /^(not )?ok (.*)/ or next;
        ok(!$not, "$what: $check");
    }
    close $said;
    is($?, 0, "$what: all was checked");
}

sub metric {
    my ($gateway, $name) = @_;
    my ($value) = $gateway->admin('/metrics')->{content} =~ /^\Q$name\E (\S+)$/m;
    return $value // 0;
}
sub closed { return metric($_[0], qq(leadgate_connections_closed_total{reason="$_[1]"})) }

sub gateway {
    my (%with) = @_;
    return LeadgateTest->new(config => <<"YAML")->start;
core: { loops: 2 }
listen: [{ address: "127.0.0.1:0", probe_path: /up }]
admin: { address: "127.0.0.1:0" }
http: { idle_timeout: 1h, body_timeout: 1h, minimum_rate: 0$with{http} }
store: { path: "\@DIR\@/store.db"$with{store} }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
  slow-form: { plugin: webform, path: /f/slow, auth: none, max_rate: 1, max_burst: 2 }
sinks: { archive: { plugin: file, path: "\@DIR\@/leads.ndjson" } }
YAML
}

my $gateway = gateway(http => ', max_connections: 4', store => '');
checks($gateway, 'displaced');
is(closed($gateway, 'displaced'), 2, 'two made room');
is(closed($gateway, 'full'), 1, 'one was turned away');
$gateway->finish;

$gateway = gateway(http => ', max_buffered: 64KiB', store => '');
checks($gateway, 'buffered');
checks($gateway, 'elders');
cmp_ok(metric($gateway, 'leadgate_http_refused_total{reason="busy"}'), '>=', 2, 'counted');
$gateway->finish;

# Another process keeps the journal from being written, and one lead fills the queue.
$gateway = gateway(http => '', store => ', queue: 1');
checks($gateway, 'limited');
my $pid = open2(my $out, my $in, $gateway->sqlite3);
print $in "BEGIN IMMEDIATE;\nSELECT 'held';\n";
$in->flush;
is(scalar <$out>, "held\n", 'the journal is held');
my $sender = $gateway->connect;
syswrite $sender, form_request('/f/contact', [email => 'waits@example.com']);
wait_until { metric($gateway, 'leadgate_store_queue_bytes') > 0 } 'a lead waits';
checks($gateway, 'full');
close $in;
waitpid $pid, 0;
is(read_answer($sender)->{status}, 202, 'who waited is served');
close $sender;
$gateway->finish;
done_testing;
