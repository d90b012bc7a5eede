# A unit test is two lines (its source is test_NOUN.c, found by its name):
#   check_PROGRAMS += %D%/test_NOUN
#   %C%_test_NOUN_LDADD = $(LG_LIBS_CLIENT) $(LG_UNIT)
check_LIBRARIES += %D%/libkit.a
%C%_libkit_a_SOURCES = \
	%D%/caller.c \
	%D%/certificate.c \
	%D%/h2_server.c \
	%D%/nameserver.c \
	%D%/server.c
LG_KIT_CLIENT = %D%/libkit.a $(LG_LIBS_CLIENT) $(NGHTTP2_LIBS) $(LG_UNIT)

check_PROGRAMS += %D%/test_http2
%C%_test_http2_LDADD = $(LG_KIT_CLIENT)
check_PROGRAMS += %D%/test_http_client
%C%_test_http_client_LDADD = $(LG_KIT_CLIENT)
check_PROGRAMS += %D%/test_http_failure
%C%_test_http_failure_LDADD = $(LG_KIT_CLIENT)
check_PROGRAMS += %D%/test_http_tls
%C%_test_http_tls_LDADD = $(LG_KIT_CLIENT)
check_PROGRAMS += %D%/test_private_address
%C%_test_private_address_LDADD = $(LG_LIBS_CLIENT) $(LG_UNIT)
check_PROGRAMS += %D%/test_resolver
%C%_test_resolver_LDADD = $(LG_KIT_CLIENT)
