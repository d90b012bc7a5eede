# A Chromium without a window: a visitor who loads a page, or one that a test drives
# through the pipe of its DevTools protocol
# (https://chromedevtools.github.io/devtools-protocol/): messages are JSON, each ends
# with a zero byte, answers carry the number of their call. It ends with the test.
package Chromium;
use strict;
use warnings;

use Fcntl qw(F_DUPFD);
use IO::Select;
use JSON::PP;
use LeadgateTest;
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(time);

my @running;
my $json = JSON::PP->new->utf8;

# In the child.
sub run_browser {
    my ($dir, @more) = @_;
    setpgrp;
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', "$dir/browser.out";
    open STDERR, '>&', \*STDOUT;
    $ENV{HOME} = $dir;
    exec 'chromium', '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
        '--disable-background-networking', '--ignore-certificate-errors', "--user-data-dir=$dir/browser", @more
        or POSIX::_exit(127);
}

# The same: what it reads and writes become descriptors 3 and 4.
sub run_driven {
    my ($dir, $in, $out, @more) = @_;
    my @copies = map { fcntl($_, F_DUPFD, 100) || die "F_DUPFD: $!\n" } $in, $out;
    POSIX::dup2($copies[$_], 3 + $_) for 0, 1;
    run_browser($dir, '--remote-debugging-pipe', @more, 'about:blank');
}

# Chromium->visitor($folder, $url, options of Chromium …): loads the page, and that is all.
sub visitor {
    my ($class, $dir, $url, @more) = @_;
    my $pid = fork // die "fork: $!\n";
    run_browser($dir, '--remote-debugging-port=0', @more, $url) if !$pid;
    push @running, $pid;
    return bless { pid => $pid, dir => $dir }, $class;
}

# Whether it has ended by itself; what it has said of itself.
sub has_ended { return waitpid($_[0]{pid}, WNOHANG) == $_[0]{pid} }
sub said      { return slurp("$_[0]{dir}/browser.out") }

# Chromium->start($folder, options of Chromium …), with one page attached.
sub start {
    my ($class, $dir, @more) = @_;
    pipe my $their_in, my $in or die "pipe: $!\n";
    pipe my $out, my $their_out or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    run_driven($dir, $their_in, $their_out, @more) if !$pid;
    push @running, $pid;
    my $self = bless { pid => $pid, dir => $dir, in => $in, out => $out, rest => '', calls => 0 }, $class;
    my $target = $self->call('Target.createTarget', { url => 'about:blank' })->{targetId};
    $self->{session} = $self->call('Target.attachToTarget', { targetId => $target, flatten => JSON::PP::true })->{sessionId};
    $self->call('Page.enable');
    return $self;
}

sub next_message {
    my ($self, $until) = @_;
    my $end;
    while (($end = index $self->{rest}, "\0") < 0) {
        my $left = $until - time;
        die "Chromium says nothing\n" if $left <= 0 || !IO::Select->new($self->{out})->can_read($left);
        sysread $self->{out}, $self->{rest}, 65536, length $self->{rest} or die "Chromium has ended\n";
    }
    my $message = substr $self->{rest}, 0, $end;
    substr $self->{rest}, 0, $end + 1, '';
    return $json->decode($message);
}

# What a call of the protocol answers.
sub call {
    my ($self, $method, $parameters) = @_;
    my %message = (id => ++$self->{calls}, method => $method, params => $parameters || {});
    $message{sessionId} = $self->{session} if $self->{session};
    syswrite $self->{in}, $json->encode(\%message) . "\0";
    my $until = time + 4 * patience();
    for (;;) {
        my $answer = $self->next_message($until);
        next unless ($answer->{id} // 0) == $message{id};
        die "$method: " . $json->encode($answer->{error}) . "\n" if $answer->{error};
        return $answer->{result};
    }
}

# Loads a page.
sub visit {
    my ($self, $url) = @_;
    $self->call('Page.navigate', { url => $url });
    wait_until { $self->evaluate('document.readyState + " " + location.href') eq "complete $url" } "$url is loaded", 120;
}

# What a piece of JavaScript gives, or what its promise does.
sub evaluate {
    my ($self, $script) = @_;
    my $answer = $self->call('Runtime.evaluate',
        { expression => $script, awaitPromise => JSON::PP::true, returnByValue => JSON::PP::true });
    die "JavaScript: " . $json->encode($answer->{exceptionDetails}) . "\n" if $answer->{exceptionDetails};
    return $answer->{result}{value};
}

sub stop {
    my ($self) = @_;
    kill 'KILL', -$self->{pid};
    waitpid $self->{pid}, 0;
    @running = grep { $_ != $self->{pid} } @running;
}

END {
    my $status = $?;
    kill 'KILL', -$_ for @running;
    $? = $status;
}

1;
