/* Elements of every dtype are ordered as unsigned integers, their keys, so that one sort serves all, both ways. */
#include "ops/order.h"

#include "core/alloc.h"

#include <math.h>

typedef struct {
    uint64_t key;
    int64_t index;
} item;

enum {
    FEW = 32, /* elements that are sorted by insertion */
    DIGITS = 8,
    VALUES = 256,
};

/* ---- keys -------------------------------------------------------------------------------------------------------- */

/* The order of the bits of a double, with its sign turned round; -0 is 0, and every nan the largest. */
static uint64_t key_of_double(double x)
{
    uint64_t bits;
    if (isnan(x))
        return UINT64_MAX;
    x += 0.0;
    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static uint64_t key_of_float(float x)
{
    uint32_t bits;
    if (isnan(x))
        return UINT32_MAX;
    x += 0.0f;
    memcpy(&bits, &x, sizeof bits);
    return bits >> 31 ? ~bits : bits | UINT32_C(1) << 31;
}

/* What descending order turns round: no more digits than the dtype has. */
static uint64_t largest_key(int dtype)
{
    return pg_itemsize[dtype] == 8 ? UINT64_MAX : pg_itemsize[dtype] == 4 ? UINT32_MAX : UINT8_MAX;
}

static uint64_t key_at(const pg_tensor *x, int64_t i)
{
    switch ((pg_dtype)x->dtype) {
    case PG_INT32:
        return (uint32_t)((const int32_t *)x->data)[i] ^ UINT32_C(1) << 31;
    case PG_INT64:
        return (uint64_t)((const int64_t *)x->data)[i] ^ UINT64_C(1) << 63;
    case PG_FLOAT32:
        return key_of_float(((const float *)x->data)[i]);
    case PG_FLOAT64:
        return key_of_double(((const double *)x->data)[i]);
    default:
        return ((const uint8_t *)x->data)[i];
    }
}

/* ---- sorting ----------------------------------------------------------------------------------------------------- */

/* Puts `next` where it belongs among items[n], which are sorted; the last falls out where there are already k. */
static int64_t insert(item *items, int64_t n, int64_t k, item next)
{
    if (n == k && next.key >= items[n - 1].key)
        return n;
    int64_t i = n < k ? n++ : k - 1;
    for (; i > 0 && next.key < items[i - 1].key; i--)
        items[i] = items[i - 1];
    items[i] = next;
    return n;
}

/* Sorts items[n] digit by digit, the lowest first, with room for as many; returns which of the two has the result. */
static item *sort_digits(item *items, item *room, int64_t n)
{
    int64_t counts[DIGITS][VALUES] = {{0}};
    for (int64_t i = 0; i < n; i++)
        for (int d = 0; d < DIGITS; d++)
            counts[d][items[i].key >> 8 * d & 0xff]++;
    for (int d = 0; d < DIGITS; d++) {
        int64_t *const count = counts[d];
        if (count[items[0].key >> 8 * d & 0xff] == n)
            continue; /* they all have the same */
        int64_t before = 0;
        for (int v = 0; v < VALUES; v++) {
            const int64_t here = count[v];
            count[v] = before;
            before += here;
        }
        for (int64_t i = 0; i < n; i++)
            room[count[items[i].key >> 8 * d & 0xff]++] = items[i];
        item *const sorted = room;
        room = items;
        items = sorted;
    }
    return items;
}

pg_status pg_order_rows(const pg_tensor *x, int64_t n, int64_t k, bool descending, pg_tensor *index)
{
    if (index->numel == 0)
        return PG_OK;
    size_t bytes;
    item *const items = pg_alloc_array(k <= FEW ? (size_t)k : 2 * (size_t)n, sizeof *items, 0, &bytes);
    if (items == NULL)
        return PG_NO_MEMORY;
    const uint64_t turn = descending ? largest_key(x->dtype) : 0;
    int64_t *to = (int64_t *)index->data;
    for (int64_t first = 0; first < x->numel; first += n) {
        const item *sorted = items;
        if (k <= FEW) {
            for (int64_t i = 0, kept = 0; i < n; i++)
                kept = insert(items, kept, k, (item){key_at(x, first + i) ^ turn, i});
        } else {
            for (int64_t i = 0; i < n; i++)
                items[i] = (item){key_at(x, first + i) ^ turn, i};
            sorted = sort_digits(items, items + n, n);
        }
        for (int64_t i = 0; i < k; i++)
            *to++ = sorted[i].index;
    }
    pg_free(items, bytes);
    return PG_OK;
}
