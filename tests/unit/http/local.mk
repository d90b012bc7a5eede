# A unit test is two lines (its source is test_NOUN.c, found by its name):
#   check_PROGRAMS += %D%/test_NOUN
#   %C%_test_NOUN_LDADD = $(LG_LIBS_HTTP) $(LG_UNIT)
check_PROGRAMS += %D%/test_forwarded
%C%_test_forwarded_LDADD = $(LG_LIBS_HTTP) $(LG_UNIT)
check_PROGRAMS += %D%/test_h1_answer
%C%_test_h1_answer_LDADD = $(LG_LIBS_HTTP) $(LG_UNIT)
check_PROGRAMS += %D%/test_h1_parser
%C%_test_h1_parser_SOURCES = %D%/test_h1_parser.c %D%/message.c %D%/requests.c
%C%_test_h1_parser_LDADD = $(LG_LIBS_HTTP) $(LG_UNIT)
check_PROGRAMS += %D%/test_h1_transport
%C%_test_h1_transport_SOURCES = %D%/test_h1_transport.c %D%/fixture.c %D%/requests.c
%C%_test_h1_transport_LDADD = $(LG_LIBS_HTTP) $(LG_UNIT)
check_PROGRAMS += %D%/test_server
%C%_test_server_SOURCES = %D%/test_server.c %D%/fixture.c
%C%_test_server_LDADD = $(LG_LIBS_HTTP) $(LG_UNIT)
