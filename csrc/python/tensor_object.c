/* Birth and death of `Tensor` objects. */
#include "python/tensor_object.h"

#include "python/cells.h"

PyTypeObject *pg_tensor_type;
static pg_cells cells;

static pg_tensor *repoint(void *object, pg_tensor *t)
{
    pg_tensor_object *const self = object;
    pg_tensor *const old = self->t;
    pg_set_host(old, NULL);
    pg_set_host(t, self);
    self->t = t;
    return old;
}

bool pg_tensor_lifetime_setup(PyTypeObject *type, int64_t gc_head_bytes)
{
    pg_host.repoint = repoint;
    return pg_cells_setup(&cells, type, sizeof(pg_tensor_object), gc_head_bytes);
}

static void fill(pg_tensor_object *object, pg_tensor *t, bool from_python)
{
    object->t = t;
    object->dict = object->weakrefs = NULL;
    object->from_python = from_python;
    pg_set_host(t, object);
}

PyObject *pg_wrap(pg_tensor *t)
{
    if (PG_UNLIKELY(t == NULL))
        return pg_raise(pg_failure());
    PyObject *object = t->host;
    /* An object that is dying, while the attributes of its subclass go, cannot be given out: another takes its place. */
    if (object != NULL && Py_REFCNT(object) > 0) {
        Py_INCREF(object);
        pg_tensor_release(t);
        return object;
    }
    object = pg_cells_take(&cells);
    if (PG_UNLIKELY(object == NULL)) {
        pg_tensor_release(t);
        return NULL;
    }
    fill((pg_tensor_object *)object, t, false);
    return object;
}

PyObject *pg_wrap_pair(pg_tensor *values, pg_tensor *indices)
{
    PyObject *const first = pg_wrap(values);
    if (first == NULL) {
        pg_tensor_release(indices);
        return NULL;
    }
    PyObject *const second = pg_wrap(indices);
    PyObject *const both = second != NULL ? PyTuple_Pack(2, first, second) : NULL;
    Py_DECREF(first);
    Py_XDECREF(second);
    return both;
}

PyObject *pg_wrap_as(PyTypeObject *type, pg_tensor *t)
{
    if (t == NULL)
        return pg_raise(pg_failure());
    if (type == pg_tensor_type)
        return pg_wrap(t);
    PyObject *object = pg_new_from_python(type);
    if (object == NULL)
        pg_tensor_release(t);
    else
        fill((pg_tensor_object *)object, t, true);
    return object;
}

void pg_repoint(PyObject *object, pg_tensor *t)
{
    pg_tensor_release(repoint(object, t));
}

void pg_tensor_tp_dealloc(PyObject *self)
{
    pg_tensor_object *const object = (pg_tensor_object *)self;
    PyTypeObject *const type = Py_TYPE(self);
    pg_tensor *const t = object->t;
    /* `x.__class__ = Sub` leaves x in the pool, and its new class tracks it before it calls this. */
    if (PG_UNLIKELY(object->from_python || object->dict != NULL || type != pg_tensor_type))
        PyObject_GC_UnTrack(self);
    if (t != NULL && t->host == self)
        pg_set_host(t, NULL); /* before any code of the user's can ask for it */
    if (PG_UNLIKELY(object->weakrefs != NULL))
        PyObject_ClearWeakRefs(self);
    Py_CLEAR(object->dict);
    pg_cells_give(&cells, self, object->from_python);
    Py_DECREF(type);
    pg_tensor_release(t);
}

int pg_tensor_tp_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((pg_tensor_object *)self)->dict);
    return 0;
}

/* Without attributes it is not tracked, as at birth: dealloc relies on that. */
int pg_tensor_tp_clear(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(((pg_tensor_object *)self)->dict);
    return 0;
}

/* A tensor is born untracked by the garbage collector: until it has attributes it refers to no object. */
int pg_tensor_tp_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    const bool had_dict = ((pg_tensor_object *)self)->dict != NULL;
    const int status = PyObject_GenericSetAttr(self, name, value);
    if (!had_dict && ((pg_tensor_object *)self)->dict != NULL && !PyObject_GC_IsTracked(self))
        PyObject_GC_Track(self);
    return status;
}
