/* Arithmetic, comparison and logic: the number slots of `Tensor`. */
#include "python/tensor_object.h"

#include "ops/elementwise.h"

/* ---- rows of the op table ------------------------------------------------------------------------------------------ */

PyObject *pg_tensor_apply(int op, PyObject *a, PyObject *b)
{
    pg_operand operands[2];
    PyObject *keep[2] = {NULL, NULL};
    pg_operand_status status = pg_read_operand(a, &operands[0], &keep[0]);
    if (status == PG_OPERAND_OK && b != NULL)
        status = pg_read_operand(b, &operands[1], &keep[1]);
    pg_reread_operand(a, &operands[0]);
    pg_tensor *const out = status == PG_OPERAND_OK ? pg_elementwise(op, operands) : NULL;
    Py_XDECREF(keep[0]);
    Py_XDECREF(keep[1]);
    if (PG_UNLIKELY(status != PG_OPERAND_OK)) {
        if (status == PG_OPERAND_ERROR)
            return NULL;
        Py_RETURN_NOTIMPLEMENTED;
    }
    return pg_wrap(out);
}

PyObject *pg_in_place_result(PyObject *self, pg_tensor *t)
{
    if (t == NULL)
        return pg_raise(pg_failure());
    pg_tensor_release(t);
    Py_INCREF(self);
    return self;
}

PyObject *pg_tensor_apply_in_place(int op, PyObject *self, PyObject *b)
{
    pg_operand operands[2];
    PyObject *keep = NULL;
    pg_operand_status status = b == NULL ? PG_OPERAND_OK : pg_read_operand(b, &operands[1], &keep);
    operands[0].tensor = pg_tensor_of(self);
    pg_tensor *const out = status == PG_OPERAND_OK ? pg_elementwise_in_place(op, pg_tensor_of(self), operands) : NULL;
    Py_XDECREF(keep);
    if (status == PG_OPERAND_ERROR)
        return NULL;
    if (status == PG_OPERAND_UNKNOWN)
        Py_RETURN_NOTIMPLEMENTED;
    return pg_in_place_result(self, out);
}

