/* Arithmetic and comparison: the number slots of `Value`. */
#include "core/exact.h"

#include "python/object.h"

#include "ops/scalar.h"

/* ---- operands ---------------------------------------------------------------------------------------------------- */

static PyObject *read_operand; /* (object) -> float, NotImplemented, or the object itself when it is an array */
static PyObject *elementwise;  /* (name of an operator, a, b) -> what the operator gives for an array */

PyObject *pg_set_helpers(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *reader, *mapper;
    if (!PyArg_ParseTuple(args, "OO", &reader, &mapper))
        return NULL;
    PyObject *old_reader = read_operand, *old_mapper = elementwise;
    Py_INCREF(reader);
    Py_INCREF(mapper);
    read_operand = reader;
    elementwise = mapper;
    Py_XDECREF(old_reader);
    Py_XDECREF(old_mapper);
    Py_RETURN_NONE;
}

/* numpy's numbers and arrays, fractions; never str, None or complex */
static pg_kind read_other_number(PyObject *object, double *number)
{
    PyObject *reader = read_operand;
    Py_INCREF(reader);
    PyObject *read = PyObject_CallFunctionObjArgs(reader, object, NULL);
    Py_DECREF(reader);
    if (read == NULL)
        return PG_NUMBER_ERROR;
    pg_kind kind = PG_AN_ARRAY;
    if (read == Py_NotImplemented) {
        kind = PG_NOT_A_NUMBER;
    } else if (PyFloat_Check(read)) {
        *number = PyFloat_AsDouble(read);
        kind = PG_A_NUMBER_OBJECT;
    }
    Py_DECREF(read);
    return kind;
}

pg_kind pg_read_number(PyObject *object, double *number)
{
    if (PyFloat_Check(object)) {
        *number = PyFloat_AsDouble(object);
        return PG_A_NUMBER_OBJECT;
    }
    if (PyLong_Check(object)) {
        *number = PyLong_AsDouble(object);
        return *number == -1.0 && PyErr_Occurred() ? PG_NUMBER_ERROR : PG_A_NUMBER_OBJECT;
    }
    return read_other_number(object, number);
}

bool pg_need_number(PyObject *object, const char *what, double *number)
{
    switch (pg_read_number(object, number)) {
    case PG_A_NUMBER_OBJECT:
        return true;
    case PG_NUMBER_ERROR:
        return false;
    default:
        PyErr_Format(PyExc_TypeError, "%s has to be a real number, not %R of type %S", what, object,
                     (PyObject *)Py_TYPE(object));
        return false;
    }
}

/* ---- arithmetic -------------------------------------------------------------------------------------------------- */

static PyObject *apply_elementwise(const char *name, PyObject *a, PyObject *b)
{
    PyObject *mapper = elementwise;
    Py_INCREF(mapper);
    PyObject *result = PyObject_CallFunction(mapper, "sOO", name, a, b);
    Py_DECREF(mapper);
    return result;
}

PyObject *pg_apply_unary(int op, PyObject *a)
{
    pg_object *result = pg_object_new();
    if (result == NULL)
        return NULL;
    Py_INCREF(a);
    pg_set_unary(&result->v, (uint8_t)op, pg_op_value(op, pg_value_of(a)->data, 0.0), pg_value_of(a));
    return pg_finished(result, pg_value_of(a)->flags);
}

static inline PyObject *two_values(int op, double data, PyObject *a, PyObject *b)
{
    pg_object *result = pg_object_new();
    if (PG_UNLIKELY(result == NULL))
        return NULL;
    Py_INCREF(a);
    Py_INCREF(b);
    pg_set_binary(&result->v, (uint8_t)op, data, pg_value_of(a), pg_value_of(b));
    return pg_finished(result, pg_value_of(a)->flags | pg_value_of(b)->flags);
}

/* For `_op`: whether the number was written as an integer, Python's or numpy's. (A numpy array of any type has the slot
 * that tells them, too.) */
static inline bool is_integer(PyObject *object, double number)
{
    return PyLong_Check(object) || (PyIndex_Check(object) && fabs(number) < 0x1p53 && floor(number) == number);
}

static inline PyObject *value_and_number(int op, double data, PyObject *a, double b, bool was_int)
{
    pg_object *result = pg_object_new();
    if (result == NULL)
        return NULL;
    Py_INCREF(a);
    pg_set_binary_number(&result->v, (uint8_t)op, data, pg_value_of(a), b);
    if (was_int)
        result->v.flags |= PG_B_WAS_INT;
    return pg_finished(result, pg_value_of(a)->flags);
}

