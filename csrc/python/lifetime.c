/* Birth and death of `Value` objects, and what the garbage collector asks of them. */
#include "python/object.h"

#include "core/pool.h"

static pg_pool pool;
static bool pooled;

/* What Python writes before an object that it does not track yet. Copied from a real one, never assumed. */
enum { GC_HEAD_BYTES = 16 };
static char gc_head[GC_HEAD_BYTES];

/* Python's own allocator for objects of this type: the way when the pool is off, and for subclasses. */
static PyObject *new_from_python(PyTypeObject *type)
{
    if (pg_alloc_armed && pg_alloc_refused())
        return PyErr_NoMemory();
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    return allocate(type, 0);
}

/* The cells of the pool start with the collector's head. If this Python's is of another size, the pool stays off. */
bool pg_lifetime_setup(PyTypeObject *type, int64_t gc_head_bytes)
{
    PyObject *sample = new_from_python(type);
    if (sample == NULL)
        return false;
    PyObject_GC_UnTrack(sample);
#ifndef PG_NO_CACHE
    if (gc_head_bytes == GC_HEAD_BYTES) {
        memcpy(gc_head, (char *)sample - GC_HEAD_BYTES, GC_HEAD_BYTES);
        pool.cell = GC_HEAD_BYTES + sizeof(pg_object);
        pooled = true;
    }
#else
    (void)gc_head_bytes;
#endif
    PyObject_GC_Del(sample);
    Py_DECREF(type);
    return true;
}

pg_object *pg_object_new(void)
{
    if (PG_UNLIKELY(!pooled)) {
        PyObject *object = new_from_python(pg_value_type);
        if (object != NULL)
            PyObject_GC_UnTrack(object);
        return (pg_object *)object;
    }
    char *cell = pg_pool_take(&pool);
    if (PG_UNLIKELY(cell == NULL)) {
        PyErr_NoMemory();
        return NULL;
    }
    memcpy(cell, gc_head, GC_HEAD_BYTES);
    return (pg_object *)PyObject_Init((PyObject *)(cell + GC_HEAD_BYTES), pg_value_type);
}

static void free_object(PyObject *self, PyTypeObject *type)
{
    if (type != pg_value_type) {
        freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
        release(self);
    } else if (pooled) {
        pg_pool_give(&pool, (char *)self - GC_HEAD_BYTES);
    } else {
        PyObject_GC_Del(self);
    }
    Py_DECREF(type);
}

PyObject *pg_value_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args, (void)kwargs;
    PyObject *self = type == pg_value_type ? (PyObject *)pg_object_new() : new_from_python(type);
    if (self == NULL)
        return NULL;
    pg_set_leaf(pg_node(self), 0.0);
    if (type != pg_value_type)
        pg_node(self)->flags |= PG_TRACKED;
    return self;
}

void pg_track(PyObject *object)
{
    if (pg_node(object)->flags & PG_TRACKED)
        return;
    pg_node(object)->flags |= PG_TRACKED;
    PyObject_GC_Track(object);
}

/* ---- death --------------------------------------------------------------------------------------------------- */

/* An input that only the dying node holds is put on the pending list instead of being deallocated by recursion, so
 * that a chain of any length dies in one loop. Subclass instances may run user code as they die and take Python's
 * way, which limits its own recursion. */
static inline bool drop_reference(pg_value *v)
{
    PyObject *object = pg_object_of(v);
    if (Py_REFCNT(object) == 1 && pg_is_exactly_value(object))
        return true;
    Py_DECREF(object);
    return false;
}

#define PG_HOST_DROP(u) drop_reference(u)
#include "core/release.h"

static pg_value *pending; /* whose last reference is the list's */
static bool draining;     /* by the outermost deallocation; those inside it only add to the list */

static inline void bury(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    pg_value *v = pg_node(self);
    if (PG_UNLIKELY(v->flags & (PG_TRACKED | PG_HAS_EXTRAS))) {
        if (v->flags & PG_TRACKED)
            PyObject_GC_UnTrack(self);
        pg_extras_drop(self);
    }
    release_inputs(v, &pending);
    free_object(self, type);
}

static void drain(void)
{
    if (draining)
        return;
    draining = true;
    while (pending != NULL)
        bury(pg_object_of(pg_pop(&pending)));
    draining = false;
}

void pg_value_tp_dealloc(PyObject *self)
{
    bury(self);
    if (pending != NULL)
        drain();
}

void pg_block_drop(pg_block *block)
{
    if (block == NULL)
        return;
    release_block(block, &pending);
    drain();
}

/* ---- the garbage collector ------------------------------------------------------------------------------------- */

#define VISIT_INPUT(input) Py_VISIT(pg_object_of(input))

/* The references of a shared block belong to none of its nodes alone; the collector may not count them twice, and
 * takes what it does not hear of for reachable from outside. */
static int visit_block(pg_block *block, visitproc visit, void *arg)
{
    if (block->refs == 1)
        PG_EACH_IN_BLOCK(block, VISIT_INPUT);
    return 0;
}

int pg_value_tp_traverse(PyObject *self, visitproc visit, void *arg)
{
    pg_value *v = pg_node(self);
    int stop = 0;
    Py_VISIT(Py_TYPE(self));
    if (v->flags & PG_A_INPUT)
        VISIT_INPUT(v->a.input);
    if (v->flags & PG_B_INPUT)
        VISIT_INPUT(v->b.input);
    if (v->flags & PG_A_BLOCK)
        stop = visit_block(v->a.block, visit, arg);
    if (stop == 0 && v->flags & PG_B_BLOCK)
        stop = visit_block(v->b.block, visit, arg);
    if (stop != 0)
        return stop;
    pg_extras *extras = pg_extras_of(self);
    if (extras != NULL) {
        Py_VISIT(extras->rule);
        Py_VISIT(extras->dict);
    }
    return 0;
}

/* Inputs form no cycle by themselves, so that letting go of the extras breaks every one. */
int pg_value_tp_clear(PyObject *self)
{
    pg_extras_drop(self);
    return 0;
}
