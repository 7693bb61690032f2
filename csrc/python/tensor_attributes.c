/* Attributes of `Tensor`, and its methods that take next to nothing. */
#include "python/tensor_index.h"

/* items[t->ndim], which are t's: its shape or its strides. */
static PyObject *tuple_of(pg_tensor *t, const int64_t *items)
{
    pg_tensor_retain(t); /* a new tuple may start a collection, and a finalizer change the tensor in place */
    PyObject *tuple = PyTuple_New(t->ndim);
    for (int i = 0; i < t->ndim && tuple != NULL; i++) {
        PyObject *item = PyLong_FromLongLong(items[i]);
        if (item == NULL || PyTuple_SetItem(tuple, i, item) != 0)
            Py_CLEAR(tuple);
    }
    pg_tensor_release(t);
    return tuple;
}

static PyObject *get_shape(PyObject *self, void *closure)
{
    (void)closure;
    return tuple_of(pg_tensor_of(self), pg_tensor_of(self)->shape);
}

static PyObject *get_ndim(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromLong(pg_tensor_of(self)->ndim);
}

static PyObject *get_dtype(PyObject *self, void *closure)
{
    (void)closure;
    return pg_dtype_object(pg_tensor_of(self)->dtype);
}

static PyObject *get_itemsize(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromLong(pg_itemsize[pg_tensor_of(self)->dtype]);
}

static PyObject *get_nbytes(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromLongLong(pg_tensor_of(self)->numel * pg_itemsize[pg_tensor_of(self)->dtype]);
}

static PyObject *get_version(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromUnsignedLong(pg_tensor_of(self)->storage->version);
}

/* ---- history ------------------------------------------------------------------------------------------------------- */

static PyObject *get_is_leaf(PyObject *self, void *closure)
{
    (void)closure;
    return PyBool_FromLong(pg_is_leaf(pg_tensor_of(self)));
}

static PyObject *get_grad_fn(PyObject *self, void *closure)
{
    (void)closure;
    pg_tensor *const t = pg_tensor_of(self);
    return pg_wrap_node(pg_is_leaf(t) ? NULL : t->node);
}

static PyObject *get_requires_grad(PyObject *self, void *closure)
{
    (void)closure;
    return PyBool_FromLong(pg_tensor_requires_grad(pg_tensor_of(self)));
}

static int set_requires_grad(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    if (value == NULL || !PyBool_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "requires_grad has to be True or False");
        return -1;
    }
    const pg_status status = pg_tensor_set_requires_grad(pg_tensor_of(self), value == Py_True);
    return status == PG_OK ? 0 : (pg_raise(status), -1);
}

static PyObject *requires_grad_(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"requires_grad", NULL};
    PyObject *value = Py_True;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O", keywords, &value) || set_requires_grad(self, value, NULL) != 0)
        return NULL;
    Py_INCREF(self);
    return self;
}

static bool retains(const pg_tensor *t)
{
    return !pg_is_leaf(t) && t->node->outputs[t->output].retains;
}

static PyObject *get_retains_grad(PyObject *self, void *closure)
{
    (void)closure;
    return PyBool_FromLong(retains(pg_tensor_of(self)));
}

static PyObject *retain_grad(PyObject *self, PyObject *unused)
{
    (void)unused;
    pg_tensor *const t = pg_tensor_of(self);
    if (!(t->flags & PG_REQUIRES_GRAD)) {
        PyErr_SetString(PyExc_RuntimeError, "retain_grad: can't retain_grad on a Tensor that has requires_grad=False");
        return NULL;
    }
    if (!pg_is_leaf(t))
        t->node->outputs[t->output].retains = true;
    Py_RETURN_NONE;
}

static PyObject *get_grad(PyObject *self, void *closure)
{
    (void)closure;
    pg_tensor *const t = pg_tensor_of(self), *const grad = pg_tensor_grad(t);
    if (grad != NULL)
        return pg_wrap(pg_tensor_retain(grad));
    if (!pg_is_leaf(t) && !retains(t) &&
        PyErr_WarnEx(
            PyExc_UserWarning,
            "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed: backward() does not fill "
            "it. Call retain_grad() on this tensor first, or read the gradient of the leaf.",
            1) != 0)
        return NULL;
    Py_RETURN_NONE;
}

