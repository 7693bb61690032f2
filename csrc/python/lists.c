/* Functions over lists of values: one node, or one pass, per call. */
#include "python/object.h"

#include "ops/nary.h"

/* ---- nodes over blocks ------------------------------------------------------------------------------------------- */

/* Takes the blocks, `w` may be NULL. */
static PyObject *node_over(int op, double data, pg_block *x, pg_block *w, int input_flags)
{
    pg_object *result = pg_object_new();
    if (result == NULL) {
        pg_block_drop(x);
        pg_block_drop(w);
        return NULL;
    }
    pg_set_blocks(&result->v, op, data, x, w);
    return pg_finished(result, input_flags);
}

static PyObject *list_sum(PyObject *module, PyObject *values)
{
    (void)module;
    int flags = 0;
    pg_block *x = pg_block_from(values, NULL, false, "sum()", &flags);
    return x == NULL ? NULL : node_over(PG_SUM, pg_sum_value(x), x, NULL, flags);
}

static PyObject *list_logsumexp(PyObject *module, PyObject *values)
{
    (void)module;
    int flags = 0;
    pg_block *x = pg_block_from(values, NULL, false, "logsumexp()", &flags);
    return x == NULL ? NULL : node_over(PG_LOGSUMEXP, pg_logsumexp_value(x), x, NULL, flags);
}

static bool same_length(const char *what, int64_t inputs, int64_t weights)
{
    if (inputs == weights)
        return true;
    PyErr_Format(PyExc_ValueError, "%s: %lld inputs for %lld weights", what, (long long)inputs, (long long)weights);
    return false;
}

/* Keeps x, takes w. The node shares x, unless the garbage collector has to follow it (see visit_block). */
static PyObject *fused(int activation, pg_block *x, pg_block *w, int input_flags)
{
    if (input_flags & PG_CONTAGIOUS && (x = pg_block_copy(x)) == NULL) {
        pg_block_drop(w);
        return NULL;
    }
    if (!(input_flags & PG_CONTAGIOUS))
        x->refs++;
    return node_over(PG_FUSED | activation, pg_fused_value(activation, x, w), x, w, input_flags);
}

static PyObject *list_dot(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *first, *second, *result = NULL;
    int flags = 0;
    if (!PyArg_ParseTuple(args, "OO:dot", &first, &second))
        return NULL;
    pg_block *x = pg_block_from(first, NULL, true, "dot() x", &flags);
    pg_block *w = x == NULL ? NULL : pg_block_from(second, NULL, x->numbers == false, "dot() w", &flags);
    if (w != NULL && w->numbers) {
        pg_block *swapped = w;
        w = x;
        x = swapped;
    }
    if (w != NULL && same_length("dot()", x->n, w->n)) {
        result = fused(PG_NO_ACTIVATION, x, w, flags);
        w = NULL;
    }
    pg_block_drop(x);
    pg_block_drop(w);
    return result;
}

/* ---- layers of neurons ------------------------------------------------------------------------------------------- */

/* activation(bias + weights . x) */
static PyObject *neuron(long activation, double parameter, pg_block *x, int x_flags, PyObject *weights, PyObject *bias)
{
    int flags = x_flags;
    if (activation < -1 || activation >= PG_OP_COUNT)
        return PyErr_Format(PyExc_ValueError, "neuron: op %ld is not in the op table", activation);
    pg_block *w = pg_block_from(weights, bias, false, "neuron weights", &flags);
    if (w == NULL)
        return NULL;
    if (!same_length("neuron", x->n, w->n - 1)) {
        pg_block_drop(w);
        return NULL;
    }
    w->parameter = parameter;
    return fused(activation < 0 ? PG_NO_ACTIVATION : (int)activation, x, w, flags);
}

/* A Neuron's w, b, _op (its activation's row in the op table, or -1) and, where that row has two operands, _parameter,
 * applied to x. */
static PyObject *call_neuron(PyObject *object, pg_block *x, int x_flags)
{
    PyObject *result = NULL;
    PyObject *w = PyObject_GetAttr(object, pg_names.w);
    PyObject *b = w == NULL ? NULL : PyObject_GetAttr(object, pg_names.b);
    PyObject *activation = b == NULL ? NULL : PyObject_GetAttr(object, pg_names._op);
    long op = activation == NULL ? -1 : PyLong_AsLong(activation);
    double parameter = 0.0;
    if (op >= 0 && op < PG_OP_COUNT && pg_op_row((int)op)->arity == 2) {
        PyObject *number = PyObject_GetAttr(object, pg_names._parameter);
        parameter = number == NULL ? 0.0 : PyFloat_AsDouble(number);
        Py_XDECREF(number);
    }
    if (!PyErr_Occurred())
        result = neuron(op, parameter, x, x_flags, w, b);
    Py_XDECREF(w);
    Py_XDECREF(b);
    Py_XDECREF(activation);
    return result;
}

/* layer(neurons, inputs, kind): the outputs of a list of neurons, which share the inputs: one Value each. A neuron
 * that is not exactly of type `kind` is called as any Python object. */
