# Files of leads by hand: every option of `leadgate import`, beside a running gateway and
# without one, stopped in every way and gone on with.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IPC::Open2;
use JSON::PP;
use LeadgateTest;
use POSIX qw(mkfifo);
use Test::More;

my $source = 'plugin: csvimport';
my $slow = "$source, max_import_batch: 2, max_import_batches: 1";

sub config {
    my ($partners, $more) = @_;
    $more ||= '';
    return <<"YAML";
core: { loops: 1, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
store: { path: "\@DIR\@/store.db" }
sources:
  partners: { $partners }
  contact-form: { plugin: webform, path: /f/contact, auth: none$more }
sinks:
  archive: { plugin: file, path: "\@DIR\@/leads.ndjson" }
YAML
}

my $gw = LeadgateTest->new(config => config($source));
my $dir = $gw->dir;
my $header = 'email,first_name,message';

sub file {
    my ($name, @rows) = @_;
    spew("$dir/$name", join "\n", $header, @rows, '');
    return "$dir/$name";
}

sub import_file { return $gw->command('import', @_) }
sub last_line { return decode_json((split /\n/, $_[0])[-1]) }
sub leads { return $gw->sql('SELECT count(*) FROM lead') }

# A command that goes on beside the test: its process and where it writes.
sub begin_import {
    my (@arguments) = @_;
    my ($out, $err) = ("$dir/import.out", "$dir/import.err");
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', $out;
        open STDERR, '>', $err;
        %ENV = LeadgateTest::environment();
        exec split(' ', $ENV{LG_WRAP} || ''), leadgate_binary(), 'import', '-c', $gw->config, @arguments
            or POSIX::_exit(127);
    }
    return { pid => $pid, out => $out, err => $err };
}

sub end_import {
    my ($import) = @_;
    waitpid $import->{pid}, 0;
    return ($? & 127 ? 'signal ' . ($? & 127) : $? >> 8, slurp($import->{out}), slurp($import->{err}));
}

# Begins an import that does not come to its end before release_import, and returns when
# some rows are committed.
sub begin_held {
    my ($name, @options) = @_;
    $gw->hold_import($name, 590);
    my $import = begin_import(@options, 'partners', "$dir/$name");
    wait_until { ($gw->sql("SELECT rows FROM import WHERE name = '$name' AND state = 'running'") || 0) > 0 } "$name is under way";
    return $import;
}

sub ends { return scalar(() = $gw->log =~ /event=import\.ended/g) }

$gw->start;

# ---- what an operator sees ---------------------------------------------------------

my $may = file('may.csv', 'ada@example.org,Ada,"a line, and', 'another"', ',Nobody,silent', 'bob@example.org,Bob,hello');
{
    my ($status, $out, $errors) = import_file('partners', $may);
    is($status, 0, 'a file is imported') or diag($errors);
    like($out, qr/^\Q$may\E: 3 rows through partners/, 'the summary names it');
    like($out, qr/created +2\n.*touched +0\n.*rejected +1\n/s, 'and counts');
    like($out, qr/\Q$may.rejects.csv\E/, 'and says where refused rows are');
    my @events = $gw->wait_events(2);
    is(join(' ', map { "$_->{type} $_->{lead}{person}{email}" } @events),
        'lead.created ada@example.org lead.created bob@example.org', 'the leads are delivered');
    is($events[0]{lead}{inquiry}{message}, "a line, and\nanother", 'a field with a line break is whole');
    like(slurp("$may.rejects.csv"), qr/\Aleadgate_line,leadgate_reason,$header\n4,[^\n]+,,Nobody,silent\n\z/,
        'a refused row is kept with its line and reason');
    is((stat "$may.rejects.csv")[2] & 0777, 0600, 'for its owner alone');
}

