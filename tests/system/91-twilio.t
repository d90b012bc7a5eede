# Text messages by Twilio: signatures over every URL that the vendor may sign, what
# becomes of a message, STOP and START, redelivery; at last behind nginx with TLS.
# Signatures are Python's; of each URL they are held to openssl's.
use strict;
use warnings;
use utf8;

use JSON::PP;
use LeadgateTest;
use Mac;
use ProxyTest;
use Test::More;

my $token = '0123456789abcdef0123456789abcdef';

# What is signed: the URL and, of a form, the sorted parameters.
sub signed_text {
    my ($url, %parameters) = @_;
    my $text = $url;
    for my $name (sort keys %parameters) {
        my %seen;
        $text .= $name . $_ for grep { !$seen{$_}++ } sort(ref $parameters{$name} ? @{ $parameters{$name} } : $parameters{$name});
    }
    utf8::encode($text) if utf8::is_utf8($text);
    return $text;
}
sub signature { my ($key, $url, %parameters) = @_; return mac_base64(python_mac('sha1', $key, signed_text($url, %parameters))) }
is(signature('12345', 'https://mycompany.com/myapp.php?foo=1&bar=2', Digits => '1234', To => '+18005551212',
        From => '+14158675309', Caller => '+14158675309', CallSid => 'CA1234567890ABCDE'),
    'RSOYDt4T1cUTdK1PDd93/VVr8B8=', 'the vector of the vendor\'s libraries');

my $gateway = LeadgateTest->new(config => <<"YAML")->start;
core: { loops: 2, shutdown: 20s }
listen: [{ address: "127.0.0.1:0", trusted_proxies: [127.0.0.0/8] }]
admin: { address: "127.0.0.1:0" }
store: { path: "\@DIR\@/store.db" }
sources:
  sms:
    plugin: twilio
    path: /in/sms
    auth_token: "ffffffffffffffffffffffffffffffff $token"
    keywords: { QUOTE: quote, spring: "newsletter spring-2026" }
    answer: "Thanks <& more"
  quiet: { plugin: twilio, path: /in/quiet, auth_token: $token }
  hidden: { plugin: twilio, path: /in/hidden, auth_token: $token, public_url: "https://user:pass\@sms.example:8443/twilio" }
  again: { plugin: twilio, path: /in/again, auth_token: $token, public_url: "https://sms.example/twilio?to=1#rc=2&rp=all" }
  nearly: { plugin: twilio, path: /in/small, auth_token: $token, max_message: 4KiB }
sinks:
  archive: { plugin: file, path: "\@DIR\@/leads.ndjson" }
YAML
my $port = $gateway->port;
my ($sid, $count) = (0, 0);
sub last_lead { return ($gateway->wait_events(++$count))[-1]{lead} }

# What a message has at least; the rest is given.
sub message { return (MessageSid => sprintf('SM%032d', ++$sid), From => '+14155550100', To => '+15005550111', AccountSid => 'AC1', @_) }

# target: path and query as sent; url: as signed; the rest are headers.
sub deliver {
    my ($target, $url, $parameters, %headers) = @_;
    my %parameters = @$parameters;
    $headers{'X-Twilio-Signature'} = signature($token, $url, %parameters) unless exists $headers{'X-Twilio-Signature'};
    delete $headers{'X-Twilio-Signature'} unless defined $headers{'X-Twilio-Signature'};
    my @pairs = map { my $name = $_; map { ($name, $_) } ref $parameters{$name} ? @{ $parameters{$name} } : $parameters{$name} } keys %parameters;
    return $gateway->post($target, \@pairs, Host => 'sms.example', 'X-Forwarded-Proto' => 'https', %headers);
}
my $url = 'https://sms.example/in/sms';
my $empty = qr{^<\?xml [^>]*\?>\n<Response/>\n$};

# ---- a message ---------------------------------------------------------------------

my $answer = deliver('/in/sms', $url, [message(Body => 'Quote: my name is Zoë Müller-Lüdenscheidt. Write to <zoe@example.com>, please',
    NumMedia => '0', FromCity => 'BERKELEY', OptOutType => '', Brandnew => 'x')]);
