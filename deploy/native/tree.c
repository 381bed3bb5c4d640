/* joingate.geodb._tree: IPv4 addresses looked up in a condensed database by their number, without a reader's decoding.

   What is read was written by joingate.geodb.condense: nodes of two big-endian records of 32 bits, 16 bytes of zeros,
   and one short string for each place there is. Source: MaxMind DB File Format Specification 2.0. The strings are read
   once; a lookup is the walk down the tree alone. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define SEPARATOR 16  /* bytes between the search tree and the data section */
#define IPV4_DEPTH 96 /* IPv4 lies under ::/96 of an IPv6 tree */
#define STRING 0x40   /* the kind of a data field: a string of fewer than 29 bytes has its length beside it */
#define LONGEST 28

typedef struct {
    PyObject_HEAD
    Py_buffer data;
    uint32_t nodes, ipv4_root;
    PyObject *nowhere;  /* what an address without a record is given */
    PyObject **places;  /* by where their string begins in the data section; NULL elsewhere */
    size_t places_size;
} Tree;

static uint32_t child_of(const Tree *self, uint32_t node, unsigned side)
{
    const unsigned char *at = (const unsigned char *)self->data.buf + (size_t)node * 8 + side * 4;
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Read the strings of the data section, which ends where something else begins. */
static int read_places(Tree *self, PyObject *places)
{
    size_t begin = (size_t)self->nodes * 8 + SEPARATOR, length = (size_t)self->data.len - begin;
    const unsigned char *section = (const unsigned char *)self->data.buf + begin;
    self->places_size = length;
    self->places = PyMem_Calloc(length + 1, sizeof *self->places);
    if (self->places == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t at = 0; at < length;) {
        size_t size = section[at] - (size_t)STRING;
        if (section[at] < STRING || size > LONGEST || at + 1 + size > length)
            break;
        PyObject *code = PyUnicode_DecodeASCII((const char *)section + at + 1, (Py_ssize_t)size, NULL);
        if (code == NULL)
            return -1;
        PyObject *place = PyDict_GetItemWithError(places, code);
        Py_DECREF(code);
        if (PyErr_Occurred())
            return -1;
        self->places[at] = Py_XNewRef(place);
        at += 1 + size;
    }
    return 0;
}

static PyObject *tree_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"data", "nodes", "ip_version", "places", NULL};
    Py_buffer data;
    unsigned int nodes;
    int ip_version;
    PyObject *places;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "y*IiO!", names, &data, &nodes, &ip_version, &PyDict_Type,
                                     &places))
        return NULL;
    Tree *self = (Tree *)type->tp_alloc(type, 0);
    if (self == NULL) {
        PyBuffer_Release(&data);
        return NULL;
    }
    self->data = data;
    self->nodes = nodes;
    self->nowhere = Py_XNewRef(PyDict_GetItemWithError(places, Py_None));
    if (!nodes || self->nowhere == NULL || (size_t)data.len < (size_t)nodes * 8 + SEPARATOR) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "not a condensed database");
        Py_DECREF(self);
        return NULL;
    }
    if (read_places(self, places) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    for (int depth = 0; ip_version == 6 && depth < IPV4_DEPTH && self->ipv4_root < nodes; depth++)
        self->ipv4_root = child_of(self, self->ipv4_root, 0);
    return (PyObject *)self;
}

/* The place of an IPv4 address; LookupError where the tree leads to none. */
static PyObject *tree_get(Tree *self, PyObject *argument)
{
    unsigned long number = PyLong_AsUnsignedLong(argument);
    if (number > 0xffffffffUL) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "not an IPv4 address");
        return NULL;
    }
    uint32_t record = self->ipv4_root;
    for (int bit = 31; record < self->nodes && bit >= 0; bit--)
        record = child_of(self, record, number >> bit & 1);
    if (record == self->nodes)
        return Py_NewRef(self->nowhere);
    size_t at = (size_t)record - self->nodes - SEPARATOR;
    if (record < self->nodes || at >= self->places_size || self->places[at] == NULL) {
        PyErr_SetString(PyExc_LookupError, "the tree leads to no place");
        return NULL;
    }
    return Py_NewRef(self->places[at]);
}

static void tree_dealloc(Tree *self)
{
    for (size_t at = 0; self->places != NULL && at < self->places_size; at++)
        Py_XDECREF(self->places[at]);
    PyMem_Free(self->places);
    Py_XDECREF(self->nowhere);
    PyBuffer_Release(&self->data);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef tree_methods[] = {
    {"get", (PyCFunction)tree_get, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject TreeType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "joingate.geodb._tree.Tree",
    .tp_basicsize = sizeof(Tree),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = tree_new,
    .tp_dealloc = (destructor)tree_dealloc,
    .tp_methods = tree_methods,
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "_tree", .m_size = -1};

PyMODINIT_FUNC PyInit__tree(void)
{
    PyObject *made = PyModule_Create(&module);
    if (made == NULL || PyType_Ready(&TreeType) < 0 ||
        PyModule_AddObjectRef(made, "Tree", (PyObject *)&TreeType) < 0) {
        Py_XDECREF(made);
        return NULL;
    }
    return made;
}
