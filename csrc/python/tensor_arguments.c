/* Python objects as arguments of tensor functions. */
#include "python/tensor_object.h"

static PyObject *dtype_objects[PG_DTYPES]; /* pygrad.dtype, by number */
static PyObject *read_operand;             /* (object) -> float, int, bool, Tensor, or NotImplemented */

/* native.set_tensor_helpers(dtypes, read_operand) */
PyObject *pg_set_tensor_helpers(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *dtypes, *reader;
    if (!PyArg_ParseTuple(args, "O!O", &PyTuple_Type, &dtypes, &reader))
        return NULL;
    if (PyTuple_Size(dtypes) != PG_DTYPES)
        return PyErr_Format(PyExc_ValueError, "there are %d dtypes", PG_DTYPES);
    for (int i = 0; i < PG_DTYPES; i++) {
        dtype_objects[i] = PyTuple_GetItem(dtypes, i);
        Py_INCREF(dtype_objects[i]); /* for the life of the process */
    }
    Py_INCREF(reader);
    Py_XDECREF(read_operand);
    read_operand = reader;
    Py_RETURN_NONE;
}

/* ---- tensors ------------------------------------------------------------------------------------------------------ */

int pg_to_tensor(PyObject *object, void *tensor)
{
    if (!pg_is_tensor(object)) {
        PyErr_Format(PyExc_TypeError, "a Tensor is wanted, not %R of type %S", object, (PyObject *)Py_TYPE(object));
        return 0;
    }
    *(pg_tensor **)tensor = pg_tensor_of(object);
    return 1;
}

int pg_to_tensor_or_none(PyObject *object, void *tensor)
{
    if (object != Py_None)
        return pg_to_tensor(object, tensor);
    *(pg_tensor **)tensor = NULL;
    return 1;
}

void pg_reread_tensors(PyObject *args, int n, pg_tensor **const *tensors)
{
    for (int i = 0; i < n; i++)
        if (*tensors[i] != NULL)
            *tensors[i] = pg_tensor_of(PyTuple_GetItem(args, i));
}

pg_tensor **pg_tensors_of(PyObject *sequence, const char *what, Py_ssize_t *n)
{
    const bool is_list = PyList_Check(sequence);
    if (!is_list && !PyTuple_Check(sequence)) {
        PyErr_Format(PyExc_TypeError, "%s has to be a list or tuple of Tensors, not %S", what,
                     (PyObject *)Py_TYPE(sequence));
        return NULL;
    }
    *n = is_list ? PyList_Size(sequence) : PyTuple_Size(sequence);
    pg_tensor **tensors = PyMem_Malloc((size_t)(*n > 0 ? *n : 1) * sizeof *tensors);
    if (tensors == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < *n; i++) {
        PyObject *item = is_list ? PyList_GetItem(sequence, i) : PyTuple_GetItem(sequence, i);
        if (item == NULL || !pg_is_tensor(item)) {
            if (item != NULL)
                PyErr_Format(PyExc_TypeError, "%s: element %zd has to be a Tensor, not %S", what, i,
                             (PyObject *)Py_TYPE(item));
            PyMem_Free(tensors);
            return NULL;
        }
        tensors[i] = pg_tensor_of(item);
    }
    return tensors;
}

/* ---- dtypes and sizes --------------------------------------------------------------------------------------------- */

PyObject *pg_dtype_object(int dtype)
{
    Py_INCREF(dtype_objects[dtype]);
    return dtype_objects[dtype];
}

int pg_to_dtype(PyObject *object, void *dtype)
{
    for (int i = 0; i < PG_DTYPES; i++)
        if (object == dtype_objects[i]) {
            *(int *)dtype = i;
            return 1;
        }
    PyErr_Format(PyExc_TypeError, "a pygrad.dtype is wanted, not %R", object);
    return 0;
}

int pg_to_dtype_or_none(PyObject *object, void *dtype)
{
    if (object != Py_None)
        return pg_to_dtype(object, dtype);
    *(int *)dtype = -1;
    return 1;
}

static bool read_size(PyObject *object, int64_t *size)
{
    PyObject *integer = PyNumber_Index(object);
    if (integer == NULL)
        return false;
    const long long value = PyLong_AsLongLong(integer);
    Py_DECREF(integer);
    *size = value;
    return value != -1 || !PyErr_Occurred();
}

int pg_to_sizes(PyObject *object, void *result)
{
    pg_sizes *const sizes = result;
    sizes->none = object == Py_None;
    sizes->n = 0;
    if (sizes->none)
        return 1;
    if (PyLong_Check(object) || PyIndex_Check(object)) {
        sizes->n = 1;
        return read_size(object, &sizes->at[0]);
    }
    if (!PySequence_Check(object) || PyUnicode_Check(object)) {
        PyErr_Format(PyExc_TypeError, "sizes and dimensions are an int or a sequence of ints, not %R", object);
        return 0;
    }
    const Py_ssize_t n = PySequence_Size(object);
    if (n > PG_MAX_DIMS)
        return PyErr_Format(PyExc_ValueError, "a tensor has at most %d dimensions, not %zd", PG_MAX_DIMS, n) != NULL;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PySequence_GetItem(object, i);
        const bool read = item != NULL && read_size(item, &sizes->at[i]);
        Py_XDECREF(item);
        if (!read)
            return 0;
    }
    sizes->n = (int)n;
    return n >= 0;
}

/* ---- operands ------------------------------------------------------------------------------------------------------ */

static pg_operand_status read_integer(PyObject *object, pg_operand *operand)
{
    int overflow;
    operand->tensor = NULL;
    operand->number.kind = PyBool_Check(object) ? PG_BOOL : PG_INT64;
    operand->number.integer = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (overflow != 0)
        PyErr_Format(PyExc_OverflowError, "%R does not fit an int64", object);
    return overflow != 0 || (operand->number.integer == -1 && PyErr_Occurred()) ? PG_OPERAND_ERROR : PG_OPERAND_OK;
}

pg_operand_status pg_read_operand(PyObject *object, pg_operand *operand, PyObject **keep)
{
    *keep = NULL;
    if (PG_LIKELY(pg_is_tensor(object))) {
        operand->tensor = pg_tensor_of(object);
        return PG_OPERAND_OK;
    }
    if (PyFloat_Check(object)) {
        *operand = (pg_operand){.number = pg_real(PyFloat_AsDouble(object))};
        return PG_OPERAND_OK;
    }
    if (PyLong_Check(object))
        return read_integer(object, operand);
    /* numpy's numbers and arrays */
    PyObject *read = PyObject_CallFunctionObjArgs(read_operand, object, NULL);
    if (read == NULL)
        return PG_OPERAND_ERROR;
    if (pg_is_tensor(read) || PyFloat_Check(read) || PyLong_Check(read)) {
        PyObject *none;
        const pg_operand_status status = pg_read_operand(read, operand, &none);
        *keep = read;
        return status;
    }
    Py_DECREF(read);
    return PG_OPERAND_UNKNOWN;
}

bool pg_need_operand(const char *op, PyObject *object, pg_operand *operand, PyObject **keep)
{
    switch (pg_read_operand(object, operand, keep)) {
    case PG_OPERAND_OK:
        return true;
    case PG_OPERAND_ERROR:
        return false;
    default:
        PyErr_Format(PyExc_TypeError, "%s takes Tensors, arrays and real numbers, not %R of type %S", op, object,
                     (PyObject *)Py_TYPE(object));
        return false;
    }
}