is($answer->{status}, 200, 'a message is taken');
like($answer->{headers}{'content-type'}, qr{^text/xml}, 'the answer is TwiML');
like($answer->{body}, qr{<Response><Message>Thanks &lt;&amp; more</Message></Response>}, 'with what is to be written back');
my $lead = last_lead();
is($lead->{person}{phone}, '+14155550100', 'the number');
is($lead->{person}{full_name}, 'Zoë Müller-Lüdenscheidt', 'the name where it stands clearly');
is($lead->{person}{email}, 'zoe@example.com', 'the address');
is($lead->{inquiry}{kind}, 'quote', 'the kind by the keyword');
like($lead->{inquiry}{message}, qr/^Quote: my name/, 'the message');
is($lead->{source}{external_id}, sprintf('SM%032d', 1), 'the MessageSid');
is("$lead->{source}{channel} $lead->{source}{verified}", 'sms 1', 'from a sender who is proved');
is_deeply($lead->{extra}, { To => '+15005550111', AccountSid => 'AC1', NumMedia => '0', FromCity => 'BERKELEY', Brandnew => 'x' },
    'parameters that nobody knows are signed, and kept');

deliver('/in/sms', $url, [message(Body => 'SPRING')]);
$lead = last_lead();
is($lead->{identity}{touches}, 2, 'a conversation is one lead');
is($lead->{attribution}{last}{utm_campaign}, 'spring-2026', 'the campaign of a keyword');

my %texts = (
    'write to a@example.com or b@example.org' => [undef, undef],
    'mailto:c@example.com' => ['c@example.com', undef],
    'not@an address, nor @this' => [undef, undef],
    "hello\nName: Ada Byron\nAda\@example.com" => ['Ada@example.com', 'Ada Byron'],
    'my name is on the door' => [undef, undef],
    'My name is Ada and I am in a hurry' => [undef, 'Ada'],
    'the surname: Byron' => [undef, undef],
);
for my $text (sort keys %texts) {
    my ($email, $name) = @{ $texts{$text} };
    deliver('/in/quiet', 'https://sms.example/in/quiet', [message(Body => $text, From => '+1415555' . sprintf '%04d', 200 + $sid)]);
    $lead = last_lead();
    is_deeply([$lead->{person}{email}, $lead->{person}{full_name}], [$email && $email =~ s/@.*/\L$&/r, $name], "what is read of: $text");
}
$answer = deliver('/in/quiet', 'https://sms.example/in/quiet', [message(Body => 'hi', From => 'whatsapp:+14155550301', ProfileName => 'Bea')]);
like($answer->{body}, $empty, 'without the option nothing is written back');
$lead = last_lead();
is("$lead->{person}{phone} $lead->{person}{full_name}", '+14155550301 Bea', 'a messenger: number and profile');

# ---- golden messages -----------------------------------------------------------------

sub flatten {
    my ($value, $path, $flat) = @_;
    if (ref $value eq 'HASH') { flatten($value->{$_}, $path eq '' ? $_ : "$path.$_", $flat) for keys %$value }
    else { $flat->{$path} = $value }
    return $flat;
}

# All fields of the lead but those that each message has.
sub fields_of {
    my ($lead) = @_;
    my %kept = map { $_ => { %{ $lead->{$_} || {} } } } qw(person organization inquiry extra);
    $kept{attribution}{last} = { %{ ($lead->{attribution} || {})->{last} || {} } };
    delete @{ $kept{person} }{qw(phone phone_type email_flags)};
    delete @{ $kept{extra} }{qw(To AccountSid)};
    delete $kept{attribution}{last}{at};
    my $flat = flatten(\%kept, '', {});
    $flat->{consent} = $lead->{consent}[-1]{state} if @{ $lead->{consent} || [] };
    return $flat;
}

for my $case (map { decode_json($_) } split /\n/, slurp("$ENV{LG_SRCDIR}/tests/golden/twilio.jsonl")) {
    my @pairs = message(From => '+1415556' . sprintf('%04d', $sid), %{ $case->{parameters} });
    is(deliver('/in/sms', $url, \@pairs)->{status}, 200, "$case->{name}: 200");
    is_deeply(fields_of(last_lead()), $case->{want}, $case->{name}) unless $case->{ignored};
}
is(scalar(() = $gateway->wait_events($count)), $count, 'what is ignored is no lead');

# ---- what is no lead ---------------------------------------------------------------

