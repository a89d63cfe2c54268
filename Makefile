# SPDX-License-Identifier: LGPL-2.1-or-later
# GNU make, one file, objects in build/. `make help` lists the targets.

PREFIX       ?= /usr
SYSCONFDIR   ?= /etc
DESTDIR      ?=
MULTIARCH    := $(shell $(CC) -print-multiarch 2>/dev/null)
LIBEXECDIR   ?= $(PREFIX)/libexec
UNITDIR      ?= $(PREFIX)/lib/systemd/system
PAMDIR       ?= $(PREFIX)/lib/$(MULTIARCH)/security
VERSION      := $(shell cat VERSION)

# The Debian packages this project is built and tested with, and the reason for each, are named in
# packaging/dependencies and nowhere else.
deps = $(shell sed -n 's/^$(1)[[:space:]]\+\([^[:space:]]\+\).*/\1/p' packaging/dependencies)

comma := ,
# FUZZ=1 is for the fuzzers' own recursive make: libFuzzer is clang's.
ifneq ($(FUZZ),)
CC  := clang
SAN := address,undefined,fuzzer-no-link
OPT := -O1 -g
# clang takes what only its cleanup uses for unused; gcc looks at the same files, and does not.
WARNINGS_CLANG := -Wno-unused-variable
endif
B := build$(if $(COV),/cov,)$(if $(FUZZ),/fuzz,$(if $(SAN),/san-$(subst $(comma),-,$(SAN))))

ifneq ($(CI),)
WERROR := -Werror
endif
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
            -Wvla -Wimplicit-fallthrough -Wswitch-enum -Wundef -Wcast-align -Wwrite-strings $(WARNINGS_CLANG) $(WERROR)
HARDEN   := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIC \
            $(if $(SAN)$(COV),,-D_FORTIFY_SOURCE=2)
OPT      ?= $(if $(COV),-O0 --coverage -fprofile-update=atomic,-O2 -g)
CFLAGS_ALL  = -std=gnu11 -I. -I$(B) -D_GNU_SOURCE -DCREDD_VERSION='"$(VERSION)"' \
              -DCREDD_SYSCONFDIR='"$(SYSCONFDIR)/credd"' -DCREDD_LIBEXECDIR='"$(LIBEXECDIR)"' \
              -DCREDD_PROGRAM='"$(PREFIX)/sbin/credd"' \
              -DCREDD_PAM_MODULES='"/usr/lib/$(MULTIARCH)/security"' \
              $(WARNINGS) $(HARDEN) $(OPT) $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all) $(CFLAGS)
LDFLAGS_ALL = $(if $(COV),--coverage) -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)

Q := $(if $(V),,@)
say = @$(if $(V),:,printf '  %-8s %s\n' '$(1)' '$(2)')

obj = $(patsubst %.c,$(B)/%.o,$(1))

