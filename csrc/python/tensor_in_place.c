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

/* (name, function, self) of args, which holds them. */
static bool read_three(PyObject *args, const char **name, PyObject **function, PyObject **self)
{
    PyObject *const three = PyTuple_GetSlice(args, 0, 3);
    const bool read = three != NULL && PyArg_ParseTuple(three, "sOO!", name, function, pg_tensor_type, self);
    Py_XDECREF(three);
    return read;
}

/* in_place(name, function, self, *args, **kwargs): self becomes function(self, *args, **kwargs), and is returned */
static PyObject *in_place(PyObject *module, PyObject *args, PyObject *kwargs)
{
    (void)module;
    const char *name;
    PyObject *function, *self;
    if (!read_three(args, &name, &function, &self))
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

/* ---- another geometry ---------------------------------------------------------------------------------------------- */

/* A leaf that requires a gradient keeps no history of its shapes, so that nothing may depend on the one it has. */
static pg_status check_leaf(const char *name, const pg_tensor *t)
{
    if (pg_grad_enabled())
        return pg_fail(PG_BAD_STATE,
                       "%s: a leaf Variable that requires grad is being used in an in-place operation: change it under "
                       "no_grad()",
                       name);
    const pg_output *const output = t->node == NULL ? NULL : &t->node->outputs[0];
    if (output != NULL && (t->node->refs > 1 || output->grad != NULL || output->hooks != NULL || output->post_hooks))
        return pg_fail(
            PG_BAD_STATE,
            "%s: the leaf of shape %s has a gradient, hooks, or results that were computed from it, which are "
            "of that shape: use a view of it",
            name, PG_SHAPE(t));
    return PG_OK;
}

/* self's next handle: the view's geometry and history. */
static pg_tensor *seen_as(pg_tensor *t, pg_tensor *view, bool is_wanted_leaf)
{
    pg_tensor *const out = pg_tensor_another(view);
    if (out == NULL)
        return NULL;
    out->flags = (uint8_t)((out->flags & ~PG_UNTRACKED) | (t->flags & PG_UNTRACKED) | (view->flags & PG_REQUIRES_GRAD));
    if (is_wanted_leaf) {
        out->flags |= PG_REQUIRES_GRAD;
        return out;
    }
    out->node = pg_node_retain(view->node);
    out->output = view->output;
    if (!pg_is_leaf(t) && !pg_is_leaf(out) && t->node->outputs[t->output].retains)
        out->node->outputs[out->output].retains = true;
    return out;
}

/* view_in_place(name, function, self, *args, **kwargs): self becomes the view of it that the function returns. That is
 * recorded even under no_grad(), because a tensor of another shape cannot keep its history. */
static PyObject *view_in_place(PyObject *module, PyObject *args, PyObject *kwargs)
{
    (void)module;
    const char *name;
    PyObject *function, *self;
    if (!read_three(args, &name, &function, &self))
        return NULL;
    const bool is_wanted_leaf = pg_tensor_of(self)->flags & PG_REQUIRES_GRAD && pg_is_leaf(pg_tensor_of(self));
    const pg_status status = is_wanted_leaf ? check_leaf(name, pg_tensor_of(self)) : PG_OK;
    if (status != PG_OK)
        return pg_raise(status);
    const int recording = pg_set_grad_enabled(!is_wanted_leaf);
    PyObject *const view = computed_beside(function, self, args, kwargs);
    pg_set_grad_enabled(recording);
    if (view == NULL)
        return NULL;
    pg_tensor *const next = seen_as(pg_tensor_of(self), pg_tensor_of(view), is_wanted_leaf);
    Py_DECREF(view);
    if (next == NULL)
        return pg_raise(pg_failure());
    pg_bump(next);
    pg_repoint(self, next);
    return Py_NewRef(self);
}

PyMethodDef pg_in_place_functions[] = {
    {"tensor_copy_", copy_, METH_VARARGS, NULL},
    {"tensor_fill_", fill_, METH_VARARGS, NULL},
    {"tensor_in_place", (PyCFunction)(void (*)(void))in_place, METH_VARARGS | METH_KEYWORDS, NULL},
    {"tensor_view_in_place", (PyCFunction)(void (*)(void))view_in_place, METH_VARARGS | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};
