/* Backward with rules that belong to the host, as Python's closures do: rules that fail, that start walks of their
 * own, that meet a walk under way. Uses the engine's inner header, because the public one has no such rules.
 */
#include "check.h"

#include "core/node.h"

/* What host_rule does for the one node that it looks after. */
static struct {
    pg_value *node;
    pg_status (*act)(void);
    int calls;
} host;

static pg_status host_rule(pg_value *v)
{
    if (v == host.node) {
        host.calls++;
        pg_status status = host.act != NULL ? host.act() : PG_OK;
        if (status != PG_OK)
            return status;
    }
    if (v->op != PG_LEAF)
        pg_run_rule(v);
    return PG_OK;
}

static void give_to_host(pg_value *v, pg_status (*act)(void))
{
    v->flags |= PG_HOST_RULE;
    host.node = v;
    host.act = act;
    host.calls = 0;
}

/* y = (a * b) * exp(a * b) + a, with everything by name */
typedef struct {
    pg_graph *g;
    pg_value *a, *b, *product, *e, *both, *y;
} diamond;

static diamond new_diamond(void)
{
    diamond d = {.g = pg_graph_new()};
    d.a = pg_leaf(d.g, 0.5);
    d.b = pg_leaf(d.g, 2.0);
    d.product = pg_mul(d.g, d.a, d.b);
    d.e = pg_exp(d.g, d.product);
    d.both = pg_mul(d.g, d.product, d.e);
    d.y = pg_add(d.g, d.both, d.a);
    return d;
}

static void check_exact(diamond *d)
{
    const double by_product = exp(1.0) + 1.0 * exp(1.0);
    CHECK_NEAR(pg_grad(d->a), 2.0 * by_product + 1.0, 1e-14);
    CHECK_NEAR(pg_grad(d->b), 0.5 * by_product, 1e-14);
    pg_set_grad(d->a, 0.0);
    pg_set_grad(d->b, 0.0);
}

static void check_no_marks(const diamond *d)
{
    const pg_value *const all[] = {d->a, d->b, d->product, d->e, d->both, d->y};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        CHECK_MESSAGE(all[i]->walk == 0 && all[i]->pending == 0, "value %zu", i);
}

/* After whatever happened: no trace, and the next walk is exact. */
static void check_usable(diamond *d)
{
    const pg_value *const all[] = {d->a, d->b, d->product, d->e, d->both, d->y};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        CHECK_MESSAGE(all[i]->walk == 0, "value %zu", i);
    host.act = NULL;
    pg_set_grad(d->a, 0.0);
    pg_set_grad(d->b, 0.0);
    CHECK(pg_walk_backward(d->y, host_rule) == PG_OK);
    check_exact(d);
    check_no_marks(d);
    pg_graph_free(d->g);
}

static void test_a_walk_leaves_no_marks(void)
{
    diamond d = new_diamond();
    CHECK(pg_backward(d.g, d.y) == PG_OK);
    check_no_marks(&d);
    check_exact(&d);
    check_usable(&d);
}

/* ---- rules of the host ---------------------------------------------------------------------------------------- */

static void test_host_rules_run_once_each_in_their_place(void)
{
    diamond d = new_diamond();
    pg_value *const nodes[] = {d.product, d.e, d.both, d.y};
    for (int i = 0; i < 4; i++) {
        give_to_host(nodes[i], NULL);
        CHECK(pg_walk_backward(d.y, host_rule) == PG_OK);
        CHECK(host.calls == 1);
        check_exact(&d);
        nodes[i]->flags &= (uint16_t)~PG_HOST_RULE;
    }
    give_to_host(d.b, NULL); /* on a value without inputs */
    CHECK(pg_walk_backward(d.y, host_rule) == PG_OK && host.calls == 1);
    check_exact(&d);
    give_to_host(d.a, NULL);
    CHECK(pg_walk_backward(d.a, host_rule) == PG_OK && host.calls == 1);
    CHECK_SAME(pg_grad(d.a), 1.0);
    check_usable(&d);
}

static pg_status fail(void)
{
    return PG_HOST_ERROR;
}

static void test_a_failing_rule_ends_the_walk_wherever_it_is(void)
{
    for (int i = 0; i < 4; i++) {
        diamond d = new_diamond();
        pg_value *const nodes[] = {d.product, d.e, d.both, d.y};
        give_to_host(nodes[i], fail);
        CHECK(pg_walk_backward(d.y, host_rule) == PG_HOST_ERROR);
        CHECK(host.calls == 1);
        check_usable(&d);
    }
}

static diamond inner;

static pg_status walk_inner_graph(void)
{
    host.node = NULL;
    inner = new_diamond();
    CHECK(pg_backward(inner.g, inner.y) == PG_OK);
    check_exact(&inner);
    pg_graph_free(inner.g);
    return PG_OK;
}

static void test_a_rule_may_walk_another_graph(void)
{
    diamond d = new_diamond();
    give_to_host(d.product, walk_inner_graph);
    CHECK(pg_walk_backward(d.y, host_rule) == PG_OK);
    check_exact(&d);
    check_usable(&d);
}

