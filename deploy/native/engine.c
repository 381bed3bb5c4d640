/* joingate.gate._engine: sockets for the gate, and the fast path of a plain join over them.

   An Engine is one epoll instance inside the event loop's own: the loop sees one descriptor that is readable whenever
   anything has happened, and `run` sees to all of it; that is this file. A Transport (transport.c, writing.c) is what asyncio
   means by one (asyncio.Transport; its flow control and its ends follow CPython's selector_events.py), for a connected
   stream socket. What they have in common is in engine.h.

   Every descriptor is registered once, edge-triggered, for reading and writing, as nginx does: nothing is ever
   changed until it closes. So what has been seen and not used yet is kept here (`is_readable`).

   The fast path (fast_path.c): while a client's connection is at rest, a request that is whole and plain (heads.c) is
   put to its protocol's `admit_plain`, as a join where it plainly is one (joins.c). It names the connection to the
   meeting server to use, or says that this one has to be looked into. An answer that is whole and plain goes back the
   same way, and `answered_plain` ends the exchange. Anything else that happens meanwhile, on either side, is first
   handed over by `look_into`: the protocol then gets the request as it was received, and goes on as if it had never
   been taken out of its hands. */

#include "engine.h"

#include <structmember.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

PyObject *s_data_received, *s_eof_received, *s_connection_lost, *s_connection_made, *s_pause_writing,
    *s_resume_writing, *s_admit_plain, *s_answered_plain, *s_look_into;

/* What is to be seen to, once the events at hand are through */

void list_transport(Transport *transport)
{
    Engine *engine = transport->engine;
    if (!transport->is_listed) {
        transport->is_listed = 1;
        transport->next = NULL;
        Py_INCREF(transport);
        *engine->last = transport;
        engine->last = &transport->next;
    }
    if (!engine->is_running && !engine->is_woken && engine->wake != NULL) {
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        PyObject *woken = PyObject_CallNoArgs(engine->wake);
        if (woken == NULL)
            PyErr_WriteUnraisable((PyObject *)engine);
        else
            engine->is_woken = 1;
        Py_XDECREF(woken);
        PyErr_Restore(type, value, traceback);
    }
}

static void see_to(Transport *transport)
{
    if (transport->is_lost) {
        if (transport->fd >= 0)
            see_off(transport);
    } else if (transport->is_readable) {
        on_readable(transport);
    }
}

static void see_to_listed(Engine *engine)
{
    Transport *listed = engine->listed;
    engine->listed = NULL;
    engine->last = &engine->listed;
    while (listed != NULL) {
        Transport *transport = listed;
        listed = transport->next;
        transport->is_listed = 0;
        see_to(transport);
        Py_DECREF(transport);
    }
}

/* Of what the garbage collector could not see through transports. */
static void let_go(Engine *engine)
{
    Py_CLEAR(engine->wake);
    Py_CLEAR(engine->on_error);
}

