# Chromium sends a form through nginx, over TLS and HTTP/2, as a visitor does; and
# straight to the gateway, which speaks both itself.
use strict;
use warnings;

use Chromium;
use LeadgateTest;
use ProxyTest;
use Test::More;

my $gateway = behind_a_proxy();
my $proxy = start_proxy($gateway, 'nginx');
my $dir = $gateway->dir;

# The page sends its form itself, when it is loaded.
sub visit {
    my ($email) = @_;
    spew("$dir/page.html", <<"HTML");
<!DOCTYPE html><meta charset="utf-8"><title>Contact</title>
<form action="https://forms.example:$proxy->{https}/f/contact" method="post">
  <input name="full_name" value="Zo&euml; M&uuml;ller"> <input name="email" value="$email">
  <input name="phone" value="(650) 253-0000"> <textarea name="message">One &amp; two
three</textarea>
</form>
<script>addEventListener('load', () => document.forms[0].submit())</script>
HTML
    my $browser = Chromium->visitor($dir, "file://$dir/page.html", '--host-resolver-rules=MAP forms.example 127.0.0.1');
    my $event;
    eval {
        wait_until {
            ($event) = grep { ($_->{lead}{person}{email} || '') eq $email } $gateway->events;
            $event || $browser->has_ended;
        } "the lead of $email", 120;
        1;
    } or diag($@);
    diag($browser->said) unless $event;
    $browser->stop;
    return $event;
}

my $event = visit('zoe@example.com');
ok($event, 'a form that Chromium sends arrives');
my $lead = $event->{lead};
is($lead->{person}{full_name}, "Zo\x{eb} M\x{fc}ller", 'with its letters');
is($lead->{person}{phone}, '+16502530000', 'its phone number');
is($lead->{inquiry}{message}, "One & two\nthree", 'its lines');
is($lead->{client}{ip}, '127.0.0.1', 'from the visitor\'s address');
like($lead->{client}{user_agent}, qr/Chrome/, 'and browser');
stop_proxy($proxy);

# The browser itself says how it came there.
my $pem = "$dir/forms.pem";
my $own = LeadgateTest->new(config => <<"YAML")->start;
listen: [{ address: "127.0.0.1:0", tls: { certificate: $pem, key: $pem.key } }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store.db" }
sources: { contact-form: { plugin: webform, path: /f/contact, auth: none } }
sinks: { archive: { plugin: file, path: "\@DIR\@/leads.ndjson" } }
YAML
my $origin = 'https://forms.example:' . $own->port;
my $chromium = Chromium->start($own->dir, '--host-resolver-rules=MAP forms.example 127.0.0.1');
$chromium->visit("$origin/nowhere");
is($chromium->evaluate('performance.getEntriesByType("navigation")[0].nextHopProtocol'), 'h2',
    'a page of the gateway comes by HTTP/2');
my $answers = $chromium->evaluate(<<'JAVASCRIPT');
Promise.all([1, 2, 3, 4, 5].map(n => fetch('/f/contact', {method: 'POST', headers: {Accept: 'application/json'},
    body: new URLSearchParams({email: `chromium${n}@example.com`, full_name: 'Zo\u00eb M\u00fcller'})})
    .then(answer => answer.json().then(json => `${answer.status} ${json.receipt.length}`)))).then(all => all.join())
JAVASCRIPT
is($answers, join(',', ('202 36') x 5), 'five forms at once are answered');
my $hops = $chromium->evaluate(<<'JAVASCRIPT');
performance.getEntriesByType('resource').filter(e => e.name.endsWith('/f/contact')).map(e => e.nextHopProtocol).join()
JAVASCRIPT
is($hops, join(',', ('h2') x 5), 'all by HTTP/2');
is_deeply([sort map { "$_->{lead}{person}{email} $_->{lead}{person}{full_name}" } $own->wait_events(5)],
    [map { "chromium$_\@example.com Zo\x{eb} M\x{fc}ller" } 1 .. 5], 'and all are leads');
$chromium->stop;
$own->finish;
$gateway->finish;
done_testing;
