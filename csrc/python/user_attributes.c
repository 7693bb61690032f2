/* Attributes that a user sets on a Value.
 *
 * They are kept in a dict among the node's extras, since a pointer to one in each node would cost more than the rare use
 * is worth. Python would have to be told where to look by a `tp_getattro` of ours, which keeps its interpreter from
 * specialising every other access (`v.data`, `v.relu()`) and makes them two to five times slower. So the type gets a
 * descriptor for each name that was ever set, which looks into the dict of the instance at hand. Where that has no such
 * entry the descriptor stands for what the name meant before, or for nothing.
 *
 * It is no data descriptor: the instances of subclasses have a dict of their own, which comes first.
 */
#include "python/object.h"

typedef struct {
    PyObject_HEAD
    PyObject *name;
    PyObject *former; /* what the type had under that name, or NULL */
} descriptor;

static PyTypeObject *descriptor_type;

static PyObject *former_meaning(const descriptor *self, PyObject *object, PyObject *type)
{
    if (self->former == NULL) {
        PyErr_Format(PyExc_AttributeError, "'%S' has no attribute '%U'",
                     object == NULL ? type : (PyObject *)Py_TYPE(object), self->name);
        return NULL;
    }
    descrgetfunc get = (descrgetfunc)PyType_GetSlot(Py_TYPE(self->former), Py_tp_descr_get);
    if (get != NULL)
        return get(self->former, object, type);
    Py_INCREF(self->former);
    return self->former;
}

static PyObject *descriptor_get(PyObject *self_, PyObject *object, PyObject *type)
{
    const descriptor *self = (descriptor *)self_;
    pg_extras *extras = object == NULL || !pg_is_value(object) ? NULL : pg_extras_of(object);
    if (extras != NULL && extras->dict != NULL) {
        PyObject *dict = extras->dict;
        Py_INCREF(dict);
        PyObject *value = PyDict_GetItemWithError(dict, self->name);
        Py_XINCREF(value);
        Py_DECREF(dict);
        if (value != NULL || PyErr_Occurred())
            return value;
    }
    return former_meaning(self, object, type);
}

static void descriptor_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(((descriptor *)self)->name);
    Py_XDECREF(((descriptor *)self)->former);
    PyObject_Free(self);
    Py_DECREF(type);
}

bool pg_user_attributes_setup(void)
{
    static PyType_Slot slots[] = {{Py_tp_descr_get, descriptor_get}, {Py_tp_dealloc, descriptor_dealloc}, {0, NULL}};
    static PyType_Spec spec = {.name = "pygrad._native.UserAttribute",
                               .basicsize = sizeof(descriptor),
                               .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                               .slots = slots};
    descriptor_type = (PyTypeObject *)PyType_FromSpec(&spec);
    return descriptor_type != NULL;
}

/* Takes `former`. */
static bool install(PyObject *name, PyObject *former)
{
    descriptor *new = PyObject_New(descriptor, descriptor_type);
    if (new == NULL) {
        Py_XDECREF(former);
        return false;
    }
    Py_INCREF(name);
    new->name = name;
    new->former = former;
    const int result = PyObject_SetAttr((PyObject *)pg_value_type, name, (PyObject *)new);
    Py_DECREF(new);
    return result == 0;
}

/* What the type's classes have under that name, as it stands in their dicts: a new reference, or NULL, with an error set
 * where *failed. (Asking the type for the attribute would call it if it is a descriptor, and find what the type's own
 * type has.) */
static PyObject *look_up(PyTypeObject *type, PyObject *name, bool *failed)
{
    PyObject *found = NULL;
    PyObject *mro = PyObject_GetAttr((PyObject *)type, pg_names.__mro__);
    *failed = mro == NULL;
    for (Py_ssize_t i = 0; !*failed && found == NULL && i < PyTuple_Size(mro); i++) {
        PyObject *dict = PyObject_GetAttr(PyTuple_GetItem(mro, i), pg_names.__dict__);
        const int has = dict == NULL ? -1 : PySequence_Contains(dict, name);
        if (has == 1)
            found = PyObject_GetItem(dict, name);
        *failed = has < 0 || (has == 1 && found == NULL);
        Py_XDECREF(dict);
    }
    Py_XDECREF(mro);
    return found;
}

