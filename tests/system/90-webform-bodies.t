# Request bodies with the exact fields that they give, or the refusal: what stands
# in tests/golden/webform, a line each.
#
#   body    its bytes, as characters up to U+00FF
#   want    the lead's fields by their paths, all of them; or
#   status, detail  of the refusal; a detail of null may be anything
#
# In all of them {email} stands for the address of the case, and {n*1024} for 1024
# times what stands before the star.
use strict;
use warnings;
use utf8;

use JSON::PP;
use LeadgateTest;
use Test::More;

my $golden = "$ENV{LG_SRCDIR}/tests/golden/webform";
my @cases;
for my $file (sort glob "$golden/*.jsonl") {
    my ($group) = $file =~ m{([^/]+)\.jsonl$};
    push @cases, map { { %{ decode_json($_) }, group => $group } } split /\n/, slurp($file);
}
cmp_ok(scalar @cases, '>=', 200, 'there are many cases');

my $gateway = LeadgateTest->new(config => <<'YAML')->start;
core: { loops: 2, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "@DIR@/store.db" }
sources:
  form: { plugin: webform, path: /f, auth: none }
sinks:
  archive: { plugin: file, path: "@DIR@/leads.ndjson" }
YAML

sub email { return "case-$_[0]\@example.com" }

sub expand {
    my ($text, $number) = @_;
    my $email = email($number);
    $text =~ s/\{email\}/$email/g;
    $text =~ s/\{([^{}*]+)\*(\d+)\}/$1 x $2/ge;
    return $text;
}

# The record's fields by their paths, without what the gateway adds.
sub flatten {
    my ($value, $path, $flat) = @_;
    if (ref $value eq 'HASH') {
        flatten($value->{$_}, $path eq '' ? $_ : "$path.$_", $flat) for keys %$value;
    } else {
        $flat->{$path} = $value;
    }
    return $flat;
}

sub fields {
    my ($lead) = @_;
    my %kept = map { $_ => $lead->{$_} || {} } qw(person organization inquiry referral);
    $kept{attribution}{last} = { %{ ($lead->{attribution} || {})->{last} || {} } };
    delete $kept{attribution}{last}{at};
    delete @{ $kept{person} }{qw(email_flags phone_type)};
    my $flat = flatten(\%kept, '', {});
    $flat->{"extra.$_"} = $lead->{extra}{$_} for keys %{ $lead->{extra} || {} };
    return $flat;
}

# Head and body of a case; the address is that of a number.
sub request_of {
    my ($case, $number) = @_;
    my $body = expand($case->{body}, $number);
    utf8::downgrade($body);
    return ("POST /f HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
            . "Content-Type: $case->{type}\r\nContent-Length: " . length($body) . "\r\n\r\n", $body);
}

my (%answers, $taken);
for my $number (0 .. $#cases) {
    my $answer = $gateway->exchange(join '', request_of($cases[$number], $number));
    $answers{$number} = $answer;
    $taken++ if $answer->{status} == 202;
}
my %leads = map { ($_->{lead}{person}{email} => $_->{lead}) } $gateway->wait_events($taken);

for my $number (0 .. $#cases) {
    my ($case, $answer) = ($cases[$number], $answers{$number});
    my $name = "$case->{group}: $case->{name}";
    if ($case->{want}) {
        my %want = ('person.email' => email($number), 'inquiry.kind' => 'contact');
        while (my ($path, $value) = each %{ $case->{want} }) {
            $want{expand($path, $number)} = ref $value ? $value : expand($value, $number);
        }
        my $lead = $leads{email($number)};
        is_deeply($lead && fields($lead), \%want, $name) or diag(substr "$answer->{status} $answer->{body}", 0, 400);
    } else {
        my $detail = eval { decode_json($answer->{body})->{detail} };
        is("$answer->{status} " . (defined $case->{detail} ? $detail : ''),
            "$case->{status} " . (defined $case->{detail} ? $case->{detail} : ''), $name);
        ok(!$leads{email($number)}, "$name: nothing is stored");
    }
}
is($gateway->sql('SELECT count(*) FROM event'), $taken, 'and nothing else is in the journal');

# ---- connections that are cut -----------------------------------------------------------

# The peer hangs up before the body is as long as the head says: whatever it is, and however
# whole it looks, it is not taken. (What comes of bodies that are cut, and whose head says so,
# is in tests/unit/host/test_webform_cuts.c.)
my ($cut, %answered) = (0);
sub hang_up {
    my ($case, $bytes) = @_;
    my ($head, $body) = request_of($case, 'cut');
    return if $bytes >= length $body;
    my $socket = $gateway->connect;
    syswrite $socket, $head . substr $body, 0, $bytes;
    shutdown $socket, 1;
    my $answer = read_answer($socket);
    $answered{ $answer ? $answer->{status} : 'nothing' } = 1;
    $cut++;
    return;
}
my %groups;
for my $case (@cases) {
    my (undef, $body) = request_of($case, 'cut');
    hang_up($case, length($body) - 1) if length $body;
    next if !$case->{want} || length($body) > 200 || $groups{ $case->{group} }++;
    hang_up($case, $_) for 0 .. length($body) - 2;
}
cmp_ok($cut, '>', 500, 'many are cut');
is_deeply(\%answered, { nothing => 1 }, '… and answered nothing') or diag(join ' ', %answered);
is($gateway->sql('SELECT count(*) FROM event'), $taken, '… nor stored');
$gateway->finish;
done_testing;
