/* Attributes of `Value`: its own, and those that a user sets. */
#include "python/object.h"

#include "ops/nary.h"

/* ---- data and grad --------------------------------------------------------------------------------------------- */

static PyObject *get_data(PyObject *self, void *closure)
{
    (void)closure;
    return PyFloat_FromDouble(pg_node(self)->data);
}

static PyObject *get_grad(PyObject *self, void *closure)
{
    (void)closure;
    return PyFloat_FromDouble(pg_node(self)->grad);
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
    if (set_number(&pg_node(self)->data, value, "Value.data") < 0)
        return -1;
    pg_node(self)->flags &= (uint16_t)~PG_RAW;
    return 0;
}

static int set_grad(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    return set_number(&pg_node(self)->grad, value, "Value.grad");
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
    PyObject *list = inputs_of(pg_node(self));
    PyObject *set = list == NULL ? NULL : PySet_New(list);
    Py_XDECREF(list);
    return set;
}

static PyObject *get_children(PyObject *self, void *closure)
{
    (void)closure;
    PyObject *list = inputs_of(pg_node(self));
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
    const pg_value *v = pg_node(self);
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

/* ---- _backward ---------------------------------------------------------------------------------------------------- */

static PyObject *run_backward(PyObject *self, PyObject *unused)
{
    (void)unused;
    pg_run_rule(pg_node(self));
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
        pg_node(self)->flags |= PG_HOST_RULE | PG_CONTAGIOUS;
        pg_track(self);
    } else {
        pg_node(self)->flags &= (uint16_t)~PG_HOST_RULE;
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

/* ---- the user's attributes ------------------------------------------------------------------------------------------ */

static PyObject *dict_of(PyObject *self)
{
    pg_extras *extras = pg_extras_make(self);
    if (extras == NULL)
        return NULL;
    if (extras->dict == NULL) {
        PyObject *dict = PyDict_New();
        extras = pg_extras_of(self); /* PyDict_New may have run the collector, and so moved the table */
        extras->dict = dict;
    }
    return extras->dict;
}

static PyObject *get_dict(PyObject *self, void *closure)
{
    (void)closure;
    PyObject *dict = dict_of(self);
    Py_XINCREF(dict);
    if (dict != NULL)
        pg_track(self); /* whoever has the dict can put anything into it */
    return dict;
}

PyObject *pg_value_getattro(PyObject *self, PyObject *name)
{
    pg_extras *extras = pg_extras_of(self);
    if (PG_UNLIKELY(extras != NULL && extras->dict != NULL)) {
        PyObject *dict = extras->dict;
        Py_INCREF(dict);
        PyObject *value = PyDict_GetItemWithError(dict, name);
        Py_XINCREF(value);
        Py_DECREF(dict);
        if (value != NULL || PyErr_Occurred())
            return value;
    }
    return PyObject_GenericGetAttr(self, name);
}

/* 1 where one of the type's classes has a descriptor of that name that wants to be told of assignments; -1 with an error
 * set. (Asking the type for the attribute would call the descriptor, and find those of the type's own type too.) */
static int is_data_descriptor(PyTypeObject *type, PyObject *name)
{
    int answer = 0;
    PyObject *mro = PyObject_GetAttr((PyObject *)type, pg_names.__mro__);
    if (mro == NULL)
        return -1;
    for (Py_ssize_t i = 0; i < PyTuple_Size(mro); i++) {
        PyObject *dict = PyObject_GetAttr(PyTuple_GetItem(mro, i), pg_names.__dict__);
        const int found = dict == NULL ? -1 : PySequence_Contains(dict, name);
        PyObject *attribute = found == 1 ? PyObject_GetItem(dict, name) : NULL;
        if (attribute != NULL)
            answer = PyType_GetSlot(Py_TYPE(attribute), Py_tp_descr_set) != NULL;
        Py_XDECREF(dict);
        Py_XDECREF(attribute);
        if (found < 0 || (found == 1 && attribute == NULL))
            answer = -1;
        if (found != 0)
            break;
    }
    Py_DECREF(mro);
    return answer;
}

static int set_in_dict(PyObject *self, PyObject *name, PyObject *value)
{
    PyObject *dict = dict_of(self);
    if (dict == NULL)
        return -1;
    Py_INCREF(dict);
    int result = value != NULL ? PyDict_SetItem(dict, name, value) : PyDict_DelItem(dict, name);
    Py_DECREF(dict);
    if (value != NULL && PyType_GetFlags(Py_TYPE(value)) & Py_TPFLAGS_HAVE_GC)
        pg_track(self);
    if (result < 0 && value == NULL && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
        PyErr_Format(PyExc_AttributeError, "'%S' has no attribute '%U'", (PyObject *)Py_TYPE(self), name);
    }
    return result;
}

int pg_value_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    PyTypeObject *type = Py_TYPE(self);
    /* The two that training loops assign are not looked up: that would cost more than setting them. */
    int is_descriptor = name == pg_names.data || name == pg_names.grad ? 1 : is_data_descriptor(type, name);
    if (is_descriptor < 0)
        return -1;
    if (is_descriptor)
        return PyObject_GenericSetAttr(self, name, value);
    if (type != pg_value_type) { /* a class statement gives its instances a __dict__, unless it says __slots__ */
        if (PyObject_GenericSetAttr(self, name, value) == 0)
            return 0;
        if (!PyErr_ExceptionMatches(PyExc_AttributeError))
            return -1;
        PyErr_Clear();
    }
    return set_in_dict(self, name, value);
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
    {"__dict__", get_dict, NULL, "Attributes that the user has set.", NULL},
    {"__class__", get_class, set_class, "The type of this value.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyObject *pg_value_repr(PyObject *self)
{
    PyObject *data = PyFloat_FromDouble(pg_node(self)->data);
    PyObject *grad = PyFloat_FromDouble(pg_node(self)->grad);
    PyObject *text = NULL;
    if (data != NULL && grad != NULL)
        text = PyUnicode_FromFormat("Value(data=%R, grad=%R)", data, grad);
    Py_XDECREF(data);
    Py_XDECREF(grad);
    return text;
}
