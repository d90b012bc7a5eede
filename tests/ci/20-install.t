# What make install lays down is complete and runs from there, and a tarball
# builds on a read-only source tree.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Stage;

stage('gcc');
configure('CC=gcc', 'CXX=g++');
my $root = build . '/installed';
step('install', build, 600, 'make', 'install', "DESTDIR=$root") or Stage::stop();
for my $file (qw(bin/leadgate lib/leadgate/webform.so lib/leadgate/file.so
    include/leadgate/source.h include/leadgate/sink.h include/leadgate/fields.def
    lib/systemd/system/leadgate.service lib/systemd/system/leadgate.socket
    share/doc/leadgate/docs/operating.md share/doc/leadgate/conf/service.yaml
    share/man/man1/leadgate.1 share/man/man5/leadgate.yaml.5)) {
    ok(-s "$root/usr/local/$file", "$file is installed");
}
like(`$root/usr/local/bin/leadgate version 2>&1`, qr/\d+\.\d+\.\d+/, 'it tells its version');
step('distcheck', build, 1200, 'make', '-j2', 'distcheck', 'LG_CHECK=brief');
step('uninstall', build, 60, 'make', 'uninstall', "DESTDIR=$root");
my @left = grep { -f } split /\n/, `find $root -type f`;
is("@left", '', 'uninstall leaves nothing');
done_testing;
