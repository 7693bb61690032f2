/* `pygrad.autograd.Node`: what `grad_fn` shows. */
#include "python/tensor_object.h"

typedef struct {
    PyObject_HEAD
    pg_node *node;
} node_object;

static PyTypeObject *node_type;

PyObject *pg_wrap_node(pg_node *node)
{
    if (node == NULL)
        Py_RETURN_NONE;
    allocfunc allocate = (allocfunc)PyType_GetSlot(node_type, Py_tp_alloc);
    node_object *object = (node_object *)allocate(node_type, 0);
    if (object != NULL)
        object->node = pg_node_retain(node);
    return (PyObject *)object;
}

static pg_node *node_of(PyObject *self)
{
    return ((node_object *)self)->node;
}

static void node_dealloc(PyObject *self)
{
    PyTypeObject *const type = Py_TYPE(self);
    pg_node_release(node_of(self));
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

static PyObject *node_name(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyUnicode_FromFormat("%s%s", pg_node_name(node_of(self)), pg_node_suffix(node_of(self)));
}

static PyObject *node_next_functions(PyObject *self, void *closure)
{
    (void)closure;
    const pg_node *const node = node_of(self);
    PyObject *all = PyTuple_New(node->n_edges);
    for (int i = 0; i < node->n_edges && all != NULL; i++) {
        PyObject *next = pg_wrap_node(node->edges[i].node);
        PyObject *pair = next == NULL ? NULL : Py_BuildValue("(NI)", next, node->edges[i].output);
        if (pair == NULL || PyTuple_SetItem(all, i, pair) != 0)
            Py_CLEAR(all);
    }
    return all;
}

static PyObject *node_repr(PyObject *self)
{
    PyObject *name = node_name(self, NULL);
    PyObject *text = name == NULL ? NULL : PyUnicode_FromFormat("<%U object at %p>", name, node_of(self));
    Py_XDECREF(name);
    return text;
}

/* Two objects for one node are equal. */
static PyObject *node_richcompare(PyObject *self, PyObject *other, int comparison)
{
    if (Py_TYPE(other) != node_type || (comparison != Py_EQ && comparison != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    return PyBool_FromLong((node_of(self) == node_of(other)) == (comparison == Py_EQ));
}

static Py_hash_t node_hash(PyObject *self)
{
    const Py_hash_t hash = (Py_hash_t)((uintptr_t)node_of(self) >> 4);
    return hash == -1 ? -2 : hash;
}

bool pg_node_type_setup(PyObject *module)
{
    static PyMethodDef methods[] = {
        {"name", node_name, METH_NOARGS,
         "name($self, /)\n--\n\nReturn the name of the function that computes the gradient, 'AddBackward0'."},
        {NULL, NULL, 0, NULL},
    };
    static PyGetSetDef getset[] = {
        {"next_functions", node_next_functions, NULL,
         "The nodes of the inputs, as pairs of a node, or None where no gradient is wanted, and the number of its "
         "output.",
         NULL},
        {NULL, NULL, NULL, NULL, NULL},
    };
    PyType_Slot slots[] = {
        {Py_tp_doc, "How a tensor was computed: a node of the graph that backward() walks."},
        {Py_tp_dealloc, node_dealloc},
        {Py_tp_repr, node_repr},
        {Py_tp_richcompare, node_richcompare},
        {Py_tp_hash, node_hash},
        {Py_tp_methods, methods},
        {Py_tp_getset, getset},
        {0, NULL},
    };
    PyType_Spec spec = {.name = "pygrad.autograd.Node",
                        .basicsize = sizeof(node_object),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        .slots = slots};
    node_type = (PyTypeObject *)PyType_FromSpec(&spec);
    return node_type != NULL && PyModule_AddObjectRef(module, "Node", (PyObject *)node_type) == 0;
}
