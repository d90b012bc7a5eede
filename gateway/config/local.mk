# Add each .c (and .cc) of this folder below, one a line with a closing backslash
# but on the last; headers need no entry. %D% is this folder, %C% the same with _.
noinst_LIBRARIES += %D%/libconfig.a
%C%_libconfig_a_SOURCES =
