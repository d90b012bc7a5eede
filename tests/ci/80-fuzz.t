# A short run of every fuzzer from its corpus: bounded, so that CI ends, and from one seed,
# so that it says the same of the same tree. What libFuzzer keeps of comparisons hangs on
# addresses, so these stay the same as well where the system lets them; and it looks for
# what others have found by the clock, so it is told not to.
#   FUZZ_SEED  another one (1); 0: by chance
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Basename qw(basename);
use File::Path qw(make_path);
use Test::More;
use Stage;

stage('fuzz');
configure('CC=clang', 'CXX=clang++', '--enable-fuzz');
step('build', build, 900, 'make', '-j2', 'fuzzers') or Stage::stop();
my @still = system('setarch', '-R', 'true') == 0 ? ('setarch', '-R') : ();
diag('addresses are random here: another run may find what this one does not') unless @still;
for my $path (sort grep { -x && !/\./ } glob(build . '/tests/fuzz/fuzz_*')) {
    my $noun = basename($path) =~ s/^fuzz_//r;
    my $found = build . "/found/$noun";
    make_path($found);
    step("fuzz $noun", build, 120, @still, $path, '-runs=50000', '-max_total_time=20', '-timeout=10', '-reload=0',
        '-print_final_stats=1', '-seed=' . ($ENV{FUZZ_SEED} // 1), "-artifact_prefix=$found/crash-", $found, top . "/tests/fuzz/corpus/$noun");
}
done_testing;
