# Files as they come from spreadsheets, CRMs and lead ads, through the whole gateway: the
# leads that they give, what is refused, and refused rows that were repaired.
use strict;
use warnings;
use utf8;

use Encode qw(encode);
use JSON::PP;
use LeadgateTest;
use Test::More;

my $gateway = LeadgateTest->new(config => <<'YAML')->start;
core: { loops: 1, shutdown: 20s }
listen: [{ address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0" }
store: { path: "@DIR@/store.db" }
defaults: { region: DE }
sources:
  ads: { plugin: csvimport, kind: quote }
  partners:
    plugin: csvimport
    kind: referral
    dates: day_first
    fields: { Partner: referral.referrer_name }
    defaults: { referral.program: spring }
    ignore: [Internal note]
    consent_column: Newsletter
    consent_granted: ["yes"]
    consent_denied: ["no"]
    consent_channels: [email]
  bare: { plugin: csvimport, columns: [email, full_name] }
  latin: { plugin: csvimport, charset: windows-1252 }
sinks:
  archive: { plugin: file, path: "@DIR@/leads.ndjson", is_test: true }
YAML
my $dir = $gateway->dir;
my $count = 0;

# Imports a file; how it ended, and the events that it brought.
sub import_file {
    my ($source, $name, $bytes, @options) = @_;
    spew("$dir/$name", $bytes);
    my ($status, $out, $errors) = $gateway->command('import', '--json', @options, $source, "$dir/$name");
    return { status => $status, error => $errors . $out } if $out !~ /"state":"done"/;
    my $end = decode_json((split /\n/, $out)[-1]);
    my $new = $end->{created} + $end->{touched};
    $count += $new;
    my @events = $gateway->wait_events($count);
    return { %$end, status => $status, leads => [map { $_->{lead} } @events[$count - $new .. $count - 1]] };
}

sub rejects { return decode_text(slurp("$dir/$_[0].rejects.csv")) }
sub decode_text { my ($text) = @_; utf8::decode($text); return $text }

# ---- Facebook's download: tabs, UTF-16 with a mark, marked values ---------------------------

my $facebook = import_file('ads', 'facebook.csv', "\xff\xfe" . encode('UTF-16LE', <<"TSV"));
id\tcreated_time\tad_id\tad_name\tcampaign_id\tcampaign_name\tform_id\tplatform\tbudget?\temail\tfull_name\tphone_number\r
l:4711\t2025-09-12T15:05:13+05:30\tag:1\tBlue\tc:2\tSpring\tf:3\tig\tA lot\tada\@example.com\tZoë Łukasz\tp:+4930123456\r
l:4712\t2025-09-12T15:05:13+05:30\t\t\t\t\tf:3\tfb\t\ttest\@example.com\t<test lead: dummy data for full_name>\t\r
l:4713\t2025-09-12T15:05:13+05:30\t\t\t\t\tf:3\tfb\t\t\tNobody\t\r
l:4711\t2025-09-12T09:35:13+00:00\tag:1\tBlue\tc:2\tSpring\tf:3\tig\tA lot\tada\@example.com\tZoë Łukasz\tp:+4930123456\r
TSV
is($facebook->{status}, 0, 'a download of lead ads is imported');
is($facebook->{dialect}, 'tabs, utf-16le', 'its dialect is found');
is_deeply([@$facebook{qw(rows created repeated refused)}], [4, 2, 1, 1], 'the lead that stands twice is one');
my $ada = $facebook->{leads}[0];
is($ada->{person}{full_name}, 'Zoë Łukasz', 'a name keeps its letters');
is($ada->{person}{phone}, '+4930123456', 'the mark before a phone number is taken off');
is($ada->{source}{external_id}, '4711', 'the mark before an id is taken off');
is($ada->{source}{channel}, 'import', 'the channel is import');
is($ada->{occurred_at}, '2025-09-12T09:35:13.000Z', 'the time of the export is the lead\'s');
is($ada->{attribution}{last}{utm_source}, 'instagram', 'attribution as the source meta has it');
is($ada->{extra}{'budget?'}, 'A lot', 'an answer to a question of its own is kept');
is($ada->{inquiry}{kind}, 'quote', 'the kind is the configuration\'s');
ok($facebook->{leads}[1]{is_test}, 'a test lead is one');
like(rejects('facebook.csv'), qr/^leadgate_line\tleadgate_reason\tid\t.*\n4\tno way to reach.*\tl:4713\t[^\n]*\n\z/,
    'the row that reaches nobody is refused with its line');

# ---- a list of referrals from Excel: titles, semicolons, windows-1252 ------------------------

my $list = encode('cp1252', <<"CSV" =~ s/\n/\r\n/gr);
Empfehlungen, März 2026

Vorname;Nachname;E-Mail;Partner;Datum;created_at;PLZ;Newsletter;Internal note;Werbung ok
Zoë;"Müller; MdB";zoe\@example.com;Jörg „J.“;x;3/2/2026 14:05;"=""01234""";yes;secret;ja

Bob;;bob\@example.com;Jörg;;31.12.2025;;perhaps;secret;ja
Eva;;eva\@example.com;Jörg;;;;no;;;zu;viel
Max;"O""Neill;;;;;;
CSV
my $partners = import_file('partners', 'march.csv', $list);
is($partners->{dialect}, 'semicolons, windows-1252', 'a list from Excel');
is_deeply([@$partners{qw(rows created refused)}], [4, 2, 2], 'bad rows are refused alone');
my ($zoe, $bob) = @{ $partners->{leads} };
is($zoe->{person}{given_name}, 'Zoë', 'windows-1252 is read');
is($zoe->{person}{family_name}, 'Müller; MdB', 'a delimiter between quotes is text');
is($zoe->{person}{postal_code}, '01234', 'a formula that keeps zeros is undone');
is_deeply($zoe->{referral}, { referrer_name => 'Jörg „J.“', program => 'spring' }, 'the referrer, and what all have');
is($zoe->{occurred_at}, '2026-02-03T14:05:00.000Z', 'a date as the configuration says');
is($zoe->{consent}[0]{state}, 'granted', 'the word that grants, grants');
is_deeply($zoe->{consent}[0]{channels}, ['email'], 'for the channels that are configured');
ok(!exists $zoe->{extra}{'Internal note'}, 'a column that is to be ignored is left out');
is($zoe->{extra}{'Werbung ok'}, 'ja', 'what sounds like consent is kept …');
is(scalar @{ $zoe->{consent} }, 1, '… and states none');
ok(!$bob->{consent}, 'a word that is not configured states none');
my $refused = rejects('march.csv');
like($refused, qr/^7;column 11: [^;]*;Eva;;eva\@example\.com;Jörg;;;;no;;;zu;viel$/m, 'a row that is too wide');
like($refused, qr/^8;a quote that opens[^;]*;"Max;/m, 'a quote that is not closed');

# Somebody repairs the refused rows and imports their file.
my $repaired = $refused =~ s/;zu;viel$//mr =~ s/^8;.*//msr;
my $second = import_file('partners', 'repaired.csv', encode('UTF-8', $repaired));
is_deeply([@$second{qw(rows created refused)}], [1, 1, 0], 'a repaired file of refused rows is imported');
is($second->{leads}[0]{consent}[0]{state}, 'denied', 'the word that denies, denies');
ok(!grep({ /leadgate/ } keys %{ $second->{leads}[0]{extra} || {} }), 'its own columns are left out');

# A file of refused rows is UTF-8, and has the delimiter of the file that they are from.
for my $case (['ads', 'carets.csv', "sep=^\nemail^full_name\n^Zo\xeb\n"], ['latin', 'latin.csv', "email,full_name\n,Zo\xeb\n"],
    ['bare', 'missing.csv', ",Zo\xeb\n"]) {
    my ($source, $name, $bytes) = @$case;
    is(import_file($source, $name, $bytes)->{refused}, 1, "$name has a row without an address");
    my $mended = rejects($name) =~ s/([,^])(?=Zo)/$source\@example.net$1/r;
    my $again = import_file($source, "mended-$name", encode('UTF-8', "\x{feff}$mended"));
    is($again->{leads}[0]{person}{email}, "$source\@example.net", '… which comes in when it has one') or diag($again->{error});
    is($again->{leads}[0]{person}{full_name}, 'Zoë', '… with its letters');
}

# ---- columns without an answer before those that have one ------------------------------------

my $gaps = import_file('ads', 'gaps.csv', <<'CSV');
Vorname;Nachname;E-Mail;E-Mail 2 Address;Telefon;Mobiltelefon
Ada;Eins;n/a;ada1@ex.org;-;0170 1000001
CSV
my $reached = $gaps->{leads}[0];
is($reached->{person}{email}, 'ada1@ex.org', 'the first address that can be read is the person\'s …');
is($reached->{person}{phone}, '+491701000001', '… and so is the number');
ok(!$reached->{person}{other_emails} && !$reached->{person}{other_phones}, '… which stand there alone');
is_deeply([@{ $reached->{raw} }{qw(person.phone person.other_emails person.other_phones)}], ['0170 1000001', 'n/a', '-'],
    'what cannot be read is kept');

# ---- others -----------------------------------------------------------------------------------

my $bare = import_file('bare', 'bare.csv', "sep=|\nbare\@example.com|Ada\n");
is($bare->{leads}[0]{person}{full_name}, 'Ada', 'a file without a header');
my $rounded = import_file('ads', 'rounded.csv', "Lead ID;email;Twitter @\n1,23457E+17;i\@example.com;x\n1,23457E+17;j\@example.com;y\n");
is($rounded->{created}, 2, 'an id that a spreadsheet has rounded makes nobody the same') or diag($rounded->{error});
is($rounded->{leads}[1]{extra}{'Lead ID'}, '1,23457E+17', '… and is kept as it is');
my $words = import_file('ads', 'words.csv', <<'CSV');
Name,Company,Email
Ann,"Acme" GmbH,ann@example.org
Bob,"Beta, Inc.",bob@example.org
Cid,"27 inch,cid@example.org
Dan,"Delta, Inc.",dan@example.org
CSV
is_deeply([map { [@{ $_->{person} }{qw(full_name email)}, $_->{organization}{name}] } @{ $words->{leads} }],
    [['Ann', 'ann@example.org', '"Acme" GmbH'], ['Bob', 'bob@example.org', 'Beta, Inc.'], ['Dan', 'dan@example.org', 'Delta, Inc.']],
    'a quote that is not doubled gives nobody the address of another');
is($words->{refused}, 1, '… and a row that it may have begun is refused');
like(rejects('words.csv'), qr/^4,"a quote in field 2 of line 4 is not doubled/m, '… by itself');
my $names = join ',', map { "q$_" } 1 .. 101;
my $wide = import_file('ads', 'wide.csv', "email,$names\nwide\@example.org," . '1,' x 100 . "1\nlean\@example.org," . '1,' x 100 . "\n");
is_deeply([@$wide{qw(created refused)}], [1, 1], 'of a row nothing is left out: one with too many unknown columns is refused');
like(rejects('wide.csv'), qr/^2,"lead\.max_extra_fields \(100\) would cut off [^\n]*--map ""Column=-""/m, '… with the way out');
my $narrow = import_file('ads', 'narrow.csv', slurp("$dir/wide.csv"), '--again', '--map', 'q1=-');
is_deeply([@$narrow{qw(created touched refused)}], [1, 1, 0], '… by which it comes in');
my $long = import_file('ads', 'long.csv', "email,note\nlong\@example.org," . 'x' x 65537 . "\nshort\@example.org," . 'x' x 65536 . "\n");
is_deeply([@$long{qw(created refused)}], [1, 1], 'and so is one with a cell that would be cut');
like(rejects('long.csv'), qr/^2,"lead\.max_extra_value \(65536\) would cut off /m, '… with the bound');
my $months = import_file('ads', 'months.csv', <<'CSV');
Name,Email,Created time,utm_source,utm_campaign
Ann,months@example.org,2026-01-05 10:00,google,winter
Ann,months@example.org,2026-06-07 11:00,newsletter,summer
Ann,months@example.org,2026-06-07 11:00,newsletter,summer
CSV
is_deeply([@$months{qw(created touched repeated)}], [1, 1, 1], 'what a person did months apart is no double click, and the same row twice is one');
is($months->{leads}[1]{attribution}{last}{utm_campaign}, 'summer', '… so the second campaign is known');
like(import_file('ads', 'empty.csv', '')->{error}, qr/the file is empty/, 'an empty file is said to be one');
my $none = import_file('ads', 'book.xlsx', "PK\x03\x04\x14\0");
is($none->{status}, 1, 'a workbook is no file of leads');
like($none->{error}, qr/Excel workbook; save it as CSV/, 'and what to do is said');
my $unknown = import_file('ads', 'unknown.csv', "a,b,c\n1,2,3\n");
like($unknown->{error}, qr/no line at the top of the file names columns/, 'a file that says nothing');
my $strangers = import_file('ads', 'strangers.csv', "Name,Email,Phone,LinkedIn\nAnn Ames,ann\@example.com,,n/a\n"
    . "Bob Baker,,+12025550143,n/a\nNobody,,,none\nNobody Two,,,none\nEve,,,linkedin.com/in/eve\n");
is_deeply([@$strangers{qw(rows created touched refused)}], [5, 3, 0, 2], 'who has no profile is not the same as others who have none')
    or diag($strangers->{error});
is($strangers->{leads}[1]{extra}{linkedin}, 'n/a', '… and what stands in the column is kept');
is($strangers->{leads}[2]{person}{profiles}[0]{url}, 'https://linkedin.com/in/eve', 'a profile without its scheme is one');
my $wall = 'https://www.linkedin.com/authwall?trk=x&sessionRedirect=https%3A%2F%2Fwww.linkedin.com%2Fin%2F';
my $hidden = import_file('ads', 'hidden.csv', "Name,Email,LinkedIn\nDia,,${wall}dia\nEva,,${wall}eva\n"
    . "Fay,,linkedin.com/in/me\nGus,gus\@example.com,linkedin.com/in/me\n");
is_deeply([@$hidden{qw(rows created touched refused)}], [4, 4, 0, 0], 'what a network shows everybody makes nobody known')
    or diag($hidden->{error});
is_deeply([map { $_->{person}{profiles}[0]{url} } @{ $hidden->{leads} }],
    ["${wall}dia", "${wall}eva", ('https://linkedin.com/in/me') x 2], '… and stays their profile');
my $mapped = import_file('ads', 'mapped.csv', "a,b,c\nm\@example.com,2,3\n", '--map', 'a=email', '--map', 'b=-');
is_deeply($mapped->{leads}[0]{extra}, { c => '3' }, 'columns are mapped by hand');

is($gateway->stop, 0, 'it stops');
done_testing;
