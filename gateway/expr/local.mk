# Add each .c (and .cc) of this folder below, one a line with a closing backslash
# but on the last; headers need no entry. %D% is this folder, %C% the same with _.
noinst_LIBRARIES += %D%/libexpr.a
%C%_libexpr_a_SOURCES = \
	%D%/expr.c \
	%D%/function.c \
	%D%/guard.c \
	%D%/names.c \
	%D%/sandbox.c \
	%D%/token.c
