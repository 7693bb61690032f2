/* Memory that tensors and numpy's arrays share, and single elements. */
#include "python/tensor_exchange.h"

#include "core/exposed.h"

/* ---- the memory of an array as a tensor ---------------------------------------------------------------------------- */

/* Under the GIL, as everything that gives up a tensor is. */
static void release_buffer(void *owner)
{
    Py_buffer *const view = owner;
    PyBuffer_Release(view);
    PyMem_Free(view);
}

/* Says why an array cannot be shared, or NULL; strides[] get its strides in elements. */
static const char *obstacle(const Py_buffer *view, int dtype, int64_t *strides)
{
    if (view->readonly)
        return "is read-only, and a tensor can always be written";
    if (view->ndim > PG_MAX_DIMS)
        return "has more than 8 dimensions, the most that a tensor has";
    if (view->itemsize != pg_itemsize[dtype])
        return "has elements of another size than its dtype";
    if (view->len > 0 && (uintptr_t)view->buf % pg_itemsize[dtype] != 0)
        return "is not aligned in memory";
    for (int i = 0; i < view->ndim; i++) {
        /* Where one element or none is, the stride is never used, and numpy leaves anything there. */
        if (view->len == 0 || view->shape[i] == 1) {
            strides[i] = 1;
            continue;
        }
        if (view->strides[i] < 0)
            return "has a negative stride";
        if (view->strides[i] % view->itemsize != 0)
            return "has strides that are not a multiple of the element size";
        strides[i] = view->strides[i] / view->itemsize;
    }
    return NULL;
}

/* The bytes from the first element to the end of the last. */
static int64_t extent(const Py_buffer *view)
{
    int64_t bytes = view->itemsize;
    for (int i = 0; i < view->ndim; i++)
        bytes += (view->shape[i] - 1) * view->strides[i];
    return view->len == 0 ? 0 : bytes;
}

PyObject *pg_tensor_from_array(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *array;
    int dtype;
    if (!PyArg_ParseTuple(args, "OO&", &array, pg_to_dtype, &dtype))
        return NULL;
    Py_buffer *view = PyMem_Malloc(sizeof *view);
    if (view == NULL)
        return PyErr_NoMemory();
    if (PyObject_GetBuffer(array, view, PyBUF_STRIDED_RO) < 0) {
        PyMem_Free(view);
        return NULL;
    }
    int64_t strides[PG_MAX_DIMS], shape[PG_MAX_DIMS];
    const char *const reason = obstacle(view, dtype, strides);
    if (reason != NULL) {
        PyErr_Format(PyExc_ValueError,
                     "the array %s, so that a tensor cannot share its memory: use tensor(array) or "
                     "from_numpy(array.copy()), which copy it",
                     reason);
        release_buffer(view);
        return NULL;
    }
    for (int i = 0; i < view->ndim; i++)
        shape[i] = view->shape[i];
    if (view->len == 0)
        pg_row_major(view->ndim, shape, strides);
    pg_tensor *t = pg_tensor_from_memory((pg_dtype)dtype, view->ndim, shape, strides, view->buf, extent(view),
                                         release_buffer, view);
    if (t == NULL)
        release_buffer(view);
    return pg_wrap(t);
}

PyObject *pg_tensor_copy_array(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *array;
    int dtype;
    Py_buffer view;
    if (!PyArg_ParseTuple(args, "OO&", &array, pg_to_dtype, &dtype))
        return NULL;
    if (PyObject_GetBuffer(array, &view, PyBUF_ND) < 0) /* which refuses what is not C-contiguous */
        return NULL;
    PyObject *result = NULL;
    if (view.ndim > PG_MAX_DIMS || view.itemsize != pg_itemsize[dtype]) {
        PyErr_SetString(PyExc_ValueError,
                        "the array has more than 8 dimensions, or elements of another size than its dtype");
    } else {
        int64_t shape[PG_MAX_DIMS];
        for (int i = 0; i < view.ndim; i++)
            shape[i] = view.shape[i];
        pg_tensor *t = pg_tensor_empty((pg_dtype)dtype, view.ndim, shape);
        if (t != NULL)
            memcpy(t->data, view.buf, (size_t)view.len);
        result = pg_wrap(t);
    }
    PyBuffer_Release(&view);
    return result;
}

/* ---- the memory of a tensor as an array ----------------------------------------------------------------------------- */

/* What an array of a tensor's memory has as its base: it keeps the storage alive, and says where it is. */
typedef struct {
    PyObject_HEAD
    pg_tensor *t;
} memory_object;

static PyTypeObject *memory_type;
static PyObject *array_type;              /* numpy.ndarray */
static PyObject *array_dtypes[PG_DTYPES]; /* numpy's, by our number */
static PyObject *bad_number, *bad_dtype;  /* classes of errors */

/* An expanded tensor has one element in many places, which is not to be written through one of them. */
static bool repeats(const pg_tensor *t)
{
    for (int i = 0; i < t->ndim; i++)
        if (t->strides[i] == 0 && t->shape[i] > 1)
            return true;
    return false;
}

/* The whole storage, which the array takes its elements from. */
static int memory_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    const pg_tensor *const t = ((memory_object *)self)->t;
    return PyBuffer_FillInfo(view, self, t->storage->data, (Py_ssize_t)t->storage->bytes, repeats(t), flags);
}

