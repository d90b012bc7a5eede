# clang-tidy has nothing to say.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Stage;

stage('gcc');
configure('CC=gcc', 'CXX=g++');
step('lint', build, 900, 'make', 'lint');
done_testing;
