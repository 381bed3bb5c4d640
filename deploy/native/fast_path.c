/* The fast path: plain requests and their answers, from socket to socket: see engine.c. */

#include "engine.h"

/* Requests under way */

static void forget_request(Transport *client)
{
    Transport *upstream = client->other;
    client->other = NULL;
    PyMem_Free(client->request);
    client->request = NULL;
    client->request_length = 0;
    if (upstream != NULL) {
        upstream->other = NULL;
        Py_DECREF(client); /* each has held the other */
        Py_DECREF(upstream);
    }
}

/* Hand a plain request that is under way over to the protocol of its client; `side` is either side of it. */
void look_into(Transport *side)
{
    Transport *client = side->request != NULL ? side : side->other;
    if (client == NULL)
        return;
    Py_INCREF(client);
    PyObject *request = PyBytes_FromStringAndSize(client->request, (Py_ssize_t)client->request_length);
    forget_request(client);
    client->is_plain = 0;
    if (request == NULL)
        protocol_failed(client, "no memory for a request");
    else
        call_protocol(client, s_look_into, request, "protocol.look_into() failed", NULL);
    Py_DECREF(client);
}

/* What is told to the protocol */

static PyObject *bytes_of(struct piece piece)
{
    if (piece.at == NULL)
        Py_RETURN_NONE;
    return PyBytes_FromStringAndSize((const char *)piece.at, (Py_ssize_t)piece.length);
}

static PyObject *text_of(struct piece piece)
{
    if (!piece.length)
        Py_RETURN_NONE;
    return PyUnicode_DecodeASCII((const char *)piece.at, (Py_ssize_t)piece.length, NULL);
}

/* Ask the protocol by which connection a request may go on; NULL without an error where it has to be looked into. */
static PyObject *admit(Transport *client, const struct plain_request *request)
{
    struct piece found[2] = {{NULL, 0}, {NULL, 0}};
    int is_join = find_plain_join(&client->fast_path->routes, request->target, &found[0], &found[1]);
    PyObject *target = is_join ? Py_NewRef(Py_None) : bytes_of(request->target),
             *meeting = is_join ? text_of(found[0]) : Py_NewRef(Py_None),
             *participant = is_join ? text_of(found[1]) : Py_NewRef(Py_None), *named = bytes_of(request->forwarded_for),
             *number = PyLong_FromLongLong(request->client), *proto = bytes_of(request->forwarded_proto),
             *answer = NULL;
    if (target != NULL && meeting != NULL && participant != NULL && named != NULL && number != NULL && proto != NULL) {
        PyObject *arguments[] = {client->protocol, target, meeting, participant, named, number, proto};
        answer = PyObject_VectorcallMethod(s_admit_plain, arguments, 7, NULL);
    }
    Py_XDECREF(target);
    Py_XDECREF(meeting);
    Py_XDECREF(participant);
    Py_XDECREF(named);
    Py_XDECREF(number);
    Py_XDECREF(proto);
    if (answer == Py_None)
        Py_CLEAR(answer);
    return answer;
}

/* From socket to socket */

/* Take a request on the fast path; whether it was taken. `in` stays as it is until the next read. */
int take_request(Transport *client, size_t length)
{
    Engine *engine = client->engine;
    FastPath *fast_path = client->fast_path;
    struct plain_request request;
    if ((Py_ssize_t)length > fast_path->max_head ||
        !read_plain_request(&fast_path->request, engine->in, length, engine->rest, &request))
        return 0;
    PyObject *protocol = Py_NewRef(client->protocol);
    PyObject *answer = admit(client, &request), *upstream, *lines;
    Py_DECREF(protocol);
    if (answer == NULL) {
        if (!PyErr_Occurred())
            return 0;
        protocol_failed(client, "protocol.admit_plain() failed");
        return 1;
    }
    if (!PyArg_ParseTuple(answer, "O!S:admit_plain", &TransportType, &upstream, &lines)) {
        Py_DECREF(answer);
        protocol_failed(client, "protocol.admit_plain() failed");
        return 1;
    }
    Transport *other = (Transport *)upstream;
    size_t told = (size_t)PyBytes_GET_SIZE(lines);
    char *kept = PyMem_Malloc(length);
    if (kept == NULL || length + request.rest_length + told + 64 > ROOM || other->other != NULL ||
        client->other != NULL) {
        PyMem_Free(kept);
        Py_DECREF(answer);
        PyErr_SetString(PyExc_RuntimeError, "a request cannot be carried");
        protocol_failed(client, "protocol.admit_plain() failed");
        return 1;
    }
    memcpy(kept, engine->in, length);
    client->request = kept;
    client->request_length = length;
    client->is_last = request.is_last;
    client->other = (Transport *)Py_NewRef(other);
    other->other = (Transport *)Py_NewRef(client);
    size_t size = write_plain_request(&request, engine->rest, (unsigned char *)PyBytes_AS_STRING(lines), told,
                                      engine->written);
    send_later(other, (char *)engine->written, size);
    Py_DECREF(answer);
    return 1;
}

