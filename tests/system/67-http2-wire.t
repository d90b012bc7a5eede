# What a strict server must refuse in HTTP/2, frame by frame: the table is
# tests/lib/h2cases.py.
use strict;
use warnings;

use FindBin;
use LeadgateTest;
use Test::More;

my $gateway = LeadgateTest->new(config => <<'YAML')->start;
listen: [{ address: "127.0.0.1:0", probe_path: /up }]
admin: { address: "127.0.0.1:0" }
http: { max_streams: 20, max_stream_window: 8KiB, max_head: 4KiB, max_headers: 20, max_body: 8KiB }
store: { path: "@DIR@/store.db" }
sources: { contact-form: { plugin: webform, path: /f/contact, auth: none } }
sinks: { archive: { plugin: file, path: "@DIR@/leads.ndjson" } }
YAML

open my $cases, '-|', '/usr/bin/python3', '-B', "$FindBin::Bin/../lib/h2cases.py", $gateway->port
    or die "python3: $!\n";
my $count = 0;
while (my $line = <$cases>) {
    my ($not, $what) = $line =~ /^(not )?ok (.*)/ or next;
    ok(!$not, $what);
    $count++;
}
close $cases;
is($?, 0, 'the table came to its end');
cmp_ok($count, '>=', 130, 'with all cases');

my $metrics = $gateway->admin('/metrics')->{content};
like($metrics, qr/connections_closed_total\{reason="h2-broken"\} [1-9]/, 'closes for broken rules are counted');
like($metrics, qr/connections_closed_total\{reason="h2-continuations"\} 1$/m, '… and for CONTINUATION');
like($metrics, qr/http_refused_total\{reason="malformed"\} [1-9]/, '… and malformed requests');
is($gateway->stop, 0, 'ends in order');
done_testing;
