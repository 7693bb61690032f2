/* What the core asks of Python when it detects anomalies: where the user's code stands, and errors that say so. */
#include "core/anomaly.h"
#include "python/tensor_object.h"

static PyObject *package; /* the start of the names of pygrad's own files */
static PyObject *told;    /* of anomaly.py */

/* ---- places ------------------------------------------------------------------------------------------------------ */

static bool is_of_the_package(PyObject *file)
{
    return package != NULL && PyUnicode_Tailmatch(file, package, 0, PY_SSIZE_T_MAX, -1) == 1;
}

/* Fills in the place; false where the frame is not the user's. */
static bool read_frame(PyFrameObject *frame, pg_place *place)
{
    PyObject *const code = (PyObject *)PyFrame_GetCode(frame);
    PyObject *const file = PyObject_GetAttrString(code, "co_filename");
    const bool is_users = file != NULL && !is_of_the_package(file);
    if (is_users)
        *place = (pg_place){Py_NewRef(file), PyObject_GetAttrString(code, "co_name"), PyFrame_GetLineNumber(frame)};
    PyErr_Clear();
    Py_XDECREF(file);
    Py_DECREF(code);
    return is_users;
}

/* The innermost frame that is not the package's. An operation is under way, whose tensors other code could change: no
 * bytecode runs here, and no collection, which new frame objects might start. */
static void find_place(pg_place *place)
{
    const int collects = PyGC_Disable();
    PyObject *frame = Py_XNewRef((PyObject *)PyEval_GetFrame());
    while (frame != NULL && frame != Py_None && !read_frame((PyFrameObject *)frame, place)) {
        PyObject *const outer = PyObject_GetAttrString(frame, "f_back");
        Py_DECREF(frame);
        frame = outer;
    }
    Py_XDECREF(frame);
    PyErr_Clear();
    if (collects)
        PyGC_Enable();
}

static void forget_place(pg_place *place)
{
    Py_XDECREF(place->file);
    Py_XDECREF(place->function);
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

static PyObject *or_none(void *object)
{
    return object != NULL ? object : Py_None;
}

/* [(file, line, function), ...]: where the node's forward ran, and, if that was in a backward pass, where the forward ran
 * that was being differentiated, and so on; None without a note. */
static PyObject *places_of(const pg_node *node)
{
    if (node->note == NULL)
        return Py_NewRef(Py_None);
    PyObject *places = PyList_New(0);
    for (const pg_note *note = node->note; note != NULL && places != NULL; note = note->parent) {
        const pg_place *const at = &note->place;
        PyObject *place = Py_BuildValue("(OiO)", or_none(at->file), at->line, or_none(at->function));
        if (place == NULL || PyList_Append(places, place) != 0)
            Py_CLEAR(places);
        Py_XDECREF(place);
    }
    return places;
}

/* Calls told(error, is_ours, [(name, places), ...]). */
static bool tell(PyObject *error, bool is_ours, int n, const pg_node *const *nodes)
{
    PyObject *ran = PyList_New(0);
    for (int i = 0; i < n && ran != NULL; i++) {
        PyObject *places = places_of(nodes[i]);
        PyObject *pair = places == NULL ? NULL : Py_BuildValue("(sN)", pg_node_name(nodes[i]), places);
        if (pair == NULL || PyList_Append(ran, pair) != 0)
            Py_CLEAR(ran);
        Py_XDECREF(pair);
    }
    PyObject *done = ran == NULL ? NULL : PyObject_CallFunction(told, "OiO", error, is_ours, ran);
    Py_XDECREF(ran);
    Py_XDECREF(done);
    return done != NULL;
}

static pg_status explain(pg_status status, int n, const pg_node *const *nodes)
{
    if (told == NULL)
        return status;
    pg_raise(status);
    PyObject *type, *error, *trace;
    PyErr_Fetch(&type, &error, &trace);
    PyErr_NormalizeException(&type, &error, &trace);
    if (error == NULL || tell(error, status != PG_HOST_ERROR, n, nodes) || PyErr_ExceptionMatches(PyExc_Exception)) {
        PyErr_Restore(type, error, trace); /* without the rest, where there was no memory for it */
    } else {                               /* an interrupt goes before */
        Py_XDECREF(type);
        Py_XDECREF(error);
        Py_XDECREF(trace);
    }
    return pg_fail(PG_HOST_ERROR, "%s failed in backward", pg_node_name(nodes[0]));
}

/* ---- functions --------------------------------------------------------------------------------------------------- */

/* set_anomaly_helper(package, told) */
static PyObject *set_anomaly_helper(PyObject *module, PyObject *args)
{
    (void)module;
    if (!PyArg_ParseTuple(args, "UO", &package, &told))
        return NULL;
    Py_INCREF(package);
    Py_INCREF(told);
    pg_host.find_place = find_place;
    pg_host.forget_place = forget_place;
    pg_host.explain = explain;
    Py_RETURN_NONE;
}

/* set_anomaly_mode(mode) -> what was set before */
static PyObject *set_anomaly_mode(PyObject *module, PyObject *args)
{
    (void)module;
    int mode;
    if (!PyArg_ParseTuple(args, "i", &mode))
        return NULL;
    return PyLong_FromLong(pg_set_anomaly_mode(mode));
}

PyMethodDef pg_anomaly_functions[] = {
    {"set_anomaly_helper", set_anomaly_helper, METH_VARARGS, NULL},
    {"set_anomaly_mode", set_anomaly_mode, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
