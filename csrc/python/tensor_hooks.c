/* Python in the middle of a backward pass: hooks on gradients, and functions whose rule is written in Python. */
#include "core/anomaly.h"
#include "python/tensor_object.h"

/* ---- hooks: a dict of callables hangs on an output of a node -------------------------------------------------------- */

static bool replace(pg_tensor **grad, PyObject *result)
{
    if (!pg_is_tensor(result)) {
        PyErr_Format(PyExc_TypeError, "a hook has to return a Tensor or None, not %R", result);
        return false;
    }
    pg_tensor *const t = pg_tensor_of(result);
    if (t->dtype != (*grad)->dtype || !pg_same_shape(t, *grad)) {
        PyErr_Format(PyExc_RuntimeError,
                     "a hook has changed the gradient from shape %s and dtype %s to shape %s and dtype %s",
                     PG_SHAPE(*grad), pg_dtype_name[(*grad)->dtype], PG_SHAPE(t), pg_dtype_name[t->dtype]);
        return false;
    }
    pg_tensor_retain(t);
    pg_tensor_release(*grad);
    *grad = t;
    return true;
}

static pg_status run_hooks(void *hooks, pg_tensor **grad)
{
    PyObject *callables = PyDict_Values(hooks); /* of this moment: a hook may remove itself */
    bool good = callables != NULL;
    for (Py_ssize_t i = 0; good && i < PyList_Size(callables); i++) {
        PyObject *argument = pg_wrap(pg_tensor_retain(*grad));
        PyObject *result =
            argument == NULL ? NULL : PyObject_CallFunctionObjArgs(PyList_GetItem(callables, i), argument, NULL);
        Py_XDECREF(argument);
        good = result != NULL && (result == Py_None || replace(grad, result));
        Py_XDECREF(result);
    }
    Py_XDECREF(callables);
    return good ? PG_OK : pg_fail(PG_HOST_ERROR, "a hook raised");
}

static pg_status run_post_hooks(void *hooks)
{
    PyObject *callables = PyDict_Values(hooks);
    bool good = callables != NULL;
    for (Py_ssize_t i = 0; good && i < PyList_Size(callables); i++) {
        PyObject *result = PyObject_CallFunctionObjArgs(PyList_GetItem(callables, i), NULL);
        good = result != NULL;
        Py_XDECREF(result);
    }
    Py_XDECREF(callables);
    return good ? PG_OK : pg_fail(PG_HOST_ERROR, "a hook raised");
}

static void drop_hooks(void *hooks)
{
    Py_DECREF((PyObject *)hooks);
}

void pg_hooks_setup(void)
{
    pg_host.run = run_hooks;
    pg_host.run_post = run_post_hooks;
    pg_host.drop = drop_hooks;
}

/* tensor_hooks(t, post) -> the dict of the hooks on t's gradient; with `post`, of those that run after it has grown, as
 * callables without arguments */
static PyObject *tensor_hooks(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *t;
    int post;
    if (!PyArg_ParseTuple(args, "O&p", pg_to_tensor, &t, &post))
        return NULL;
    pg_node *const node = pg_gradient_node(t);
    if (node == NULL)
        return pg_raise(pg_failure());
    void **const hooks = post ? &node->outputs[t->output].post_hooks : &node->outputs[t->output].hooks;
    if (*hooks == NULL && (*hooks = PyDict_New()) == NULL)
        return NULL;
    return Py_NewRef(*hooks);
}

/* ---- functions in Python -------------------------------------------------------------------------------------------- */

typedef struct {
    PyObject *context; /* has run_backward(saved, grads) -> a tuple, one for each edge */
    PyObject *name;
    int n_outputs;
    struct {
        uint8_t dtype, ndim;
        int64_t shape[PG_MAX_DIMS];
    } outputs[]; /* for the gradients of those that nothing depends on */
} function_params;

static void function_bury(pg_node *node)
{
    function_params *const params = node->params;
    Py_CLEAR(params->context);
    Py_CLEAR(params->name);
}

static const char *function_name(const pg_node *node)
{
    return PyUnicode_AsUTF8AndSize(((const function_params *)node->params)->name, NULL);
}

/* What the context asked to save, with its history: a tuple. */
static PyObject *saved_tensors(pg_node *node)
{
    PyObject *all = PyTuple_New(node->n_saved);
    for (int i = 0; i < node->n_saved && all != NULL; i++) {
        pg_tensor *const t = node->saved[i].tensor;
        PyObject *item = t == NULL ? Py_NewRef(Py_None) : pg_wrap(pg_tensor_retain(t));
        if (item == NULL || PyTuple_SetItem(all, i, item) != 0)
            Py_CLEAR(all);
    }
    return all;
}

static PyObject *gradients_of_outputs(const pg_node *node, pg_tensor *const *grads)
{
    const function_params *const params = node->params;
    PyObject *all = PyTuple_New(params->n_outputs);
    for (int k = 0; k < params->n_outputs && all != NULL; k++) {
        pg_tensor *const g = grads[k] != NULL ? pg_tensor_retain(grads[k])
                                              : pg_tensor_zeros(params->outputs[k].dtype, params->outputs[k].ndim,
                                                                params->outputs[k].shape);
        PyObject *item = pg_wrap(g);
        if (item == NULL || PyTuple_SetItem(all, k, item) != 0)
            Py_CLEAR(all);
    }
    return all;
}

