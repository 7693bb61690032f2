/* Value(data, children=(), op='', label=''): the constructor of micrograd and its descendants, who name the
 * arguments in several ways. */
#include "python/object.h"

#include "ops/nary.h"

typedef struct {
    PyObject *data, *children, *op, *label, *local_gradients; /* borrowed; NULL where not given */
} arguments;

static bool set_argument(PyObject **place, PyObject *value, const char *name)
{
    if (*place != NULL) {
        PyErr_Format(PyExc_TypeError, "Value() got several values for '%s'", name);
        return false;
    }
    *place = value;
    return true;
}

/* The third positional argument is the op's name or, where it is a sequence, the local gradients. */
static bool set_op_or_local_gradients(arguments *given, PyObject *value)
{
    if (PyTuple_Check(value) || PyList_Check(value))
        return set_argument(&given->local_gradients, value, "local_grads");
    return set_argument(&given->op, value, "op");
}

static bool set_keyword(arguments *given, PyObject *keyword, PyObject *value)
{
    static const struct {
        const char *name;
        size_t field;
    } keywords[] = {
        {"data", offsetof(arguments, data)},
        {"children", offsetof(arguments, children)},
        {"_children", offsetof(arguments, children)},
        {"_prev", offsetof(arguments, children)},
        {"op", offsetof(arguments, op)},
        {"_op", offsetof(arguments, op)},
        {"label", offsetof(arguments, label)},
        {"local_grads", offsetof(arguments, local_gradients)},
        {"_local_grads", offsetof(arguments, local_gradients)},
    };
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (PyUnicode_CompareWithASCIIString(keyword, keywords[i].name) == 0)
            return set_argument((PyObject **)((char *)given + keywords[i].field), value, keywords[i].name);
    PyErr_Format(PyExc_TypeError,
                 "Value() got an unexpected keyword argument '%U'; it takes data, children (or _children, _prev), "
                 "op (or _op), label, local_grads",
                 keyword);
    return false;
}

static bool read_arguments(arguments *given, PyObject *args, PyObject *kwargs)
{
    const Py_ssize_t n = PyTuple_Size(args);
    if (n > 4) {
        PyErr_Format(PyExc_TypeError,
                     "Value() takes at most 4 positional arguments (data, children, op, label), not %zd", n);
        return false;
    }
    if (n > 0)
        given->data = PyTuple_GetItem(args, 0);
    if (n > 1)
        given->children = PyTuple_GetItem(args, 1);
    if (n > 2 && !set_op_or_local_gradients(given, PyTuple_GetItem(args, 2)))
        return false;
    if (n > 3)
        given->label = PyTuple_GetItem(args, 3);

    PyObject *keyword, *value;
    Py_ssize_t position = 0;
    while (kwargs != NULL && PyDict_Next(kwargs, &position, &keyword, &value))
        if (!set_keyword(given, keyword, value))
            return false;
    if (given->data == NULL) {
        PyErr_SetString(PyExc_TypeError, "Value() needs data, a real number");
        return false;
    }
    return true;
}

/* The children as a block of values; one with n = 0 for none. */
static pg_block *children_block(PyObject *children, int *input_flags)
{
    PyObject *iterator = PyObject_GetIter(children);
    if (iterator == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "Value() children have to be an iterable of Values, not %R of type %S",
                         children, (PyObject *)Py_TYPE(children));
        return NULL;
    }
    PyObject *tuple = PySequence_Tuple(iterator);
    Py_DECREF(iterator);
    if (tuple == NULL)
        return NULL;
    pg_block *block = NULL;
    Py_ssize_t n = PyTuple_Size(tuple), i = 0;
    while (i < n && pg_is_value(PyTuple_GetItem(tuple, i)))
        i++;
    if (i == n)
        block = pg_block_from(tuple, NULL, false, "Value() children", input_flags);
    else
        PyErr_Format(PyExc_TypeError, "Value() children have to be Values, not %R of type %S",
                     PyTuple_GetItem(tuple, i), (PyObject *)Py_TYPE(PyTuple_GetItem(tuple, i)));
    Py_DECREF(tuple);
    return block;
}

static pg_block *local_gradients_block(PyObject *local_gradients, int64_t wanted)
{
    int flags = 0;
    pg_block *block = pg_block_from(local_gradients, NULL, true, "Value() local_grads", &flags);
    if (block == NULL)
        return NULL;
    if (block->n != wanted)
        PyErr_Format(PyExc_ValueError, "Value() has %lld children and %lld local_grads", (long long)wanted,
                     (long long)block->n);
    else if (!block->numbers && block->n > 0)
        PyErr_SetString(PyExc_TypeError, "Value() local_grads have to be real numbers");
    else
        return block;
    pg_block_drop(block);
    return NULL;
}

typedef struct {
    double data;
    pg_block *children, *local; /* NULL for none */
    int input_flags;
} node_parts;

static bool read_parts(node_parts *parts, const arguments *given)
{
    if (!pg_need_number(given->data, "Value() data", &parts->data))
        return false;
    if (given->children != NULL && (parts->children = children_block(given->children, &parts->input_flags)) == NULL)
        return false;
    if (parts->input_flags & PG_RAW) {
        PyErr_SetString(PyExc_RuntimeError, "Value() children have to be initialised before their consumer");
        return false;
    }
    const int64_t n = parts->children == NULL ? 0 : parts->children->n;
    return given->local_gradients == NULL || (parts->local = local_gradients_block(given->local_gradients, n)) != NULL;
}

static bool must_be_raw(const pg_value *v)
{
    if (!(v->flags & PG_RAW))
        PyErr_SetString(PyExc_RuntimeError, "Value.__init__ was called twice, or on a Value that has data already");
    return v->flags & PG_RAW;
}

/* Takes the parts. */
static void set_node(PyObject *self, const node_parts *parts)
{
    pg_value *v = pg_value_of(self);
    const uint16_t host_flags = v->flags & (uint16_t)~PG_RAW;
    v->data = parts->data;
    v->flags = host_flags;
    if (parts->children == NULL || parts->children->n == 0) {
        pg_block_drop(parts->children);
        pg_block_drop(parts->local);
        return;
    }
    pg_set_blocks(v, PG_CUSTOM, parts->data, parts->children, parts->local);
    v->flags |= host_flags;
    pg_finished((pg_object *)self, parts->input_flags);
}

static bool set_text(PyObject *self, const char *name, PyObject *text)
{
    if (text == NULL || (PyUnicode_Check(text) && PyUnicode_GetLength(text) == 0))
        return true;
    return PyObject_SetAttrString(self, name, text) == 0;
}

int pg_value_tp_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    arguments given = {0};
    node_parts parts = {0};
    if (kwargs == NULL && PyTuple_Size(args) == 1)
        given.data = PyTuple_GetItem(args, 0);
    else if (!read_arguments(&given, args, kwargs))
        return -1;
    /* Asked again at the end: reading the arguments may run Python code. */
    if (!must_be_raw(pg_value_of(self)) || !read_parts(&parts, &given) || !must_be_raw(pg_value_of(self))) {
        pg_block_drop(parts.children);
        pg_block_drop(parts.local);
        return -1;
    }
    set_node(self, &parts);
    return set_text(self, "_op", given.op) && set_text(self, "label", given.label) ? 0 : -1;
}