static int put(PyObject *self, PyObject *name, PyObject *value)
{
    pg_extras *extras = pg_extras_make(self);
    if (extras == NULL)
        return -1;
    if (extras->dict == NULL) {
        PyObject *dict = PyDict_New();
        extras = pg_extras_of(self); /* PyDict_New may have run the collector, and so moved the table */
        extras->dict = dict;
        if (dict == NULL)
            return -1;
    }
    PyObject *dict = extras->dict;
    Py_INCREF(dict);
    const int result = PyDict_SetItem(dict, name, value);
    Py_DECREF(dict);
    if (PyType_GetFlags(Py_TYPE(value)) & Py_TPFLAGS_HAVE_GC)
        pg_track(self);
    return result;
}

static int take_away(PyObject *self, PyObject *name)
{
    pg_extras *extras = pg_extras_of(self);
    PyObject *dict = extras == NULL ? NULL : extras->dict;
    const int has = dict == NULL ? 0 : PyDict_Contains(dict, name);
    if (has == 1) {
        Py_INCREF(dict);
        const int result = PyDict_DelItem(dict, name);
        Py_DECREF(dict);
        return result;
    }
    if (has == 0)
        PyErr_Format(PyExc_AttributeError, "'%S' has no attribute '%U'", (PyObject *)Py_TYPE(self), name);
    return -1;
}

static bool is_descriptor(PyObject *found)
{
    return found != NULL && Py_TYPE(found) == descriptor_type;
}

/* __len__ and the like: Python looks for them on the type, where a descriptor would speak for every Value, or hide what
 * every type has. */
static bool is_special(PyObject *name)
{
    if (PyUnicode_CompareWithASCIIString(name, "mro") == 0)
        return true;
    const Py_ssize_t n = PyUnicode_GetLength(name);
    return n > 4 && PyUnicode_ReadChar(name, 0) == '_' && PyUnicode_ReadChar(name, 1) == '_' &&
           PyUnicode_ReadChar(name, n - 1) == '_' && PyUnicode_ReadChar(name, n - 2) == '_';
}

/* On an instance of Value itself; `found` is what the type has under that name, or NULL. */
static int set_user_attribute(PyObject *self, PyObject *name, PyObject *value, PyObject *found)
{
    if (value == NULL)
        return take_away(self, name);
    if (is_descriptor(found))
        return put(self, name, value);
    if (is_special(name)) {
        PyErr_Format(PyExc_AttributeError, "'%U' cannot be set on one Value: Python looks for it on the type", name);
        return -1;
    }
    Py_XINCREF(found);
    return install(name, found) ? put(self, name, value) : -1;
}

/* A class statement gives its instances a dict, unless it says __slots__; then what no class has goes where it goes for a
 * Value. */
static int set_on_subclass_instance(PyObject *self, PyObject *name, PyObject *value, PyObject *found)
{
    if (PyObject_GenericSetAttr(self, name, value) == 0)
        return 0;
    if (!PyErr_ExceptionMatches(PyExc_AttributeError) || (found != NULL && !is_descriptor(found)))
        return -1;
    PyErr_Clear();
    return set_user_attribute(self, name, value, found);
}

int pg_value_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    /* The two that training loops assign are not looked up: that would cost more than setting them. */
    if (name == pg_names.data || name == pg_names.grad)
        return PyObject_GenericSetAttr(self, name, value);
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "attribute name has to be a str, not %R", name);
        return -1;
    }
    bool failed;
    PyObject *found = look_up(Py_TYPE(self), name, &failed);
    if (failed)
        return -1;
    int result;
    if (found != NULL && PyType_GetSlot(Py_TYPE(found), Py_tp_descr_set) != NULL)
        result = PyObject_GenericSetAttr(self, name, value);
    else if (pg_is_exactly_value(self))
        result = set_user_attribute(self, name, value, found);
    else
        result = set_on_subclass_instance(self, name, value, found);
    Py_XDECREF(found);
    return result;
}

PyObject *pg_value_get_dict(PyObject *self, void *closure)
{
    (void)closure;
    pg_extras *extras = pg_extras_of(self);
    PyObject *dict = extras == NULL || extras->dict == NULL ? PyDict_New() : extras->dict;
    if (dict != NULL && (extras != NULL && dict == extras->dict))
        Py_INCREF(dict);
    /* To read only: an entry that is put in from outside would have no descriptor. */
    PyObject *proxy = dict == NULL ? NULL : PyDictProxy_New(dict);
    Py_XDECREF(dict);
    return proxy;
}
