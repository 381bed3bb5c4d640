/* Heads of HTTP/1.1 that leave nothing to be understood: whole messages, in the one spelling that clients and servers
   mostly send, rewritten as codecs/http1.py would rewrite them. Whatever else comes is not taken, and is left to
   llhttp and that module as it was received; so nothing here refuses anything, and nothing here may take what they
   would refuse or write otherwise. tests/native/test_heads.py holds the one against the other.

   Sources: RFC 9112 (messages), RFC 9110 5.5 and 5.6.2 (field values, tokens). */

#include "heads.h"

#include <string.h>

#define MOST_LENGTH_DIGITS 15 /* as in codecs/http1.py */

/* By byte: TOKEN may stand in a field name (RFC 9110 5.6.2) but for "_", which needs looking into; VALUE in a field
   value, TARGET in an origin-form target without a fragment, NAME in a Host. */
enum { TOKEN = 1, VALUE = 2, TARGET = 4, NAME = 8 };

static const unsigned char *kinds(void)
{
    static unsigned char table[256];
    static int is_made;
    if (!is_made) {
        for (int byte = 0x20; byte < 256; byte++)
            if (byte != 0x7f)
                table[byte] |= VALUE;
        for (int byte = 0x21; byte < 0x7f; byte++)
            if (byte != '#')
                table[byte] |= TARGET;
        for (const char *at = "!$&'*+-.^`|~"; *at; at++)
            table[(unsigned char)*at] |= TOKEN;
        table['%'] |= TOKEN;
        table['#'] |= TOKEN;
        for (int byte = '0'; byte <= '9'; byte++)
            table[byte] |= TOKEN | NAME;
        for (int byte = 'a'; byte <= 'z'; byte++) {
            table[byte] |= TOKEN | NAME;
            table[byte - 'a' + 'A'] |= TOKEN | NAME;
        }
        table['.'] |= NAME;
        table['-'] |= NAME;
        is_made = 1;
    }
    return table;
}

