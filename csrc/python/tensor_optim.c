/* Optimiser steps over lists of tensors: what ops/optim_span.h asks of its caller. */
#include "python/tensor_object.h"

#include "ops/optim_span.h"

enum { MOST_STATES = 2 };

/* One parameter of a step. */
typedef struct {
    pg_tensor *param;
    pg_tensor *values; /* the parameter, or a packed copy of it when its elements lie otherwise */
    pg_tensor *grad;   /* packed */
    pg_tensor *states[MOST_STATES];
} update;

typedef struct {
    Py_ssize_t n;
    update *updates;
} plan;

static void end_plan(plan *p)
{
    for (Py_ssize_t i = 0; i < p->n && p->updates != NULL; i++) {
        pg_tensor_release(p->updates[i].values);
        pg_tensor_release(p->updates[i].grad);
    }
    PyMem_Free(p->updates);
}

static bool check_param(const pg_tensor *t, Py_ssize_t i)
{
    if (!pg_is_float(t->dtype) || !pg_is_leaf(t)) {
        PyErr_Format(PyExc_ValueError, "parameter %zd: a leaf tensor of float32 or float64 is wanted", i);
        return false;
    }
    const pg_tensor *const grad = pg_tensor_grad(t);
    if (grad != NULL && (grad->dtype != t->dtype || !pg_same_shape(grad, t))) {
        PyErr_Format(PyExc_ValueError, "parameter %zd: its gradient has the shape %s and dtype %s, and not %s and %s",
                     i, PG_SHAPE(grad), pg_dtype_name[grad->dtype], PG_SHAPE(t), pg_dtype_name[t->dtype]);
        return false;
    }
    return true;
}

static bool check_state(const pg_tensor *state, const pg_tensor *param, Py_ssize_t i)
{
    if (state->dtype == param->dtype && pg_same_shape(state, param) && pg_is_contiguous(state))
        return true;
    PyErr_Format(PyExc_ValueError, "parameter %zd: its optimiser state has to be contiguous, of shape %s and dtype %s",
                 i, PG_SHAPE(param), pg_dtype_name[param->dtype]);
    return false;
}

/* Everything that can fail, before anything is written. state_lists[states]; NULL entries of no state. */
static bool make_plan(plan *p, PyObject *params, int states, PyObject *const *state_lists)
{
    pg_tensor **const tensors = pg_tensors_of(params, "params", &p->n);
    pg_tensor **state_tensors[MOST_STATES] = {NULL, NULL};
    p->updates = PyMem_Calloc((size_t)p->n + 1, sizeof *p->updates);
    bool good = tensors != NULL && p->updates != NULL;
    for (int k = 0; k < states && good; k++) {
        Py_ssize_t n;
        state_tensors[k] = pg_tensors_of(state_lists[k], "the optimiser's state", &n);
        good = state_tensors[k] != NULL;
        if (good && n != p->n) {
            PyErr_Format(PyExc_ValueError, "there are %zd parameters and %zd states", p->n, n);
            good = false;
        }
    }
    for (Py_ssize_t i = 0; i < p->n && good; i++) {
        update *const u = &p->updates[i];
        u->param = tensors[i];
        good = check_param(u->param, i);
        for (int k = 0; k < states && good; k++)
            good = check_state(u->states[k] = state_tensors[k][i], u->param, i);
        if (!good || pg_tensor_grad(u->param) == NULL)
            continue;
        u->values = pg_tensor_packed(u->param);
        u->grad = pg_tensor_packed(pg_tensor_grad(u->param));
        if (u->values == NULL || u->grad == NULL) {
            pg_raise(pg_failure());
            good = false;
        }
    }
    PyMem_Free(tensors);
    for (int k = 0; k < states; k++)
        PyMem_Free(state_tensors[k]);
    if (!good && !PyErr_Occurred())
        PyErr_NoMemory();
    if (!good)
        end_plan(p);
    return good;
}

static void finish(const update *u)
{
    if (u->values != u->param)
        pg_tensor_assign(u->param, u->values);
    pg_bump(u->param);
}

/* tensor_sgd_step(params, momentum_buffers or None, first_step, lr, momentum, dampening, weight_decay, nesterov) */
static PyObject *sgd_step(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *params, *buffers;
    int first;
    pg_sgd sgd;
    plan p = {0, NULL};
    if (!PyArg_ParseTuple(args, "OOpddddp", &params, &buffers, &first, &sgd.lr, &sgd.momentum, &sgd.dampening,
                          &sgd.weight_decay, &sgd.nesterov))
        return NULL;
    if (sgd.momentum != 0 && buffers == Py_None)
        return PyErr_Format(PyExc_TypeError, "a step with momentum needs momentum_buffers");
    if (!make_plan(&p, params, buffers == Py_None ? 0 : 1, &buffers))
        return NULL;
    for (Py_ssize_t i = 0; i < p.n; i++) {
        const update *const u = &p.updates[i];
        if (u->grad == NULL)
            continue;
        char *const m = u->states[0] == NULL ? NULL : u->states[0]->data, *const values = u->values->data;
        if (u->param->dtype == PG_FLOAT32)
            pg_sgd_span_f32(&sgd, first, u->param->numel, (float *)values, (const float *)u->grad->data, (float *)m);
        else
            pg_sgd_span_f64(&sgd, first, u->param->numel, (double *)values, (const double *)u->grad->data, (double *)m);
        finish(u);
    }
    end_plan(&p);
    Py_RETURN_NONE;
}

/* tensor_adam_step(params, exp_avgs, exp_avg_sqs, step, lr, beta1, beta2, eps, weight_decay) */
static PyObject *adam_step(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *params, *states[2];
    long long step;
    pg_adam adam;
    plan p = {0, NULL};
    if (!PyArg_ParseTuple(args, "OOOLddddd", &params, &states[0], &states[1], &step, &adam.lr, &adam.beta1, &adam.beta2,
                          &adam.eps, &adam.weight_decay) ||
        !make_plan(&p, params, 2, states))
        return NULL;
    for (Py_ssize_t i = 0; i < p.n; i++) {
        const update *const u = &p.updates[i];
        if (u->grad == NULL)
            continue;
        char *const m = u->states[0]->data, *const v = u->states[1]->data;
        if (u->param->dtype == PG_FLOAT32)
            pg_adam_span_f32(&adam, step, u->param->numel, (float *)u->values->data, (const float *)u->grad->data,
                             (float *)m, (float *)v);
        else
            pg_adam_span_f64(&adam, step, u->param->numel, (double *)u->values->data, (const double *)u->grad->data,
                             (double *)m, (double *)v);
        finish(u);
    }
    end_plan(&p);
    Py_RETURN_NONE;
}

/* tensor_zero_grad(params): sets the gradients to None */
static PyObject *zero_grad(PyObject *module, PyObject *params)
{
    (void)module;
    Py_ssize_t n;
    pg_tensor **const tensors = pg_tensors_of(params, "params", &n);
    if (tensors == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < n; i++)
        pg_tensor_set_grad(tensors[i], NULL);
    PyMem_Free(tensors);
    Py_RETURN_NONE;
}

PyMethodDef pg_tensor_optim_functions[] = {
    {"tensor_sgd_step", sgd_step, METH_VARARGS, NULL},
    {"tensor_adam_step", adam_step, METH_VARARGS, NULL},
    {"tensor_zero_grad", zero_grad, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};