{
    my ($status, $out, $errors) = import_file('partners', $may);
    is($status, 1, 'the same file is refused');
    like($errors, qr/was imported through partners before, at \d{4}-\d\d-\d\dT.*--again/, 'with the time');
    rename $may, "$dir/other.csv";
    ($status, $out) = import_file('--json', 'partners', "$dir/other.csv");
    is($status, 1, 'under another name, too');
    my $end = last_line($out);
    is($end->{state}, 'known', 'scripts are told so');
    like($end->{imported_at}, qr/^\d{4}-/, 'with the time');
    ok(!-e "$dir/other.csv.rejects.csv", 'and no file of refused rows is left');
    ($status, $out) = import_file('--again', 'partners', "$dir/other.csv");
    is($status, 0, 'it is imported again where that is wanted');
    is(leads(), 2, 'the same people are the same leads');
}

{
    my $june = file('june.csv', 'cleo@example.org,Cleo,x', 'nobody,,', 'dan@example.org,Dan,y');
    my ($status, $out, $errors) = import_file('--dry-run', 'partners', $june);
    is($status, 0, 'a dry run') or diag($errors);
    like($out, qr/nothing is stored: .*june\.csv: 3 rows/, 'says what it is');
    like($out, qr/^  email +person\.email$/m, 'what a column means');
    like($out, qr/taken +2\b.*rejected +1\b/s, 'what would come of it');
    like($out, qr/^    line 3: \S/m, 'and the first reasons');
    is(leads(), 2, 'nothing was stored');
    ok(!-e "$june.rejects.csv", 'and no file was made');
    ($status, $out) = import_file('--dry-run', '--json', 'partners', $june);
    is(join(' ', map { $_->{state} } grep { $_->{state} !~ /ing$/ } map { decode_json($_) } split /\n/, $out),
        'refusal done', 'the same for scripts');
    is_deeply(last_line($out)->{columns}[0], ['email', 'person.email'], 'with the columns');

    ($status, $out, $errors) = import_file('--map', 'first_name=-', '--map', 'message=inquiry.subject',
        '--rejects', "$dir/elsewhere", 'partners', $june);
    is($status, 0, 'columns are mapped by hand') or diag($errors);
    my ($strange, undef, $why) = $gw->command('imports', 'partner');
    is($strange, 1, 'a source that nobody knows is a mistake, not one without imports');
    like($why, qr/knows a source partner$/m, '… which is named');
    my ($list, $files) = $gw->command('imports', 'partners');
    is($list, 0, 'imports are listed');
    like($files, qr/^june\.csv through partners: done at \d{4}-.*\n    3 rows, created 2, refused 1\n/, 'the newest first');
    is(decode_json((split /\n/, ($gw->command('imports', '--json', '-n', '1'))[1])[0])->{rows}, 3, 'for scripts, too');
    my ($cleo) = grep { ($_->{lead}{person}{email} || '') eq 'cleo@example.org' } $gw->wait_events(4);
    is($cleo->{lead}{inquiry}{subject}, 'x', 'to another field');
    ok(!defined $cleo->{lead}{person}{given_name}, 'or left out');
    ok(-s "$dir/elsewhere" && !-e "$june.rejects.csv", 'refused rows go where they are wanted');
}

{
    my $good = file('good.csv', 'eve@example.org,Eve,x');
    my ($status, $out) = import_file('--json', 'partners', $good);
    my $end = last_line($out);
    is("$status $end->{state} $end->{rows} $end->{created} $end->{refused}", '0 done 1 1 0', 'counts for scripts');
    is($end->{bytes_done}, $end->{bytes}, 'all bytes are done');
    ok(!-e "$good.rejects.csv", 'no file of refused rows where none was refused');
}

# ---- what is refused -----------------------------------------------------------------

