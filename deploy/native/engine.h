/* What the engine's files have in common: see engine.c. */

#ifndef JOINGATE_ENGINE_H
#define JOINGATE_ENGINE_H

#define _GNU_SOURCE /* accept4 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "heads.h"
#include "joins.h"

#define READ_SIZE 65536  /* bytes of one read; then everybody else has a turn */
#define EVENTS 256       /* of one turn of the event loop */
#define FEW_EVENTS 8     /* that are seen to in between: no flood keeps back what they interrupt by much */
#define MOST_DUE 32      /* transports whose output waits: a tenth of a millisecond of work */
#define HIGH 65536       /* bytes not taken by the peer before its protocol is asked to pause; asyncio's default */
#define MOST_PLAIN 32768 /* bytes of a message on the fast path */
#define ROOM 131072      /* for such a message rewritten, and what is told about the client */

typedef struct Engine Engine;
typedef struct Transport Transport;

typedef struct {
    PyObject_HEAD
    struct names request, response;
    struct routes routes;
    Py_ssize_t max_head;
} FastPath;

struct Transport {
    PyObject_HEAD
    Engine *engine;
    PyObject *protocol, *peername;
    int fd;
    unsigned is_readable : 1;  /* there may be more than has been read */
    unsigned is_ending : 1;    /* the peer will send no more: read on until nothing comes */
    unsigned has_ended : 1;    /* eof_received has been said */
    unsigned is_paused : 1;    /* its protocol takes no more for now */
    unsigned is_closing : 1;   /* as is_closing() says */
    unsigned is_lost : 1;      /* connection_lost is due, or has been said */
    unsigned is_full : 1;      /* pause_writing has been said */
    unsigned wants_eof : 1;    /* nothing will be written any more */
    unsigned is_listed : 1;    /* among those to be seen to */
    unsigned is_plain : 1;     /* at rest: the fast path may take the next request */
    unsigned is_last : 1;      /* of the plain request under way: none will follow */
    PyObject *error;           /* why it was lost */
    Transport *before, *after; /* of all that are open */
    Transport *next;           /* of those to be seen to */
    Transport *other;          /* while a plain request is under way: the other side of it */
    FastPath *fast_path;
    char *request;             /* as received, while it is under way */
    size_t request_length;
    char *out;                 /* what the peer has not taken yet */
    size_t out_at, out_length, out_room, high, low;
};

struct Engine {
    PyObject_HEAD
    int epoll;
    PyObject *wake, *on_error;
    Transport *listed, **last, *open;
    Transport *due[MOST_DUE]; /* what they have to send waits for the end of the events at hand */
    int due_count;
    char is_woken, is_running, is_closed;
    unsigned char in[READ_SIZE];
    unsigned char rest[MOST_PLAIN * 2];
    unsigned char written[ROOM];
};

/* Methods of protocols, by name; made with the module. */
extern PyObject *s_data_received, *s_eof_received, *s_connection_lost, *s_connection_made, *s_pause_writing,
    *s_resume_writing, *s_admit_plain, *s_answered_plain, *s_look_into;

/* engine.c */

/* Have a transport seen to, once the events at hand are through. */
void list_transport(Transport *transport);

/* transport.c */

extern PyTypeObject TransportType;

/* A protocol has raised: say so, and end this connection alone. What is no Exception is left for the event loop. */
void protocol_failed(Transport *transport, const char *which);

/* Call a protocol; whether it went well. Takes over `argument`, which may be NULL for none. */
int call_protocol(Transport *transport, PyObject *name, PyObject *argument, const char *which, PyObject **answer);

/* The connection is over: connection_lost follows, and never from inside of a call of the protocol's own. */
void end_transport(Transport *transport, PyObject *error);

/* The last system call's error, as Python has it. */
PyObject *os_error(void);

/* Say that the connection is lost, and let go of everything. */
void see_off(Transport *transport);

/* Read once, unless the protocol takes no more for now. */
void on_readable(Transport *transport);

/* writing.c */

/* Bytes that the peer has not taken yet. */
size_t unsent(const Transport *transport);

void drop_unsent(Transport *transport);

/* Send, and keep what the peer does not take. */
void write_data(Transport *transport, const char *data, size_t length);

/* Send what waits to be sent, as soon as the events at hand are through. */
void send_later(Transport *transport, const char *data, size_t length);

/* Send what has waited for that. */
void send_due(Engine *engine);

/* The peer can take more. */
void on_writable(Transport *transport);

/* Send no more. */
void shut_down(Transport *transport);

/* Close when all that was written has been sent. */
void close_transport(Transport *transport);

/* fast_path.c */

extern PyTypeObject FastPathType;

/* Hand a plain request that is under way over to the protocol of its client; `side` is either side of it. */
void look_into(Transport *side);

/* Take a request on the fast path; whether it was taken. `in` stays as it is until the next read. */
int take_request(Transport *client, size_t length);

/* Take an answer on the fast path; whether it was taken. */
int take_answer(Transport *upstream, size_t length);

#endif
