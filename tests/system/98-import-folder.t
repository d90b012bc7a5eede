# A folder that the gateway watches: what is put into it ends in done or in failed,
# whatever else lies there and whoever is killed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use LeadgateTest;
use POSIX qw(mkfifo);
use Test::More;
use Time::HiRes qw(time);

my $gw = LeadgateTest->new(config => config());
my $box = $gw->dir . '/box';
my $header = 'email,first_name,message';

sub config {
    my ($more) = @_;
    $more ||= '';
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
    max_import_batches: 1$more
sinks:
  archive: { plugin: file, path: "\@DIR\@/leads.ndjson" }
YAML
}

# As an uploader does who means well: under another name first.
sub drop {
    my ($name, @rows) = @_;
    spew("$box/incoming/$name.part", join "\n", $header, @rows, '');
    rename "$box/incoming/$name.part", "$box/incoming/$name" or die "rename: $!\n";
}
sub many { my ($who, $count) = @_; return map { "$who$_\@example.org,N,x" } 1 .. $count }
sub wait_for { my ($path) = @_; return wait_until { -e "$box/$path" } "there is $path" }
sub leads { return $gw->sql('SELECT count(*) FROM lead') }
sub names { my ($folder) = @_; return join ' ', sort map { s{.*/}{}r } glob "$box/$folder/*" }

$gw->announce(qr/event=folder\.(failed|left-alone)/);
$gw->start;
wait_for('failed');
is(join(' ', map { -d "$box/$_" ? $_ : () } qw(incoming working done failed)), 'incoming working done failed',
    'missing folders are made');

drop('may.csv', 'ada@example.org,Ada,x', ',Nobody,', 'bob@example.org,Bob,y');
wait_for('done/may.csv');
is(join(' ', map { $_->{lead}{person}{email} } $gw->wait_events(2)), 'ada@example.org bob@example.org',
    'what is put in is imported');
like(slurp("$box/done/may.csv.rejects.csv"), qr/\Aleadgate_line,leadgate_reason,$header\n3,[^\n]+,,Nobody,\n\z/,
    'with its refused row beside it');
is(names('incoming') . names('working'), '', 'nothing is left behind');

drop('may.csv', 'cleo@example.org,Cleo,x');
wait_for('done/may-2.csv');
like(slurp("$box/done/may.csv"), qr/ada/, 'a second file of the same name overwrites nothing');
ok(!-e "$box/done/may-2.csv.rejects.csv", 'no file of refused rows where none was refused');

drop('again.csv', 'cleo@example.org,Cleo,x');
wait_for('failed/again.csv');
like(slurp("$box/failed/again.csv.reason.txt"), qr/same content was imported at \d{4}-/, 'the same content fails');
drop('again.csv', 'cleo@example.org,Cleo,x');
wait_for('failed/again-2.csv');
ok(-e "$box/failed/again.csv" && -e "$box/failed/again-2.csv.reason.txt", 'each under a name of its own');
spew("$box/incoming/picture.csv", join '', map { chr } 0 .. 255);
wait_for('failed/picture.csv');
like(slurp("$box/failed/picture.csv.reason.txt"), qr/\A\S.*\n\z/, 'a file of something else fails with a reason');
is(leads(), 3, 'and nothing of them is stored');

# What is to be left alone, before a file that is not: when that is done, these had their turn.
spew("$box/incoming/$_", "$header\nzoe\@example.org,Zoe,x\n") for qw(.hidden.csv half.tmp half.part half.crdownload);
symlink "$box/done/may.csv", "$box/incoming/link.csv";
mkdir "$box/incoming/folder.csv";
mkfifo("$box/incoming/pipe.csv", 0600);
drop('june.csv', 'dan@example.org,Dan,x');
wait_for('done/june.csv');
is(names('incoming'), 'folder.csv half.crdownload half.part half.tmp link.csv pipe.csv', 'what is no file of leads stays');
ok(-e "$box/incoming/.hidden.csv", 'and what is hidden');
like($gw->log, qr/event=folder\.left-alone source=partners entries=3/, 'the log says how many are no files');
is(leads(), 4, 'none of it was read');
rename "$box/incoming/half.part", "$box/incoming/half.csv";
wait_for('done/half.csv');
is(leads(), 5, 'a file that has its name now is taken');

