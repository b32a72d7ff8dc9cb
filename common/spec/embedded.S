/* The schemas. */
#include "common/base/embed.inc"

    .section .rodata
    EMBED(schema_sensortype, "schemas/sensortype.schema.json")
    EMBED(schema_system, "schemas/system.schema.json")
    EMBED(schema_platform, "schemas/platform.schema.json")
    EMBED(schema_driver, "schemas/driver.schema.json")
    EMBED(schema_secrets, "schemas/secrets.schema.json")
    .section .note.GNU-stack, "", %progbits
