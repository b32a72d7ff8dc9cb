# Runs after boot.py. What nothing else has caught ends in a reset.
import gc
import machine
import sys
import time

import watch

gc.collect()
globals()["guard"].deinit()
watch.guard(600)
gc.collect()
try:
    import cycle

    cycle.run()
except KeyboardInterrupt:
    watch.guard(600)
    raise
except Exception as error:
    sys.print_exception(error)
    try:
        from common import once

        once("state", "remember_failure", error)
        time.sleep(15)
    finally:
        machine.reset()
