# Units and system tests with every access between threads checked.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Stage;

stage('tsan');
configure('CC=clang', 'CXX=clang++', '--enable-tsan');
step('build', build, 900, 'make', '-j2') or Stage::stop();
tests('check-units', 900);
tests('check-system', 1200);
done_testing;
