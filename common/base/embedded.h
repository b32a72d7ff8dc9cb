/* Files of the repository that are built into the program, byte for byte: an embedded.S reads them
 * (embed.inc). The Makefile makes each depend on its files. */
#ifndef COMMON_BASE_EMBEDDED_H
#define COMMON_BASE_EMBEDDED_H

#define EMBEDDED(name)                                                                             \
    extern const char embedded_##name[];                                                           \
    extern const char embedded_##name##_end[];

#endif
