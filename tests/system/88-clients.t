# Clients that people have, before the gateway without a proxy: each sends leads over
# kept connections, by the protocol that it is asked for, and what it says of other
# addresses is not believed.
use strict;
use warnings;

use Chromium;
use Destination;
use LeadgateTest;
use Test::More;

my $gateway = LeadgateTest->new(config => '');
my $dir = $gateway->dir;
my $authority = Destination::make_authority($dir, 'authority');
my $pair = Destination::make_certificate($dir, 'a.example', $authority);
$gateway->configure(<<"YAML")->announce(qr/event=forwarded\.ignored .*peer=127\.0\.0\.\d /)->start;
core: { loops: 2 }
listen:
  - { address: "127.0.0.1:0", tls: { certificate: $pair->[0], key: $pair->[1] } }
  - { address: "127.0.0.1:0" }
admin: { address: "127.0.0.1:0" }
store: { path: "$dir/store.db" }
access_log: { path: "$dir/access.log" }
sources: { contact-form: { plugin: webform, path: /f/contact, auth: none } }
sinks: { archive: { plugin: file, path: "$dir/leads.ndjson" } }
YAML
my ($tls_port, $port) = $gateway->log =~ /event=gateway\.listening for=leads address=\S+ port=(\d+)/g;
my %url = (clear => "http://127.0.0.1:$port/f/contact", tls => "https://a.example:$tls_port/f/contact",
    address => "https://127.0.0.1:$tls_port/f/contact");
my $admin = $gateway->connect($gateway->admin_port);
my $rest = '';

sub metrics {
    syswrite $admin, "GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n";
    return read_answer($admin, \$rest)->{body};
}

# Connections that were ever made for leads; the admin listener has this one alone. One
# that ends while the numbers are written may be missing in them: those of a client that
# has ended are waited for.
sub connections {
    my ($client_stays) = @_;
    wait_until { metrics() =~ /^leadgate_connections 0$/m } 'all connections are closed' unless $client_stays;
    my $count = 0;
    $count += $_ for metrics() =~ /^leadgate_connections(?:_closed_total\{[^}]*\})? (\d+)/mg;
    return $count;
}

my $known = 0;