for my $case (['STOP', 'withdrawn'], [' unstop ', 'granted'], ['Quit', 'withdrawn'], ['start', 'granted']) {
    my ($word, $state) = @$case;
    $answer = deliver('/in/sms', $url, [message(Body => $word)]);
    like($answer->{body}, $empty, "'$word': the carrier has answered");
    my $consent = last_lead()->{consent}[-1];
    is("$consent->{state} $consent->{channels}[0] $consent->{method}", "$state sms keyword", "'$word' is a consent that is $state");
}
deliver('/in/sms', $url, [message(Body => 'basta', OptOutType => 'STOP')]);
is(last_lead()->{consent}[-1]{state}, 'withdrawn', 'a word of the account\'s own');
for my $ignored ([Body => 'HELP'], [Body => 'x', OptOutType => 'HELP'], [Body => 'sale!', From => '78901'], [Body => 'hi', From => 'Bank']) {
    $answer = deliver('/in/sms', $url, [message(@$ignored)]);
    is("$answer->{status}", 200, "@$ignored: taken");
    like($answer->{body}, $empty, 'and not answered');
}
$answer = deliver('/in/sms', $url, [message(Body => 'STOP please')]);
like($answer->{body}, qr/Thanks/, 'STOP with more words is a message');
last_lead();

# ---- every URL that may be signed ---------------------------------------------------

# One message in a form, in the query of a GET, or as JSON, whose digest is in the URL.
sub signed_request {
    my ($way, $target, $signed, $key, %headers) = @_;
    my @pairs = message(Body => 'signed', $way eq 'form' ? (Media => ['b', 'a', 'b']) : ());
    my ($method, $type, $body) = ('POST', 'application/x-www-form-urlencoded', '');
    my $more = '';
    if ($way eq 'GET') {
        ($method, $more) = ('GET', form_encode(@pairs));
    } elsif ($way eq 'JSON') {
        ($type, $body) = ('application/json', encode_json({ @pairs }));
        $more = 'bodySHA256=' . python_digest('sha256', $body);
    } else {
        my %pairs = @pairs;
        $body = form_encode(map { my $name = $_; map { ($name, $_) } ref $pairs{$name} ? @{ $pairs{$name} } : $pairs{$name} } keys %pairs);
    }
    $_ .= (/\?/ ? '&' : '?') . $more for grep { $more ne '' } $target, $signed;
    my $text = signed_text($signed, $way eq 'form' ? @pairs : ());
    my ($mac, $other) = (python_mac('sha1', $key, $text), openssl_mac('sha1', $key, $text));
    is($mac, $other, "$way $signed: Python and openssl sign the same") if $key eq $token;
    return request_bytes($target, $type, $body, ':method' => $method, Host => 'sms.example', 'X-Forwarded-Proto' => 'https',
        'X-Twilio-Signature' => mac_base64($other), %headers);
}

