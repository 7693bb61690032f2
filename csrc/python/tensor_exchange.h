/* Functions of `pygrad._native` that take tensors to other things and back; tensor_creation.c lists them. */
#ifndef PG_PYTHON_TENSOR_EXCHANGE_H
#define PG_PYTHON_TENSOR_EXCHANGE_H

#include "python/tensor_object.h"

/* (array, dtype): a tensor over the array's memory; ValueError where that cannot be. The caller has checked the array's
 * type, dtype and byte order. */
PyObject *pg_tensor_from_array(PyObject *module, PyObject *args);
/* (array, dtype): a tensor with a copy of a C-contiguous array, of which the same has been checked. */
PyObject *pg_tensor_copy_array(PyObject *module, PyObject *args);
/* (numpy.ndarray, (numpy.dtype, ...), class, class): what tensor_to_array makes, by the dtypes' numbers; and the errors
 * for numbers and dtypes that a function does not take. */
PyObject *pg_set_creation_helpers(PyObject *module, PyObject *args);
/* As pg_wrap, with those errors. */
PyObject *pg_made(pg_tensor *t);
/* (tensor): an array of its memory, whether it requires a gradient or not. */
PyObject *pg_tensor_to_array(PyObject *module, PyObject *object);
/* (tensor): its only element, as a number of Python's. */
PyObject *pg_tensor_item(PyObject *module, PyObject *object);

#endif
