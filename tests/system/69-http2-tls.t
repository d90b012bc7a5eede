# HTTP/2 under TLS: ALPN decides, and nothing else does.
use strict;
use warnings;

use Destination;
use LeadgateTest;
use Test::More;

my $gateway = LeadgateTest->new(config => '');
my $dir = $gateway->dir;
my $authority = Destination::make_authority($dir, 'authority');
my $pair = Destination::make_certificate($dir, 'a.example', $authority);

$gateway->configure(<<"YAML")->start;
listen: [{ address: "127.0.0.1:0", tls: { certificate: $pair->[0], key: $pair->[1] } }]
admin: { address: "127.0.0.1:0" }
store: { path: "$dir/store.db" }
sources: { contact-form: { plugin: webform, path: /f/contact, auth: none } }
sinks: { archive: { plugin: file, path: "$dir/leads.ndjson" } }
YAML
my $port = $gateway->port;

sub curl {
    my (@options) = @_;
    my @command = ('curl', '-sS', '--max-time', patience(), '--cacert', $authority->[0],
        '--resolve', "a.example:$port:127.0.0.1", '-w', '%{http_version} %{http_code} %{num_connects}\n', @options);
    open my $out, '-|', @command or die "curl: $!\n";
    local $/;
    my $text = <$out>;
    close $out;
    return $text // '';
}

sub form { return ('-o', "$dir/answer", '-d', form_encode(email => "$_[0]\@example.com"), "https://a.example:$port/f/contact") }

is(curl('--http2', form('two')), "2 202 1\n", 'curl agrees on HTTP/2 and posts a lead');
is(curl('--http1.1', form('one')), "1.1 202 1\n", 'or on HTTP/1.1');
is(curl('--no-alpn', form('none')), "1.1 202 1\n", 'without ALPN it is HTTP/1.1');
is(curl('--http2', form('kept1'), '-o', "$dir/answer2", "https://a.example:$port/f/contact"),
    "2 202 1\n2 202 0\n", 'two leads on one connection');

$gateway->wait_events(4);
is($gateway->stop, 0, 'ends in order');
done_testing;
