# Runs first; main.py follows. A person at the console has ten minutes, then the board goes back to its work.
import watch

watch.guard(600)
