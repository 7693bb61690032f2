#include "python/cells.h"

PyObject *pg_new_from_python(PyTypeObject *type)
{
    if (pg_alloc_armed && pg_alloc_refused())
        return PyErr_NoMemory();
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    return allocate(type, 0);
}

PyObject *pg_cells_take_from_python(const pg_cells *cells)
{
    PyObject *object = pg_new_from_python(cells->type);
    if (object != NULL)
        PyObject_GC_UnTrack(object);
    return object;
}

bool pg_cells_setup(pg_cells *cells, PyTypeObject *type, size_t bytes, int64_t gc_head_bytes)
{
    cells->type = type;
    PyObject *sample = pg_cells_take_from_python(cells);
    if (sample == NULL)
        return false;
#ifndef PG_NO_CACHE
    if (gc_head_bytes == PG_GC_HEAD_BYTES) {
        memcpy(cells->head, (char *)sample - PG_GC_HEAD_BYTES, PG_GC_HEAD_BYTES);
        cells->pool.cell = PG_GC_HEAD_BYTES + bytes;
        cells->pooled = true;
    }
#else
    (void)bytes, (void)gc_head_bytes;
#endif
    PyObject_GC_Del(sample);
    Py_DECREF(type);
    return true;
}
