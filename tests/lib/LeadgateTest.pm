# A gateway for a test: its own folder, free ports, a log that is read, and
# checks at the end that every test gets without asking (see tests/README.md).
package LeadgateTest;
use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use Fcntl qw(F_DUPFD);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use HTTP::Tiny;
use IO::Select;
use IO::Socket::INET;
use JSON::PP;
use POSIX qw(:sys_wait_h);
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(wait_until form_encode form_request json_request request_bytes read_answer read_lines
    slurp spew patience leadgate_binary);

my $top = $ENV{LG_SRCDIR} || abs_path(dirname(__FILE__) . '/../..');
my $build = $ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR} || "$top/build";
my @running;

$SIG{PIPE} = 'IGNORE';
binmode $_, ':encoding(UTF-8)'
    for map { Test::More->builder->$_ } qw(output failure_output todo_output);

# Nothing depends on timing: these are only the ends of patience, longer where a
# sanitizer or valgrind slows everything down.
sub patience { return ($ENV{LG_WRAP} || ($ENV{LG_SAN} || '') =~ /thread/ ? 120 : 30) }

sub leadgate_binary { return "$build/leadgate" }

# Asks until the block answers true; dies with the sentence otherwise.
sub wait_until (&$;$) {
    my ($condition, $what, $seconds) = @_;
    my $until = time + ($seconds || patience());
    my $pause = 0.002;
    for (;;) {
        my $answer = $condition->();
        return $answer if $answer;
        die "waited in vain until $what\n" if time > $until;
        sleep $pause;
        $pause *= 1.5 if $pause < 0.05;
    }
}

sub slurp {
    my ($path) = @_;
    open my $in, '<:raw', $path or return '';
    local $/;
    my $text = <$in>;
    return defined $text ? $text : '';
}

sub spew {
    my ($path, $text) = @_;
    open my $out, '>:raw', $path or die "$path: $!\n";
    print $out $text;
    close $out or die "$path: $!\n";
}

# Events of a file that a sink writes: whole lines only.
sub read_lines {
    my ($path) = @_;
    return map { decode_json($_) } slurp($path) =~ /^(.+)\n/mg;
}

# ---- requests ------------------------------------------------------------------

sub form_encode {
    my (@pairs) = @_;
    for (@pairs) {
        utf8::encode($_) if utf8::is_utf8($_);
        s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge;
    }
    my @parts;
    push @parts, shift(@pairs) . '=' . shift(@pairs) while @pairs;
    return join '&', @parts;
}

sub request_bytes {
    my ($path, $type, $body, %headers) = @_;
    my $method = delete $headers{':method'} || 'POST';
    $headers{Host} ||= 'test';
    my $head = join '', map { "$_: $headers{$_}\r\n" } sort keys %headers;
    return "$method $path HTTP/1.1\r\n${head}Content-Type: $type\r\nContent-Length: "
        . length($body) . "\r\n\r\n$body";
}

# Bytes of a request: form_request('/f/contact', [email => 'a@b.c'], Header => 'value').
sub form_request {
    my ($path, $pairs, %headers) = @_;
    return request_bytes($path, 'application/x-www-form-urlencoded', form_encode(@$pairs), %headers);
}

sub json_request {
    my ($path, $data, %headers) = @_;
    return request_bytes($path, 'application/json', JSON::PP->new->utf8->canonical->encode($data), %headers);
}

# One answer off a socket, or undef when the peer closed before it was whole:
# { status, headers (names in lower case), body }. What came beyond it stays in
# $$rest, for the next call.
sub read_answer {
    my ($socket, $rest, $seconds) = @_;
    my $until = time + ($seconds || patience());
    my $none = '';
    $rest ||= \$none;
    for (;;) {
        if ($$rest =~ /\A(.*?)\r\n\r\n/s) {
            my ($head, $start) = ($1, length($1) + 4);
            my ($line, @lines) = split /\r\n/, $head;
            my ($status) = $line =~ m{^HTTP/1\.[01] (\d{3})} or die "no status line: $line\n";
            my %headers = map { /^([^:]+):\s*(.*?)\s*$/ ? (lc $1 => $2) : () } @lines;
            my $length = $headers{'content-length'} || 0;
            if ($status == 100) { $$rest = substr $$rest, $start; next }
            if (length($$rest) >= $start + $length) {
                my $body = substr $$rest, $start, $length;
                $$rest = substr $$rest, $start + $length;
                return { status => $status, headers => \%headers, body => $body };
            }
        }
        my $left = $until - time;
        die "no whole answer in time, only: $$rest\n"
            if $left <= 0 || !IO::Select->new($socket)->can_read($left);
        my $got = sysread $socket, $$rest, 65536, length $$rest;
        return undef unless $got;
    }
}

