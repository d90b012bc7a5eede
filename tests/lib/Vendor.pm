# A vendor's API for the tests of sources: vendor.py, started and ended by the test.
package Vendor;
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IPC::Open2;
use JSON::PP;
use LeadgateTest qw(slurp spew);

my $here = dirname(abs_path(__FILE__));
my $json = JSON::PP->new->canonical->utf8;

# Vendor->new($folder): the folder is the test's. Stopped and started again it has another
# port.
sub new {
    my ($class, $folder) = @_;
    my $self = bless { folder => $folder, answers => {} }, $class;
    spew("$folder/asked", '');
    $self->answer;
    return $self->start;
}

sub start {
    my ($self) = @_;
    $self->{pid} = open2(my $out, $self->{in}, '/usr/bin/python3', "$here/vendor.py", $self->{folder});
    my $port = <$out>;
    die "the vendor did not start\n" unless $port;
    chomp($self->{port} = $port);
    return $self;
}

sub url { return "http://127.0.0.1:$_[0]{port}" }

# answer($target => [{ status => 200, body => $text }, …], …): adds to what was said
# before; a body that is a reference is written as JSON. Targets as vendor.py has them.
sub answer {
    my ($self, %answers) = @_;
    for my $list (values %answers) {
        for (@$list) { $_->{body} = JSON::PP->new->canonical->encode($_->{body}) if ref $_->{body} }
    }
    $self->{answers} = { %{ $self->{answers} }, %answers };
    spew("$self->{folder}/answers.new", $json->encode($self->{answers}));
    rename "$self->{folder}/answers.new", "$self->{folder}/answers" or die "answers: $!\n";
    return $self;
}

# What was asked so far, oldest first: { method, target, headers, body }.
sub asked {
    my ($self) = @_;
    return map { decode_json($_) } slurp("$self->{folder}/asked") =~ /^(.+)\n/mg;
}

sub targets { return map { $_->{target} } $_[0]->asked }

sub stop {
    my ($self) = @_;
    return unless $self->{pid};
    close $self->{in};
    local $?;
    waitpid delete $self->{pid}, 0;
    return;
}

sub DESTROY { $_[0]->stop }

1;
