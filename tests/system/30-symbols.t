# A plugin exports its descriptor and nothing else, and imports nothing from the
# daemon: all that it needs comes from the C library or its own libraries.
use strict;
use warnings;

use Test::More;

my $build = $ENV{LG_BUILDDIR} or die "LG_BUILDDIR says where the build is\n";
my @plugins = sort glob("$build/plugins/*.so"), glob("$build/tests/plugin/failing_*.so");
cmp_ok(scalar @plugins, '>=', 4, 'plugins and test plugins are built');

# Names that sanitizers and coverage put into every library.
my $instrument = qr/^_*(asan|ubsan|tsan|sanitizer|lsan|odr_asan|gcov|llvm|sancov)_/;

my %daemon;
for my $library (glob "$build/gateway/*/*.a") {
    for (symbols('--defined-only', '-g', $library)) { $daemon{$_->{name}} = $library }
}
cmp_ok(scalar keys %daemon, '>', 100, 'the symbols of the gateway are known');

for my $plugin (@plugins) {
    my ($name) = $plugin =~ m{([^/]+)\.so$};
    my @exports = grep { !/$instrument/ } map { $_->{name} } symbols('-D', '--defined-only', $plugin);
    is_deeply(\@exports, ['leadgate_plugin'], "$name exports its descriptor alone");
    my @imports = map { $_->{name} } symbols('-D', '--undefined-only', $plugin);
    s/\@.*// for @imports;
    my @ours = grep { $daemon{$_} && !/$instrument/ } @imports;
    is_deeply(\@ours, [], "$name imports nothing from the gateway");
}
done_testing;

sub symbols {
    my (@arguments) = @_;
    open my $in, '-|', 'nm', @arguments or die "nm: $!\n";
    my @found;
    while (<$in>) {
        push @found, { type => $1, name => $2 } if /^(?:[0-9a-f]+)?\s+([A-Za-z])\s+(\S+)/;
    }
    close $in or die "nm @arguments failed\n";
    return @found;
}
