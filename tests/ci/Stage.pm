package Stage;
# One stage of ./quickstart check: an own build in build/ci/NAME with an own log.
# What it does is told on standard error while it happens; what came out is TAP.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use POSIX qw(strftime);
use Test::More;
use Exporter qw(import);
our @EXPORT = qw(stage configure step tests log_has top build);

my ($top, $build, $log, $name);
my $jobs = $ENV{CI_JOBS} || 2;

sub top { return $top }
sub build { return $build }

# Names the stage; its build folder is made, or kept when it was configured alike.
sub stage {
    ($name) = @_;
    $top = abs_path(dirname(__FILE__) . '/../..');
    $build = "$top/build/ci/$name";
    $log = "$build.log";
    make_path("$top/build/ci");
    unlink $log;
    chdir $top or die "$top: $!";
}

# Configures in the stage's folder, a fresh one when the arguments changed.
sub configure {
    my @args = @_;
    unless (-x "$top/configure" && -M "$top/configure" <= -M "$top/configure.ac") {
        step('autogen', $top, 300, './autogen.sh') or stop();
    }
    my $mark = "$build/.configured";
    my $want = join "\n", @args, '';
    if (-e "$build/Makefile" && slurp($mark) eq $want) {
        pass("$name: configured before");
        return;
    }
    remove_tree($build);
    make_path($build);
    step('configure', $build, 300, "$top/configure", @args) or stop();
    open my $out, '>', $mark or die "$mark: $!";
    print $out $want;
    close $out;
}

# One command, within so many seconds; its output goes to the log.
sub step {
    my ($what, $folder, $seconds, @command) = @_;
    my ($status) = run_logged($what, $folder, $seconds, undef, @command);
    ok($status == 0, "$name: $what") or tail($what, $status);
    return $status == 0;
}

# A make target that ends in prove: one line of TAP for each of its test files.
sub tests {
    my ($target, $seconds, @more) = @_;
    my ($count, $result) = (0, '');
    my ($status) = run_logged($target, $build, $seconds, sub {
        my ($line) = @_;
        $result = $1 if $line =~ /^Result: (\w+)/;
        return unless $line =~ m{^(\S+) \.\.+ *(.*?)\s*$};
        my ($file, $outcome) = ($1, $2 || 'failed');
        $file =~ s{.*/(?=tests/)}{};
        $count++;
        my $good = $outcome =~ /^(?:ok|skipped)/;
        ok($good, "$name: $file: $outcome");
    }, 'make', '--no-print-directory', "-j$jobs", $target, @more);
    ok($status == 0 && $result =~ /^(?:PASS|NOTESTS)$/, "$name: $target: $count test files")
        or tail($target, $status);
    return $status == 0;
}

sub log_has {
    my ($pattern) = @_;
    return slurp($log) =~ $pattern;
}

# Nothing that follows could mean anything.
sub stop {
    done_testing();
    exit 1;
}

sub run_logged {
    my ($what, $folder, $seconds, $each, @command) = @_;
    my $began = time;
    diag(strftime('%H:%M:%S ', localtime), "$name: $what");
    open my $out, '>>', $log or die "$log: $!";
    $out->autoflush(1);
    print $out "==== $what: @command\n";
    my $pid = open(my $in, '-|') // die "fork: $!";
    if ($pid == 0) {
        chdir $folder or die "$folder: $!";
        open STDERR, '>&', \*STDOUT;
        exec 'timeout', '-k', '10', $seconds, @command or die "$command[0]: $!";
    }
    while (my $line = <$in>) {
        print $out $line;
        $each->($line) if $each;
    }
    close $in;
    my $status = $? >> 8 || $? & 127;
    print $out "==== $what: ", $status == 124 ? "stopped after $seconds s" : "exit $status",
        ', ', time - $began, " s\n";
    return $status;
}

# The end of the log, because CI keeps nothing else.
sub tail {
    my ($what, $status) = @_;
    my @lines = split /\n/, slurp($log);
    my ($from) = reverse grep { $lines[$_] =~ /^==== \Q$what\E: / && $lines[$_] !~ /exit \d+, / } 0 .. $#lines;
    my @mine = grep { !/ \.\.+ ok$|^  (?:CC|CXX|AR|GEN|CCLD|CXXLD) / } @lines[($from // 0) .. $#lines];
    diag("$what: exit $status; from $log:");
    diag($_) for @mine > 200 ? (@mine[0 .. 99], '...', @mine[-100 .. -1]) : @mine;
}

sub slurp {
    my ($path) = @_;
    open my $in, '<', $path or return '';
    local $/;
    return scalar(<$in>) // '';
}

1;