{
    my $good = file('fine.csv', 'f@example.org,F,x');
    my $list = file('next.csv', 'n@example.org,N,x');
    my %kept = map { ($_ => slurp($_)) } $list, $gw->config;
    mkfifo("$dir/pipe.csv", 0600);
    spew("$dir/picture.csv", join '', map { chr } 0 .. 255);
    for (
        [1, 'a file that is not there', qr/No such file/, 'partners', "$dir/none.csv"],
        [1, 'a folder', qr/no regular file/, 'partners', $dir],
        [1, 'a pipe', qr/no regular file/, 'partners', "$dir/pipe.csv"],
        [1, 'a file of something else', qr/picture\.csv: \S/, 'partners', "$dir/picture.csv"],
        [1, 'a source that is not there', qr/no source nobody/, 'nobody', $good],
        [1, 'a source that reads no files', qr/plugin webform of source contact-form reads no files/, 'contact-form', $good],
        [1, 'the file itself for what is refused', qr/this is the file/, '--rejects', $good, 'partners', $good],
        (map { [1, "$_ of the journal for what is refused", qr/this is a file of the journal/, '--rejects', "$dir/$_",
            'partners', $good] } 'store.db', 'store.db-wal', 'store.db.lock'),
        [1, 'the journal itself', qr/this is a file of the journal/, '--dry-run', 'partners', "$dir/store.db"],
        [1, 'another list for what is refused', qr/next\.csv: this is there already and is no file of refused rows; name another/,
            '--rejects', $list, 'partners', $good],
        [1, 'the configuration for what is refused', qr/is no file of refused rows/, '--rejects', $gw->config, 'partners', $good],
        [1, 'a pipe for what is refused', qr/this is no regular file/, '--rejects', "$dir/pipe.csv", 'partners', $good],
        [1, 'a folder for what is refused', qr/Is a directory/, '--rejects', $dir, 'partners', $good],
        [2, 'no file', qr/^usage: /m, 'partners'],
        [2, 'too many files', qr/too many arguments/, 'partners', $good, $good],
        [2, 'a map without a field', qr/COLUMN=FIELD/, '--map', 'email', 'partners', $good],
        [2, 'two things of one column', qr/two things/, '--map', 'a=b', '--map', 'a=c', 'partners', $good],
        [2, 'an option of others', qr/unknown option/, '--oldest', 'partners', $good],
    ) {
        my ($expected, $what, $why, @arguments) = @$_;
        my ($status, $out, $errors) = import_file(@arguments);
        is($status, $expected, $what);
        like($errors, $why, '… with the reason');
    }
    my ($status) = LeadgateTest::run_leadgate('import', '-c', "$dir/none.yaml", 'partners', $good);
    is($status, 78, 'no configuration');
    ok(!-e "$good.rejects.csv", 'nothing is left of them');
    ok(-p "$dir/pipe.csv", 'and what is no file is not removed');
    ($status) = import_file('--dry-run', '--rejects', $list, 'partners', $good);
    is($status, 0, 'a dry run writes no refused rows');
    is(slurp($_), $kept{$_}, 'a file of something else stays as it is') for sort keys %kept;
}

