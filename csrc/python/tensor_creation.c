/* Making tensors for Python. */
#include "python/tensor_exchange.h"

/* ---- converters -------------------------------------------------------------------------------------------------- */

/* pg_sizes: as pg_to_sizes, but None is no size. */
static int to_size(PyObject *object, void *size)
{
    if (object != Py_None)
        return pg_to_sizes(object, size);
    PyErr_SetString(PyExc_TypeError, "a size is an int or a sequence of ints, not None");
    return 0;
}

/* pg_rng *: an int, the address of a pygrad.random.Generator's state, whose owner keeps it alive during the call. */
static int to_rng(PyObject *object, void *rng)
{
    *(void **)rng = PyLong_AsVoidPtr(object);
    if (*(void **)rng == NULL && !PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "no generator");
    return *(void **)rng != NULL;
}

/* ---- regular numbers --------------------------------------------------------------------------------------------- */

static PyObject *tensor_empty(PyObject *module, PyObject *args)
{
    (void)module;
    pg_sizes size;
    int dtype;
    if (!PyArg_ParseTuple(args, "O&O&", to_size, &size, pg_to_dtype, &dtype))
        return NULL;
    return pg_made(pg_tensor_empty((pg_dtype)dtype, size.n, size.at));
}

static PyObject *tensor_zeros(PyObject *module, PyObject *args)
{
    (void)module;
    pg_sizes size;
    int dtype;
    if (!PyArg_ParseTuple(args, "O&O&", to_size, &size, pg_to_dtype, &dtype))
        return NULL;
    return pg_made(pg_tensor_zeros((pg_dtype)dtype, size.n, size.at));
}

static PyObject *tensor_full(PyObject *module, PyObject *args)
{
    (void)module;
    pg_sizes size;
    int dtype;
    double value;
    if (!PyArg_ParseTuple(args, "O&O&d", to_size, &size, pg_to_dtype, &dtype, &value))
        return NULL;
    return pg_made(pg_tensor_full((pg_dtype)dtype, size.n, size.at, value));
}

static PyObject *tensor_full_int(PyObject *module, PyObject *args)
{
    (void)module;
    pg_sizes size;
    int dtype;
    long long value;
    if (!PyArg_ParseTuple(args, "O&O&L", to_size, &size, pg_to_dtype, &dtype, &value))
        return NULL;
    return pg_made(pg_tensor_full_int((pg_dtype)dtype, size.n, size.at, value));
}

static PyObject *tensor_eye(PyObject *module, PyObject *args)
{
    (void)module;
    long long n, m;
    int dtype;
    if (!PyArg_ParseTuple(args, "LLO&", &n, &m, pg_to_dtype, &dtype))
        return NULL;
    return pg_made(pg_tensor_eye((pg_dtype)dtype, n, m));
}

static PyObject *tensor_arange(PyObject *module, PyObject *args)
{
    (void)module;
    double start, end, step;
    int dtype;
    if (!PyArg_ParseTuple(args, "dddO&", &start, &end, &step, pg_to_dtype, &dtype))
        return NULL;
    return pg_made(pg_tensor_arange((pg_dtype)dtype, start, end, step));
}

static PyObject *tensor_arange_int(PyObject *module, PyObject *args)
{
    (void)module;
    long long start, end, step;
    int dtype;
    if (!PyArg_ParseTuple(args, "LLLO&", &start, &end, &step, pg_to_dtype, &dtype))
        return NULL;
    return pg_made(pg_tensor_arange_int((pg_dtype)dtype, start, end, step));
}

static PyObject *tensor_linspace(PyObject *module, PyObject *args)
{
    (void)module;
    double start, end;
    long long steps;
    int dtype;
    if (!PyArg_ParseTuple(args, "ddLO&", &start, &end, &steps, pg_to_dtype, &dtype))
        return NULL;
    return pg_made(pg_tensor_linspace((pg_dtype)dtype, start, end, steps));
}

/* ---- random numbers ---------------------------------------------------------------------------------------------- */

static PyObject *tensor_rand(PyObject *module, PyObject *args)
{
    (void)module;
    pg_sizes size;
    int dtype;
    pg_rng *rng;
    if (!PyArg_ParseTuple(args, "O&O&O&", to_size, &size, pg_to_dtype, &dtype, to_rng, &rng))
        return NULL;
    return pg_made(pg_tensor_rand((pg_dtype)dtype, size.n, size.at, rng));
}

