/* Reading and writing at indices, as functions of `pygrad._native`; pygrad/indexing.py documents them. */
#include "python/tensor_object.h"

#include "ops/along.h"

/* ---- (tensor, dim, index, tensor) ---------------------------------------------------------------------------------- */

static PyObject *gather(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *t, *index;
    long long dim;
    if (!PyArg_ParseTuple(args, "O&O&L", pg_to_tensor, &t, pg_to_tensor, &index, &dim))
        return NULL;
    pg_reread_tensors(args, 2, (pg_tensor * *[]){&t, &index});
    return pg_wrap(pg_tensor_gather(t, dim, index));
}

static PyObject *index_select(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *t, *index;
    long long dim;
    if (!PyArg_ParseTuple(args, "O&O&L", pg_to_tensor, &t, pg_to_tensor, &index, &dim))
        return NULL;
    pg_reread_tensors(args, 2, (pg_tensor * *[]){&t, &index});
    return pg_wrap(pg_tensor_index_select(t, dim, index));
}

static PyObject *take_along_dim(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *t, *index;
    long long dim;
    if (!PyArg_ParseTuple(args, "O&O&L", pg_to_tensor, &t, pg_to_tensor, &index, &dim))
        return NULL;
    pg_reread_tensors(args, 2, (pg_tensor * *[]){&t, &index});
    return pg_wrap(pg_tensor_take_along_dim(t, index, dim));
}

typedef pg_tensor *adding_op(pg_tensor *self, int64_t dim, pg_tensor *index, pg_tensor *src);

/* (self, index, src, dim), out of place or in place */
static PyObject *add_along(PyObject *args, adding_op *op, bool in_place)
{
    PyObject *object;
    pg_tensor *index, *src;
    long long dim;
    if (!PyArg_ParseTuple(args, "O!O&O&L", pg_tensor_type, &object, pg_to_tensor, &index, pg_to_tensor, &src, &dim))
        return NULL;
    pg_tensor *self = pg_tensor_of(object);
    pg_reread_tensors(args, 3, (pg_tensor * *[]){&self, &index, &src});
    pg_tensor *const out = op(self, dim, index, src);
    return in_place ? pg_in_place_result(object, out) : pg_wrap(out);
}

static PyObject *scatter_add(PyObject *module, PyObject *args)
{
    (void)module;
    return add_along(args, pg_tensor_scatter_add, false);
}

static PyObject *scatter_add_(PyObject *module, PyObject *args)
{
    (void)module;
    return add_along(args, pg_scatter_add_, true);
}

static PyObject *index_add(PyObject *module, PyObject *args)
{
    (void)module;
    return add_along(args, pg_tensor_index_add, false);
}

static PyObject *index_add_(PyObject *module, PyObject *args)
{
    (void)module;
    return add_along(args, pg_index_add_, true);
}

/* ---- with a tensor or a number --------------------------------------------------------------------------------------- */

/* (self, index, src, dim) */
static PyObject *scatter_with(PyObject *args, bool in_place)
{
    PyObject *object, *value, *keep;
    pg_tensor *index;
    pg_operand src;
    long long dim;
    if (!PyArg_ParseTuple(args, "O!O&OL", pg_tensor_type, &object, pg_to_tensor, &index, &value, &dim) ||
        !pg_need_operand("scatter", value, &src, &keep))
        return NULL;
    pg_tensor *self = pg_tensor_of(object), *out;
    pg_reread_tensors(args, 2, (pg_tensor * *[]){&self, &index});
    if (in_place)
        out = pg_scatter_(self, dim, index, src);
    else
        out = src.tensor != NULL ? pg_tensor_scatter(self, dim, index, src.tensor)
                                 : pg_scatter_number(self, dim, index, src.number);
    PyObject *const result = in_place ? pg_in_place_result(object, out) : pg_wrap(out);
    Py_XDECREF(keep);
    return result;
}

static PyObject *scatter(PyObject *module, PyObject *args)
{
    (void)module;
    return scatter_with(args, false);
}

static PyObject *scatter_(PyObject *module, PyObject *args)
{
    (void)module;
    return scatter_with(args, true);
}

/* (self, mask, value) */
static PyObject *masked_fill_with(PyObject *args, bool in_place)
{
    PyObject *object, *given, *keep;
    pg_tensor *mask;
    pg_operand value;
    if (!PyArg_ParseTuple(args, "O!O&O", pg_tensor_type, &object, pg_to_tensor, &mask, &given) ||
        !pg_need_operand("masked_fill", given, &value, &keep))
        return NULL;
    pg_tensor *self = pg_tensor_of(object);
    pg_reread_tensors(args, 2, (pg_tensor * *[]){&self, &mask});
    PyObject *const result = in_place ? pg_in_place_result(object, pg_masked_fill_(self, mask, value))
                                      : pg_wrap(pg_masked_fill(self, mask, value));
    Py_XDECREF(keep);
    return result;
}

static PyObject *masked_fill(PyObject *module, PyObject *args)
{
    (void)module;
    return masked_fill_with(args, false);
}

static PyObject *masked_fill_(PyObject *module, PyObject *args)
{
    (void)module;
    return masked_fill_with(args, true);
}

/* ---- others ---------------------------------------------------------------------------------------------------------- */

static PyObject *masked_select(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *t, *mask;
    if (!PyArg_ParseTuple(args, "O&O&", pg_to_tensor, &t, pg_to_tensor, &mask))
        return NULL;
    return pg_wrap(pg_tensor_masked_select(t, mask));
}

/* embedding(index, weight, padding or None) */
static PyObject *embedding(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *index, *weight;
    PyObject *padding;
    if (!PyArg_ParseTuple(args, "O&O&O", pg_to_tensor, &index, pg_to_tensor, &weight, &padding))
        return NULL;
    int64_t row = 0;
    if (padding != Py_None && (row = PyLong_AsLongLong(padding)) == -1 && PyErr_Occurred())
        return NULL;
    pg_reread_tensors(args, 2, (pg_tensor * *[]){&index, &weight});
    return pg_wrap(pg_tensor_embedding(index, weight, padding != Py_None ? &row : NULL));
}

static PyObject *one_hot(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *t;
    long long classes;
    if (!PyArg_ParseTuple(args, "O&L", pg_to_tensor, &t, &classes))
        return NULL;
    pg_reread_tensors(args, 1, (pg_tensor * *[]){&t});
    return pg_wrap(pg_tensor_one_hot(t, classes));
}

PyMethodDef pg_along_functions[] = {
    {"tensor_gather", gather, METH_VARARGS, NULL},
    {"tensor_index_select", index_select, METH_VARARGS, NULL},
    {"tensor_take_along_dim", take_along_dim, METH_VARARGS, NULL},
    {"tensor_scatter", scatter, METH_VARARGS, NULL},
    {"tensor_scatter_", scatter_, METH_VARARGS, NULL},
    {"tensor_scatter_add", scatter_add, METH_VARARGS, NULL},
    {"tensor_scatter_add_", scatter_add_, METH_VARARGS, NULL},
    {"tensor_index_add", index_add, METH_VARARGS, NULL},
    {"tensor_index_add_", index_add_, METH_VARARGS, NULL},
    {"tensor_masked_fill", masked_fill, METH_VARARGS, NULL},
    {"tensor_masked_fill_", masked_fill_, METH_VARARGS, NULL},
    {"tensor_masked_select", masked_select, METH_VARARGS, NULL},
    {"tensor_embedding", embedding, METH_VARARGS, NULL},
    {"tensor_one_hot", one_hot, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
