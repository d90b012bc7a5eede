# However the bytes of HTTP/1.1 come, the answers are the same: the corpus of requests
# (tests/unit/http/corpus) against a gateway over sockets. Some of them in every split
# in two and byte by byte, all of them in random pieces. The pieces of many connections
# go in rounds; between two rounds one loop has served another request, and so has seen
# the pieces that came before it.
use strict;
use warnings;

use IO::Select;
use LeadgateTest;
use Socket qw(SHUT_WR);
use Test::More;

my $folder = "$ENV{LG_SRCDIR}/tests/unit/http/corpus";
my @at_every_byte = qw(form absolute-form old-keep-alive expect-chunked chunked-trailers pipelined-mixed pipelined-posts
    refused-chunk-size-prefix refused-length-and-chunked refused-second-after-body);
my @byte_by_byte = qw(form chunked-all refused-trailer-folded);
my $most = 200; # connections at once
my $random_splits = 4;
srand 20260102;

# The limits are those that the corpus was made for (tests/unit/http/message.h).
my $gateway = LeadgateTest->new(config => <<'YAML')->announce(qr/event=forwarded\.ignored/)->start;
core: { loops: 1 }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
http:
  max_head: 1KiB
  max_headers: 20
  head_timeout: 1h
  body_timeout: 1h
  idle_timeout: 1h
  minimum_rate: 0
  max_connections_per_address: 1000
store: { path: "@DIR@/store.db" }
sources: { contact-form: { plugin: webform, path: /f/contact, auth: none } }
sinks: { archive: { plugin: file, path: "@DIR@/leads.ndjson" } }
YAML

my $beside = $gateway->connect;
my $rest = '';
sub serve_another {
    syswrite $beside, "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n";
    my $answer = read_answer($beside, \$rest);
    die "another request is not served\n" unless $answer && $answer->{status} == 404;
}

# All that comes, without what may differ: the date, and whether a body was asked for.
sub read_to_end {
    my ($socket) = @_;
    my $text = '';
    for (;;) {
        return "hangs after: $text" unless IO::Select->new($socket)->can_read(patience());
        my $got = sysread $socket, $text, 65536, length $text;
        return "reset after: $text" unless defined $got;
        last unless $got;
    }
    $text =~ s/HTTP\/1\.1 100 Continue\r\n\r\n//g;
    $text =~ s/^Date: [^\r]+\r\n//mg;
    return $text;
}

# The answers to one request after the other, each in its pieces, a connection each.
sub answers_to {
    my (@conversations) = @_;
    my @sockets = map { $gateway->connect } @conversations;
    my $rounds = 0;
    for (@conversations) { $rounds = @$_ if @$_ > $rounds }
    for my $round (0 .. $rounds - 1) {
        serve_another() if $round;
        for my $i (0 .. $#conversations) {
            my $pieces = $conversations[$i];
            syswrite $sockets[$i], $pieces->[$round] if $round < @$pieces;
            shutdown $sockets[$i], SHUT_WR if $round == $#$pieces;
        }
    }
    return map { read_to_end($_) } @sockets;
}

sub pieces {
    my ($bytes, @ends) = @_;
    my $at = 0;
    return [map { my $piece = substr $bytes, $at, $_ - $at; $at = $_; $piece } sort({ $a <=> $b } @ends), length $bytes];
}
sub check {
    my ($what, $expected, @conversations) = @_;
    my ($count, @wrong) = (scalar @conversations);
    while (my @some = splice @conversations, 0, $most) {
        my @got = answers_to(@some);
        push @wrong, grep { $got[$_] ne $expected } 0 .. $#got;
        diag("not\n$expected\nbut\n$got[$wrong[0]]\nto\n" . join "\n----\n", @{ $some[$wrong[0]] }) if @wrong;
        last if @wrong;
    }
    ok(!@wrong, "$what: $count times the same");
}

my (%requests, %transcripts);
for my $path (glob "$folder/*.request") {
    my ($name) = $path =~ m{([^/]+)\.request$};
    $requests{$name} = slurp($path);
}
%transcripts = slurp("$folder/transcripts") =~ /^==== (\S+)\.request\n(.*?)(?=^==== |\z)/smg;
cmp_ok(scalar keys %requests, '>=', 100, 'there is a corpus');
is_deeply([sort keys %transcripts], [sort keys %requests], 'with a transcript for each');

my %whole;
for my $name (sort keys %requests) {
    my $bytes = $requests{$name};
    my ($text) = answers_to([$bytes]);
    my @statuses = $text =~ /HTTP\/1\.1 (\d+) /g;
    my @read = $transcripts{$name} =~ /^(whole|refused) /mg;
    my ($refused) = $transcripts{$name} =~ /^refused (\d+)/m;
    is(scalar @statuses, scalar @read, "$name: an answer for each request");
    is($statuses[-1], $refused, '… the last one a refusal') if $refused;
    $whole{$name} = $text;
    my @random = map { pieces($bytes, map { 1 + int rand(length($bytes) - 1) } 1 .. 2 + int rand 7) } 1 .. $random_splits;
    check("$name in random pieces", $text, @random);
}
for my $name (@at_every_byte) {
    my $bytes = $requests{$name};
    check("$name in every split", $whole{$name}, map { pieces($bytes, $_) } 1 .. length($bytes) - 1);
}
for my $name (@byte_by_byte) {
    my $bytes = $requests{$name};
    check("$name byte by byte", $whole{$name}, pieces($bytes, 1 .. length($bytes) - 1));
}

close $beside;
$gateway->finish;
done_testing;
