# Add each .c (and .cc) of this folder below, one a line with a closing backslash
# but on the last; headers need no entry. %D% is this folder, %C% the same with _.
noinst_LIBRARIES += %D%/liblead.a
%C%_liblead_a_SOURCES = \
	%D%/change.c \
	%D%/consent.c \
	%D%/email.c \
	%D%/event.c \
	%D%/field.c \
	%D%/identity.c \
	%D%/lead.c \
	%D%/merge.c \
	%D%/name.c \
	%D%/record_decode.c \
	%D%/record_encode.c \
	%D%/text.c \
	%D%/unicode.c
