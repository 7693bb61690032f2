/* Normalisation as functions of `pygrad._native`; pygrad/normalization.py documents them. */
#include "python/tensor_object.h"

/* layer_norm(x, weight or None, bias or None, normalized_shape, eps) */
static PyObject *layer_norm(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *x, *weight, *bias;
    pg_sizes shape;
    double eps;
    if (!PyArg_ParseTuple(args, "O&O&O&O&d", pg_to_tensor, &x, pg_to_tensor_or_none, &weight, pg_to_tensor_or_none,
                          &bias, pg_to_sizes, &shape, &eps))
        return NULL;
    pg_reread_tensors(args, 3, (pg_tensor * *[]){&x, &weight, &bias});
    return pg_wrap(pg_tensor_layer_norm(x, shape.n, shape.at, weight, bias, eps));
}

/* rms_norm(x, weight or None, normalized_shape, eps or None) */
static PyObject *rms_norm(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *x, *weight;
    pg_sizes shape;
    PyObject *given;
    if (!PyArg_ParseTuple(args, "O&O&O&O", pg_to_tensor, &x, pg_to_tensor_or_none, &weight, pg_to_sizes, &shape,
                          &given))
        return NULL;
    double eps = 0.0;
    if (given != Py_None && (eps = PyFloat_AsDouble(given)) == -1.0 && PyErr_Occurred())
        return NULL;
    pg_reread_tensors(args, 2, (pg_tensor * *[]){&x, &weight});
    return pg_wrap(pg_tensor_rms_norm(x, shape.n, shape.at, weight, given != Py_None ? &eps : NULL));
}

/* batch_norm(x, running_mean, running_var, weight, bias, training, momentum, eps), of which tensors but x may be None */
static PyObject *batch_norm(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *x, *mean, *variance, *weight, *bias;
    int training;
    double momentum, eps;
    if (!PyArg_ParseTuple(args, "O&O&O&O&O&pdd", pg_to_tensor, &x, pg_to_tensor_or_none, &mean, pg_to_tensor_or_none,
                          &variance, pg_to_tensor_or_none, &weight, pg_to_tensor_or_none, &bias, &training, &momentum,
                          &eps))
        return NULL;
    pg_reread_tensors(args, 5, (pg_tensor * *[]){&x, &mean, &variance, &weight, &bias});
    return pg_wrap(pg_tensor_batch_norm(x, mean, variance, weight, bias, training, momentum, eps));
}

PyMethodDef pg_norm_functions[] = {
    {"tensor_layer_norm", layer_norm, METH_VARARGS, NULL},
    {"tensor_rms_norm", rms_norm, METH_VARARGS, NULL},
    {"tensor_batch_norm", batch_norm, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
