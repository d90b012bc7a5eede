# Digests and message authentication codes by somebody else than the program that is tested:
# Python, in one process that stays, and openssl. Keys and texts are bytes; codes are hex.
package Mac;
use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use IPC::Open2;
use MIME::Base64;

our @EXPORT = qw(python_mac python_digest openssl_mac mac_base64);

my $here = dirname(abs_path(__FILE__));
my ($answers, $questions);

sub ask {
    my ($what, @bytes) = @_;
    open2($answers, $questions, '/usr/bin/python3', "$here/mac.py") unless $questions;
    print {$questions} join(' ', $what, map { $_ eq '' ? '-' : unpack 'H*', $_ } @bytes), "\n";
    my $hex = <$answers>;
    die "mac.py has ended\n" unless defined $hex;
    chomp $hex;
    return $hex;
}

# python_mac('sha1', $key, $text)
sub python_mac { my ($digest, $key, $text) = @_; return ask("hmac-$digest", $key, $text) }

sub python_digest { my ($digest, $text) = @_; return ask($digest, '', $text) }

# The same by openssl, which takes no empty key.
sub openssl_mac {
    my ($digest, $key, $text) = @_;
    my $pid = open2(my $out, my $in, 'openssl', 'dgst', "-$digest", '-mac', 'HMAC', '-macopt', 'hexkey:' . unpack('H*', $key));
    print {$in} $text;
    close $in;
    my ($hex) = join('', <$out>) =~ /([0-9a-f]{40,})\s*$/;
    waitpid $pid, 0;
    die "openssl made no code\n" unless $hex;
    return $hex;
}

# A code as it stands in most headers.
sub mac_base64 { my ($hex) = @_; return encode_base64(pack('H*', $hex), '') }

1;