static void memory_dealloc(PyObject *self)
{
    PyTypeObject *const type = Py_TYPE(self);
    pg_tensor *const t = ((memory_object *)self)->t;
    if (t != NULL)
        pg_conceal(t->storage);
    pg_tensor_release(t);
    PyObject_Free(self);
    Py_DECREF(type);
}

static bool make_memory_type(void)
{
    PyType_Slot slots[] = {
        {Py_tp_doc, "The memory of a tensor."},
        {Py_tp_dealloc, memory_dealloc},
        {Py_bf_getbuffer, memory_getbuffer},
        {0, NULL},
    };
    PyType_Spec spec = {.name = "pygrad._native.Memory",
                        .basicsize = sizeof(memory_object),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                        .slots = slots};
    memory_type = (PyTypeObject *)PyType_FromSpec(&spec);
    return memory_type != NULL;
}

PyObject *pg_set_creation_helpers(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *type, *kinds, *number_error, *dtype_error;
    if (!PyArg_ParseTuple(args, "OO!OO", &type, &PyTuple_Type, &kinds, &number_error, &dtype_error))
        return NULL;
    if (PyTuple_Size(kinds) != PG_DTYPES)
        return PyErr_Format(PyExc_ValueError, "%d dtypes are wanted", (int)PG_DTYPES);
    if (memory_type == NULL && !make_memory_type())
        return NULL;
    /* For the life of the process: a second call changes nothing. */
    if (array_type == NULL) {
        array_type = Py_NewRef(type);
        bad_number = Py_NewRef(number_error);
        bad_dtype = Py_NewRef(dtype_error);
        for (int i = 0; i < PG_DTYPES; i++)
            array_dtypes[i] = Py_NewRef(PyTuple_GetItem(kinds, i));
    }
    Py_RETURN_NONE;
}

PyObject *pg_made(pg_tensor *t)
{
    if (t != NULL || array_type == NULL)
        return pg_wrap(t);
    const pg_status status = pg_failure();
    if (status != PG_BAD_ARGUMENT && status != PG_BAD_TYPE)
        return pg_raise(status);
    PyErr_SetString(status == PG_BAD_ARGUMENT ? bad_number : bad_dtype, pg_message());
    return NULL;
}

static PyObject *tuple_of(int n, const int64_t *numbers, int64_t factor)
{
    PyObject *tuple = PyTuple_New(n);
    for (int i = 0; tuple != NULL && i < n; i++) {
        PyObject *number = PyLong_FromLongLong(numbers[i] * factor);
        if (number == NULL || PyTuple_SetItem(tuple, i, number) < 0)
            Py_CLEAR(tuple);
    }
    return tuple;
}

PyObject *pg_tensor_to_array(PyObject *module, PyObject *object)
{
    (void)module;
    pg_tensor *t;
    if (!pg_to_tensor(object, &t))
        return NULL;
    if (array_type == NULL)
        return PyErr_Format(PyExc_RuntimeError, "set_creation_helpers has not been called");
    memory_object *memory = PyObject_New(memory_object, memory_type);
    if (memory == NULL)
        return NULL;
    memory->t = pg_expose(t->storage) == PG_OK ? pg_tensor_detach(t) : NULL; /* not the graph behind it */
    PyObject *array = NULL;
    if (memory->t == NULL) {
        if (t->storage->exposure != NULL)
            pg_conceal(t->storage);
        pg_raise(pg_failure());
    } else {
        t = memory->t; /* the object may get another, for a collection may run any code */
        const int64_t size = pg_itemsize[t->dtype];
        PyObject *shape = tuple_of(t->ndim, t->shape, 1), *strides = tuple_of(t->ndim, t->strides, size);
        if (shape != NULL && strides != NULL)
            array = PyObject_CallFunction(array_type, "OOOnO", shape, array_dtypes[t->dtype], memory,
                                          (Py_ssize_t)(t->data - t->storage->data), strides);
        Py_XDECREF(shape);
        Py_XDECREF(strides);
    }
    Py_DECREF(memory);
    return array;
}

/* ---- single elements ---------------------------------------------------------------------------------------------- */

PyObject *pg_tensor_item(PyObject *module, PyObject *object)
{
    (void)module;
    pg_tensor *t;
    if (!pg_to_tensor(object, &t))
        return NULL;
    if (t->numel != 1)
        return PyErr_Format(PyExc_RuntimeError, "item: a Tensor with %lld elements cannot be converted to Scalar",
                            (long long)t->numel);
    switch ((pg_dtype)t->dtype) {
    case PG_BOOL:
        return PyBool_FromLong(*(const uint8_t *)t->data);
    case PG_UINT8:
        return PyLong_FromLong(*(const uint8_t *)t->data);
    case PG_INT32:
        return PyLong_FromLong(*(const int32_t *)t->data);
    case PG_INT64:
        return PyLong_FromLongLong(*(const int64_t *)t->data);
    case PG_FLOAT32:
        return PyFloat_FromDouble(*(const float *)t->data);
    case PG_FLOAT64:
        return PyFloat_FromDouble(*(const double *)t->data);
    }
    return PyErr_Format(PyExc_SystemError, "dtype %d is unknown", t->dtype);
}
