/* What a transport has to send: see engine.c.

   What the fast path sends waits until the events at hand are through, or MOST_DUE transports have something to send:
   judging and the kernel's way through TCP each evict the other from the processor's caches, so they do not alternate.
   Nothing that a protocol is called for comes between. */

#include "engine.h"

#include <errno.h>
#include <sys/socket.h>

void drop_unsent(Transport *transport)
{
    PyMem_Free(transport->out);
    transport->out = NULL;
    transport->out_at = transport->out_length = transport->out_room = 0;
}

static void end_by_errno(Transport *transport)
{
    PyObject *error = os_error();
    end_transport(transport, error);
    Py_XDECREF(error);
}

size_t unsent(const Transport *transport)
{
    return transport->out_length - transport->out_at;
}

static ssize_t send_now(Transport *transport, const char *data, size_t length)
{
    for (;;) {
        ssize_t sent = send(transport->fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0)
            return sent;
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return 0;
        if (errno != EINTR)
            return -1;
    }
}

static int keep_unsent(Transport *transport, const char *data, size_t length) /* whether there was memory */
{
    if (transport->out_at && transport->out_length + length > transport->out_room) {
        memmove(transport->out, transport->out + transport->out_at, unsent(transport));
        transport->out_length -= transport->out_at;
        transport->out_at = 0;
    }
    if (transport->out_length + length > transport->out_room) {
        size_t room = (transport->out_length + length) * 3 / 2;
        char *grown = PyMem_Realloc(transport->out, room);
        if (grown == NULL)
            return 0;
        transport->out = grown;
        transport->out_room = room;
    }
    memcpy(transport->out + transport->out_length, data, length);
    transport->out_length += length;
    return 1;
}

void write_data(Transport *transport, const char *data, size_t length)
{
    if (transport->is_lost || length == 0)
        return;
    if (!unsent(transport)) {
        ssize_t sent = send_now(transport, data, length);
        if (sent < 0) {
            end_by_errno(transport);
            return;
        }
        if ((size_t)sent == length)
            return;
        data += sent;
        length -= (size_t)sent;
    }
    if (!keep_unsent(transport, data, length)) {
        errno = ENOMEM;
        end_by_errno(transport);
        return;
    }
    if (unsent(transport) > transport->high && !transport->is_full) {
        transport->is_full = 1;
        call_protocol(transport, s_pause_writing, NULL, "protocol.pause_writing() failed", NULL);
    }
}

void shut_down(Transport *transport)
{
    if (shutdown(transport->fd, SHUT_WR) < 0 && errno != ENOTCONN)
        end_by_errno(transport);
}

/* The peer can take more. */
void on_writable(Transport *transport)
{
    if (transport->is_lost || !unsent(transport))
        return;
    ssize_t sent = send_now(transport, transport->out + transport->out_at, unsent(transport));
    if (sent < 0) {
        end_by_errno(transport);
        return;
    }
    transport->out_at += (size_t)sent;
    if (transport->is_full && unsent(transport) <= transport->low) {
        transport->is_full = 0;
        call_protocol(transport, s_resume_writing, NULL, "protocol.resume_writing() failed", NULL);
    }
    if (!unsent(transport) && !transport->is_lost) {
        drop_unsent(transport);
        if (transport->is_closing)
            end_transport(transport, NULL);
        else if (transport->wants_eof)
            shut_down(transport);
    }
}

void close_transport(Transport *transport)
{
    if (transport->is_closing)
        return;
    transport->is_closing = 1;
    if (!unsent(transport))
        end_transport(transport, NULL);
}

void send_later(Transport *transport, const char *data, size_t length)
{
    Engine *engine = transport->engine;
    if (!engine->is_running || transport->is_lost || unsent(transport) || !keep_unsent(transport, data, length)) {
        write_data(transport, data, length);
        return;
    }
    if (engine->due_count == MOST_DUE)
        send_due(engine);
    engine->due[engine->due_count++] = (Transport *)Py_NewRef(transport);
}

void send_due(Engine *engine)
{
    for (int at = 0; at < engine->due_count; at++) {
        on_writable(engine->due[at]);
        Py_DECREF(engine->due[at]);
    }
    engine->due_count = 0;
}