static inline PyObject *number_and_value(int op, double data, double a, PyObject *b, bool was_int)
{
    pg_object *result = pg_object_new();
    if (result == NULL)
        return NULL;
    Py_INCREF(b);
    pg_set_number_binary(&result->v, (uint8_t)op, data, a, pg_value_of(b));
    if (was_int)
        result->v.flags |= PG_A_WAS_INT;
    return pg_finished(result, pg_value_of(b)->flags);
}

PyObject *pg_apply_binary(int op, PyObject *a, PyObject *b)
{
    const bool a_is_value = pg_is_value(a), b_is_value = pg_is_value(b);
    if (a_is_value && b_is_value)
        return two_values(op, pg_op_value(op, pg_value_of(a)->data, pg_value_of(b)->data), a, b);

    PyObject *other = a_is_value ? b : a;
    double number = 0.0;
    switch (pg_read_number(other, &number)) {
    case PG_A_NUMBER_OBJECT:
        if (a_is_value)
            return value_and_number(op, pg_op_value(op, pg_value_of(a)->data, number), a, number,
                                    is_integer(b, number));
        return number_and_value(op, pg_op_value(op, number, pg_value_of(b)->data), number, b, is_integer(a, number));
    case PG_AN_ARRAY:
        return apply_elementwise(pg_op_row(op)->name, a, b);
    case PG_NUMBER_ERROR:
        return NULL;
    default:
        Py_RETURN_NOTIMPLEMENTED;
    }
}

#define BINARY_SLOT(name) \
    static PyObject *slot_##name(PyObject *a, PyObject *b) \
    { \
        if (PG_LIKELY(pg_is_exactly_value(a) && pg_is_exactly_value(b))) \
            return two_values(PG_OP_##name, pg_value_##name(pg_value_of(a)->data, pg_value_of(b)->data), a, b); \
        if (pg_is_exactly_value(a) && PyFloat_CheckExact(b)) { \
            const double number = PyFloat_AsDouble(b); \
            return value_and_number(PG_OP_##name, pg_value_##name(pg_value_of(a)->data, number), a, number, false); \
        } \
        return pg_apply_binary(PG_OP_##name, a, b); \
    }
BINARY_SLOT(add)
BINARY_SLOT(sub)
BINARY_SLOT(mul)
BINARY_SLOT(div)
BINARY_SLOT(pow)

static PyObject *slot_power(PyObject *a, PyObject *b, PyObject *modulus)
{
    if (modulus != Py_None)
        Py_RETURN_NOTIMPLEMENTED;
    return slot_pow(a, b);
}

static PyObject *slot_negative(PyObject *a)
{
    return pg_apply_unary(PG_OP_neg, a);
}

static PyObject *slot_absolute(PyObject *a)
{
    return pg_apply_unary(PG_OP_abs, a);
}

static PyObject *slot_positive(PyObject *a)
{
    Py_INCREF(a);
    return a;
}

PyType_Slot pg_number_slots[] = {
    {Py_nb_add, slot_add},           {Py_nb_subtract, slot_sub},      {Py_nb_multiply, slot_mul},
    {Py_nb_true_divide, slot_div},   {Py_nb_power, slot_power},       {Py_nb_negative, slot_negative},
    {Py_nb_absolute, slot_absolute}, {Py_nb_positive, slot_positive}, {0, NULL},
};

/* ---- comparison: of data; equality stays identity ---------------------------------------------------------------- */

static const char *const comparison_names[] = {[Py_LT] = "lt", [Py_LE] = "le", [Py_GT] = "gt", [Py_GE] = "ge"};

PyObject *pg_value_richcompare(PyObject *self, PyObject *other, int comparison)
{
    if (comparison == Py_EQ || comparison == Py_NE)
        Py_RETURN_NOTIMPLEMENTED;
    const double a = pg_value_of(self)->data;
    double b;
    if (pg_is_value(other)) {
        b = pg_value_of(other)->data;
    } else {
        switch (pg_read_number(other, &b)) {
        case PG_A_NUMBER_OBJECT:
            break;
        case PG_AN_ARRAY:
            return apply_elementwise(comparison_names[comparison], self, other);
        case PG_NUMBER_ERROR:
            return NULL;
        default:
            Py_RETURN_NOTIMPLEMENTED;
        }
    }
    const bool answer = comparison == Py_LT   ? a < b
                        : comparison == Py_LE ? a <= b
                        : comparison == Py_GT ? a > b
                                              : a >= b;
    return PyBool_FromLong(answer);
}