# What the control socket is told by somebody else than our command.
{
    my $python = <<'PYTHON';
import json, os, socket, sys
store, path, request = sys.argv[1:]
talk = socket.socket(socket.AF_UNIX)
talk.connect(store + ".sock")
files = [] if path == "-" else [os.open(path, os.O_RDWR)] * 2 if "twice" in request else [os.open(path, os.O_RDONLY)]
socket.send_fds(talk, [(request + "\n").encode()], files)
print(talk.makefile().read().splitlines()[-1])
PYTHON
    my $good = file('talk.csv', 'g@example.org,G,x');
    for (
        ['no file', '-', '{"command":"import","source":"partners","name":"a"}', qr/no file came/],
        ['a device', '/dev/null', '{"command":"import","source":"partners","name":"a"}', qr/no regular file/],
        ['no source', $good, '{"command":"import","name":"a"}', qr/names no source/],
        ['a map that is none', $good, '{"command":"import","source":"partners","name":"a","map":[["x"]]}', qr/list of pairs/],
        ['a file for its own refused rows', $good, '{"command":"import","source":"partners","name":"twice"}', qr/"error":"this is the file/],
        ['a file and nowhere for what is refused', $good, '{"command":"import","source":"partners","name":"a"}', qr/"state":"done"/],
    ) {
        my ($what, $path, $request, $why) = @$_;
        open my $answer, '-|', '/usr/bin/python3', '-c', $python, $gw->store, $path, $request or die "python3: $!\n";
        like(scalar <$answer>, $why, "the socket is given $what");
        close $answer;
    }
}

# ---- stopped, and gone on with ------------------------------------------------------

sub many {
    my ($name, $count) = @_;
    return file($name, map { "$name$_\@example.org,N$_,x" } 1 .. $count);
}

sub check_whole {
    my ($what, $import, $count, $expected) = @_;
    my ($status, $out, $errors) = end_import($import);
    is($status, 0, "$what: it comes to its end") or diag($errors);
    like($errors, qr/going on where an earlier import of this file ended/, "$what: and says that it goes on");
    like($out, qr/created +\Q$count\E\n/, "$what: every row is there once");
    is(leads(), $expected, "$what: in the journal, too");
}

$gw->configure(config($slow));
is(($gw->command('reload'))[0], 0, 'small batches from here on');
my $stored = leads();

{
    my $file = many('killed', 600);
    my $import = begin_held('killed');
    my $ends = ends();
    kill KILL => $import->{pid};
    is((end_import($import))[0], 'signal 9', 'the command is killed');
    wait_until { ends() > $ends } 'the gateway has noticed';
    $gw->release_import;
    $import = begin_import('partners', $file);
    check_whole('killed command', $import, '600', $stored += 600);
}

{
    my $file = many('stopped', 600);
    my $import = begin_held('stopped');
    kill INT => $import->{pid};
    my ($status, $out, $errors) = end_import($import);
    $gw->release_import;
    is($status, 1, 'Ctrl-C ends it');
    like($errors, qr/\(\d+ %, [\d,]+ rows are done; the same command goes on from there\)/, 'and it says how to go on');
    check_whole('Ctrl-C', begin_import('partners', $file), '600', $stored += 600);
}

{
    my $file = many('cut', 600);
    my $import = begin_held('cut');
    is($gw->signal('KILL')->wait_end, 'signal 9', 'the gateway is killed');
    my ($status, $out, $errors) = end_import($import);
    $gw->release_import;
    is($status, 1, 'kill -9 of the gateway ends it');
    like($errors, qr/the gateway is gone.*same command goes on/, 'and it says so');
    $gw->start;
    check_whole('killed gateway', begin_import('partners', $file), '600', $stored += 600);
}

{
    my $file = many('ended', 600);
    my $import = begin_held('ended');
    is($gw->signal('TERM')->wait_end, 0, 'the gateway stops in the middle');
    my ($status, $out, $errors) = end_import($import);
    $gw->release_import;
    is($status, 1, 'the import ends with it');
    like($errors, qr/the gateway ends.*rows are done; the same command goes on from there/, 'and says how to go on');
    $import = begin_import('partners', $file);
    check_whole('no gateway', $import, '600', $stored += 600);
    my $events = $gw->events;
    my ($again, undef, $known) = import_file('partners', $file);
    is($again, 1, 'without a gateway a known file is refused, too');
    like($known, qr/was imported through partners before/, 'with the reason');
    my ($wrong, undef, $why) = import_file('contact-form', $file);
    is($wrong, 1, 'and a source that reads no files');
    is(scalar $gw->events, $events, 'nothing is delivered meanwhile');
    $gw->start;
    wait_until { $gw->sql("SELECT max(last_seq) FROM settled WHERE sink = 'archive'")
            == $gw->sql('SELECT max(seq) FROM event') } 'the next gateway delivers';
}

{
    my $file = many('reloaded', 600);
    my $import = begin_held('reloaded');
    $gw->configure(config("$slow, max_record: 64KiB", ', kind: quote'));
    is(($gw->command('reload', '--wait'))[0], 0, 'a reload in the middle');
    $gw->release_import;
    my ($status, $out, $errors) = end_import($import);
    is($status, 0, 'the import goes on under the new configuration') or diag($errors);
    like($out, qr/created +600\n/, 'and has all rows');
    is(leads(), $stored += 600, 'once');
}

# What was begun with --again would begin anew.
{
    my $file = many('anew', 600);
    my $import = begin_held('anew', '--again');
    kill INT => $import->{pid};
    my ($status, $out, $errors) = end_import($import);
    $gw->release_import;
    is($status, 1, 'Ctrl-C ends an import with --again');
    like($errors, qr/rows are done; the same command without --again goes on from there/, 'and it says how to go on');
    check_whole('--again', begin_import('partners', $file), '600', $stored += 600);
}

# ---- others at the same place --------------------------------------------------------

# The second one must not take the file of refused rows away under the first.
{
    my $file = file('twice', (map { "twice$_\@example.org,N$_,x" } 1 .. 600), ',Nobody,');
    my $import = begin_held('twice');
    my ($second, undef, $why) = import_file('partners', $file);
    is($second, 1, 'the same file a second time at the same time is refused');
    like($why, qr/another program has it locked/, 'with the reason');
    $gw->release_import;
    is((end_import($import))[0], 0, 'the first one ends well');
    is(leads(), $stored += 600, 'with all of its rows');
    like(slurp("$file.rejects.csv"), qr/^602,.*,,Nobody,$/m, 'and its refused row is kept');
}

# What was refused of the partner's last file of this name may not be repaired yet.
{
    my $file = file('monthly', 'july@example.org,J,x', ',Nobody,july');
    is((import_file('partners', $file))[0], 0, 'a file with a refused row');
    my $refused = slurp("$file.rejects.csv");
    file('monthly', 'august@example.org,A,x');
    my ($status, undef, $errors) = import_file('partners', $file);
    is($status, 1, 'another file of its name is not imported');
    like($errors, qr/has those of an earlier import: repair and import them and remove it, or name another with --rejects/, 'which is said');
    is(slurp("$file.rejects.csv"), $refused, 'what was refused stays');
    is(leads(), $stored += 1, 'and nothing is stored');
    spew("$file.rejects.csv", "\xef\xbb\xbf" . $refused =~ s/,,Nobody/,nobody\@example.org,Nobody/r);
    is((import_file('partners', "$file.rejects.csv"))[0], 0, 'it is repaired and imported');
    unlink "$file.rejects.csv";
    is((import_file('partners', $file))[0], 0, 'and removed: then the other file comes in');
    is(leads(), $stored += 2, 'with all who are in them');
    file('monthly', 'september@example.org,S,x', ',Nobody,september');
    is((import_file('partners', $file))[0], 0, 'the next one');
    is((import_file('--again', 'partners', $file))[0], 0, 'is imported again');
    like(slurp("$file.rejects.csv"), qr/\A[^\n]+\n3,[^\n]+september\n\z/, 'and what is refused of it is written anew');
    is(leads(), $stored += 1, 'with nobody twice');
    ($status, undef, $errors) = import_file('--again', '--rejects', "$file.rejects.csv", 'partners', "$dir/good.csv");
    is($status, 1, 'not so one of which nothing was refused');
    like($errors, qr/those of an earlier import/, '… for these are of another');
}

{
    my $file = file('linked', ',Nobody,');
    spew("$dir/precious", 'precious');
    symlink "$dir/precious", "$file.rejects.csv";
    my ($status, undef, $errors) = import_file('partners', $file);
    is($status, 1, 'a symbolic link where refused rows are to go');
    like($errors, qr/linked\.rejects\.csv: this is a symbolic link.*--rejects/, 'is not followed');
    is(slurp("$dir/precious"), 'precious', 'nothing is written through it');
    ok(-l "$file.rejects.csv", 'and it stays');
}

{
    my $python = <<'PYTHON';
import socket, sys
talks = [socket.socket(socket.AF_UNIX) for i in range(8)]
for talk in talks:
    talk.connect(sys.argv[1] + ".sock")
print("there", flush=True)
sys.stdin.read()
PYTHON
    my $crowd = open2(my $there, my $leave, '/usr/bin/python3', '-c', $python, $gw->store);
    is(scalar <$there>, "there\n", 'eight who say nothing');
    my ($status, undef, $errors) = import_file('partners', file('crowd', 'h@example.org,H,x'));
    is($status, 1, 'leave no place for an import');
    like($errors, qr/too many commands|did not take the request/, 'which says so');
    close $leave;
    waitpid $crowd, 0;
}

# Imports that wait for room leave some for other commands.
{
    is($gw->stop, 0, 'it stops');
    $gw->announce(qr/event=store\./);
    $gw->configure(config($slow) =~ s/store\.db"/$&, max_size: 1MiB/r);
    $gw->start;
    my $python = <<'PYTHON';
import os, socket, sys
talks, answers = [], []
for number in range(7):
    path = sys.argv[2] + str(number)
    with open(path, "w") as file:
        file.write("email\nwait%d@example.org\n" % number)
    talk = socket.socket(socket.AF_UNIX)
    talk.connect(sys.argv[1] + ".sock")
    request = '{"command":"import","source":"partners","name":"wait%d"}\n' % number
    socket.send_fds(talk, [request.encode()], [os.open(path, os.O_RDONLY)])
    answers.append(talk.makefile().readline())
    talks.append(talk)
print(sum('"state":' in answer for answer in answers), answers[-1], end="", flush=True)
sys.stdin.read()
PYTHON
    my $crowd = open2(my $there, my $leave, '/usr/bin/python3', '-c', $python, $gw->store, "$dir/wait");
    like(scalar <$there>, qr/^6 \{"error":"as many imports as can be/, 'six imports are followed at once');
    is(($gw->command('sinks'))[0], 0, 'and another command has its place');
    my ($reloaded, undef, $why) = $gw->command('reload');
    is($reloaded, 0, 'such as a reload') or diag($why);
    close $leave;
    waitpid $crowd, 0;
    is($gw->stop, 0, 'it stops');
    $gw->configure(config($slow));
    $gw->start;
}

# A list that was tried out as a test is not what its real leads repeat.
{
    spew("$dir/trial.csv", "email,external_id\ntry1\@example.org,17\ntry2\@example.org,\n");
    my %events = map { ($_->{id} => 1) } $gw->events;
    for my $turn (["$slow, is_test: true"], [$slow, '--again']) {
        my ($partners, @again) = @$turn;
        $gw->configure(config($partners));
        is(($gw->command('reload'))[0], 0, "$partners");
        my ($status, $out, $errors) = import_file(@again, 'partners', "$dir/trial.csv");
        is($status, 0, 'the list is imported') or diag($errors);
        like($out, qr/created +2\n/, '… as leads of its own');
    }
    my @new = grep { !$events{ $_->{id} } } $gw->wait_events(2 + keys %events);
    is(join(' ', map { "$_->{type} $_->{lead}{person}{email}" } @new),
        'lead.created try1@example.org lead.created try2@example.org', 'the real ones are delivered');
}

# Before any gateway ran, the folders of the store are yet to be made.
{
    my $fresh = "$dir/fresh.yaml";
    my @import = ('import', '-c', $fresh);
    my $file = file('fresh', 'fresh@example.org,F,x');
    spew($fresh, config($source) =~ s{\@DIR\@}{$dir/new/var}gr);
    my ($status, undef, $why) = LeadgateTest::run_leadgate(@import, 'partner', $file);
    is($status, 1, 'a source that is not there on a store that is not there');
    like($why, qr/no source partner in the configuration/, 'is what the command names');
    ok(!-e "$dir/new", 'and nothing is made');
    ($status, undef, $why) = LeadgateTest::run_leadgate('status', '-c', $fresh);
    is($status, 1, 'there is no status of a store that is not there');
    like($why, qr/store\.db/, 'which is named');
    ($status, my $out, $why) = LeadgateTest::run_leadgate(@import, 'partners', $file);
    is($status, 0, 'an import begins a store in folders that are not there') or diag($why);
    like($out, qr/created +1\n/, 'and stores what it reads');
}

is(($gw->command('balance'))[0], 0, 'every event has its state');
$gw->finish;
done_testing;
