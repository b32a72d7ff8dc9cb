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
	libmosquitto-dev mosquitto mosquitto-clients mosquitto-dev
TEST_PACKAGES := bats clang clang-format clang-tidy libclang-rt-dev libcmocka-dev cppcheck mandoc \
	faketime openssl postgresql python3-venv shellcheck sqlite3 strace zsh bash-completion jq

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
objects = $(patsubst %,$(BUILD)/objects/%.o,$(basename $(1)))
COMMON_OBJECTS := $(call objects,$(COMMON_SOURCES))
# Everything but main(), for tests and fuzzers.
ROOM_OBJECTS := $(COMMON_OBJECTS) $(call objects,$(AWS_SOURCES) $(filter-out generator/main.c,$(GENERATOR_SOURCES)))
GENERATOR_OBJECTS := $(ROOM_OBJECTS) $(call objects,generator/main.c)
HUB_OBJECTS := $(call objects,$(filter-out hub/main.c,$(HUB_SOURCES)))
# A library that mosquitto loads: position-independent, and of common/ only what it uses.
PLUGIN_SOURCES := $(sort $(wildcard hub/plugin/*.c)) hub/spool/segment.c hub/spool/shares.c hub/spool/writer.c
plugin_objects = $(patsubst %,$(BUILD)/plugin/%.o,$(basename $(1)))
PLUGIN_OBJECTS := $(call plugin_objects,$(PLUGIN_SOURCES))
PLUGIN_COMMON := $(call plugin_objects,$(filter-out common/spec/embedded.S,$(COMMON_SOURCES)))

# What is being done, on a terminal in one line that changes; V=1 shows the commands themselves.
comma := ,
run = $(if $(V),$(3),@if [ -t 1 ]; then printf '\r\033[K$(1)  $(2)'; else echo '$(1)  $(2)'; fi; $(3))

## build [SANITIZE=1] [V=1]: builds sensorforge, sensorhub and the broker's plugin, in build/bin and build/lib
.PHONY: build
build: $(PROGRAM) $(HUB) $(PLUGIN)

$(PROGRAM): $(GENERATOR_OBJECTS)
	@mkdir -p $(@D)
	$(call run,link,$@,$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBRARIES) && if [ -t 1 ]; then printf '\r\033[K'; fi)

$(COMMON_LIBRARY): $(COMMON_OBJECTS)
	@mkdir -p $(@D)
	$(call run,archive,$@,rm -f $@ && $(AR) rcs $@ $^)

$(HUB): $(call objects,hub/main.c) $(HUB_OBJECTS) $(COMMON_LIBRARY)
	@mkdir -p $(@D)
	$(call run,link,$@,$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(HUB_LIBRARIES) $(LIBRARIES) && if [ -t 1 ]; then printf '\r\033[K'; fi)

$(BUILD)/lib/libplugin_common.a: $(PLUGIN_COMMON)
	@mkdir -p $(@D)
	$(call run,archive,$@,rm -f $@ && $(AR) rcs $@ $^)

# The broker itself resolves what is left: the functions that a plugin may call.
$(PLUGIN): $(PLUGIN_OBJECTS) $(BUILD)/lib/libplugin_common.a
	@mkdir -p $(@D)
	$(call run,link,$@,$(CC) $(ALL_CFLAGS) $(LDFLAGS) -shared -Wl$(comma)--exclude-libs$(comma)ALL -o $@ $^ $(PLUGIN_LIBRARIES))

$(BUILD)/plugin/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call run,compile,$< for the plugin,$(CC) $(ALL_CFLAGS) -fPIC -fvisibility=default -MMD -MP -c -o $@ $<)

# Flags are part of what an object is made of: it is built anew when they change.
$(BUILD)/flags: FORCE | $(BUILD)/dependencies
	@mkdir -p $(@D); echo '$(CC) $(subst ','\'',$(ALL_CFLAGS))' | cmp -s - $@ || \
		echo '$(CC) $(subst ','\'',$(ALL_CFLAGS))' > $@
FORCE:

$(BUILD)/objects/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call run,compile,$<,$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<)

$(BUILD)/objects/common/spec/embedded.o: $(wildcard schemas/*.json)
$(BUILD)/objects/generator/deploy/embedded.o: docs/operator-policy.json
$(BUILD)/objects/%/embedded.o: %/embedded.S common/base/embed.inc $(BUILD)/flags
	@mkdir -p $(@D)
	$(call run,compile,$<,$(CC) -I. -c -o $@ $<)

-include $(patsubst %.o,%.d,$(GENERATOR_OBJECTS) $(HUB_OBJECTS) $(call objects,hub/main.c) $(PLUGIN_OBJECTS) $(PLUGIN_COMMON) $(call objects,$(AUTOMATION_SOURCES)))

# A test is one file linked with every room; the program's main() gives way to the test's.
$(BUILD)/tests/table.o: $(BUILD)/objects/generator/main.o
	@mkdir -p $(@D)
	@objcopy --weaken-symbol=main $< $@

.PHONY: rooms unit-tests
rooms: $(ROOM_OBJECTS) $(BUILD)/tests/table.o $(HUB_OBJECTS) $(COMMON_LIBRARY) $(call objects,$(wildcard hub/plugin/*.c))
unit-tests: $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))

$(BUILD)/tests/unit/%: tests/unit/%.c $(wildcard tests/unit/*.h) $(ROOM_OBJECTS) $(BUILD)/tests/table.o
	@mkdir -p $(@D)
	$(call run,link,$@,$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(filter %.c %.o,$^) $(LIBRARIES) -lcmocka)

# Those of hub/ are linked with that, and with nothing of generator/.
HUB_TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_spool.c tests/unit/test_store.c tests/unit/test_engine.c tests/unit/test_mail.c))
$(HUB_TESTS): $(BUILD)/tests/unit/%: tests/unit/%.c $(wildcard tests/unit/*.h) $(HUB_OBJECTS) $(COMMON_LIBRARY)
	@mkdir -p $(@D)
	$(call run,link,$@,$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(filter %.c %.o %.a,$^) $(HUB_LIBRARIES) $(LIBRARIES) -lcmocka)

# The engine of automation/ needs nothing but common/.
$(BUILD)/tests/unit/test_automation: tests/unit/test_automation.c $(call objects,$(AUTOMATION_SOURCES)) $(COMMON_LIBRARY)
	@mkdir -p $(@D)
	$(call run,link,$@,$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBRARIES) -lcmocka)

# A file of the plugin that calls nothing of the broker.
$(BUILD)/tests/unit/test_allowance: tests/unit/test_allowance.c $(call objects,hub/plugin/allowance.c) $(COMMON_LIBRARY)
	@mkdir -p $(@D)
	$(call run,link,$@,$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBRARIES) -lcmocka)

## deps: installs what building needs, where it is missing
.PHONY: deps
deps:
	@scripts/install-packages $(PACKAGES)

$(BUILD)/dependencies: Makefile
	@mkdir -p $(@D)
	@scripts/install-packages $(PACKAGES) && touch $@

# --- types and things -----------------------------------------------------------------------------

# Loop variables begin with "_": a loop over "name" would hide the operator's own name=.
# Variables of the command line reach the program through its environment, byte for byte: $(value) does
# not expand them, and ":=" keeps make from doing it later. Only blanks that a value begins with are
# lost in make's own parsing; they are taken from the command line that the kernel has, where there is one.
# (the last one where a name is given twice, and make's own where it came from a make above.)
typed = $(or $(if $(wildcard /proc/self/cmdline),$(shell sed -zn 's/^$(1)=//p' /proc/$$PPID/cmdline | tail -zn 1 | tr -d '\0')),$(value $(1)))
given = $(if $(filter command,$(firstword $(origin $(1)))),$(call typed,$(1)),$(value $(1)))
is_given = $(filter command,$(firstword $(origin $(1))))
# Wifi may come from the environment too; a "name" or "TARGET" that happens to be there means nothing.
is_set = $(filter command environment,$(firstword $(origin $(1))))
override_names := $(sort $(foreach _word,$(MAKEOVERRIDES),$(if $(findstring =,$(_word)),$(firstword $(subst =, ,$(_word))))))
command_line_names := $(foreach _name,$(override_names),$(if $(filter command,$(firstword $(origin $(_name)))),$(_name)))

ifneq ($(call is_set,wifissid),)
export SENSORFORGE_WIFI_SSID := $(call given,wifissid)
unexport wifissid
endif
ifneq ($(call is_set,wifipassword),)
export SENSORFORGE_WIFI_PASSWORD := $(call given,wifipassword)
unexport wifipassword
endif

# Every other variable of the command line is an attribute of the thing, but for make's own in capitals;
# the program says which names there are.
# These are the targets' own arguments; FLAGS take yes only.
ARGUMENTS := name type file port dbName confirm firmware cycles seconds $(if $(filter try-rule,$(MAKECMDGOALS)),topic payload)
FLAGS := data yes fast $(if $(filter package,$(MAKECMDGOALS)),source) $(if $(filter doctor,$(MAKECMDGOALS)),clean) $(if $(filter query,$(MAKECMDGOALS)),invalid csv json) \
	$(if $(filter create-all,$(MAKECMDGOALS)),update) $(if $(filter rotate package delete flash,$(MAKECMDGOALS)),all)
ATTRIBUTES := $(filter-out $(ARGUMENTS) $(FLAGS) wifissid wifipassword,$(foreach _name,$(command_line_names),$(if $(shell [[ '$(_name)' =~ ^[A-Z_]+$$ ]] || echo yes),$(_name))))
$(foreach _name,$(ARGUMENTS) NAME TARGET PROFILE PLATFORM $(ATTRIBUTES),$(if $(call is_given,$(_name)),$(eval export SENSORFORGE_ARGUMENT_$(_name) := $$(call given,$(_name)))$(eval unexport $(_name))))
argument = "$$SENSORFORGE_ARGUMENT_$(1)"
option = $(if $(call is_given,$(1)),--$(2) $(call argument,$(1)))
attribute_options = $(foreach _name,$(ATTRIBUTES),--attribute $(_name)=$(call argument,$(_name)))
# Which things: name=, type=, attributes. Beside name= an attribute is the new value for rotate and package.
chosen_options = $(call option,type,type) $(attribute_options) $(call flag,all)
chosen_or_set = $(if $(call is_given,name),$(subst --attribute ,--set ,$(chosen_options)),$(chosen_options))
chosen_name = $(if $(call is_given,name),$(call argument,name))
needs_choice = $(if $(strip $(call is_given,name) $(call is_given,type) $(call is_given,all) $(ATTRIBUTES)),,$(call needs,name,kitchen))
change_options = $(if $(call is_given,wifissid),--wifi-ssid "$$SENSORFORGE_WIFI_SSID") \
	$(if $(call is_given,wifipassword),--wifi-password)
needs = $(if $(call is_given,$(1)),,@echo 'error: $(1)=... is missing: make $@ $(1)=$(2)' >&2; exit 2)
flag = $(if $(call is_given,$(1)),$(if $(filter yes,$(call given,$(1))),--$(1),$(error $(1)=yes is the only value that it has)))
target_option = $(call option,TARGET,target) $(call option,PROFILE,profile)
stack_options = $(call option,dbName,database) $(call flag,data) $(target_option)

## all [dbName=iot] [TARGET=aws] [yes=yes] [data=yes]: plugs in every type
.PHONY: all
all: $(PROGRAM)
	@$(PROGRAM) deploy --all $(stack_options) $(call flag,yes)

## sensortype NAME=esp8266temp [dbName=] [TARGET=aws]: plugs in one sensor type
.PHONY: sensortype
sensortype: $(PROGRAM)
	$(call needs,NAME,esp8266temp)
	@$(PROGRAM) deploy $(stack_options) $(call flag,yes) -- $(call argument,NAME)

## destroy NAME=esp8266temp [TARGET=aws] [data=yes]: unplugs a type, or the system
.PHONY: destroy
destroy: $(PROGRAM)
	$(call needs,NAME,esp8266temp)
	@$(PROGRAM) destroy $(stack_options) $(call option,confirm,confirm) -- $(call argument,NAME)

## new NAME=greenhouse [PLATFORM=esp32]: begins a new sensor type
.PHONY: new
new: $(PROGRAM)
	$(call needs,NAME,greenhouse)
	@$(PROGRAM) new --platform $(if $(call is_given,PLATFORM),$(call argument,PLATFORM),esp8266) -- $(call argument,NAME)

## check [NAME=esp8266temp]: checks the specs
.PHONY: check
check: $(PROGRAM)
	@$(PROGRAM) check -- $(if $(call is_given,NAME),$(call argument,NAME))

## diff [NAME=esp8266temp] [dbName=] [TARGET=aws]: shows what deploying would change
.PHONY: diff
diff: $(PROGRAM)
	@$(PROGRAM) diff $(call option,dbName,database) $(target_option) -- $(if $(call is_given,NAME),$(call argument,NAME))

## try-rule NAME=esp8266temp payload=FILE [topic=]: what would this message do?
.PHONY: try-rule
try-rule: $(PROGRAM)
	$(call needs,NAME,esp8266temp)
	$(call needs,payload,reading.json)
	@$(PROGRAM) rule $(call option,topic,topic) --payload $(call argument,payload) -- $(call argument,NAME)

## create name= wifissid= wifipassword= [type=] [zone=]: creates a thing and its package
.PHONY: create
create: $(PROGRAM)
	$(call needs,name,kitchen)
	@$(PROGRAM) create $(call option,type,type) $(attribute_options) $(target_option) -- $(call argument,name)

## create-all file=things.csv [wifissid=] [update=yes]: creates the things of a CSV file
.PHONY: create-all
create-all: $(PROGRAM)
	$(call needs,file,things.csv)
	@$(PROGRAM) create $(target_option) $(call flag,update) --from $(call argument,file)

## flash name=kitchen|type=|zone= port=/dev/ttyUSB0 [firmware=FILE.bin]: copies packages to boards
.PHONY: flash
flash: $(PROGRAM)
	$(needs_choice)
	$(call needs,port,/dev/ttyUSB0)
	@$(PROGRAM) flash $(call option,port,port) $(call option,firmware,firmware) $(chosen_options) -- $(chosen_name)

## run name=kitchen [cycles=] [seconds=] [fast=yes]: runs a package here, with simulated sensors
.PHONY: run
run: $(PROGRAM)
	$(call needs,name,kitchen)
	@$(PROGRAM) run $(call option,cycles,cycles) $(call option,seconds,seconds) \
		$(if $(filter-out no,$(call given,fast)),--fast) -- $(call argument,name)

## rotate name=kitchen [zone=] [wifissid=] | type=|zone=|all=yes: new key, certificate and package
.PHONY: rotate
rotate: $(PROGRAM)
	$(needs_choice)
	@$(PROGRAM) rotate $(chosen_or_set) $(change_options) $(call flag,yes) $(target_option) -- $(chosen_name)

## package name=kitchen [zone=] [wifissid=] [source=yes] | type=|zone=|all=yes: rebuilds packages
.PHONY: package
package: $(PROGRAM)
	$(needs_choice)
	@$(PROGRAM) package $(chosen_or_set) $(change_options) $(call flag,source) $(target_option) -- $(chosen_name)

## delete name=kitchen | type=|zone=|all=yes [yes=yes]: revokes things and removes all of them
.PHONY: delete
delete: $(PROGRAM)
	$(needs_choice)
	@$(PROGRAM) delete $(chosen_options) $(call flag,yes) $(target_option) -- $(chosen_name)

## list [type=] [zone=]: lists the things
.PHONY: list
list: $(PROGRAM)
	@$(PROGRAM) list $(call option,type,type) $(attribute_options)

## show name=kitchen: shows all about a thing
.PHONY: show
show: $(PROGRAM)
	$(call needs,name,kitchen)
	@$(PROGRAM) show -- $(call argument,name)

## types: lists the sensor types
.PHONY: types
types: $(PROGRAM)
	@$(PROGRAM) types

## doctor [TARGET=aws] [clean=yes] [yes=yes]: looks for what would go wrong, and was left behind
.PHONY: doctor
doctor: $(PROGRAM)
	@$(PROGRAM) doctor $(call flag,clean) $(call flag,yes) $(target_option)

# The seed's commands: make esp8266tempCreate name=..., make esp8266temp dbName=...
# A type that is called as a target is has only the long form.
TYPES := $(filter-out $(shell sed -n 's/^## \([a-z-]*\).*/\1/p' $(firstword $(MAKEFILE_LIST))),$(notdir $(patsubst %/spec.yaml,%,$(wildcard sensortypes/*/spec.yaml))))
.PHONY: $(TYPES) $(TYPES:=Create) $(TYPES:=Delete)
$(TYPES): %: $(PROGRAM)
	@$(PROGRAM) deploy $(stack_options) $(call flag,yes) -- $@
$(TYPES:=Create): %Create: $(PROGRAM)
	$(call needs,name,kitchen)
	@$(PROGRAM) create --type $* $(attribute_options) $(target_option) -- $(call argument,name)
$(TYPES:=Delete): %Delete: $(PROGRAM)
	$(call needs,name,kitchen)
	@$(PROGRAM) delete --type $* $(target_option) -- $(call argument,name)

# --- the local system -----------------------------------------------------------------------------

## demo [seconds=30]: everything once, from simulated things to the database, and counts
.PHONY: demo
demo: $(PROGRAM) $(HUB) $(PLUGIN)
	@scripts/demo $(PROGRAM) $(if $(call is_given,seconds),$(call argument,seconds))

## up: brings broker, rules and database up
.PHONY: up
up: $(PROGRAM) $(HUB) $(PLUGIN)
	@$(PROGRAM) up

## down: ends them, once all readings are stored
.PHONY: down
down: $(PROGRAM)
	@$(PROGRAM) down

## status: shows what the local system does
.PHONY: status
status: $(PROGRAM)
	@$(PROGRAM) status

## logs [follow=yes] [lines=20]: shows its logs
.PHONY: logs
logs: $(PROGRAM)
	@$(PROGRAM) logs $(if $(call is_given,follow),--follow) $(call option,lines,lines)

## simulate [things=4] [seconds=60] [speed=60] [rate=] [type=]: runs things that make readings up
.PHONY: simulate
simulate: $(PROGRAM) $(HUB) $(PLUGIN)
	@$(PROGRAM) simulate $(foreach _name,things seconds speed rate type,$(call option,$(_name),$(_name)))

## query type=esp8266temp [thing=] [last=1h] [limit=] [invalid=yes] [csv=yes] [json=yes]: reads the central database
.PHONY: query
query: $(PROGRAM) $(HUB)
	$(call needs,type,esp8266temp)
	@$(PROGRAM) query $(foreach _name,type thing last from to limit,$(call option,$(_name),$(_name))) \
		$(foreach _name,invalid csv json,$(call flag,$(_name)))

## service: installs a systemd unit of the user for the local system
.PHONY: service
service: $(PROGRAM) $(HUB) $(PLUGIN)
	@scripts/service $(PROGRAM)

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
bench: $(PROGRAM) $(HUB)
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
	$(PROGRAM) man > "$(DESTDIR)$(PREFIX)/share/man/man1/sensorforge.1"
	$(PROGRAM) completion bash > "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/sensorforge"
	$(PROGRAM) completion zsh > "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_sensorforge"

## uninstall [PREFIX=/usr/local] [DESTDIR=]: removes what install put there
.PHONY: uninstall
uninstall:
	rm -rf "$(DESTDIR)$(PREFIX)/bin/sensorforge" "$(DESTDIR)$(PREFIX)/bin/sensorhub" \
		"$(DESTDIR)$(PREFIX)/lib/sensorforge" "$(DESTDIR)$(PREFIX)/share/sensorforge" \
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
	@sed -n 's/^## //p' $(firstword $(MAKEFILE_LIST)) | awk -F': ' '{ printf "make %-35s  %s\n", $$1, $$2 }'