# What the access log has said of the form since the last call, when it is so much.
sub answers {
    my ($count) = @_;
    my @lines;
    wait_until { (@lines = grep { $_->{source} } read_lines("$dir/access.log")) >= $known + $count } 'the answers are in the access log';
    my @new = @lines[$known .. $#lines];
    $known = @lines;
    return @new;
}
sub client_of {
    my ($email) = @_;
    my $event;
    wait_until { ($event) = grep { ($_->{lead}{person}{email} || '') eq $email } $gateway->events; $event } "$email is delivered";
    return $event->{lead}{client}{ip};
}
sub run {
    my (@command) = @_;
    open my $out, '-|', @command or die "$command[0]: $!\n";
    local $/;
    my $text = <$out>;
    close $out;
    return $text // '';
}

# So many answers of 202 by this protocol, and the connections that it took.
sub check_answers {
    my ($what, $count, $protocol, $before, $most, $client_stays) = @_;
    my @lines = answers($count);
    is(join(' ', map { "$_->{status} $_->{protocol}" } @lines), join(' ', ("202 $protocol") x $count), "$what: $count leads by $protocol");
    my $made = connections($client_stays) - $before;
    ok($made >= 1 && $made <= $most, "… over $made kept connections, at most $most");
}

my @forged = ('X-Forwarded-For: 203.0.113.1', 'Forwarded: for=203.0.113.2', 'X-Real-IP: 203.0.113.3');

# ---- curl -----------------------------------------------------------------------------------
# curl 7.88 cannot use a connection again that it began by prior knowledge, whoever the
# server is (https://github.com/curl/curl/pull/10643): there it makes one for each.
my $client = '127.0.0.9';
for my $row (
    ['HTTP/1.1', 'clear', 'http/1.1', 1, '--http1.1'], ['HTTP/2', 'clear', 'h2', 4, '--http2-prior-knowledge'],
    ['HTTP/1.1 over TLS', 'tls', 'http/1.1', 1, '--http1.1'], ['HTTP/2 over TLS', 'tls', 'h2', 1, '--http2'],
    )
{
    my ($what, $to, $protocol, $processes, $option) = @$row;
    my $before = connections();
    my @emails = map { my $name = lc "curl$_.$what" =~ s/\W+/./gr; "$name\@example.com" } 1 .. 4;
    my @common = ('-sS', $option, '--max-time', patience(), '--interface', $client, '--cacert', $authority->[0],
        '--resolve', "a.example:$tls_port:127.0.0.1", map { ('-H', $_) } @forged);
    my @rest = @emails;
    while (my @together = splice @rest, 0, @emails / $processes) {
        my @requests = map { ('--next', @common, '-o', "$dir/answer", '-d', form_encode(email => $_), $url{$to}) } @together;
        run('curl', @requests[1 .. $#requests]);
    }
    check_answers("curl with $what", 4, $protocol, $before, $processes);
    is(join(' ', map { client_of($_) } @emails), join(' ', ($client) x 4), '… from the right client');
}

# ---- nghttp and h2load, which know no certificates and have one address ------------------------
sub load {
    my ($what, $to, $protocol, $count, $most, @command) = @_;
    my $before = connections();
    my $email = lc "$what.$to.$protocol" =~ s/\W+/./gr . '@example.com';
    spew("$dir/form", form_encode(email => $email));
    my $said = run(@command, '-d', "$dir/form", (map { ('-H', $_) } @forged, 'Content-Type: application/x-www-form-urlencoded'), $url{$to});
    check_answers("$what to $to", $count, $protocol, $before, $most) or diag($said);
    is(client_of($email), '127.0.0.1', '… from the right client');
}
load('nghttp', $_, 'h2', 10, 1, 'nghttp', '--no-verify-peer', '-v', '-m', 10) for qw(clear address);
load('h2load', $_, 'h2', 60, 3, 'h2load', '-c', 3, '-m', 5, '-n', 60) for qw(clear address);
load('h2load', $_, 'http/1.1', 60, 3, 'h2load', '--h1', '-c', 3, '-n', 60) for qw(clear address);

# ---- Chromium ---------------------------------------------------------------------------------
# The page sends five leads by itself and then its form, as a visitor does.
my @visits = map { "visit$_\@example.com" } 1 .. 6;
my $calls = join ', ', map { "'$_'" } @visits[0 .. 4];
spew("$dir/page.html", <<"HTML");
<!DOCTYPE html><meta charset="utf-8"><title>Contact</title>
<form action="https://a.example:$tls_port/f/contact" method="post"><input name="email" value="$visits[5]"></form>
<script>
addEventListener('load', async () => {
  for (const email of [$calls])
    await fetch(document.forms[0].action, {method: 'POST', mode: 'no-cors', credentials: 'include', body: new URLSearchParams({email})});
  document.forms[0].submit();
});
</script>
HTML
my $before = connections();
my $browser = Chromium->visitor($dir, "file://$dir/page.html", '--host-resolver-rules=MAP a.example 127.0.0.1');
my %seen;
eval {
    wait_until {
        $seen{ $_->{lead}{person}{email} || '' } = $_->{lead} for $gateway->events;
        !grep({ !$seen{$_} } @visits) || $browser->has_ended;
    } 'the visits are delivered', 120;
    1;
} or diag($@ . $browser->said);
is(scalar(grep { $seen{$_} } @visits), 6, 'Chromium: six leads');
check_answers('Chromium', 6, 'h2', $before, 4, 1);
is(join(' ', map { $seen{$_}{client}{ip} } @visits), join(' ', ('127.0.0.1') x 6), '… from the right client');
like($seen{ $visits[5] }{client}{user_agent}, qr/Chrome/, '… and browser');
$browser->stop;

close $admin;
$gateway->finish;
done_testing;
