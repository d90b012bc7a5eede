# A unit test is two lines (its source is test_NOUN.c, found by its name):
#   check_PROGRAMS += %D%/test_NOUN
#   %C%_test_NOUN_LDADD = $(LG_LIBS_CONN) $(LG_UNIT)
check_PROGRAMS += %D%/test_address
%C%_test_address_LDADD = $(LG_LIBS_CONN) $(LG_UNIT)
check_PROGRAMS += %D%/test_conn
%C%_test_conn_LDADD = $(LG_LIBS_CONN) $(LG_UNIT)
check_PROGRAMS += %D%/test_listener
%C%_test_listener_LDADD = $(LG_LIBS_CONN) $(LG_UNIT)
check_PROGRAMS += %D%/test_quota
%C%_test_quota_LDADD = $(LG_LIBS_CONN) $(LG_UNIT)
check_PROGRAMS += %D%/test_inherited
%C%_test_inherited_LDADD = $(LG_LIBS_CONN) $(LG_UNIT)
check_PROGRAMS += %D%/test_proxy_header
%C%_test_proxy_header_LDADD = $(LG_LIBS_CONN) $(LG_UNIT)
check_PROGRAMS += %D%/test_socket_file
%C%_test_socket_file_LDADD = $(LG_LIBS_CONN) $(LG_UNIT)
