/* Functions of `pygrad._native` over tensors: elementwise, autograd, matrix products, optimisers. */
#include "python/tensor_object.h"

#include "ops/elementwise.h"
#include "ops/select.h"

PyObject *pg_set_tensor_helpers(PyObject *module, PyObject *args);
PyObject *pg_native_logical(PyObject *module, PyObject *args);

/* ---- elementwise --------------------------------------------------------------------------------------------------- */

/* elementwise(op, a, b or None): row `op`; either operand may be a number or an array */
static PyObject *elementwise(PyObject *module, PyObject *args)
{
    (void)module;
    int op;
    PyObject *objects[2], *keep[2] = {NULL, NULL};
    pg_operand operands[2];
    if (!PyArg_ParseTuple(args, "iOO", &op, &objects[0], &objects[1]))
        return NULL;
    const pg_op_info *const row = pg_op_row(op);
    if (row == NULL)
        return PyErr_Format(PyExc_ValueError, "the op table has no row %d", op);
    PyObject *result = NULL;
    if (pg_need_operand(row->name, objects[0], &operands[0], &keep[0]) &&
        (row->arity < 2 || pg_need_operand(row->name, objects[1], &operands[1], &keep[1]))) {
        pg_reread_operand(objects[0], &operands[0]);
        if (operands[0].tensor == NULL && (row->arity < 2 || operands[1].tensor == NULL))
            PyErr_Format(PyExc_TypeError, "%s takes at least one Tensor, not %R", row->name, objects[0]);
        else
            result = pg_wrap(pg_elementwise(op, operands));
    }
    Py_XDECREF(keep[0]);
    Py_XDECREF(keep[1]);
    return result;
}

static PyObject *where(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *condition;
    PyObject *objects[2], *keep[2] = {NULL, NULL}, *result = NULL;
    pg_operand operands[2];
    if (!PyArg_ParseTuple(args, "O&OO", pg_to_tensor, &condition, &objects[0], &objects[1]))
        return NULL;
    if (pg_need_operand("where", objects[0], &operands[0], &keep[0]) &&
        pg_need_operand("where", objects[1], &operands[1], &keep[1])) {
        pg_reread_tensors(args, 1, (pg_tensor * *[]){&condition});
        pg_reread_operand(objects[0], &operands[0]);
        result = pg_wrap(pg_where(condition, operands));
    }
    Py_XDECREF(keep[0]);
    Py_XDECREF(keep[1]);
    return result;
}

/* clamp(t, min or None, max or None) */
static PyObject *clamp(PyObject *module, PyObject *args)
{
    (void)module;
    pg_operand operands[3];
    PyObject *bounds[2], *keep[2] = {NULL, NULL}, *result = NULL;
    if (!PyArg_ParseTuple(args, "O&OO", pg_to_tensor, &operands[0].tensor, &bounds[0], &bounds[1]))
        return NULL;
    const bool has_low = bounds[0] != Py_None, has_high = bounds[1] != Py_None;
    if ((!has_low || pg_need_operand("clamp", bounds[0], &operands[1], &keep[0])) &&
        (!has_high || pg_need_operand("clamp", bounds[1], &operands[2], &keep[1]))) {
        pg_reread_tensors(args, 1, (pg_tensor * *[]){&operands[0].tensor});
        pg_reread_operand(bounds[0], &operands[1]);
        result = pg_wrap(pg_clamp(operands, has_low, has_high));
    }
    Py_XDECREF(keep[0]);
    Py_XDECREF(keep[1]);
    return result;
}

/* The dtype number that operands would meet in. */
static PyObject *result_type(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *objects[2], *keep[2] = {NULL, NULL}, *result = NULL;
    pg_operand operands[2];
    if (!PyArg_ParseTuple(args, "OO", &objects[0], &objects[1]))
        return NULL;
    if (pg_need_operand("result_type", objects[0], &operands[0], &keep[0]) &&
        pg_need_operand("result_type", objects[1], &operands[1], &keep[1])) {
        pg_reread_operand(objects[0], &operands[0]);
        result = pg_dtype_object(pg_result_type(2, operands));
    }
    Py_XDECREF(keep[0]);
    Py_XDECREF(keep[1]);
    return result;
}

static PyObject *set_default_dtype(PyObject *module, PyObject *args)
{
    (void)module;
    int dtype;
    if (!PyArg_ParseTuple(args, "O&", pg_to_dtype, &dtype))
        return NULL;
    const pg_status status = pg_set_default_dtype(dtype);
    if (status != PG_OK)
        return pg_raise(status);
    Py_RETURN_NONE;
}

static PyObject *to(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *t;
    int dtype;
    if (!PyArg_ParseTuple(args, "O&O&", pg_to_tensor, &t, pg_to_dtype, &dtype))
        return NULL;
    return pg_wrap(pg_tensor_to(t, dtype));
}

/* ---- matrix products ------------------------------------------------------------------------------------------------ */

static PyObject *matmul(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *a, *b;
    if (!PyArg_ParseTuple(args, "O&O&", pg_to_tensor, &a, pg_to_tensor, &b))
        return NULL;
    return pg_wrap(pg_tensor_matmul(a, b));
}