static int set_grad(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    if (value == Py_None)
        value = NULL;
    if (value != NULL && !pg_is_tensor(value)) {
        PyErr_Format(PyExc_TypeError, "grad has to be a Tensor or None, not %S", (PyObject *)Py_TYPE(value));
        return -1;
    }
    if (value == self) {
        PyErr_SetString(PyExc_RuntimeError, "grad: a tensor cannot be its own gradient");
        return -1;
    }
    const pg_status status = pg_tensor_set_grad(pg_tensor_of(self), value == NULL ? NULL : pg_tensor_of(value));
    return status == PG_OK ? 0 : (pg_raise(status), -1);
}

/* ---- data ---------------------------------------------------------------------------------------------------------- */

static PyObject *detach(PyObject *self, PyObject *unused)
{
    (void)unused;
    return pg_wrap(pg_tensor_detach(pg_tensor_of(self)));
}

static PyObject *detach_(PyObject *self, PyObject *unused)
{
    (void)unused;
    pg_tensor *const t = pg_tensor_detach(pg_tensor_of(self));
    if (t == NULL)
        return pg_raise(pg_failure());
    pg_repoint(self, t);
    return Py_NewRef(self);
}

static PyObject *get_data(PyObject *self, void *closure)
{
    (void)closure;
    return detach(self, NULL);
}

/* The tensor stands for the other's memory from then on; a leaf keeps its gradient and what it requires. */
static int set_data(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    pg_tensor *const t = pg_tensor_of(self);
    if (value == NULL || !pg_is_tensor(value)) {
        PyErr_SetString(PyExc_TypeError, "data has to be a Tensor");
        return -1;
    }
    if (pg_tensor_of(value)->dtype != t->dtype && t->flags & PG_REQUIRES_GRAD) {
        PyErr_SetString(PyExc_RuntimeError, "data: a tensor that requires a gradient cannot change its dtype");
        return -1;
    }
    if (!pg_is_leaf(t) && !pg_same_shape(t, pg_tensor_of(value))) {
        PyErr_Format(PyExc_RuntimeError,
                     "data: a computed tensor of shape %s cannot change its shape to %s: its history would not fit",
                     PG_SHAPE(t), PG_SHAPE(pg_tensor_of(value)));
        return -1;
    }
    pg_tensor *const other = pg_tensor_detach(pg_tensor_of(value));
    if (other == NULL)
        return pg_raise(pg_failure()), -1;
    other->node = pg_node_retain(t->node);
    other->output = t->output;
    other->flags |= t->flags & PG_REQUIRES_GRAD;
    pg_repoint(self, other);
    return 0;
}

static PyObject *get_dict(PyObject *self, void *closure)
{
    PyObject *dict = PyObject_GenericGetDict(self, closure);
    if (dict != NULL && !PyObject_GC_IsTracked(self))
        PyObject_GC_Track(self);
    return dict;
}

