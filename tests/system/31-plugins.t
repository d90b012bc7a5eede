# Plugins that are wrong are refused with a sentence; plugins that fail on
# demand hurt nobody but themselves.
use strict;
use warnings;

use JSON::PP;
use LeadgateTest;
use Test::More;

my $plugins = ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/plugin';
local $ENV{LEADGATE_TEST_PLUGINS} = $plugins;

sub configuration {
    my ($sources, $sinks) = @_;
    return <<"YAML";
core: { loops: 2, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store.db" }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
$sources
sinks:
  archive: { plugin: file, path: "\@DIR\@/leads.ndjson" }
$sinks
YAML
}

# ---- refusals -------------------------------------------------------------------

for my $case (
    [later => qr{later\.so: plugin later needs plugin ABI 0\.99, this gateway has 0\.4}],
    [major => qr{major\.so: plugin major was written for plugin ABI 42\.0, this gateway has 0\.4}],
    [stranger => qr{stranger\.so: is no leadgate plugin: its descriptor begins with 0x64726f57}],
    [shrunk => qr{shrunk\.so: plugin shrunk has a descriptor of 24 bytes}],
    [nothing => qr{nothing\.so: is no leadgate plugin: it exports no symbol leadgate_plugin}],
    [misnamed => qr{misnamed\.so: the plugin in it is called other-name}],
    [unheard => qr{plugin unheard asks for lead\.unheard: there is no event type "lead\.unheard", only lead\.created, .*lead\.erased, gateway\.alert}],
    [failing_sin => qr{no plugin "failing_sin" \(did you mean "failing_sink"\?\)}],
) {
    my ($name, $words) = @$case;
    my $gateway = LeadgateTest->new(config => configuration('', "  x: { plugin: $name }"));
    my ($status, undef, $errors) = $gateway->command('check');
    is($status, 78, "plugin $name is refused");
    like($errors, $words, 'with a sentence');
    like($errors, qr{leadgate\.yaml:10:\d+: error: }, 'and a place');
    $gateway->finish;
}

for my $case (
    ['no secret', '{ plugin: failing_source, path: /f/x }', qr/no secret is set.*auth: none/],
    ['no way to prove it', '{ plugin: webform, path: /f/x }', qr/cannot prove who sends.*auth: none/],
    ['the plugin\'s own check', '{ plugin: failing_source, path: /f/x, auth: none, fail_check: true }',
        qr/fail_check is set: leave it out/],
    ['a sink as a source', '{ plugin: file, path: /f/x, auth: none }', qr/plugin "file" is no source plugin/],
) {
    my ($what, $section, $words) = @$case;
    my $gateway = LeadgateTest->new(config => configuration("  x: $section", ''));
    my ($status, undef, $errors) = $gateway->command('check');
    is($status, 78, "$what: refused");
    like($errors, $words, 'with a sentence');
    $gateway->finish;
}

# ---- a source that fails on demand ------------------------------------------------

{
    my $gateway = LeadgateTest->new(config => configuration(
        '  odd: { plugin: failing_source, path: /f/odd, secret: s }', ''));
    $gateway->announce(qr/plugin/)->start;
    my $ask = sub {
        my ($body) = @_;
        return $gateway->exchange("POST /f/odd HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
                . 'Content-Length: ' . length($body) . "\r\n\r\n$body");
    };
    my $answer = $ask->("lead a\@example.com\nignore\nempty\nlead b\@example.com\n");
    is($answer->{status}, 200, 'four items');
    is($answer->{body}, 'accepted ignored refused accepted ', 'each with its own result');
    is($ask->("key c\@example.com k1")->{body}, 'accepted ', 'with a delivery key');
    is($ask->("key c\@example.com k1")->{body}, 'repeated ', 'and again');
    is($ask->('refuse 418')->{status}, 418, 'a refused request has the status that the plugin gave');
    cmp_ok($ask->('fail')->{status}, '>=', 500, 'a plugin that fails without a word is our fault');
    cmp_ok($ask->('strange')->{status}, '>=', 500, 'a strange return is a failure');
    is($ask->("lead d\@example.com\nfail")->{status} >= 500, 1, 'what was added before a failure');
    is($gateway->post('/f/contact', [email => 'e@example.com'])->{status}, 202, 'the other source serves');
    my @events = $gateway->wait_events(4);
    is_deeply([map { $_->{lead}{person}{email} } @events],
        [map { "$_\@example.com" } qw(a b c e)], '… is not stored');
    $gateway->finish;
}

# ---- a sink that fails on demand ---------------------------------------------------

{
    my $gateway = LeadgateTest->new(config => configuration('', <<'YAML'));
  odd: { plugin: failing_sink, script: "@DIR@/script", log: "@DIR@/delivered", retry_first: 10ms, retry_max: 50ms, timeout: 1s }
YAML
    my $script = $gateway->dir . '/script';
    my $posted = 0;
    my $post = sub {
        for (1 .. shift) {
            $posted++;
            is($gateway->post('/f/contact', [email => "p$posted\@example.com"])->{status}, 202, 'accepted');
        }
    };
    # A delivery that lasted too long, on a busy machine, comes again.
    my $delivered = sub {
        my %seqs = map { $_ => 1 } slurp($gateway->dir . '/delivered') =~ /^(\d+) \S+$/mg;
        return scalar keys %seqs;
    };
    my $state = sub { $gateway->sql("SELECT count(*) FROM open WHERE sink = 'odd' AND state = '$_[0]'") };
    $gateway->announce(qr/sink\.(parked|waiting)/)->start;

    for my $order (qw(retry unclassified fail never half)) {
        my $before = $delivered->();
        spew($script, $order);
        $post->(3);
        $gateway->wait_events($posted);
        is($delivered->() < $before + 3, 1, "$order: not all are delivered") unless $order eq 'half';
        spew($script, 'deliver');
        wait_until { $delivered->() >= $posted } "$order: all are delivered in the end";
        pass("$order: all are delivered in the end");
    }

    spew($script, 'park');
    $post->(2);
    my $sinks;
    wait_until { ($sinks = $gateway->admin('/sinks')->{content}) =~ /"state":"parked"/ } 'the sink is parked';
    like($sinks, qr/told to/, 'parked, and the list says why');
    spew($script, 'deliver');
    wait_until { $delivered->() >= $posted } 'what was parked is delivered';

    spew($script, 'reject');
    $post->(2);
    wait_until { $state->('dead') == 2 } 'the rejected are dead letters';
    is($gateway->sql("SELECT count(DISTINCT error) FROM open WHERE state = 'dead' AND error = 'told to'"), 1,
        'dead letters have their reason');
    spew($script, 'thread');
    $post->(2);
    wait_until { $delivered->() >= $posted - 2 } 'settled from another thread';

    is($delivered->(), $posted - 2, 'every event but the rejected was delivered');
    is(scalar(() = $gateway->wait_events($posted)), $posted, 'the other sink had all of them all along');

    # A plugin that hangs holds up neither the other sink nor the end.
    spew($script, 'hang 600000');
    $post->(1);
    $gateway->wait_events($posted);
    pass('a sink that hangs holds up no other');
    $gateway->signal('KILL');
    $gateway->wait_end;
    spew($script, 'deliver');
    $gateway->start;
    wait_until { $delivered->() >= $posted - 2 } 'and is delivered after the next start';
    $gateway->finish;
}

done_testing;
