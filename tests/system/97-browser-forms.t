# Forms, scripts and beacons of a web site in Chromium: what arrives, and what the
# browser lets the page's scripts see. Its steps stand in tests/browser/steps.js.
use strict;
use warnings;

use Chromium;
use JSON::PP;
use LeadgateTest;
use Test::More;

my $site;

END {
    my $status = $?;
    kill 'KILL', $site if $site;
    $? = $status;
}

my $gateway = LeadgateTest->new;
my $dir = $gateway->dir;
my $pages = "$dir/site";
mkdir $pages or die "$pages: $!\n";

# The site's port stands in the gateway's configuration, so the site is first.
$site = open my $said, '-|', '/usr/bin/python3', "$ENV{LG_SRCDIR}/tests/lib/site.py", $pages
    or die "site.py: $!\n";
chomp(my $port = <$said>);

$gateway->configure(<<"YAML")->start;
core: { loops: 2, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "$dir/store.db" }
sources:
  site:
    plugin: webform
    path: /f/site
    auth: none
    origins: ["http://site.example:$port"]
    redirect: "http://site.example:$port/thanks.html"
    redirects: ["http://site.example:$port/been.html"]
    consent_field: agree
sinks:
  archive: { plugin: file, path: "$dir/leads.ndjson" }
YAML

my $gateway_port = $gateway->port;
spew("$pages/gateway", $gateway_port);

sub page {
    my ($name, $script) = @_;
    spew("$pages/$name", qq{<!DOCTYPE html><meta charset="utf-8"><title>$name</title><body><script>\n}
            . "const GATEWAY = 'http://gateway.example:$gateway_port', OTHER = 'http://other.example:$port';\n"
            . "</script>$script\n");
}

spew("$pages/steps.js", slurp("$ENV{LG_SRCDIR}/tests/browser/steps.js"));
page('start.html', '<script src="/steps.js"></script>');
page('thanks.html', '<script src="/steps.js"></script>');
# Fills in and sends, comes back by the button, sends once more, goes on.
page('back.html', <<'HTML');
<form method="post"><input name="email" value="back@example.com"><input name="_next"></form>
<script>
addEventListener('pageshow', () => setTimeout(() => {
  const form = document.forms[0];
  sessionStorage.sent = Number(sessionStorage.sent || 0) + 1;
  form.action = GATEWAY + '/f/site';
  form._next.value = location.origin + '/been.html';
  form.submit();
}));
</script>
HTML
page('been.html', <<'HTML');
<script>
addEventListener('pageshow', () => setTimeout(() => {
  if (sessionStorage.sent < 2) history.back();
  else location = '/thanks.html';
}));
</script>
HTML
page('other.html', <<'HTML');
<script>
const body = new URLSearchParams({email: 'other@example.com'});
const send = options => fetch(GATEWAY + '/f/site', {method: 'POST', body, ...options})
  .then(answer => answer.type, error => error.name);
(async () => parent.postMessage([await send({}), await send({mode: 'no-cors'}),
  await send({headers: {'Content-Type': 'application/json'}})], '*'))();
</script>
HTML

my $browser = Chromium->visitor($dir, "http://site.example:$port/start.html",
    '--host-resolver-rules=MAP *.example 127.0.0.1');

sub reports { return map { @$_[0, 1] } read_lines("$pages/reports") }
my %told;
eval {
    wait_until { %told = reports(); exists $told{end} || $browser->has_ended } 'the browser is done', 180;
    1;
} or diag($@);
diag($browser->said) unless exists $told{end};
ok($told{end}, 'Chromium went all the way');

my @expected = map { "$_\@example.com" } qw(plain multipart text latin twice back json params data
    beacon-text beacon-params beacon-data beacon-json again);
my @events = $gateway->wait_events(scalar @expected);
my %leads = map { ($_->{lead}{person}{email} => $_->{lead}) } @events;
is_deeply([sort keys %leads], [sort @expected], 'everybody has arrived');
is(scalar @events, scalar @expected, 'and nobody twice: a double click and the back button are one lead');
sub lead { return $leads{"$_[0]\@example.com"} || {} }

is(lead('plain')->{person}{full_name}, "Zo\x{eb}", 'a plain form: its letters');
is(lead('plain')->{inquiry}{message}, "a\nb & c", 'its lines');
like(lead('plain')->{client}{page_url}, qr{^http://site\.example}, 'its page');
is_deeply(lead('multipart')->{extra}, { 'a"b' => "x\r\ny" }, 'a multipart form with an unused file input');
is_deeply(lead('text')->{extra}, { note => '100% a+b' }, 'a form as plain text');
is_deeply(lead('latin')->{extra}, { note => "Zo\x{eb} \x{20ac}" }, 'a form in windows-1252');

is($told{json}[0], 202, 'a script of an allowed site reads the answer to JSON');
is_deeply($told{again}, $told{json}, 'and the same when it asks again with its key');
is($told{refused}[0], 422, 'it reads a refusal, too');
like($told{refused}[1]{detail}, qr/no way to reach/, 'with the reason');
is($told{form}[0], 202, 'fetch of a form');
is($told{data}[0], 202, 'fetch of FormData');
is($told{file}[0], 422, 'a file is refused');
is($told{file}[1]{detail}, 'The field "cv" carries a file: this form takes no files.', 'with the reason');
is_deeply($told{beacons}, [map { JSON::PP::true } 1 .. 4], 'beacons of four types are sent');
is_deeply($told{'other site'}, ['TypeError', 'opaque', 'TypeError'], 'scripts of another site see nothing');
is_deeply($told{kept}, ['Not sent', '"><script>parent.ran = 1</script>', "\na\n</textarea>", JSON::PP::true, 0],
    'a refused form keeps what was typed, and runs nothing of it');
ok(lead('again')->{person}, 'and can be sent again');
is(lead('again')->{client}{page_url}, "http://site.example:$port/thanks.html?gclid=again-1",
    'from the page on which it stood');
is(lead('again')->{attribution}{last}{gclid}, 'again-1', 'with what its address says');

$browser->stop;
kill 'KILL', $site;
close $said;
undef $site;
unlike($gateway->sql('SELECT group_concat(body) FROM event'), qr/secret bytes|other\@example/, 'nothing else is kept');
$gateway->finish;
done_testing;
