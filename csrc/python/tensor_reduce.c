/* Reductions, softmax and losses for Python: arguments in, one call, a tensor out. pygrad/reductions.py and
 * pygrad/losses.py have their defaults and their texts. */
#include "python/tensor_object.h"

/* ---- over any dimensions: (tensor), or (tensor, dims or None, keepdim) ------------------------------------------- */

typedef pg_tensor *over_dims(pg_tensor *t, int n_dims, const int64_t *dims, int keepdim);

static PyObject *reduce(over_dims *reduction, const char *name, PyObject *const *args, Py_ssize_t n)
{
    pg_tensor *t;
    if (n == 1 && pg_to_tensor(args[0], &t))
        return pg_wrap(reduction(t, 0, NULL, 0));
    if (n != 3)
        return n == 1 ? NULL : PyErr_Format(PyExc_TypeError, "%s() takes 1 or 3 arguments, not %zd", name, n);
    pg_sizes dims;
    if (!pg_to_sizes(args[1], &dims))
        return NULL;
    const int keepdim = PyObject_IsTrue(args[2]);
    /* Last: what is above may run Python code, which may change the tensor in place. */
    return keepdim < 0 || !pg_to_tensor(args[0], &t) ? NULL
                                                     : pg_wrap(reduction(t, dims.none ? 0 : dims.n, dims.at, keepdim));
}

