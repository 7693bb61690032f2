/* Birth and death of `Value` objects, and what the garbage collector asks of them. */
#include "python/object.h"

#include "python/cells.h"

static pg_cells cells;

bool pg_lifetime_setup(PyTypeObject *type, int64_t gc_head_bytes)
{
    return pg_cells_setup(&cells, type, sizeof(pg_object), gc_head_bytes);
}

pg_object *pg_object_new(void)
{
    return (pg_object *)pg_cells_take(&cells);
}

PyObject *pg_value_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args, (void)kwargs;
    const bool exactly = type == pg_value_type;
    PyObject *self = exactly ? (PyObject *)pg_object_new() : pg_new_from_python(type);
    if (self == NULL)
        return NULL;
    pg_set_leaf(pg_value_of(self), 0.0);
    pg_value_of(self)->flags = exactly ? PG_RAW : PG_RAW | PG_TRACKED | PG_FROM_PYTHON;
    return self;
}

void pg_track(PyObject *object)
{
    if (pg_value_of(object)->flags & PG_TRACKED)
        return;
    pg_value_of(object)->flags |= PG_TRACKED;
    PyObject_GC_Track(object);
}

PyObject *pg_finish(pg_object *object, int input_flags)
{
    if (input_flags & PG_RAW) {
        Py_DECREF(object);
        PyErr_SetString(PyExc_RuntimeError, "a Value was used before Value.__init__ had given it data");
        return NULL;
    }
    object->v.flags |= PG_CONTAGIOUS;
    pg_track((PyObject *)object);
    return (PyObject *)object;
}

/* ---- death --------------------------------------------------------------------------------------------------------
 *
 * Nothing here recurses by itself. An input that only the dying node holds goes on a pending list, which the
 * deallocation that began it works through. Giving up a node's extras runs Python code, in which other nodes with extras
 * may die, and so on; beyond some depth these wait for the outermost. Subclass instances take Python's way, which limits its own recursion. */

static void untrack(PyObject *object)
{
    if (pg_value_of(object)->flags & PG_TRACKED)
        PyObject_GC_UnTrack(object);
    pg_value_of(object)->flags &= (uint16_t)~PG_TRACKED;
}

static inline bool drop_reference(pg_value *v)
{
    PyObject *object = pg_object_of(v);
    if (Py_REFCNT(object) == 1 && pg_is_exactly_value(object)) {
        untrack(object); /* so that nobody finds it on the list */
        return true;
    }
    Py_DECREF(object);
    return false;
}

#define PG_HOST_DROP(u) drop_reference(u)
#include "core/release.h"

/* The extras of v are gone. */
static inline void bury(pg_value *v, pg_value **pending)
{
    PyObject *self = pg_object_of(v);
    PyTypeObject *type = Py_TYPE(self);
    release_inputs(v, pending);
    pg_cells_give(&cells, self, v->flags & PG_FROM_PYTHON);
    Py_DECREF(type);
}

static void bury_with_extras(pg_value *v, pg_value **pending)
{
    enum { DEEPEST = 50 };
    static _Thread_local int depth; /* how many nodes of this thread are giving up their extras, one inside another */
    static _Thread_local pg_value *waiting;
    if (depth == DEEPEST) {
        pg_push(&waiting, v);
        return;
    }
    depth++;
    pg_extras_drop(pg_object_of(v));
    bury(v, pending);
    while (depth == 1 && waiting != NULL) {
        v = pg_pop(&waiting);
        pg_extras_drop(pg_object_of(v));
        bury(v, pending);
    }
    depth--;
}

static void drain(pg_value *pending)
{
    while (pending != NULL) {
        pg_value *v = pg_pop(&pending);
        if (PG_UNLIKELY(v->flags & PG_HAS_EXTRAS))
            bury_with_extras(v, &pending);
        else
            bury(v, &pending);
    }
}

void pg_value_tp_dealloc(PyObject *self)
{
    pg_value *pending = NULL;
    if (PG_LIKELY(pg_is_exactly_value(self))) {
        untrack(self);
        pg_push(&pending, pg_value_of(self));
    } else {
        PyObject_GC_UnTrack(self);
        pg_extras_drop(self);
        bury(pg_value_of(self), &pending);
    }
    drain(pending);
}

void pg_block_drop(pg_block *block)
{
    pg_value *pending = NULL;
    if (block != NULL)
        release_block(block, &pending);
    drain(pending);
}

/* ---- the garbage collector --------------------------------------------------------------------------------------- */

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
    pg_value *v = pg_value_of(self);
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
        Py_VISIT(extras->label); /* which may be of a subclass of str */
        Py_VISIT(extras->op);
    }
    return 0;
}

/* Inputs form no cycle by themselves, so that letting go of the extras breaks every one. */
int pg_value_tp_clear(PyObject *self)
{
    pg_extras_drop(self);
    return 0;
}
