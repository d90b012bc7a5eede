# Add each .c (and .cc) of this folder below, one a line with a closing backslash
# but on the last; headers need no entry. %D% is this folder, %C% the same with _.
noinst_LIBRARIES += %D%/libhttp.a
%C%_libhttp_a_SOURCES = \
	%D%/change.c \
	%D%/door.c \
	%D%/endpoint.c \
	%D%/forwarded.c \
	%D%/forwarded_element.c \
	%D%/h1_answer.c \
	%D%/h1_body.c \
	%D%/h1_char.c \
	%D%/h1_field.c \
	%D%/h1_parser.c \
	%D%/h1_queue.c \
	%D%/h1_request.c \
	%D%/h1_transport.c \
	%D%/h2_answer.c \
	%D%/h2_callbacks.c \
	%D%/h2_frame.c \
	%D%/h2_guard.c \
	%D%/h2_head.c \
	%D%/h2_memory.c \
	%D%/h2_pieces.c \
	%D%/h2_request.c \
	%D%/h2_session.c \
	%D%/h2_stream.c \
	%D%/h2_transport.c \
	%D%/h2_window.c \
	%D%/h2_worker.c \
	%D%/limits.c \
	%D%/opening.c \
	%D%/origin.c \
	%D%/problem.c \
	%D%/proxy_opening.c \
	%D%/refusal.c \
	%D%/request.c \
	%D%/room.c \
	%D%/server.c \
	%D%/status.c \
	%D%/tls.c \
	%D%/worker.c