PyGetSetDef pg_tensor_getset[] = {
    {"shape", get_shape, NULL, "The sizes of the dimensions, a tuple of ints.", NULL},
    {"ndim", get_ndim, NULL, "The number of dimensions.", NULL},
    {"dtype", get_dtype, NULL, "The type of the elements.", NULL},
    {"itemsize", get_itemsize, NULL, "Bytes of an element.", NULL},
    {"nbytes", get_nbytes, NULL, "Bytes of all elements.", NULL},
    {"_version", get_version, NULL, "How often the memory was changed in place.", NULL},
    {"is_leaf", get_is_leaf, NULL, "Whether this tensor was not computed by a recorded operation.", NULL},
    {"grad_fn", get_grad_fn, NULL, "The node of the operation that computed this tensor; None for a leaf.", NULL},
    {"requires_grad", get_requires_grad, set_requires_grad, "Whether operations on this tensor are recorded.", NULL},
    {"retains_grad", get_retains_grad, NULL, "Whether backward() fills grad though this is not a leaf.", NULL},
    {"grad", get_grad, set_grad, "The gradient that backward() has accumulated, a Tensor, or None.", NULL},
    {"data", get_data, set_data, "The same memory without history.", NULL},
    {"T", pg_tensor_get_T, NULL, "The tensor with its dimensions in reverse order.", NULL},
    {"mT", pg_tensor_get_mT, NULL, "The tensor with its last two dimensions exchanged.", NULL},
    {"__dict__", get_dict, NULL, "Attributes that were set by the user.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* ---- methods ------------------------------------------------------------------------------------------------------- */

/* The shape or the strides, or the one of them that args ask for. */
static PyObject *one_of(PyObject *self, PyObject *args, bool strides, const char *op)
{
    PyObject *dim = Py_None;
    if (!PyArg_ParseTuple(args, "|O", &dim))
        return NULL;
    const long long value = dim == Py_None ? 0 : PyLong_AsLongLong(dim);
    if (value == -1 && PyErr_Occurred())
        return NULL;
    pg_tensor *const t = pg_tensor_of(self);
    const int64_t *const items = strides ? t->strides : t->shape;
    if (dim == Py_None)
        return tuple_of(t, items);
    if (t->ndim == 0)
        return PyErr_Format(PyExc_IndexError, "%s: Dimension specified as %lld but tensor has no dimensions", op,
                            value);
    const int i = pg_wrap_dim(op, value, t->ndim);
    return i < 0 ? pg_raise(pg_failure()) : PyLong_FromLongLong(items[i]);
}

static PyObject *size(PyObject *self, PyObject *args)
{
    return one_of(self, args, false, "size");
}

static PyObject *stride(PyObject *self, PyObject *args)
{
    return one_of(self, args, true, "stride");
}

static PyObject *dim(PyObject *self, PyObject *unused)
{
    (void)unused;
    return get_ndim(self, NULL);
}

static PyObject *numel(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyLong_FromLongLong(pg_tensor_of(self)->numel);
}

static PyObject *element_size(PyObject *self, PyObject *unused)
{
    (void)unused;
    return get_itemsize(self, NULL);
}

static PyObject *is_contiguous(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(pg_is_contiguous(pg_tensor_of(self)));
}

static PyObject *is_floating_point(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(pg_is_float(pg_tensor_of(self)->dtype));
}

static PyObject *data_ptr(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyLong_FromVoidPtr(pg_tensor_of(self)->data);
}

PyMethodDef pg_tensor_plain_methods[] = {
    {"size", size, METH_VARARGS, "size($self, dim=None, /)\n--\n\nReturn the shape, or the size of one dimension."},
    {"stride", stride, METH_VARARGS,
     "stride($self, dim=None, /)\n--\n\nReturn the strides, in elements, or that of one dimension."},
    {"dim", dim, METH_NOARGS, "dim($self, /)\n--\n\nReturn the number of dimensions."},
    {"ndimension", dim, METH_NOARGS, "ndimension($self, /)\n--\n\nReturn the number of dimensions."},
    {"numel", numel, METH_NOARGS, "numel($self, /)\n--\n\nReturn the number of elements."},
    {"nelement", numel, METH_NOARGS, "nelement($self, /)\n--\n\nReturn the number of elements."},
    {"element_size", element_size, METH_NOARGS, "element_size($self, /)\n--\n\nReturn the bytes of an element."},
    {"is_contiguous", is_contiguous, METH_NOARGS,
     "is_contiguous($self, /)\n--\n\nTell whether the elements lie in row-major order without gaps."},
    {"is_floating_point", is_floating_point, METH_NOARGS,
     "is_floating_point($self, /)\n--\n\nTell whether the dtype is float32 or float64."},
    {"data_ptr", data_ptr, METH_NOARGS, "data_ptr($self, /)\n--\n\nReturn the address of the first element."},
    {"detach", detach, METH_NOARGS,
     "detach($self, /)\n--\n\nReturn a tensor that shares the memory and has no history."},
    {"detach_", detach_, METH_NOARGS, "detach_($self, /)\n--\n\nForget the history, and return self."},
    {"requires_grad_", (PyCFunction)(void (*)(void))requires_grad_, METH_VARARGS | METH_KEYWORDS,
     "requires_grad_($self, /, requires_grad=True)\n--\n\nSet requires_grad, and return self."},
    {"retain_grad", retain_grad, METH_NOARGS,
     "retain_grad($self, /)\n--\n\nLet backward() fill grad though this tensor is no leaf."},
    {NULL, NULL, 0, NULL},
};
