# The other compiler's warnings are errors too.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Stage;

stage('clang');
configure('CC=clang', 'CXX=clang++');
step('build', build, 900, 'make', '-j2') or Stage::stop();
tests('check-units', 600);
done_testing;
