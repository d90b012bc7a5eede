#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conn/tls_channel.h"
#include "maker.h"
#include "peer.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct tls_terms terms = {.alpn = "\x05lines", .plain_answer = "no\n"};

static struct tls_context *make_context(int strict, int min_version, const char *common_name)
{
	const struct tls_settings settings = {.ciphers = LG_SLICE("ECDHE+AESGCM"),
					      .groups = LG_SLICE("X25519"),
					      .ticket_lifetime_ms = 1000000,
					      .strict_names = strict,
					      .min_version = min_version};
	struct made made[] = {maker_make(common_name, "DNS:a.example", 1),
			      maker_make("second", "DNS:*.b.example", 1)};
	struct tls_certificate certificates[2];
	struct tls_context *context;
	const char *option;

	for (int i = 0; i < 2; i++) {
		assert_true(tls_certificate_read(&certificates[i], slice_from(made[i].certificate),
						 NULL));
		assert_true(
			tls_certificate_read_key(&certificates[i], slice_from(made[i].key), NULL));
		maker_free(&made[i]);
	}
	context = tls_context_new(&settings, certificates, 2, &terms, &option, NULL);
	assert_non_null(context);
	for (int i = 0; i < 2; i++)
		tls_certificate_fini(&certificates[i]);
	return context;
}

/* The client's end: OpenSSL without I/O, and we carry its bytes. */
struct client {
	struct peer peer;
	struct tls_context *context;
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in, *out;
	size_t piece; /* bytes at once */
	int code;     /* SSL_ERROR_… of the last step */
};

static struct client client_with(size_t piece)
{
	struct client client = {.peer = peer_with(600000, 600000), .piece = piece};

	tls_channel_register();
	client.peer.settings.timeout_ms[CONN_HANDSHAKE] = 600000;
	client.ctx = SSL_CTX_new(TLS_client_method());
	client.ssl = SSL_new(client.ctx);
	client.in = BIO_new(BIO_s_mem());
	client.out = BIO_new(BIO_s_mem());
	BIO_set_mem_eof_return(client.in, -1);
	SSL_set_bio(client.ssl, client.in, client.out);
	SSL_set_connect_state(client.ssl);
	return client;
}

/* Peers are pointed at by their connections, so clients stay where they are. */
static void client_init(struct client *client)
{
	if (!client->context)
		client->context = make_context(0, TLS_VERSION_1_2, "first");
	peer_init(&client->peer);
	assert_true(tls_channel_begin(client->peer.conn, client->context, (struct lg_slice){0}));
	peer_turn(&client->peer);
	assert_int_equal(client->peer.conn->state, CONN_HANDSHAKE);
}

