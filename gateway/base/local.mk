# Add each .c (and .cc) of this folder below, one a line with a closing backslash
# but on the last; headers need no entry. %D% is this folder, %C% the same with _.
noinst_LIBRARIES += %D%/libbase.a
%C%_libbase_a_SOURCES = \
	%D%/alloc.c \
	%D%/arena.c \
	%D%/bucket.c \
	%D%/buffer.c \
	%D%/clock.c \
	%D%/counter.c \
	%D%/error.c \
	%D%/file.c \
	%D%/histogram.c \
	%D%/log.c \
	%D%/loop.c \
	%D%/mailbox.c \
	%D%/meter.c \
	%D%/outline.c \
	%D%/random.c \
	%D%/real_path.c \
	%D%/slice.c \
	%D%/suggestion.c \
	%D%/utf8.c
