# Chromium sends a form through nginx, over TLS and HTTP/2, as a visitor does.
use strict;
use warnings;

use LeadgateTest;
use POSIX qw(:sys_wait_h);
use ProxyTest;
use Test::More;

my $gateway = behind_a_proxy();
my $proxy = start_proxy($gateway, 'nginx');
my $dir = $gateway->dir;
my $browser;

END {
    my $status = $?;
    kill 'KILL', -$browser if $browser;
    $? = $status;
}

# The page sends its form itself, when it is loaded.
sub visit {
    my ($email) = @_;
    spew("$dir/page.html", <<"HTML");
<!DOCTYPE html><meta charset="utf-8"><title>Contact</title>
<form action="https://forms.example:$proxy->{https}/f/contact" method="post">
  <input name="full_name" value="Zo&euml; M&uuml;ller"> <input name="email" value="$email">
  <input name="phone" value="(650) 253-0000"> <textarea name="message">One &amp; two
three</textarea>
</form>
<script>addEventListener('load', () => document.forms[0].submit())</script>
HTML
    $browser = fork;
    die "fork: $!\n" unless defined $browser;
    if (!$browser) {
        setpgrp;
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$dir/browser.out";
        open STDERR, '>&', \*STDOUT;
        $ENV{HOME} = $dir;
        exec 'chromium', '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
            '--disable-background-networking', '--ignore-certificate-errors', '--remote-debugging-port=0',
            "--user-data-dir=$dir/browser", '--host-resolver-rules=MAP forms.example 127.0.0.1', "file://$dir/page.html"
            or POSIX::_exit(127);
    }
    my $event;
    eval {
        wait_until {
            ($event) = grep { ($_->{lead}{person}{email} || '') eq $email } $gateway->events;
            $event || waitpid($browser, WNOHANG) == $browser;
        } "the lead of $email", 120;
        1;
    } or diag($@);
    diag(slurp("$dir/browser.out")) unless $event;
    kill 'KILL', -$browser;
    waitpid $browser, 0;
    undef $browser;
    return $event;
}

my $event = visit('zoe@example.com');
ok($event, 'a form that Chromium sends arrives');
my $lead = $event->{lead};
is($lead->{person}{full_name}, "Zo\x{eb} M\x{fc}ller", 'with its letters');
is($lead->{person}{phone}, '+16502530000', 'its phone number');
is($lead->{inquiry}{message}, "One & two\nthree", 'its lines');
is($lead->{client}{ip}, '127.0.0.1', 'from the visitor\'s address');
like($lead->{client}{user_agent}, qr/Chrome/, 'and browser');
stop_proxy($proxy);
$gateway->finish;
done_testing;
