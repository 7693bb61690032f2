/* The type `pygrad.Tensor`. */
#include "python/tensor_index.h"

#include <structmember.h>

/* ---- methods of the op table: tanh(), tanh_(), maximum(other), ... ------------------------------------------------- */

static PyObject *needed(int op, PyObject *result, PyObject *other)
{
    if (result != Py_NotImplemented)
        return result;
    Py_DECREF(result);
    return PyErr_Format(PyExc_TypeError, "Tensor.%s() takes a Tensor, an array or a real number, not %R of type %S",
                        pg_op_row(op)->name, other, (PyObject *)Py_TYPE(other));
}

#define UNARY(name, ...) \
    static PyObject *method_##name(PyObject *self, PyObject *unused) \
    { \
        (void)unused; \
        return pg_tensor_apply(PG_OP_##name, self, NULL); \
    } \
    static PyObject *in_place_##name(PyObject *self, PyObject *unused) \
    { \
        (void)unused; \
        return pg_tensor_apply_in_place(PG_OP_##name, self, NULL); \
    }
#define BINARY(name, ...) \
    static PyObject *method_##name(PyObject *self, PyObject *other) \
    { \
        return needed(PG_OP_##name, pg_tensor_apply(PG_OP_##name, self, other), other); \
    } \
    static PyObject *in_place_##name(PyObject *self, PyObject *other) \
    { \
        return needed(PG_OP_##name, pg_tensor_apply_in_place(PG_OP_##name, self, other), other); \
    }
#include "ops/ops.def"
#undef UNARY
#undef BINARY

static PyMethodDef row_methods[] = {
#define UNARY(name, symbol, saves, value, da, domain, doc) \
    {#name, method_##name, METH_NOARGS, #name "($self, /)\n--\n\nReturn " doc ", for each element a."}, \
        {#name "_", in_place_##name, METH_NOARGS, #name "_($self, /)\n--\n\nThe same in place; returns self."},
#define BINARY(name, symbol, saves, value, da, db, domain_a, domain_b, doc) \
    {#name, method_##name, METH_O, \
     #name "($self, b, /)\n--\n\nReturn " doc ", for each element a and its partner in b."}, \
        {#name "_", in_place_##name, METH_O, #name "_($self, b, /)\n--\n\nThe same in place; returns self."},
#include "ops/ops.def"
#undef UNARY
#undef BINARY
    {NULL, NULL, 0, NULL},
};

/* ---- the type ------------------------------------------------------------------------------------------------------ */

static PyObject *tensor_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *make = PyObject_GetAttrString((PyObject *)pg_tensor_type, "_make");
    PyObject *plain = make == NULL ? NULL : PyObject_Call(make, args, kwargs);
    Py_XDECREF(make);
    if (plain == NULL || type == pg_tensor_type)
        return plain;
    PyObject *object = pg_wrap_as(type, pg_tensor_detach(pg_tensor_of(plain)));
    if (object != NULL && pg_tensor_requires_grad(pg_tensor_of(plain)))
        pg_tensor_of(object)->flags |= PG_REQUIRES_GRAD;
    Py_DECREF(plain);
    return object;
}

/* By identity, as object's: equality is elementwise. */
static Py_hash_t tensor_hash(PyObject *self)
{
    const Py_hash_t hash = (Py_hash_t)((uintptr_t)self >> 4);
    return hash == -1 ? -2 : hash;
}

static PyTypeObject *make_type(void)
{
    static PyMemberDef members[] = {
        {"__dictoffset__", T_PYSSIZET, offsetof(pg_tensor_object, dict), READONLY, NULL},
        {"__weaklistoffset__", T_PYSSIZET, offsetof(pg_tensor_object, weakrefs), READONLY, NULL},
        {NULL, 0, 0, 0, NULL},
    };
    static const PyType_Slot own[] = {
        {Py_tp_new, tensor_new},
        {Py_tp_dealloc, pg_tensor_tp_dealloc},
        {Py_tp_traverse, pg_tensor_tp_traverse},
        {Py_tp_clear, pg_tensor_tp_clear},
        {Py_tp_setattro, pg_tensor_tp_setattro},
        {Py_tp_richcompare, pg_tensor_richcompare},
        {Py_tp_hash, tensor_hash},
        {Py_tp_getset, pg_tensor_getset},
        {Py_tp_methods, row_methods},
        {Py_tp_members, members},
        {Py_mp_subscript, pg_tensor_subscript},
        {Py_mp_ass_subscript, pg_tensor_assign_subscript},
        {Py_mp_length, pg_tensor_length},
        {Py_sq_item, pg_tensor_row},
        {Py_tp_iter, pg_tensor_iterate},
    };
    enum { OWN = sizeof own / sizeof *own };
    PyType_Slot slots[OWN + 32];
    memcpy(slots, own, sizeof own);
    int n = OWN;
    for (const PyType_Slot *slot = pg_tensor_number_slots; slot->slot != 0; slot++)
        slots[n++] = *slot;
    slots[n] = (PyType_Slot){0, NULL};
    PyType_Spec spec = {.name = "pygrad.Tensor",
                        .basicsize = sizeof(pg_tensor_object),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                        .slots = slots};
    return (PyTypeObject *)PyType_FromSpec(&spec);
}

/* A type takes one table of methods; the others are set on it one by one. */
static bool add_methods(PyTypeObject *type, PyMethodDef *methods)
{
    for (PyMethodDef *method = methods; method->ml_name != NULL; method++) {
        PyObject *descriptor = PyDescr_NewMethod(type, method);
        const bool added =
            descriptor != NULL && PyObject_SetAttrString((PyObject *)type, method->ml_name, descriptor) == 0;
        Py_XDECREF(descriptor);
        if (!added)
            return false;
    }
    return true;
}

bool pg_tensor_types_setup(PyObject *module, int64_t gc_head_bytes)
{
    pg_hooks_setup();
    pg_tensor_type = make_type();
    return pg_tensor_type != NULL && pg_tensor_lifetime_setup(pg_tensor_type, gc_head_bytes) &&
           add_methods(pg_tensor_type, pg_tensor_plain_methods) &&
           PyModule_AddObjectRef(module, "Tensor", (PyObject *)pg_tensor_type) == 0 && pg_node_type_setup(module) &&
           PyModule_AddFunctions(module, pg_tensor_functions) == 0 &&
           PyModule_AddFunctions(module, pg_in_place_functions) == 0 &&
           PyModule_AddFunctions(module, pg_hook_functions) == 0 &&
           PyModule_AddFunctions(module, pg_anomaly_functions) == 0 &&
           PyModule_AddFunctions(module, pg_tensor_optim_functions) == 0 &&
           PyModule_AddFunctions(module, pg_reduce_functions) == 0 &&
           PyModule_AddFunctions(module, pg_statistics_functions) == 0 &&
           PyModule_AddFunctions(module, pg_shape_functions) == 0 &&
           PyModule_AddFunctions(module, pg_along_functions) == 0 &&
           PyModule_AddFunctions(module, pg_norm_functions) == 0 &&
           PyModule_AddFunctions(module, pg_arrange_functions) == 0 &&
           PyModule_AddFunctions(module, pg_creation_functions) == 0;
}
