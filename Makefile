# Ossicle's build.  `make help' says what there is.
CC = cc
CFLAGS = -O2 -g
PREFIX = /usr/local
comma = ,
BUILD = build$(if $(SAN),/$(subst $(comma),-,$(SAN)))
LINUX := $(filter Linux,$(shell uname))
PKGS = sndfile soxr json-c libzstd libxxhash nettle libutf8proc \
    $(if $(LINUX),libseccomp)
# A compiler that warns of more than ours does: make WARN=
WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wmissing-prototypes \
    -Werror
# What makes a fault harder to use; make HARDEN= HARDEN_LINK= does without.
# Fortify wants an optimiser, and gets in the way of the sanitizers.
FORTIFY = $(if $(SAN),,$(if $(filter-out -O0,$(filter -O%,$(CFLAGS))), \
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
HARDEN = -fPIE -fstack-protector-strong $(FORTIFY)
ifneq ($(LINUX),)
HARDEN += -fstack-clash-protection
HARDEN_LINK = -pie -Wl,-z,relro,-z,now,-z,noexecstack
endif
# The same bytes wherever it is built.
ANYWHERE = -ffile-prefix-map='$(CURDIR)'=.
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
ALL_CFLAGS = -std=c11 $(WARN) -D_XOPEN_SOURCE=700 -ffp-contract=off \
    -Ilib $(PKG_CFLAGS) $(HARDEN) $(CFLAGS) $(ANYWHERE) \
    $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all \
    -fno-omit-frame-pointer)
LIBS = $(PKG_LIBS) -lm -lpthread
LIB = $(BUILD)/libossicle.a
# A test that includes a program is not linked with it too.
LINK = $(CC) $(ALL_CFLAGS) $(HARDEN_LINK) -MMD -MP -o $@ \
    $< $(filter %/replay.c,$^) $(LIB) $(WRAP) $(LIBS)

PROGRAMS = $(patsubst bin/%.c,%,$(wildcard bin/*.c))
OBJS = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard lib/*.c)))
UNITS = $(patsubst tests/%.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
ORACLES = $(patsubst tests/%.c,$(BUILD)/%,$(wildcard tests/conformance/*.c))
BENCHES = $(patsubst tests/%.c,$(BUILD)/%,$(wildcard tests/bench/*.c))
FUZZERS = $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
TORTURES = $(BUILD)/torture/preload.so $(patsubst tests/%.c,$(BUILD)/%, \
    $(filter-out %/preload.c,$(wildcard tests/torture/*.c)))
PAGES = $(wildcard man/*.[157])
VERSION = $(shell sed -n 's/.*OSSICLE_VERSION "\(.*\)"/\1/p' lib/ossicle.h)

all: $(PROGRAMS:%=$(BUILD)/%)	## the programs and libossicle.a

$(BUILD)/%: bin/%.c $(LIB)
	$(LINK)

# Unit tests, and programs that other tests and `make bench' call.
$(BUILD)/%: tests/%.c $(LIB)
	@mkdir -p $(@D)
	$(LINK) $(if $(findstring /unit/,$@),$$(pkg-config --libs cmocka))

# Where calls are made to fail, the test's own functions take their place.
$(BUILD)/unit/test_faults: WRAP = $(patsubst %,-Wl$(comma)--wrap=%,malloc \
    calloc realloc aligned_alloc posix_memalign strdup free read pread)

$(BUILD)/replay/%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $(LIB)
	@mkdir -p $(@D)
	$(LINK)

$(BUILD)/fuzz/%: tests/fuzz/fuzz_%.c $(LIB)
	@mkdir -p $(@D)
	$(LINK) -fsanitize=fuzzer

# What stands between a program and its system: LD_PRELOAD.
$(BUILD)/%.so: tests/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fPIC -shared -MMD -MP -o $@ $< -ldl

# Made anew, so that an object whose source is gone goes too.
$(LIB): $(OBJS)
	@rm -f $@
	$(AR) rcs $@ $(OBJS)

$(BUILD)/lib/%.o: lib/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Changes when the compiler or its flags do, and all that is built with it.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@pkg-config --print-errors --exists $(PKGS) || { \
	    echo "try scripts/install-deps build" >&2; exit 1; }
	@echo '$(CC) $(ALL_CFLAGS)' | cmp -s - $@ || \
	    echo '$(CC) $(ALL_CFLAGS)' >$@

demo:	## install what is missing, build, and see it work
	@scripts/install-deps build
	@$(MAKE) -s all
	@BUILD=$(BUILD) examples/demo/run

check:	## every test that needs no other implementation (SAN=address,undefined)
	@scripts/install-deps build check
	@$(MAKE) -s all units replays
	@tests/run $(BUILD) $(if $(SAN),,structure) \
	    $(if $(filter thread,$(SAN)),threads,unit replay tools)

units: $(UNITS)
replays: $(FUZZERS:%=$(BUILD)/replay/%)
fuzzers: $(FUZZERS:%=$(BUILD)/fuzz/%)
oracles: $(ORACLES)
benches: $(BENCHES)
tortures: $(TORTURES)

conformance:	## compare with the originals, which it installs for itself
	@scripts/install-deps build check conformance
	@$(MAKE) -s all oracles
	@BUILD=$(BUILD) tests/conformance/run

examples:	## the examples on several hosts and on a Slurm, made here, as root
	@scripts/install-deps build check examples
	@$(MAKE) -s all
	@tests/run $(BUILD) examples

lint:	## what compilers and checkers say of the code, the scripts, the pages
	@scripts/install-deps build check lint
	@tests/run $(BUILD)/lint headers scripts pages compilers analysis \
	    release memory

TIME = 60
fuzz:	## look for faults for TIME seconds, shared by all targets
	@scripts/install-deps build lint
	@$(MAKE) -s CC=clang SAN=fuzzer-no-link,address,undefined \
	    BUILD=$(BUILD)/fuzz fuzzers
	@tests/fuzz/run $(BUILD)/fuzz/fuzz $(TIME) $(FUZZERS)

SCALE = 1
torture:	## what should break it, and does not (SCALE=10: ten times more)
	@scripts/install-deps build check
	@$(MAKE) -s all tortures
	@SCALE=$(SCALE) tests/torture/run $(BUILD)

COUNT = -fprofile-instr-generate=$(abspath $(BUILD))/profile/%m%c.profraw \
    -fcoverage-mapping -mllvm -runtime-counter-relocation
coverage:	## which lines of lib/ the tests run: 95 of 100, or it fails
	@scripts/install-deps build check lint coverage
	@$(MAKE) -s CC=clang CFLAGS='-O1 -g $$(COUNT)' ANYWHERE= FORTIFY= \
	    BUILD=$(BUILD)/coverage all units replays
	@tests/coverage/run $(BUILD)/coverage 95

MUTANTS = 16
mutation:	## what no test would notice in the core (MUTANTS=all: hours)
	@scripts/install-deps build check
	@$(MAKE) -s all
	@$(MAKE) -s SAN=address,undefined BUILD=$(BUILD)/mutation/san all
	@MUTANTS=$(MUTANTS) tests/mutation/run $(BUILD) $(BUILD)/mutation/san

ROUNDS = 3
bench:	## what it costs, beside what others cost (PARTS='mel peers' ROUNDS=5)
	@scripts/install-deps build conformance bench
	@$(MAKE) -s all benches
	@BUILD=$(BUILD) tests/bench/run --rounds $(ROUNDS) $(PARTS)

install: all	## into $(DESTDIR)$(PREFIX)
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' BUILD='$(BUILD)' \
	    VERSION='$(VERSION)' PKGS='$(PKGS)' \
	    scripts/install install $(PROGRAMS)

uninstall:	## take away what install put there
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' \
	    scripts/install uninstall $(PROGRAMS)

clean:	## remove what was built
	rm -rf $(BUILD)

help:	## this text
	@sed -n 's/^\([a-z]*\):.*## */\1	/p' Makefile | expand -t 14

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d)
.PHONY: all demo check units replays fuzzers oracles benches tortures torture \
    conformance examples lint coverage mutation \
    fuzz bench install uninstall clean help FORCE
.SECONDARY:
