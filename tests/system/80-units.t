# The units of systemd: they are good, they let little out, and the gateway runs
# under the filters that they set.
use strict;
use warnings;

use LeadgateTest;
use Test::More;

my ($top, $build) = ($ENV{LG_SRCDIR}, $ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR});
my ($analyze) = grep { -x } map { "$_/systemd-analyze" } split(/:/, $ENV{PATH}), '/usr/bin';
plan skip_all => 'there is no systemd-analyze (Debian package systemd)' unless $analyze;
plan skip_all => 'there is no libseccomp' if system('/usr/bin/python3 -c \'import ctypes; ctypes.CDLL("libseccomp.so.2")\' 2>/dev/null');

my $gateway = LeadgateTest->new;
my $dir = $gateway->dir;

# The installed program need not be there: verify wants that what is started exists.
my $unit = slurp("$build/conf/systemd/leadgate.service");
like($unit, qr{^ExecStart=/\S+/bin/leadgate run -c /\S+/leadgate/leadgate\.yaml$}m, 'the unit has the paths of the build');
spew("$dir/leadgate.service", $unit =~ s{^(Exec\w+=)\S+}{$1 . leadgate_binary()}gmer);
spew("$dir/leadgate.socket", slurp("$top/conf/systemd/leadgate.socket"));

sub analyze {
    my (@arguments) = @_;
    open my $pipe, '-|', "cd $dir && SYSTEMD_COLORS=0 $analyze --no-pager @arguments 2>&1" or die "$analyze: $!\n";
    my $said = do { local $/; <$pipe> };
    close $pipe;
    return ($? >> 8, $said);
}

my ($status, $said) = analyze('verify --man=no ./leadgate.service ./leadgate.socket');
is($status, 0, 'systemd-analyze verify accepts them');
is($said, '', 'without a word');
($status, $said) = analyze('security --offline=true --threshold=20 ./leadgate.service');
is($status, 0, 'systemd-analyze security accepts the service');
my ($exposure) = $said =~ /Overall exposure level for leadgate\.service: ([\d.]+)/;
cmp_ok($exposure, '<=', 2.0, 'which is hardly exposed') or diag($said);
diag("exposure $exposure");