/* linear(x, weight, bias or None) */
static PyObject *linear(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *x, *weight, *bias;
    if (!PyArg_ParseTuple(args, "O&O&O&", pg_to_tensor, &x, pg_to_tensor, &weight, pg_to_tensor_or_none, &bias))
        return NULL;
    return pg_wrap(pg_tensor_linear(x, weight, bias));
}

/* ---- autograd ------------------------------------------------------------------------------------------------------- */

/* backward(root, gradient or None, how) */
static PyObject *backward(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *root, *gradient;
    int how;
    if (!PyArg_ParseTuple(args, "O&O&i", pg_to_tensor, &root, pg_to_tensor_or_none, &gradient, &how))
        return NULL;
    const pg_status status = pg_tensor_backward(root, gradient, how);
    if (status != PG_OK)
        return pg_raise(status);
    Py_RETURN_NONE;
}

/* gradients(roots, gradients, inputs, how) -> a list with None where an input was not reached; an entry of
 * `gradients` may be None */
static PyObject *gradients(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *root_list, *gradient_list, *input_list, *result = NULL;
    int how;
    if (!PyArg_ParseTuple(args, "OO!Oi", &root_list, &PyList_Type, &gradient_list, &input_list, &how))
        return NULL;
    Py_ssize_t n_roots = 0, n = 0;
    pg_tensor **roots = pg_tensors_of(root_list, "outputs", &n_roots);
    pg_tensor **inputs = roots == NULL ? NULL : pg_tensors_of(input_list, "inputs", &n);
    pg_tensor **all = inputs == NULL ? NULL : PyMem_Calloc((size_t)(n_roots + n) + 1, sizeof *all);
    if (all == NULL && inputs != NULL)
        PyErr_NoMemory();
    bool read = all != NULL;
    for (Py_ssize_t i = 0; i < n_roots && read; i++) {
        PyObject *gradient = PyList_GetItem(gradient_list, i);
        read = gradient != NULL && pg_to_tensor_or_none(gradient, &all[i]);
    }
    if (read) {
        pg_tensor **const out = all + n_roots;
        const pg_status status = pg_tensor_gradients((int)n_roots, roots, all, (int)n, inputs, how, out);
        result = status == PG_OK ? PyList_New(n) : pg_raise(status);
        for (Py_ssize_t i = 0; i < n; i++) {
            if (result == NULL) {
                pg_tensor_release(out[i]);
                continue;
            }
            PyObject *item = out[i] != NULL ? pg_wrap(out[i]) : Py_NewRef(Py_None);
            if (item == NULL || PyList_SetItem(result, i, item) != 0)
                Py_CLEAR(result);
        }
    }
    PyMem_Free(all);
    PyMem_Free(inputs);
    PyMem_Free(roots);
    return result;
}

static PyObject *is_grad_enabled(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    return PyBool_FromLong(pg_grad_enabled());
}

/* set_grad_enabled(enabled) -> what was set before */
static PyObject *set_grad_enabled(PyObject *module, PyObject *args)
{
    (void)module;
    int enabled;
    if (!PyArg_ParseTuple(args, "p", &enabled))
        return NULL;
    return PyBool_FromLong(pg_set_grad_enabled(enabled));
}

/* subclass(cls, t, requires_grad): an instance of cls that shares t's memory, a leaf */
static PyObject *subclass(PyObject *module, PyObject *args)
{
    (void)module;
    PyTypeObject *type;
    pg_tensor *t;
    int requires_grad;
    if (!PyArg_ParseTuple(args, "O!O&p", &PyType_Type, &type, pg_to_tensor, &t, &requires_grad))
        return NULL;
    if (!PyType_IsSubtype(type, pg_tensor_type))
        return PyErr_Format(PyExc_TypeError, "%S is no subclass of Tensor", (PyObject *)type);
    PyObject *object = pg_wrap_as(type, pg_tensor_detach(t));
    if (object == NULL)
        return NULL;
    const pg_status status = pg_tensor_set_requires_grad(pg_tensor_of(object), requires_grad);
    if (status == PG_OK)
        return object;
    Py_DECREF(object);
    return pg_raise(status);
}

PyMethodDef pg_tensor_functions[] = {
    {"set_tensor_helpers", pg_set_tensor_helpers, METH_VARARGS, NULL},
    {"tensor_elementwise", elementwise, METH_VARARGS, NULL},
    {"tensor_logical", pg_native_logical, METH_VARARGS, NULL},
    {"tensor_where", where, METH_VARARGS, NULL},
    {"tensor_clamp", clamp, METH_VARARGS, NULL},
    {"tensor_result_type", result_type, METH_VARARGS, NULL},
    {"tensor_set_default_dtype", set_default_dtype, METH_VARARGS, NULL},
    {"tensor_to", to, METH_VARARGS, NULL},
    {"tensor_matmul", matmul, METH_VARARGS, NULL},
    {"tensor_linear", linear, METH_VARARGS, NULL},
    {"tensor_backward", backward, METH_VARARGS, NULL},
    {"tensor_gradients", gradients, METH_VARARGS, NULL},
    {"is_grad_enabled", is_grad_enabled, METH_NOARGS, NULL},
    {"set_grad_enabled", set_grad_enabled, METH_VARARGS, NULL},
    {"tensor_subclass", subclass, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
