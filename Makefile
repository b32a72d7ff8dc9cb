# Sensorforge: the operator's front door. Each target calls one program; `make` alone lists them.
# A line "## target VARIABLES: what it does" before a target is its help.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --jobs=$(shell nproc 2>/dev/null || echo 1)

# --- building -------------------------------------------------------------------------------------

VERSION := 0.1.0
RELEASED := 2026-11-21
PREFIX ?= /usr/local
CC := gcc
BUILD := build$(if $(SANITIZE),/sanitized)
PROGRAM := $(BUILD)/bin/sensorforge
HUB := $(BUILD)/bin/sensorhub
PLUGIN := $(BUILD)/lib/sensorforge_broker.so
COMMON_LIBRARY := $(BUILD)/lib/libcommon.a

# What is needed to build and run; make deps installs them. Tests have their own list.
PACKAGES := gcc make pkg-config libc6-dev libyaml-dev libcjson-dev libcsv-dev libpcre2-dev libunistring-dev libssl-dev \
	tzdata libxxhash-dev uthash-dev libsqlite3-dev libpq-dev libcurl4-openssl-dev libexpat1-dev \
	libmosquitto-dev mosquitto mosquitto-clients mosquitto-dev python3-venv
TEST_PACKAGES := bats clang clang-format clang-tidy libclang-rt-dev libcmocka-dev cppcheck mandoc \
	faketime git man-db openssl patch postgresql procps shellcheck sqlite3 strace zsh bash-completion jq

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat=2 -Wstrict-prototypes \
	-Wmissing-prototypes $(if $(CI),-Werror)
DEFINES := -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DOPENSSL_NO_DEPRECATED -DVERSION='"$(VERSION)"' \
	-DRELEASED='"$(RELEASED)"' \
	-DSHARE_FOLDER='"$(PREFIX)/share/sensorforge"' -I. -I/usr/include/postgresql
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPTIMIZE := $(if $(SANITIZE),-O1 $(SANITIZERS),-O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong)
CFLAGS ?= -g
ALL_CFLAGS := -std=c17 $(CFLAGS) $(OPTIMIZE) $(WARNINGS) $(DEFINES)
LIBRARIES := -lyaml -lcjson -lcsv -lpcre2-8 -lunistring -lexpat -lcrypto -lm
# Beside those of the rooms above. libpq's headers have a folder of their own in Debian.
HUB_LIBRARIES := -lmosquitto -lsqlite3 -lxxhash -lpthread
PLUGIN_LIBRARIES := -lcjson -lcrypto -lxxhash -lpthread

