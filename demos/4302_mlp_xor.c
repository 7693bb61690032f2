/* 4302: a multi-layer perceptron learns XOR, in C.
 *
 * Two inputs, one hidden layer of ReLU neurons, one linear output z; p = sigmoid(z) is the probability of 1. Plain
 * gradient descent on all four samples at once, the mean of their binary cross-entropies, computed from z.
 *
 * Input: nothing, or four numbers, `hidden lr epochs seed`:   echo "16 0.5 1000 0" | 4302_mlp_xor
 * With --curve it prints the loss before training and after each epoch, one a line, and nothing else.
 * Exit status: 0, learnt or not; 1 when a check failed; 2 for bad input.
 */
#include "pygrad.h"
#include "support/stdin_numbers.h"

#include <time.h>

static const char program[] = "4302_mlp_xor";

enum { SAMPLES = 4, REPORT_EVERY = 100 };

static const double inputs[SAMPLES][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
static const double labels[SAMPLES] = {0, 1, 1, 0};

typedef struct {
    int64_t hidden, epochs;
    double lr;
    uint64_t seed;
    bool curve, defaults;
} settings;

typedef struct {
    pg_graph *g;
    pg_mlp *mlp;
    pg_value *const *params; /* of hidden neuron j: w0, w1, b at 3j; then of the output: w[hidden], b */
    int64_t count;
    pg_value *logits[SAMPLES], *loss; /* of the current step */
} trainer;

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", program, what);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void start(trainer *t, const settings *s)
{
    const int64_t sizes[] = {2, s->hidden, 1};
    t->g = pg_graph_new();
    t->mlp = t->g == NULL ? NULL : pg_mlp_new(t->g, 2, sizes, PG_OP_relu, -1, s->seed);
    if (t->mlp == NULL)
        fail(pg_message());
    t->params = pg_mlp_parameters(t->mlp, &t->count);
}

/* Builds the loss: a node per neuron and sample, one per sample's loss, one for their sum and one for the mean. */
static void forward(trainer *t)
{
    pg_value *losses[SAMPLES];
    pg_clear(t->g); /* the previous step's graph; the parameters stay */
    for (int i = 0; i < SAMPLES; i++) {
        if (pg_mlp_forward(t->g, t->mlp, 1, inputs[i], &t->logits[i]) != PG_OK)
            fail(pg_message());
        losses[i] = pg_binary_number(t->g, PG_OP_bce_with_logits, t->logits[i], labels[i]);
    }
    t->loss = pg_binary_number(t->g, PG_OP_div, pg_sum(t->g, SAMPLES, losses), SAMPLES);
    if (t->loss == NULL)
        fail(pg_message());
}

static int64_t nodes_per_step(const settings *s)
{
    return SAMPLES * (s->hidden + 1) + SAMPLES + 2;
}

static void backward(trainer *t)
{
    pg_zero_grad(t->count, t->params);
    if (pg_backward(t->g, t->loss) != PG_OK)
        fail(pg_message());
}

static double probability(double logit)
{
    return pg_op_value(PG_OP_sigmoid, logit, 0.0);
}

static int correct(const trainer *t)
{
    int count = 0;
    for (int i = 0; i < SAMPLES; i++)
        count += (pg_data(t->logits[i]) > 0.0) == (labels[i] > 0.5);
    return count;
}

static double preactivation(const trainer *t, int64_t unit, const double *x)
{
    pg_value *const *w = &t->params[3 * unit];
    return pg_data(w[2]) + pg_data(w[0]) * x[0] + pg_data(w[1]) * x[1];
}

/* ---- the check: backpropagation by hand ---------------------------------------------------------------------------- */

/* grads[count]: adds what sample i contributes. With a = relu(W x + b), z = v . a + c and dL/dz = (p - y) / 4:
 * dL/dc = dL/dz, dL/dv = dL/dz a, dL/db = dL/dz v where the unit is on, dL/dW = that times x. */
static void add_gradient_by_hand(const trainer *t, int64_t hidden, int i, double *grads)
{
    const double *x = inputs[i];
    pg_value *const *v = &t->params[3 * hidden];
    double z = pg_data(v[hidden]);
    for (int64_t j = 0; j < hidden; j++)
        z += pg_data(v[j]) * fmax(preactivation(t, j, x), 0.0);
    const double dz = (1.0 / (1.0 + exp(-z)) - labels[i]) / SAMPLES;
    grads[4 * hidden] += dz;
    for (int64_t j = 0; j < hidden; j++) {
        const double a = preactivation(t, j, x), da = a > 0.0 ? dz * pg_data(v[j]) : 0.0;
        grads[3 * hidden + j] += dz * fmax(a, 0.0);
        grads[3 * j] += da * x[0];
        grads[3 * j + 1] += da * x[1];
        grads[3 * j + 2] += da;
    }
}

/* The largest difference between the gradient of the current loss and the one by hand. */
static double check_gradient(const trainer *t, int64_t hidden)
{
    double *grads = calloc((size_t)t->count, sizeof *grads), largest = 0.0;
    if (grads == NULL)
        fail("out of memory");
    for (int i = 0; i < SAMPLES; i++)
        add_gradient_by_hand(t, hidden, i, grads);
    for (int64_t i = 0; i < t->count; i++)
        largest = fmax(largest, fabs(pg_grad(t->params[i]) - grads[i]));
    free(grads);
    return largest;
}

/* ---- what is printed ------------------------------------------------------------------------------------------------ */

static void print_head(const trainer *t, const settings *s)
{
    printf("4302: XOR learnt by a 2-%lld-1 network, %lld parameters\n", (long long)s->hidden, (long long)t->count);
    printf("He initialisation from seed %llu, gradient descent on all four samples, lr %g, %lld epochs\n\n",
           (unsigned long long)s->seed, s->lr, (long long)s->epochs);
    printf("%8s  %10s  %8s %8s %8s %8s  %s\n", "epoch", "loss", "p(0,0)", "p(0,1)", "p(1,0)", "p(1,1)", "correct");
}

static void print_row(const trainer *t, int64_t epoch)
{
    printf("%8lld  %10.6f ", (long long)epoch, pg_data(t->loss));
    for (int i = 0; i < SAMPLES; i++)
        printf(" %8.6f", probability(pg_data(t->logits[i])));
    printf("  %d of 4\n", correct(t));
}

static bool all_off(const trainer *t, int64_t hidden, int sample)
{
    for (int64_t j = 0; j < hidden; j++)
        if (preactivation(t, j, inputs[sample]) > 0.0)
            return false;
    return true;
}

/* Two samples that switch no hidden neuron on both get the output's bias for z. With different labels they pull it in
 * opposite directions, and their gradients reach nothing else: there they stay, unless the gradients of the other
 * samples happen to switch a neuron on for one of them. */
static bool report_dead_start(const trainer *t, int64_t hidden)
{
    for (int i = 0; i < SAMPLES; i++)
        for (int j = i + 1; j < SAMPLES; j++)
            if (labels[i] != labels[j] && all_off(t, hidden, i) && all_off(t, hidden, j)) {
                printf("dead start: no hidden neuron responds to (%g,%g) or (%g,%g), so both get the same prediction,\n"
                       "and their gradients reach the output's bias only; another seed or a smaller lr may help\n",
                       inputs[i][0], inputs[i][1], inputs[j][0], inputs[j][1]);
                return true;
            }
    return false;
}

static void print_outcome(const trainer *t, const settings *s, double seconds)
{
    const double per_step = seconds / (double)s->epochs;
    printf("\naccuracy %d of 4\n", correct(t));
    if (!isfinite(pg_data(t->loss)))
        printf("diverged: the loss is %g; a smaller lr helps\n", pg_data(t->loss));
    else if (correct(t) < SAMPLES && !report_dead_start(t, s->hidden))
        printf("not learnt: more epochs, more hidden neurons or another lr may help\n");
    printf("%lld nodes per step, forward and backward and update: %.1f ns per node, %.2f us per step\n",
           (long long)nodes_per_step(s), 1e9 * per_step / (double)nodes_per_step(s), 1e6 * per_step);
}

/* ---- training -------------------------------------------------------------------------------------------------------- */

static void train(trainer *t, const settings *s)
{
    const pg_sgd sgd = {.lr = s->lr};
    double seconds = 0.0, difference = 0.0;
    for (int64_t epoch = 0; epoch <= s->epochs; epoch++) {
        double begin = now();
        forward(t);
        seconds += now() - begin;
        if (s->curve)
            printf("%.17g\n", pg_data(t->loss));
        else if (epoch % REPORT_EVERY == 0 || epoch == s->epochs)
            print_row(t, epoch);
        if (epoch == s->epochs)
            break;

        begin = now();
        backward(t);
        seconds += now() - begin;
        if (epoch == 0)
            difference = check_gradient(t, s->hidden);
        begin = now();
        pg_sgd_step(&sgd, epoch + 1, t->count, t->params, NULL);
        seconds += now() - begin;
    }
    if (!s->curve) {
        print_outcome(t, s, seconds);
        printf("first gradient against backpropagation by hand: %s\n", difference <= 1e-12 ? "ok" : "WRONG");
    }
    if (!(difference <= 1e-12))
        fail("the first gradient differs from backpropagation by hand");
    if (s->defaults && correct(t) < SAMPLES)
        fail("the defaults have to learn XOR, and did not");
}

static settings read_settings(int argc, char **argv)
{
    number_wanted in[] = {
        {"hidden", 16, 1, 4096, WHOLE_NUMBER},
        {"lr", 0.5, 0, 1000, POSITIVE_NUMBER},
        {"epochs", 1000, 1, 10000000, WHOLE_NUMBER},
        {"seed", 0, 0, 9007199254740991, WHOLE_NUMBER},
    };
    const bool curve = argc == 2 && strcmp(argv[1], "--curve") == 0;
    if (argc > 1 && !curve) {
        fprintf(stderr, "%s: [--curve] is the only argument, not '%.40s'; numbers are read from standard input\n",
                program, argv[argc - 1]);
        exit(2);
    }
    const bool given = read_numbers(program, 4, in);
    return (settings){.hidden = (int64_t)in[0].value,
                      .lr = in[1].value,
                      .epochs = (int64_t)in[2].value,
                      .seed = (uint64_t)in[3].value,
                      .curve = curve,
                      .defaults = !given};
}

int main(int argc, char **argv)
{
    const settings s = read_settings(argc, argv);
    trainer t;
    start(&t, &s);
    if (!s.curve)
        print_head(&t, &s);
    train(&t, &s);
    pg_mlp_free(t.mlp);
    pg_graph_free(t.g);
    return 0;
}
