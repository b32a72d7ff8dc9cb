/* Files of the repository that are built into the program, byte for byte. */
#ifndef COMMON_EMBEDDED_H
#define COMMON_EMBEDDED_H

#define EMBEDDED(name)                                                                             \
    extern const char embedded_##name[];                                                           \
    extern const char embedded_##name##_end[];

EMBEDDED(schema_sensortype)
EMBEDDED(schema_system)
EMBEDDED(schema_platform)
EMBEDDED(schema_driver)
EMBEDDED(schema_secrets)
EMBEDDED(operator_policy)

#endif
