# Add each .c (and .cc) of this folder below, one a line with a closing backslash
# but on the last; headers need no entry. %D% is this folder, %C% the same with _.
noinst_LIBRARIES += %D%/libcodec.a
%C%_libcodec_a_SOURCES = \
	%D%/base64.c \
	%D%/charset.c \
	%D%/csv.c \
	%D%/csv_dialect.c \
	%D%/csv_scan.c \
	%D%/date.c \
	%D%/digest.c \
	%D%/form.c \
	%D%/hex.c \
	%D%/json.c \
	%D%/json_problem.c \
	%D%/json_reader.cc \
	%D%/json_writer.c \
	%D%/media_type.c \
	%D%/multipart.c \
	%D%/utf16.c
