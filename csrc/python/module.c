/* The type `pygrad.Value` and the module object around it.
 *
 * A cffi call costs more than building a node, so the operators of `Value` are slots of a type that is compiled into
 * the cffi extension itself; cffi only hands out its address.
 */
#include "python/module.h"

#include "python/object.h"
#include "python/tensor_object.h"

PyTypeObject *pg_value_type;
struct pg_names pg_names;

static bool intern_names(void)
{
#define INTERN(name) (pg_names.name = PyUnicode_InternFromString(#name)) != NULL
    return INTERN(data) && INTERN(grad) && INTERN(w) && INTERN(b) && INTERN(_op) && INTERN(_parameter) &&
           INTERN(__mro__) && INTERN(__dict__);
#undef INTERN
}

/* Errors that are PyTorch's class and numpy's at once. */
static PyObject *shape_error, *dtype_error;

static bool make_error(PyObject *module, PyObject **error, const char *name, const char *doc, PyObject *pytorch,
                       PyObject *numpy)
{
    PyObject *bases = PyTuple_Pack(2, pytorch, numpy);
    if (bases == NULL)
        return false;
    *error = PyErr_NewExceptionWithDoc(name, doc, bases, NULL);
    Py_DECREF(bases);
    return *error != NULL && PyModule_AddObjectRef(module, strchr(name, '.') + 1, *error) == 0;
}

static bool make_errors(PyObject *module)
{
    return make_error(module, &shape_error, "pygrad.ShapeError",
                      "Shapes that do not go with an operation, or with each other.", PyExc_RuntimeError,
                      PyExc_ValueError) &&
           make_error(module, &dtype_error, "pygrad.DTypeError", "A dtype that an operation is not defined for.",
                      PyExc_NotImplementedError, PyExc_TypeError);
}

PyObject *pg_raise(pg_status status)
{
    switch (status) {
    case PG_OK:
    case PG_HOST_ERROR: /* whose error is set already */
        break;
    case PG_NO_MEMORY:
        PyErr_SetString(PyExc_MemoryError, pg_message());
        break;
    case PG_BUSY:
    case PG_BAD_STATE:
        PyErr_Format(PyExc_RuntimeError, "%s", pg_message()); /* a name of the user's in it may have been cut */
        break;
    case PG_BAD_ARGUMENT:
        PyErr_SetString(PyExc_ValueError, pg_message());
        break;
    case PG_BAD_SHAPE:
        PyErr_SetString(shape_error, pg_message());
        break;
    case PG_BAD_INDEX:
        PyErr_SetString(PyExc_IndexError, pg_message());
        break;
    case PG_BAD_TYPE:
        PyErr_SetString(dtype_error, pg_message());
        break;
    }
    return NULL;
}

/* ---- methods ----------------------------------------------------------------------------------------------------- */

static PyObject *value_backward(PyObject *self, PyObject *unused)
{
    (void)unused;
    Py_INCREF(self);
    pg_status status = pg_walk_backward(pg_value_of(self), pg_call_rule);
    Py_DECREF(self);
    if (status != PG_OK)
        return pg_raise(status);
    Py_RETURN_NONE;
}