#define SLOTS(name) \
    static PyObject *slot_##name(PyObject *a, PyObject *b) \
    { \
        return pg_tensor_apply(PG_OP_##name, a, b); \
    } \
    static PyObject *slot_in_place_##name(PyObject *a, PyObject *b) \
    { \
        return pg_tensor_apply_in_place(PG_OP_##name, a, b); \
    }
SLOTS(add)
SLOTS(sub)
SLOTS(mul)
SLOTS(div)
SLOTS(pow)
SLOTS(floor_divide)
SLOTS(remainder)

static PyObject *slot_power(PyObject *a, PyObject *b, PyObject *modulus)
{
    if (modulus != Py_None)
        Py_RETURN_NOTIMPLEMENTED;
    return slot_pow(a, b);
}

static PyObject *slot_in_place_power(PyObject *a, PyObject *b, PyObject *modulus)
{
    if (modulus != Py_None)
        Py_RETURN_NOTIMPLEMENTED;
    return slot_in_place_pow(a, b);
}

static PyObject *slot_negative(PyObject *a)
{
    return pg_tensor_apply(PG_OP_neg, a, NULL);
}

static PyObject *slot_absolute(PyObject *a)
{
    return pg_tensor_apply(PG_OP_abs, a, NULL);
}

static PyObject *slot_positive(PyObject *a)
{
    Py_INCREF(a);
    return a;
}

/* ---- comparison and logic ------------------------------------------------------------------------------------------ */

/* Both operands are read, and one of the two functions, which have no history, is applied. */
static PyObject *apply_logic(PyObject *a, PyObject *b, int comparison, int bitwise)
{
    pg_operand operands[2];
    PyObject *keep[2] = {NULL, NULL};
    pg_operand_status status = pg_read_operand(a, &operands[0], &keep[0]);
    if (status == PG_OPERAND_OK)
        status = pg_read_operand(b, &operands[1], &keep[1]);
    pg_reread_operand(a, &operands[0]);
    pg_tensor *out = NULL;
    if (status == PG_OPERAND_OK)
        out = comparison >= 0 ? pg_compare(comparison, operands) : pg_bitwise_op(bitwise, operands);
    Py_XDECREF(keep[0]);
    Py_XDECREF(keep[1]);
    if (status == PG_OPERAND_ERROR)
        return NULL;
    if (status == PG_OPERAND_UNKNOWN)
        Py_RETURN_NOTIMPLEMENTED;
    return pg_wrap(out);
}

PyObject *pg_tensor_richcompare(PyObject *self, PyObject *other, int comparison)
{
    static const pg_comparison comparisons[] = {
        [Py_EQ] = PG_EQ, [Py_NE] = PG_NE, [Py_LT] = PG_LT, [Py_LE] = PG_LE, [Py_GT] = PG_GT, [Py_GE] = PG_GE};
    return apply_logic(self, other, comparisons[comparison], -1);
}

static PyObject *slot_and(PyObject *a, PyObject *b)
{
    return apply_logic(a, b, -1, PG_BITWISE_AND);
}

static PyObject *slot_or(PyObject *a, PyObject *b)
{
    return apply_logic(a, b, -1, PG_BITWISE_OR);
}

static PyObject *slot_xor(PyObject *a, PyObject *b)
{
    return apply_logic(a, b, -1, PG_BITWISE_XOR);
}

static PyObject *slot_invert(PyObject *a)
{
    pg_tensor *const t = pg_tensor_of(a);
    const pg_operand other = {.number = {.kind = PG_INT64, .integer = -1}}, self = {.tensor = t};
    if (t->dtype == PG_BOOL)
        return pg_wrap(pg_compare(PG_EQ, (pg_operand[]){self, {.number = {.kind = PG_BOOL}}}));
    return pg_wrap(pg_bitwise_op(PG_BITWISE_XOR, (pg_operand[]){self, other}));
}

/* native.tensor_logical(which, a, b): logical_and, or, xor by their numbers 0, 1, 2 */
PyObject *pg_native_logical(PyObject *module, PyObject *args)
{
    (void)module;
    int which;
    PyObject *a, *b;
    if (!PyArg_ParseTuple(args, "iOO", &which, &a, &b))
        return NULL;
    return apply_logic(a, b, PG_LOGICAL_AND + which, -1);
}

/* ---- matrix product ------------------------------------------------------------------------------------------------ */

static PyObject *slot_matmul(PyObject *a, PyObject *b)
{
    pg_operand operands[2];
    PyObject *keep[2] = {NULL, NULL};
    pg_operand_status status = pg_read_operand(a, &operands[0], &keep[0]);
    if (status == PG_OPERAND_OK)
        status = pg_read_operand(b, &operands[1], &keep[1]);
    pg_reread_operand(a, &operands[0]);
    if (status == PG_OPERAND_OK && (operands[0].tensor == NULL || operands[1].tensor == NULL))
        status = PG_OPERAND_UNKNOWN;
    pg_tensor *const out = status == PG_OPERAND_OK ? pg_tensor_matmul(operands[0].tensor, operands[1].tensor) : NULL;
    Py_XDECREF(keep[0]);
    Py_XDECREF(keep[1]);
    if (status == PG_OPERAND_ERROR)
        return NULL;
    if (status == PG_OPERAND_UNKNOWN)
        Py_RETURN_NOTIMPLEMENTED;
    return pg_wrap(out);
}

PyType_Slot pg_tensor_number_slots[] = {
    {Py_nb_add, slot_add},
    {Py_nb_subtract, slot_sub},
    {Py_nb_multiply, slot_mul},
    {Py_nb_true_divide, slot_div},
    {Py_nb_power, slot_power},
    {Py_nb_floor_divide, slot_floor_divide},
    {Py_nb_remainder, slot_remainder},
    {Py_nb_inplace_add, slot_in_place_add},
    {Py_nb_inplace_subtract, slot_in_place_sub},
    {Py_nb_inplace_multiply, slot_in_place_mul},
    {Py_nb_inplace_true_divide, slot_in_place_div},
    {Py_nb_inplace_power, slot_in_place_power},
    {Py_nb_inplace_floor_divide, slot_in_place_floor_divide},
    {Py_nb_inplace_remainder, slot_in_place_remainder},
    {Py_nb_negative, slot_negative},
    {Py_nb_absolute, slot_absolute},
    {Py_nb_positive, slot_positive},
    {Py_nb_and, slot_and},
    {Py_nb_or, slot_or},
    {Py_nb_xor, slot_xor},
    {Py_nb_invert, slot_invert},
    {Py_nb_matrix_multiply, slot_matmul},
    {0, NULL},
};
