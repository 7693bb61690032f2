#include "kernels/matmul.h"

#define PG_MATMUL_NAIVE(name, real) \
    void name(const pg_matmul_job *job) \
    { \
        const real *a = job->a, *b = job->b, *bias = job->bias; \
        for (int64_t i = 0; i < job->m; i++) { \
            real *c = (real *)job->c + i * job->ldc; \
            for (int64_t j = 0; j < job->n; j++) { \
                double sum = bias == NULL ? 0.0 : (double)bias[j]; \
                for (int64_t p = 0; p < job->k; p++) \
                    sum += (double)a[i * job->a_row + p * job->a_col] * (double)b[p * job->b_row + j * job->b_col]; \
                c[j] = (real)(job->accumulate ? (double)c[j] + sum : sum); \
            } \
        } \
    }

PG_MATMUL_NAIVE(pg_matmul_naive_f32, float)
PG_MATMUL_NAIVE(pg_matmul_naive_f64, double)
