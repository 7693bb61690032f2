/* Operations in place, as functions of `pygrad._native`. */
#include "python/tensor_object.h"

#include "ops/elementwise.h"
#include "ops/fill.h"
#include "ops/rewrite.h"

/* ---- overwriting ---------------------------------------------------------------------------------------------------- */

/* copy_(self, source): broadcast and converted */
static PyObject *copy_(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *self;
    pg_tensor *source;
    if (!PyArg_ParseTuple(args, "O!O&", pg_tensor_type, &self, pg_to_tensor, &source))
        return NULL;
    return pg_in_place_result(self, pg_tensor_copy_(pg_tensor_of(self), source));
}

static PyObject *fill_(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *self, *value, *keep;
    pg_operand operand;
    if (!PyArg_ParseTuple(args, "O!O", pg_tensor_type, &self, &value) ||
        !pg_need_operand("fill_", value, &operand, &keep))
        return NULL;
    PyObject *result = pg_in_place_result(self, pg_tensor_fill_(pg_tensor_of(self), operand));
    Py_XDECREF(keep);
    return result;
}

/* ---- what was computed beside -------------------------------------------------------------------------------------- */

/* What a function that is to compute the next elements of self takes for self. Backward reads what it saves of that
 * after self was overwritten, so that it is a copy where anything might be recorded. */
static PyObject *before(PyObject *self)
{
    pg_tensor *const t = pg_tensor_of(self);
    if (pg_grad_enabled() && pg_is_float(t->dtype))
        return pg_wrap(pg_copy_with_history(t));
    return Py_NewRef(self);
}

/* function(first, *args[3:], **kwargs), a tensor. */
static PyObject *computed_beside(PyObject *function, PyObject *first, PyObject *args, PyObject *kwargs)
{
    PyObject *const arguments = PyTuple_GetSlice(args, 2, PyTuple_Size(args));
    if (arguments == NULL)
        return NULL;
    PyTuple_SetItem(arguments, 0, Py_NewRef(first)); /* a fresh tuple: this cannot fail */
    PyObject *const values = PyObject_Call(function, arguments, kwargs);
    Py_DECREF(arguments);
    if (values == NULL || pg_is_tensor(values))
        return values;
    PyErr_Format(PyExc_TypeError, "%S returned no Tensor but %R", function, values);
    Py_DECREF(values);
    return NULL;
}

/* in_place(name, function, self, *args, **kwargs): self becomes function(self, *args, **kwargs), and is returned */
static PyObject *in_place(PyObject *module, PyObject *args, PyObject *kwargs)
{
    (void)module;
    const char *name;
    PyObject *function, *self;
    PyObject *const three = PyTuple_GetSlice(args, 0, 3);
    const bool read =
        three != NULL && PyArg_ParseTuple(three, "sOO!:in_place", &name, &function, pg_tensor_type, &self);
    Py_XDECREF(three); /* args holds the three */
    if (!read)
        return NULL;
    const pg_status status = pg_check_in_place(name, pg_tensor_of(self));
    if (status != PG_OK)
        return pg_raise(status);
    PyObject *const first = before(self), *values = NULL, *result = NULL;
    if (first != NULL)
        values = computed_beside(function, first, args, kwargs);
    if (values != NULL) /* self's handle is read again: the function may have run any Python */
        result = pg_in_place_result(self, pg_put_in_place(name, pg_tensor_of(self), pg_tensor_of(values)));
    Py_XDECREF(first);
    Py_XDECREF(values);
    return result;
}

PyMethodDef pg_in_place_functions[] = {
    {"tensor_copy_", copy_, METH_VARARGS, NULL},
    {"tensor_fill_", fill_, METH_VARARGS, NULL},
    {"tensor_in_place", (PyCFunction)(void (*)(void))in_place, METH_VARARGS | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};