static void client_fini(struct client *client)
{
	peer_fini(&client->peer);
	/* Otherwise its session could not be resumed. */
	SSL_set_shutdown(client->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(client->ssl);
	SSL_CTX_free(client->ctx);
	tls_context_unref(&client->context);
}

static void carry_out(struct client *client)
{
	char *bytes;
	size_t length = (size_t)BIO_get_mem_data(client->out, &bytes), at = 0;

	while (at < length) {
		size_t size = length - at < client->piece ? length - at : client->piece;
		ssize_t sent = send(client->peer.fd, bytes + at, size, MSG_NOSIGNAL);
		at += sent > 0 ? (size_t)sent : length;
		peer_turn(&client->peer);
	}
	BIO_reset(client->out);
}

static void carry_in(struct client *client)
{
	char bytes[65536];
	ssize_t size;

	for (;;) {
		peer_turn(&client->peer);
		size = recv(client->peer.fd, bytes, sizeof(bytes), 0);
		if (size <= 0)
			break;
		assert_int_equal(BIO_write(client->in, bytes, (int)size), size);
	}
	if (size == 0)
		BIO_set_mem_eof_return(client->in, 0);
}

/* True when it is done; otherwise it has failed or waits. */
static bool shake(struct client *client)
{
	for (int i = 0; i < 5; i++) {
		int result = SSL_do_handshake(client->ssl);
		client->code = SSL_get_error(client->ssl, result);
		carry_out(client);
		carry_in(client);
		if (result == 1)
			return true;
		if (client->code != SSL_ERROR_WANT_READ)
			return false;
	}
	return false;
}

static void client_say(struct client *client, const char *text)
{
	assert_int_equal(SSL_write(client->ssl, text, (int)strlen(text)), strlen(text));
	carry_out(client);
}

static void client_expect(struct client *client, const char *text)
{
	char got[256];
	int size;

	carry_in(client);
	size = SSL_read(client->ssl, got, sizeof(got));
	client->code = SSL_get_error(client->ssl, size);
	assert_int_equal(size > 0 ? size : 0, strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

static void speaks(size_t piece, int version)
{
	struct client client = client_with(piece);

	SSL_set_max_proto_version(client.ssl, version);
	SSL_set_alpn_protos(client.ssl, (const unsigned char *)"\x05other\x05lines", 12);
	client_init(&client);
	assert_true(shake(&client));
	assert_int_equal(client.peer.conn->state, CONN_IDLE);
	assert_true(conn_is_tls(client.peer.conn));
	assert_true(slice_is(conn_alpn(client.peer.conn), "lines"));
	client_say(&client, "one\ntwo\nth");
	client_expect(&client, "<one>\n<two>\n");
	client_say(&client, "ree\n");
	client_expect(&client, "<three>\n");
	/* Our end is announced. */
	client_say(&client, "!\n");
	client_expect(&client, "<!>\n");
	client_expect(&client, "");
	assert_int_equal(client.code, SSL_ERROR_ZERO_RETURN);
	SSL_shutdown(client.ssl);
	carry_out(&client);
	shutdown(client.peer.fd, SHUT_WR);
	peer_turn(&client.peer);
	peer_expect_reason(&client.peer, CONN_REFUSED);
	client_fini(&client);
}

static void speaks_tls(void **state)
{
	(void)state;
	speaks(SIZE_MAX, TLS1_3_VERSION);
	speaks(SIZE_MAX, TLS1_2_VERSION);
}

static void speaks_byte_by_byte(void **state)
{
	(void)state;
	speaks(1, TLS1_3_VERSION);
	speaks(7, TLS1_2_VERSION);
}

/* What the layer before has read is not lost. */
static void takes_bytes_that_were_read(void **state)
{
	struct client client = client_with(SIZE_MAX);
	char *bytes;
	long length;

	(void)state;
	client.context = make_context(0, TLS_VERSION_1_2, "first");
	peer_init(&client.peer);
	SSL_do_handshake(client.ssl);
	length = BIO_get_mem_data(client.out, &bytes);
	assert_true(tls_channel_begin(client.peer.conn, client.context,
				      slice_of(bytes, (size_t)length / 2)));
	assert_int_equal(send(client.peer.fd, bytes + length / 2, (size_t)(length - length / 2), 0),
			 length - length / 2);
	BIO_reset(client.out);
	assert_true(shake(&client));
	client_say(&client, "one\n");
	client_expect(&client, "<one>\n");
	client_fini(&client);
}

static void tells_good_ends_from_bad(void **state)
{
	static const struct {
		bool notify, half;
		enum conn_reason reason;
	} rows[] = {{true, false, CONN_PEER_CLOSED},
		    {true, true, CONN_PEER_CLOSED},
		    {false, true, CONN_TLS_TRUNCATED}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct client client = client_with(SIZE_MAX);

		client_init(&client);
		assert_true(shake(&client));
		assert_int_equal(SSL_write(client.ssl, "one\ntw", 6), 6);
		if (rows[i].notify)
			SSL_shutdown(client.ssl);
		carry_out(&client);
		if (rows[i].half)
			shutdown(client.peer.fd, SHUT_WR);
		client_expect(&client, "<one>\n");
		assert_null(client.peer.conn);
		peer_expect_reason(&client.peer, rows[i].reason);
		client_fini(&client);
	}
}

/* Lines that came with the end are answered after a pause, too. */
static void ends_after_a_pause(void **state)
{
	struct client client = client_with(SIZE_MAX);

	(void)state;
	client.peer.pause_after = 1;
	client_init(&client);
	assert_true(shake(&client));
	SSL_write(client.ssl, "1\n2\n3\n", 6);
	SSL_shutdown(client.ssl);
	carry_out(&client);
	carry_in(&client);
	assert_int_equal(client.peer.lines, 3);
	peer_expect_reason(&client.peer, CONN_PEER_CLOSED);
	client_fini(&client);
}

static void ends_in_the_handshake(void **state)
{
	struct client silent = client_with(SIZE_MAX), half = client_with(100);

	(void)state;
	client_init(&silent);
	shutdown(silent.peer.fd, SHUT_WR);
	peer_turn(&silent.peer);
	peer_expect_reason(&silent.peer, CONN_PEER_CLOSED);
	client_fini(&silent);
	client_init(&half);
	SSL_do_handshake(half.ssl);
	BIO_set_mem_eof_return(half.in, -1);
	char byte;
	assert_int_equal(BIO_read(half.out, &byte, 1), 1);
	assert_int_equal(send(half.peer.fd, &byte, 1, 0), 1);
	peer_turn(&half.peer);
	assert_int_equal(half.peer.conn->state, CONN_HANDSHAKE);
	shutdown(half.peer.fd, SHUT_WR);
	peer_turn(&half.peer);
	peer_expect_reason(&half.peer, CONN_TLS_LEFT);
	client_fini(&half);
}

static void answers_plain_peers(void **state)
{
	struct client client = client_with(SIZE_MAX);

	(void)state;
	client_init(&client);
	peer_say(&client.peer, "GET / HTTP/1.1\r\n\r\n");
	peer_turn(&client.peer);
	peer_expect(&client.peer, "no\n");
	assert_int_equal(client.peer.conn->state, CONN_LINGER);
	shutdown(client.peer.fd, SHUT_WR);
	peer_turn(&client.peer);
	peer_expect_reason(&client.peer, CONN_TLS_PLAIN);
	client_fini(&client);
}

static void expect_error(struct client *client, const char bytes[21])
{
	assert_int_equal(send(client->peer.fd, bytes, 21, 0), 21);
	peer_turn(&client->peer);
	peer_expect_reason(&client->peer, CONN_TLS_ERROR);
	client_fini(client);
}

static void ends_garbage(void **state)
{
	struct client client = client_with(SIZE_MAX), later = client_with(SIZE_MAX);

	(void)state;
	client_init(&client);
	expect_error(&client, "\x16\x03\x01\x00\x10garbage in a rec");
	client_init(&later);
	assert_true(shake(&later));
	expect_error(&later, "\x17\x03\x03\x00\x10nobody sealed it");
}

/* OpenSSL's macros take what they do not change without const. */
static void set_name(struct client *client, const char *name)
{
	char copy[64];

	snprintf(copy, sizeof(copy), "%s", name);
	SSL_set_tlsext_host_name(client->ssl, copy);
}

enum oddity { OLD, NAMELESS, STRANGE, ALERTING, FOREIGN };

static void expect_refusal(enum oddity oddity, enum conn_reason reason)
{
	struct client client = client_with(SIZE_MAX);

	client.context = make_context(oddity == NAMELESS, oddity == OLD, "first");
	if (oddity == OLD)
		SSL_set_max_proto_version(client.ssl, TLS1_2_VERSION);
	if (oddity == NAMELESS)
		set_name(&client, "c.example");
	if (oddity == STRANGE)
		SSL_set_alpn_protos(client.ssl, (const unsigned char *)"\x05other", 6);
	if (oddity == ALERTING)
		SSL_set_verify(client.ssl, SSL_VERIFY_PEER, NULL);
	char group[] = "P-521";
	if (oddity == FOREIGN)
		SSL_set1_groups_list(client.ssl, group);
	client_init(&client);
	assert_false(shake(&client));
	assert_int_equal(client.code, SSL_ERROR_SSL);
	peer_expect_reason(&client.peer, reason);
	client_fini(&client);
}

static void refuses_with_a_reason(void **state)
{
	(void)state;
	expect_refusal(OLD, CONN_TLS_VERSION);
	expect_refusal(NAMELESS, CONN_TLS_NAME);
	expect_refusal(STRANGE, CONN_TLS_ALPN);
	expect_refusal(ALERTING, CONN_TLS_ALERT);
	expect_refusal(FOREIGN, CONN_TLS_CIPHER);
}

static void expect_certificate(const char *host, int strict, const char *expected)
{
	struct client client = client_with(SIZE_MAX);
	char name[64];

	client.context = make_context(strict, TLS_VERSION_1_2, "first");
	if (host)
		set_name(&client, host);
	client_init(&client);
	assert_true(shake(&client));
	X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(client.ssl)),
				  NID_commonName, name, sizeof(name));
	assert_string_equal(name, expected);
	client_fini(&client);
}

static void serves_by_name(void **state)
{
	(void)state;
	expect_certificate(NULL, 0, "first");
	expect_certificate(NULL, 1, "first");
	expect_certificate("a.example", 1, "first");
	expect_certificate("X.b.Example", 1, "second");
	expect_certificate("c.example", 0, "first");
}

/* Tickets of the context that was served before are good for the next one. */
static void tickets_outlive_a_renewal(void **state)
{
	struct client first = client_with(SIZE_MAX), second = client_with(SIZE_MAX);
	struct client stranger = client_with(SIZE_MAX);
	SSL_SESSION *session;

	(void)state;
	client_init(&first);
	assert_true(shake(&first));
	client_say(&first, "one\n");
	client_expect(&first, "<one>\n");
	session = SSL_get1_session(first.ssl);
	second.context = make_context(0, TLS_VERSION_1_2, "renewed");
	tls_context_inherit(second.context, first.context);
	client_fini(&first);
	SSL_set_session(second.ssl, session);
	client_init(&second);
	assert_true(shake(&second));
	assert_true(SSL_session_reused(second.ssl));
	client_fini(&second);
	SSL_set_session(stranger.ssl, session);
	client_init(&stranger);
	assert_true(shake(&stranger));
	assert_false(SSL_session_reused(stranger.ssl));
	client_fini(&stranger);
	SSL_SESSION_free(session);
}

/* A session that a peer got when it asked for a name, or for none (NULL). */
static SSL_SESSION *get_session(struct tls_context *context, int version, const char *name)
{
	struct client client = client_with(SIZE_MAX);
	SSL_SESSION *session;

	client.context = tls_context_ref(context);
	SSL_set_max_proto_version(client.ssl, version);
	if (name)
		set_name(&client, name);
	client_init(&client);
	assert_true(shake(&client));
	client_say(&client, "one\n");
	client_expect(&client, "<one>\n");
	session = SSL_get1_session(client.ssl);
	client_fini(&client);
	return session;
}

static void come_back(int version, const char *before, const char *name, bool served)
{
	struct client client = client_with(SIZE_MAX);
	SSL_SESSION *session;

	client.context = make_context(1, TLS_VERSION_1_2, "first");
	session = get_session(client.context, version, before);
	SSL_set_max_proto_version(client.ssl, version);
	SSL_set_session(client.ssl, session);
	set_name(&client, name);
	client_init(&client);
	assert_int_equal(shake(&client), served);
	if (served)
		assert_true(SSL_session_reused(client.ssl));
	else
		peer_expect_reason(&client.peer, CONN_TLS_NAME);
	client_fini(&client);
	SSL_SESSION_free(session);
}

/* The name that the hello asks for counts, not that of the session. */
static void refuses_names_of_who_comes_back(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		come_back(versions[i], "a.example", "a.example", true);
		come_back(versions[i], "a.example", "c.example", false);
		come_back(versions[i], NULL, "c.example", false);
	}
}

