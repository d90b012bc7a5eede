#!/usr/bin/perl
# The power-cut rig. Under sanitizers and valgrind fewer cuts take as long.
use strict;
use warnings;

my $cuts = $ENV{LG_SAN} || $ENV{LG_WRAP} ? 100 : 500;
exec "$ENV{LG_BUILDDIR}/tests/fault/power_cut", $ENV{LG_CUTS} || $cuts or die "power_cut: $!\n";
