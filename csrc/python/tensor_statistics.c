/* Products, spreads, norms, running totals and orders for Python: arguments in, one call, a tensor or two out.
 * pygrad/statistics.py and pygrad/ordering.py have their defaults and their texts. */
#include "python/tensor_object.h"

/* (tensor, dim or None, keepdim) */
static PyObject *prod(PyObject *self, PyObject *args)
{
    (void)self;
    pg_tensor *t;
    PyObject *dim;
    int keepdim;
    if (!PyArg_ParseTuple(args, "O&Op:tensor_prod", pg_to_tensor, &t, &dim, &keepdim))
        return NULL;
    int64_t along = 0;
    if (dim != Py_None && (along = PyLong_AsLongLong(dim)) == -1 && PyErr_Occurred())
        return NULL;
    pg_reread_tensors(args, 1, (pg_tensor * *[]){&t});
    return pg_wrap(pg_tensor_prod(t, dim != Py_None ? &along : NULL, keepdim));
}

/* (tensor, dim) */
#define RUNNING(name) \
    static PyObject *name(PyObject *self, PyObject *args) \
    { \
        (void)self; \
        pg_tensor *t; \
        long long dim; \
        if (!PyArg_ParseTuple(args, "O&L:tensor_" #name, pg_to_tensor, &t, &dim)) \
            return NULL; \
        pg_reread_tensors(args, 1, (pg_tensor * *[]){&t}); \
        return pg_wrap(pg_tensor_##name(t, dim)); \
    }
RUNNING(cumsum)
RUNNING(cumprod)
#undef RUNNING

/* (tensor, dims or None, correction, keepdim) */
#define SPREAD(name) \
    static PyObject *name(PyObject *self, PyObject *args) \
    { \
        (void)self; \
        pg_tensor *t; \
        pg_sizes dims; \
        double correction; \
        int keepdim; \
        if (!PyArg_ParseTuple(args, "O&O&dp:tensor_" #name, pg_to_tensor, &t, pg_to_sizes, &dims, &correction, \
                              &keepdim)) \
            return NULL; \
        pg_reread_tensors(args, 1, (pg_tensor * *[]){&t}); \
        return pg_wrap(pg_tensor_##name(t, dims.none ? 0 : dims.n, dims.at, correction, keepdim)); \
    }
SPREAD(var)
SPREAD(std)
#undef SPREAD

/* (tensor, p, dims or None, keepdim) */
static PyObject *norm(PyObject *self, PyObject *args)
{
    (void)self;
    pg_tensor *t;
    double p;
    pg_sizes dims;
    int keepdim;
    if (!PyArg_ParseTuple(args, "O&dO&p:tensor_norm", pg_to_tensor, &t, &p, pg_to_sizes, &dims, &keepdim))
        return NULL;
    pg_reread_tensors(args, 1, (pg_tensor * *[]){&t});
    return pg_wrap(pg_tensor_norm(t, p, dims.none ? 0 : dims.n, dims.at, keepdim));
}

/* ---- orders ------------------------------------------------------------------------------------------------------ */

/* (tensor, dim, descending) -> (values, indices) */
static PyObject *sort(PyObject *self, PyObject *args)
{
    (void)self;
    pg_tensor *t, *indices = NULL;
    long long dim;
    int descending;
    if (!PyArg_ParseTuple(args, "O&Lp:tensor_sort", pg_to_tensor, &t, &dim, &descending))
        return NULL;
    pg_reread_tensors(args, 1, (pg_tensor * *[]){&t});
    pg_tensor *const values = pg_tensor_sort(t, dim, descending, &indices);
    return pg_wrap_pair(values, indices);
}

/* (tensor, k, dim, largest) -> (values, indices) */
static PyObject *topk(PyObject *self, PyObject *args)
{
    (void)self;
    pg_tensor *t, *indices = NULL;
    long long k, dim;
    int largest;
    if (!PyArg_ParseTuple(args, "O&LLp:tensor_topk", pg_to_tensor, &t, &k, &dim, &largest))
        return NULL;
    pg_reread_tensors(args, 1, (pg_tensor * *[]){&t});
    pg_tensor *const values = pg_tensor_topk(t, k, dim, largest, &indices);
    return pg_wrap_pair(values, indices);
}

/* (tensor, dim, keepdim) -> (values, indices) */
static PyObject *median_along(PyObject *self, PyObject *args)
{
    (void)self;
    pg_tensor *t, *indices = NULL;
    long long dim;
    int keepdim;
    if (!PyArg_ParseTuple(args, "O&Lp:tensor_median_along", pg_to_tensor, &t, &dim, &keepdim))
        return NULL;
    pg_reread_tensors(args, 1, (pg_tensor * *[]){&t});
    pg_tensor *const values = pg_tensor_median_along(t, dim, keepdim, &indices);
    return pg_wrap_pair(values, indices);
}

/* (tensor) */
#define OF_ALL(name) \
    static PyObject *name(PyObject *self, PyObject *object) \
    { \
        (void)self; \
        pg_tensor *t; \
        return pg_to_tensor(object, &t) ? pg_wrap(pg_tensor_##name(t)) : NULL; \
    }
OF_ALL(median)
OF_ALL(nonzero)
#undef OF_ALL

/* ---- the table --------------------------------------------------------------------------------------------------- */

#define TUPLE(name) \
    { \
        "tensor_" #name, name, METH_VARARGS, NULL \
    }
PyMethodDef pg_statistics_functions[] = {
    TUPLE(prod),
    TUPLE(cumsum),
    TUPLE(cumprod),
    TUPLE(var),
    TUPLE(std),
    TUPLE(norm),
    TUPLE(sort),
    TUPLE(topk),
    TUPLE(median_along),
    {"tensor_median", median, METH_O, NULL},
    {"tensor_nonzero", nonzero, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};
