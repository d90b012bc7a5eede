# Units, corpora and system tests with every memory access checked.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Stage;

stage('asan');
configure('CC=clang', 'CXX=clang++', '--enable-asan', '--enable-ubsan');
step('build', build, 900, 'make', '-j2') or Stage::stop();
tests('check', 1500);
done_testing;