/* A peer that reads slowly has the rest wait in both sides' buffers. */
static void survives_full_sockets(void **state)
{
	struct client client = client_with(SIZE_MAX);
	enum { LINES = 3000 };
	char line[102], got[4096];
	size_t answered = 0;
	int size, small = 4096;

	(void)state;
	memset(line, 'x', 100);
	line[100] = '\n';
	line[101] = '\0';
	client_init(&client);
	setsockopt(client.peer.conn->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	assert_true(shake(&client));
	for (int i = 0; i < LINES; i++)
		assert_int_equal(SSL_write(client.ssl, line, 101), 101);
	SSL_key_update(client.ssl, SSL_KEY_UPDATE_REQUESTED);
	SSL_write(client.ssl, "end\n", 4);
	for (int i = 0; i < 10000 && answered < LINES * 103 + 6; i++) {
		char *bytes;
		long waiting = BIO_get_mem_data(client.out, &bytes);
		ssize_t sent = waiting > 0 ? send(client.peer.fd, bytes, (size_t)waiting, 0) : 0;

		if (sent > 0)
			assert_int_equal(BIO_read(client.out, got, 0), 0);
		for (ssize_t left = sent; left > 0; left -= size) {
			size = BIO_read(client.out, got,
					left < (ssize_t)sizeof(got) ? (int)left : (int)sizeof(got));
			assert_true(size > 0);
		}
		carry_in(&client);
		while ((size = SSL_read(client.ssl, got, sizeof(got))) > 0)
			answered += (size_t)size;
	}
	assert_int_equal(answered, LINES * 103 + 6);
	assert_int_equal(client.peer.lines, LINES + 1);
	assert_int_equal(client.peer.conn->state, CONN_IDLE);
	client_fini(&client);
}

static bool refuse_handshake(struct conn_group *group, const struct conn *conn)
{
	(void)group;
	(void)conn;
	return false;
}

/* By its first byte: nothing is said to it. */
static void refuses_a_handshake(void **state)
{
	struct client client = client_with(1);

	(void)state;
	client_init(&client);
	client.peer.group.on_handshake = refuse_handshake;
	assert_false(shake(&client));
	assert_int_equal(BIO_pending(client.in), 0);
	peer_expect_reason(&client.peer, CONN_HANDSHAKE_RATE);
	client_fini(&client);
}

static void update_keys(struct client *client, int count)
{
	for (int i = 0; i < count; i++) {
		assert_int_equal(SSL_key_update(client->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		assert_int_equal(SSL_do_handshake(client->ssl), 1);
	}
}

/* Up to a budget new keys are lawful; beyond it the rest of them is not looked at. */
static void ends_a_flood_of_key_updates(void **state)
{
	struct client client = client_with(SIZE_MAX);

	(void)state;
	client.peer.settings.key_updates = 20;
	client.peer.settings.flood_interval_ms = INT64_MAX / 2;
	client_init(&client);
	assert_true(shake(&client));
	update_keys(&client, 20);
	client_say(&client, "one\n");
	client_expect(&client, "<one>\n");
	update_keys(&client, 500);
	carry_out(&client);
	peer_expect_reason(&client.peer, CONN_TLS_KEY_UPDATES);
	client_fini(&client);
}

static int add_bytes(SSL *ssl, unsigned type, const unsigned char **out, size_t *length, int *alert,
		     void *arg)
{
	static unsigned char bytes[2048];

	(void)ssl;
	(void)type;
	(void)alert;
	(void)arg;
	*out = bytes;
	*length = sizeof(bytes);
	return 1;
}

/* Its hellos get several records; before the first of them. */
static void lengthen_hello(struct client *client)
{
	assert_int_equal(
		SSL_CTX_add_client_custom_ext(client->ctx, 1000, add_bytes, NULL, NULL, NULL, NULL),
		1);
	BIO_up_ref(client->in);
	BIO_up_ref(client->out);
	SSL_free(client->ssl);
	client->ssl = SSL_new(client->ctx);
	SSL_set_bio(client->ssl, client->in, client->out);
	SSL_set_connect_state(client->ssl);
}

/* TLS 1.2 has no other way to new keys, and it is refused; each record of a long hello
 * counts. */
static void ends_a_flood_of_renegotiations(void **state)
{
	struct client client = client_with(SIZE_MAX);

	(void)state;
	lengthen_hello(&client);
	SSL_set_max_proto_version(client.ssl, TLS1_2_VERSION);
	client.peer.settings.key_updates = 2;
	client.peer.settings.flood_interval_ms = INT64_MAX / 2;
	client_init(&client);
	assert_true(shake(&client));
	SSL_set_max_send_fragment(client.ssl, 512);
	assert_int_equal(SSL_renegotiate(client.ssl), 1);
	SSL_do_handshake(client.ssl);
	carry_out(&client);
	peer_expect_reason(&client.peer, CONN_TLS_KEY_UPDATES);
	client_fini(&client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speaks_tls),
		cmocka_unit_test(speaks_byte_by_byte),
		cmocka_unit_test(takes_bytes_that_were_read),
		cmocka_unit_test(tells_good_ends_from_bad),
		cmocka_unit_test(ends_after_a_pause),
		cmocka_unit_test(ends_in_the_handshake),
		cmocka_unit_test(answers_plain_peers),
		cmocka_unit_test(ends_garbage),
		cmocka_unit_test(refuses_with_a_reason),
		cmocka_unit_test(serves_by_name),
		cmocka_unit_test(tickets_outlive_a_renewal),
		cmocka_unit_test(refuses_names_of_who_comes_back),
		cmocka_unit_test(survives_full_sockets),
		cmocka_unit_test(refuses_a_handshake),
		cmocka_unit_test(ends_a_flood_of_key_updates),
		cmocka_unit_test(ends_a_flood_of_renegotiations),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
