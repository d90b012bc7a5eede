# A file that fails in the middle: it is said what is stored, and when what was wrong is
# right the same file goes on behind that, by hand and through a folder.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use LeadgateTest;
use Test::More;

# A row must not be longer than max_record, which is no row's fault but the configuration's.
sub config {
    my ($max_record) = @_;
    return <<"YAML";
core: { loops: 1, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
store: { path: "\@DIR\@/store.db" }
sources:
  partners:
    plugin: csvimport
    folder: "\@DIR\@/box"
    folder_interval: 20ms
    folder_settle: 60ms
    max_import_batch: 2
    max_record: $max_record
sinks:
  archive: { plugin: file, path: "\@DIR\@/leads.ndjson" }
YAML
}

my $gw = LeadgateTest->new(config => config('4KiB'));
my $box = $gw->dir . '/box';
my $header = 'email,first_name,message';

sub file {
    my ($path, $who) = @_;
    my @rows = map { "$who$_\@example.org,N,x" } 1 .. 12;
    $rows[2] = ',Nobody,first';
    $rows[8] = "$who-long\@example.org,L," . 'x' x 6000;
    $rows[10] = ',Nobody,second';
    spew("$path.part", join "\n", $header, @rows, '');
    rename "$path.part", $path or die "rename: $!\n";
    return $path;
}
sub wait_for { my ($path) = @_; return wait_until { -e "$box/$path" } "there is $path" }
sub leads { return $gw->sql('SELECT count(*) FROM lead') }
sub names { my ($folder) = @_; return join ' ', sort map { s{.*/}{}r } glob "$box/$folder/*" }

$gw->announce(qr/event=folder\.failed/);
$gw->start;
wait_for('failed');

# ---- through a folder ------------------------------------------------------------------

file("$box/incoming/may.csv", 'may');
wait_for('failed/may.csv');
is(names('failed'), 'may.csv may.csv.reason.txt may.csv.rejects.csv', 'a file fails in the middle');
my $reason = slurp("$box/failed/may.csv.reason.txt");
like($reason, qr/\Athe record at byte \d+ is longer than max_record allows/, 'with the reason');
like($reason, qr/^Its first 8 rows are stored\. .*"incoming" again, it goes on.*--again partners/m,
    'how many rows are stored, and what to do');
is(leads(), 7, 'so they are');
wait_until { $gw->log =~ /event=folder\.failed source=partners rows=8 / } 'the log says it, too';
my $first = slurp("$box/failed/may.csv.rejects.csv");
like($first, qr/\A[^\n]+\n4,[^\n]+,,Nobody,first\n\z/, 'what was refused until then lies beside it');

# As wrong as before: it fails again, and what is in `failed` stays.
rename "$box/failed/may.csv", "$box/incoming/may.csv";
wait_for('failed/may-2.csv');
like(slurp("$box/failed/may-2.csv.reason.txt"), qr/^Its first 8 rows are stored\./m, 'tried again it fails again');
is(names('failed'), 'may-2.csv may-2.csv.reason.txt may.csv.reason.txt may.csv.rejects.csv', 'where it did');

$gw->configure(config('1MiB'));
is(($gw->command('reload', '--wait'))[0], 0, 'what was wrong is right');
rename "$box/failed/may-2.csv", "$box/incoming/may.csv";
wait_for('done/may.csv');
is(leads(), 10, 'the same file goes on, with every row once');
is($gw->sql("SELECT group_concat(state || ' ' || rows || ' ' || refused || ' ' || created) FROM import"),
    'done 12 2 10', 'behind what was stored');
like(slurp("$box/done/may.csv.rejects.csv"), qr/\Aleadgate_line,leadgate_reason,$header\n12,[^\n]+,,Nobody,second\n\z/,
    'what is refused from there on is beside it');
is(slurp("$box/failed/may.csv.rejects.csv"), $first, 'what was refused before is still there');
is(names('working'), '', 'nothing is left in between');

# ---- by hand -----------------------------------------------------------------------------

$gw->configure(config('4KiB'));
is(($gw->command('reload', '--wait'))[0], 0, 'the other configuration again');
my $file = file($gw->dir . '/june.csv', 'june');
for my $again (0, 1) {
    my ($status, $out, $errors) = $gw->command('import', ($again ? '--again' : ()), 'partners', $file);
    is($status, 1, 'an import fails in the middle');
    my $how = $again ? ' without --again' : '';
    like($errors, qr/longer than max_record allows.*\(\d+ %, 8 rows are stored; the same file$how goes on from there\)/,
        'and says how many rows are stored, and how to go on');
}
$gw->configure(config('1MiB'));
is(($gw->command('reload', '--wait'))[0], 0, 'what was wrong is right');
my ($status, $out, $errors) = $gw->command('import', 'partners', $file);
is($status, 0, 'the same file goes on') or diag($errors);
is(leads(), 20, 'with every row once');
is(scalar(() = slurp("$file.rejects.csv") =~ /Nobody/g), 2, 'and one file of refused rows');

is(($gw->command('balance'))[0], 0, 'every event has its state');
$gw->finish;
done_testing;