# One after the other, in the order in which they came.
drop("$_.csv", "$_\@example.org,N,x") for qw(z y x w);
wait_for("done/$_.csv") for qw(z y x w);
is($gw->sql("SELECT group_concat(name, ' ') FROM (SELECT name FROM import WHERE length(name) = 5 ORDER BY at, ended)"),
    'z.csv y.csv x.csv w.csv', 'in the order in which they came');
my $stored = leads();

# Killed, stopped, reloaded in the middle.
for my $how (qw(killed stopped reloaded)) {
    $gw->hold_import("$how.csv", 590);
    drop("$how.csv", many($how, 600), ',Nobody,');
    wait_until { ($gw->sql("SELECT rows FROM import WHERE name = '$how.csv' AND state = 'running'") || 0) > 0 } "$how.csv is under way";
    if ($how ne 'reloaded') {
        $gw->signal($how eq 'killed' ? 'KILL' : 'TERM');
        is($gw->wait_end, $how eq 'killed' ? 'signal 9' : 0, "the gateway is $how");
        $gw->start;
    }
    if ($how eq 'reloaded') {
        $gw->configure(config("\n    max_record: 64KiB"));
        is(($gw->command('reload', '--wait'))[0], 0, 'a reload in the middle');
    }
    $gw->release_import;
    wait_for("done/$how.csv");
    is(leads(), $stored += 600, "$how in the middle: every row is there once");
    is(scalar(() = slurp("$box/done/$how.csv.rejects.csv") =~ /\n/g), 2, "$how: and every refused row");
}
is(names('working'), '', 'nothing is left in between');

# A command imports the same content at that moment, and does not come to its end: the file waits.
sub begun { return scalar(() = $gw->log =~ /event=import\.begun/g) }
$gw->announce(qr/event=folder\.trouble/);
$gw->hold_import('same.csv', 30);
spew($gw->dir . '/same.csv', join "\n", $header, many('same', 40), '');
my $begun = begun();
my $command = fork // die "fork: $!\n";
if (!$command) {
    open STDIN, '<', '/dev/null';
    open $_, '>', '/dev/null' for *STDOUT, *STDERR;
    %ENV = LeadgateTest::environment();
    exec split(' ', $ENV{LG_WRAP} || ''), leadgate_binary(), 'import', '-c', $gw->config, 'partners',
        $gw->dir . '/same.csv'
        or POSIX::_exit(127);
}
wait_until { begun() > $begun } 'a command imports';
drop('same.csv', many('same', 40));
wait_until { $gw->log =~ /event=folder\.trouble [^\n]*same content is being imported now/ } 'the log says what it waits for';
is(names('working'), 'same.csv', 'it stays where it is');
ok(!-e "$box/failed/same.csv", 'and has not failed');
kill KILL => $command;
waitpid $command, 0;
wait_until { $gw->log =~ /event=import\.ended [^\n]*result=cancelled/ } 'the gateway has noticed';
$gw->release_import;
wait_for('done/same.csv');
is(leads(), $stored += 40, 'then it is imported');
wait_until { $gw->log =~ /event=folder\.relief/ } 'and the log tells of the end';

# Killed after the last commit, before the file was moved.
is($gw->stop, 0, 'it stops');
rename "$box/done/killed.csv", "$box/working/killed.csv";
rename "$box/done/killed.csv.rejects.csv", "$box/working/.killed.csv.rejects.csv";
$gw->sql("UPDATE import SET ended = ended + 3600000 WHERE name = 'killed.csv'");
$gw->start;
wait_for('done/killed.csv');
is(scalar(() = slurp("$box/done/killed.csv.rejects.csv") =~ /\n/g), 2, 'with its refused row');
is(leads(), $stored, 'a file that was imported before it could be moved is done');
wait_until { $gw->log =~ /event=folder\.done/ } 'the log says so';
like($gw->log, qr/event=folder\.done source=partners rows=601 refused=1\b/, 'with what came of it then');

# Another file of that content has just come, whatever the clocks say: that of a filesystem is
# some milliseconds late, and the import seems to have ended behind its coming.
drop('copy.csv', many('killed', 600), ',Nobody,');
wait_until { -e "$box/failed/copy.csv" || -e "$box/done/copy.csv" } 'it leaves';
ok(-e "$box/failed/copy.csv.reason.txt", 'a second file of the same content is not called done');
is(leads(), $stored, 'and brings nothing');

