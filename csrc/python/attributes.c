/* The attributes of `Value`. Those that a user sets are in user_attributes.c. */
#include "python/object.h"

#include "ops/nary.h"

/* ---- data and grad ----------------------------------------------------------------------------------------------- */

static PyObject *get_data(PyObject *self, void *closure)
{
    (void)closure;
    return PyFloat_FromDouble(pg_value_of(self)->data);
}

static PyObject *get_grad(PyObject *self, void *closure)
{
    (void)closure;
    return PyFloat_FromDouble(pg_value_of(self)->grad);
}

static int set_number(double *field, PyObject *value, const char *what)
{
    double number;
    if (value == NULL) {
        PyErr_Format(PyExc_AttributeError, "%s cannot be deleted", what);
        return -1;
    }
    if (!pg_need_number(value, what, &number))
        return -1;
    *field = number;
    return 0;
}

static int set_data(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    if (set_number(&pg_value_of(self)->data, value, "Value.data") < 0)
        return -1;
    pg_value_of(self)->flags &= (uint16_t)~PG_RAW;
    return 0;
}

static int set_grad(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    return set_number(&pg_value_of(self)->grad, value, "Value.grad");
}

/* ---- the graph --------------------------------------------------------------------------------------------------- */

/* The inputs in order, one used twice twice, numbers left out: as a list. */
static PyObject *inputs_of(pg_value *v)
{
    PyObject *list = PyList_New(0);
    int failed = list == NULL;
#define APPEND(input) \
    if (!failed && !((input)->flags & PG_HIDDEN)) \
    failed = PyList_Append(list, pg_object_of(input)) < 0
    PG_EACH_INPUT(v, APPEND);
#undef APPEND
    if (!failed)
        return list;
    Py_XDECREF(list);
    return NULL;
}

static PyObject *get_prev(PyObject *self, void *closure)
{
    (void)closure;
    PyObject *list = inputs_of(pg_value_of(self));
    PyObject *set = list == NULL ? NULL : PySet_New(list);
    Py_XDECREF(list);
    return set;
}

static PyObject *get_children(PyObject *self, void *closure)
{
    (void)closure;
    PyObject *list = inputs_of(pg_value_of(self));
    PyObject *tuple = list == NULL ? NULL : PyList_AsTuple(list);
    Py_XDECREF(list);
    return tuple;
}

/* "**3" where the user wrote 3, "**3.0" where they wrote 3.0 */
static PyObject *power_name(const pg_value *v)
{
    const double exponent = v->b.number;
    if (v->flags & PG_B_WAS_INT) {
        PyObject *whole = PyLong_FromDouble(exponent);
        PyObject *name = whole == NULL ? NULL : PyUnicode_FromFormat("**%S", whole);
        Py_XDECREF(whole);
        return name;
    }
    PyObject *number = PyFloat_FromDouble(exponent);
    PyObject *name = number == NULL ? NULL : PyUnicode_FromFormat("**%S", number);
    Py_XDECREF(number);
    return name;
}

static PyObject *get_op(PyObject *self, void *closure)
{
    (void)closure;
    const pg_value *v = pg_value_of(self);
    pg_extras *extras = pg_extras_of(self);
    if (extras != NULL && extras->op != NULL) {
        Py_INCREF(extras->op);
        return extras->op;
    }
    if (v->op == PG_OP_pow && v->flags & PG_B_NUMBER)
        return power_name(v);
    if (v->op < PG_OP_COUNT)
        return PyUnicode_FromString(pg_op_row(v->op)->symbol);
    switch (v->op) {
    case PG_SUM:
        return PyUnicode_FromString("sum");
    case PG_LOGSUMEXP:
        return PyUnicode_FromString("logsumexp");
    case PG_FUSED | PG_NO_ACTIVATION:
        return PyUnicode_FromString("dot");
    case PG_LEAF:
    case PG_CUSTOM:
        return PyUnicode_FromString("");
    default:
        return PyUnicode_FromFormat("dot+%s", pg_op_row(v->op & ~PG_FUSED)->symbol);
    }
}

static int set_text(PyObject *self, PyObject *value, const char *what, size_t field)
{
    if (value == NULL || !PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s has to be a str, not %R", what, value == NULL ? Py_None : value);
        return -1;
    }
    pg_extras *extras = pg_extras_make(self);
    if (extras == NULL)
        return -1;
    if (!PyUnicode_CheckExact(value))
        pg_track(self); /* a subclass of str can refer back to self */
    PyObject **place = (PyObject **)((char *)extras + field);
    PyObject *old = *place;
    Py_INCREF(value);
    *place = value;
    Py_XDECREF(old);
    return 0;
}