/* See to what has happened, and to no more than `most` of it. */
static void take_events(Engine *engine, int most)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(engine->epoll, events, most, 0);
    for (int at = 0; at < count; at++) {
        Transport *transport = events[at].data.ptr;
        uint32_t happened = events[at].events;
        Py_INCREF(transport);
        if (happened & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
            transport->is_readable = 1;
        if (happened & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
            transport->is_ending = 1;
        if (transport->is_readable && !transport->is_lost) /* first: an answer may stand before a reset */
            on_readable(transport);
        if (happened & (EPOLLOUT | EPOLLHUP | EPOLLERR))
            on_writable(transport);
        Py_DECREF(transport);
    }
    send_due(engine);
}

static void stop_running(Engine *engine)
{
    engine->is_running = 0;
    if (engine->listed != NULL)
        list_transport(engine->listed); /* which wakes */
    else if (engine->is_closed)
        let_go(engine);
}

static PyObject *engine_run(Engine *engine, PyObject *Py_UNUSED(ignored))
{
    engine->is_woken = 0;
    if (engine->is_running || engine->epoll < 0)
        Py_RETURN_NONE;
    engine->is_running = 1;
    take_events(engine, EVENTS);
    see_to_listed(engine);
    send_due(engine);
    stop_running(engine);
    Py_RETURN_NONE;
}

/* In the middle of something that takes longer: see to a few of those that wait. */
static PyObject *engine_serve(Engine *engine, PyObject *Py_UNUSED(ignored))
{
    if (engine->is_running || engine->epoll < 0)
        Py_RETURN_NONE;
    engine->is_running = 1;
    take_events(engine, FEW_EVENTS);
    stop_running(engine);
    Py_RETURN_NONE;
}

/* As Python sees it */

static PyObject *engine_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"on_error", NULL};
    PyObject *on_error;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O", names, &on_error))
        return NULL;
    Engine *self = (Engine *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->epoll = -1;
    self->last = &self->listed;
    self->on_error = Py_NewRef(on_error);
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (self->epoll < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyObject *engine_accept(Engine *Py_UNUSED(self), PyObject *argument)
{
    int listening = (int)PyLong_AsLong(argument);
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } peer;
    socklen_t size = sizeof peer;
    char text[INET6_ADDRSTRLEN];
    if (PyErr_Occurred())
        return NULL;
    int fd = accept4(listening, &peer.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ECONNABORTED))
        Py_RETURN_NONE;
    if (fd < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    PyObject *accepted = NULL;
    if (peer.any.sa_family == AF_INET && inet_ntop(AF_INET, &peer.v4.sin_addr, text, sizeof text) != NULL)
        accepted = Py_BuildValue("i(sH)", fd, text, ntohs(peer.v4.sin_port));
    else if (peer.any.sa_family == AF_INET6 && inet_ntop(AF_INET6, &peer.v6.sin6_addr, text, sizeof text) != NULL)
        accepted = Py_BuildValue("i(sH)", fd, text, ntohs(peer.v6.sin6_port));
    else
        accepted = Py_BuildValue("is", fd, "");
    if (accepted == NULL)
        close(fd);
    return accepted;
}

static PyObject *engine_adopt(Engine *self, PyObject *arguments)
{
    int fd;
    PyObject *protocol, *peername;
    if (!PyArg_ParseTuple(arguments, "iOO", &fd, &protocol, &peername))
        return NULL;
    if (self->is_closed) {
        close(fd);
        errno = ESHUTDOWN;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    Transport *transport = PyObject_New(Transport, &TransportType);
    if (transport == NULL) {
        close(fd);
        return NULL;
    }
    memset((char *)transport + offsetof(Transport, engine), 0, sizeof *transport - offsetof(Transport, engine));
    transport->engine = (Engine *)Py_NewRef(self);
    transport->protocol = Py_NewRef(protocol);
    transport->peername = Py_NewRef(peername);
    transport->fd = fd;
    transport->high = HIGH;
    transport->low = HIGH / 4;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = transport};
    if (epoll_ctl(self->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        Py_DECREF(transport);
        return NULL;
    }
    Py_INCREF(transport); /* the engine's own, until it is seen off */
    transport->after = self->open;
    if (self->open != NULL)
        self->open->before = transport;
    self->open = transport;
    call_protocol(transport, s_connection_made, Py_NewRef(transport), "protocol.connection_made() failed", NULL);
    return (PyObject *)transport;
}

static PyObject *engine_close(Engine *self, PyObject *Py_UNUSED(ignored))
{
    self->is_closed = 1;
    for (Transport *each = self->open; each != NULL; each = each->after)
        end_transport(each, NULL);
    if (self->is_running)
        Py_RETURN_NONE; /* whoever runs sees them off */
    self->is_running = 1;
    while (self->listed != NULL)
        see_to_listed(self);
    self->is_running = 0;
    let_go(self);
    Py_RETURN_NONE;
}

static PyObject *engine_fileno(Engine *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLong(self->epoll);
}

static int engine_traverse(Engine *self, visitproc visit, void *arg)
{
    Py_VISIT(self->wake);
    Py_VISIT(self->on_error);
    return 0;
}

static int engine_clear(Engine *self)
{
    let_go(self);
    return 0;
}

static void engine_dealloc(Engine *self)
{
    PyObject_GC_UnTrack(self);
    if (self->epoll >= 0)
        close(self->epoll);
    engine_clear(self);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef engine_methods[] = {
    {"run", (PyCFunction)engine_run, METH_NOARGS, NULL},
    {"serve", (PyCFunction)engine_serve, METH_NOARGS, NULL},
    {"close", (PyCFunction)engine_close, METH_NOARGS, NULL},
    {"accept", (PyCFunction)engine_accept, METH_O, NULL},
    {"adopt", (PyCFunction)engine_adopt, METH_VARARGS, NULL},
    {"fileno", (PyCFunction)engine_fileno, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef engine_members[] = {
    {"wake", T_OBJECT, offsetof(Engine, wake), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyTypeObject EngineType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "joingate.gate._engine.Engine",
    .tp_basicsize = sizeof(Engine),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = (traverseproc)engine_traverse,
    .tp_clear = (inquiry)engine_clear,
    .tp_new = engine_new,
    .tp_dealloc = (destructor)engine_dealloc,
    .tp_methods = engine_methods,
    .tp_members = engine_members,
};

/* The module */

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "_engine", .m_size = -1};

static int add_type(PyObject *to, PyTypeObject *type, const char *name)
{
    if (PyType_Ready(type) < 0)
        return -1;
    return PyModule_AddObjectRef(to, name, (PyObject *)type);
}

PyMODINIT_FUNC PyInit__engine(void)
{
    struct {
        PyObject **name;
        const char *text;
    } names[] = {
        {&s_data_received, "data_received"}, {&s_eof_received, "eof_received"},
        {&s_connection_lost, "connection_lost"}, {&s_connection_made, "connection_made"},
        {&s_pause_writing, "pause_writing"}, {&s_resume_writing, "resume_writing"},
        {&s_admit_plain, "admit_plain"}, {&s_answered_plain, "answered_plain"},
        {&s_look_into, "look_into"},
    };
    for (size_t at = 0; at < sizeof names / sizeof *names; at++)
        if ((*names[at].name = PyUnicode_InternFromString(names[at].text)) == NULL)
            return NULL;
    PyObject *made = PyModule_Create(&module);
    if (made == NULL)
        return NULL;
    static const struct {
        const char *name;
        int value;
    } meanings[] = {
        {"DROPPED", DROPPED}, {"DECISIVE", DECISIVE}, {"HOST", HOST}, {"CONNECTION", CONNECTION},
        {"CONTENT_LENGTH", CONTENT_LENGTH}, {"FORWARDED_FOR", FORWARDED_FOR}, {"FORWARDED_PROTO", FORWARDED_PROTO},
    };
    for (size_t at = 0; at < sizeof meanings / sizeof *meanings; at++)
        if (PyModule_AddIntConstant(made, meanings[at].name, meanings[at].value) < 0)
            goto failed;
    if (add_type(made, &EngineType, "Engine") < 0 || add_type(made, &TransportType, "Transport") < 0 ||
        add_type(made, &FastPathType, "FastPath") < 0)
        goto failed;
    return made;
failed:
    Py_DECREF(made);
    return NULL;
}