/* Take an answer on the fast path; whether it was taken. */
int take_answer(Transport *upstream, size_t length)
{
    Engine *engine = upstream->engine;
    Transport *client = upstream->other;
    FastPath *fast_path = client->fast_path;
    if (client->is_closing || length > MOST_PLAIN)
        return 0;
    size_t size = rewrite_plain_response(&fast_path->response, engine->in, length, client->is_last, engine->written);
    if (!size)
        return 0;
    Py_INCREF(client);
    forget_request(client);
    send_later(client, (char *)engine->written, size);
    call_protocol(client, s_answered_plain, PyBool_FromLong(client->is_last), "protocol.answered_plain() failed", NULL);
    Py_DECREF(client);
    return 1;
}

/* FastPath, as Python sees it */

static int add_names(struct names *names, PyObject *meanings)
{
    PyObject *name, *meaning;
    Py_ssize_t at = 0;
    names_clear(names);
    while (PyDict_Next(meanings, &at, &name, &meaning)) {
        long kind = PyLong_AsLong(meaning);
        if (kind == -1 && PyErr_Occurred())
            return -1;
        if (!PyBytes_Check(name) || names_add(names, (unsigned char *)PyBytes_AS_STRING(name),
                                              (size_t)PyBytes_GET_SIZE(name), (int)kind) < 0) {
            PyErr_Format(PyExc_ValueError, "not a name to be known: %R", name);
            return -1;
        }
    }
    return 0;
}

static int take_word(PyObject *text, struct word *word)
{
    if (!PyBytes_Check(text) || PyBytes_GET_SIZE(text) > LONGEST_WORD) {
        PyErr_SetString(PyExc_ValueError, "not a word of at most 64 bytes");
        return -1;
    }
    word->length = (size_t)PyBytes_GET_SIZE(text);
    memcpy(word->text, PyBytes_AS_STRING(text), word->length);
    return 0;
}

static int take_source(PyObject *given, struct source *source, int segments)
{
    source->at = -1;
    if (!PyLong_Check(given))
        return take_word(given, &source->name);
    long at = PyLong_AsLong(given);
    if (at < 0 || at >= segments) {
        PyErr_SetString(PyExc_ValueError, "no segment of the path");
        return -1;
    }
    source->at = (int)at;
    return 0;
}

/* Routes as fast_path.py gives them: (literals, meeting, participant). */
static int add_routes(struct routes *routes, PyObject *given)
{
    PyObject *literals, *meeting, *participant;
    if (PyList_GET_SIZE(given) > MOST_ROUTES) {
        PyErr_SetString(PyExc_ValueError, "too many routes");
        return -1;
    }
    for (Py_ssize_t at = 0; at < PyList_GET_SIZE(given); at++) {
        struct route *route = &routes->each[at];
        if (!PyArg_ParseTuple(PyList_GET_ITEM(given, at), "O!OO", &PyList_Type, &literals, &meeting, &participant))
            return -1;
        if (PyList_GET_SIZE(literals) > MOST_SEGMENTS) {
            PyErr_SetString(PyExc_ValueError, "too many segments");
            return -1;
        }
        route->length = (int)PyList_GET_SIZE(literals);
        for (int segment = 0; segment < route->length; segment++)
            if (take_word(PyList_GET_ITEM(literals, segment), &route->literals[segment]) < 0)
                return -1;
        if (take_source(meeting, &route->meeting, route->length) < 0 ||
            take_source(participant, &route->participant, route->length) < 0)
            return -1;
        routes->count++;
    }
    return 0;
}