static int set_op(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    return set_text(self, value, "Value._op", offsetof(pg_extras, op));
}

static PyObject *get_label(PyObject *self, void *closure)
{
    (void)closure;
    pg_extras *extras = pg_extras_of(self);
    if (extras == NULL || extras->label == NULL)
        return PyUnicode_FromString("");
    Py_INCREF(extras->label);
    return extras->label;
}

static int set_label(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    return set_text(self, value, "Value.label", offsetof(pg_extras, label));
}

/* ---- _backward --------------------------------------------------------------------------------------------------- */

static PyObject *run_backward(PyObject *self, PyObject *unused)
{
    (void)unused;
    pg_run_rule(pg_value_of(self));
    Py_RETURN_NONE;
}

static PyMethodDef run_backward_method = {"_backward", run_backward, METH_NOARGS,
                                          "Adds this node's contribution to the gradients of its inputs."};

static PyObject *get_backward(PyObject *self, void *closure)
{
    (void)closure;
    pg_extras *extras = pg_extras_of(self);
    if (extras != NULL && extras->rule != NULL) {
        Py_INCREF(extras->rule);
        return extras->rule;
    }
    return PyCFunction_NewEx(&run_backward_method, self, NULL);
}

static int set_backward(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    if (value != NULL && value != Py_None && !PyCallable_Check(value)) {
        PyErr_Format(PyExc_TypeError, "Value._backward has to be callable without arguments, not %R", value);
        return -1;
    }
    if (value == Py_None)
        value = NULL;
    pg_extras *extras = pg_extras_make(self);
    if (extras == NULL)
        return -1;
    PyObject *old = extras->rule;
    Py_XINCREF(value);
    extras->rule = value;
    if (value != NULL) {
        pg_value_of(self)->flags |= PG_HOST_RULE | PG_CONTAGIOUS;
        pg_track(self);
    } else {
        pg_value_of(self)->flags &= (uint16_t)~PG_HOST_RULE;
    }
    Py_XDECREF(old);
    return 0;
}

pg_status pg_call_rule(pg_value *v)
{
    PyObject *self = pg_object_of(v);
    PyObject *rule = pg_extras_of(self)->rule;
    Py_INCREF(self);
    Py_INCREF(rule);
    PyObject *result = PyObject_CallFunctionObjArgs(rule, NULL);
    Py_DECREF(rule);
    Py_DECREF(self);
    if (result == NULL)
        return PG_HOST_ERROR;
    Py_DECREF(result);
    return PG_OK;
}

/* An object of another class would be freed in another way. */
static PyObject *get_class(PyObject *self, void *closure)
{
    (void)closure;
    PyObject *type = (PyObject *)Py_TYPE(self);
    Py_INCREF(type);
    return type;
}

static int set_class(PyObject *self, PyObject *value, void *closure)
{
    (void)self, (void)value, (void)closure;
    PyErr_SetString(PyExc_TypeError, "the __class__ of a Value cannot be changed");
    return -1;
}

PyGetSetDef pg_value_getset[] = {
    {"data", get_data, set_data, "The number.", NULL},
    {"grad", get_grad, set_grad, "The derivative of the last backward()'s root with respect to this value.", NULL},
    {"label", get_label, set_label, "A name for people, shown in drawings.", NULL},
    {"_prev", get_prev, NULL, "The set of the values that this one was computed from.", NULL},
    {"_children", get_children, NULL, "The values that this one was computed from, in order.", NULL},
    {"_op", get_op, set_op, "The op that made this value; '' for a leaf.", NULL},
    {"_backward", get_backward, set_backward,
     "Adds this node's contribution to the gradients of its inputs; assign a function to add an op.", NULL},
    {"__dict__", pg_value_get_dict, NULL, "Attributes that the user has set, to read.", NULL},
    {"__class__", get_class, set_class, "The type of this value.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyObject *pg_value_repr(PyObject *self)
{
    PyObject *data = PyFloat_FromDouble(pg_value_of(self)->data);
    PyObject *grad = PyFloat_FromDouble(pg_value_of(self)->grad);
    PyObject *text = NULL;
    if (data != NULL && grad != NULL)
        text = PyUnicode_FromFormat("Value(data=%R, grad=%R)", data, grad);
    Py_XDECREF(data);
    Py_XDECREF(grad);
    return text;
}
