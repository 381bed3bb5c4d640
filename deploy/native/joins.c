/* The join that a target is, where nothing about it can be read in two ways: as codecs/join_request.py and
   codecs/join_values.py read it, of which this is the first and commonest branch. It never says that something is no
   join: whatever it does not find is read there. tests/native/test_joins.py holds the one against the other. */

#include "joins.h"

#include <string.h>

#define MAX_ID 512 /* as in codecs/join_request.py */

/* By byte: PATH as join_request._PLAIN, QUERY as join_values._PLAIN. */
enum { PATH = 1, QUERY = 2 };

static const unsigned char *kinds(void)
{
    static unsigned char table[256];
    static int is_made;
    if (!is_made) {
        for (int byte = '0'; byte <= '9'; byte++)
            table[byte] |= PATH;
        for (int byte = 'a'; byte <= 'z'; byte++) {
            table[byte] |= PATH;
            table[byte - 'a' + 'A'] |= PATH;
        }
        for (const char *at = "-._~!$&'()*,=:@/"; *at; at++)
            table[(unsigned char)*at] |= PATH;
        for (int byte = 0x21; byte < 0x7f; byte++)
            if (strchr("%+;#[]", byte) == NULL)
                table[byte] |= QUERY;
        is_made = 1;
    }
    return table;
}

static unsigned char lower(unsigned char byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

/* As join_values._ALIKE: spellings that some server takes for the same. */
static unsigned char alike(unsigned char byte)
{
    return byte == '.' || byte == ' ' ? '_' : lower(byte);
}

/* Take the path apart; return the number of its segments, or -1 where it is not plain. */
static int split_path(const unsigned char **at, const unsigned char *end, struct piece *segments)
{
    const unsigned char *kind = kinds(), *here = *at;
    int count = 0;
    while (here < end && *here == '/') {
        const unsigned char *from = ++here;
        while (here < end && *here != '/' && kind[*here] & PATH)
            here++;
        if (here == from && !(here == end || *here == '?'))
            return -1; /* "//", or a byte that is not plain */
        if (here > from && *from == '.')
            return -1;
        if (here == from)
            break; /* a last "/" adds nothing */
        if (count == MOST_SEGMENTS)
            return -1;
        segments[count].at = from;
        segments[count++].length = (size_t)(here - from);
    }
    if (here < end && *here != '?')
        return -1;
    *at = here;
    return count;
}

static int is_plain_query(const unsigned char *at, const unsigned char *end)
{
    const unsigned char *kind = kinds();
    while (at < end && kind[*at] & QUERY)
        at++;
    return at == end;
}

/* The one value of a parameter; whether it can be told. Without any, `value` is nothing. */
static int read_parameter(const unsigned char *at, const unsigned char *end, const struct word *name,
                          struct piece *value)
{
    value->at = NULL;
    value->length = 0;
    while (at < end) {
        const unsigned char *stop = memchr(at, '&', (size_t)(end - at));
        if (stop == NULL)
            stop = end;
        const unsigned char *equals = memchr(at, '=', (size_t)(stop - at));
        size_t length = (size_t)((equals == NULL ? stop : equals) - at), same = 0;
        if (length == name->length) {
            while (same < length && alike(at[same]) == alike(name->text[same]))
                same++;
            if (same == length) {
                if (value->at != NULL || memcmp(at, name->text, length) != 0)
                    return 0;
                value->at = equals == NULL ? stop : equals + 1;
                value->length = (size_t)(stop - value->at);
            }
        }
        at = stop + 1;
    }
    return 1;
}

static int is_of(const struct route *route, const struct piece *segments, int count)
{
    if (route->length != count)
        return 0;
    for (int at = 0; at < count; at++) {
        const struct word *literal = &route->literals[at];
        if (!literal->length)
            continue;
        if (literal->length != segments[at].length)
            return 0;
        for (size_t byte = 0; byte < literal->length; byte++)
            if (lower(segments[at].at[byte]) != literal->text[byte])
                return 0;
    }
    return 1;
}

static int read_id(const struct source *source, const struct piece *segments, const unsigned char *query,
                   const unsigned char *end, struct piece *id)
{
    if (source->at >= 0)
        *id = segments[source->at];
    else if (!read_parameter(query, end, &source->name, id))
        return 0;
    return id->length <= MAX_ID;
}

int find_plain_join(const struct routes *routes, struct piece target, struct piece *meeting, struct piece *participant)
{
    const unsigned char *at = target.at, *end = target.at + target.length;
    struct piece segments[MOST_SEGMENTS];
    const struct route *found = NULL;
    int count = split_path(&at, end, segments);
    if (count < 0)
        return 0;
    if (at < end)
        at++; /* "?" */
    for (int route = 0; route < routes->count; route++) {
        if (!is_of(&routes->each[route], segments, count))
            continue;
        if (found != NULL)
            return 0;
        found = &routes->each[route];
    }
    if (found == NULL || !is_plain_query(at, end) || !read_id(&found->meeting, segments, at, end, meeting))
        return 0;
    *participant = (struct piece){NULL, 0};
    if ((found->participant.at >= 0 || found->participant.name.length) &&
        !read_id(&found->participant, segments, at, end, participant))
        return 0;
    return meeting->length > 0;
}
