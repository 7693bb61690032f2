/* Memory for the instances of one type, by the million: from a pool whose cells begin with Python's garbage-collection
 * head, as Python's own would. Where that cannot be, Python's allocator serves. */
#ifndef PG_PYTHON_CELLS_H
#define PG_PYTHON_CELLS_H

#include <Python.h>

#include "core/pool.h"

#include <stdbool.h>
#include <string.h>

enum { PG_GC_HEAD_BYTES = 16 };

typedef struct {
    PyTypeObject *type;
    bool pooled;
    pg_pool pool;
    char head
        [PG_GC_HEAD_BYTES]; /* what Python writes before an object that it does not track yet: copied from a real one */
} pg_cells;

/* For instances of `bytes` bytes of exactly this type. gc_head_bytes is what this Python puts before an object; if that
 * is of another size than the pool's, the pool stays off. False with an error set. */
bool pg_cells_setup(pg_cells *cells, PyTypeObject *type, size_t bytes, int64_t gc_head_bytes);

/* Python's own allocator for instances of `type`, tracked: for subclasses, and where there is no pool. Asks the hook of
 * injected failures first. */
PyObject *pg_new_from_python(PyTypeObject *type);
PyObject *pg_cells_take_from_python(const pg_cells *cells);

/* A new instance, untracked, of which nothing but Python's head is set; NULL with MemoryError set. */
static inline PyObject *pg_cells_take(pg_cells *cells)
{
    if (PG_UNLIKELY(!cells->pooled))
        return pg_cells_take_from_python(cells);
    char *const cell = pg_pool_take(&cells->pool);
    if (PG_UNLIKELY(cell == NULL))
        return PyErr_NoMemory();
    memcpy(cell, cells->head, PG_GC_HEAD_BYTES);
    return PyObject_Init((PyObject *)(cell + PG_GC_HEAD_BYTES), cells->type);
}

/* Gives back the memory of an instance; from_python: it is not the pool's. Does not count down the type. */
static inline void pg_cells_give(pg_cells *cells, PyObject *object, bool from_python)
{
    if (PG_LIKELY(cells->pooled && !from_python))
        pg_pool_give(&cells->pool, (char *)object - PG_GC_HEAD_BYTES);
    else
        PyObject_GC_Del(object);
}

#endif
