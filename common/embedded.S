/* The schemas, and the policy of an operator, as bytes of the program. The assembler reads them, so the C compiler need not see
 * 30 KB of numbers; the Makefile makes this depend on the files. Paths are relative to the root. */
#define EMBED(name, path)               \
    .global embedded_##name;            \
    embedded_##name: .incbin path;      \
    .global embedded_##name##_end;      \
    embedded_##name##_end: .byte 0

    .section .rodata
    EMBED(schema_sensortype, "schemas/sensortype.schema.json")
    EMBED(schema_system, "schemas/system.schema.json")
    EMBED(schema_platform, "schemas/platform.schema.json")
    EMBED(schema_driver, "schemas/driver.schema.json")
    EMBED(schema_secrets, "schemas/secrets.schema.json")
    EMBED(operator_policy, "docs/operator-policy.json")
    .section .note.GNU-stack, "", %progbits
