# Add each .c (and .cc) of this folder below, one a line with a closing backslash
# but on the last; headers need no entry. %D% is this folder, %C% the same with _.
noinst_LIBRARIES += %D%/libconn.a
%C%_libconn_a_SOURCES = \
	%D%/address.c \
	%D%/bind_address.c \
	%D%/conn.c \
	%D%/conn_channel.c \
	%D%/conn_deadline.c \
	%D%/conn_group.c \
	%D%/conn_turn.c \
	%D%/crowd.c \
	%D%/inherited.c \
	%D%/listen_socket.c \
	%D%/listener.c \
	%D%/prefix_list.c \
	%D%/proxy_header.c \
	%D%/quota.c \
	%D%/reason.c \
	%D%/socket_file.c \
	%D%/tls_certificate.c \
	%D%/tls_channel.c \
	%D%/tls_context.c \
	%D%/tls_hello.c \
	%D%/tls_names.c \
	%D%/tls_reason.c \
	%D%/tls_socket.c \
	%D%/tls_tickets.c