for my $case (
    ['form', '/in/sms', 'https://sms.example/in/sms'],
    ['form', '/in/sms', 'https://sms.example:443/in/sms'],
    ['form', '/in/sms', 'https://sms.example/in/sms?'],
    ['form', '/in/sms?', 'https://sms.example/in/sms?'],
    ['form', '/in/sms?', 'https://sms.example/in/sms'],
    ['form', '/in/sms?', 'https://sms.example:443/in/sms'],
    ['form', '/in/sms?b=2&a=1', 'https://sms.example/in/sms?b=2&a=1'],
    ['form', '/in/sms?a=%20%41+b%2F', 'https://sms.example/in/sms?a=%20%41+b%2F'],
    ['form', '/in/sms?a=1&a=1&&x', 'https://sms.example/in/sms?a=1&a=1&&x'],
    ['form', "/in/sms?n=O'Neil", "https://sms.example/in/sms?n=O'Neil"],
    ['form', "/in/sms?n=O'Neil", 'https://sms.example/in/sms?n=O%27Neil'],
    ['form', '/in/sms?n=O%27Neil', 'https://sms.example/in/sms?n=O%27Neil'],
    ['form', '/in/sms?n=O%27Neil', "https://sms.example:443/in/sms?n=O'Neil"],
    ['form', '/in/sms', 'http://sms.example/in/sms', 'X-Forwarded-Proto' => 'http'],
    ['form', '/in/sms', 'http://sms.example:80/in/sms', 'X-Forwarded-Proto' => 'http'],
    ['form', '/in/sms', 'http://sms.example:8080/in/sms', 'X-Forwarded-Proto' => 'http', Host => 'sms.example:8080'],
    ['form', '/in/sms', 'https://sms.example:8443/in/sms', Host => 'sms.example:8443'],
    ['form', '/in/sms', 'https://sms.example/in/sms', Host => 'sms.example:8443'],
    ['form', '/in/sms', 'https://front.example/in/sms', 'X-Forwarded-Host' => 'front.example'],
    ['form', '/in/hidden', 'https://user:pass@sms.example:8443/twilio', Host => 'inner:1'],
    ['form', '/in/hidden', 'https://user:pass@sms.example/twilio', Host => 'inner:1'],
    ['form', '/in/hidden?x=1', 'https://user:pass@sms.example:8443/twilio?x=1', Host => 'inner:1'],
    ['form', '/in/again', 'https://sms.example/twilio?to=1', Host => 'inner:1'],
    ['form', '/in/again', 'https://sms.example:443/twilio?to=1', Host => 'inner:1'],
    ['GET', '/in/sms', 'https://sms.example/in/sms'],
    ['GET', '/in/sms', 'https://sms.example:443/in/sms'],
    ['GET', "/in/sms?n=O'Neil", 'https://sms.example/in/sms?n=O%27Neil'],
    ['GET', '/in/hidden', 'https://user:pass@sms.example:8443/twilio', Host => 'inner:1'],
    ['JSON', '/in/sms', 'https://sms.example/in/sms'],
    ['JSON', '/in/sms?a=1', 'https://sms.example:443/in/sms?a=1'],
    ['JSON', "/in/sms?n=O'Neil", 'https://sms.example/in/sms?n=O%27Neil'],
    ['JSON', '/in/hidden', 'https://user:pass@sms.example/twilio', Host => 'inner:1'],
) {
    my ($way, $target, $signed, %headers) = @$case;
    my $name = "$way $target, signed as $signed";
    is($gateway->exchange(signed_request($way, $target, $signed, 'another', %headers))->{status}, 403, "$name: not with another key");
    is($gateway->exchange(signed_request($way, $target, $signed =~ s/(?=\?|$)/x/r, $token, %headers))->{status}, 403, '… nor for another path');
    is($gateway->sql('SELECT count(*) FROM event'), $count, '… and neither is stored');
    is($gateway->exchange(signed_request($way, $target, $signed, $token, %headers))->{status}, 200, '… but by the right one')
        and last_lead();
}

# The digest in the URL proves a JSON body.
my $json = sub {
    my ($body, $digest) = @_;
    my $target = '/in/sms?a=1' . (defined $digest ? "&bodySHA256=$digest" : '');
    return $gateway->exchange(request_bytes($target, 'application/json', $body, Host => 'sms.example', 'X-Forwarded-Proto' => 'https',
        'X-Twilio-Signature' => signature($token, "https://sms.example$target")));
};
my $body = encode_json({ message(Body => 'as JSON') });
my $digest = python_digest('sha256', $body);
is($json->($body, uc $digest)->{status}, 200, 'a digest in capitals') and is(last_lead()->{person}{phone}, '+14155550100', 'is one of its number');
is($json->("$body ", $digest)->{status}, 403, 'JSON that was altered');
is($json->($body)->{status}, 403, 'JSON without a digest');
is($json->($body, '')->{status}, 403, 'JSON with an empty digest');

# ---- what must not pass -----------------------------------------------------------------

