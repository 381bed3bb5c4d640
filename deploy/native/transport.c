/* Transport: one connected socket, and what asyncio says of it: see engine.c. */

#include "engine.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Errors, and ends */

/* The connection is over: connection_lost follows, and never from inside of a call of the protocol's own. */
void end_transport(Transport *transport, PyObject *error)
{
    transport->is_closing = 1;
    drop_unsent(transport);
    if (transport->is_lost)
        return;
    transport->is_lost = 1;
    if (error != NULL && error != Py_None) {
        Py_INCREF(error);
        Py_XSETREF(transport->error, error);
    }
    list_transport(transport);
}

PyObject *os_error(void)
{
    PyErr_SetFromErrno(PyExc_OSError);
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
}

/* A protocol has raised: say so, and end this connection alone. What is no Exception is left for the event loop. */
void protocol_failed(Transport *transport, const char *which)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL)
        PyException_SetTraceback(value, traceback);
    if (transport->engine->on_error != NULL) {
        PyObject *said = PyObject_CallFunction(transport->engine->on_error, "sOOO", which, value, (PyObject *)transport,
                                               transport->protocol == NULL ? Py_None : transport->protocol);
        if (said == NULL)
            PyErr_WriteUnraisable((PyObject *)transport);
        Py_XDECREF(said);
    }
    end_transport(transport, value);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
}

/* Call a protocol; whether it went well. Takes over `argument`, which may be NULL for none. */
int call_protocol(Transport *transport, PyObject *name, PyObject *argument, const char *which, PyObject **answer)
{
    PyObject *protocol = transport->protocol, *result;
    if (protocol == NULL) {
        Py_XDECREF(argument);
        return 0;
    }
    Py_INCREF(protocol);
    result = argument == NULL ? PyObject_CallMethodNoArgs(protocol, name)
                              : PyObject_CallMethodOneArg(protocol, name, argument);
    Py_DECREF(protocol);
    Py_XDECREF(argument);
    if (result == NULL) {
        protocol_failed(transport, which);
        return 0;
    }
    if (answer != NULL)
        *answer = result;
    else
        Py_DECREF(result);
    return 1;
}

/* Say that the connection is lost, and let go of everything. */
void see_off(Transport *transport)
{
    look_into(transport);
    PyObject *error = Py_NewRef(transport->error == NULL ? Py_None : transport->error);
    call_protocol(transport, s_connection_lost, error, "protocol.connection_lost() failed", NULL);
    Py_CLEAR(transport->protocol);
    Py_CLEAR(transport->error);
    Py_CLEAR(transport->fast_path);
    if (transport->fd >= 0) {
        /* A child that is just being started may share the descriptor: closing it would not end its events. */
        epoll_ctl(transport->engine->epoll, EPOLL_CTL_DEL, transport->fd, NULL);
        close(transport->fd);
        transport->fd = -1;
        if (transport->after != NULL)
            transport->after->before = transport->before;
        if (transport->before != NULL)
            transport->before->after = transport->after;
        else
            transport->engine->open = transport->after;
        Py_DECREF(transport); /* the engine's own */
    }
}

/* Reading */

static void on_end(Transport *transport)
{
    PyObject *answer;
    transport->is_readable = 0;
    transport->has_ended = 1;
    look_into(transport);
    if (transport->is_closing ||
        !call_protocol(transport, s_eof_received, NULL, "protocol.eof_received() failed", &answer))
        return;
    int stays = PyObject_IsTrue(answer);
    Py_DECREF(answer);
    if (stays < 0)
        protocol_failed(transport, "protocol.eof_received() failed");
    else if (!stays)
        close_transport(transport);
}

static void on_data(Transport *transport, size_t length)
{
    if (transport->other != NULL) {
        if (transport->request == NULL && take_answer(transport, length))
            return;
    } else if (transport->is_plain && !unsent(transport)) {
        if (take_request(transport, length))
            return;
    }
    transport->is_plain = 0;
    PyObject *data = PyBytes_FromStringAndSize((char *)transport->engine->in, (Py_ssize_t)length);
    if (data == NULL) {
        protocol_failed(transport, "no memory for a read");
        return;
    }
    look_into(transport);
    send_due(transport->engine);
    if (transport->is_closing) {
        Py_DECREF(data);
        return;
    }
    call_protocol(transport, s_data_received, data, "protocol.data_received() failed", NULL);
}

void on_readable(Transport *transport)
{
    if (transport->is_paused || transport->is_closing || transport->has_ended)
        return; /* an edge repeats all that is so, the end of the stream too */
    ssize_t length;
    do
        length = recv(transport->fd, transport->engine->in, READ_SIZE, MSG_DONTWAIT);
    while (length < 0 && errno == EINTR);
    if (length > 0) {
        /* A read that was not filled has taken all there was (epoll(7)), but for the end of the stream. */
        if (length < READ_SIZE && !transport->is_ending)
            transport->is_readable = 0;
        else
            list_transport(transport);
        on_data(transport, (size_t)length);
    } else if (length == 0) {
        on_end(transport);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        transport->is_readable = 0;
    } else {
        transport->is_readable = 0;
        PyObject *error = os_error();
        look_into(transport);
        end_transport(transport, error);
        Py_XDECREF(error);
    }
}

/* As Python sees it */

