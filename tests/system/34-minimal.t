# The source that docs/writing-a-plugin.md walks through.
use strict;
use warnings;

use LeadgateTest;
use Test::More;

my $gateway = LeadgateTest->new(config => <<"YAML")->start;
core: { loops: 1, plugin_path: ["$ENV{LG_BUILDDIR}/tests/plugin"] }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store.db" }
sources:
  addresses: { plugin: minimal, path: /in/minimal, auth: none, campaign: spring }
sinks:
  archive: { plugin: file, path: "\@DIR\@/leads.ndjson" }
YAML

sub send_body {
    my ($body) = @_;
    my $length = length $body;
    return $gateway->exchange("POST /in/minimal HTTP/1.1\r\nHost: localhost\r\nContent-Length: $length\r\n\r\n$body");
}

my $answer = send_body("ada\@example.org\n");
is($answer->{status}, 202, 'the host answers for a plugin without a reply');
like($answer->{body}, qr/"status":"accepted","receipt":"[0-9a-f-]{36}"/, 'with a receipt');
$answer = send_body(" \n");
is($answer->{status}, 422, 'a refusal has the status that the plugin named');
like($answer->{body}, qr/The body must be an email address/, 'and its words');

my ($event) = $gateway->wait_events(1);
is($event->{lead}{person}{email}, 'ada@example.org', 'the lead has the address');
is($event->{lead}{attribution}{last}{utm_campaign}, 'spring', 'and the option');
is($event->{lead}{source}{plugin}, 'minimal', 'and says where it is from');

$gateway->finish;
done_testing;
