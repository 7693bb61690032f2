/* From an index written in Python to the items of csrc/pygrad_tensor.h. */
#include "python/tensor_index.h"

#include "ops/index_put.h"

static PyObject *index_helper;

PyObject *pg_set_index_helper(PyObject *module, PyObject *helper)
{
    (void)module;
    PyObject *old = index_helper;
    Py_INCREF(helper);
    index_helper = helper;
    Py_XDECREF(old);
    Py_RETURN_NONE;
}

/* ---- items --------------------------------------------------------------------------------------------------------- */

static bool add_owned(pg_index_key *key, pg_index *item, pg_tensor *tensor)
{
    if (tensor == NULL)
        return false;
    key->tensors[key->owned++] = tensor;
    *item = (pg_index){.kind = PG_INDEX_TENSOR, .tensor = tensor};
    return true;
}

/* A copy of what lies in an array of int64 or of bool, in row-major order. */
static pg_tensor *copy_of_array(PyObject *array)
{
    Py_buffer view;
    if (PyObject_GetBuffer(array, &view, PyBUF_ND) < 0)
        return NULL;
    int64_t shape[PG_MAX_DIMS];
    for (int d = 0; d < view.ndim && d < PG_MAX_DIMS; d++)
        shape[d] = view.shape[d];
    pg_tensor *tensor = NULL;
    if (view.ndim > PG_MAX_DIMS)
        pg_raise(pg_fail(PG_BAD_INDEX, "index: an array of indices has at most %d dimensions, not %d", PG_MAX_DIMS,
                         view.ndim));
    else if ((tensor = pg_tensor_empty(view.itemsize == 1 ? PG_BOOL : PG_INT64, view.ndim, shape)) == NULL)
        pg_raise(pg_failure());
    else
        memcpy(tensor->data, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return tensor;
}

/* Lists, arrays, and whatever else the helper makes an array of. */
static bool add_converted(pg_index_key *key, pg_index *item, PyObject *object)
{
    PyObject *helper = index_helper;
    if (helper == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "pygrad is not fully imported: no helper for indices is registered");
        return false;
    }
    Py_INCREF(helper);
    PyObject *array = PyObject_CallFunctionObjArgs(helper, object, NULL);
    Py_DECREF(helper);
    if (array == NULL)
        return false;
    pg_tensor *tensor = copy_of_array(array);
    Py_DECREF(array);
    return add_owned(key, item, tensor);
}

static bool read_integer(pg_index *item, PyObject *object)
{
    const Py_ssize_t at = PyNumber_AsSsize_t(object, PyExc_IndexError);
    if (at == -1 && PyErr_Occurred())
        return false;
    item->kind = PG_INDEX_AT;
    item->start = at;
    return true;
}

static bool read_slice(pg_index *item, PyObject *object)
{
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(object, &start, &stop, &step) < 0)
        return false;
    *item = (pg_index){.kind = PG_INDEX_SLICE, .start = start, .stop = stop, .step = step};
    return true;
}

static bool read_item(pg_index_key *key, pg_index *item, PyObject *object)
{
    if (PyLong_Check(object) && !PyBool_Check(object))
        return read_integer(item, object);
    if (PySlice_Check(object))
        return read_slice(item, object);
    if (object == Py_None || object == Py_Ellipsis) {
        item->kind = object == Py_None ? PG_INDEX_NEW_AXIS : PG_INDEX_REST;
        return true;
    }
    if (pg_is_tensor(object)) /* kept: reading the rest of the key may run Python code that gives it another handle */
        return add_owned(key, item, pg_tensor_retain(pg_tensor_of(object)));
    /* numpy's integers; its arrays have the slot too, and refuse with a TypeError. */
    if (PyIndex_Check(object) && !PyBool_Check(object)) {
        if (read_integer(item, object))
            return true;
        if (!PyErr_ExceptionMatches(PyExc_TypeError))
            return false;
        PyErr_Clear();
    }
    return add_converted(key, item, object);
}

bool pg_index_key_read(pg_index_key *key, PyObject *object)
{
    key->n = key->owned = 0;
    if (!PyTuple_Check(object)) {
        key->n = 1;
        return read_item(key, &key->items[0], object);
    }
    const Py_ssize_t n = PyTuple_Size(object);
    if (n > PG_INDEX_ITEMS) {
        PyErr_Format(PyExc_IndexError, "too many indices: %zd, at most %d are taken", n, PG_INDEX_ITEMS);
        return false;
    }
    key->n = (int)n;
    for (Py_ssize_t i = 0; i < n; i++)
        if (!read_item(key, &key->items[i], PyTuple_GetItem(object, i)))
            return false;
    return true;
}

void pg_index_key_clear(pg_index_key *key)
{
    while (key->owned > 0)
        pg_tensor_release(key->tensors[--key->owned]);
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

PyObject *pg_tensor_subscript(PyObject *self, PyObject *key)
{
    /* The handle is kept: a helper may run any Python, also an operation in place on self. */
    pg_tensor *t = pg_tensor_retain(pg_tensor_of(self));
    pg_index_key read;
    PyObject *out = NULL;
    if (pg_index_key_read(&read, key))
        out = pg_wrap(pg_tensor_index(t, read.n, read.items));
    pg_index_key_clear(&read);
    pg_tensor_release(t);
    return out;
}

int pg_tensor_assign_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    pg_operand operand;
    PyObject *keep;
    pg_index_key read;
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "elements of a Tensor cannot be deleted");
        return -1;
    }
    if (!pg_need_operand("assignment to an element of a Tensor", value, &operand, &keep))
        return -1;
    pg_tensor *const kept = pg_tensor_retain(operand.tensor);
    PyObject *result = NULL;
    if (pg_index_key_read(&read, key)) /* may run any Python: self's handle is read after it */
        result = pg_in_place_result(self, pg_tensor_put_(pg_tensor_of(self), read.n, read.items, operand));
    pg_index_key_clear(&read);
    pg_tensor_release(kept);
    Py_XDECREF(keep);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

Py_ssize_t pg_tensor_length(PyObject *self)
{
    const pg_tensor *t = pg_tensor_of(self);
    if (t->ndim > 0)
        return (Py_ssize_t)t->shape[0];
    PyErr_SetString(PyExc_TypeError, "len() of a 0-d tensor");
    return -1;
}

PyObject *pg_tensor_row(PyObject *self, Py_ssize_t i)
{
    return pg_wrap(pg_tensor_select(pg_tensor_of(self), 0, i));
}

PyObject *pg_tensor_iterate(PyObject *self)
{
    if (pg_tensor_of(self)->ndim > 0)
        return PySeqIter_New(self);
    PyErr_SetString(PyExc_TypeError, "iteration over a 0-d tensor");
    return NULL;
}