COMMON_SOURCES := $(sort $(wildcard common/*/*.c common/*/*/*.c)) common/spec/embedded.S
AWS_SOURCES := $(sort $(wildcard aws/*.c))
GENERATOR_SOURCES := $(sort $(wildcard generator/*.c generator/*/*.c)) generator/deploy/embedded.S
HUB_SOURCES := aws/libcurl.c $(sort $(wildcard store/*.c hub/*.c hub/spool/*.c hub/actions/*.c hub/engine/*.c))
# Used by no program yet: what is to decide controls, alerts and presence in sensorhub.
AUTOMATION_SOURCES := $(sort $(wildcard automation/*.c))
objects-of = $(patsubst %,$(BUILD)/objects/%.o,$(basename $(1)))
COMMON_OBJECTS := $(call objects-of,$(COMMON_SOURCES))
# Everything but main(), for tests and fuzzers.
ROOM_OBJECTS := $(COMMON_OBJECTS) $(call objects-of,$(AWS_SOURCES) $(filter-out generator/main.c,$(GENERATOR_SOURCES)))
GENERATOR_OBJECTS := $(ROOM_OBJECTS) $(call objects-of,generator/main.c)
HUB_OBJECTS := $(call objects-of,$(filter-out hub/main.c,$(HUB_SOURCES)))
# A library that mosquitto loads: position-independent, and of common/ only what it uses.
PLUGIN_SOURCES := $(sort $(wildcard hub/plugin/*.c)) $(filter-out hub/spool/reader.c,$(sort $(wildcard hub/spool/*.c)))
plugin-objects-of = $(patsubst %,$(BUILD)/plugin/%.o,$(basename $(1)))
PLUGIN_OBJECTS := $(call plugin-objects-of,$(PLUGIN_SOURCES))
PLUGIN_COMMON := $(call plugin-objects-of,$(filter-out common/spec/embedded.S,$(COMMON_SOURCES)))

# A comma in the arguments of $(call).
, := ,
# What is being done, on a terminal in one line that changes; V=1 shows the commands themselves.
say-and-run = $(if $(V),$(3),@if [ -t 1 ]; then printf '\r\033[K$(1)  $(2)'; else echo '$(1)  $(2)'; fi; $(3))

## build [SANITIZE=1] [V=1]: builds sensorforge, sensorhub and the broker's plugin, in build/bin and build/lib
.PHONY: build
build: $(PROGRAM) $(HUB) $(PLUGIN)

$(PROGRAM): $(GENERATOR_OBJECTS)
	@mkdir -p $(@D)
	$(call say-and-run,link,$@,$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBRARIES) && if [ -t 1 ]; then printf '\r\033[K'; fi)

$(COMMON_LIBRARY): $(COMMON_OBJECTS)
	@mkdir -p $(@D)
	$(call say-and-run,archive,$@,rm -f $@ && $(AR) rcs $@ $^)

$(HUB): $(call objects-of,hub/main.c) $(HUB_OBJECTS) $(COMMON_LIBRARY)
	@mkdir -p $(@D)
	$(call say-and-run,link,$@,$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(HUB_LIBRARIES) $(LIBRARIES) && if [ -t 1 ]; then printf '\r\033[K'; fi)

$(BUILD)/lib/libplugin_common.a: $(PLUGIN_COMMON)
	@mkdir -p $(@D)
	$(call say-and-run,archive,$@,rm -f $@ && $(AR) rcs $@ $^)

# The broker itself resolves what is left: the functions that a plugin may call.
$(PLUGIN): $(PLUGIN_OBJECTS) $(BUILD)/lib/libplugin_common.a
	@mkdir -p $(@D)
	$(call say-and-run,link,$@,$(CC) $(ALL_CFLAGS) $(LDFLAGS) -shared -Wl$(,)--exclude-libs$(,)ALL -o $@ $^ $(PLUGIN_LIBRARIES))

$(BUILD)/plugin/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say-and-run,compile,$< for the plugin,$(CC) $(ALL_CFLAGS) -fPIC -fvisibility=default -MMD -MP -c -o $@ $<)

# Flags are part of what an object is made of: it is built anew when they change.
$(BUILD)/flags: FORCE | $(BUILD)/dependencies
	@mkdir -p $(@D); echo '$(CC) $(subst ','\'',$(ALL_CFLAGS))' | cmp -s - $@ || \
		echo '$(CC) $(subst ','\'',$(ALL_CFLAGS))' > $@
FORCE:

$(BUILD)/objects/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say-and-run,compile,$<,$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<)

$(BUILD)/objects/common/spec/embedded.o: $(wildcard schemas/*.json)
$(BUILD)/objects/generator/deploy/embedded.o: docs/operator-policy.json
$(BUILD)/objects/%/embedded.o: %/embedded.S common/base/embed.inc $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say-and-run,compile,$<,$(CC) -I. -c -o $@ $<)

-include $(wildcard $(patsubst %.o,%.d,$(GENERATOR_OBJECTS) $(HUB_OBJECTS) $(call objects-of,hub/main.c) $(PLUGIN_OBJECTS) $(PLUGIN_COMMON) $(call objects-of,$(AUTOMATION_SOURCES))))

# A test is one file linked with every room; the program's main() gives way to the test's.
$(BUILD)/tests/table.o: $(BUILD)/objects/generator/main.o
	@mkdir -p $(@D)
	@objcopy --weaken-symbol=main $< $@

.PHONY: rooms unit-tests
rooms: $(ROOM_OBJECTS) $(BUILD)/tests/table.o $(HUB_OBJECTS) $(COMMON_LIBRARY) $(call objects-of,$(wildcard hub/plugin/*.c))
unit-tests: $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))

$(BUILD)/tests/unit/%: tests/unit/%.c $(wildcard tests/unit/*.h) $(ROOM_OBJECTS) $(BUILD)/tests/table.o
	@mkdir -p $(@D)
	$(call say-and-run,link,$@,$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(filter %.c %.o,$^) $(LIBRARIES) -lcmocka)

# Those of hub/ are linked with that, and with nothing of generator/.
HUB_TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_spool.c tests/unit/test_store.c tests/unit/test_engine.c tests/unit/test_mail.c))
$(HUB_TESTS): $(BUILD)/tests/unit/%: tests/unit/%.c $(wildcard tests/unit/*.h) $(HUB_OBJECTS) $(COMMON_LIBRARY)
	@mkdir -p $(@D)
	$(call say-and-run,link,$@,$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(filter %.c %.o %.a,$^) $(HUB_LIBRARIES) $(LIBRARIES) -lcmocka)

# The engine of automation/ needs nothing but common/.
AUTOMATION_TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_automation*.c))
$(AUTOMATION_TESTS): $(BUILD)/tests/unit/%: tests/unit/%.c $(call objects-of,$(AUTOMATION_SOURCES)) $(COMMON_LIBRARY)
	@mkdir -p $(@D)
	$(call say-and-run,link,$@,$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBRARIES) -lcmocka)

# A file of the plugin that calls nothing of the broker.
$(BUILD)/tests/unit/test_allowance: tests/unit/test_allowance.c $(call objects-of,hub/plugin/allowance.c) $(COMMON_LIBRARY)
	@mkdir -p $(@D)
	$(call say-and-run,link,$@,$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBRARIES) -lcmocka)

## deps: installs what building needs, where it is missing
.PHONY: deps
deps:
	@scripts/install-packages $(PACKAGES)

$(BUILD)/dependencies: Makefile
	@mkdir -p $(@D)
	@scripts/install-packages $(PACKAGES) && touch $@

# --- types and things -----------------------------------------------------------------------------

# Each target calls scripts/operate, which hands the variables of the command line to the program, byte for byte, and
# refuses those that the target does not take. A lower-case variable of this Makefile would be replaced by an attribute of
# that name; its own have a "-" in theirs.

## all [dbName=iot] [TARGET=aws] [yes=yes] [data=yes] [logging=yes]: plugs in every type
## sensortype NAME=esp8266temp [dbName=] [TARGET=aws]: plugs in one sensor type
## destroy NAME=esp8266temp [TARGET=aws] [data=yes]: unplugs a type, or the system
## destroy-all [TARGET=aws] [data=yes]: unplugs every type, and the system
## new NAME=greenhouse [PLATFORM=esp32]: begins a new sensor type
## check [NAME=esp8266temp]: checks the specs
## diff [NAME=esp8266temp] [dbName=] [TARGET=aws]: shows what deploying would change
## try-rule NAME=esp8266temp payload=FILE [topic=]: what would this message do?
## create name= wifissid= wifipassword= [type=] [zone=]: creates a thing and its package
## create-all file=things.csv [wifissid=] [update=yes]: creates the things of a CSV file
## flash name=kitchen|type=|zone= port=/dev/ttyUSB0 [firmware=FILE.bin]: copies packages to boards
## run name=kitchen [cycles=] [seconds=] [fast=yes]: runs a package here, with simulated sensors
## rotate name=kitchen [zone=] [wifissid=] | type=|zone=|all=yes: new key, certificate and package
## package name=kitchen [zone=] [wifissid=] [source=yes] | type=|zone=|all=yes: rebuilds packages
## delete name=kitchen | type=|zone=|all=yes [yes=yes]: revokes things and removes all of them
## list [type=] [zone=] [TARGET=aws]: lists the things
## show name=kitchen [TARGET=aws]: shows all about a thing
## types: lists the sensor types
## doctor [TARGET=aws] [clean=yes] [yes=yes]: looks for what would go wrong, and was left behind
## renew [finish=yes] [yes=yes]: renews the local authority, which signs the certificates of things

# --- the local system -----------------------------------------------------------------------------

## demo [seconds=30]: everything once, from simulated things to the database, and counts
## up: brings broker, rules and database up
## down: ends them, once all readings are stored
## status: shows what the local system does
## logs [follow=yes] [lines=20]: shows its logs
## simulate [things=4] [seconds=60] [speed=60] [rate=] [type=]: runs things that make readings up
## query type=esp8266temp [thing=] [last=1h] [limit=] [invalid=yes] [csv=yes] [json=yes]: reads the central database
## service: installs a systemd unit of the user for the local system

# make puts variables of the command line into the environment of recipes, and expands them before: a $(shell ...) in a value
# would be run. Only the tests take something from there (JOBS, FUZZ_SECONDS).
override-names := $(sort $(foreach _word,$(MAKEOVERRIDES),$(if $(findstring =,$(_word)),$(firstword $(subst =, ,$(_word))))))
ifeq ($(filter test soak lint fuzz bench golden,$(MAKECMDGOALS)),)
$(foreach _name,$(override-names),$(if $(filter command,$(firstword $(origin $(_name)))),$(eval unexport $(_name))))
endif

OPERATED := $(shell sed -n '/^\# --- types/,/^\# --- checking/s/^\#\# \([a-z-]*\).*/\1/p' $(firstword $(MAKEFILE_LIST)))
# make esp8266tempCreate name=..., make esp8266temp dbName=...: a type that is called as a target is has only the long form.
TYPES := $(filter-out $(shell sed -n 's/^\#\# \([a-z-]*\).*/\1/p' $(firstword $(MAKEFILE_LIST))),$(notdir $(patsubst %/spec.yaml,%,$(wildcard sensortypes/*/spec.yaml))))
OPERATED += $(TYPES) $(TYPES:=Create) $(TYPES:=Delete)
.PHONY: $(OPERATED)
$(OPERATED): $(PROGRAM)
	@exec scripts/operate $$PPID '$(PROGRAM)' '$@'
demo up simulate query service: $(HUB)
demo up simulate service: $(PLUGIN)

# A target that is none: perhaps one of the seed's.
.DEFAULT:
	@exec scripts/operate $$PPID '$(PROGRAM)' '$(subst ','\'',$@)'

# --- checking -------------------------------------------------------------------------------------

## test: builds and runs all tests
.PHONY: test
test: $(PROGRAM)
	@scripts/install-packages $(TEST_PACKAGES)
	@tests/run

## soak: the tests in their long variants, of hours: every fault in every way, 20 kills, 10,000 connections, mutants
.PHONY: soak
soak: $(PROGRAM)
	@scripts/install-packages $(TEST_PACKAGES)
	@SOAK=1 FUZZ_SECONDS=$(or $(SECONDS_EACH),300) tests/run

## lint: compilers, formatter, clang-tidy, cppcheck, shellcheck
.PHONY: lint
lint: $(BUILD)/dependencies
	@scripts/install-packages $(TEST_PACKAGES)
	@scripts/lint

## rooms-picture: draws the picture of the rooms in CONTRIBUTING.md again, from the includes
.PHONY: rooms-picture
rooms-picture:
	@scripts/rooms --picture

## golden: renews the golden files
.PHONY: golden
golden: $(PROGRAM)
	@tests/golden/renew $(PROGRAM)

## fuzz [SECONDS_EACH=300]: runs every fuzz target for that long
.PHONY: fuzz
fuzz: $(BUILD)/dependencies
	@scripts/install-packages $(TEST_PACKAGES)
	@tests/fuzz/run $(or $(SECONDS_EACH),300)

## bench: measures, and prints ratios against peers
.PHONY: bench
bench: $(PROGRAM) $(HUB) $(PLUGIN)
	@scripts/install-packages $(TEST_PACKAGES)
	@bench/run

# --- installing -----------------------------------------------------------------------------------

## install [PREFIX=/usr/local] [DESTDIR=]: programs, plugin, templates, man page, completion
.PHONY: install
install: $(PROGRAM) $(HUB) $(PLUGIN)
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/lib/sensorforge" "$(DESTDIR)$(PREFIX)/share/man/man1" \
		"$(DESTDIR)$(PREFIX)/share/bash-completion/completions" \
		"$(DESTDIR)$(PREFIX)/share/zsh/site-functions" "$(DESTDIR)$(PREFIX)/share/sensorforge"
	install -m 755 $(PROGRAM) "$(DESTDIR)$(PREFIX)/bin/sensorforge"
	install -m 755 $(HUB) "$(DESTDIR)$(PREFIX)/bin/sensorhub"
	install -m 644 $(PLUGIN) "$(DESTDIR)$(PREFIX)/lib/sensorforge/sensorforge_broker.so"
	install -m 644 share/sensorforge.service "$(DESTDIR)$(PREFIX)/share/sensorforge/"
	cd "$(DESTDIR)$(PREFIX)/share/sensorforge" && rm -rf templates schemas simulator scripts
	cp -R templates schemas simulator "$(DESTDIR)$(PREFIX)/share/sensorforge/"
	install -D -m 755 scripts/micropython "$(DESTDIR)$(PREFIX)/share/sensorforge/scripts/micropython"
	install -D -m 755 scripts/mpy-cross "$(DESTDIR)$(PREFIX)/share/sensorforge/scripts/mpy-cross"
	chmod -R u=rwX,go=rX "$(DESTDIR)$(PREFIX)/share/sensorforge"
	install -D -m 644 LICENSE "$(DESTDIR)$(PREFIX)/share/doc/sensorforge/copyright"
	$(PROGRAM) man > "$(DESTDIR)$(PREFIX)/share/man/man1/sensorforge.1"
	$(PROGRAM) completion bash > "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/sensorforge"
	$(PROGRAM) completion zsh > "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_sensorforge"

## uninstall [PREFIX=/usr/local] [DESTDIR=]: removes what install put there
.PHONY: uninstall
uninstall:
	rm -rf "$(DESTDIR)$(PREFIX)/bin/sensorforge" "$(DESTDIR)$(PREFIX)/bin/sensorhub" \
		"$(DESTDIR)$(PREFIX)/lib/sensorforge" "$(DESTDIR)$(PREFIX)/share/sensorforge" \
		"$(DESTDIR)$(PREFIX)/share/doc/sensorforge" \
		"$(DESTDIR)$(PREFIX)/share/man/man1/sensorforge.1" \
		"$(DESTDIR)$(PREFIX)/share/bash-completion/completions/sensorforge" \
		"$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_sensorforge"

## clean: removes what was built
.PHONY: clean
clean:
	rm -rf build

## help: lists the targets
.PHONY: help
help:
	@scripts/make-help $(firstword $(MAKEFILE_LIST))
