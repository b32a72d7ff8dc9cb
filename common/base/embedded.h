/* Files of the repository that are part of the program, byte for byte. An embedded.S includes them
 * with the macro of embed.inc; the Makefile rebuilds it when one of its files changes. */
#ifndef COMMON_BASE_EMBEDDED_H
#define COMMON_BASE_EMBEDDED_H

#define EMBEDDED(name)                                                                             \
    extern const char embedded_##name[];                                                           \
    extern const char embedded_##name##_end[];

#endif
