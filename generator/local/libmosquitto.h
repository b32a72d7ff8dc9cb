/* The functions of libmosquitto that the rooms call; library.h says why they are pointers. */
#ifndef GENERATOR_LOCAL_LIBMOSQUITTO_H
#define GENERATOR_LOCAL_LIBMOSQUITTO_H

#include "common/base/library.h"

#include <mosquitto.h>

#define LIBMOSQUITTO_FUNCTIONS(DO)                                                                 \
    DO(mosquitto_, connack_string)                                                                 \
    DO(mosquitto_, connect)                                                                        \
    DO(mosquitto_, connect_callback_set)                                                           \
    DO(mosquitto_, destroy)                                                                        \
    DO(mosquitto_, disconnect)                                                                     \
    DO(mosquitto_, int_option)                                                                     \
    DO(mosquitto_, lib_cleanup)                                                                    \
    DO(mosquitto_, lib_init)                                                                       \
    DO(mosquitto_, loop)                                                                           \
    DO(mosquitto_, loop_misc)                                                                      \
    DO(mosquitto_, loop_read)                                                                      \
    DO(mosquitto_, loop_write)                                                                     \
    DO(mosquitto_, max_inflight_messages_set)                                                      \
    DO(mosquitto_, message_callback_set)                                                           \
    DO(mosquitto_, new)                                                                            \
    DO(mosquitto_, publish)                                                                        \
    DO(mosquitto_, publish_callback_set)                                                           \
    DO(mosquitto_, reconnect)                                                                      \
    DO(mosquitto_, socket)                                                                         \
    DO(mosquitto_, strerror)                                                                       \
    DO(mosquitto_, subscribe)                                                                      \
    DO(mosquitto_, tls_set)                                                                        \
    DO(mosquitto_, want_write)

struct libmosquitto {
    LIBMOSQUITTO_FUNCTIONS(LIBRARY_POINTER)
};

/* Valid after libmosquitto_load() was FINE. */
extern struct libmosquitto mosquitto;

/* Loads libmosquitto and initializes it (mosquitto_lib_init); see library_load(). */
enum status libmosquitto_load(struct error *error);

#endif
