# The file sink under the whole program: rotation, a file that is moved away,
# torn or on a full disk, and kills.
use strict;
use warnings;

use JSON::PP;
use LeadgateTest;
use Test::More;

my $posted = 0;

sub post {
    my ($gateway, $count) = @_;
    for (1 .. $count) {
        $posted++;
        my $answer = $gateway->post('/f/contact', [email => "p$posted\@example.com", message => 'x' x 200]);
        die "not accepted: $answer->{status}\n" if $answer->{status} != 202;
    }
}

# The seqs in files, how often each; every line must be whole.
sub seqs_in {
    my %times;
    for my $file (@_) {
        my $text = slurp($file);
        next if $file =~ /\.gz$/;
        die "$file ends in a torn line\n" if length $text && $text !~ /\n\z/;
        $times{ decode_json($_)->{seq} }++ for $text =~ /^(.+)$/mg;
    }
    return %times;
}

# In the file and in all that were renamed.
sub seqs { return seqs_in(glob $_[0]->sink . '*') }

# While a batch is being written, or what did not fit is taken back, the last line may be
# short of its end, and a reader may find the parts of two: whoever looks again sees whether
# it stays so.
sub seqs_or_none {
    my (@files) = @_;
    my %seen = eval { seqs_in(@files) };
    return %seen;
}
sub has_all {
    my %seen = seqs_or_none(@_);
    return keys %seen == $posted;
}

# ---- rotation, logrotate -------------------------------------------------------------

{
    my $gateway = LeadgateTest->new(sink => ', rotate_size: 4KiB, keep: 100, mode: "0640"')->start;
    for (1 .. 6) { # the next batch finds a file that is full, however many it brings itself
        post($gateway, 10);
        wait_until { has_all(glob $gateway->sink . '*') } 'all are in the files';
    }
    my @renamed = glob $gateway->sink . '.*';
    cmp_ok(scalar @renamed, '>=', 3, 'rotated by size');
    is((grep { !/\.\d{8}T\d{9}Z$/ } @renamed), 0, 'under names that say when');
    is((stat $gateway->sink)[2] & 0777, 0640, 'with the mode that was asked for');
    my %seen = seqs($gateway);
    is((grep { $_ != 1 } values %seen), 0, 'each event stands in one of them');

    rename $gateway->sink, $gateway->sink . '.moved' or die "rename: $!\n";
    post($gateway, 1);
    wait_until { -s $gateway->sink } 'a file that was moved away is begun anew';
    pass('a file that was moved away is begun anew');
    $gateway->finish;
}

# ---- a torn line, kills ---------------------------------------------------------------

{
    $posted = 0;
    my $gateway = LeadgateTest->new->start;
    for my $round (1 .. 5) {
        post($gateway, 5);
        $gateway->kill_hard;
        if ($round == 3) {
            open my $out, '>>', $gateway->sink or die "$!\n";
            print $out '{"seq":9999,"id":"torn';
            close $out;
        }
        $gateway->start;
        wait_until { has_all($gateway->sink) } "round $round: nothing is missing";
        pass("round $round: nothing is missing");
    }
    wait_until { decode_json($gateway->admin('/sinks')->{content})->{sinks}[0]{lag} == 0 } 'the sink has settled all';
    my %seen = seqs($gateway);
    is_deeply([sort { $a <=> $b } keys %seen], [1 .. $posted], 'every acknowledged event, nothing else');
    like($gateway->admin('/metrics')->{content}, qr/^leadgate_plugin_file_torn_lines_total\{instance="archive"\} \d/m,
        'torn lines are counted');
    $gateway->finish;
}

# ---- a file that another program began ------------------------------------------------

{
    $posted = 0;
    my $gateway = LeadgateTest->new;
    my @first = ('{"email":"first@old.example"}', '{"email":"last@old.example"}');
    spew($gateway->sink, join "\n", @first);
    $gateway->start;
    post($gateway, 1);
    wait_until { slurp($gateway->sink) =~ /p1\@example\.com.*\n\z/ } 'the lead is behind its lines';
    my @lines = split /\n/, slurp($gateway->sink);
    is_deeply([@lines[0, 1]], \@first, 'its last line stays, though it had no line feed');
    is(scalar @lines, 3, 'and the lead has a line of its own');
    $gateway->finish;
}

# ---- a full disk ------------------------------------------------------------------------

SKIP: {
    skip 'a file system of its own needs root', 4 if $> != 0;
    $posted = 0;
    my $gateway = LeadgateTest->new;
    my $disk = $gateway->dir . '/disk';
    mkdir $disk or die "$disk: $!\n";
    skip 'tmpfs cannot be mounted here', 4
        if system('mount', '-t', 'tmpfs', '-o', 'size=64k', 'leadgate-test', $disk) != 0;
    my $mounted = 1;
    my $end = sub { system('umount', '-l', $disk) if $mounted; $mounted = 0 };
    eval {
        my $config = slurp($gateway->config);
        $config =~ s{path: "[^"]*leads\.ndjson"}{path: "$disk/leads.ndjson", retry_first: 10ms, retry_max: 50ms};
        $gateway->configure($config)->announce(qr/sink\.waiting/)->start;
        post($gateway, 150);
        wait_until { $gateway->admin('/sinks')->{content} =~ /No space left/ } 'the sink says that the disk is full';
        wait_until { keys %{ { seqs_or_none("$disk/leads.ndjson") } } > 0 } 'its lines are whole';
        pass('a full disk leaves whole lines');
        is($gateway->admin('/readyz')->{status}, 200, 'the intake goes on');
        system('mount', '-o', 'remount,size=4m', $disk) == 0 or die "remount\n";
        wait_until { has_all("$disk/leads.ndjson") } 'all are there when there is room';
        pass('all are there when there is room');
        is($gateway->stop, 0, 'and it stops in order');
        1;
    } or do { my $why = $@; $end->(); die $why };
    $end->();
    $gateway->finish;
}

# ---- refusals -----------------------------------------------------------------------------

for my $case (
    ['a folder', 'path: "@DIR@"', qr/is a folder: it must be a file/],
    ['a device', 'path: /dev/null', qr/is a device/],
    ['no path', 'mode: "0600"', qr/path/],
    ['a strange mode', 'path: x, mode: rw', qr/mode must be octal/],
    ['a negative size', 'path: x, rotate_size: -1', qr/rotate_size/],
) {
    my ($what, $options, $words) = @$case;
    my $gateway = LeadgateTest->new;
    my $config = slurp($gateway->config);
    $config =~ s/path: "[^"]*leads\.ndjson"/$options/;
    $gateway->configure($config);
    my ($status, undef, $errors) = $gateway->command('check');
    is($status, 78, "$what is refused");
    like($errors, $words, 'with a sentence');
    $gateway->finish;
}

done_testing;
