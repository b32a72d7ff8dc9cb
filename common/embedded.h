/* Files of the repository that are built into the program, byte for byte: an embedded.S reads them,
 * so the C compiler need not see 30 KB of numbers. The Makefile makes each depend on its files. */
#ifndef COMMON_EMBEDDED_H
#define COMMON_EMBEDDED_H

#ifdef __ASSEMBLER__

/* clang-format off */
/* The path is relative to the root. */
#define EMBED(name, path)               \
    .global embedded_##name;            \
    embedded_##name: .incbin path;      \
    .global embedded_##name##_end;      \
    embedded_##name##_end: .byte 0
/* clang-format on */

#else

#define EMBEDDED(name)                                                                             \
    extern const char embedded_##name[];                                                           \
    extern const char embedded_##name##_end[];

#endif

#endif
