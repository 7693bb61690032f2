/* Blocks from the lists and other iterables of Python. */
#include "python/object.h"

static inline PyObject *item_of(PyObject *list_or_tuple, bool is_list, Py_ssize_t i)
{
    return is_list ? PyList_GetItem(list_or_tuple, i) : PyTuple_GetItem(list_or_tuple, i);
}

static pg_block *new_block(int64_t n, bool numbers)
{
    pg_block *block = pg_block_new(n, numbers);
    if (block == NULL)
        PyErr_NoMemory();
    return block;
}

/* `items` and `last` are Values. */
static pg_block *block_of_values(PyObject *items, PyObject *last, int *input_flags)
{
    const bool is_list = PyList_Check(items);
    const Py_ssize_t n = is_list ? PyList_Size(items) : PyTuple_Size(items);
    pg_block *block = new_block(n + (last != NULL), false);
    if (block == NULL)
        return NULL;
    pg_value **inputs = pg_block_inputs(block);
    for (Py_ssize_t i = 0; i < block->n; i++) {
        PyObject *item = i < n ? item_of(items, is_list, i) : last;
        Py_INCREF(item);
        *input_flags |= pg_value_of(item)->flags;
        inputs[i] = pg_value_of(item);
    }
    return block;
}

/* The number that an item has to be. */
static bool read_item(PyObject *item, const char *what, Py_ssize_t i, double *number)
{
    switch (pg_read_number(item, number)) {
    case PG_A_NUMBER_OBJECT:
        return true;
    case PG_NUMBER_ERROR:
        return false;
    default:
        PyErr_Format(PyExc_TypeError, "%s: item %zd has to be a Value or a real number, not %R of type %S", what, i,
                     item, (PyObject *)Py_TYPE(item));
        return false;
    }
}

/* A leaf that stands for a number among values, not shown in `_prev`. */
static PyObject *hidden_leaf(double number)
{
    pg_object *leaf = pg_object_new();
    if (leaf == NULL)
        return NULL;
    pg_set_leaf(&leaf->v, number);
    leaf->v.flags |= PG_HIDDEN;
    return (PyObject *)leaf;
}

/* `items` is a tuple, which nobody else can change while numbers are read. */
static pg_block *block_of_numbers(PyObject *items, const char *what)
{
    const Py_ssize_t n = PyTuple_Size(items);
    pg_block *block = new_block(n, true);
    for (Py_ssize_t i = 0; block != NULL && i < n; i++)
        if (!read_item(PyTuple_GetItem(items, i), what, i, &pg_block_numbers(block)[i])) {
            pg_block_drop(block);
            return NULL;
        }
    return block;
}

static pg_block *block_of_both(PyObject *items, const char *what, int *input_flags)
{
    const Py_ssize_t n = PyTuple_Size(items);
    PyObject *values = PyList_New(0);
    pg_block *block = NULL;
    for (Py_ssize_t i = 0; values != NULL && i < n; i++) {
        PyObject *item = PyTuple_GetItem(items, i);
        double number;
        if (pg_is_value(item))
            Py_INCREF(item);
        else
            item = read_item(item, what, i, &number) ? hidden_leaf(number) : NULL;
        if (item == NULL || PyList_Append(values, item) < 0)
            Py_CLEAR(values);
        Py_XDECREF(item);
    }
    if (values != NULL)
        block = block_of_values(values, NULL, input_flags);
    Py_XDECREF(values);
    return block;
}

/* A tuple of the items, and of `last` when it is not NULL. */
static PyObject *snapshot(PyObject *items, PyObject *last)
{
    PyObject *list = PySequence_List(items);
    if (list != NULL && last != NULL && PyList_Append(list, last) < 0)
        Py_CLEAR(list);
    PyObject *tuple = list == NULL ? NULL : PyList_AsTuple(list);
    Py_XDECREF(list);
    return tuple;
}

static pg_block *block_of_items(PyObject *items, PyObject *last, bool may_be_numbers, const char *what,
                                int *input_flags)
{
    const bool is_list = PyList_Check(items);
    const Py_ssize_t n = is_list ? PyList_Size(items) : PyTuple_Size(items);
    Py_ssize_t values = 0;
    for (Py_ssize_t i = 0; i < n; i++)
        values += pg_is_value(item_of(items, is_list, i));
    const bool all = values == n && (last == NULL || pg_is_value(last));
    if (all)
        return block_of_values(items, last, input_flags);

    PyObject *tuple = snapshot(items, last);
    if (tuple == NULL)
        return NULL;
    const bool numbers = may_be_numbers && values == 0 && (last == NULL || !pg_is_value(last));
    pg_block *block = numbers ? block_of_numbers(tuple, what) : block_of_both(tuple, what, input_flags);
    Py_DECREF(tuple);
    return block;
}

pg_block *pg_block_from(PyObject *iterable, PyObject *last, bool may_be_numbers, const char *what, int *input_flags)
{
    if (PyList_Check(iterable) || PyTuple_Check(iterable))
        return block_of_items(iterable, last, may_be_numbers, what, input_flags);
    if (PyUnicode_Check(iterable) || PyBytes_Check(iterable)) {
        PyErr_Format(PyExc_TypeError, "%s has to be a sequence of Values or real numbers, not %R", what, iterable);
        return NULL;
    }
    PyObject *items = PySequence_List(iterable);
    if (items == NULL)
        return NULL;
    pg_block *block = block_of_items(items, last, may_be_numbers, what, input_flags);
    Py_DECREF(items);
    return block;
}

pg_block *pg_block_copy(const pg_block *block)
{
    pg_block *copy = new_block(block->n, block->numbers);
    if (copy == NULL)
        return NULL;
    memcpy(copy + 1, block + 1, (size_t)block->n * (block->numbers ? sizeof(double) : sizeof(pg_value *)));
#define RETAIN(input) Py_INCREF(pg_object_of(input))
    PG_EACH_IN_BLOCK(copy, RETAIN);
#undef RETAIN
    return copy;
}
