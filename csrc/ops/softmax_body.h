/* Rules for rows of T: a and b are rows of n, b only in backward. Included once per dtype. */

#include "ops/exp_rows.h"

static inline void NAME(softmax_row)(const void *a, const void *b, int64_t n, void *out)
{
    (void)b;
    T *const y = out;
    const T sum = (T)NAME(exponentials)(a, n, NAME(largest)(a, n), y);
    for (int64_t i = 0; i < n; i++)
        y[i] /= sum;
}

/* dx = y (g - sum(g y)) */
static inline void NAME(softmax_row_gradient)(const void *a, const void *b, int64_t n, void *out)
{
    const T *const g = a, *const y = b;
    T *const dx = out;
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)g[i] * (double)y[i];
    for (int64_t i = 0; i < n; i++)
        dx[i] = y[i] * (g[i] - (T)sum);
}

static inline void NAME(log_softmax_row)(const void *a, const void *b, int64_t n, void *out)
{
    (void)b;
    const T *const x = a;
    T *const y = out;
    const T shift = NAME(largest)(x, n), log_sum = (T)log(NAME(exponentials)(x, n, shift, y));
    for (int64_t i = 0; i < n; i++)
        y[i] = (x[i] - shift) - log_sum;
}

/* dx = g - exp(y) sum(g) */
static inline void NAME(log_softmax_row_gradient)(const void *a, const void *b, int64_t n, void *out)
{
    const T *const g = a, *const y = b;
    T *const dx = out;
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)g[i];
    for (int64_t i = 0; i < n; i++)
        dx[i] = g[i] - EXP(y[i]) * (T)sum;
}

/* Infinities are not shifted away: inf - inf is no number. */
static inline void NAME(logsumexp_row)(const void *a, const void *b, int64_t n, void *out)
{
    (void)b;
    enum { BLOCK = 256 };
    T block[BLOCK];
    const T *const x = a, largest = NAME(largest)(x, n), shift = isinf(largest) ? 0 : largest;
    double sum = 0.0;
    for (int64_t i = 0; i < n; i += BLOCK)
        sum += NAME(exponentials)(x + i, n - i < BLOCK ? n - i : BLOCK, shift, block);
    *(T *)out = shift + (T)log(sum);
}

/* p: g, x, y, dx = g exp(x - y) */
static inline void NAME(logsumexp_gradient)(char *const *p, const int64_t *strides, int64_t n, const void *context)
{
    (void)context;
    for (int64_t i = 0; i < n; i++) {
        const T x = *(const T *)(p[1] + i * strides[1]), y = *(const T *)(p[2] + i * strides[2]);
        *(T *)(p[3] + i * strides[3]) = *(const T *)(p[0] + i * strides[0]) * EXP(x - y);
    }
}

/* rows[w, n] = columns[n, w], of which neighbours in a column lie `step` apart; and the way back. */
static void NAME(gather)(const void *columns, int64_t n, int64_t step, int64_t w, void *rows)
{
    const T *const from = columns;
    T *const to = rows;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < w; j++)
            to[j * n + i] = from[i * step + j];
}

static void NAME(scatter)(const void *rows, int64_t n, int64_t step, int64_t w, void *columns)
{
    const T *const from = rows;
    T *const to = columns;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < w; j++)
            to[i * step + j] = from[j * n + i];
}

#undef T
#undef NAME
#undef EXP
