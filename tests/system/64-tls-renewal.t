# Certificates are renewed by a reload: fifty times under load without a request
# lost or a connection dropped, and a broken file leaves the old one in service.
use strict;
use warnings;

use Destination;
use File::Copy qw(copy);
use LeadgateTest;
use POSIX qw(mkfifo);
use Test::More;
use TlsClient;

use constant RENEWALS => 50;

my $gateway = LeadgateTest->new(config => '');
my $dir = $gateway->dir;
my $authority = Destination::make_authority($dir, 'authority');
my @pairs = map {
    mkdir "$dir/$_";
    Destination::make_certificate("$dir/$_", 'a.example', $authority);
} 0 .. 1;

# Puts a pair where the configuration looks for it.
sub place {
    my ($pair) = @_;
    unlink "$dir/gw.crt";
    copy($pair->[0], "$dir/gw.crt") && copy($pair->[1], "$dir/gw.key") or die "copying: $!\n";
    chmod 0600, "$dir/gw.key";
}
place($pairs[0]);
$gateway->configure(<<"YAML")->start;
core: { loops: 2 }
listen: [{ address: "127.0.0.1:0", tls: { certificate: gw.crt, key: gw.key } }]
admin: { address: "127.0.0.1:0" }
store: { path: "$dir/store.db" }
sources: { contact-form: { plugin: webform, path: /f/contact, auth: none } }
sinks: { archive: { plugin: file, path: "$dir/leads.ndjson" } }
YAML
my $client = TlsClient->new(port => $gateway->port, ca => $authority->[0], name => 'a.example');

sub served { return $client->ask('connect', as => 'look')->{fingerprint} }
sub lead { return form_request('/f/contact', [email => "$_[0]\@example.com"]) }

# ---- once -----------------------------------------------------------------------------

my $old = served();
$client->ask('connect', as => 'kept');
$client->ask('send', as => 'kept', text => lead('before'));
is($client->ask('answer', as => 'kept')->{status}, 202, 'a connection of before');
$client->ask('keep', as => 'kept', session => 'before');
$client->ask('hello', as => 'half', without => 1);

my ($status, $out) = $gateway->command('reload');
is($status, 0, 'a reload of the same files');
like($out, qr/^kept +listener /m, 'keeps the listener');
place($pairs[1]);
is(served(), $old, 'new files alone change nothing');
($status, $out) = $gateway->command('reload');
is($status, 0, 'a reload of new files');
like($out, qr/^changed +listener /m, 'changes the listener');
my $new = served();
isnt($new, $old, 'new handshakes get the new certificate');
$client->ask('send', as => 'kept', text => lead('after'));
my $answer = $client->ask('answer', as => 'kept');
is($answer->{status}, 202, 'the connection of before goes on');
ok(!$answer->{closes}, 'and is not ended');
ok($client->ask('connect', as => 'again', resume => 'before')->{resumed}, 'a ticket of before is taken');

# ---- broken files ------------------------------------------------------------------------

for (
    ['a key that belongs to another certificate', sub { copy($pairs[0][1], "$dir/gw.key") },
        qr/yaml:2:.*error: .*gw\.key: the key does not belong to the certificate/],
    ['half a certificate', sub { spew("$dir/gw.crt", substr slurp($pairs[1][0]), 0, 300) },
        qr/yaml:2:.*error: .*gw\.crt: there is no certificate in PEM form in it/],
    ['an empty key', sub { spew("$dir/gw.key", '') }, qr/yaml:2:.*error: .*gw\.key: there is no private key/],
    ['no file', sub { unlink "$dir/gw.crt" }, qr/yaml:2:.*error: .*gw\.crt: cannot be read: No such file/],
    ['a pipe that nobody writes to', sub { unlink "$dir/gw.crt"; mkfifo("$dir/gw.crt", 0600) },
        qr/yaml:2:.*error: .*gw\.crt: cannot be read: it is a pipe, and must be a regular file/],
    )
{
    my ($what, $break, $error) = @$_;
    place($pairs[1]);
    $break->();
    my ($status, $out, $err) = $gateway->command('reload');
    is($status, 78, "$what: the reload is refused");
    like("$out$err", $error, '… with the place and the reason');
    unlike("$out$err" . $gateway->log, qr/PRIVATE|BEGIN/, '… and no word of the files');
    is(served(), $new, '… and the old one is served');
}
$gateway->announce(qr/event=reload\.failed/);
place($pairs[1]);

# ---- fifty times under load ------------------------------------------------------------------

# Each waits until the load has got on, so that requests fall on both sides.
$client->ask('load', threads => 4);
my $refused = 0;
for my $n (1 .. RENEWALS) {
    my $least = $client->ask('progress')->{least};
    wait_until { my $now = $client->ask('progress'); $now->{least} > $least || @{ $now->{errors} } } 'the load gets on';
    place($pairs[$n % 2]);
    $refused++ if ($gateway->command('reload'))[0] != 0;
}
my $found = $client->ask('stop');
undef $client;
is($refused, 0, RENEWALS . ' reloads are taken');
is(join("\n", @{ $found->{errors} }), '', 'no request failed');
is($found->{kept}, 2, 'connections that are kept were never ended');
cmp_ok($found->{handshakes}, '>=', RENEWALS, 'while others began all the time');
is(scalar @{ $found->{fingerprints} }, 2, 'and got either certificate');
is($gateway->sql("SELECT count(*) FROM event"), $found->{count} + 2, 'every lead that was taken is in the journal');
$gateway->finish;
done_testing;
