/* Anomalies from C alone: no host tells a line, and the message has the rest. */
#include "check.h"

#include "pygrad_tensor.h"

#include <stdlib.h>

static pg_tensor *leaf(double first, double second)
{
    const int64_t shape[] = {2};
    pg_tensor *t = pg_tensor_empty(PG_FLOAT64, 1, shape);
    memcpy(pg_tensor_data(t), (const double[]){first, second}, 2 * sizeof first);
    pg_tensor_set_requires_grad(t, 1);
    return t;
}

/* backward of sum(sqrt(x) * x), whose first operation gives nan in its value and in its gradient */
static pg_status differentiate(int forward_mode, int backward_mode)
{
    const int outside = pg_set_anomaly_mode(forward_mode);
    pg_tensor *x = leaf(4.0, -1.0), *root = pg_tensor_unary(PG_OP_sqrt, x), *y = pg_tensor_binary(PG_OP_mul, root, x),
              *loss = pg_tensor_sum(y, 0, NULL, 0);
    CHECK(pg_set_anomaly_mode(backward_mode) == forward_mode);
    const pg_status status = pg_tensor_backward(loss, NULL, 0);
    CHECK(pg_anomaly_mode() == backward_mode);
    CHECK(pg_set_anomaly_mode(outside) == backward_mode);
    CHECK((pg_tensor_grad(x) == NULL) == (status != PG_OK));
    pg_tensor_release(loss);
    pg_tensor_release(y);
    pg_tensor_release(root);
    pg_tensor_release(x);
    return status;
}

static bool says(const char *part)
{
    return strstr(pg_message(), part) != NULL;
}

int main(void)
{
    differentiate(PG_ANOMALY_OFF, PG_ANOMALY_OFF);
    const int64_t before = pg_live_bytes() - pg_cached_bytes();
    CHECK(differentiate(PG_ANOMALY_OFF, PG_ANOMALY_OFF) == PG_OK);
    CHECK(differentiate(PG_ANOMALY_NAN, PG_ANOMALY_OFF) == PG_OK);
    CHECK(differentiate(PG_ANOMALY_NAN, PG_ANOMALY_NOTE) == PG_OK);
    CHECK(differentiate(PG_ANOMALY_NAN, PG_ANOMALY_NAN) == PG_BAD_STATE);
    const char *const start = "Function 'MulBackward0' returned nan values in its 1th output.";
    CHECK(strncmp(pg_message(), start, strlen(start)) == 0);
    CHECK(says("given a gradient of float64 [2]; Mul took float64 [2], float64 [2] and gave float64 [2]."));
    CHECK(says("nan first appeared in what Sqrt gave: it took float64 [2] and gave float64 [2]."));
    CHECK(differentiate(PG_ANOMALY_NOTE, PG_ANOMALY_NAN) == PG_BAD_STATE);
    CHECK(says("Mul took") && !says("nan first appeared"));
    CHECK(differentiate(PG_ANOMALY_OFF, PG_ANOMALY_NAN) == PG_BAD_STATE);
    CHECK(says("it had saved float64 [2], float64 [2]."));
    CHECK(pg_live_bytes() - pg_cached_bytes() == before);

    /* Each allocation fails once: nothing is left behind. */
    pg_status status = PG_NO_MEMORY;
    int n = 0;
    while (status == PG_NO_MEMORY && ++n < 1000) {
        pg_tensor *x = leaf(4.0, 1.0);
        pg_set_anomaly_mode(PG_ANOMALY_NAN);
        pg_fail_allocation(n, 0);
        pg_tensor *root = pg_tensor_unary(PG_OP_sqrt, x), *loss = pg_tensor_sum(root, 0, NULL, 0);
        status = loss == NULL ? pg_failure() : pg_tensor_backward(loss, NULL, 0);
        pg_fail_allocation(0, 0);
        pg_set_anomaly_mode(PG_ANOMALY_OFF);
        pg_tensor_release(loss);
        pg_tensor_release(root);
        pg_tensor_release(x);
        CHECK(pg_live_bytes() - pg_cached_bytes() == before);
    }
    CHECK(status == PG_OK && n > 8);
    return check_report("anomalies");
}
