/* `pygrad.Value` as a Python object, and what its files share.
 *
 * The node is embedded, Python's reference count is the node's, and everything happens under the GIL. Instances of
 * the type itself come from a pool of cells (72 bytes each: Python's garbage-collection head, the object head, the
 * node); instances of subclasses come from Python's allocator.
 *
 * A node is born untracked by the garbage collector, for which a graph of operators has nothing to find. It becomes
 * tracked when something that can close a cycle is attached: a `_backward` closure or a container among its
 * attributes. Nodes built from a node with a closure are tracked from birth, so that chains of closures are found
 * in one collection.
 */
#ifndef PG_PYTHON_OBJECT_H
#define PG_PYTHON_OBJECT_H

#include <Python.h>

#include "core/node.h"

typedef struct {
    PyObject_HEAD
    pg_value v;
} pg_object;

/* the host's bits of pg_value.flags */
enum {
    PG_TRACKED = PG_HOST_FLAG << 0,    /* by the garbage collector */
    PG_CONTAGIOUS = PG_HOST_FLAG << 1, /* what is built from this node is tracked too */
    PG_HAS_EXTRAS = PG_HOST_FLAG << 2,
    PG_RAW = PG_HOST_FLAG << 3,       /* __init__ has not run; no op takes it, so that inputs never form a cycle */
    PG_A_WAS_INT = PG_HOST_FLAG << 4, /* for `_op`: the number in the slot was written as an int */
    PG_B_WAS_INT = PG_HOST_FLAG << 5,
    PG_FROM_PYTHON = PG_HOST_FLAG << 6, /* its memory is not from the pool */
};

extern PyTypeObject *pg_value_type;

static inline bool pg_is_exactly_value(PyObject *object)
{
    return Py_TYPE(object) == pg_value_type;
}

static inline bool pg_is_value(PyObject *object)
{
    return pg_is_exactly_value(object) || PyObject_TypeCheck(object, pg_value_type);
}

static inline pg_value *pg_value_of(PyObject *object)
{
    return &((pg_object *)object)->v;
}

static inline PyObject *pg_object_of(pg_value *v)
{
    return (PyObject *)((char *)v - offsetof(pg_object, v));
}

/* ---- lifetime.c -------------------------------------------------------------------------------------------------- */

/* A new instance of exactly `Value` whose node has to be filled in; NULL with MemoryError set. */
pg_object *pg_object_new(void);
void pg_track(PyObject *object);
/* The slow half of pg_finished. */
PyObject *pg_finish(pg_object *object, int input_flags);
/* To be called with every new node that has inputs; NULL with an error set where an input is raw. */
static inline PyObject *pg_finished(pg_object *object, int input_flags)
{
    return PG_LIKELY(!(input_flags & (PG_CONTAGIOUS | PG_RAW))) ? (PyObject *)object : pg_finish(object, input_flags);
}
/* Gives up a block with all that it holds. NULL is allowed. */
void pg_block_drop(pg_block *block);
bool pg_lifetime_setup(PyTypeObject *type, int64_t gc_head_bytes);

PyObject *pg_value_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);
void pg_value_tp_dealloc(PyObject *self);
int pg_value_tp_traverse(PyObject *self, visitproc visit, void *arg);
int pg_value_tp_clear(PyObject *self);

/* ---- extras.c: what few nodes have, kept beside them ------------------------------------------------------------- */

typedef struct {
    PyObject *rule;  /* the `_backward` that the user set */
    PyObject *dict;  /* attributes of the user's */
    PyObject *label; /* str */
    PyObject *op;    /* str, of nodes made by the constructor */
} pg_extras;

/* NULL when the node has none. */
pg_extras *pg_extras_of(PyObject *self);
/* Makes them when there are none; NULL with MemoryError set. The address is good until the next call. */
pg_extras *pg_extras_make(PyObject *self);
/* Takes them off the node and gives up what they hold. */
void pg_extras_drop(PyObject *self);

/* ---- number.c ---------------------------------------------------------------------------------------------------- */

typedef enum { PG_NOT_A_NUMBER, PG_A_NUMBER_OBJECT, PG_AN_ARRAY, PG_NUMBER_ERROR } pg_kind;

/* What `object`, which is no Value, is as an operand. A number's value goes to *number. */
pg_kind pg_read_number(PyObject *object, double *number);
/* As PyFloat_AsDouble, for what has to be a real number; `what` names it in the TypeError. */
bool pg_need_number(PyObject *object, const char *what, double *number);
/* Python's helpers for what is neither Value, float nor int; see pygrad/_engine.py. */
PyObject *pg_set_helpers(PyObject *module, PyObject *args);

PyObject *pg_apply_unary(int op, PyObject *a);
/* One of a and b is a Value; NULL with an error set, or Py_NotImplemented. */
PyObject *pg_apply_binary(int op, PyObject *a, PyObject *b);
PyObject *pg_value_richcompare(PyObject *self, PyObject *other, int comparison);
extern PyType_Slot pg_number_slots[];

/* ---- module.c ---------------------------------------------------------------------------------------------------- */

/* Interned, for attributes that are looked up often. */
extern struct pg_names {
    PyObject *data, *grad, *w, *b, *_op, *_parameter, *__mro__, *__dict__;
} pg_names;

/* ---- user_attributes.c ------------------------------------------------------------------------------------------- */

bool pg_user_attributes_setup(void);
int pg_value_setattro(PyObject *self, PyObject *name, PyObject *value);
PyObject *pg_value_get_dict(PyObject *self, void *closure);

/* ---- attributes.c, construct.c, lists.c, blocks.c ---------------------------------------------------------------- */

extern PyGetSetDef pg_value_getset[];
PyObject *pg_value_repr(PyObject *self);
int pg_value_tp_init(PyObject *self, PyObject *args, PyObject *kwargs);
/* The rule of a PG_HOST_RULE node: calls the closure. */
pg_status pg_call_rule(pg_value *v);
extern PyMethodDef pg_list_functions[];

/* A block of the items of a list or other iterable, with `last` behind them when it is not NULL. Items are Values, or
 * numbers: a block of numbers where all are numbers and `may_be_numbers`, else of Values, with a hidden leaf for each
 * number. The flags of the Values are added to *input_flags. NULL with an error set, in which `what` names the
 * argument. */
pg_block *pg_block_from(PyObject *iterable, PyObject *last, bool may_be_numbers, const char *what, int *input_flags);
/* Another block of the same items; NULL with an error set. */
pg_block *pg_block_copy(const pg_block *block);

/* Turns a failed status into the Python error for it and returns NULL. */
PyObject *pg_raise(pg_status status);

#endif
