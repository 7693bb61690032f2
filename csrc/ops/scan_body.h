/* Running sums, running products and linear recurrences along rows of T, accumulated in SUM. Included per dtype. */

static void NAME(cumsum)(const scan *s)
{
    const T *const x = s->x;
    T *const y = s->y;
    for (int64_t row = 0; row < s->rows; row++) {
        SUM sum = 0, lost = 0;
        for (int64_t i = 0; i < s->n; i++) {
            const int64_t at = row * s->n + (s->reverse ? s->n - 1 - i : i);
            ADD(&sum, &lost, (SUM)x[at]);
            y[at] = (T)WHOLE(sum, lost);
        }
    }
}

static void NAME(cumprod)(const scan *s)
{
    const T *const x = s->x;
    T *const y = s->y;
    for (int64_t row = 0; row < s->rows; row++) {
        SUM product = 1;
        for (int64_t i = row * s->n; i < (row + 1) * s->n; i++) {
            product *= (SUM)x[i];
            y[i] = (T)product;
        }
    }
}

#undef ADD
#undef WHOLE
#undef SUM
#undef NAME
#undef T