#define UNARY(name, ...) \
    static PyObject *method_##name(PyObject *self, PyObject *unused) \
    { \
        (void)unused; \
        return pg_apply_unary(PG_OP_##name, self); \
    }
#define BINARY(name, ...) \
    static PyObject *method_##name(PyObject *self, PyObject *other) \
    { \
        return binary_method(PG_OP_##name, self, other); \
    }
static PyObject *binary_method(int op, PyObject *self, PyObject *other)
{
    PyObject *result = pg_apply_binary(op, self, other);
    if (result != Py_NotImplemented)
        return result;
    Py_DECREF(result);
    return PyErr_Format(PyExc_TypeError, "Value.%s() takes a Value or a real number, not %R of type %S",
                        pg_op_row(op)->name, other, (PyObject *)Py_TYPE(other));
}
#include "ops/ops.def"
#undef UNARY
#undef BINARY

static PyMethodDef value_methods[] = {
    {"backward", value_backward, METH_NOARGS,
     "backward($self, /)\n--\n\n"
     "Compute the derivative of this value with respect to every value it depends on.\n\n"
     "Gradients of leaves are added to; those of the values in between are set; this\n"
     "value's own becomes 1. Depth is no limit. Rules read inputs as they stand and\n"
     "outputs as they were computed.\n\n"
     "Raises\n------\nRuntimeError\n    When part of the graph is being walked by another backward().\n"},
#define UNARY(name, symbol, saves, value, da, domain, doc) \
    {#name, method_##name, METH_NOARGS, #name "($self, /)\n--\n\nReturn " doc " (a is this value)."},
#define BINARY(name, symbol, saves, value, da, db, domain_a, domain_b, doc) \
    {#name, method_##name, METH_O, #name "($self, b, /)\n--\n\nReturn " doc " (a is this value)."},
#include "ops/ops.def"
#undef UNARY
#undef BINARY
    {NULL, NULL, 0, NULL},
};

/* ---- the type ---------------------------------------------------------------------------------------------------- */

/* By identity, as object's: nodes go into sets and dicts by the thousand. */
static Py_hash_t value_hash(PyObject *self)
{
    const uintptr_t address = (uintptr_t)self;
    const Py_hash_t hash = (Py_hash_t)(address >> 4 | address << (8 * sizeof address - 4));
    return hash == -1 ? -2 : hash;
}

static PyTypeObject *make_type(void)
{
    static const PyType_Slot own[] = {
        {Py_tp_doc, "Value(data, children=(), op='', label='')\n--\n\n"}, /* the text is in value.py */
        {Py_tp_new, pg_value_tp_new},
        {Py_tp_init, pg_value_tp_init},
        {Py_tp_dealloc, pg_value_tp_dealloc},
        {Py_tp_traverse, pg_value_tp_traverse},
        {Py_tp_clear, pg_value_tp_clear},
        {Py_tp_setattro, pg_value_setattro},
        {Py_tp_richcompare, pg_value_richcompare},
        {Py_tp_hash, value_hash},
        {Py_tp_repr, pg_value_repr},
        {Py_tp_getset, pg_value_getset},
        {Py_tp_methods, value_methods},
    };
    enum { OWN = sizeof own / sizeof *own };
    PyType_Slot slots[OWN + 32];
    memcpy(slots, own, sizeof own);
    int n = OWN;
    for (const PyType_Slot *slot = pg_number_slots; slot->slot != 0; slot++)
        slots[n++] = *slot;
    slots[n] = (PyType_Slot){0, NULL};
    PyType_Spec spec = {.name = "pygrad.Value",
                        .basicsize = sizeof(pg_object),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                        .slots = slots};
    return (PyTypeObject *)PyType_FromSpec(&spec);
}

static PyObject *make_module(int64_t gc_head_bytes)
{
    static PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "pygrad._native", .m_size = -1,
                                     .m_methods = pg_list_functions};
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL)
        return NULL;
    pg_value_type = intern_names() && pg_user_attributes_setup() ? make_type() : NULL;
    if (pg_value_type == NULL || !pg_lifetime_setup(pg_value_type, gc_head_bytes) ||
        PyModule_AddObjectRef(module, "Value", (PyObject *)pg_value_type) < 0 || !make_errors(module) ||
        !pg_tensor_types_setup(module, gc_head_bytes))
        Py_CLEAR(module);
    return module;
}

void *pg_python_module(int64_t gc_head_bytes)
{
    static PyObject *module;
    PyGILState_STATE gil = PyGILState_Ensure(); /* cffi has let it go */
    if (module == NULL)
        module = make_module(gc_head_bytes);
    if (module == NULL)
        PyErr_Clear(); /* cffi would not pass it on; the caller sees the NULL */
    Py_XINCREF(module);
    PyGILState_Release(gil);
    return module;
}
