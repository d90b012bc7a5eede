# The ordinary build with every test.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Stage;

stage('gcc');
configure('CC=gcc', 'CXX=g++');
step('build', build, 900, 'make', '-j2') or Stage::stop();
tests('check', 1200);
done_testing;
