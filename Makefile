# Skeeter: plugins for Mosquitto. One Makefile, no recursion, no lists of files:
# a folder under plugins/ is a plugin, a *_test.c under tests/unit/ is a test.
B        ?= build
CFLAGS   ?= -O2 -g
CFLAGS   += -std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror -fPIC
CPPFLAGS += -I. -D_GNU_SOURCE -MMD -MP
ifdef SAN
CFLAGS   += -O1 -Wno-error -fsanitize=$(SAN) -fno-omit-frame-pointer
LDFLAGS  += -fsanitize=$(SAN)
B        := build/$(SAN)
endif
LDFLAGS  += -Wl,-z,nodelete -Wl,-Bsymbolic
# Besides its own folder a plugin may need another folder or a library.
DIRS.shadow := shadow
LIBS        := -lcjson -lsqlite3 -lcrypto -lpthread -lm
# GLUE talks to the broker. All the rest is pure and is what the tests link.
GLUE    := core/broker.c core/broker_%.c plugins/%/plugin.c
PLUGINS := $(notdir $(patsubst %/,%,$(wildcard plugins/*/)))
PURE    := $(filter-out $(GLUE) $(wildcard core/broker*.c) $(wildcard plugins/*/plugin.c),$(wildcard core/*.c shadow/*.c plugins/*/*.c))
TESTS   := $(patsubst tests/unit/%.c,$B/tests/%,$(wildcard tests/unit/*_test.c))
objs = $(patsubst %.c,$B/%.o,$(wildcard $(addsuffix /*.c,$1)))
run  = $(if $V,,@printf '  %-4s %s\n' $1 $@;) mkdir -p $(@D) &&

all: $B/libskeeter.so $(PLUGINS:%=$B/skeeter_%.so) $B/skeeter  ## build every plugin and the skeeter command
$B/%.o: %.c
	$(call run,CC) $(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@
$B/plugins/%.o: CFLAGS += -fvisibility=hidden
$B/libskeeter.so: $(call objs,core)
	$(call run,LD) $(CC) -shared -Wl,-soname,$(@F) $(LDFLAGS) $^ $(LIBS) -o $@
.SECONDEXPANSION:
$B/skeeter_%.so: $$(call objs,plugins/$$* $$(DIRS.$$*)) | $B/libskeeter.so
	$(call run,LD) $(CC) -shared -Wl,-rpath,'$$ORIGIN' $(LDFLAGS) $^ -L$B -lskeeter $(LIBS) -o $@
$B/skeeter: $(call objs,cli) $B/libpure.a
	$(call run,LD) $(CC) $(LDFLAGS) $^ $(LIBS) -lmosquitto -o $@
$B/libpure.a: $(PURE:%.c=$B/%.o)
	$(call run,AR) rm -f $@ && $(AR) rcs $@ $^
$B/tests/%: $B/tests/unit/%.o $B/libpure.a
	$(call run,LD) $(CC) $(LDFLAGS) $^ $(LIBS) -lcmocka -o $@
unit: $(TESTS)  ## run the unit tests
	@for t in $^; do $$t || exit 1; done
clean:  ## remove what was built
	rm -rf build
help:  ## print this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /  make \1\t/p' Makefile | expand -t18
.PHONY: all unit clean help
.SECONDARY:
-include $(shell find $B -name '*.d' 2>/dev/null)
