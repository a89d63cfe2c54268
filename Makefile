# SPDX-License-Identifier: LGPL-2.1-or-later
# GNU make, one file, objects in build/. `make help` lists the targets.

PREFIX       ?= /usr
SYSCONFDIR   ?= /etc
LOCALSTATEDIR ?= /var
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
B := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))

ifneq ($(CI),)
WERROR := -Werror
endif
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
            -Wvla -Wimplicit-fallthrough -Wswitch-enum -Wundef -Wcast-align -Wwrite-strings $(WERROR)
HARDEN   := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIC \
            $(if $(SAN),,-D_FORTIFY_SOURCE=2)
OPT      ?= -O2 -g
CFLAGS_ALL  = -std=gnu11 -I. -I$(B) -D_GNU_SOURCE -DCREDD_VERSION='"$(VERSION)"' \
              -DCREDD_SYSCONFDIR='"$(SYSCONFDIR)/credd"' -DCREDD_LIBEXECDIR='"$(LIBEXECDIR)"' \
              -DCREDD_PROGRAM='"$(PREFIX)/sbin/credd"' \
              -DCREDD_PAM_MODULES='"/usr/lib/$(MULTIARCH)/security"' \
              $(WARNINGS) $(HARDEN) $(OPT) $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all) $(CFLAGS)
LDFLAGS_ALL = -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)

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
TOOL_SRC      := $(wildcard tests/system/tools/*.c)
PRELOAD_SRC   := $(wildcard tests/system/preload/*.c)

CREDD_LIB  := $(filter-out credd/main.c,$(CREDD_SRC))
GENERATED  := $(B)/common/interfaces.h $(B)/credd/schema.h

CREDD_LIBS   := -lsystemd -lsqlite3 -ljansson -lsodium -linih
CREDCTL_LIBS := -ljansson -lsmartcols -lsystemd

PROGRAMS := $(B)/credd/credd $(B)/credctl/credctl $(B)/drill/credd-drill $(B)/pam_ephemeral/pam_ephemeral.so
UNITS    := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(UNIT_SRC))
PAMTESTS := $(patsubst tests/pam/%.c,$(B)/tests/pam/%,$(PAM_SRC))
TOOLS    := $(patsubst tests/system/tools/%.c,$(B)/tests/system/tools/%,$(TOOL_SRC)) \
            $(patsubst tests/system/preload/%.c,$(B)/tests/system/preload/%.so,$(PRELOAD_SRC))

.PHONY: all help deps-build deps-test deps-lab deps-report deps-lint deps-deb unit pam system check soak \
        report-check demo lab lint format install uninstall deb clean
.DELETE_ON_ERROR:
.SECONDARY:

all: deps-build
	+$(Q)$(MAKE) --no-print-directory $(PROGRAMS)

help:
	@sed -n 's/^#: //p' Makefile

#: make            build credd, credctl and pam_ephemeral.so into build/
#: make unit       unit tests; SAN=address,undefined builds them with sanitizers
#: make pam        the module inside libpam
#: make system     the booted lab: Debian 12 and 13, real sshd, logind, journald (root)
#: make check      all of these
#: make soak       the booted lab at full size: more logins, more kills; takes many minutes (root)
#: make mutants     changes what decides about access and sees whether a unit test notices; takes minutes;
#:                  TESTS=credd/kill.c for that file alone
#: make demo       a token, an SSH login, its end at the deadline, and the receipt (root)
#: make lab        a shell in the lab (root); RELEASE=trixie for Debian 13
#: make report-check  credctl audit's page in a browser: nothing too wide, pictures in build/report
#: make lint       formatting, rooms, exports, names that must agree, static analysis
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
deps-report:
	@tests/lab/install-packages $(call deps,build) $(call deps,report)
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
$(B)/pam_ephemeral/pam_ephemeral.so: $(call obj,$(MODULE_SRC) $(MODULE_COMMON)) pam_ephemeral/pam_ephemeral.map
	$(call say,LINK,$@)
	$(Q)$(CC) -shared $(LDFLAGS_ALL) -Wl,-z,defs -Wl,--version-script=pam_ephemeral/pam_ephemeral.map \
	  -o $@ $(filter %.o,$^) -lpam

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/libcredd.a $(B)/libcredctl.a $(B)/libmodule.a $(B)/libcommon.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(CREDD_LIBS) -lsmartcols -lpam
$(B)/tests/pam/%: $(B)/tests/pam/%.o $(B)/libcommon.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka -lpam -ljansson -ldl
$(B)/tests/system/tools/%: $(B)/tests/system/tools/%.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^
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

$(B)/tests/report/sample: $(B)/tests/report/sample.o $(B)/libcredctl.a $(B)/libcommon.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(CREDCTL_LIBS)

$(call obj,$(UNIT_SRC)): | $(GENERATED)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# --- tests ------------------------------------------------------------------------------------------

build-units: $(UNITS)
build-pam: $(PAMTESTS) $(PROGRAMS)
build-tools: $(TOOLS)
.PHONY: build-units build-pam build-tools

unit: deps-test
	+$(Q)$(MAKE) --no-print-directory build-units
	$(Q)tests/run-cmocka $(B)/tests/unit

build-mutants: $(MUTANTS:%=$(B)/mutants/%)
.PHONY: build-mutants mutants
mutants: deps-test
	+$(Q)$(MAKE) --no-print-directory build-mutants
	$(Q)CC='$(CC)' CFLAGS='$(CFLAGS_ALL)' tests/mutants/run $(CURDIR)/$(B) $(TESTS)

pam: deps-test
	+$(Q)$(MAKE) --no-print-directory build-pam
	$(Q)MODULE=$(CURDIR)/$(B)/pam_ephemeral/pam_ephemeral.so tests/run-cmocka $(B)/tests/pam

system: deps-lab deps-deb all
	+$(Q)$(MAKE) --no-print-directory build-tools
	$(Q)tests/system/run $(TESTS)

soak:
	+$(Q)SOAK=1 $(MAKE) --no-print-directory system

check: deps-lab deps-deb
	+$(Q)$(MAKE) --no-print-directory unit
	+$(Q)$(MAKE) --no-print-directory unit SAN=address,undefined
	+$(Q)$(MAKE) --no-print-directory pam
	+$(Q)$(MAKE) --no-print-directory system

report-check: deps-report
	+$(Q)$(MAKE) --no-print-directory $(B)/tests/report/sample
	$(Q)tests/report/check $(B)/tests/report/sample $(B)/report

demo: deps-lab all
	$(Q)tests/lab/demo

lab: deps-lab all
	$(Q)tests/lab/enter $(or $(RELEASE),bookworm)

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
