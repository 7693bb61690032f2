/* Pieces, diagonals and elements elsewhere, as functions of `pygrad._native`; pygrad/pieces.py and pygrad/arrange.py
 * document them. */
#include "python/tensor_object.h"

/* ---- several tensors ------------------------------------------------------------------------------------------------ */

/* A tuple that takes over tensors[n], and frees them and the array; NULL raises. */
static PyObject *wrapped_all(pg_status status, Py_ssize_t n, pg_tensor **tensors)
{
    PyObject *result = status == PG_OK ? PyTuple_New(n) : pg_raise(status);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (result == NULL) {
            pg_tensor_release(tensors[i]);
            continue;
        }
        PyObject *item = pg_wrap(tensors[i]);
        if (item == NULL || PyTuple_SetItem(result, i, item) != 0)
            Py_CLEAR(result);
    }
    PyMem_Free(tensors);
    return result;
}

/* NULL raises. */
static pg_tensor **room_for(Py_ssize_t n)
{
    pg_tensor **const tensors = PyMem_Calloc((size_t)n + 1, sizeof *tensors);
    if (tensors == NULL)
        PyErr_NoMemory();
    return tensors;
}

/* tensor_split(t, sizes, dim) -> a tuple; sizes is a list of ints, not bounded by the number of dimensions */
static PyObject *tensor_split(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *t;
    PyObject *list;
    long long dim;
    if (!PyArg_ParseTuple(args, "O&O!L", pg_to_tensor, &t, &PyList_Type, &list, &dim))
        return NULL;
    pg_reread_tensors(args, 1, (pg_tensor * *[]){&t});
    const Py_ssize_t n = PyList_Size(list);
    int64_t *const sizes = PyMem_Malloc(((size_t)n + 1) * sizeof *sizes);
    if (sizes == NULL)
        return PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < n; i++)
        sizes[i] = PyErr_Occurred() ? 0 : PyLong_AsLongLong(PyList_GetItem(list, i));
    pg_tensor **const out = PyErr_Occurred() ? NULL : room_for(n);
    PyObject *const result = out == NULL ? NULL : wrapped_all(pg_tensor_split(t, dim, n, sizes, out), n, out);
    PyMem_Free(sizes);
    return result;
}

/* tensor_unbind(t, dim) -> a tuple */
static PyObject *tensor_unbind(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *t;
    long long dim;
    if (!PyArg_ParseTuple(args, "O&L", pg_to_tensor, &t, &dim))
        return NULL;
    pg_reread_tensors(args, 1, (pg_tensor * *[]){&t});
    const long long at = dim < 0 ? dim + t->ndim : dim;
    const Py_ssize_t n = at >= 0 && at < t->ndim ? (Py_ssize_t)t->shape[at] : 0;
    pg_tensor **const out = room_for(n);
    return out == NULL ? NULL : wrapped_all(pg_tensor_unbind(t, dim, out), n, out);
}

/* ---- one tensor ----------------------------------------------------------------------------------------------------- */

static PyObject *tensor_diagonal(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *t;
    long long offset, dim1, dim2;
    if (!PyArg_ParseTuple(args, "O&LLL", pg_to_tensor, &t, &offset, &dim1, &dim2))
        return NULL;
    pg_reread_tensors(args, 1, (pg_tensor * *[]){&t});
    return pg_wrap(pg_tensor_diagonal(t, offset, dim1, dim2));
}

typedef pg_tensor *offset_op(pg_tensor *t, int64_t offset);

static PyObject *with_offset(PyObject *args, offset_op *op)
{
    pg_tensor *t;
    long long offset;
    if (!PyArg_ParseTuple(args, "O&L", pg_to_tensor, &t, &offset))
        return NULL;
    pg_reread_tensors(args, 1, (pg_tensor * *[]){&t});
    return pg_wrap(op(t, offset));
}

#define WITH_OFFSET(name, op) \
    static PyObject *name(PyObject *module, PyObject *args) \
    { \
        (void)module; \
        return with_offset(args, op); \
    }
WITH_OFFSET(tensor_diag, pg_tensor_diag)
WITH_OFFSET(tensor_tril, pg_tensor_tril)
WITH_OFFSET(tensor_triu, pg_tensor_triu)

static PyObject *tensor_flip(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *t;
    pg_sizes dims;
    if (!PyArg_ParseTuple(args, "O&O&", pg_to_tensor, &t, pg_to_sizes, &dims))
        return NULL;
    pg_reread_tensors(args, 1, (pg_tensor * *[]){&t});
    return pg_wrap(pg_tensor_flip(t, dims.n, dims.at));
}

/* tensor_roll(t, shifts, dims or None) */
static PyObject *tensor_roll(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *t;
    pg_sizes by, dims;
    if (!PyArg_ParseTuple(args, "O&O&O&", pg_to_tensor, &t, pg_to_sizes, &by, pg_to_sizes, &dims))
        return NULL;
    pg_reread_tensors(args, 1, (pg_tensor * *[]){&t});
    return pg_wrap(pg_tensor_roll(t, by.n, by.at, dims.n, dims.at));
}

/* tensor_pad(t, before, after, value or None): of the last dimensions; value is a tensor without dimensions */
static PyObject *tensor_pad(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *t, *value;
    pg_sizes before, after;
    if (!PyArg_ParseTuple(args, "O&O&O&O&", pg_to_tensor, &t, pg_to_sizes, &before, pg_to_sizes, &after,
                          pg_to_tensor_or_none, &value))
        return NULL;
    if (before.n != after.n)
        return PyErr_Format(PyExc_ValueError, "pad: %d margins before and %d after", before.n, after.n);
    pg_reread_tensors(args, 1, (pg_tensor * *[]){&t});
    return pg_wrap(pg_tensor_pad(t, before.n, before.at, after.at, value));
}

PyMethodDef pg_arrange_functions[] = {
    {"tensor_split", tensor_split, METH_VARARGS, NULL}, {"tensor_unbind", tensor_unbind, METH_VARARGS, NULL},
    {"tensor_diag", tensor_diag, METH_VARARGS, NULL},   {"tensor_diagonal", tensor_diagonal, METH_VARARGS, NULL},
    {"tensor_tril", tensor_tril, METH_VARARGS, NULL},   {"tensor_triu", tensor_triu, METH_VARARGS, NULL},
    {"tensor_flip", tensor_flip, METH_VARARGS, NULL},   {"tensor_roll", tensor_roll, METH_VARARGS, NULL},
    {"tensor_pad", tensor_pad, METH_VARARGS, NULL},     {NULL, NULL, 0, NULL},
};
