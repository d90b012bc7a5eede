# Add each .c (and .cc) of this folder below, one a line with a closing backslash
# but on the last; headers need no entry. %D% is this folder, %C% the same with _.
noinst_LIBRARIES += %D%/libclient.a
%C%_libclient_a_SOURCES = \
	%D%/ca_file.c \
	%D%/h2_opening.c \
	%D%/http_client.c \
	%D%/http_exchange.c \
	%D%/http_options.c \
	%D%/http_request.c \
	%D%/http_result.c \
	%D%/http_target.c \
	%D%/multi.c \
	%D%/private_address.c \
	%D%/resolver.c
