# Floods of HTTP/2, one after the other, each beside a client that behaves: the
# attacker is closed with a reason by the first frame beyond its budget, and by none
# within; the neighbour is served, memory comes back. H2_ATTACK_SECONDS lets each
# attack last so long, on ever new connections; tests/bench/attacks compares times.
use strict;
use warnings;

use FindBin;
use LeadgateTest;
use Test::More;

use constant MEMORY_BYTES => 16 << 20;

my $gateway = LeadgateTest->new(config => <<'YAML')->start;
core: { loops: 2 }
listen: [{ address: "127.0.0.1:0", probe_path: /up }]
admin: { address: "127.0.0.1:0" }
http: { head_timeout: 5s, body_timeout: 5s, write_timeout: 5s, max_address_rate: 0, flood_interval: 1h }
store: { path: "@DIR@/store.db" }
sources: { contact-form: { plugin: webform, path: /f/contact, auth: none } }
sinks: { archive: { plugin: file, path: "@DIR@/leads.ndjson" } }
YAML

sub anonymous_bytes {
    my ($kib) = slurp('/proc/' . $gateway->pid . '/smaps_rollup') =~ /^Anonymous:\s+(\d+) kB/m;
    return $kib * 1024;
}

sub closed {
    return $gateway->admin('/metrics')->{content}
        =~ /^leadgate_connections_closed_total\{reason="$_[0]"\} (\d+)$/m ? $1 : 0;
}

$gateway->post('/f/contact', [email => 'first@example.com']);
my $before = anonymous_bytes();
my %seen;
open my $attacks, '-|', '/usr/bin/python3', '-B', "$FindBin::Bin/../lib/h2floods.py", $gateway->port,
    $ENV{H2_ATTACK_SECONDS} // 0 or die "python3: $!\n";
while (my $line = <$attacks>) {
    diag $1 if $line =~ /^# (.*)/;
    my ($not, $what) = $line =~ /^(not )?ok (.*)/ or next;
    ok(!$not, $what);
    $seen{$1}++ if $what =~ /^([-\w]+)/ && $1 ne 'body-timeout';
}
close $attacks;
is($?, 0, 'the attacks came to their end');
cmp_ok(scalar keys %seen, '>=', 12, 'all of them');
for my $reason (sort keys %seen) {
    wait_until { closed($reason) } "a connection is closed for $reason";
    pass("a close is counted: $reason");
}
SKIP: {
    skip 'the memory of a sanitizer or valgrind is its own', 1 if $ENV{LG_WRAP} || $ENV{LG_SAN};
    wait_until { anonymous_bytes() < $before + MEMORY_BYTES } 'the memory comes back';
    pass('the memory comes back');
}
is($gateway->stop, 0, 'ends in order');
done_testing;
