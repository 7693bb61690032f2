/* Formulas for test_ops, of another form than those of ops.def and in long double, so that one mistake is not in both.
 * A new row of the op table needs one here.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <math.h>
#include <stddef.h>
#include <string.h>

typedef long double wide;

#define ORACLE(name, formula) \
    static inline wide o_##name(wide a, wide b) \
    { \
        (void)b; \
        return formula; \
    }
ORACLE(neg, 0 - a)
ORACLE(exp, powl(expl(1.0L), a))
ORACLE(expm1, 2 * expl(a / 2) * sinhl(a / 2))
ORACLE(log, log2l(a) / log2l(expl(1.0L)))
ORACLE(log1p, 2 * atanhl(a / (2 + a)))
ORACLE(sqrt, expl(logl(a) / 2))
ORACLE(rsqrt, expl(-logl(a) / 2))
ORACLE(square, a > 0 ? expl(2 * logl(a)) : a < 0 ? expl(2 * logl(-a)) : 0)
ORACLE(reciprocal, a > 0 ? expl(-logl(a)) : -expl(-logl(-a)))
ORACLE(abs, fmaxl(a, -a))
ORACLE(sign, copysignl(1.0L, a))
ORACLE(sin, 2 * sinl(a / 2) * cosl(a / 2))
ORACLE(cos, 1 - 2 * sinl(a / 2) * sinl(a / 2))
ORACLE(erf, 1 - erfcl(a))
ORACLE(erfc, 1 - erfl(a))
ORACLE(tanh, 1 - 2 / (expl(2 * a) + 1))
ORACLE(sigmoid, 0.5L + 0.5L * tanhl(a / 2))
ORACLE(relu, (a + fabsl(a)) / 2)
ORACLE(relu6, fminl(fmaxl(a, 0), 6))
ORACLE(hardtanh, fminl(fmaxl(a, -1), 1))
ORACLE(gelu, a / 2 * (1 + erfl(a / sqrtl(2.0L))))
ORACLE(gelu_tanh, a / 2 * (1 + tanhl(sqrtl(2 / acosl(-1.0L)) * (a + 0.044715L * a * a * a))))
ORACLE(silu, a / (1 + expl(-a)))
ORACLE(softplus, logl(1 + expl(a)))
ORACLE(logsigmoid, -logl(1 + expl(-a)))
ORACLE(selu, 1.0507009873554804934193349852946L * (a > 0 ? a : 1.6732632423543772848170429916717L * (expl(a) - 1)))
ORACLE(mish, tanhl(logl(1 + expl(a))) * a)
ORACLE(exp2, expl(a *logl(2.0L)))
ORACLE(log2, logl(a) / logl(2.0L))
ORACLE(log10, logl(a) / logl(10.0L))
ORACLE(floor, (wide)(long long)a - (a < (wide)(long long)a))
ORACLE(ceil, -floorl(-a))
ORACLE(round, floorl(a + 0.5L))
ORACLE(trunc, (wide)(long long)a)
ORACLE(tan, sinl(a) / cosl(a))
ORACLE(asin, 2 * atan2l(a, 1 + sqrtl(1 - a * a)))
ORACLE(acos, 2 * atan2l(sqrtl(1 - a), sqrtl(1 + a)))
ORACLE(atan, asinl(a / sqrtl(1 + a * a)))
ORACLE(sinh, (expl(a) - expl(-a)) / 2)
ORACLE(cosh, (expl(a) + expl(-a)) / 2)
ORACLE(add, a + b)
ORACLE(sub, a - b)
ORACLE(mul, ((a + b) * (a + b) - (a - b) * (a - b)) / 4)
ORACLE(div, (1 / b) * a)
ORACLE(pow, expl(logl(a) * b))
ORACLE(maximum, (a + b + fabsl(a - b)) / 2)
ORACLE(minimum, (a + b - fabsl(a - b)) / 2)
ORACLE(fmax, a > b ? a : b)
ORACLE(fmin, a > b ? b : a)
ORACLE(floor_divide, floorl(a / b))
ORACLE(remainder, a - b * floorl(a / b))
ORACLE(fmod, a - b * truncl(a / b))
ORACLE(hypot, sqrtl(a *a + b * b))
ORACLE(atan2, 2 * atanl(a / (b + sqrtl(a * a + b * b))))
ORACLE(logaddexp, logl(expl(a) + expl(b)))
ORACLE(leaky_relu, fmaxl(a, 0) + b * fminl(a, 0))
ORACLE(elu, fmaxl(a, 0) + b * (expl(fminl(a, 0)) - 1))
ORACLE(swish, a / (1 + expl(-b * a)))
ORACLE(bce_with_logits, (1 - b) * logl(1 + expl(a)) + b * logl(1 + expl(-a)))

/* A box of inputs on which the op is smooth, beside the row's own domain: the other side of a kink. */
typedef struct {
    const char *name;
    wide (*value)(wide, wide);
    double more[2][2][2]; /* [box][input][low, high] */
} oracle;

