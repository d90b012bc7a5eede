# Destinations for the tests of sinks: destination.py, started and ended by the
# test, and certificates that are made for it.
package Destination;
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IPC::Open2;
use JSON::PP;
use LeadgateTest qw(slurp spew);
use MIME::Base64;

my $here = dirname(abs_path(__FILE__));

# Destination->new($folder, name => [certificate, key], …); the folder is the test's.
sub new {
    my ($class, $folder, %certificates) = @_;
    my @arguments = map { (join(':', @{ $certificates{$_} }), $_) } sort keys %certificates;
    my $pid = open2(my $out, my $in, '/usr/bin/python3', "$here/destination.py", $folder, @arguments);
    my $line = <$out>;
    die "the destination did not start\n" unless $line;
    return bless { folder => $folder, pid => $pid, in => $in, ports => decode_json($line) }, $class;
}

sub port { return $_[0]{ports}{ $_[1] || 'http' } || die "no port $_[1]\n" }

# What was asked so far, oldest first: { method, path, headers, body, port }.
sub requests {
    my ($self) = @_;
    my @requests = map { decode_json($_) } slurp("$self->{folder}/requests") =~ /^(.+)\n/mg;
    $_->{body} = decode_base64($_->{body}) for @requests;
    return @requests;
}

sub stop {
    my ($self) = @_;
    return unless $self->{pid};
    close $self->{in};
    local $?;
    waitpid delete $self->{pid}, 0;
    return;
}

sub DESTROY { $_[0]->stop }

sub openssl {
    my (@arguments) = @_;
    system("openssl @arguments >/dev/null 2>&1") == 0 or die "openssl @arguments failed\n";
    return;
}

# An authority's certificate and key below the folder.
sub make_authority {
    my ($folder, $name) = @_;
    my @files = map { "$folder/$name.$_" } qw(crt key);
    openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2",
        "-subj '/CN=$name' -out $files[0] -keyout $files[1]");
    return \@files;
}

# A server's, for one host name, signed by an authority.
sub make_certificate {
    my ($folder, $host, $authority) = @_;
    my $base = "$folder/$host-by-" . ($authority->[0] =~ m{([^/]+)\.crt$})[0];
    spew("$base.ext", "subjectAltName=DNS:$host\n");
    openssl("req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes",
        "-subj '/CN=$host' -out $base.csr -keyout $base.key");
    openssl("x509 -req -in $base.csr -CA $authority->[0] -CAkey $authority->[1]",
        "-set_serial 17 -days 2 -extfile $base.ext -out $base.crt");
    return ["$base.crt", "$base.key"];
}

1;
