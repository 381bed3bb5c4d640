/* Plain heads of HTTP/1.1, as the fast path takes them: see heads.c. */

#ifndef JOINGATE_HEADS_H
#define JOINGATE_HEADS_H

#include <stddef.h>

/* What a field name means to the fast path. */
enum meaning {
    RELAYED = 0,        /* goes on as it is */
    DROPPED,            /* does not go on */
    DECISIVE,           /* decides something that the fast path does not know: the message is not plain */
    HOST,
    CONNECTION,         /* plain where it says keep-alive or, of a request, close */
    CONTENT_LENGTH,
    FORWARDED_FOR,
    FORWARDED_PROTO,
};

#define MOST_NAMES 96
#define LONGEST_NAME 40
#define BUCKETS 128

/* Names that mean something else than RELAYED, in lower case. */
struct names {
    int count;
    struct {
        unsigned char text[LONGEST_NAME];
        unsigned char length;
        unsigned char meaning;
        short next;
    } each[MOST_NAMES];
    short first[BUCKETS];
};

void names_clear(struct names *names);
int names_add(struct names *names, const unsigned char *name, size_t length, int meaning);

/* A piece of a head, inside the message that was read. */
struct piece {
    const unsigned char *at;
    size_t length;
};

/* A request as understood: `rest` has the relayed lines as the next hop gets them. */
struct plain_request {
    struct piece target, host, forwarded_for, forwarded_proto;
    long long client; /* the one IPv4 address that `forwarded_for` is, or -1 */
    size_t rest_length;
    int is_last; /* the connection is to be closed when it is answered */
};

/* Whether `data` is one whole plain request; `rest` has room for two bytes a header more than `length`. */
int read_plain_request(const struct names *names, const unsigned char *data, size_t length, unsigned char *rest,
                       struct plain_request *request);

/* Write it for the next hop; return its length. `out` has room for all parts and 32 bytes. */
size_t write_plain_request(const struct plain_request *request, const unsigned char *rest,
                           const unsigned char *forwarded, size_t forwarded_length, unsigned char *out);

/* Write a whole plain response for the client; return its length, or 0 where `data` is none. `out` has room for
   `length`, two bytes a line more, and 19 where it is the last one on its connection. */
size_t rewrite_plain_response(const struct names *names, const unsigned char *data, size_t length, int is_last,
                              unsigned char *out);

#endif
