# TLS clients in a process of their own (tls_client.py), for Perl has none without
# a further package: TlsClient->new(port => 1, ca => 'file', name => 'a.example').
package TlsClient;
use strict;
use warnings;

use File::Basename qw(dirname);
use IPC::Open2;
use JSON::PP;
use LeadgateTest;

# The options are defaults of every order.
sub new {
    my ($class, %options) = @_;
    my $pid = open2(my $out, my $in, '/usr/bin/python3', dirname(__FILE__) . '/tls_client.py', patience());
    $in->autoflush(1);
    return bless { pid => $pid, in => $in, out => $out, options => \%options }, $class;
}

# One order (see tls_client.py), and what was found.
sub ask {
    my ($self, $op, %order) = @_;
    print { $self->{in} } encode_json({ %{ $self->{options} }, op => $op, %order }), "\n";
    my $line = readline $self->{out};
    die "the TLS client is gone\n" unless defined $line;
    return decode_json($line);
}

# A connection of its own for one request.
sub exchange {
    my ($self, $text, %order) = @_;
    my $found = $self->ask('connect', as => 'once', %order);
    return $found if $found->{error};
    $self->ask('send', as => 'once', text => $text);
    my $answer = $self->ask('answer', as => 'once');
    $self->ask('close', as => 'once', how => 'notify');
    return $answer;
}

sub DESTROY {
    my ($self) = @_;
    local $?;
    close $self->{in};
    waitpid $self->{pid}, 0;
}

1;
