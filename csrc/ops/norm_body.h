/* Rows of T brought to mean 0 and variance 1, or to mean square 1, then scaled and moved; sums are doubles. Included
 * once per dtype. */

enum { NAME(LANES) = 8 };

/* sum of (x - mean)^power, power 1 or 2 */
static double NAME(moment)(const T *x, int64_t n, double mean, int power)
{
    double lane[NAME(LANES)] = {0}, sum = 0.0;
    int64_t i = 0;
    for (; i + NAME(LANES) <= n; i += NAME(LANES))
        for (int k = 0; k < NAME(LANES); k++) {
            const double d = (double)x[i + k] - mean;
            lane[k] += power == 1 ? d : d * d;
        }
    for (; i < n; i++) {
        const double d = (double)x[i] - mean;
        sum += power == 1 ? d : d * d;
    }
    for (int k = 0; k < NAME(LANES); k++)
        sum += lane[k];
    return sum;
}

static void NAME(measure)(const norm_params *params, const void *x, norm_row *rows)
{
    const double n = (double)params->n;
    for (int64_t r = 0; r < params->rows; r++) {
        const T *const row = (const T *)x + r * params->n;
        double mean = 0.0;
        if (params->centred) {
            mean = NAME(moment)(row, params->n, 0.0, 1) / n;
            mean += NAME(moment)(row, params->n, mean, 1) / n; /* what rounding lost where the mean is large */
        }
        const double variance = NAME(moment)(row, params->n, mean, 2) / n;
        rows[r] = (norm_row){mean, 1.0 / sqrt(variance + params->eps), variance};
    }
}

/* y = (x - mean) * factor * w + b; w and b may be NULL. */
static void NAME(apply)(const norm_params *params, const void *from, const norm_row *rows, const void *weight,
                        const void *bias, void *to)
{
    const T *const w = weight, *const b = bias;
    for (int64_t r = 0; r < params->rows; r++) {
        const T *const x = (const T *)from + r * params->n;
        T *const y = (T *)to + r * params->n;
        const double mean = rows[r].mean, factor = rows[r].factor;
        if (params->by_row) {
            const double scale = w != NULL ? factor * (double)w[r] : factor, shift = b != NULL ? (double)b[r] : 0.0;
            for (int64_t i = 0; i < params->n; i++)
                y[i] = (T)(((double)x[i] - mean) * scale + shift);
        } else {
            for (int64_t i = 0; i < params->n; i++)
                y[i] = (T)(((double)x[i] - mean) * factor * (w != NULL ? (double)w[i] : 1.0) +
                           (b != NULL ? (double)b[i] : 0.0));
        }
    }
}

/* sums[0] = sum(g w), sums[1] = sum(g w z) with z = (x - mean) * factor; w NULL: 1 */
static void NAME(project)(const T *x, const T *g, const T *w, int64_t n, const norm_row *row, double *sums)
{
    double lane[2][NAME(LANES)] = {{0}};
    sums[0] = sums[1] = 0.0;
    for (int64_t i = 0; i < n; i += NAME(LANES)) {
        const int64_t most = n - i < NAME(LANES) ? n - i : NAME(LANES);
        for (int64_t k = 0; k < most; k++) {
            const double slope = w != NULL ? (double)g[i + k] * (double)w[i + k] : (double)g[i + k];
            lane[0][k] += slope;
            lane[1][k] += slope * (((double)x[i + k] - row->mean) * row->factor);
        }
    }
    for (int k = 0; k < NAME(LANES); k++) {
        sums[0] += lane[0][k];
        sums[1] += lane[1][k];
    }
}

/* dx = factor * (g w - mean(g w) - z mean(g w z)), without the means that do not depend on x. */
static void NAME(slopes)(const norm_params *params, const void *from, const norm_row *rows, const void *weight,
                         const void *gradient, void *to, double *dw, double *db)
{
    const int64_t n = params->n;
    const T *const w = weight;
    for (int64_t r = 0; r < params->rows; r++) {
        const T *const x = (const T *)from + r * n, *const g = (const T *)gradient + r * n;
        const double mean = rows[r].mean, factor = rows[r].factor;
        double sums[2];
        NAME(project)(x, g, params->by_row ? NULL : w, n, &rows[r], sums);
        if (params->by_row) {
            dw[r] = sums[1];
            db[r] = sums[0];
        } else {
            for (int64_t i = 0; i < n; i++) {
                dw[i] += (double)g[i] * (((double)x[i] - mean) * factor);
                db[i] += (double)g[i];
            }
        }
        if (to == NULL)
            continue;
        T *const dx = (T *)to + r * n;
        const double scale = params->by_row && w != NULL ? factor * (double)w[r] : factor;
        const double shift = params->centred && !params->fixed ? sums[0] / (double)n : 0.0;
        const double slope = params->fixed ? 0.0 : sums[1] / (double)n;
        for (int64_t i = 0; i < n; i++) {
            const double own = params->by_row || w == NULL ? (double)g[i] : (double)g[i] * (double)w[i];
            dx[i] = (T)(scale * (own - shift - ((double)x[i] - mean) * factor * slope));
        }
    }
}

static void NAME(narrow)(const double *from, int64_t n, void *to)
{
    for (int64_t i = 0; i < n; i++)
        ((T *)to)[i] = (T)from[i];
}

#undef T
#undef NAME