static PyObject *tensor_randn(PyObject *module, PyObject *args)
{
    (void)module;
    pg_sizes size;
    int dtype;
    pg_rng *rng;
    if (!PyArg_ParseTuple(args, "O&O&O&", to_size, &size, pg_to_dtype, &dtype, to_rng, &rng))
        return NULL;
    return pg_made(pg_tensor_randn((pg_dtype)dtype, size.n, size.at, rng));
}

static PyObject *tensor_randint(PyObject *module, PyObject *args)
{
    (void)module;
    long long low, high;
    pg_sizes size;
    int dtype;
    pg_rng *rng;
    if (!PyArg_ParseTuple(args, "LLO&O&O&", &low, &high, to_size, &size, pg_to_dtype, &dtype, to_rng, &rng))
        return NULL;
    return pg_made(pg_tensor_randint((pg_dtype)dtype, size.n, size.at, low, high, rng));
}

static PyObject *tensor_randperm(PyObject *module, PyObject *args)
{
    (void)module;
    long long n;
    pg_rng *rng;
    if (!PyArg_ParseTuple(args, "LO&", &n, to_rng, &rng))
        return NULL;
    return pg_made(pg_tensor_randperm(n, rng));
}

/* (tensor, a, b, generator): fills the tensor, and returns it. */
static PyObject *in_place(PyObject *args, pg_tensor *(*fill)(pg_tensor *, double, double, pg_rng *))
{
    PyObject *object;
    double a, b;
    pg_rng *rng;
    pg_tensor *t;
    if (!PyArg_ParseTuple(args, "OddO&", &object, &a, &b, to_rng, &rng) || !pg_to_tensor(object, &t))
        return NULL;
    t = fill(t, a, b, rng);
    return t == NULL ? pg_made(NULL) : pg_in_place_result(object, t);
}

static PyObject *tensor_uniform_(PyObject *module, PyObject *args)
{
    (void)module;
    return in_place(args, pg_tensor_uniform_);
}

static PyObject *tensor_normal_(PyObject *module, PyObject *args)
{
    (void)module;
    return in_place(args, pg_tensor_normal_);
}

/* (tensor, p, generator) */
static PyObject *tensor_dropout(PyObject *module, PyObject *args)
{
    (void)module;
    pg_tensor *t;
    double p;
    pg_rng *rng;
    if (!PyArg_ParseTuple(args, "O&dO&", pg_to_tensor, &t, &p, to_rng, &rng))
        return NULL;
    pg_reread_tensors(args, 1, (pg_tensor * *[]){&t});
    return pg_wrap(pg_tensor_dropout(t, p, rng));
}

PyMethodDef pg_creation_functions[] = {
    {"tensor_empty", tensor_empty, METH_VARARGS, "(size, dtype)"},
    {"tensor_zeros", tensor_zeros, METH_VARARGS, "(size, dtype)"},
    {"tensor_full", tensor_full, METH_VARARGS, "(size, dtype, value)"},
    {"tensor_full_int", tensor_full_int, METH_VARARGS, "(size, dtype, value)"},
    {"tensor_eye", tensor_eye, METH_VARARGS, "(n, m, dtype)"},
    {"tensor_arange", tensor_arange, METH_VARARGS, "(start, end, step, dtype)"},
    {"tensor_arange_int", tensor_arange_int, METH_VARARGS, "(start, end, step, dtype)"},
    {"tensor_linspace", tensor_linspace, METH_VARARGS, "(start, end, steps, dtype)"},
    {"tensor_rand", tensor_rand, METH_VARARGS, "(size, dtype, generator)"},
    {"tensor_randn", tensor_randn, METH_VARARGS, "(size, dtype, generator)"},
    {"tensor_randint", tensor_randint, METH_VARARGS, "(low, high, size, dtype, generator)"},
    {"tensor_randperm", tensor_randperm, METH_VARARGS, "(n, generator)"},
    {"tensor_uniform_", tensor_uniform_, METH_VARARGS, "(tensor, low, high, generator)"},
    {"tensor_dropout", tensor_dropout, METH_VARARGS, "(tensor, p, generator)"},
    {"tensor_normal_", tensor_normal_, METH_VARARGS, "(tensor, mean, std, generator)"},
    {"tensor_from_array", pg_tensor_from_array, METH_VARARGS, "(array, dtype)"},
    {"tensor_copy_array", pg_tensor_copy_array, METH_VARARGS, "(array, dtype)"},
    {"tensor_to_array", pg_tensor_to_array, METH_O, "(tensor)"},
    {"tensor_item", pg_tensor_item, METH_O, "(tensor)"},
    {"set_creation_helpers", pg_set_creation_helpers, METH_VARARGS, "(ndarray, dtypes, bad number, bad dtype)"},
    {NULL, NULL, 0, NULL},
};