# Five starts in ten seconds, systemd's own limit, would end the service and its socket.
my ($head) = $unit =~ /^\[Unit\]\n((?:(?!\[).*\n)*)/m;
my ($interval, $burst) = map { $head =~ /^StartLimit$_=(\d+)s?$/m } qw(IntervalSec Burst);
my ($pause) = $unit =~ /^RestartSec=(\d+)s$/m;
cmp_ok($interval / $pause, '<', $burst, "restarts after faults, $pause second between them, have no limit");

# In a user namespace of its own it would not know the users of peers from one another.
unlike($unit, qr/^PrivateUsers=(?:yes|true|on|1|self|identity)/m, 'users of other processes are seen as they are');

# A stop may take as long as core.shutdown does by default.
my ($manual) = (LeadgateTest::run_leadgate('manual'))[1];
my ($shutdown) = $manual =~ /\\fBshutdown\\fR \(.*?(\d+)s/s;
my ($patience) = $unit =~ /^TimeoutStopSec=(\d+)s$/m;
cmp_ok($patience, '>', $shutdown, "TimeoutStopSec=${patience}s leaves room for core.shutdown (${shutdown}s)");

# ---- under the same filters ---------------------------------------------------------------
# What SystemCallFilter= allows, each group and each name resolved.
sub calls_of {
    my ($name) = @_;
    return $name unless $name =~ /^\@/;
    my (undef, $list) = analyze("syscall-filter $name");
    return map { calls_of($_) } $list =~ /^    (\@?[a-z]\S*)$/mg;
}

my %allowed;
for my $line ($unit =~ /^SystemCallFilter=(.*)$/mg) {
    my $denies = $line =~ s/^~//;
    $allowed{$_} = !$denies for map { calls_of($_) } split ' ', $line;
}
my @allowed = grep { $allowed{$_} } sort keys %allowed;
cmp_ok(@allowed, '>', 150, scalar(@allowed) . ' system calls are allowed');
ok(!$allowed{$_}, "but not $_") for qw(mount ptrace chown setuid nice bpf);
ok($allowed{$_}, "$_ is") for qw(sync_file_range flock fdatasync epoll_wait signalfd4 eventfd2);

# SystemCallFilter= with EPERM, MemoryDenyWriteExecute= and RestrictAddressFamilies= as
# systemd builds them (seccomp-util.c), then the gateway.
spew("$dir/filtered", <<'PYTHON' =~ s/\@ALLOWED\@/join ' ', @allowed/er);
#!/usr/bin/python3
import ctypes, errno, os, sys

library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
library.seccomp_init.restype = ctypes.c_void_p
ALLOW, DENY = 0x7FFF0000, 0x00050000 | errno.EPERM
NO_FAMILY = 0x00050000 | errno.EAFNOSUPPORT
EQUAL, MASKED = 4, 7
WRITE_EXECUTE, EXECUTE = 6, 4

class Comparison(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("operation", ctypes.c_int),
                ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]

def add(context, action, name, *comparison):
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number < 0:
        return  # not on this machine
    rules = (Comparison * 1)(Comparison(*comparison)) if comparison else None
    if library.seccomp_rule_add_array(ctypes.c_void_p(context), ctypes.c_uint32(action), number,
                                      1 if comparison else 0, rules) < 0:
        sys.exit("no rule for " + name)

def load(context):
    if library.seccomp_load(ctypes.c_void_p(context)) < 0:
        sys.exit("the filter cannot be loaded")

memory = library.seccomp_init(ctypes.c_uint32(ALLOW))
add(memory, DENY, "mmap", 2, MASKED, WRITE_EXECUTE, WRITE_EXECUTE)
for name in "mprotect", "pkey_mprotect":
    add(memory, DENY, name, 2, MASKED, EXECUTE, EXECUTE)
families = library.seccomp_init(ctypes.c_uint32(ALLOW))
for family in range(64):
    if family not in (1, 2, 10):
        add(families, NO_FAMILY, "socket", 0, EQUAL, family, 0)
calls = library.seccomp_init(ctypes.c_uint32(DENY))
for name in "@ALLOWED@".split():
    add(calls, ALLOW, name)
for context in memory, families, calls:
    load(context)
os.execv(os.environ["LEADGATE_PROGRAM"], [os.environ["LEADGATE_PROGRAM"]] + sys.argv[1:])
PYTHON
chmod 0755, "$dir/filtered";

SKIP: {
    skip 'sanitizers and valgrind make calls of their own', 7 if $ENV{LG_SAN} || $ENV{LG_WRAP};
    $gateway->start(program => "$dir/filtered", env => { LEADGATE_PROGRAM => leadgate_binary() });
    like(slurp('/proc/' . $gateway->pid . '/status'), qr/^Seccomp:\s+2$/m, 'it runs under filters');
    is(readlink('/proc/' . $gateway->pid . '/exe'), leadgate_binary(), 'and it is the gateway');
    my $answer = $gateway->post('/f/contact', [full_name => "J\x{fc}rgen Gro\x{df}", email => "j\x{fc}rgen\@b\x{fc}cher.example",
        phone => '(650) 253-0000', message => 'hello']);
    is($answer->{status}, 202, 'it takes a lead');
    my ($event) = $gateway->wait_events(1);
    is($event->{lead}{person}{phone}, '+16502530000', 'with a phone number read, which needs libphonenumber');
    is(($gateway->command('reload', '--wait'))[0], 0, 'it reloads');
    ok((LeadgateTest::run_leadgate('backup', '-c', $gateway->config, "$dir/copy.db"))[0] == 0 && -s "$dir/copy.db",
        'it is copied while it runs');
    is($gateway->stop, 0, 'it ends in order, and no call that it missed is in the log');
}
$gateway->finish;
done_testing;
