/* The optimiser kernels for one type of number, included by optim_span.c with REAL, SQRT and SPAN(name) defined.
 *
 * What a step decides once does not depend on i, so that the compiler turns each case into a loop of plain arithmetic.
 * Without weight decay p does not enter the gradient at all: 0 * p would be NaN where p is infinite. */

static void SPAN(descend)(REAL lr, REAL decay, int64_t n, REAL *p, const REAL *g)
{
    if (decay == 0)
        for (int64_t i = 0; i < n; i++)
            p[i] -= lr * g[i];
    else
        for (int64_t i = 0; i < n; i++)
            p[i] -= lr * (g[i] + decay * p[i]);
}

void SPAN(pg_sgd_span)(const pg_sgd *sgd, int first, int64_t n, REAL *p, const REAL *g, REAL *m)
{
    const REAL lr = (REAL)sgd->lr, momentum = (REAL)sgd->momentum, decay = (REAL)sgd->weight_decay;
    if (momentum == 0) {
        SPAN(descend)(lr, decay, n, p, g);
        return;
    }
    const REAL fresh = (REAL)(1.0 - sgd->dampening);
    const bool decays = decay != 0, nesterov = sgd->nesterov != 0;
    for (int64_t i = 0; i < n; i++) {
        const REAL d = decays ? g[i] + decay * p[i] : g[i];
        const REAL next = first ? d : momentum * m[i] + fresh * d;
        m[i] = next;
        p[i] -= lr * (nesterov ? d + momentum * next : next);
    }
}

void SPAN(pg_adam_span)(const pg_adam *adam, int64_t step, int64_t n, REAL *p, const REAL *g, REAL *m, REAL *v)
{
    const REAL rate = (REAL)(adam->lr / (1.0 - pow(adam->beta1, (double)step)));
    const REAL spread = (REAL)sqrt(1.0 - pow(adam->beta2, (double)step));
    const REAL fresh1 = (REAL)(1.0 - adam->beta1), fresh2 = (REAL)(1.0 - adam->beta2), beta2 = (REAL)adam->beta2;
    const REAL eps = (REAL)adam->eps, decay = (REAL)adam->weight_decay;
    const bool decays = decay != 0;
    for (int64_t i = 0; i < n; i++) {
        const REAL d = decays ? g[i] + decay * p[i] : g[i];
        const REAL mean = m[i] + fresh1 * (d - m[i]);
        const REAL square = beta2 * v[i] + fresh2 * d * d;
        m[i] = mean;
        v[i] = square;
        p[i] -= rate * mean / (SQRT(square) / spread + eps);
    }
}
