# Add each .c (and .cc) of this folder below, one a line with a closing backslash
# but on the last; headers need no entry. %D% is this folder, %C% the same with _.
noinst_LIBRARIES += %D%/libhost.a
%C%_libhost_a_SOURCES = \
	%D%/descriptor.c \
	%D%/instance.c \
	%D%/library.c \
	%D%/once.c \
	%D%/services.c
