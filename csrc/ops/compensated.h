/* Long sums whose error does not grow with their length. */
#ifndef PG_COMPENSATED_H
#define PG_COMPENSATED_H

#include <math.h>

/* Adds x, and to *lost what rounding lost: Knuth's two-sum (The art of computer programming, volume 2, 4.2.2). */
static inline void pg_add_exactly(double *sum, double *lost, double x)
{
    const double s = *sum + x, rounded = s - *sum;
    *lost += (*sum - (s - rounded)) + (x - rounded);
    *sum = s;
}

/* The sum: an infinite one has lost what is no number. */
static inline double pg_whole(double sum, double lost)
{
    return isfinite(sum) ? sum + lost : sum;
}

#endif
