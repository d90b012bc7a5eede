# Units under valgrind: no bad access, nothing definitely lost.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Stage;

stage('gcc');
configure('CC=gcc', 'CXX=g++');
step('build', build, 900, 'make', '-j2') or Stage::stop();
tests('check-valgrind', 1200);
done_testing;