# Rooms. The module links only what needs libc alone; credd is a library but for its main, for the tests.
MODULE_COMMON := common/secret.c common/token.c common/frame.c common/client.c common/moment.c
COMMON_SRC    := $(wildcard common/*.c)
MODULE_SRC    := $(wildcard pam_ephemeral/*.c)
CREDD_SRC     := $(wildcard credd/*.c)
CREDCTL_SRC   := $(wildcard credctl/*.c)
UNIT_SRC      := $(wildcard tests/unit/test_*.c)
PAM_SRC       := $(wildcard tests/pam/test_*.c)
FUZZ_SRC      := $(wildcard tests/fuzz/fuzz_*.c)
FAULT_SRC     := $(wildcard tests/fault/test_*.c)
TOOL_SRC      := $(wildcard tests/system/tools/*.c)
PRELOAD_SRC   := $(wildcard tests/system/preload/*.c)
BENCH_SRC     := $(addprefix tests/bench/,limits.c echo.c login.c race.c)

CREDD_LIB  := $(filter-out credd/main.c,$(CREDD_SRC))
GENERATED  := $(B)/common/interfaces.h $(B)/credd/schema.h

CREDD_LIBS   := -lsystemd -lsqlite3 -ljansson -lsodium -linih
CREDCTL_LIBS := -ljansson -lsmartcols -lsystemd

PROGRAMS := $(B)/credd/credd $(B)/credctl/credctl $(B)/drill/credd-drill $(B)/pam_ephemeral/pam_ephemeral.so
UNITS    := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(UNIT_SRC))
PAMTESTS := $(patsubst tests/pam/%.c,$(B)/tests/pam/%,$(PAM_SRC))
FAULTS   := $(patsubst tests/fault/%.c,$(B)/tests/fault/%,$(FAULT_SRC))
TOOLS    := $(patsubst tests/system/tools/%.c,$(B)/tests/system/tools/%,$(TOOL_SRC)) \
            $(patsubst tests/system/preload/%.c,$(B)/tests/system/preload/%.so,$(PRELOAD_SRC))
FUZZERS  := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(FUZZ_SRC))
BENCHES  := $(patsubst tests/bench/%.c,$(B)/tests/bench/%,$(BENCH_SRC)) $(B)/tests/bench/pam_echo_floor.so

.PHONY: all help deps-build deps-test deps-lab deps-fuzz deps-report deps-lint deps-bench deps-deb unit pam fault system check soak \
        fuzz fuzz-smoke fuzz-merge bench \
        report-check demo lab lab-check lint format install uninstall deb clean
.DELETE_ON_ERROR:
.SECONDARY:

all: deps-build
	+$(Q)$(MAKE) --no-print-directory $(PROGRAMS)

help:
	@sed -n 's/^#: //p' Makefile

#: make            build credd, credctl and pam_ephemeral.so into build/
#: make unit       unit tests; SAN=address,undefined builds them with sanitizers
#: make pam        the module inside libpam
#: make fault      faults of the module: each call into libc and libpam fails, odd hosts, a credd out of its mind
#: make system     the booted lab: Debian 12 and 13, real sshd, logind, journald (root)
#: make fuzz-smoke the fuzzers over their corpora
#: make check      all of these, with a short form of fault
#: make fuzz       the fuzzers, each for FUZZ_SECONDS=60; FUZZ_ONLY="verbs rows" takes some
#: make fuzz-merge what they found for their coverage, into their corpora
#: make fault-store  the store on a disk that fails, credd killed at each system call; part of fault (root)
#: make soak       the booted lab at full size: more logins, more kills; takes many minutes (root)
#: make mutants     changes what decides about access and sees whether a unit test notices; takes many
#:                  minutes; TESTS=credd/kill.c for that file alone (root)
#: make bench      what a login costs, beside the disk and other modules; QUICK=1 for a short one (root)
#: make bench-daemon-build  what measures the daemon alone, in build/tests/bench; as root
#: make cov         which lines and branches the unit tests reach; fails if one of a decision is left out
#: make demo       a token, an SSH login, its end at the deadline, and the receipt (root)
#: make lab        a shell in the lab (root); RELEASE=trixie for Debian 13
#: make lab-check  does the lab itself keep its promises (root)
#: make report-check  credctl audit's page in a browser: nothing too wide, pictures in build/report
#: make lint       formatting, rooms, exports, names that must agree, static analysis
#: make format     clang-format, in place
#: make install    DESTDIR= PREFIX=/usr; with DESTDIR no running system is touched
#: make uninstall  takes away what install laid down, leaves the state and the configuration
#: make deb        Debian packages into build/deb, for the release it runs on; RELEASE=trixie, for another, takes root
#: V=1 shows the commands

# --- dependencies -----------------------------------------------------------------------------------

deps-build:
	@tests/lab/install-packages $(call deps,build)
deps-test:
	@tests/lab/install-packages $(call deps,build) $(call deps,test)
deps-lab:
	@tests/lab/install-packages $(call deps,build) $(call deps,test) $(call deps,lab)
deps-fuzz:
	@tests/lab/install-packages $(call deps,build) $(call deps,test) $(call deps,fuzz)
deps-report:
	@tests/lab/install-packages $(call deps,build) $(call deps,report)
# What cannot be installed is left out of the table, and it says so.
deps-bench: deps-build
	@tests/lab/install-packages $(call deps,bench) || :
deps-deb:
	@tests/lab/install-packages $(call deps,build) $(call deps,deb) $(if $(RELEASE),$(call deps,lab))
deps-lint:
	@tests/lab/install-packages $(call deps,build) $(call deps,test) $(call deps,lint)

# --- build ------------------------------------------------------------------------------------------

# Rebuilds what a changed flag or version would change.
FLAGS_NOW := $(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL)
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(FLAGS_NOW))' | cmp -s - $@ || echo '$(subst ','\'',$(FLAGS_NOW))' >$@
.PHONY: FORCE

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# A text file as a C string literal.
literal = sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/        "/' -e 's/$$/\\n"/'

$(B)/common/interfaces.h: $(wildcard common/*.varlink)
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)for f in $^; do \
	  printf 'static const char %s_varlink[] =\n' "$$(basename $$f .varlink | tr . _)"; \
	  $(literal) $$f; echo '        ;'; done >$@

$(B)/credd/schema.h: $(wildcard credd/schema*.sql)
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)for f in $^; do \
	  printf 'static const char %s_sql[] =\n' "$$(basename $$f .sql | tr - _)"; \
	  $(literal) $$f; echo '        ;'; done >$@

$(call obj,$(CREDD_SRC)): | $(GENERATED)

# gcc takes it that snprintf() cannot fail if the text fits, and leaves out what looks at its result. The
# module runs in other people's processes, and looks.
$(call obj,$(MODULE_SRC)): CFLAGS += $(if $(findstring clang,$(CC)),,-fno-printf-return-value)

$(B)/libcommon.a: $(call obj,$(COMMON_SRC))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(B)/libcredd.a: $(call obj,$(CREDD_LIB))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(B)/libcredctl.a: $(call obj,$(filter-out credctl/main.c,$(CREDCTL_SRC)))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(B)/libmodule.a: $(call obj,$(MODULE_SRC))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/credd/credd: $(B)/credd/main.o $(B)/libcredd.a $(B)/libcommon.a
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(LDFLAGS_ALL) -o $@ $^ $(CREDD_LIBS)
$(B)/credctl/credctl: $(B)/credctl/main.o $(B)/libcredctl.a $(B)/libcommon.a
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(LDFLAGS_ALL) -o $@ $^ $(CREDCTL_LIBS)
$(B)/drill/credd-drill: $(B)/drill/credd-drill.o $(B)/libcommon.a
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(LDFLAGS_ALL) -o $@ $^ -lpam
# Without the start files: it has nothing to construct, to end or to write, and each name that they want looked
# up costs every login.
$(B)/pam_ephemeral/pam_ephemeral.so: $(call obj,$(MODULE_SRC) $(MODULE_COMMON)) pam_ephemeral/pam_ephemeral.map
	$(call say,LINK,$@)
	$(Q)$(CC) -shared $(if $(SAN)$(FUZZ)$(COV),,-nostartfiles) $(LDFLAGS_ALL) $(if $(SAN),,-Wl$(comma)-z$(comma)defs) -Wl,--version-script=pam_ephemeral/pam_ephemeral.map \
	  -o $@ $(filter %.o,$^) -lpam

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/libcredd.a $(B)/libcredctl.a $(B)/libmodule.a $(B)/libcommon.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(CREDD_LIBS) -lsmartcols -lpam
$(B)/tests/pam/%: $(B)/tests/pam/%.o $(B)/libcommon.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka -lpam -ljansson -ldl
# -rdynamic: what the shim defines comes before what the libraries do.
$(FAULTS): $(B)/tests/fault/%: $(B)/tests/fault/%.o $(B)/tests/fault/shim.o $(B)/libcommon.a
	$(call say,LINK,$@)
	$(Q)$(CC) -rdynamic $(LDFLAGS_ALL) -o $@ $^ -lcmocka -lpam -ljansson -ldl
# The shim has functions of its own where fortification would have inline ones.
$(B)/tests/fault/shim.o: CFLAGS += -U_FORTIFY_SOURCE -fno-builtin
$(B)/tests/system/tools/%: $(B)/tests/system/tools/%.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(if $(filter %/pamtime,$@),-lpam)
$(B)/tests/system/preload/%.so: $(B)/tests/system/preload/%.o
	$(call say,LINK,$@)
	$(Q)$(CC) -shared $(LDFLAGS_ALL) -Wl,-z,defs -o $@ $^

# For mutants: all of the product in one shared object, whose functions a preloaded one takes the place of.
MUTANTS := $(sort $(shell sed -n 's/^[^\#].*\t//p' tests/mutants/targets))
$(B)/mutants/libproduct.so: $(B)/libcredd.a $(B)/libmodule.a $(B)/libcommon.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -shared -Wl,-soname,$(@F) $(LDFLAGS_ALL) -o $@ -Wl,--whole-archive $^ -Wl,--no-whole-archive $(CREDD_LIBS) -lpam
$(MUTANTS:%=$(B)/mutants/%): $(B)/mutants/%: $(B)/tests/unit/%.o $(B)/mutants/libproduct.so
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ '-Wl,-rpath,$$ORIGIN' -lcmocka $(CREDD_LIBS) -lpam

# Two of the fuzzers put a world of their own in place of what the daemon sees and does outside itself.
WORLD := $(shell grep -ohE 'fake_[a-z0-9_]+' $(wildcard tests/fuzz/world-fakes.c) /dev/null | sort -u | \
           sed 's/fake_\(.*\)/-Wl,--wrap=\1 -Wl,--defsym=__wrap_\1=fake_\1/')
$(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/libcredd.a $(B)/libmodule.a $(B)/libcommon.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -rdynamic $(if $(filter %/world.o,$^),$(WORLD)) \
	  -o $@ $(filter %.o,$^) $(filter %.a,$^) $(CREDD_LIBS) -lpam

$(B)/tests/fuzz/fuzz_verbs $(B)/tests/fuzz/fuzz_rows: $(B)/tests/fuzz/world.o $(B)/tests/fuzz/world-fakes.o

# Like with like: modules, and what measures them, are built with the same flags.
$(B)/tests/bench/%.so: $(B)/tests/bench/%.o
	$(call say,LINK,$@)
	$(Q)$(CC) -shared $(LDFLAGS_ALL) -Wl,-z,defs -o $@ $^ -lpam
$(B)/tests/bench/%: $(B)/tests/bench/%.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lsqlite3 -lpam

$(B)/tests/report/sample: $(B)/tests/report/sample.o $(B)/libcredctl.a $(B)/libcommon.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(CREDCTL_LIBS)

# Faults of the store: the whole daemon in a test, on a disk that fails.
FAULT_STORE_SRC := $(wildcard tests/fault/store/test_*.c)
FAULT_STORE     := $(patsubst %.c,$(B)/%,$(FAULT_STORE_SRC))
$(FAULT_STORE): $(B)/tests/fault/store/%: $(B)/tests/fault/store/%.o $(B)/tests/fault/store/vfs-fault.o $(B)/libcredd.a $(B)/libcommon.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(CREDD_LIBS)
$(call obj,$(FAULT_STORE_SRC)): | $(GENERATED)

$(call obj,$(UNIT_SRC)): | $(GENERATED)

# What the daemon can do by itself, measured. credd-of-batch-one is the same with a commit a request.
BENCH_DAEMON_SRC := $(wildcard tests/bench/daemon-*.c)
BENCH_DAEMON := $(patsubst tests/bench/%.c,$(B)/tests/bench/%,$(BENCH_DAEMON_SRC)) \
                $(B)/tests/bench/credd-of-batch-one
BENCH_RIG    := $(call obj,tests/bench/rig.c tests/bench/fly.c tests/bench/fill.c tests/bench/raw.c)
$(patsubst %.c,$(B)/%,$(BENCH_DAEMON_SRC) tests/bench/fill-store.c): $(B)/%: $(B)/%.o $(BENCH_RIG) $(B)/libcredd.a $(B)/libcommon.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(CREDD_LIBS)
$(B)/tests/bench/batch-one.o: credd/batch.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS_ALL) -DBATCH_REQUESTS_MAX=1 -MMD -MP -c -o $@ $<
$(B)/tests/bench/credd-of-batch-one: $(B)/credd/main.o $(B)/tests/bench/batch-one.o $(B)/libcredd.a $(B)/libcommon.a
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(LDFLAGS_ALL) -o $@ $^ $(CREDD_LIBS)
bench-daemon-build: $(BENCH_DAEMON) $(B)/credd/credd
.PHONY: bench-daemon-build

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# --- tests ------------------------------------------------------------------------------------------

build-units: $(UNITS)
build-pam: $(PAMTESTS) $(PROGRAMS)
build-fault: $(FAULTS) $(PROGRAMS)
build-tools: $(TOOLS)
build-fuzz: $(FUZZERS) $(B)/pam_ephemeral/pam_ephemeral.so
build-bench: $(BENCHES) $(PROGRAMS) bench-daemon-build $(B)/tests/bench/fill-store
.PHONY: build-units build-pam build-fault build-tools build-fuzz build-bench

unit: deps-test
	+$(Q)$(MAKE) --no-print-directory build-units
	$(Q)tests/run-cmocka $(B)/tests/unit

build-mutants: $(MUTANTS:%=$(B)/mutants/%)
.PHONY: build-mutants mutants
mutants: deps-test
	+$(Q)$(MAKE) --no-print-directory build-mutants
	$(Q)CC='$(CC)' CFLAGS='$(CFLAGS_ALL)' tests/mutants/run $(CURDIR)/$(B) $(TESTS)

cov: deps-test
	@tests/lab/install-packages $(call deps,cov)
	+$(Q)$(MAKE) --no-print-directory COV=1 build-units
	$(Q)find build/cov -name '*.gcda' -delete
	$(Q)tests/run-cmocka build/cov/tests/unit
	$(Q)tests/cov build/cov
.PHONY: cov

pam: deps-test
	+$(Q)$(MAKE) --no-print-directory build-pam
	$(Q)MODULE=$(CURDIR)/$(B)/pam_ephemeral/pam_ephemeral.so tests/run-cmocka $(B)/tests/pam

# With what seconds there are; 0: through the corpora once.
FUZZ_SECONDS ?= 60
fuzz: deps-fuzz
	+$(Q)$(MAKE) --no-print-directory FUZZ=1 build-fuzz
	$(Q)tests/fuzz/run build/fuzz $(FUZZ_SECONDS) $(FUZZ_ONLY)

fuzz-smoke:
	+$(Q)$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=0

fuzz-merge: deps-fuzz
	+$(Q)$(MAKE) --no-print-directory FUZZ=1 build-fuzz
	$(Q)tests/fuzz/merge build/fuzz $(FUZZ_ONLY)

fault: deps-test
	+$(Q)$(MAKE) --no-print-directory build-fault
	$(Q)TEST_SECONDS=1200 MODULE=$(CURDIR)/$(B)/pam_ephemeral/pam_ephemeral.so tests/run-cmocka $(B)/tests/fault

system: deps-lab deps-deb all
	+$(Q)$(MAKE) --no-print-directory build-tools
	$(Q)tests/system/run $(TESTS)

build-fault-store: $(FAULT_STORE) $(B)/credd/credd
fault-store: deps-test
	+$(Q)$(MAKE) --no-print-directory build-fault-store
	$(Q)CREDD=$(CURDIR)/$(B)/credd/credd TEST_SECONDS=3600 tests/run-cmocka $(B)/tests/fault/store
fault: fault-store
.PHONY: build-fault-store fault-store

soak:
	+$(Q)SOAK=1 $(MAKE) --no-print-directory system

check: deps-lab deps-deb
	+$(Q)$(MAKE) --no-print-directory unit
	+$(Q)$(MAKE) --no-print-directory unit SAN=address,undefined
	+$(Q)$(MAKE) --no-print-directory pam
	+$(Q)$(MAKE) --no-print-directory fuzz-smoke
	+$(Q)FAULT_SHORT=1 $(MAKE) --no-print-directory fault
	+$(Q)$(MAKE) --no-print-directory system

bench: deps-bench
	+$(Q)$(MAKE) --no-print-directory build-bench
	$(Q)tests/bench/bench $(B) $(if $(QUICK),--quick)

report-check: deps-report
	+$(Q)$(MAKE) --no-print-directory $(B)/tests/report/sample
	$(Q)tests/report/check $(B)/tests/report/sample $(B)/report

demo: deps-lab all
	$(Q)tests/lab/demo

lab: deps-lab all
	$(Q)tests/lab/enter $(or $(RELEASE),bookworm)

lab-check: deps-lab
	$(Q)tests/lab/selftest.sh

lint: deps-lint all
	$(Q)CI=1 tests/lint

format: deps-lint
	$(Q)git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format -i

# --- install ----------------------------------------------------------------------------------------

install: all
	$(Q)PREFIX=$(PREFIX) SYSCONFDIR=$(SYSCONFDIR) PAMDIR=$(PAMDIR) LIBEXECDIR=$(LIBEXECDIR) \
	  UNITDIR=$(UNITDIR) DESTDIR=$(DESTDIR) BUILD=$(B) packaging/install-files install
uninstall:
	$(Q)PREFIX=$(PREFIX) SYSCONFDIR=$(SYSCONFDIR) PAMDIR=$(PAMDIR) LIBEXECDIR=$(LIBEXECDIR) \
	  UNITDIR=$(UNITDIR) DESTDIR=$(DESTDIR) BUILD=$(B) packaging/install-files uninstall

deb: deps-deb
	$(Q)packaging/build-deb $(RELEASE)

clean:
	rm -rf build