# ---- the gateway ---------------------------------------------------------------

# LeadgateTest->new(config => 'text'). In the text @DIR@ is the test's folder;
# without one two forms and a file sink are configured, and the options core,
# store and sink add to those sections. `files` moves config, store and sink
# below the folder.
sub new {
    my ($class, %options) = @_;
    my $dir = $options{dir} || tempdir('leadgate-XXXXXX', TMPDIR => 1, CLEANUP => 0);
    my $self = bless {
        dir => $dir, own_dir => !$options{dir}, log_count => 0, announced => [], problems => [],
        files => { config => 'leadgate.yaml', store => 'store.db', sink => 'leads.ndjson',
            %{ $options{files} || {} } },
    }, $class;
    $self->configure(defined $options{config} ? $options{config} : default_config(%options));
    push @running, $self;
    return $self;
}

sub default_config {
    my (%options) = @_;
    my $store = $options{store} || '';
    my $core = $options{core} || '';
    my $sink = $options{sink} || '';
    return <<"YAML";
core: { loops: 2, shutdown: 20s$core }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store.db"$store }
sources:
  contact-form: { plugin: webform, path: /f/contact, auth: none }
  quote-form: { plugin: webform, path: /f/quote, auth: none, kind: quote }
sinks:
  archive: { plugin: file, path: "\@DIR\@/leads.ndjson"$sink }
YAML
}

# Whole at any moment: a command that was just begun may be reading it.
sub configure {
    my ($self, $text) = @_;
    $text =~ s/\@DIR\@/$self->{dir}/g;
    make_path(dirname($self->config));
    spew($self->config . '.new', $text);
    rename $self->config . '.new', $self->config or die "$self->{dir}: $!\n";
    return $self;
}

sub dir    { return $_[0]{dir} }
sub config { return "$_[0]{dir}/$_[0]{files}{config}" }
sub store  { return "$_[0]{dir}/$_[0]{files}{store}" }
sub sink   { return "$_[0]{dir}/$_[0]{files}{sink}" }
sub pid    { return $_[0]{pid} }
sub log    { return slurp($_[0]{log}) }

# Log lines of level error or warning that this test provokes.
sub announce {
    my ($self, @patterns) = @_;
    push @{ $self->{announced} }, @patterns;
    return $self;
}

sub environment {
    return (%ENV, LEADGATE_PLUGIN_PATH => join ':', grep { $_ } $ENV{LEADGATE_TEST_PLUGINS}, "$build/plugins");
}

# In the child: the sockets become descriptors 3 and up, as systemd hands them
# over; each goes with its name: [web => $socket, ...].
sub hand_over {
    my (@named) = @_;
    my (@copies, @names);
    while (my ($name, $socket) = splice @named, 0, 2) {
        push @names, $name;
        push @copies, fcntl($socket, F_DUPFD, 100) || die "F_DUPFD: $!\n";
    }
    POSIX::dup2($copies[$_], 3 + $_) for 0 .. $#copies;
    @ENV{qw(LISTEN_PID LISTEN_FDS LISTEN_FDNAMES)} = ($$, scalar @names, join ':', @names);
}

# Starts it without waiting; log lines go to a file of their own. `env` adds to the
# environment, `program` takes the place of the gateway's own, `sockets` are for
# hand_over.
sub launch {
    my ($self, %options) = @_;
    $self->{log} = sprintf '%s/log.%d', $self->{dir}, ++$self->{log_count};
    $self->{ports} = undef;
    spew($self->{log}, '');
    my $pid = fork;
    die "fork: $!\n" unless defined $pid;
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$self->{dir}/out";
        open STDERR, '>>', $self->{log};
        %ENV = (environment(), %{ $options{env} || {} });
        hand_over(@{ $options{sockets} }) if $options{sockets};
        exec split(' ', $ENV{LG_WRAP} || ''), $options{program} || leadgate_binary(), 'run', '-c', $self->config
            or POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    return $self;
}

sub start {
    my ($self, %options) = @_;
    $self->launch(%options);
    $self->wait_ready;
    $self->{descriptors} = $self->descriptors;
    # The errand thread makes one for each drop folder, before they are counted or after.
    $self->{descriptors}{'anon_inode:[eventfd]'} += () = slurp($self->config) =~ /\bfolder:/g;
    return $self;
}

