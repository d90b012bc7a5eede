# Bad configurations: every mistake at once, with file, line, column and caret,
# exit 78. In each text « stands before the place that must be named; it is not
# part of the text.
use strict;
use warnings;
use utf8;

use Destination;
use Encode qw(encode_utf8 decode_utf8);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use LeadgateTest;
use POSIX qw(mkfifo);
use Test::More;

my $dir = tempdir('leadgate-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $file = "$dir/gateway.yaml";

my %part = (
    listen => qq(listen: [{ address: "127.0.0.1:0" }]\n),
    store => "store: { path: store.db }\n",
    sources => "sources:\n  contact: { plugin: webform, path: /f/contact, auth: none }\n",
    sinks => "sinks:\n  archive: { plugin: file, path: leads.ndjson }\n",
);

# The whole text with one part replaced or added.
sub with {
    my (%other) = @_;
    my %all = (%part, %other);
    return join '', map { $all{$_} } sort keys %all;
}

# What leadgate check says of a text, and where the marks were.
sub check {
    my ($text, @command) = @_;
    my @marks;
    my $line = 0;
    for (split /^/, $text) {
        $line++;
        my $before = 0;
        while (/«/g) {
            push @marks, "$line:" . (pos() - $before++);
        }
    }
    $text =~ s/«//g;
    spew($file, encode_utf8($text));
    my ($status, $out, $err) = LeadgateTest::run_leadgate(@command ? @command : 'check', '-c', $file);
    return ($status, decode_utf8($err), \@marks, $text);
}

# A line as an error shows it: keys as they are, a value perhaps as stars.
sub shown {
    my ($line) = @_;
    return join '', map { /^(?:\w+:|\s+)\z/ ? quotemeta : s/(.)/'(?:' . quotemeta($1) . '|\*)'/ger }
        split /(\w+:(?=\s)|\s+)/, $line;
}

sub case {
    my ($what, $text, @patterns) = @_;
    my ($status, $err, $marks, $clean) = check($text);
    subtest $what => sub {
        is($status, 78, 'exit 78');
        my @lines = split /\n/, $clean;
        my @errors = $err =~ /^\Q$file\E:(\d+:\d+): error: /mg;
        is_deeply([sort @errors], [sort @$marks], 'every mistake is named at its place') or diag($err);
        like($err, $_, "says $_") for @patterns;
        for (@errors) {
            my ($line, $column) = split /:/;
            my $shown = '  ' . shown($lines[$line - 1]);
            my $caret = ' ' x ($column - 1 + 2) . '\^';
            like($err, qr/^$shown\n$caret/m, "shows line $line with a caret below column $column");
        }
    };
}

is((check(with()))[0], 0, 'the text that all cases start from is good');

# Sections and keys.
case('unknown section', with(sinkz => "«sinkz: {}\n"), qr/did you mean "sinks"\?/);
case('unknown key', with(listen => "listen: [{ «adress: 127.0.0.1:0, address: 127.0.0.1:0 }]\n"),
    qr/unknown option "adress".*did you mean "address"\?/);
case('unknown key of a plugin',
    with(sinks => "sinks:\n  a: { plugin: file, path: a, «rotate_sise: 1MiB }\n"),
    qr/unknown option "rotate_sise".*did you mean "rotate_size"\?/);
case('unknown key of a source',
    with(sources => "sources:\n  a: { plugin: webform, path: /a, auth: none, «honypot: x }\n"),
    qr/did you mean "honeypot"\?/);
case('duplicate key', with(admin => "admin:\n  address: 127.0.0.1:0\n  «address: 127.0.0.1:1\n"), qr/address/);
case('duplicate section', with(store2 => "«store: { path: other.db }\n"), qr/store/);
case('a section that is no mapping', with(core => "core: «fast\n"), qr/section "core"/);
case('sources as a list', with(sources => "«sources:\n  - plugin: webform\n"), qr/mapping/);
case('a source that is a word', with(sources => "sources:\n  contact: «webform\n"), qr/mapping/);

# Of a plugin's own: what it would have to cut off later.
my $channels = join ', ', map { sprintf 'channel-%02d', $_ } 0 .. 29;
case('more channels than a consent has room for',
    with(sources => "sources:\n  «a:\n    { plugin: webform, path: /a, auth: none, consent_field: ok, consent_channels: [$channels] }\n"),
    qr/source a: consent_channels has 329 bytes; a consent has room for 255/);

# Values.
case('wrong type: a word for a number', with(core => "core: { loops: «many }\n"), qr/loops.*number/);
case('out of range', with(core => "core: { loops: «1000 }\n"), qr/256/);
case('negative', with(core => "core: { loops: «-1 }\n"), qr/loops/);
case('no duration', with(core => "core: { shutdown: «soon }\n"), qr/duration|500ms/);
case('a duration without a unit', with(core => "core: { shutdown: «30 }\n"), qr/duration|500ms/);
case('no size', with(store => "store: { path: store.db, max_size: «20GB }\n"), qr/GiB|size/);
case('a size out of range', with(store => "store: { path: store.db, max_size: «1KiB }\n"), qr/1MiB/);
case('no word of the list', with(core => "core: { log_format: «xml }\n"), qr/logfmt/);
case('no boolean',
    with(sources => "sources:\n  a: { plugin: webform, path: /a, auth: none, is_test: «maybe }\n"),
    qr/true/);
case('a list for one value', with(core => "core: { «log_level: [info, debug] }\n"), qr/log_level/);
case('an unknown region', with(defaults => "defaults: { region: «XX }\n"), qr/region/);
case('an unset variable', with(store => qq(store: { path: "«\${LEADGATE_NOT_SET}.db" }\n)), qr/LEADGATE_NOT_SET/);
case('an unknown field of the record',
    with(sources => "sources:\n  a: { plugin: webform, path: /a, auth: none, fields: { tel: «person.fone } }\n"),
    qr/unknown field "person\.fone"; did you mean "person\.phone"\?/);

# What may be a credential stays out of the answer.
for my $options ('password: hunter2, nothing: x', 'pasword: hunter2', 'bearer: [hunter2], batch: x',
    'headers: { Authorization: Bearer hunter2 }, batch: x', 'password: "x}, hunter2", batch: x',
    'bearer:hunter2', 'batch: x # hunter2', 'secret: "hunter2 x"', 'bearer: hunter2, password: hunter2') {
    my ($status, $err) = check(with(sinks => "sinks:\n  a: { plugin: http, url: http://127.0.0.1:1/hunter2,\n"
                . "       user: ada, $options\n    }\n"));
    is($status, 78, "$options: exit 78");
    unlike($err, qr/hunter2/, 'no credential is shown');
    like($err, qr/^  .*\b\w+:.*\n +\^/m, 'but the keys are');
}
case('a value of a known option', with(sinks => "sinks:\n  a: { plugin: file, path: x, «user: hunter2 }\n"),
    qr/\{ plugin: file, path: x, user: \*{7} \}/);

# What two sections say together.
case('an address twice',
    with(listen => "«listen:\n  - address: 127.0.0.1:81\n  - address: '[::1]:81'\n  - address: 127.0.0.1:081\n"),
    qr/another entry of "listen" has the address 127\.0\.0\.1:081, too/);
case('a unix socket twice', with(listen => "«listen: [{ address: unix:/x/y }, { address: unix:/x/y }]\n"), qr/unix:\/x\/y, too/);
case('an address of leads for the admin listener',
    with(listen => "listen: [{ address: 127.0.0.1:81 }]\n", admin => "«admin: { address: 127.0.0.1:81 }\n"), qr/too/);
is((check(with(listen => "listen: [{ address: 127.0.0.1:0 }, { address: 127.0.0.1:0 }, { address: systemd:a }, { address: systemd:a }]\n")))[0],
    0, 'free ports and sockets of one name may be there twice');
case('a probe that no request can name', with(listen => "listen: [{ «address: 127.0.0.1:0, probe_path: up }]\n"),
    qr/probe_path: "up" does not begin with a \//);
# By whatever name: who opens a file of the journal beside SQLite takes its locks away.
mkdir "$dir/var" or die "mkdir: $!\n";
symlink '.', "$dir/here" or die "symlink: $!\n";
for my $name ('store.db', "$dir/store.db", 'var/../store.db', 'store.db-wal', 'store.db-shm', 'here/store.db-wal') {
    case("an access log in the journal: $name", with(access_log => "access_log: { path: «$name }\n"),
        qr/a file of the journal, "store.path"/);
    case("leads in the journal: $name", with(sinks => "sinks:\n  a: { plugin: file, path: «$name }\n"),
        qr/\Q$name\E is a file of the journal, "store.path"/);
}
is((check(with(sinks => "sinks:\n  a: { plugin: file, path: store.db.ndjson }\n")))[0], 0, 'another name is fine');
# On the first start, before the folders of the store are made.
symlink 'deep/new/store.db', "$dir/ahead" or die "symlink: $!\n";
my @ahead = (store => "store: { path: deep/./new//store.db }\n");
for my $name ('deep/new/store.db', "$dir/deep/new/../new/store.db", './deep/new/store.db-wal', 'here/deep/new/store.db.lock', 'ahead') {
    case("an access log in the journal to come: $name", with(@ahead, access_log => "access_log: { path: «$name }\n"),
        qr/a file of the journal, "store.path"/);
    case("leads in the journal to come: $name", with(@ahead, sinks => "sinks:\n  a: { plugin: file, path: «$name }\n"),
        qr/\Q$name\E is a file of the journal, "store.path"/);
}
is((check(with(@ahead, sinks => "sinks:\n  a: { plugin: file, path: deep/new/leads.ndjson }\n")))[0], 0, 'another name in the folder to come');
case('two sinks on one file to come: ./deep/leads', with(sinks =>
        "sinks:\n  a: { plugin: file, path: deep/leads }\n  b: { plugin: file, path: «./deep/leads }\n"),
    qr/is written by sink "a"/);
# Lines of both would stand in it.
for my $name ('leads.ndjson', "$dir/leads.ndjson", 'var/../leads.ndjson', 'here/leads.ndjson') {
    case("an access log in a sink's file: $name", with(access_log => "access_log: { path: «$name }\n"),
        qr/"path": this file is written by sink "archive"/);
}

case('a page that is none', with(store => "store: { path: store.db, page_size: «5KiB }\n"), qr/must be 4KiB or 8KiB/);
case('a key of persons that is none', with(dedup => "dedup: { «keys: [email, tel] }\n"), qr/"tel" is none of email, phone, profile/);

# TLS of a listener: the options, and the files that they name.
Destination::make_authority($dir, $_) for 'own', 'other';
mkfifo("$dir/pipe", 0600) or die "mkfifo: $!\n";
my ($certificate, $key, $other) = ('own.crt', 'own.key', 'other.key');
sub tls { return with(listen => "listen:\n  - address: 127.0.0.1:0\n    tls: { $_[0] }\n") }
my $good = "certificate: $certificate, key: $key";
is((check(tls($good)))[0], 0, 'TLS with a certificate and its key');
is((check(tls("$good, min_version: 1.3, groups: X25519, certificates: [{ $good }]")))[0], 0, 'TLS with more');
is((check(tls("$good, certificates: { $good }")))[0], 0, 'one more, without a list around it');
# A reload reads these while the journal is in use.
spew("$dir/store.db", 'journal');
my $of_journal = qr/cannot be opened: it is a file of the journal, "store\.path"/;
case('a certificate in the journal', tls('certificate: «store.db, key: store.db'), $of_journal);
case('a key in the journal', tls("certificate: $certificate, key: «here/store.db"), $of_journal);
case("$_ in the journal", with(http_client => "http_client: { $_: «store.db }\n"), $of_journal) for 'ca_file', 'hosts_file';
case("$_ of a sink in the journal", with(sinks => "sinks:\n  a: { plugin: http, url: 'https://crm.example', $_: «store.db }\n"), $of_journal)
    for 'ca_file', 'secret_file';
unlink "$dir/store.db";
case('one more without a file', tls("certificates: { certificate: «gone, key: gone }, $good"), qr/gone: cannot be read/);
case('TLS that is a word', with(listen => "listen: [{ address: 127.0.0.1:0, tls: «yes }]\n"), qr/"tls"/);
case('TLS without a key', with(listen => "listen: [{ address: 127.0.0.1:0, «tls: { certificate: $certificate } }]\n"), qr/key/);
case('no such file', tls("certificate: «none.crt, key: $key"), qr/none\.crt: cannot be read: No such file/);
case("$_->[0] for a certificate", tls("certificate: «$_->[1], key: $key"), qr/cannot be read: it is $_->[0], and must be a regular file/)
    for ['a pipe', 'pipe'], ['a folder', '.'], ['a device', '/dev/zero'];
case('a pipe for a key', tls("certificate: $certificate, key: «pipe"), qr/it is a pipe/);
case('no certificate in it', tls("certificate: «$key, key: $key"), qr/there is no certificate in PEM form in it/);
case('no key in it', tls("certificate: $certificate, key: «$certificate"), qr/there is no private key in PEM form in it/);
case('the key of another', tls("certificate: $certificate, key: «$other"), qr/does not belong to the certificate/);
case('a cipher that is none', tls("$good, ciphers: «RC5000"), qr/names no cipher/);
case('a group that is none', tls("$good, groups: «P-1"), qr/group that is unknown/);
case('an old version', tls("$good, min_version: «1.1"), qr/1\.2/);
case('certificates that are no list', tls("$good, certificates: «all"), qr/list of up to/);
case('a second certificate without anything', tls("$good, ««certificates: {}"), qr/"certificate"/);
case('a second certificate without a file', tls("certificates: [{ certificate: «gone, key: gone }], $good"), qr/gone: cannot be read/);
case('an unknown option of TLS', tls("$good, «cipher: X"), qr/unknown option "cipher".*did you mean "ciphers"\?/);
system("openssl req -new -key $dir/$key -subj /CN=old 2>/dev/null | openssl x509 -req -signkey $dir/$key -days -1 -out $dir/old.crt 2>/dev/null");
my ($expired, $said) = check(tls("certificate: old.crt, key: $key"));
is($expired, 0, 'an expired certificate is served');
like($said, qr/level=warning event=tls\.certificate-expired file=\S*old\.crt/, 'with a warning');

# A list as a text is one entry, also where it was meant to be more.
for (['"no, nein"', 1], ['[no, nein]', 0], ['["no, nein"]', 0], ['nein', 0]) {
    my ($words, $warned) = @$_;
    my ($status, $text) = check(with(sources =>
        "sources:\n  contact: { plugin: webform, path: /f/contact, auth: none,\n    consent_denied: $words }\n"));
    is($status, 0, "$words is taken");
    is(scalar(() = $text =~ /level=warning event=config\.list-of-one file=\S+ line=6 option=consent_denied /g), $warned,
        $warned ? 'with a warning' : 'in silence');
}

# Everybody may be whoever they say.
for my $all ('0.0.0.0/0', '::/0') {
    my ($status, $text) = check(with(listen =>
        qq(listen: [{ address: "127.0.0.1:0", trusted_proxies: [10.0.0.1, "$all"] }]\n)));
    is($status, 0, "$all is trusted");
    like($text, qr/level=warning event=listen\.trusts-everybody trusted_proxies="?\Q$all\E/, 'with a warning');
    unlike($text, qr/10\.0\.0\.1/, 'for it alone');
}

# Plugins.
case('unknown plugin', with(sinks => "sinks:\n  a: { plugin: «flie, path: a }\n"),
    qr/no plugin "flie" \(did you mean "file"\?\) in /, qr/there are: [^;]*file[^;]*$/m);
case('a misspelt plugin option', with(sources => "sources:\n  «a: { «plugn: webform, path: /a, auth: none }\n"),
    qr/unknown option "plugn" in source "a"; did you mean "plugin"\?/, qr/lacks the option "plugin": expected/);
case('a sink plugin as a source',
    with(sources => "sources:\n  a: { plugin: «file, path: /a, auth: none }\n"), qr/no source plugin/);
case('missing auth', with(sources => "sources:\n  «a: { plugin: webform, path: /a }\n"), qr/auth: none/);

# Options of a sink that contradict themselves.
case('a first retry beyond the longest',
    with(sinks => "sinks:\n  a: { plugin: file, path: x, retry_first: «2m, retry_max: 1m }\n"),
    qr/retry_first \(2m\) is longer than retry_max \(1m\)/);
case('a longest retry below the first one of old',
    with(sinks => "sinks:\n  a: { plugin: file, path: x, retry_max: «500ms }\n"),
    qr/retry_first \(1s\) is longer than retry_max \(500ms\)/);
case('a rule that is a constant', with(sinks => "sinks:\n  a: { plugin: file, path: x, when: «5 }\n"),
    qr/"when": 1:1: a constant/);
case('a success that is a constant',
    with(sinks => "sinks:\n  a: { plugin: http, url: http://127.0.0.1:1/, success_when: «7 }\n"), qr/"success_when": 1:1: a constant/);
is((check(with(sinks => "sinks:\n  a: { plugin: file, path: x, when: $_ }\n")))[0], 0, "when: $_ is meant")
    for qw(true false);

# What a sink could never deliver with.
spew("$dir/no.pem", "no certificate\n");
for my $case (['ca_file: «pipe', qr/cannot read the certificates in '\S+pipe': it is a pipe/],
    ['secret_file: «pipe', qr/"secret_file": \S+pipe cannot be read: it is a pipe, and must be a regular file/],
    ['ca_file: «none.pem', qr/cannot read the certificates in '\S+none\.pem'/],
    ['ca_file: «no.pem', qr/"ca_file": there is no certificate in '\S+no\.pem'/],
    ['mapping_as: «form', qr/"mapping_as": there is no mapping/],
    ['mapping: { a: «event }', qr/"mapping\.a": 'event' alone is no value/]) {
    my ($option, $words) = @$case;
    case("a sink with $option",
        with(sinks => "sinks:\n  a: { plugin: http, url: http://127.0.0.1:1/, $option }\n"), $words);
}
case('an authority that is not there', with(http_client => "http_client: { ca_file: «none.pem }\n"),
    qr/cannot read the certificates/);
for my $case (['hosts_file: «pipe', qr/cannot read the hosts file '\S+pipe': it is a pipe/],
    ['hosts_file: «none', qr/cannot read the hosts file '\S+none': No such file/],
    ['nameserver: «ns.example', qr/name server 'ns\.example' is no address, as in 192\.0\.2\.1/]) {
    my ($option, $words) = @$case;
    case("an HTTP client with $option", with(http_client => "http_client: { $option }\n"), $words);
}
is((check(with(http_client => "http_client: { hosts_file: /dev/null, nameserver: \"[::1]:53\" }\n")))[0], 0,
    'no file of hosts, and a name server with a port');
for my $port (qw(99999 0 1x -1)) {
    case("a URL with the port $port",
        with(sinks => "sinks:\n  a: { plugin: http, url: «http://127.0.0.1:$port/ }\n"), qr/absolute URL/);
}
for my $host ('a:b:80', '[::1', '[::1]80', 'crm]:80', 'user@', ':80', '@crm', '[]', '[zz]:80', '[1::2::3]') {
    case("a URL with the host $host",
        with(sinks => qq(sinks:\n  a: { plugin: http, url: "«http://$host/" }\n)), qr/absolute URL/);
}
for my $url (qw(http://crm.example:65535 http://crm.example:/x http://crm.example/a:99999 http://[2001:db8::1]/x http://[2001:db8::1]:8080/x http://[fe80::1%25eth0]/)) {
    is((check(with(sinks => qq(sinks:\n  a: { plugin: http, url: "$url" }\n))))[0], 0, "$url is a URL");
}

# Names and paths.
case('a bad name', with(sources => "sources:\n  «Contact_Form: { plugin: webform, path: /a, auth: none }\n"),
    qr/a-z/);
case('a path without a slash', with(sources => "sources:\n  a: { plugin: webform, path: «a, auth: none }\n"), qr{"/"});
case('duplicate path', with(sources => "sources:\n  a: { plugin: webform, path: /a, auth: none }\n"
            . "  b: { plugin: webform, path: «/a, auth: none }\n"), qr/taken by source "a"/);
case('a probe at the path of a source',
    with(listen => "«listen: { address: 127.0.0.1:0, probe_path: /f/contact }\n"), qr/source "contact"/);
case('exemptions that are no prefix', with(http => "http: { rate_exempt: [«10.0.0.0/33, 10.0.0.0/8, «all] }\n"),
    qr{"10\.0\.0\.0/33" is neither}, qr{"all" is neither});
case('proxies that are no prefix',
    with(listen => qq(listen: [{ address: "127.0.0.1:0", trusted_proxies: [«proxy, 10.0.0.1, «10.0.0.1/x] }]\n)),
    qr{trusted_proxies: "proxy" is neither});
case('a network that is none beside another mistake',
    with(listen => "listen:\n  - address: 127.0.0.1:0\n    «bogus: 1\n    trusted_proxies: [«10.0.0.0/99]\n"),
    qr/unknown option "bogus"/, qr{trusted_proxies: "10\.0\.0\.0/99" is neither});
case('a network that is none, alone', with(listen => "listen: [{ address: 127.0.0.1:0, trusted_proxies: «10.0.0.0/33 }]\n"),
    qr{trusted_proxies: "10\.0\.0\.0/33" is neither});
case('an exemption that is none, alone', with(http => "http: { rate_exempt: «10.0.0.0/33 }\n"),
    qr{rate_exempt: "10\.0\.0\.0/33" is neither});
case('proxies as a mapping', with(listen => "listen: [{ address: 127.0.0.1:0, «trusted_proxies: { a: all } }]\n"),
    qr/expected a list of strings/);
case('duplicate file', with(sinks => "sinks:\n  a: { plugin: file, path: x }\n  b: { plugin: file, path: «x }\n"),
    qr/written by sink "a"/);
symlink '.', "$dir/link" or die "making a link: $!\n";
for my $other ('./x', 'link/x', "$dir//x") {
    my $sinks = "sinks:\n  a: { plugin: file, path: x }\n  b: { plugin: file, path: «$other }\n";
    case("a duplicate file: $other", with(sinks => $sinks), qr/written by sink "a"/);
    spew("$dir/x", '');
    case("a duplicate file that exists: $other", with(sinks => $sinks), qr/written by sink "a"/);
    unlink "$dir/x" or die "removing x: $!\n";
}
is((check(with(sinks => "sinks:\n  a: { plugin: file, path: x }\n  b: { plugin: file, path: none/x }\n")))[0], 0,
    'a file in a folder that is not there is another one');
case('a duplicate name', with(sinks => "sinks:\n  a: { plugin: file, path: x }\n  «a: { plugin: file, path: y }\n"),
    qr/"a"/);

# All at once.
case('five mistakes at once', with(
        core => "core: { loops: «many, «shutdwn: 5s }\n",
        sources => "sources:\n  «a: { plugin: webform, path: /a }\n",
        sinks => "sinks:\n  a: { plugin: «nothing }\n  b: { plugin: file, path: b, keep: «-1 }\n"));

# What has no place of its own.
sub plain_case {
    my ($what, $text, @patterns) = @_;
    my ($status, $err) = check($text);
    subtest $what => sub {
        is($status, 78, 'exit 78');
        like($err, qr/^\Q$file\E:?.*error: /m, 'names the file') or diag($err);
        like($err, $_, "says $_") for @patterns;
    };
}
plain_case('no YAML', "listen: [\n", qr/:\d+:\d+: error/);
plain_case('a tab for indentation', "listen:\n\t- address: x\n", qr/:\d+:\d+: error/);
plain_case('an empty file', '', qr/mapping of sections/);
plain_case('a list', "- listen\n", qr/mapping of sections/);
plain_case('no listener', with(listen => ''), qr/listen/);
plain_case('no store', with(store => ''), qr/path/);
plain_case('a source without a path', with(sources => "sources:\n  a: { plugin: webform, auth: none }\n"), qr/path/);
plain_case('a source without a plugin', with(sources => "sources:\n  a: { path: /a, auth: none }\n"), qr/plugin/);
plain_case('a sink without a file', with(sinks => "sinks:\n  a: { plugin: file }\n"), qr/path/);
plain_case('one header twice',
    with(sinks => "sinks:\n  a: { plugin: http, url: http://127.0.0.1:1/, headers: { X-Key: a, x-kEY: b } }\n"),
    qr/headers: "x-kEY" is there twice/);
plain_case('settings that the plugin refuses',
    with(sinks => "sinks:\n  a: { plugin: file, path: x, mode: rw }\n"), qr/mode/);

{
    my ($status, $out, $err) = LeadgateTest::run_leadgate('check', '-c', $dir);
    is($status, 78, 'a folder for a file');
    ($status, $out, $err) = LeadgateTest::run_leadgate('check', '-c', "$dir/none.yaml");
    is($status, 78, 'no such file');
    like($err, qr/\Q$dir\E\/none\.yaml.*No such file/, 'says so');
}

# What shows only when the gateway starts is said in the same form; what may pass by
# itself ends it with 1, so that a service manager tries again.
sub run_case {
    my ($what, $expected, $text, @patterns) = @_;
    my ($status, $err, $marks) = check($text, 'run');
    subtest $what => sub {
        is($status, $expected, "exit $expected");
        is_deeply([$err =~ /^\Q$file\E:(\d+:\d+): error: /mg], $marks, 'at its place') or diag($err);
        like($err, $_, "says $_") for @patterns;
    };
}
my $taken = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die "listening: $!\n";
my $port = $taken->sockport;
run_case('a taken port', 1, with(listen => "«listen: { address: \"127.0.0.1:$port\" }\n"), qr/127\.0\.0\.1:$port.*taken/i);
run_case('a taken port of the admin listener', 1, with(admin => "«admin: { address: \"127.0.0.1:$port\" }\n"),
    qr/admin listener.*taken/i);
run_case('an address that is none', 78, with(listen => "«listen: { address: nowhere }\n"), qr/nowhere/);

# A plugin that is newer than the gateway.
{
    my $plugins = "$dir/plugins";
    mkdir $plugins;
    for my $case (['newer', 0, 99], ['other', 9, 0]) {
        my ($name, $major, $minor) = @$case;
        spew("$plugins/$name.c", qq(#include <leadgate/sink.h>
static int32_t deliver(void *i, struct lg_batch *b, int64_t d) { (void)i; (void)b; (void)d; return LG_OK; }
static const struct lg_sink_operations operations = { .size = sizeof(operations), .deliver = deliver };
LG_SINK_PLUGIN($major, $minor, "$name", .sink = &operations)
;\n));
        my $top = $ENV{LG_SRCDIR};
        my @cc = (split(' ', $ENV{CC} || 'cc'), '-shared', '-fPIC', "-I$top/include");
        is(system(@cc, '-o', "$plugins/$name.so", "$plugins/$name.c"), 0, "a plugin for ABI $major.$minor is built");
    }
    local $ENV{LEADGATE_TEST_PLUGINS} = $plugins;
    case('a plugin with a newer minor', with(sinks => "sinks:\n  a: { plugin: «newer }\n"),
        qr/newer\.so/, qr/0\.99/, qr/0\.\d+/);
    case('a plugin with another major', with(sinks => "sinks:\n  a: { plugin: «other }\n"), qr/other\.so/, qr/9\.0/);
    spew("$plugins/torn.so", 'not a library');
    case('a file that is no library', with(sinks => "sinks:\n  a: { plugin: «torn }\n"), qr/torn\.so/);
}
symlink(($ENV{LEADGATE_BUILD} || $ENV{LG_BUILDDIR}) . "/tests/plugin", "$dir/modules") or die "symlink: $!\n";
is((check(with(core => "core: { plugin_path: [modules] }\n",
        sinks => "sinks:\n  a: { plugin: failing_sink, log: odd.log }\n")))[0], 0, 'plugins are looked for beside the file');
done_testing;
