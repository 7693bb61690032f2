/* Views, joining and copies, as functions of `pygrad._native`; pygrad/shapes.py documents them. */
#include "python/tensor_index.h"

/* ---- (tensor, sizes) ------------------------------------------------------------------------------------------------ */

typedef pg_tensor *sizes_op(pg_tensor *t, int n, const int64_t *sizes);

static PyObject *with_sizes(PyObject *args, sizes_op *op)
{
    pg_tensor *t;
    pg_sizes sizes;
    if (!PyArg_ParseTuple(args, "O&O&", pg_to_tensor, &t, pg_to_sizes, &sizes))
        return NULL;
    pg_reread_tensors(args, 1, (pg_tensor * *[]){&t});
    return pg_wrap(op(t, sizes.none ? -1 : sizes.n, sizes.at));
}

#define WITH_SIZES(name, op) \
    static PyObject *name(PyObject *module, PyObject *args) \
    { \
        (void)module; \
        return with_sizes(args, op); \
    }
WITH_SIZES(tensor_reshape, pg_tensor_reshape)
WITH_SIZES(tensor_view, pg_tensor_reshape_view)
WITH_SIZES(tensor_permute, pg_tensor_permute)
WITH_SIZES(tensor_expand, pg_tensor_expand)
WITH_SIZES(tensor_squeeze, pg_tensor_squeeze)

/* ---- (tensor, numbers) ---------------------------------------------------------------------------------------------- */

static PyObject *tensor_flatten(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *t;
    long long start, end;
    if (!PyArg_ParseTuple(args, "O&LL", pg_to_tensor, &t, &start, &end))
        return NULL;
    pg_reread_tensors(args, 1, (pg_tensor * *[]){&t});
    return pg_wrap(pg_tensor_flatten(t, start, end));
}

static PyObject *tensor_unsqueeze(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *t;
    long long dim;
    if (!PyArg_ParseTuple(args, "O&L", pg_to_tensor, &t, &dim))
        return NULL;
    pg_reread_tensors(args, 1, (pg_tensor * *[]){&t});
    return pg_wrap(pg_tensor_unsqueeze(t, dim));
}

static PyObject *tensor_transpose(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *t;
    long long a, b;
    if (!PyArg_ParseTuple(args, "O&LL", pg_to_tensor, &t, &a, &b))
        return NULL;
    pg_reread_tensors(args, 1, (pg_tensor * *[]){&t});
    return pg_wrap(pg_tensor_transpose(t, a, b));
}

static PyObject *tensor_narrow(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *t;
    long long dim, start, length;
    if (!PyArg_ParseTuple(args, "O&LLL", pg_to_tensor, &t, &dim, &start, &length))
        return NULL;
    pg_reread_tensors(args, 1, (pg_tensor * *[]){&t});
    return pg_wrap(pg_tensor_narrow(t, dim, start, length));
}

static PyObject *tensor_select(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *t;
    long long dim, index;
    if (!PyArg_ParseTuple(args, "O&LL", pg_to_tensor, &t, &dim, &index))
        return NULL;
    pg_reread_tensors(args, 1, (pg_tensor * *[]){&t});
    return pg_wrap(pg_tensor_select(t, dim, index));
}

/* ---- (tensor) ------------------------------------------------------------------------------------------------------- */

static PyObject *tensor_contiguous(PyObject *module, PyObject *object)
{
    (void)module;
    pg_tensor *t;
    if (!pg_to_tensor(object, &t))
        return NULL;
    if (pg_is_contiguous(t)) {
        Py_INCREF(object);
        return object;
    }
    return pg_wrap(pg_tensor_clone(t));
}

static PyObject *tensor_clone(PyObject *module, PyObject *object)
{
    (void)module;
    pg_tensor *t;
    return pg_to_tensor(object, &t) ? pg_wrap(pg_tensor_clone(t)) : NULL;
}

static PyObject *reversed(pg_tensor *t)
{
    static const int64_t dims[PG_MAX_DIMS] = {-1, -2, -3, -4, -5, -6, -7, -8};
    return pg_wrap(pg_tensor_permute(t, t->ndim, dims));
}

static PyObject *tensor_t(PyObject *module, PyObject *object)
{
    (void)module;
    pg_tensor *t;
    if (!pg_to_tensor(object, &t))
        return NULL;
    if (t->ndim <= 2)
        return reversed(t);
    return pg_raise(pg_fail(PG_BAD_SHAPE,
                            "t() expects a tensor with <= 2 dimensions, not a %d-D tensor of shape %s; "
                            "transpose() and permute() take that",
                            t->ndim, PG_SHAPE(t)));
}

PyObject *pg_tensor_get_T(PyObject *self, void *closure)
{
    (void)closure;
    return reversed(pg_tensor_of(self));
}

PyObject *pg_tensor_get_mT(PyObject *self, void *closure)
{
    (void)closure;
    pg_tensor *t = pg_tensor_of(self);
    if (t->ndim >= 2)
        return pg_wrap(pg_tensor_transpose(t, -2, -1));
    return pg_raise(pg_fail(PG_BAD_SHAPE,
                            "mT is only supported on matrices or batches of matrices, not on a %d-D tensor of shape %s",
                            t->ndim, PG_SHAPE(t)));
}

/* ---- (tensors, dim) ------------------------------------------------------------------------------------------------- */

typedef pg_tensor *join_op(int n, pg_tensor *const *tensors, int64_t dim);

static PyObject *join(PyObject *args, const char *what, join_op *op)
{
    PyObject *sequence;
    long long dim;
    Py_ssize_t n;
    if (!PyArg_ParseTuple(args, "OL", &sequence, &dim))
        return NULL;
    pg_tensor **tensors = pg_tensors_of(sequence, what, &n);
    if (tensors == NULL)
        return NULL;
    PyObject *out = pg_wrap(op(n > INT_MAX ? INT_MAX : (int)n, tensors, dim));
    PyMem_Free(tensors);
    return out;
}

static PyObject *tensor_cat(PyObject *module, PyObject *args)
{
    (void)module;
    return join(args, "cat: tensors", pg_tensor_cat);
}

static PyObject *tensor_stack(PyObject *module, PyObject *args)
{
    (void)module;
    return join(args, "stack: tensors", pg_tensor_stack);
}

PyMethodDef pg_shape_functions[] = {
    {"tensor_reshape", tensor_reshape, METH_VARARGS, NULL},
    {"tensor_view", tensor_view, METH_VARARGS, NULL},
    {"tensor_permute", tensor_permute, METH_VARARGS, NULL},
    {"tensor_expand", tensor_expand, METH_VARARGS, NULL},
    {"tensor_squeeze", tensor_squeeze, METH_VARARGS, NULL},
    {"tensor_flatten", tensor_flatten, METH_VARARGS, NULL},
    {"tensor_unsqueeze", tensor_unsqueeze, METH_VARARGS, NULL},
    {"tensor_transpose", tensor_transpose, METH_VARARGS, NULL},
    {"tensor_narrow", tensor_narrow, METH_VARARGS, NULL},
    {"tensor_select", tensor_select, METH_VARARGS, NULL},
    {"tensor_contiguous", tensor_contiguous, METH_O, NULL},
    {"tensor_clone", tensor_clone, METH_O, NULL},
    {"tensor_t", tensor_t, METH_O, NULL},
    {"tensor_cat", tensor_cat, METH_VARARGS, NULL},
    {"tensor_stack", tensor_stack, METH_VARARGS, NULL},
    {"set_index_helper", pg_set_index_helper, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};
