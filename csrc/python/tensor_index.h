/* Indexing, length, iteration and transposes of `pygrad.Tensor`: what its slots and attributes call. */
#ifndef PG_PYTHON_TENSOR_INDEX_H
#define PG_PYTHON_TENSOR_INDEX_H

#include "python/tensor_object.h"

/* self[key] */
PyObject *pg_tensor_subscript(PyObject *self, PyObject *key);
/* self[key] = value */
int pg_tensor_assign_subscript(PyObject *self, PyObject *key, PyObject *value);
/* len(self): the size of dimension 0; -1 with a TypeError for dimension 0. */
Py_ssize_t pg_tensor_length(PyObject *self);
/* iter(self): self[0], self[1]... as views, each made when it is asked for. For slot tp_iter, together with sq_item. */
PyObject *pg_tensor_iterate(PyObject *self);
/* self[i] along dimension 0: slot sq_item, which that iterator calls until it raises IndexError. */
PyObject *pg_tensor_row(PyObject *self, Py_ssize_t i);

/* The items of an index expression: a tuple's, or one. */
enum { PG_INDEX_ITEMS = 32 };
typedef struct {
    int n;
    pg_index items[PG_INDEX_ITEMS];
    int owned;
    pg_tensor *tensors[PG_INDEX_ITEMS]; /* [owned]: of the items */
} pg_index_key;

/* false with a Python error set. Clear it in any case. */
bool pg_index_key_read(pg_index_key *key, PyObject *object);
void pg_index_key_clear(pg_index_key *key);

/* pygrad._native.set_index_helper(function): (list, array, bool...) -> array in row-major order, of int64
 * indices or of bools for a mask */
PyObject *pg_set_index_helper(PyObject *module, PyObject *helper);

/* self.T and self.mT, for the type's table of attributes */
PyObject *pg_tensor_get_T(PyObject *self, void *closure);
PyObject *pg_tensor_get_mT(PyObject *self, void *closure);

#endif
