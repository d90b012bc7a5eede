# Add each .c (and .cc) of this folder below, one a line with a closing backslash
# but on the last; headers need no entry. %D% is this folder, %C% the same with _.
noinst_LIBRARIES += %D%/libconfig.a
%C%_libconfig_a_SOURCES = \
	%D%/bind.c \
	%D%/bind_outline.c \
	%D%/bind_scalar.c \
	%D%/bind_value.c \
	%D%/compare.c \
	%D%/diag.c \
	%D%/document.c \
	%D%/document_check.c \
	%D%/document_place.c \
	%D%/environment.c \
	%D%/manual.c \
	%D%/mask.c \
	%D%/quantity.c \
	%D%/report.c \
	%D%/scalar.c \
	%D%/suggestion.c