static unsigned char lower(unsigned char byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

static unsigned bucket_of(const unsigned char *name, size_t length)
{
    return ((unsigned)length * 7 + lower(name[0]) * 3 + lower(name[length - 1])) % BUCKETS;
}

void names_clear(struct names *names)
{
    names->count = 0;
    for (int at = 0; at < BUCKETS; at++)
        names->first[at] = -1;
}

int names_add(struct names *names, const unsigned char *name, size_t length, int meaning)
{
    if (names->count == MOST_NAMES || length == 0 || length > LONGEST_NAME)
        return -1;
    int at = names->count++;
    unsigned bucket = bucket_of(name, length);
    memcpy(names->each[at].text, name, length);
    names->each[at].length = (unsigned char)length;
    names->each[at].meaning = (unsigned char)meaning;
    names->each[at].next = names->first[bucket];
    names->first[bucket] = (short)at;
    return 0;
}

static int is_same(const unsigned char *name, const unsigned char *folded, size_t length)
{
    for (size_t at = 0; at < length; at++)
        if (lower(name[at]) != folded[at])
            return 0;
    return 1;
}

static int meaning_of(const struct names *names, const unsigned char *name, size_t length)
{
    if (length > LONGEST_NAME)
        return RELAYED;
    for (short at = names->first[bucket_of(name, length)]; at >= 0; at = names->each[at].next)
        if (names->each[at].length == length && is_same(name, names->each[at].text, length))
            return names->each[at].meaning;
    return RELAYED;
}

/* One field line, from *at to behind its CRLF. Return its meaning; -1 where it is not plain; -2 for the empty line. */
static int read_line(const struct names *names, const unsigned char **at, const unsigned char *end, struct piece *name,
                     struct piece *value)
{
    const unsigned char *kind = kinds(), *here = *at;
    if (end - here >= 2 && here[0] == '\r' && here[1] == '\n') {
        *at = here + 2;
        return -2;
    }
    name->at = here;
    while (here < end && kind[*here] & TOKEN)
        here++;
    name->length = (size_t)(here - name->at);
    if (!name->length || here == end || *here != ':')
        return -1;
    here++;
    if (here < end && *here == ' ')
        here++;
    value->at = here;
    while (here < end && kind[*here] & VALUE)
        here++;
    value->length = (size_t)(here - value->at);
    if (!value->length || value->at[0] == ' ' || here[-1] == ' ')
        return -1; /* empty, or padded: to be looked into */
    if (end - here < 2 || here[0] != '\r' || here[1] != '\n')
        return -1;
    *at = here + 2;
    return meaning_of(names, name->at, name->length);
}

static unsigned char *put(unsigned char *out, const unsigned char *from, size_t length)
{
    memcpy(out, from, length);
    return out + length;
}

static unsigned char *put_line(unsigned char *out, struct piece name, struct piece value)
{
    out = put(out, name.at, name.length);
    *out++ = ':';
    *out++ = ' ';
    out = put(out, value.at, value.length);
    *out++ = '\r';
    *out++ = '\n';
    return out;
}

static int is_keep_alive(struct piece value)
{
    return value.length == 10 && is_same(value.at, (const unsigned char *)"keep-alive", 10);
}

static int is_close(struct piece value)
{
    return value.length == 5 && is_same(value.at, (const unsigned char *)"close", 5);
}

/* A host name or IPv4 address, with a port or without; what codecs/http1.py takes beyond it is looked into there. */
static int is_plain_host(struct piece value)
{
    const unsigned char *kind = kinds();
    size_t at = 0;
    while (at < value.length && kind[value.at[at]] & NAME)
        at++;
    if (at == 0 || at == value.length)
        return at != 0;
    if (value.at[at++] != ':' || value.length - at > 5)
        return 0;
    while (at < value.length && value.at[at] >= '0' && value.at[at] <= '9')
        at++;
    return at == value.length;
}

/* The number of an IPv4 address in dotted decimal, as core/client_address.py takes one: no leading zeros; else -1. */
static long long address_of(struct piece text)
{
    long long number = 0;
    size_t at = 0;
    for (int octet = 0; octet < 4; octet++) {
        int value = 0;
        if (octet && (at == text.length || text.at[at++] != '.'))
            return -1;
        size_t from = at;
        while (at < text.length && at - from < 3 && text.at[at] >= '0' && text.at[at] <= '9')
            value = value * 10 + (text.at[at++] - '0');
        if (at == from || value > 255 || (text.at[from] == '0' && at - from > 1))
            return -1;
        number = number << 8 | value;
    }
    return at == text.length ? number : -1;
}

int read_plain_request(const struct names *names, const unsigned char *data, size_t length, unsigned char *rest,
                       struct plain_request *request)
{
    static const unsigned char version[] = " HTTP/1.1\r\n";
    const unsigned char *kind = kinds(), *at = data, *end = data + length;
    unsigned char *out = rest;
    struct piece name, value;
    memset(request, 0, sizeof *request);
    if (length < 16 || memcmp(at, "GET /", 5) != 0)
        return 0;
    at += 4;
    request->target.at = at;
    while (at < end && kind[*at] & TARGET)
        at++;
    request->target.length = (size_t)(at - request->target.at);
    if ((size_t)(end - at) < sizeof version - 1 || memcmp(at, version, sizeof version - 1) != 0)
        return 0;
    at += sizeof version - 1;
    for (;;) {
        int meaning = read_line(names, &at, end, &name, &value);
        struct piece *one = NULL;
        switch (meaning) {
        case RELAYED:
            out = put_line(out, name, value);
            break;
        case DROPPED:
            break;
        case HOST:
            if (!is_plain_host(value))
                return 0;
            one = &request->host;
            break;
        case CONNECTION:
            if (is_close(value))
                request->is_last = 1;
            else if (!is_keep_alive(value))
                return 0;
            break;
        case FORWARDED_FOR:
            one = &request->forwarded_for;
            break;
        case FORWARDED_PROTO:
            one = &request->forwarded_proto;
            break;
        case -2:
            request->rest_length = (size_t)(out - rest);
            request->client = address_of(request->forwarded_for);
            return at == end && request->host.at != NULL; /* nothing behind it: no body, no other request */
        default:
            return 0;
        }
        if (one != NULL) {
            if (one->at != NULL)
                return 0; /* which of two counts is not for here to say */
            *one = value;
        }
    }
}

size_t write_plain_request(const struct plain_request *request, const unsigned char *rest,
                           const unsigned char *forwarded, size_t forwarded_length, unsigned char *out)
{
    unsigned char *at = out;
    at = put(at, (const unsigned char *)"GET ", 4);
    at = put(at, request->target.at, request->target.length);
    at = put(at, (const unsigned char *)" HTTP/1.1\r\nHost: ", 17);
    at = put(at, request->host.at, request->host.length);
    at = put(at, (const unsigned char *)"\r\n", 2);
    at = put(at, rest, request->rest_length);
    at = put(at, forwarded, forwarded_length);
    at = put(at, (const unsigned char *)"\r\n", 2);
    return (size_t)(at - out);
}

size_t rewrite_plain_response(const struct names *names, const unsigned char *data, size_t length, int is_last,
                              unsigned char *out)
{
    const unsigned char *kind = kinds(), *at = data, *end = data + length;
    unsigned char *to;
    struct piece name, value, announced = {NULL, 0};
    size_t body = 0;
    if (length < 19 || memcmp(at, "HTTP/1.1 ", 9) != 0)
        return 0;
    for (int digit = 9; digit < 12; digit++)
        if (at[digit] < '0' || at[digit] > '9')
            return 0;
    /* Interim answers and those that have no body (RFC 9110 15) are framed otherwise. */
    if (at[9] < '2' || at[9] > '5' || memcmp(at + 9, "204", 3) == 0 || memcmp(at + 9, "304", 3) == 0)
        return 0;
    at += 12;
    if (*at++ != ' ')
        return 0;
    while (at < end && kind[*at] & VALUE)
        at++;
    if (at[-1] == ' ' || end - at < 2 || at[0] != '\r' || at[1] != '\n')
        return 0; /* without a reason, or padded */
    at += 2;
    to = put(out, data, (size_t)(at - data));
    for (;;) {
        int meaning = read_line(names, &at, end, &name, &value);
        if (meaning == RELAYED) {
            to = put_line(to, name, value);
        } else if (meaning == CONTENT_LENGTH) {
            if (announced.at != NULL || value.length > MOST_LENGTH_DIGITS)
                return 0;
            announced = value;
            for (size_t digit = 0; digit < value.length; digit++) {
                if (value.at[digit] < '0' || value.at[digit] > '9')
                    return 0;
                body = body * 10 + (size_t)(value.at[digit] - '0');
            }
        } else if (meaning == CONNECTION) {
            if (!is_keep_alive(value))
                return 0;
        } else if (meaning == -2) {
            break;
        } else if (meaning != DROPPED) {
            return 0;
        }
    }
    if (announced.at == NULL || (size_t)(end - at) != body)
        return 0; /* not whole, or with something behind it that nobody asked for */
    to = put(to, (const unsigned char *)"Content-Length: ", 16);
    to = put(to, announced.at, announced.length);
    to = put(to, (const unsigned char *)"\r\nConnection: close\r\n\r\n" + (is_last ? 0 : 19), is_last ? 23 : 4);
    to = put(to, at, body);
    return (size_t)(to - out);
}
