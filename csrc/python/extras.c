/* A hash table from nodes to their extras: open addressing, linear probing, at most half full. It keeps rare fields
 * out of the nodes, of which there are millions. */
#include "python/object.h"

typedef struct {
    PyObject *node; /* NULL: free */
    pg_extras extras;
} entry;

static entry *table;
static size_t capacity; /* a power of two, or 0 */
static size_t count;

static size_t home_of(const PyObject *node)
{
    return (size_t)(((uint64_t)(uintptr_t)node >> 3) * 0x9E3779B97F4A7C15u >> 32) & (capacity - 1);
}

static entry *find(const PyObject *node)
{
    size_t i = home_of(node);
    while (table[i].node != node && table[i].node != NULL)
        i = (i + 1) & (capacity - 1);
    return &table[i];
}

static bool resize(size_t wanted)
{
    entry *old = table;
    const size_t old_capacity = capacity;
    entry *larger = pg_alloc(wanted * sizeof *larger);
    if (larger == NULL)
        return false;
    memset(larger, 0, wanted * sizeof *larger);
    table = larger;
    capacity = wanted;
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i].node != NULL)
            *find(old[i].node) = old[i];
    pg_free(old, old_capacity * sizeof *old);
    return true;
}

pg_extras *pg_extras_of(PyObject *self)
{
    return pg_value_of(self)->flags & PG_HAS_EXTRAS ? &find(self)->extras : NULL;
}

pg_extras *pg_extras_make(PyObject *self)
{
    if (pg_value_of(self)->flags & PG_HAS_EXTRAS)
        return &find(self)->extras;
    if (2 * (count + 1) > capacity && !resize(capacity > 0 ? 2 * capacity : 64)) {
        PyErr_NoMemory();
        return NULL;
    }
    entry *place = find(self);
    *place = (entry){.node = self};
    count++;
    pg_value_of(self)->flags |= PG_HAS_EXTRAS;
    return &place->extras;
}

/* Closes the gap at i: moves up what would no longer be found (Knuth, volume 3, section 6.4, algorithm R). */
static void close_gap(size_t i)
{
    for (size_t j = (i + 1) & (capacity - 1); table[j].node != NULL; j = (j + 1) & (capacity - 1)) {
        size_t home = home_of(table[j].node);
        if (((j - home) & (capacity - 1)) >= ((j - i) & (capacity - 1))) {
            table[i] = table[j];
            i = j;
        }
    }
    table[i].node = NULL;
}

void pg_extras_drop(PyObject *self)
{
    if (!(pg_value_of(self)->flags & PG_HAS_EXTRAS))
        return;
    entry *place = find(self);
    pg_extras extras = place->extras; /* the table has to be whole before any destructor runs */
    close_gap((size_t)(place - table));
    count--;
    pg_value_of(self)->flags &= (uint16_t) ~(PG_HAS_EXTRAS | PG_HOST_RULE);
    if (capacity > 4096 && 16 * count < capacity)
        resize(capacity / 4); /* when there is no memory for a smaller table, the larger one serves */
    Py_XDECREF(extras.rule);
    Py_XDECREF(extras.dict);
    Py_XDECREF(extras.label);
    Py_XDECREF(extras.op);
}