my @good = message(Body => 'Hi', X => 'y');
my $right = signature($token, $url, @good);
my %why = (
    400 => 'X-Twilio-Signature is missing.',
    403 => 'X-Twilio-Signature is wrong for every URL that this request may have been sent to. '
        . 'Where the URL at Twilio is another one, say it in public_url.',
    413 => 'The request is too large for a message.',
    422 => 'There is no MessageSid.',
);
sub refused {
    my ($name, $status, @arguments) = @_;
    my $refusal = deliver(@arguments);
    my $told = decode_json($refusal->{body});
    is("$refusal->{status} $told->{status}", "$status $status", "refused: $name");
    is($told->{detail}, $why{$status}, '… with the reason alone');
    is($gateway->sql('SELECT count(*) FROM event'), $count, '… and not stored');
}
refused('no signature', 400, '/in/sms', $url, \@good, 'X-Twilio-Signature' => undef);
refused('an empty one', 403, '/in/sms', $url, \@good, 'X-Twilio-Signature' => '');
refused('another key', 403, '/in/sms', $url, \@good, 'X-Twilio-Signature' => signature('another', $url, @good));
refused('an empty key', 403, '/in/sms', $url, \@good, 'X-Twilio-Signature' => signature('', $url, @good));
refused('both keys as one', 403, '/in/sms', $url, \@good, 'X-Twilio-Signature' => signature("ffffffffffffffffffffffffffffffff $token", $url, @good));
refused('one letter off', 403, '/in/sms', $url, \@good, 'X-Twilio-Signature' => ($right =~ s/^(.)/$1 eq 'A' ? 'B' : 'A'/er));
refused('a shorter one', 403, '/in/sms', $url, \@good, 'X-Twilio-Signature' => substr($right, 0, 27));
refused('a longer one', 403, '/in/sms', $url, \@good, 'X-Twilio-Signature' => "${right}A");
refused('an altered body', 403, '/in/sms', $url, [@good, Body => 'Ho'], 'X-Twilio-Signature' => $right);
refused('a parameter more', 403, '/in/sms', $url, [@good, Y => ''], 'X-Twilio-Signature' => signature($token, $url, @good, Z => ''));
refused('a parameter less', 403, '/in/sms', $url, [message(Body => 'Hi')], 'X-Twilio-Signature' => $right);
refused('another path', 403, '/in/quiet', $url, \@good);
refused('another query', 403, '/in/sms?a=2', "$url?a=1", \@good);
refused('the query in another order', 403, '/in/sms?b=1&a=1', "$url?a=1&b=1", \@good);
refused('another host', 403, '/in/sms', 'https://evil.example/in/sms', \@good);
refused('another scheme', 403, '/in/hidden', 'http://user:pass@sms.example:8443/twilio', \@good);
refused('another password', 403, '/in/hidden', 'https://user:p@sms.example:8443/twilio', \@good);
refused('no MessageSid', 422, '/in/sms', $url, [From => '+14155550100', Body => 'x']);
refused('too large', 413, '/in/small', 'https://sms.example/in/small', [message(Body => 'x' x 5000)]);

# ---- redelivery --------------------------------------------------------------------------

is(deliver('/in/sms', $url, \@good)->{status}, 200, 'the same, rightly signed');
last_lead();
like(deliver('/in/sms', $url, \@good)->{body}, qr/Thanks/, 'and again: the same answer');
is(deliver('/in/sms', $url, [@good, ErrorCode => '11205', ErrorUrl => $url])->{status}, 200, 'by the fallback URL, which is told why');
is($gateway->sql('SELECT count(*) FROM event'), $count, '… it is the same message');
my @requests = map {
    my @pairs = message(Body => "many $_");
    my $signed = signature($token, $url, @pairs);
    my @other = (@pairs[4 .. $#pairs], @pairs[0 .. 3]);
    map { form_request('/in/sms', $_, Host => 'sms.example', 'X-Forwarded-Proto' => 'https', 'X-Twilio-Signature' => $signed) }
        \@pairs, \@other, \@pairs;
} 1 .. 10;
my @answers = $gateway->exchange_all(map { $requests[$_ * 7 % @requests] } 0 .. $#requests);
is(scalar(grep { $_->{status} == 200 } @answers), 30, 'ten messages, three times each, at once, in two orders: 30 times 200');
$count += 10;
is(scalar(() = $gateway->wait_events($count)), $count, 'each is delivered once');
is($gateway->sql('SELECT count(*) FROM event'), $count, 'and stored once');
$gateway->finish;

# ---- behind nginx, with TLS before it and plain HTTP to us ------------------------------------

my $behind = behind_a_proxy(sources => "sms: { plugin: twilio, path: /in/sms, auth_token: $token }");
my $proxy = start_proxy($behind, 'nginx');
sub by_nginx {
    my ($signed, %parameters) = @_;
    my $sign = signature($token, $signed, %parameters);
    my $out = `curl -sk --max-time 60 -o /dev/null -w '%{http_code}' --resolve forms.example:$proxy->{https}:127.0.0.1 -H 'X-Twilio-Signature: $sign' --data '@{[form_encode(%parameters)]}' 'https://forms.example:$proxy->{https}/in/sms?to=1'`;
    return $out;
}
is(by_nginx("https://forms.example:$proxy->{https}/in/sms?to=1", message(Body => 'one')), 200, 'signed with the port');
is(by_nginx('https://forms.example/in/sms?to=1', message(Body => 'two')), 200, 'signed without it');
is(by_nginx("https://other.example/in/sms?to=1", message(Body => 'three')), 403, 'signed for another host');
is(by_nginx('https://forms.example/in/sms', message(Body => 'four')), 403, 'signed without the query');
is($behind->sql("SELECT count(*) FROM event"), 2, 'two are stored');
stop_proxy($proxy);
$behind->finish;
done_testing;