/* ---- walks that meet ------------------------------------------------------------------------------------------ */

static diamond *outer;
static pg_value *met;

static pg_status walk_into_the_outer_walk(void)
{
    host.node = NULL;
    pg_value *fresh = pg_leaf(outer->g, 1.0), *one = pg_neg(outer->g, fresh), *other = pg_exp(outer->g, fresh);
    pg_value *top = pg_sum(outer->g, 4, (pg_value *[]){one, met, other, fresh});
    const double grad = pg_grad(outer->b);
    CHECK(pg_backward(outer->g, top) == PG_BUSY);
    CHECK_MESSAGE(strstr(pg_message(), "another backward") != NULL, "%s", pg_message());
    CHECK_SAME(pg_grad(fresh), 0.0);
    CHECK_SAME(pg_grad(one), 0.0);
    CHECK_SAME(pg_grad(other), 0.0);
    CHECK_SAME(pg_grad(outer->b), grad);
    CHECK(fresh->walk == 0 && one->walk == 0 && other->walk == 0 && top->walk == 0);
    CHECK(pg_backward(outer->g, met) == PG_BUSY);
    return PG_OK;
}

static void test_meeting_another_walk_is_busy_and_leaves_that_one_exact(void)
{
    for (int i = 0; i < 3; i++) {
        diamond d = new_diamond();
        pg_value *const held[] = {d.product, d.a, d.b};
        outer = &d;
        met = held[i];
        give_to_host(d.e, walk_into_the_outer_walk); /* product, a and b wait for it */
        CHECK(pg_walk_backward(d.y, host_rule) == PG_OK);
        CHECK(host.calls == 1);
        check_exact(&d);
        check_usable(&d);
    }
}

static pg_status walk_what_is_done(void)
{
    host.node = NULL;
    const double grad = pg_grad(outer->y);
    pg_value *above = pg_neg(outer->g, pg_leaf(outer->g, 1.0));
    CHECK(pg_backward(outer->g, above) == PG_OK); /* shares nothing with the outer walk */
    CHECK_SAME(pg_grad(outer->y), grad);
    return PG_OK;
}

static void test_a_walk_beside_the_outer_one_is_exact(void)
{
    diamond d = new_diamond();
    outer = &d;
    give_to_host(d.both, walk_what_is_done);
    CHECK(pg_walk_backward(d.y, host_rule) == PG_OK);
    check_exact(&d);
    check_usable(&d);
}

static int depth, refused_at;

/* Each rule starts one more walk, on a graph of its own. */
static pg_status nest(void)
{
    diamond d = new_diamond();
    give_to_host(d.product, nest);
    depth++;
    pg_status status = pg_walk_backward(d.y, host_rule);
    if (status == PG_BUSY && refused_at == 0) {
        refused_at = depth;
        CHECK_MESSAGE(strstr(pg_message(), "255") != NULL, "%s", pg_message());
    }
    depth--;
    host.act = NULL;
    pg_graph_free(d.g);
    return PG_OK;
}

static void test_walks_nest_255_deep_and_no_further(void)
{
    for (int i = 0; i < 2; i++) { /* twice, because their numbers have to come back */
        refused_at = 0;
        CHECK(nest() == PG_OK);
        CHECK(refused_at == 256);
    }
}

static pg_status set_rule_on_leaf(void)
{
    outer->a->flags |= PG_HOST_RULE;
    outer->b->flags |= PG_HOST_RULE;
    return PG_OK;
}

static void test_a_rule_set_on_a_leaf_under_way_overflows_nothing(void)
{
    const int64_t before = pg_live_bytes();
    diamond d = new_diamond();
    outer = &d;
    give_to_host(d.product, set_rule_on_leaf);
    pg_status status = pg_walk_backward(d.y, host_rule);
    CHECK(status == PG_OK || status == PG_BUSY);
    check_usable(&d);
    CHECK(pg_live_bytes() == before);
}

static void test_a_walk_without_memory_changes_nothing(void)
{
    diamond d = new_diamond();
    pg_set_grad(d.a, 7.0);
    pg_fail_allocation(1, 0);
    CHECK(pg_backward(d.g, d.y) == PG_NO_MEMORY);
    pg_fail_allocation(0, 0);
    CHECK_SAME(pg_grad(d.a), 7.0);
    CHECK_SAME(pg_grad(d.b), 0.0);
    check_usable(&d);
}

int main(void)
{
    test_a_walk_leaves_no_marks();
    test_host_rules_run_once_each_in_their_place();
    test_a_failing_rule_ends_the_walk_wherever_it_is();
    test_a_rule_may_walk_another_graph();
    test_meeting_another_walk_is_busy_and_leaves_that_one_exact();
    test_a_walk_beside_the_outer_one_is_exact();
    test_walks_nest_255_deep_and_no_further();
    test_a_rule_set_on_a_leaf_under_way_overflows_nothing();
    test_a_walk_without_memory_changes_nothing();
    CHECK(pg_live_bytes() == 0);
    return check_report("walk");
}