sub wait_ready {
    my ($self) = @_;
    wait_until {
        return 1 if $self->log =~ /event=gateway\.ready/;
        my $status = $self->reap;
        die "the gateway ended with $status before it was ready:\n" . $self->log if defined $status;
        0;
    } 'the gateway is ready';
    $self->ports;
    return $self;
}

sub ports {
    my ($self) = @_;
    $self->{ports} ||= { $self->log =~ /event=gateway\.listening for=(\w+) .*?port=(\d+)/g };
    return $self->{ports};
}
sub port       { return $_[0]->ports->{leads} }
sub admin_port { return $_[0]->ports->{admin} }

# The exit status when it has ended, or undef; "signal N" when one ended it.
sub reap {
    my ($self) = @_;
    return undef unless $self->{pid};
    return undef unless waitpid($self->{pid}, WNOHANG) == $self->{pid};
    delete $self->{pid};
    return $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
}

sub wait_end {
    my ($self) = @_;
    my $status;
    wait_until { defined($status = $self->reap) } 'the gateway has ended';
    return $status;
}

sub signal {
    my ($self, $name) = @_;
    kill $name, $self->{pid};
    return $self;
}

# Ends it in order and returns the exit status; descriptors are counted before.
sub stop {
    my ($self) = @_;
    $self->check_descriptors;
    $self->signal('TERM');
    my $status = $self->wait_end;
    $self->read_log;
    return $status;
}

sub kill_hard {
    my ($self) = @_;
    $self->signal('KILL');
    my $status = $self->wait_end;
    $self->read_log;
    return $status;
}

# ---- talking to it -------------------------------------------------------------

sub connect {
    my ($self, $port) = @_;
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port || $self->port,
        Proto => 'tcp', Timeout => patience()) || die "connecting: $!\n";
}

# One request on a connection of its own.
sub exchange {
    my ($self, $bytes, $port) = @_;
    my $socket = $self->connect($port);
    syswrite $socket, $bytes;
    return read_answer($socket);
}

sub post      { my ($self, $path, $pairs, %headers) = @_; return $self->exchange(form_request($path, $pairs, %headers)) }
sub post_json { my ($self, $path, $data, %headers) = @_; return $self->exchange(json_request($path, $data, %headers)) }

sub get {
    my ($self, $path) = @_;
    return HTTP::Tiny->new(timeout => patience())->get('http://127.0.0.1:' . $self->port . $path);
}

sub admin {
    my ($self, $path, $method) = @_;
    return HTTP::Tiny->new(timeout => patience())
        ->request($method || 'GET', 'http://127.0.0.1:' . $self->admin_port . $path);
}

# All at once: connects, sends, then reads one answer each.
sub exchange_all {
    my ($self, @requests) = @_;
    my @sockets = map { $self->connect } @requests;
    syswrite $sockets[$_], $requests[$_] for 0 .. $#requests;
    return map { read_answer($_) } @sockets;
}

sub events { return read_lines($_[0]->sink) }

# Waits until the sink holds that many events and returns them.
sub wait_events {
    my ($self, $count) = @_;
    wait_until { (my @events = $self->events) >= $count } "the sink has $count events";
    return $self->events;
}

# A command on the same configuration: (exit status, output, errors).
sub command {
    my ($self, $name, @arguments) = @_;
    return run_leadgate($name, '-c', $self->config, @arguments);
}

sub run_leadgate {
    my (@arguments) = @_;
    my ($out, $err) = map { File::Temp->new } 1 .. 2;
    my $pid = fork;
    die "fork: $!\n" unless defined $pid;
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>&', $out;
        open STDERR, '>&', $err;
        %ENV = environment();
        exec split(' ', $ENV{LG_WRAP} || ''), leadgate_binary(), @arguments or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    my $status = $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
    return ($status, slurp($out->filename), slurp($err->filename));
}

# A shell on a store: it waits for a lock that the gateway holds at that moment,
# and ends at an error instead of going on without what has failed.
sub sqlite3 {
    my ($self, $store) = @_;
    return ('sqlite3', '-bail', '-cmd', '.timeout 60000', $store || $self->store);
}

# What a statement gives, of the test's store or of another file.
sub sql {
    my ($self, $statement, $store) = @_;
    open my $shell, '-|', $self->sqlite3($store), $statement or die "sqlite3: $!\n";
    local $/;
    my $answer = <$shell>;
    close $shell or die "sqlite3 failed: $statement\n";
    $answer =~ s/\n\z// if defined $answer;
    return $answer;
}