#define OVER_DIMS(name) \
    static PyObject *name(PyObject *self, PyObject *const *args, Py_ssize_t n) \
    { \
        (void)self; \
        return reduce(pg_tensor_##name, "tensor_" #name, args, n); \
    }
OVER_DIMS(sum)
OVER_DIMS(mean)
OVER_DIMS(amax)
OVER_DIMS(amin)
OVER_DIMS(any)
OVER_DIMS(all)
OVER_DIMS(logsumexp)
#undef OVER_DIMS

/* ---- of everything, or along one dimension ----------------------------------------------------------------------- */

#define OF_ALL(name) \
    static PyObject *name(PyObject *self, PyObject *object) \
    { \
        (void)self; \
        pg_tensor *t; \
        return pg_to_tensor(object, &t) ? pg_wrap(pg_tensor_##name(t)) : NULL; \
    }
OF_ALL(max)
OF_ALL(min)
#undef OF_ALL

/* (tensor, dim, keepdim) -> (values, indices) */
#define ALONG(name) \
    static PyObject *name##_along(PyObject *self, PyObject *args) \
    { \
        (void)self; \
        pg_tensor *t, *indices = NULL; \
        long long dim; \
        int keepdim; \
        if (!PyArg_ParseTuple(args, "O&Lp:tensor_" #name "_along", pg_to_tensor, &t, &dim, &keepdim)) \
            return NULL; \
        pg_reread_tensors(args, 1, (pg_tensor * *[]){&t}); \
        pg_tensor *const values = pg_tensor_##name##_along(t, dim, keepdim, &indices); \
        return pg_wrap_pair(values, indices); \
    }
ALONG(max)
ALONG(min)
#undef ALONG

/* (tensor, dim or None, keepdim) */
#define PLACE(name) \
    static PyObject *name(PyObject *self, PyObject *args) \
    { \
        (void)self; \
        pg_tensor *t; \
        PyObject *dim; \
        int keepdim; \
        if (!PyArg_ParseTuple(args, "O&Op:tensor_" #name, pg_to_tensor, &t, &dim, &keepdim)) \
            return NULL; \
        int64_t along = 0; \
        if (dim != Py_None && (along = PyLong_AsLongLong(dim)) == -1 && PyErr_Occurred()) \
            return NULL; \
        pg_reread_tensors(args, 1, (pg_tensor * *[]){&t}); \
        return pg_wrap(pg_tensor_##name(t, dim != Py_None ? &along : NULL, keepdim)); \
    }
PLACE(argmax)
PLACE(argmin)
#undef PLACE

/* (tensor, dim) */
#define ROWS(name) \
    static PyObject *name(PyObject *self, PyObject *args) \
    { \
        (void)self; \
        pg_tensor *t; \
        long long dim; \
        if (!PyArg_ParseTuple(args, "O&L:tensor_" #name, pg_to_tensor, &t, &dim)) \
            return NULL; \
        pg_reread_tensors(args, 1, (pg_tensor * *[]){&t}); \
        return pg_wrap(pg_tensor_##name(t, dim)); \
    }
ROWS(softmax)
ROWS(log_softmax)
#undef ROWS

/* ---- losses: (input, target, weights..., numbers..., mode) ------------------------------------------------------- */

static PyObject *mse_loss(PyObject *self, PyObject *args)
{
    (void)self;
    pg_tensor *input, *target;
    int mode;
    if (!PyArg_ParseTuple(args, "O&O&i:tensor_mse_loss", pg_to_tensor, &input, pg_to_tensor, &target, &mode))
        return NULL;
    return pg_wrap(pg_tensor_mse_loss(input, target, (pg_loss_mode)mode));
}

static PyObject *l1_loss(PyObject *self, PyObject *args)
{
    (void)self;
    pg_tensor *input, *target;
    int mode;
    if (!PyArg_ParseTuple(args, "O&O&i:tensor_l1_loss", pg_to_tensor, &input, pg_to_tensor, &target, &mode))
        return NULL;
    return pg_wrap(pg_tensor_l1_loss(input, target, (pg_loss_mode)mode));
}

static PyObject *huber_loss(PyObject *self, PyObject *args)
{
    (void)self;
    pg_tensor *input, *target;
    double delta;
    int mode;
    if (!PyArg_ParseTuple(args, "O&O&di:tensor_huber_loss", pg_to_tensor, &input, pg_to_tensor, &target, &delta, &mode))
        return NULL;
    pg_reread_tensors(args, 2, (pg_tensor * *[]){&input, &target});
    return pg_wrap(pg_tensor_huber_loss(input, target, delta, (pg_loss_mode)mode));
}

static PyObject *smooth_l1_loss(PyObject *self, PyObject *args)
{
    (void)self;
    pg_tensor *input, *target;
    double beta;
    int mode;
    if (!PyArg_ParseTuple(args, "O&O&di:tensor_smooth_l1_loss", pg_to_tensor, &input, pg_to_tensor, &target, &beta,
                          &mode))
        return NULL;
    pg_reread_tensors(args, 2, (pg_tensor * *[]){&input, &target});
    return pg_wrap(pg_tensor_smooth_l1_loss(input, target, beta, (pg_loss_mode)mode));
}

static PyObject *kl_div(PyObject *self, PyObject *args)
{
    (void)self;
    pg_tensor *input, *target;
    int log_target, mode;
    if (!PyArg_ParseTuple(args, "O&O&pi:tensor_kl_div", pg_to_tensor, &input, pg_to_tensor, &target, &log_target,
                          &mode))
        return NULL;
    pg_reread_tensors(args, 2, (pg_tensor * *[]){&input, &target});
    return pg_wrap(pg_tensor_kl_div(input, target, log_target, (pg_loss_mode)mode));
}

static PyObject *hinge_embedding_loss(PyObject *self, PyObject *args)
{
    (void)self;
    pg_tensor *input, *target;
    double margin;
    int mode;
    if (!PyArg_ParseTuple(args, "O&O&di:tensor_hinge_embedding_loss", pg_to_tensor, &input, pg_to_tensor, &target,
                          &margin, &mode))
        return NULL;
    pg_reread_tensors(args, 2, (pg_tensor * *[]){&input, &target});
    return pg_wrap(pg_tensor_hinge_embedding_loss(input, target, margin, (pg_loss_mode)mode));
}

static PyObject *hinge_loss(PyObject *self, PyObject *args)
{
    (void)self;
    pg_tensor *score, *label;
    int mode;
    if (!PyArg_ParseTuple(args, "O&O&i:tensor_hinge_loss", pg_to_tensor, &score, pg_to_tensor, &label, &mode))
        return NULL;
    return pg_wrap(pg_tensor_hinge_loss(score, label, (pg_loss_mode)mode));
}

static PyObject *binary_cross_entropy(PyObject *self, PyObject *args)
{
    (void)self;
    pg_tensor *input, *target, *weight;
    int mode;
    if (!PyArg_ParseTuple(args, "O&O&O&i:tensor_binary_cross_entropy", pg_to_tensor, &input, pg_to_tensor, &target,
                          pg_to_tensor_or_none, &weight, &mode))
        return NULL;
    return pg_wrap(pg_tensor_binary_cross_entropy(input, target, weight, (pg_loss_mode)mode));
}

static PyObject *binary_cross_entropy_with_logits(PyObject *self, PyObject *args)
{
    (void)self;
    pg_tensor *input, *target, *weight, *pos_weight;
    int mode;
    if (!PyArg_ParseTuple(args, "O&O&O&O&i:tensor_binary_cross_entropy_with_logits", pg_to_tensor, &input, pg_to_tensor,
                          &target, pg_to_tensor_or_none, &weight, pg_to_tensor_or_none, &pos_weight, &mode))
        return NULL;
    return pg_wrap(pg_tensor_binary_cross_entropy_with_logits(input, target, weight, pos_weight, (pg_loss_mode)mode));
}

static PyObject *nll_loss(PyObject *self, PyObject *args)
{
    (void)self;
    pg_tensor *input, *target, *weight;
    long long ignored;
    int mode;
    if (!PyArg_ParseTuple(args, "O&O&O&Li:tensor_nll_loss", pg_to_tensor, &input, pg_to_tensor, &target,
                          pg_to_tensor_or_none, &weight, &ignored, &mode))
        return NULL;
    pg_reread_tensors(args, 3, (pg_tensor * *[]){&input, &target, &weight});
    return pg_wrap(pg_tensor_nll_loss(input, target, weight, ignored, (pg_loss_mode)mode));
}

static PyObject *cross_entropy(PyObject *self, PyObject *args)
{
    (void)self;
    pg_tensor *input, *target, *weight;
    long long ignored;
    double smoothing;
    int mode;
    if (!PyArg_ParseTuple(args, "O&O&O&Ldi:tensor_cross_entropy", pg_to_tensor, &input, pg_to_tensor, &target,
                          pg_to_tensor_or_none, &weight, &ignored, &smoothing, &mode))
        return NULL;
    pg_reread_tensors(args, 3, (pg_tensor * *[]){&input, &target, &weight});
    return pg_wrap(pg_tensor_cross_entropy(input, target, weight, ignored, smoothing, (pg_loss_mode)mode));
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

#define FAST(name) \
    { \
        "tensor_" #name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, NULL \
    }
#define TUPLE(name) \
    { \
        "tensor_" #name, name, METH_VARARGS, NULL \
    }
PyMethodDef pg_reduce_functions[] = {
    FAST(sum),
    FAST(mean),
    FAST(amax),
    FAST(amin),
    FAST(any),
    FAST(all),
    FAST(logsumexp),
    {"tensor_max", max, METH_O, NULL},
    {"tensor_min", min, METH_O, NULL},
    TUPLE(max_along),
    TUPLE(min_along),
    TUPLE(argmax),
    TUPLE(argmin),
    TUPLE(softmax),
    TUPLE(log_softmax),
    TUPLE(mse_loss),
    TUPLE(l1_loss),
    TUPLE(huber_loss),
    TUPLE(smooth_l1_loss),
    TUPLE(kl_div),
    TUPLE(hinge_embedding_loss),
    TUPLE(hinge_loss),
    TUPLE(binary_cross_entropy),
    TUPLE(binary_cross_entropy_with_logits),
    TUPLE(nll_loss),
    TUPLE(cross_entropy),
    {NULL, NULL, 0, NULL},
};