static PyObject *fast_path_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *parameters[] = {"request", "response", "routes", "max_head_bytes", NULL};
    PyObject *request, *response, *routes;
    Py_ssize_t max_head;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O!O!O!n", parameters, &PyDict_Type, &request, &PyDict_Type,
                                     &response, &PyList_Type, &routes, &max_head))
        return NULL;
    FastPath *self = (FastPath *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->max_head = max_head < MOST_PLAIN ? max_head : MOST_PLAIN;
    if (add_names(&self->request, request) < 0 || add_names(&self->response, response) < 0 ||
        add_routes(&self->routes, routes) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyObject *fast_path_rewrite_request(FastPath *self, PyObject *arguments)
{
    Py_buffer data, lines;
    PyObject *answer = NULL;
    if (!PyArg_ParseTuple(arguments, "y*y*", &data, &lines))
        return NULL;
    unsigned char *room = PyMem_Malloc((size_t)(data.len * 5 + lines.len + 64));
    struct plain_request request;
    if (room == NULL) {
        PyErr_NoMemory();
    } else if (data.len > self->max_head ||
               !read_plain_request(&self->request, data.buf, (size_t)data.len, room, &request)) {
        answer = Py_NewRef(Py_None);
    } else {
        unsigned char *out = room + data.len * 2;
        size_t size = write_plain_request(&request, room, lines.buf, (size_t)lines.len, out);
        answer = Py_BuildValue("NNLNNy#", bytes_of(request.target), bytes_of(request.forwarded_for), request.client,
                               bytes_of(request.forwarded_proto), PyBool_FromLong(request.is_last), (char *)out,
                               (Py_ssize_t)size);
    }
    PyMem_Free(room);
    PyBuffer_Release(&data);
    PyBuffer_Release(&lines);
    return answer;
}

static PyObject *fast_path_rewrite_response(FastPath *self, PyObject *arguments)
{
    Py_buffer data;
    PyObject *answer = NULL;
    int is_last;
    if (!PyArg_ParseTuple(arguments, "y*p", &data, &is_last))
        return NULL;
    unsigned char *room = PyMem_Malloc((size_t)(data.len * 2 + 64));
    if (room == NULL) {
        PyErr_NoMemory();
    } else {
        size_t size = rewrite_plain_response(&self->response, data.buf, (size_t)data.len, is_last, room);
        answer = size ? PyBytes_FromStringAndSize((char *)room, (Py_ssize_t)size) : Py_NewRef(Py_None);
    }
    PyMem_Free(room);
    PyBuffer_Release(&data);
    return answer;
}

static PyObject *fast_path_find_join(FastPath *self, PyObject *target)
{
    struct piece meeting, participant;
    if (!PyBytes_Check(target)) {
        PyErr_SetString(PyExc_TypeError, "find_join() takes bytes");
        return NULL;
    }
    struct piece whole = {(unsigned char *)PyBytes_AS_STRING(target), (size_t)PyBytes_GET_SIZE(target)};
    if (!find_plain_join(&self->routes, whole, &meeting, &participant))
        Py_RETURN_NONE;
    return Py_BuildValue("NN", text_of(meeting), text_of(participant));
}

static PyMethodDef fast_path_methods[] = {
    {"find_join", (PyCFunction)fast_path_find_join, METH_O, NULL},
    {"rewrite_request", (PyCFunction)fast_path_rewrite_request, METH_VARARGS, NULL},
    {"rewrite_response", (PyCFunction)fast_path_rewrite_response, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

PyTypeObject FastPathType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "joingate.gate._engine.FastPath",
    .tp_basicsize = sizeof(FastPath),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = fast_path_new,
    .tp_methods = fast_path_methods,
};
