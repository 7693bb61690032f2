/* The fused ops promise the numbers of the written-out sums. */
#include "core/exact.h"

#include "ops/nary.h"

#include "ops/scalar.h"

_Static_assert((int)PG_OP_COUNT <= (int)PG_NO_ACTIVATION, "the n-ary codes follow the rows of ops.def");

void pg_set_blocks(pg_value *v, int op, double data, pg_block *x, pg_block *w)
{
    *v = (pg_value){.data = data, .op = (uint8_t)op, .flags = PG_A_BLOCK};
    v->a.block = x;
    if (w != NULL) {
        v->b.block = w;
        v->flags |= PG_B_BLOCK;
    }
}

/* ---- sum --------------------------------------------------------------------------------------------------------- */

double pg_sum_value(pg_block *x)
{
    pg_value **inputs = pg_block_inputs(x);
    double sum = 0.0;
    for (int64_t i = 0; i < x->n; i++)
        sum += inputs[i]->data;
    return sum;
}

static void sum_rule(pg_value *v)
{
    pg_value **inputs = pg_block_inputs(v->a.block);
    for (int64_t i = 0; i < v->a.block->n; i++)
        inputs[i]->grad += v->grad;
}

/* ---- logsumexp: m + log(sum exp(x - m)), m the largest ----------------------------------------------------------- */

typedef struct {
    double largest, sum; /* sum of exp(x - largest); 1 where that is no number or the largest is infinite */
} exponentials;

static exponentials sum_exponentials(pg_block *x)
{
    pg_value **inputs = pg_block_inputs(x);
    exponentials e = {-INFINITY, 0.0};
    for (int64_t i = 0; i < x->n; i++)
        e.largest = pg_value_maximum(e.largest, inputs[i]->data);
    if (!isfinite(e.largest))
        return (exponentials){e.largest, 1.0};
    for (int64_t i = 0; i < x->n; i++)
        e.sum += exp(inputs[i]->data - e.largest);
    return e;
}

double pg_logsumexp_value(pg_block *x)
{
    const exponentials e = sum_exponentials(x);
    return e.largest + log(e.sum);
}

/* d/dx[i] is the softmax, exp(x[i] - m) / sum: exp(x[i] - y) would lose as many digits as y has before the point. */
static void logsumexp_rule(pg_value *v)
{
    pg_value **inputs = pg_block_inputs(v->a.block);
    const exponentials e = sum_exponentials(v->a.block);
    for (int64_t i = 0; i < v->a.block->n; i++)
        inputs[i]->grad += v->grad * (exp(inputs[i]->data - e.largest) / e.sum);
}

/* ---- custom: the caller's local gradients ------------------------------------------------------------------------ */

static void custom_rule(pg_value *v)
{
    if (!(v->flags & PG_B_BLOCK))
        return;
    pg_value **inputs = pg_block_inputs(v->a.block);
    const double *local = pg_block_numbers(v->b.block);
    for (int64_t i = 0; i < v->a.block->n; i++)
        inputs[i]->grad += v->grad * local[i];
}

/* ---- fused: activation(bias + sum x w) --------------------------------------------------------------------------- */

static double preactivation(pg_block *x, pg_block *w)
{
    pg_value **weights = pg_block_inputs(w);
    double sum = w->n > x->n ? weights[x->n]->data : 0.0;
    if (x->numbers) {
        const double *numbers = pg_block_numbers(x);
        for (int64_t i = 0; i < x->n; i++)
            sum += weights[i]->data * numbers[i];
    } else {
        pg_value **inputs = pg_block_inputs(x);
        for (int64_t i = 0; i < x->n; i++)
            sum += weights[i]->data * inputs[i]->data;
    }
    return sum;
}

double pg_fused_value(int activation, pg_block *x, pg_block *w)
{
    double z = preactivation(x, w);
    return activation == PG_NO_ACTIVATION ? z : pg_op_value(activation, z, w->parameter);
}

static void fused_rule(pg_value *v)
{
    pg_block *x = v->a.block, *w = v->b.block;
    const int activation = v->op & ~PG_FUSED;
    double g = v->grad;
    if (activation != PG_NO_ACTIVATION) {
        double z = pg_op_row(activation)->saves == PG_SAVES_INPUT ? preactivation(x, w) : NAN, by_operand[2];
        pg_op_gradient(activation, g, z, w->parameter, v->data, by_operand);
        g = by_operand[0];
    }
    pg_value **weights = pg_block_inputs(w);
    if (w->n > x->n)
        weights[x->n]->grad += g;
    if (x->numbers) {
        const double *numbers = pg_block_numbers(x);
        for (int64_t i = 0; i < x->n; i++)
            weights[i]->grad += g * numbers[i];
    } else {
        pg_value **inputs = pg_block_inputs(x);
        for (int64_t i = 0; i < x->n; i++) {
            weights[i]->grad += g * inputs[i]->data;
            inputs[i]->grad += g * weights[i]->data;
        }
    }
}

void pg_run_nary_rule(pg_value *v)
{
    switch (v->op) {
    case PG_SUM:
        sum_rule(v);
        return;
    case PG_LOGSUMEXP:
        logsumexp_rule(v);
        return;
    case PG_CUSTOM:
        custom_rule(v);
        return;
    default:
        fused_rule(v);
    }
}
