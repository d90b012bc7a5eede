# The configurations of conf/ with the real programs: leads come through each of
# them over kept connections, with the right client, whatever he says of himself.
use strict;
use warnings;

use IO::Socket::INET;
use LeadgateTest;
use ProxyTest;
use Test::More;

my $client = '127.0.0.5'; # not the proxy's
my $gateway = behind_a_proxy();
my $admin = $gateway->connect($gateway->admin_port);
my $rest = '';

# Connections that were ever made to the listeners for leads; the admin listener
# has this one alone.
sub connections {
    syswrite $admin, "GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n";
    my $text = read_answer($admin, \$rest)->{body};
    my $count = 0;
    $count += $_ for $text =~ /^leadgate_connections(?:_closed_total\{[^}]*\})? (\d+)/mg;
    return $count;
}

my $number = 0;
my %sent;
sub next_email { return 'p' . ++$number . '@example.com' }

my @forged = ('X-Forwarded-For' => '203.0.113.1, 203.0.113.2', Forwarded => 'for=203.0.113.3;host=forged.example;proto=ftp',
    'X-Forwarded-Proto' => 'ftp', 'X-Forwarded-Host' => 'forged.example', 'X-Real-IP' => '203.0.113.4');

sub dial {
    my ($port) = @_;
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, LocalAddr => $client) || die "connecting: $!\n";
}

# So many leads on one connection, one after the other; how many were accepted.
sub post_kept {
    my ($port, $count, $path, @headers) = @_;
    my $socket = dial($port);
    my ($rest, $accepted) = ('', 0);
    for (1 .. $count) {
        my $email = next_email();
        $sent{$email} = 1;
        my $body = $path eq '/urls' ? $email : form_encode(email => $email);
        syswrite $socket, LeadgateTest::request_bytes($path, 'application/x-www-form-urlencoded', $body,
            Host => "forms.example:$port", @headers);
        my $answer = read_answer($socket, \$rest);
        $accepted += $answer && $answer->{status} == 202;
    }
    return $accepted;
}

# The status for a lead in a body of so many bytes, most of them blanks.
sub post_bytes {
    my ($port, $bytes) = @_;
    my $socket = dial($port);
    my $body = sprintf '%-*s', $bytes, '{"email":"' . next_email() . '"}';
    syswrite $socket, LeadgateTest::request_bytes('/f/contact', 'application/json', $body,
        Host => "forms.example:$port");
    return read_answer($socket)->{status};
}

sub events_by_email {
    my @emails = @_;
    my %event;
    wait_until {
        %event = map { ($_->{lead}{person}{email} || '') => $_ } $gateway->events;
        !grep { !$event{$_} } @emails;
    } 'all leads have arrived';
    return map { $event{$_} } @emails;
}

sub clients {
    my %ip;
    $ip{ $_->{lead}{client}{ip} || 'nobody' }++ for events_by_email(@_);
    return \%ip;
}

# What every proxy must do. `https`: it speaks HTTP/2 there.
sub check {
    my ($proxy, $what, $port, %with) = @_;
    %sent = ();
    my $before = connections();
    is(post_kept($port, 20, '/f/contact'), 20, "$what: twenty leads on one connection");
    is(post_kept($port, 4, '/f/contact', @forged), 4, '… and four with forged headers on another');
    my $made = connections() - $before;
    my $most = $with{most} || 4;
    ok($made >= 1 && $made <= $most, "… came over kept connections ($made, at most $most)");
    is_deeply(clients(sort keys %sent), { $client => 24 }, '… from the right client, all of them');

    is(post_bytes($port, 1 << 20), 202, '… a body of all that http.max_body allows comes through');

    my %url;
    for my $forged (0, 1) {
        %sent = ();
        post_kept($port, 1, '/urls', $forged ? @forged : ());
        my ($event) = events_by_email(keys %sent);
        my $urls = $event->{lead}{extra}{url};
        my ($first, @others) = ref $urls ? @$urls : $urls;
        is($first, "http://forms.example:$port/urls", $forged ? '… also when headers are forged' : '… and the URL is the sender\'s');
        ok(!grep({ /forged|ftp/ } @others), '… and no other one is offered') or diag(join ' ', @others);
    }
    return unless $with{https};
    my $email = next_email();
    my @curl = ('curl', '-sS', '--insecure', '--http2', '--interface', $client, '--resolve',
        "forms.example:$proxy->{https}:127.0.0.1", '--data-binary', $email, '-o', '/dev/null', '-w', '%{http_version} %{http_code}',
        (map { ('-H', "$forged[2 * $_]: $forged[2 * $_ + 1]") } 0 .. @forged / 2 - 1),
        "https://forms.example:$proxy->{https}/urls");
    open my $out, '-|', @curl or die "curl: $!\n";
    is(join('', <$out>), '2 202', '… over TLS and HTTP/2, too');
    my ($event) = events_by_email($email);
    is($event->{lead}{client}{ip}, $client, '… from the right client');
    is($event->{lead}{extra}{url}[0], "https://forms.example:$proxy->{https}/urls", '… and the URL says so');
}

for my $kind (qw(nginx haproxy apache caddy)) {
    my $proxy = start_proxy($gateway, $kind);
    # HAProxy's health checks come over connections of their own.
    check($proxy, $kind, $proxy->{http}, https => 1, most => $kind eq 'haproxy' ? 8 : 4);
    if ($kind eq 'haproxy') {
        # Connections are the client's then, and so is all that is said on them.
        %sent = ();
        my $before = connections();
        is(post_kept($proxy->{tcp}, 20, '/f/contact'), 20, 'haproxy with send-proxy-v2: twenty leads');
        is(post_kept($proxy->{tcp}, 4, '/f/contact', @forged), 4, '… and four with forged headers');
        my $made = connections() - $before;
        cmp_ok($made, '<=', 8, "… came over kept connections ($made)");
        is_deeply(clients(sort keys %sent), { $client => 24 }, '… from the right client');
    }
    stop_proxy($proxy);
}

my $proxy = start_proxy($gateway, 'nginx', unix => 1);
check($proxy, 'nginx over a unix socket', $proxy->{http}, https => 1);
stop_proxy($proxy);
# Behind send-proxy-v2 the client himself is our peer, from an address that is
# private in this test.
$gateway->announce(qr/event=forwarded\.ignored .*peer=\Q$client\E/);
unlike($gateway->log, qr/event=proxy\.refused|event=forwarded\.ignored .*peer=127\.0\.0\.1 /, 'every proxy was believed');
my %seen;
$seen{ $_->{lead}{person}{email} }++ for $gateway->events;
is_deeply([grep { $seen{$_} > 1 } keys %seen], [], 'no lead came twice');
close $admin;
$gateway->finish;
done_testing;
