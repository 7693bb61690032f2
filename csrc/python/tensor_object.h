/* `pygrad.Tensor` as a Python object, and what the files that serve it share.
 *
 * The object holds a handle (core/tensor.h) that an operation in place replaces by another, so that who saved the old
 * one keeps its history. Everything happens under the GIL. */
#ifndef PG_PYTHON_TENSOR_OBJECT_H
#define PG_PYTHON_TENSOR_OBJECT_H

#include <Python.h>

#include "core/autograd.h"
#include "ops/promote.h"

typedef struct {
    PyObject_HEAD
    pg_tensor *t;
    PyObject *dict; /* attributes of the user's */
    PyObject *weakrefs;
    bool from_python; /* its memory is not from the pool */
} pg_tensor_object;

extern PyTypeObject *pg_tensor_type;

static inline bool pg_is_tensor(PyObject *object)
{
    return Py_TYPE(object) == pg_tensor_type || PyObject_TypeCheck(object, pg_tensor_type);
}

/* Borrowed. */
static inline pg_tensor *pg_tensor_of(PyObject *object)
{
    return ((pg_tensor_object *)object)->t;
}

/* A new Tensor that takes over the reference to t. NULL raises what pg_failure and pg_message say. */
PyObject *pg_wrap(pg_tensor *t);
/* (values, indices), taking over both references; NULL raises as above when values is NULL. */
PyObject *pg_wrap_pair(pg_tensor *values, pg_tensor *indices);
/* The same as an instance of a subclass. */
PyObject *pg_wrap_as(PyTypeObject *type, pg_tensor *t);
/* Makes the object stand for t, and takes over the reference to it. */
void pg_repoint(PyObject *object, pg_tensor *t);
/* Raises what the status and pg_message say, and returns NULL. */
PyObject *pg_raise(pg_status status);

/* ---- tensor_object.c: slots of the type ---------------------------------------------------------------------------- */

bool pg_tensor_lifetime_setup(PyTypeObject *type, int64_t gc_head_bytes);
void pg_tensor_tp_dealloc(PyObject *self);
int pg_tensor_tp_traverse(PyObject *self, visitproc visit, void *arg);
int pg_tensor_tp_clear(PyObject *self);
int pg_tensor_tp_setattro(PyObject *self, PyObject *name, PyObject *value);

/* ---- tensor_type.c, tensor_number.c, tensor_attributes.c, tensor_node.c --------------------------------------------- */

/* Adds `Tensor` and `Node` to the module. */
bool pg_tensor_types_setup(PyObject *module, int64_t gc_head_bytes);
extern PyType_Slot pg_tensor_number_slots[];
PyObject *pg_tensor_richcompare(PyObject *self, PyObject *other, int comparison);
extern PyGetSetDef pg_tensor_getset[];
extern PyMethodDef pg_tensor_plain_methods[]; /* of tensor_attributes.c */
/* The Python object for a node, None for NULL. */
PyObject *pg_wrap_node(pg_node *node);
bool pg_node_type_setup(PyObject *module);
/* tensor_hooks.c: sets what pg_host does with hooks. */
void pg_hooks_setup(void);

/* What a Python object is as an operand. */
typedef enum { PG_OPERAND_OK, PG_OPERAND_UNKNOWN, PG_OPERAND_ERROR } pg_operand_status;
/* *keep becomes a reference that the caller gives up after the use of the operand, or NULL. */
pg_operand_status pg_read_operand(PyObject *object, pg_operand *operand, PyObject **keep);
/* The same, with a TypeError naming `op` for anything that is no operand. */
bool pg_need_operand(const char *op, PyObject *object, pg_operand *operand, PyObject **keep);
/* To be called for each operand after the last was read: reading may run Python code that changes a tensor in place. */
static inline void pg_reread_operand(PyObject *object, pg_operand *operand)
{
    if (pg_is_tensor(object))
        operand->tensor = pg_tensor_of(object);
}
/* Row `op` of the op table; b NULL for one operand. Py_NotImplemented for what is no operand. */
PyObject *pg_tensor_apply(int op, PyObject *a, PyObject *b);
PyObject *pg_tensor_apply_in_place(int op, PyObject *self, PyObject *b);
/* Gives up t, the result of an operation in place on self, and returns self, which stands for it; NULL raises. */
PyObject *pg_in_place_result(PyObject *self, pg_tensor *t);

/* ---- arguments: converters for O& of PyArg_ParseTuple -------------------------------------------------------------- */

/* pg_tensor *: borrowed; anything else is a TypeError. */
int pg_to_tensor(PyObject *object, void *tensor);
/* pg_tensor *: NULL for None. */
int pg_to_tensor_or_none(PyObject *object, void *tensor);
/* Reads the first n of args again, which the converters above have read into *tensors[n]. For functions whose other
 * arguments are converted by Python code of the user's (__index__, __float__): that code may change a tensor in place,
 * and its handle is another one then. */
void pg_reread_tensors(PyObject *args, int n, pg_tensor **const *tensors);
/* int: the number of a pygrad.dtype. */
int pg_to_dtype(PyObject *object, void *dtype);
/* A new reference to the pygrad.dtype of that number. */
PyObject *pg_dtype_object(int dtype);
/* int: -1 for None. */
int pg_to_dtype_or_none(PyObject *object, void *dtype);

/* Sizes or dimensions: an int, or a sequence of at most PG_MAX_DIMS ints (numpy's too); None gives `none`. */
typedef struct {
    bool none;
    int n;
    int64_t at[PG_MAX_DIMS];
} pg_sizes;
int pg_to_sizes(PyObject *object, void *sizes);

/* A borrowed C array of the tensors of a list or tuple, to be freed with PyMem_Free; NULL with an error set. `what`
 * names the argument. The sequence keeps the tensors alive. */
pg_tensor **pg_tensors_of(PyObject *sequence, const char *what, Py_ssize_t *n);

/* ---- the functions of `pygrad._native`, by file -------------------------------------------------------------------- */

extern PyMethodDef pg_tensor_functions[];       /* tensor_functions.c: elementwise, autograd, matmul */
extern PyMethodDef pg_in_place_functions[];     /* tensor_in_place.c: overwriting, and operations in place */
extern PyMethodDef pg_hook_functions[];         /* tensor_hooks.c: hooks and functions written in Python */
extern PyMethodDef pg_anomaly_functions[];      /* tensor_anomaly.c: where operations ran */
extern PyMethodDef pg_tensor_optim_functions[]; /* tensor_optim.c: optimiser steps */
extern PyMethodDef pg_reduce_functions[];       /* tensor_reduce.c: reductions, softmax, losses */
extern PyMethodDef pg_statistics_functions[];   /* tensor_statistics.c: products, spreads, norms, orders */
extern PyMethodDef pg_shape_functions[];        /* tensor_shape.c: views, cat, stack, indexing */
extern PyMethodDef pg_along_functions[];        /* tensor_along.c: reading and writing at indices */
extern PyMethodDef pg_norm_functions[];         /* tensor_norm.c: normalisation */
extern PyMethodDef pg_arrange_functions[];      /* tensor_arrange.c: pieces, diagonals, elements elsewhere */
extern PyMethodDef pg_creation_functions[];     /* tensor_creation.c: filling, random numbers, exchange with numpy */

#endif