# The import of a file of this name comes so far and no further until it is let go: the
# journal takes none of the commits that would, for a reason that is no row's fault, and
# they are tried again. So what is to happen in the middle of it does, however long it takes.
sub hold_import {
    my ($self, $name, $rows) = @_;
    $self->announce(qr/event=store\.write_failed/);
    $self->sql("CREATE TRIGGER held BEFORE UPDATE ON import WHEN NEW.name = '$name' AND NEW.rows > $rows"
            . ' BEGIN SELECT abs(-9223372036854775807 - 1); END');
    return $self;
}

sub release_import { return $_[0]->sql('DROP TRIGGER held') }

# The seqs that the settled rows of a sink call delivered.
sub delivered {
    my ($self, $sink, $store) = @_;
    my @seqs;
    for my $row (split /\n/, $self->sql("SELECT first_seq, outcomes FROM settled WHERE sink = '$sink'", $store)) {
        my ($seq, $outcomes) = split /\|/, $row;
        for my $word (split / /, $outcomes) {
            my ($state, $count) = split /\*/, $word;
            $count ||= 1;
            push @seqs, $seq .. $seq + $count - 1 if $state eq 'delivered';
            $seq += $count;
        }
    }
    return @seqs;
}

# ---- what every test is checked for --------------------------------------------

# How many descriptors of each kind it has: sockets, eventfds and so on must
# come back to what they were; files are opened when they are first needed.
sub descriptors {
    my ($self) = @_;
    my %count;
    for my $fd (glob "/proc/$self->{pid}/fd/*") {
        my $target = readlink $fd or next;
        $target =~ s/:\[\d+\]$//;
        $count{ $target =~ m{^/} ? 'file' : $target }++;
    }
    return \%count;
}

# Sinks that make calls, and the connections that each may keep for later. Its
# client has three sockets, which may be opened when they are counted already.
use constant CLIENT_SOCKETS => 3;

sub allow_calls {
    my ($self, $sinks, $connections) = @_;
    $self->{descriptors}{socket} += $sinks * (CLIENT_SOCKETS + $connections);
    return $self;
}

use constant FILES_OPENED_LATER => 8;

sub check_descriptors {
    my ($self) = @_;
    return unless $self->{descriptors} && !$ENV{LG_WRAP};
    my $more;
    eval {
        wait_until {
            my $now = $self->descriptors;
            my $then = $self->{descriptors};
            $more = join ', ', map { "$_ " . ($then->{$_} || 0) . " -> $now->{$_}" } grep {
                $now->{$_} > ($then->{$_} || 0) + ($_ eq 'file' ? FILES_OPENED_LATER : 0)
            } sort keys %$now;
            $more eq '';
        } 'descriptors are closed';
        1;
    } or push @{ $self->{problems} }, "leaked descriptors: $more";
}

sub read_log {
    my ($self) = @_;
    for my $line (split /\n/, $self->log) {
        my $bad = $line =~ /Sanitizer|runtime error:|^==\d+==/ ? 'sanitizer'
            : $line =~ /\blevel=(error|warning)\b/ ? $1
            : $line !~ /^time=/ ? 'stray' : next;
        # A machine with other work may stop a thread for longer than a call may take.
        next if $line =~ /\bevent=plugin\.slow\b/;
        next if $bad ne 'sanitizer' && grep { $line =~ $_ } @{ $self->{announced} };
        push @{ $self->{problems} }, "$bad line in the log: $line";
    }
}

# Stops it and says in three tests how it went; removes the folder when all is well.
sub finish {
    my ($self) = @_;
    my $status = $self->{pid} ? $self->stop : 0;
    my @problems = @{ $self->{problems} };
    is($status, 0, 'the gateway ended in order');
    ok(!@problems, 'no unannounced line in the log, nothing leaked')
        or diag(join "\n", @problems > 20 ? (@problems[0 .. 19], '…') : @problems);
    is(-e $self->store ? $self->sql('PRAGMA integrity_check') : 'ok', 'ok', 'the journal is whole');
    @running = grep { $_ != $self } @running;
    remove_tree($self->{dir}) if $self->{own_dir} && Test::More->builder->is_passing;
    return;
}

# A test that dies must not leave a gateway behind. The status of the test stays.
END {
    my $status = $?;
    for (grep { $_->{pid} } @running) {
        kill 'KILL', $_->{pid};
        waitpid $_->{pid}, 0;
        diag("log of the gateway in $_->{dir}:\n" . $_->log);
    }
    $? = $status;
}

1;
