/* joingate.core._reach: what joingate.core.reach.Reach does, at one access to memory for a meeting instead of four.

   A table holds, for each meeting that rules name, the hash of its id (CPython's own of str, 64 bits, keyed) and a set
   of countries; ids themselves are not kept. So an id that no rule names may, once in 2^64, be taken for one that some
   rule does. That can reject nobody: whoever may be meant is judged by the rules themselves. Nor can it admit anybody:
   ids that rules name are all here, and where two have one hash, either has the reach of both. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define PIECE 512 /* entries taken over before other threads have a turn: some ten microseconds */

struct slot {
    Py_hash_t hash;
    PyObject *reach; /* NULL where the slot is free */
};

struct table {
    struct slot *slots;
    size_t mask; /* their number, a power of two, less one */
};

typedef struct {
    PyObject_HEAD
    struct table by_meeting, by_prefix;
    PyObject *everywhere;
    Py_ssize_t *lengths; /* of prefixes, the shortest first */
    Py_ssize_t lengths_count;
} Reach;

static struct slot *find(const struct table *table, Py_hash_t hash)
{
    size_t at = (size_t)hash & table->mask;
    while (table->slots[at].reach != NULL && table->slots[at].hash != hash)
        at = (at + 1) & table->mask;
    return &table->slots[at];
}

static int put(struct table *table, PyObject *id, PyObject *reach)
{
    if (!PyUnicode_CheckExact(id) || !PyFrozenSet_CheckExact(reach)) {
        PyErr_SetString(PyExc_TypeError, "not a dict of str to frozenset");
        return -1;
    }
    Py_hash_t hash = PyObject_Hash(id);
    struct slot *slot = find(table, hash);
    PyObject *both = slot->reach == NULL ? Py_NewRef(reach) : PyNumber_Or(slot->reach, reach);
    if (both == NULL)
        return -1;
    Py_XSETREF(slot->reach, both);
    slot->hash = hash;
    return 0;
}

/* Take over a dict that nobody else changes meanwhile. */
static int fill(struct table *table, PyObject *index)
{
    size_t room = 8;
    while (room < 2 * (size_t)PyDict_GET_SIZE(index))
        room *= 2;
    table->slots = PyMem_RawCalloc(room, sizeof *table->slots);
    if (table->slots == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    table->mask = room - 1;
    PyObject *id, *reach;
    Py_ssize_t at = 0;
    for (size_t taken = 0; PyDict_Next(index, &at, &id, &reach); taken++) {
        if (put(table, id, reach) < 0)
            return -1;
        if (taken % PIECE == PIECE - 1) {
            Py_BEGIN_ALLOW_THREADS
            Py_END_ALLOW_THREADS
        }
    }
    return 0;
}

static void empty(struct table *table)
{
    for (size_t at = 0; table->slots != NULL && at <= table->mask; at++)
        Py_XDECREF(table->slots[at].reach);
    PyMem_RawFree(table->slots);
}

static int take_lengths(Reach *self, PyObject *given)
{
    PyObject *lengths = PySequence_Fast(given, "lengths is no sequence");
    if (lengths == NULL)
        return -1;
    self->lengths_count = PySequence_Fast_GET_SIZE(lengths);
    self->lengths = PyMem_Calloc((size_t)self->lengths_count + 1, sizeof *self->lengths);
    for (Py_ssize_t at = 0; self->lengths != NULL && at < self->lengths_count; at++)
        self->lengths[at] = PyLong_AsSsize_t(PySequence_Fast_GET_ITEM(lengths, at));
    Py_DECREF(lengths);
    if (self->lengths == NULL)
        PyErr_NoMemory();
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *reach_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"by_meeting", "by_prefix", "lengths", "everywhere", NULL};
    PyObject *by_meeting, *by_prefix, *lengths, *everywhere;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O!O!OO", names, &PyDict_Type, &by_meeting, &PyDict_Type,
                                     &by_prefix, &lengths, &everywhere))
        return NULL;
    Reach *self = (Reach *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->everywhere = Py_NewRef(everywhere);
    if (everywhere != Py_None && !PyFrozenSet_CheckExact(everywhere))
        PyErr_SetString(PyExc_TypeError, "everywhere is no frozenset");
    if (PyErr_Occurred() || take_lengths(self, lengths) < 0 || fill(&self->by_meeting, by_meeting) < 0 ||
        fill(&self->by_prefix, by_prefix) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* Whether `country` is in what stands under `hash`: -1 where nothing does, or on an error. */
static int look_up(const struct table *table, Py_hash_t hash, PyObject *country)
{
    PyObject *reach = find(table, hash)->reach;
    return reach == NULL ? -1 : PySet_Contains(reach, country);
}

static PyObject *reach_may_mean(Reach *self, PyObject *const *arguments, Py_ssize_t count)
{
    if (count != 2 || !PyUnicode_CheckExact(arguments[0]) || !PyUnicode_CheckExact(arguments[1])) {
        PyErr_SetString(PyExc_TypeError, "may_mean() takes a meeting and a country");
        return NULL;
    }
    PyObject *meeting = arguments[0], *country = arguments[1];
    int answer = look_up(&self->by_meeting, PyObject_Hash(meeting), country);
    for (Py_ssize_t at = 0; answer != 1 && at < self->lengths_count; at++) {
        if (self->lengths[at] > PyUnicode_GET_LENGTH(meeting))
            break;
        PyObject *prefix = PyUnicode_Substring(meeting, 0, self->lengths[at]);
        if (prefix == NULL)
            return NULL;
        int found = look_up(&self->by_prefix, PyObject_Hash(prefix), country);
        Py_DECREF(prefix);
        answer = found > answer ? found : answer;
    }
    if (answer != 1 && self->everywhere != Py_None)
        answer = PySet_Contains(self->everywhere, country);
    if (PyErr_Occurred())
        return NULL;
    if (answer < 0)
        Py_RETURN_NONE;
    return PyBool_FromLong(answer);
}

static void reach_dealloc(Reach *self)
{
    empty(&self->by_meeting);
    empty(&self->by_prefix);
    PyMem_Free(self->lengths);
    Py_XDECREF(self->everywhere);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef reach_methods[] = {
    {"may_mean", (PyCFunction)(void (*)(void))reach_may_mean, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject ReachType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "joingate.core._reach.Reach",
    .tp_basicsize = sizeof(Reach),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = reach_new,
    .tp_dealloc = (destructor)reach_dealloc,
    .tp_methods = reach_methods,
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "_reach", .m_size = -1};

PyMODINIT_FUNC PyInit__reach(void)
{
    PyObject *made = PyModule_Create(&module);
    if (made == NULL || PyType_Ready(&ReachType) < 0 ||
        PyModule_AddObjectRef(made, "Reach", (PyObject *)&ReachType) < 0) {
        Py_XDECREF(made);
        return NULL;
    }
    return made;
}
