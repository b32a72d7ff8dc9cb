/* The functions of libpq that the rooms call; library.h says why they are pointers. */
#ifndef STORE_LIBPQ_H
#define STORE_LIBPQ_H

#include "common/base/library.h"

#include <libpq-fe.h>

#define LIBPQ_FUNCTIONS(DO)                                                                        \
    DO(PQ, clear)                                                                                  \
    DO(PQ, cmdTuples)                                                                              \
    DO(PQ, connectdbParams)                                                                        \
    DO(PQ, conninfoFree)                                                                           \
    DO(PQ, conninfoParse)                                                                          \
    DO(PQ, errorMessage)                                                                           \
    DO(PQ, escapeLiteral)                                                                          \
    DO(PQ, exec)                                                                                   \
    DO(PQ, execParams)                                                                             \
    DO(PQ, finish)                                                                                 \
    DO(PQ, freemem)                                                                                \
    DO(PQ, getResult)                                                                              \
    DO(PQ, getisnull)                                                                              \
    DO(PQ, getlength)                                                                              \
    DO(PQ, getvalue)                                                                               \
    DO(PQ, ntuples)                                                                                \
    DO(PQ, parameterStatus)                                                                        \
    DO(PQ, putCopyData)                                                                            \
    DO(PQ, putCopyEnd)                                                                             \
    DO(PQ, resultErrorField)                                                                       \
    DO(PQ, resultStatus)                                                                           \
    DO(PQ, sendQueryParams)                                                                        \
    DO(PQ, setSingleRowMode)                                                                       \
    DO(PQ, socket)                                                                                 \
    DO(PQ, status)

struct libpq {
    LIBPQ_FUNCTIONS(LIBRARY_POINTER)
};

/* Valid after libpq_load() was FINE. */
extern struct libpq pq;

/* Loads libpq; see library_load(). */
enum status libpq_load(struct error *error);

#endif