# Killed between the file of refused rows and the file itself, as the note in `working` has it.
is($gw->stop, 0, 'it stops');
rename "$box/done/killed.csv", "$box/working/killed.csv";
spew("$box/working/.killed.csv.exit", "done\n601\n1\n10\n0\nkilled.csv");
$gw->start;
wait_for('done/killed.csv');
is(join(' ', grep { /killed/ } split ' ', names('done')), 'killed.csv killed.csv.rejects.csv', 'they are together again');
wait_until { $gw->log =~ /event=folder\.done source=partners rows=601 refused=1\b/ } 'which the log says, too';
is(join(' ', glob "$box/working/.*.exit $box/working/*"), '', 'and nothing is left of it');
is(leads(), $stored, 'nothing came in twice');

# The gateway does not see how far it has come.
sub unseen (&) {
    my ($change) = @_;
    $gw->signal('STOP');
    wait_until { slurp('/proc/' . $gw->pid . '/stat') =~ /\) T / } 'it is held';
    $change->();
    $gw->signal('CONT');
}

# A filesystem that says no: told once, and tried again until it does not.
$gw->announce(qr/event=folder\.trouble/);
unseen { rename "$box/done", "$box/hidden"; spew("$box/done", '') };
wait_until { $gw->log =~ /event=folder\.trouble/ } 'the log tells of trouble';
drop('late.csv', 'late@example.org,L,x');
unseen { unlink "$box/done"; rename "$box/hidden", "$box/done" };
wait_for('done/late.csv');
is(scalar(() = $gw->log =~ /event=folder\.trouble/g), 1, 'trouble is told once');
wait_until { $gw->log =~ /event=folder\.relief/ } 'and its end';

# A journal without room: what a folder waits for is told, too, and it does not spin meanwhile.
is($gw->stop, 0, 'it stops');
$gw->announce(qr/event=store\./);
my $usual = config();
$gw->configure(config("\n    max_import_wait: 250ms") =~ s/folder_interval: 20ms/folder_interval: 300ms/r
        =~ s/store\.db"/$&, max_size: 1MiB/r);
$gw->start;
drop('full.csv', 'full@example.org,F,x');
my ($before, $from) = (begun(), time);
wait_until { begun() >= $before + 4 } 'it is tried again and again';
cmp_ok(time - $from, '>=', 1.5, 'with folder_interval in between');
like($gw->log, qr/event=folder\.trouble source=partners reason="[^"]*(?:room|full|max_size)/, 'the log says what it waits for');
is(scalar(() = $gw->log =~ /event=folder\.trouble/g), 1, 'once');
is(leads(), $stored + 1, 'nothing is stored');
is($gw->stop, 0, 'it stops');
is(scalar(() = $gw->log =~ /event=folder\.trouble/g), 1, 'which is no trouble');
$gw->configure($usual);
$gw->start;
wait_for('done/full.csv');
is(leads(), $stored + 2, 'then it is imported');
wait_until { $gw->log =~ /event=folder\.done/ } 'which the log says';

# Nowhere to go: that it is done is not said before it lies there.
$gw->announce(qr/event=folder\.trouble/);
symlink 'nowhere', "$box/done/" . ($_ == 1 ? 'stuck.csv' : "stuck-$_.csv") for 1 .. 1000;
drop('stuck.csv', 'stuck@example.org,S,x');
wait_until { $gw->log =~ /moving a file to \\?"done/ } 'a file that cannot be moved is trouble';
is(scalar(() = $gw->log =~ /event=folder\.done/g), 1, 'and not called done');
unlink "$box/done/stuck.csv";
wait_for('done/stuck.csv');
wait_until { (() = $gw->log =~ /event=folder\.done/g) == 2 } 'until it is';

is(($gw->command('balance'))[0], 0, 'every event has its state');
$gw->configure(config("\n  others: { plugin: csvimport, folder: \"\@DIR\@/box/../box\" }"));
like(($gw->command('check'))[2], qr/folder .* is watched by source "partners"/, 'two sources cannot watch one folder');
$gw->finish;
done_testing;
