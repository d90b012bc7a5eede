# What is shipped: the configurations of conf/ are good, and the manual pages
# name every command and every option.
use strict;
use warnings;

use JSON::PP;
use LeadgateTest;
use Test::More;

my $top = $ENV{LG_SRCDIR};
my @files = glob "$top/conf/*.yaml";
@ENV{qw(CRM_SECRET CRM_TOKEN NEWSLETTER_KEY)} = ('a' x 32, 'token', 'key');
ok(@files >= 2, 'there are configurations');
for my $file (@files) {
    my ($status, $out, $err) = LeadgateTest::run_leadgate('check', '-c', $file);
    is($status, 0, "$file is good") or diag($err);
}

# conf/quickstart.yaml as it stands, but for the ports and the folder.
my $text = slurp("$top/conf/quickstart.yaml");
$text =~ s/127\.0\.0\.1:808\d/127.0.0.1:0/g;
my $gateway = LeadgateTest->new(config => $text, files => {
    config => 'conf/quickstart.yaml', store => 'var/leadgate.db', sink => 'var/leads.ndjson',
})->start;
ok(-d $gateway->dir . '/var', 'run makes the folder of the store');
is(sprintf('%o', (stat $gateway->store)[2] & 07), '0', 'and nothing in it is for everybody');
my $answer = $gateway->post('/f/contact', [
    full_name => 'Ada Lovelace', email => 'ada@example.com', phone => '(650) 253-0000',
    message => 'Please call me about a demo',
]);
is($answer->{status}, 202, 'the request that quickstart prints is accepted');
my ($event) = $gateway->wait_events(1);
is($event->{lead}{person}{phone}, '+16502530000', 'and in var/leads.ndjson');
$gateway->finish;

# Manual pages.
my $commands = slurp("$top/man/leadgate.1");
for my $verb ((LeadgateTest::run_leadgate('help'))[1] =~ /^  (\w+) /mg) {
    like($commands, qr/^\.(BR|B) $verb\b/m, "leadgate(1) has $verb");
}
my $options = slurp(($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/man/leadgate.yaml.5');
my ($generated) = (LeadgateTest::run_leadgate('manual'))[1];
ok(index($options, $generated) > 0, 'leadgate.yaml(5) is made of the rows of this build');
my @names = $generated =~ /^\.TP\n\\fB(\S+)\\fR \(/mg;
cmp_ok(@names, '>', 40, scalar(@names) . ' options are described');
unlike($generated, qr/\\fR \([^\n]*\)\n\n/, 'each with a help');

# The table of docs/sinks/http.md is the one in the code.
my %words = slurp("$top/gateway/client/http_results.def") =~ /^HTTP_RESULT\((\w+), "[^"]*", \d, "([^"]*)"\)/mg;
my @rows;
my $table = slurp("$top/gateway/sink/outcome.def");
while ($table =~ /^OUTCOME_(?:RESULT\((\w+), (\w+)\)|STATUS\((\d+), (\d+), (\w+),\s*"([^"]*)"\))/mg) {
    push @rows, defined $1 ? "| \x{2014} | \L$2\E | $words{$1} |"
        : '| ' . ($3 == $4 ? $3 : "$3\x{2013}$4") . " | \L$5\E | $6 |";
}
cmp_ok(@rows, '>', 30, 'outcomes have rows');
my $page = slurp("$top/docs/sinks/http.md");
utf8::decode($page);
ok(index($page, join("\n", @rows) . "\n") > 0, 'and docs/sinks/http.md has them all');
done_testing;
