/* Numbers from standard input, for the demos: all of them, or none for the defaults. A terminal is not read, so that a
 * demo never waits. Bad input ends the program with one line on standard error and exit status 2.
 */
#ifndef STDIN_NUMBERS_H
#define STDIN_NUMBERS_H

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef enum { ANY_NUMBER, POSITIVE_NUMBER, WHOLE_NUMBER } number_kind;

typedef struct {
    const char *name;
    double value; /* the default, until read_numbers puts another in its place */
    double low, high;
    number_kind kind;
} number_wanted;

static inline void refuse_word(const char *program, const number_wanted *wanted, const char *word)
{
    fprintf(stderr, "%s: %s has to be ", program, wanted->name);
    if (wanted->kind == WHOLE_NUMBER)
        fprintf(stderr, "a whole number from %.0f to %.0f", wanted->low, wanted->high);
    else if (wanted->kind == POSITIVE_NUMBER)
        fprintf(stderr, "a number above 0, up to %.0f", wanted->high);
    else
        fprintf(stderr, "a number from %.0f to %.0f", wanted->low, wanted->high);
    fprintf(stderr, ", not '%.40s'\n", word);
    exit(2);
}

static inline void refuse_count(const char *program, int n, const number_wanted *wanted, int given)
{
    fprintf(stderr, "%s: %d numbers on standard input; wanted are %d (", program, given, n);
    for (int i = 0; i < n; i++)
        fprintf(stderr, i > 0 ? " %s" : "%s", wanted[i].name);
    fprintf(stderr, "), or none for the defaults\n");
    exit(2);
}

static inline double read_word(const char *program, const number_wanted *wanted, const char *word)
{
    char *end;
    const double x = strtod(word, &end);
    const bool decimal = strspn(word, "+-.0123456789eE") == strlen(word); /* strtod takes 0x10 and nan too */
    const bool in_range = x >= wanted->low && x <= wanted->high && (wanted->kind != POSITIVE_NUMBER || x > 0.0);
    if (!decimal || end == word || *end != '\0' || !in_range || (wanted->kind == WHOLE_NUMBER && x != floor(x)))
        refuse_word(program, wanted, word);
    return x;
}

/* The first bytes of standard input, as many as n numbers can need; a byte 0 becomes a '?', which is in no number. */
static inline void read_text(const char *program, char *text, size_t size)
{
    text[0] = '\0';
    if (isatty(STDIN_FILENO))
        return;
    errno = 0;
    size_t length = fread(text, 1, size, stdin);
    if (ferror(stdin) && errno != EBADF) { /* closed is as good as empty */
        fprintf(stderr, "%s: standard input cannot be read: %s\n", program, strerror(errno));
        exit(2);
    }
    if (length == size) {
        fprintf(stderr, "%s: %zu bytes or more on standard input; a few numbers are wanted\n", program, size);
        exit(2);
    }
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\0')
            text[i] = '?';
    text[length] = '\0';
}

/* wanted[n]; true when numbers were given. */
static inline bool read_numbers(const char *program, int n, number_wanted *wanted)
{
    static char text[4096];
    const char *const spaces = " \t\n\v\f\r";
    const char *words[16];
    int given = 0;
    read_text(program, text, sizeof text);
    for (char *word = strtok(text, spaces); word != NULL; word = strtok(NULL, spaces), given++)
        if (given < n)
            words[given] = word;
    if (given == 0)
        return false;
    if (given != n)
        refuse_count(program, n, wanted, given);
    for (int i = 0; i < n; i++)
        wanted[i].value = read_word(program, &wanted[i], words[i]);
    return true;
}

#endif
