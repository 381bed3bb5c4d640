/* The join that a plain target is: see joins.c. */

#ifndef JOINGATE_JOINS_H
#define JOINGATE_JOINS_H

#include "heads.h"

#define MOST_ROUTES 16
#define MOST_SEGMENTS 12
#define LONGEST_WORD 64

struct word {
    unsigned char text[LONGEST_WORD];
    size_t length;
};

/* Where an id stands: in the path's segment `at`, or in the query parameter `name`; nowhere where `at` is -1 and there
   is no name. */
struct source {
    int at;
    struct word name;
};

/* One of codecs/join_request.py's routes; a literal of no length is a placeholder. */
struct route {
    int length;
    struct word literals[MOST_SEGMENTS];
    struct source meeting, participant;
};

struct routes {
    int count;
    struct route each[MOST_ROUTES];
};

/* Whether `target` is plain, and a join by one route; then `meeting` is its id, and `participant` its id or nothing. */
int find_plain_join(const struct routes *routes, struct piece target, struct piece *meeting, struct piece *participant);

#endif