static PyObject *list_layer(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *neurons, *inputs, *kind;
    int flags = 0;
    if (!PyArg_ParseTuple(args, "O!OO!:layer", &PyList_Type, &neurons, &inputs, &PyType_Type, &kind))
        return NULL;
    pg_block *x = pg_block_from(inputs, NULL, true, "layer inputs", &flags);
    PyObject *outputs = x == NULL ? NULL : PyList_New(0);
    for (Py_ssize_t i = 0; outputs != NULL && i < PyList_Size(neurons); i++) {
        PyObject *object = PyList_GetItem(neurons, i);
        Py_INCREF(object);
        PyObject *output = (PyObject *)Py_TYPE(object) == kind ? call_neuron(object, x, flags)
                                                               : PyObject_CallFunctionObjArgs(object, inputs, NULL);
        Py_DECREF(object);
        if (output == NULL || PyList_Append(outputs, output) < 0)
            Py_CLEAR(outputs);
        Py_XDECREF(output);
    }
    pg_block_drop(x);
    return outputs;
}

/* ---- optimisers -------------------------------------------------------------------------------------------------- */

/* A buffer of one double per parameter, or none at all where `state` is None. */
static bool open_state(PyObject *state, int64_t n, Py_buffer *view)
{
    view->obj = NULL;
    view->buf = NULL;
    if (state == Py_None)
        return true;
    if (PyObject_GetBuffer(state, view, PyBUF_WRITABLE | PyBUF_FORMAT | PyBUF_C_CONTIGUOUS) < 0)
        return false;
    if (view->itemsize == sizeof(double) && strcmp(view->format, "d") == 0 && view->len == n * (int64_t)sizeof(double))
        return true;
    PyBuffer_Release(view);
    PyErr_Format(PyExc_ValueError, "optimiser state has to be %lld float64 numbers", (long long)n);
    return false;
}

static PyObject *list_zero_grad(PyObject *module, PyObject *params)
{
    (void)module;
    int flags = 0;
    pg_block *block = pg_block_from(params, NULL, false, "zero_grad()", &flags);
    if (block == NULL)
        return NULL;
    pg_zero_grad(block->n, pg_block_inputs(block));
    pg_block_drop(block);
    Py_RETURN_NONE;
}

/* sgd_step(params, step, momentum_state, lr, momentum, dampening, weight_decay, nesterov) */
static PyObject *list_sgd_step(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *params, *state;
    long long step;
    pg_sgd sgd;
    int flags = 0;
    if (!PyArg_ParseTuple(args, "OLOddddp:sgd_step", &params, &step, &state, &sgd.lr, &sgd.momentum, &sgd.dampening,
                          &sgd.weight_decay, &sgd.nesterov))
        return NULL;
    pg_block *block = pg_block_from(params, NULL, false, "parameters", &flags);
    if (block == NULL)
        return NULL;
    Py_buffer momentum;
    bool ready = open_state(state, block->n, &momentum);
    if (ready && momentum.buf == NULL && sgd.momentum != 0.0) {
        PyErr_SetString(PyExc_ValueError, "sgd_step: momentum needs its state");
        ready = false;
    }
    if (ready) {
        pg_sgd_step(&sgd, step, block->n, pg_block_inputs(block), momentum.buf);
        PyBuffer_Release(&momentum);
    }
    pg_block_drop(block);
    if (!ready)
        return NULL;
    Py_RETURN_NONE;
}

/* adam_step(params, step, m, v, lr, beta1, beta2, eps, weight_decay) */
static PyObject *list_adam_step(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *params, *first, *second;
    long long step;
    pg_adam adam;
    int flags = 0;
    if (!PyArg_ParseTuple(args, "OLOOddddd:adam_step", &params, &step, &first, &second, &adam.lr, &adam.beta1,
                          &adam.beta2, &adam.eps, &adam.weight_decay))
        return NULL;
    pg_block *block = pg_block_from(params, NULL, false, "parameters", &flags);
    if (block == NULL)
        return NULL;
    Py_buffer m, v = {.obj = NULL};
    bool ready = open_state(first, block->n, &m);
    if (ready && !open_state(second, block->n, &v)) {
        PyBuffer_Release(&m);
        ready = false;
    }
    if (ready) {
        if (m.buf != NULL && v.buf != NULL)
            pg_adam_step(&adam, step, block->n, pg_block_inputs(block), m.buf, v.buf);
        else
            PyErr_SetString(PyExc_ValueError, "adam_step: both moments are needed");
        ready = m.buf != NULL && v.buf != NULL;
        PyBuffer_Release(&m);
        PyBuffer_Release(&v);
    }
    pg_block_drop(block);
    if (!ready)
        return NULL;
    Py_RETURN_NONE;
}

PyMethodDef pg_list_functions[] = {
    {"sum", list_sum, METH_O, "sum(values, /) -> Value"},
    {"logsumexp", list_logsumexp, METH_O, "logsumexp(values, /) -> Value"},
    {"dot", list_dot, METH_VARARGS, "dot(x, w, /) -> Value"},
    {"layer", list_layer, METH_VARARGS, "layer(neurons, inputs, kind, /) -> list of Value"},
    {"zero_grad", list_zero_grad, METH_O, "zero_grad(params, /)"},
    {"sgd_step", list_sgd_step, METH_VARARGS,
     "sgd_step(params, step, momentum_state, lr, momentum, dampening, weight_decay, nesterov, /)"},
    {"adam_step", list_adam_step, METH_VARARGS,
     "adam_step(params, step, m, v, lr, beta1, beta2, eps, weight_decay, /)"},
    {"set_helpers", pg_set_helpers, METH_VARARGS, "set_helpers(read_operand, elementwise, /)"},
    {NULL, NULL, 0, NULL},
};