static const oracle oracles[] = {
    {"neg", o_neg, {{{0}}}},
    {"exp", o_exp, {{{-20, 3}}}},
    {"expm1", o_expm1, {{{-20, -3}}}},
    {"log", o_log, {{{5, 1e3}}}},
    {"log1p", o_log1p, {{{4, 1e3}}}},
    {"sqrt", o_sqrt, {{{5, 1e3}}}},
    {"rsqrt", o_rsqrt, {{{5, 1e3}}}},
    {"square", o_square, {{{3, 1e3}}}},
    {"reciprocal", o_reciprocal, {{{-3, -0.4}, {3, 1e3}}}},
    {"abs", o_abs, {{{-3, -0.1}}}},
    {"sign", o_sign, {{{-3, -0.1}}}},
    {"sin", o_sin, {{{3, 9}}}},
    {"cos", o_cos, {{{3, 9}}}},
    {"erf", o_erf, {{{2, 5}}}},
    {"erfc", o_erfc, {{{2, 5}}}},
    {"tanh", o_tanh, {{{3, 30}, {0, 0}}, {{-30, -3}}}},
    {"sigmoid", o_sigmoid, {{{4, 30}, {0, 0}}, {{-30, -4}}}},
    {"relu", o_relu, {{{-3, -0.1}}}},
    {"relu6", o_relu6, {{{-3, -0.1}, {0, 0}}, {{6.1, 9}}}},
    {"hardtanh", o_hardtanh, {{{-3, -1.1}, {0, 0}}, {{1.1, 3}}}},
    {"gelu", o_gelu, {{{3, 9}, {0, 0}}, {{-9, -3}}}},
    {"gelu_tanh", o_gelu_tanh, {{{3, 9}, {0, 0}}, {{-9, -3}}}},
    {"silu", o_silu, {{{3, 30}, {0, 0}}, {{-30, -3}}}},
    {"softplus", o_softplus, {{{4, 19.9}, {0, 0}}, {{-30, -4}}}},
    {"logsigmoid", o_logsigmoid, {{{4, 30}, {0, 0}}, {{-30, -4}}}},
    {"selu", o_selu, {{{-9, -0.1}}}},
    {"mish", o_mish, {{{3, 19.9}, {0, 0}}, {{-20, -3}}}},
    {"exp2", o_exp2, {{{-20, -3}}}},
    {"log2", o_log2, {{{5, 1e3}}}},
    {"log10", o_log10, {{{5, 1e3}}}},
    {"floor", o_floor, {{{-2.9, -2.1}}}},
    {"ceil", o_ceil, {{{-2.9, -2.1}}}},
    {"round", o_round, {{{-2.4, -1.6}}}},
    {"trunc", o_trunc, {{{-2.9, -2.1}}}},
    {"tan", o_tan, {{{2, 4}}}},
    {"asin", o_asin, {{{0}}}},
    {"acos", o_acos, {{{0}}}},
    {"atan", o_atan, {{{3, 30}}}},
    {"sinh", o_sinh, {{{3, 5}}}},
    {"cosh", o_cosh, {{{3, 5}}}},
    {"add", o_add, {{{0}}}},
    {"sub", o_sub, {{{0}}}},
    {"mul", o_mul, {{{0}}}},
    {"div", o_div, {{{-3, 3}, {-3, -0.4}}}},
    {"pow", o_pow, {{{2.5, 5}, {-2, 4}}}},
    {"maximum", o_maximum, {{{0.1, 3}, {-3, -0.1}}}},
    {"minimum", o_minimum, {{{0.1, 3}, {-3, -0.1}}}},
    {"fmax", o_fmax, {{{0.1, 3}, {-3, -0.1}}}},
    {"fmin", o_fmin, {{{0.1, 3}, {-3, -0.1}}}},
    {"floor_divide", o_floor_divide, {{{-2.8, -2.2}, {1, 1.05}}}},
    {"remainder", o_remainder, {{{-2.8, -2.2}, {1, 1.05}}}},
    {"fmod", o_fmod, {{{-2.8, -2.2}, {1, 1.05}}}},
    {"hypot", o_hypot, {{{-3, 3}, {-3, -0.4}}}},
    {"atan2", o_atan2, {{{0.4, 3}, {-3, 3}}}},
    {"logaddexp", o_logaddexp, {{{-20, 20}, {-20, 20}}}},
    {"leaky_relu", o_leaky_relu, {{{0.1, 3}, {0.01, 0.5}}}},
    {"elu", o_elu, {{{0.1, 3}, {0.5, 1.5}}}},
    {"swish", o_swish, {{{-20, 20}, {-2, -0.5}}}},
    {"bce_with_logits", o_bce_with_logits, {{{-9, 9}, {-1, 2}}}},
};

static inline const oracle *oracle_for(const char *name)
{
    for (size_t i = 0; i < sizeof oracles / sizeof *oracles; i++)
        if (strcmp(oracles[i].name, name) == 0)
            return &oracles[i];
    return NULL;
}

static inline wide difference(const oracle *o, wide a, wide b, int input)
{
    const wide h = 1e-4L, da = input == 0 ? h : 0, db = input == 1 ? h : 0;
    wide far = o->value(a + 2 * da, b + 2 * db) - o->value(a - 2 * da, b - 2 * db);
    wide near = o->value(a + da, b + db) - o->value(a - da, b - db);
    return (8 * near - far) / (12 * h);
}

#endif
