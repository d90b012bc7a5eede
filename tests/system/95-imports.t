# An import meets what a gateway meets: a full journal, reloads, a stop, kill -9, others
# that import, and requests that come first. Whatever it was, each row comes in once and the
# refused ones stand in their file once.
use strict;
use warnings;

use LeadgateTest;
use Test::More;

$ENV{LEADGATE_TEST_PLUGINS} ||= ($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . '/tests/plugin';

use constant { ROWS => 6_000, MANY => 10_000 };

# Batches are small so that an import has many commits before and after what happens to it.
my $yaml = <<'YAML';
core: { loops: 1, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "@DIR@/store.db", max_size: @SIZE@ }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
  list: { plugin: lister, max_import_batch: @BATCH@, max_import_batches: 1, niceness: 0, max_imports: 1, max_import_wait: 1s, region: @REGION@ }
YAML

sub config_with {
    my (%with) = (SIZE => '1GiB', REGION => 'US', BATCH => 4, @_);
    return $yaml =~ s/\@(SIZE|REGION|BATCH)\@/$with{$1}/gr;
}

# Of twenty lines two are refused, one of them by the gateway, one is ignored, and one is
# the person of the line before.
sub write_list {
    my ($path, $rows) = @_;
    my @lines = map {
        my $kind = $_ % 20;
        $kind == 3 ? "!line $_" : $kind == 9 ? "?$_" : $kind == 13 ? '-' : 'p' . ($kind == 17 ? $_ - 1 : $_) . '@example.com'
    } 0 .. $rows - 1;
    spew($path, join "\n", @lines, '');
}

# Begins a command; its process.
sub begin_import {
    my ($gateway, $file, @options) = @_;
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', "$file.out";
    open STDERR, '>', "$file.err";
    %ENV = LeadgateTest::environment();
    exec split(' ', $ENV{LG_WRAP} || ''), leadgate_binary(), 'import', '-c', $gateway->config, @options, 'list', $file
        or POSIX::_exit(127);
}

sub end_import {
    my ($pid) = @_;
    waitpid $pid, 0;
    return $? >> 8;
}

sub committed { return $_[0]->sql('SELECT coalesce(sum(rows), 0) FROM import') }

# How far the import of the file may come from now on.
sub hold {
    my ($gateway, $rows) = @_;
    $gateway->sql('DROP TRIGGER IF EXISTS held');
    $gateway->hold_import('list', $rows);
}

sub wait_committed {
    my ($gateway, $rows) = @_;
    wait_until { committed($gateway) >= $rows } "$rows rows are committed";
}

sub check_rows {
    my ($gateway, $file, $rows) = @_;
    my @rejects = split /\n/, slurp("$file.rejects.csv");
    is($gateway->sql('SELECT state, rows, created, touched + repeated, refused, ignored FROM import'),
        join('|', 'done', $rows, map { $rows / 20 * $_ } 16, 1, 2, 1), 'each row is counted once');
    is($gateway->sql('SELECT count(*) FROM lead'), $rows / 20 * 16, 'each person is there once');
    is(shift @rejects, 'leadgate_line,leadgate_reason,address', 'the file of refused rows has its header');
    is_deeply([map { /^(\d+),/ ? $1 - 1 : $_ } @rejects], [grep { $_ % 20 == 3 || $_ % 20 == 9 } 0 .. $rows - 1],
        '… and each refused row once, in order');
}

my @quiet = (qr/event=gateway\.no-sinks/, qr/event=store\./);

# ---- a source without requests -------------------------------------------------------------

{
    my $gateway = LeadgateTest->new(config => config_with() =~ s/plugin: lister,/$& path: \/list,/r =~ s/ path: \/f\/contact,//r);
    my ($status, $out, $err) = $gateway->command('check');
    is($status, 78, 'who takes requests needs a path, who reads files has none');
    like($err, qr/"path": plugin lister takes no requests/, '… which is said of the one');
    like($err, qr/source "contact-form" lacks the option "path"/, '… and of the other');
    $gateway->configure(config_with());
    is(($gateway->command('check'))[0], 0, 'neither needs auth: none for reading files');
}

# ---- reloads, requests, another import, metrics --------------------------------------------

{
    my $gateway = LeadgateTest->new(config => config_with())->announce(@quiet)->start;
    my $file = $gateway->dir . '/list';
    my $other = $gateway->dir . '/other';
    write_list($file, ROWS);
    spew($other, "other\@example.com\n");
    hold($gateway, ROWS - 100);
    my $import = begin_import($gateway, $file);
    wait_committed($gateway, 1000);
    like($gateway->admin('/metrics')->{content}, qr/^leadgate_imports\{source="list"\} 1$/m, 'a running import is a metric');
    is((kill 0, $import), 1, 'it is under way');
    $gateway->release_import;
    my $second = begin_import($gateway, $other);
    for my $region (qw(GB DE)) {
        $gateway->configure(config_with(REGION => $region));
        is(($gateway->command('reload'))[0], 0, 'a reload goes through amid it');
    }
    for my $n (1 .. 20) {
        is($gateway->post('/f/contact', [email => "form$n\@example.com"])->{status}, 202, 'a request is answered amid it');
    }
    is(end_import($import), 0, 'the import ends well') or diag(slurp("$file.err"));
    is(end_import($second), 0, 'so does one that waited for it') or diag(slurp("$other.err"));
    is($gateway->sql('SELECT count(*) FROM lead'), ROWS / 20 * 16 + 21, 'all is there');
    my ($first, $last) = split /\n/, $gateway->sql('SELECT ended FROM import ORDER BY bytes DESC');
    cmp_ok($first, '<=', $last, '… one after the other');
    my ($metrics, $refused) = ($gateway->admin('/metrics')->{content}, ROWS / 10);
    like($metrics, qr/^leadgate_import_rows_total\{source="list",result="refused"\} $refused$/m, 'its rows are counted');
    like($metrics, qr/^leadgate_imports\{source="list"\} 0$/m, 'and none runs');
    is(($gateway->command('balance'))[0], 0, 'the balance closes');
    $gateway->finish;
}

# ---- a stop, kill -9, a source that is taken away ------------------------------------------------

{
    my $gateway = LeadgateTest->new(config => config_with())->announce(@quiet)->start;
    my $file = $gateway->dir . '/list';
    write_list($file, ROWS);
    hold($gateway, 1500);
    my $import = begin_import($gateway, $file);
    wait_committed($gateway, 500);
    $gateway->signal('TERM');
    is($gateway->wait_end, 0, 'a stop does not wait for an import');
    isnt(end_import($import), 0, 'which says that it has not ended');
    my $before = committed($gateway);
    cmp_ok($before, '<', ROWS, "$before rows are stored");
    is($gateway->sql('SELECT state FROM import'), 'running', '… of one that goes on');

    $gateway->start;
    hold($gateway, 3000);
    $import = begin_import($gateway, $file);
    wait_committed($gateway, $before + 500);
    $gateway->kill_hard;
    isnt(end_import($import), 0, 'a killed gateway ends the command');
    $gateway->start;
    $before = committed($gateway);
    hold($gateway, 4500);
    $import = begin_import($gateway, $file);
    wait_committed($gateway, $before + 500);
    $gateway->configure(config_with() =~ s/^  list:.*\n//mr);
    is(($gateway->command('reload'))[0], 0, 'its source is taken away');
    isnt(end_import($import), 0, 'which ends it');
    like(slurp("$file.err"), qr/there is no source list/, '… with the reason');
    $gateway->configure(config_with());
    is(($gateway->command('reload'))[0], 0, 'and comes back');
    $gateway->release_import;
    is(end_import(begin_import($gateway, $file)), 0, 'the rest comes in') or diag(slurp("$file.err"));
    check_rows($gateway, $file, ROWS);
    is(($gateway->command('balance'))[0], 0, 'the balance closes');
    $gateway->finish;
}

# ---- no room ---------------------------------------------------------------------------------

{
    my $gateway = LeadgateTest->new(config => config_with(SIZE => '4MiB', BATCH => 100))->announce(@quiet)->start;
    my $file = $gateway->dir . '/list';
    write_list($file, MANY);
    isnt(end_import(begin_import($gateway, $file)), 0, 'a full journal interrupts an import');
    like(slurp("$file.err"), qr/max_size|room|full/, '… with the reason');
    my $before = committed($gateway);
    cmp_ok($before, '>', 0, "$before rows had room");
    is($gateway->stop, 0, 'the gateway is given more room');
    $gateway->configure(config_with(BATCH => 100));
    $gateway->start;
    is(end_import(begin_import($gateway, $file)), 0, 'then the rest comes in') or diag(slurp("$file.err"));
    check_rows($gateway, $file, MANY);
    $gateway->finish;
}

done_testing();