static PyObject *transport_write(Transport *self, PyObject *data)
{
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    if (self->wants_eof)
        PyErr_SetString(PyExc_RuntimeError, "Cannot call write() after write_eof()");
    else
        write_data(self, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *transport_write_eof(Transport *self, PyObject *Py_UNUSED(ignored))
{
    if (!self->is_closing && !self->wants_eof) {
        self->wants_eof = 1;
        if (!unsent(self))
            shut_down(self);
    }
    Py_RETURN_NONE;
}

static PyObject *transport_can_write_eof(Transport *Py_UNUSED(self), PyObject *Py_UNUSED(ignored))
{
    Py_RETURN_TRUE;
}

static PyObject *transport_close(Transport *self, PyObject *Py_UNUSED(ignored))
{
    close_transport(self);
    Py_RETURN_NONE;
}

static PyObject *transport_abort(Transport *self, PyObject *Py_UNUSED(ignored))
{
    end_transport(self, NULL);
    Py_RETURN_NONE;
}

static PyObject *transport_is_closing(Transport *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(self->is_closing);
}

static PyObject *transport_is_reading(Transport *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(!self->is_paused && !self->is_closing);
}

static PyObject *transport_pause_reading(Transport *self, PyObject *Py_UNUSED(ignored))
{
    self->is_paused = 1;
    Py_RETURN_NONE;
}

static PyObject *transport_resume_reading(Transport *self, PyObject *Py_UNUSED(ignored))
{
    if (self->is_paused && !self->is_closing) {
        self->is_paused = 0;
        if (self->is_readable)
            list_transport(self);
    }
    Py_RETURN_NONE;
}

static PyObject *transport_set_protocol(Transport *self, PyObject *protocol)
{
    self->is_plain = 0;
    Py_INCREF(protocol);
    Py_XSETREF(self->protocol, protocol);
    Py_RETURN_NONE;
}

static PyObject *transport_get_protocol(Transport *self, PyObject *Py_UNUSED(ignored))
{
    return Py_NewRef(self->protocol == NULL ? Py_None : self->protocol);
}

static PyObject *transport_get_write_buffer_size(Transport *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSize_t(unsent(self));
}

static PyObject *transport_set_write_buffer_limits(Transport *self, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"high", "low", NULL};
    PyObject *high = Py_None, *low = Py_None;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|OO", names, &high, &low))
        return NULL;
    Py_ssize_t most = high == Py_None ? HIGH : PyLong_AsSsize_t(high);
    Py_ssize_t least = low == Py_None ? most / 4 : PyLong_AsSsize_t(low);
    if (PyErr_Occurred())
        return NULL;
    if (most < least || least < 0) {
        PyErr_SetString(PyExc_ValueError, "high must be >= low must be >= 0");
        return NULL;
    }
    self->high = (size_t)most;
    self->low = (size_t)least;
    Py_RETURN_NONE;
}

static PyObject *transport_get_extra_info(Transport *self, PyObject *arguments)
{
    const char *name;
    PyObject *otherwise = Py_None;
    if (!PyArg_ParseTuple(arguments, "s|O", &name, &otherwise))
        return NULL;
    return Py_NewRef(strcmp(name, "peername") == 0 ? self->peername : otherwise);
}

/* At rest from now on: the next request may take the fast path. */
static PyObject *transport_rest(Transport *self, PyObject *fast_path)
{
    if (!PyObject_TypeCheck(fast_path, &FastPathType)) {
        PyErr_SetString(PyExc_TypeError, "rest() takes a FastPath");
        return NULL;
    }
    Py_INCREF(fast_path);
    Py_XSETREF(self->fast_path, (FastPath *)fast_path);
    self->is_plain = !self->is_closing;
    Py_RETURN_NONE;
}

static PyObject *transport_look_into(Transport *self, PyObject *Py_UNUSED(ignored))
{
    look_into(self);
    Py_RETURN_NONE;
}

static void transport_dealloc(Transport *self)
{
    if (self->fd >= 0)
        close(self->fd);
    Py_CLEAR(self->protocol);
    Py_CLEAR(self->peername);
    Py_CLEAR(self->error);
    Py_CLEAR(self->fast_path);
    PyMem_Free(self->request);
    PyMem_Free(self->out);
    Py_CLEAR(self->engine);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef transport_methods[] = {
    {"write", (PyCFunction)transport_write, METH_O, NULL},
    {"write_eof", (PyCFunction)transport_write_eof, METH_NOARGS, NULL},
    {"can_write_eof", (PyCFunction)transport_can_write_eof, METH_NOARGS, NULL},
    {"close", (PyCFunction)transport_close, METH_NOARGS, NULL},
    {"abort", (PyCFunction)transport_abort, METH_NOARGS, NULL},
    {"is_closing", (PyCFunction)transport_is_closing, METH_NOARGS, NULL},
    {"is_reading", (PyCFunction)transport_is_reading, METH_NOARGS, NULL},
    {"pause_reading", (PyCFunction)transport_pause_reading, METH_NOARGS, NULL},
    {"resume_reading", (PyCFunction)transport_resume_reading, METH_NOARGS, NULL},
    {"set_protocol", (PyCFunction)transport_set_protocol, METH_O, NULL},
    {"get_protocol", (PyCFunction)transport_get_protocol, METH_NOARGS, NULL},
    {"get_write_buffer_size", (PyCFunction)transport_get_write_buffer_size, METH_NOARGS, NULL},
    {"set_write_buffer_limits", (PyCFunction)(void (*)(void))transport_set_write_buffer_limits,
     METH_VARARGS | METH_KEYWORDS, NULL},
    {"get_extra_info", (PyCFunction)transport_get_extra_info, METH_VARARGS, NULL},
    {"rest", (PyCFunction)transport_rest, METH_O, NULL},
    {"look_into", (PyCFunction)transport_look_into, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

PyTypeObject TransportType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "joingate.gate._engine.Transport",
    .tp_basicsize = sizeof(Transport),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = (destructor)transport_dealloc,
    .tp_methods = transport_methods,
};
