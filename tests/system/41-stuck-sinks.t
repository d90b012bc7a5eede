# Sinks that are stuck: a destination that is repaired is noticed though no new lead
# comes, and a stop or a reload does not wait for answers that will not come.
use strict;
use warnings;

use Destination;
use File::Temp qw(tempdir);
use JSON::PP;
use LeadgateTest;
use Test::More;

my $folder = tempdir('leadgate-destination-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $destination = Destination->new($folder);
my $base = 'http://127.0.0.1:' . $destination->port;

# Answers that never come are waited for longer than any test is patient.
sub config {
    my ($sinks) = @_;
    return <<"YAML";
core: { loops: 1, shutdown: 10m }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store.db" }
http_client: { nameserver: "127.0.0.1:@{[$destination->port('dns')]}", name_timeout: 10m }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
sinks:
$sinks
YAML
}
sub requests { my ($path) = @_; return grep { $_->{path} eq $path } $destination->requests }
sub admit { my @words = @_; spew("$folder/admitted.new", join "\n", @words); rename "$folder/admitted.new", "$folder/admitted" or die $! }

# ---- parked, and nobody else comes ------------------------------------------------------

admit();
my $gateway = LeadgateTest->new(config => config(
    qq(  crm: { plugin: http, url: "$base/admits", allow_private: true, retry_first: 5ms, retry_max: 20ms }\n)));
$gateway->announce(qr/sink\.(waiting|parked)/)->start;
$gateway->allow_calls(1, 8);
$gateway->post('/f/contact', [email => "$_\@example.com"]) for qw(ann bea cyd);
wait_until {
    my %asked = map { (decode_json($_->{body})->{lead}{person}{email} => 1) } requests('/admits');
    keys %asked == 3;
} 'all of them were refused as if the configuration were wrong';
my $delivered = sub { $gateway->sql("SELECT ifnull(sum(last_seq - first_seq + 1), 0) FROM attempt WHERE outcome = 'delivered'") };
is($delivered->(), 0, 'nothing is delivered');
admit('ann@example.com');
wait_until { $delivered->() == 1 } 'the first of them is taken, which the others were asked for';
admit('example.com');
wait_until { $delivered->() == 3 } 'and all of them when it is repaired wholly';
is($gateway->sql("SELECT count(*) FROM open"), 0, 'nothing is left open');
$gateway->finish;

# ---- the end does not wait in vain --------------------------------------------------------

sub hanging { my ($wait) = @_; return <<"YAML" }
  unsent: { plugin: http, url: "http://dead.test/", allow_private: true, timeout: 10m }
  sent: { plugin: http, url: "$base/hang", allow_private: true, timeout: 10m, stop_wait: $wait, retry_first: 1h, retry_max: 1h }
YAML
$gateway = LeadgateTest->new(config => config(hanging('50ms')));
$gateway->announce(qr/sink\.waiting/)->start;
$gateway->allow_calls(2, 8);
$gateway->post('/f/contact', [email => 'dan@example.com']);
my $in_flight = sub {
    my %sinks = map { my $sink = decode_json($_); ($sink->{name} => $sink->{in_flight}) }
        split /\n/, ($gateway->command('sinks', '--json'))[1];
    return $sinks{unsent} && $sinks{sent};
};
wait_until { $in_flight->() && requests('/hang') } 'both have a call under way';
$gateway->configure(config(hanging('60ms')));
my ($status) = $gateway->command('reload', '--wait');
is($status, 0, 'a reload that changes the sink');
wait_until { $gateway->sql("SELECT state FROM open WHERE sink = 'sent'") eq 'unclassified' }
    'what was sent and has no answer is unclassified';
$gateway->post('/f/contact', [email => 'eve@example.com']);
wait_until { grep({ $_->{body} =~ /eve\@/ } requests('/hang')) && $in_flight->() } 'its successor goes on';
is($gateway->stop, 0, 'a stop');
is($gateway->sql("SELECT group_concat(seq || ' ' || state) FROM open WHERE sink = 'sent'"),
    '1 unclassified,2 unclassified', 'the same of what was under way at the stop');
is($gateway->sql("SELECT count(*) FROM attempt WHERE sink = 'unsent'"), 0, 'what was not sent was not tried');
is($gateway->sql("SELECT count(*) FROM open WHERE sink = 'unsent'"), 0, 'and stays pending');
$gateway->finish;
$destination->stop;
done_testing;