static pg_status function_backward(pg_node *node, pg_tensor *const *grads, pg_tensor **out)
{
    PyObject *context = Py_NewRef(((function_params *)node->params)->context);
    PyObject *saved = saved_tensors(node), *given = saved == NULL ? NULL : gradients_of_outputs(node, grads);
    PyObject *result = given == NULL ? NULL : PyObject_CallMethod(context, "run_backward", "OO", saved, given);
    Py_XDECREF(saved);
    Py_XDECREF(given);
    Py_DECREF(context);
    bool good = result != NULL;
    for (int i = 0; good && i < node->n_edges; i++) {
        PyObject *item = PyTuple_GetItem(result, i); /* run_backward has checked what there is */
        good = item != NULL;
        if (good && item != Py_None && pg_wants(node, i))
            out[i] = pg_tensor_retain(pg_tensor_of(item));
    }
    Py_XDECREF(result);
    return good ? PG_OK : pg_fail(PG_HOST_ERROR, "a function written in Python raised");
}

static const pg_function python_function = {
    .backward = function_backward, .bury = function_bury, .name_of = function_name};

/* The node behind n outputs, with what it saves; NULL with an error set. */
static pg_node *function_node(PyObject *context, PyObject *name, Py_ssize_t n_inputs, pg_tensor *const *inputs,
                              Py_ssize_t n_saved, pg_tensor *const *saved, Py_ssize_t n, pg_tensor *const *outs)
{
    function_params *params;
    if (PyUnicode_AsUTF8AndSize(name, NULL) == NULL) /* which keeps the text for function_name */
        return NULL;
    pg_node *const node = pg_node_new(&python_function, (int)n_inputs, inputs, (int)n_saved, (int)n,
                                      sizeof *params + (size_t)n * sizeof params->outputs[0]);
    if (node == NULL) {
        pg_raise(pg_failure());
        return NULL;
    }
    params = node->params;
    params->context = Py_NewRef(context);
    params->name = Py_NewRef(name);
    params->n_outputs = (int)n;
    for (Py_ssize_t k = 0; k < n; k++) {
        params->outputs[k].dtype = outs[k]->dtype;
        params->outputs[k].ndim = outs[k]->ndim;
        memcpy(params->outputs[k].shape, outs[k]->shape, sizeof params->outputs[k].shape);
    }
    for (Py_ssize_t i = 0; i < n_saved; i++) {
        bool is_output = false;
        for (Py_ssize_t k = 0; k < n; k++)
            is_output |= saved[i]->storage == outs[k]->storage;
        /* An output is saved without its history, which would be a cycle. */
        pg_tensor *const plain = is_output ? pg_tensor_another(saved[i]) : pg_tensor_retain(saved[i]);
        node->broken |= plain == NULL;
        pg_save(node, (int)i, plain);
        pg_tensor_release(plain);
    }
    return node;
}

/* Output k of the node, with its history where it is_differentiable. */
static pg_tensor *function_output(pg_node *node, Py_ssize_t k, pg_tensor *out, PyObject *is_differentiable)
{
    pg_tensor *const t = pg_tensor_another(out);
    if (t != NULL && is_differentiable == Py_True && pg_is_float(t->dtype)) {
        t->node = pg_node_retain(node);
        t->output = (uint32_t)k;
        t->flags |= PG_REQUIRES_GRAD;
        if (node->note != NULL)
            pg_note_output(node->note, t);
    }
    return t;
}

/* function_outputs(context, name, inputs, saved, outputs, differentiable) -> a tuple of the outputs with their history;
 * lists of tensors, and of bools */
static PyObject *function_outputs(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *context, *name, *input_list, *saved_list, *output_list, *flags, *result = NULL;
    if (!PyArg_ParseTuple(args, "OUOOOO!", &context, &name, &input_list, &saved_list, &output_list, &PyList_Type,
                          &flags))
        return NULL;
    Py_ssize_t n_inputs = 0, n_saved = 0, n = 0;
    pg_tensor **const inputs = pg_tensors_of(input_list, "inputs", &n_inputs);
    pg_tensor **const saved = inputs == NULL ? NULL : pg_tensors_of(saved_list, "saved tensors", &n_saved);
    pg_tensor **const outs = saved == NULL ? NULL : pg_tensors_of(output_list, "outputs", &n);
    pg_node *const node = outs == NULL ? NULL : function_node(context, name, n_inputs, inputs, n_saved, saved, n, outs);
    /* All of them before the first object is made: a collection may run any code, also what changes one in place. */
    for (Py_ssize_t k = 0; k < n && node != NULL; k++)
        outs[k] = function_output(node, k, outs[k], PyList_GetItem(flags, k));
    if (node != NULL)
        result = PyTuple_New(n);
    for (Py_ssize_t k = 0; k < n && node != NULL; k++) {
        if (result == NULL) {
            pg_tensor_release(outs[k]);
            continue;
        }
        PyObject *item = pg_wrap(outs[k]);
        if (item == NULL || PyTuple_SetItem(result, k, item) != 0)
            Py_CLEAR(result);
    }
    if (node != NULL && node->broken && result != NULL) {
        Py_CLEAR(result);
        PyErr_NoMemory();
    }
    pg_node_release(node);
    PyMem_Free(outs);
    PyMem_Free(saved);
    PyMem_Free(inputs);
    return result;
}

PyMethodDef pg_hook_functions[] = {
    {"tensor_hooks", tensor_hooks, METH_VARARGS, NULL},
    {"function_outputs", function_outputs, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
