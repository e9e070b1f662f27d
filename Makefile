# Skeeter: plugins for Mosquitto. One Makefile, no recursion, no lists of files:
# a folder under plugins/ is a plugin, a *_test.c under tests/unit/ is a test.
B        ?= build
CFLAGS   ?= -O2 -g
CFLAGS   += -std=gnu11 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror -fPIC
CPPFLAGS += -I. -D_GNU_SOURCE -MMD -MP
ifdef SAN
CFLAGS   += -O1 -w -fsanitize=$(SAN) -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDFLAGS  += -fsanitize=$(SAN)
B        := build/$(SAN)
endif
comma    := ,
# What is linked statically is not exported.
LDFLAGS  += -Wl,-z,nodelete -Wl,-Bsymbolic -Wl,--exclude-libs,libbidgcc000.a
# Besides its own folder a plugin may need another folder, some files of one, or a library.
DIRS.http   := sigv4
DIRS.shadow := shadow
DIRS.rules  := rules lua-rules sql expr shadow
DIRS.functions := rules lua-rules sql expr shadow
DIRS.sink_redis := dial
DIRS.cluster := redis dial
FILES.cluster := rules/filters.c rules/filters_match.c
LIBS.cluster := -lhiredis -lssl
DIRS.sink_nats  := dial
DIRS.sink_amqp  := dial
LIBS.http   := -lmicrohttpd -lgnutls
LIBS.sink_redis := -lhiredis -lssl
LIBS.sink_nats  := -lssl
LIBS.sink_amqp  := -lssl
DIRS.sink_http := sigv4 outbound
DIRS.sink_aws := sigv4 outbound
LIBS.sink_http := -lcurl
LIBS.sink_aws := -lcurl
DIRS.sink_postgres := statements
LIBS.sink_postgres := -lpq
LIBS.sink_kafka := -lrdkafka
DIRS.sink_mysql := statements
LIBS.sink_mysql := -lmariadb
LIBS        := -lcjson -lpcre2-8 -lsqlite3 -lcrypto -lbidgcc000 -lpthread -lm -Wl,--as-needed -llua5.4 -lz -lhiredis -lssl -Wl,--no-as-needed
# GLUE talks to the broker or to the network. All the rest is pure and is what the tests link.
GLUE    := core/broker.c core/broker_%.c plugins/%/plugin.c plugins/http/server%.c outbound/%_client.c
PLUGINS := $(notdir $(patsubst %/,%,$(wildcard plugins/*/)))
# A folder with sources that is neither core nor cli is an engine.
ENGINES := $(filter-out core cli,$(sort $(patsubst %/,%,$(dir $(wildcard */*.c)))))
PURE    := $(filter-out $(GLUE) $(wildcard core/broker*.c) $(wildcard plugins/*/plugin.c),$(wildcard core/*.c $(ENGINES:%=%/*.c) plugins/*/*.c)) \
           cli/config.c $(wildcard cli/check_[flps]*.c) cli/flags.c cli/shorthand.c cli/suggest.c cli/value.c cli/when.c cli/words.c $(filter-out cli/store/main.c,$(wildcard cli/store/*.c))
TESTS   := $(patsubst tests/unit/%.c,$B/tests/%,$(wildcard tests/unit/*_test.c))
objs = $(patsubst %.c,$B/%.o,$(wildcard $(addsuffix /*.c,$1)))
some = $(patsubst %.c,$B/%.o,$1)
run  = $(if $V,,@printf '  %-4s %s\n' $1 $@;) mkdir -p $(@D) &&

all: $B/libskeeter.so $(PLUGINS:%=$B/skeeter_%.so) $B/skeeter $B/skeeter-device $B/skeeter-store  ## build every plugin and the commands
$B/%.o: %.c | $B/headers
	$(call run,CC) $(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@
# The options that check-config knows: rows of the plugins' READMEs, which a test compares with the tables.
$B/cli/check_plugins.o: CPPFLAGS += -I$B
$B/cli/check_plugins.o: $B/known_options.inc
$B/known_options.inc: $(wildcard plugins/*/README.md)
	$(call run,SED) for f in $^; do p=$${f#plugins/}; \
	sed -n "s,^| .plugin_opt_\([a-z_0-9]*\). .*,{ \"$${p%/*}\"\, \"\1\" }\,,p" $$f; done >$@
# What rules in Lua may call goes into whatever runs them.
$B/lua-rules/shipped.o: CPPFLAGS += -I$B
$B/lua-rules/shipped.o: $B/lua_library.inc
$B/lua_library.inc: $(sort $(wildcard lua-rules/lib/*.lua))
	$(call run,SED) for f in $^; do n=$${f##*/}; echo "LIBRARY(\"$${n%.lua}\","; sed 's/[\"]/\\&/g; s/^/"/; s/$$/\\n"/' $$f; echo ')'; done >$@
# What the store's Redis runs.
$B/core/store_redis_text.o: CPPFLAGS += -I$B
$B/core/store_redis_text.o: $B/redis_scripts.inc
$B/redis_scripts.inc: $(sort $(wildcard core/redis/*.lua))
	$(call run,SED) for f in $^; do n=$${f##*/}; echo "SCRIPT($${n%.lua},"; sed 's/[\"]/\\&/g; s/^/"/; s/$$/\\n"/' $$f; echo ')'; done >$@
# AWS's kinds of actions, and those of our own sinks.
$B/rules/kinds.o: CPPFLAGS += -I$B
$B/rules/kinds.o: $B/actions.inc
$B/actions.inc: rules/actions.tbl $(wildcard plugins/*/*.kinds)
	$(call run,CAT) cat $< >$@; for f in $(filter-out $<,$^); do p=$${f#plugins/}; sed "s/^KIND(/KIND_OF(\"$${p%/*}\", /" $$f; done >>$@
# The version is one text, and of one object: it is written anew when it is another one.
VERSION := $(shell cli/version.sh)
$B/core/version.o: CPPFLAGS += -DSKEETER_VERSION='"$(VERSION)"'
$B/core/version.o: $B/version
ifneq ($(VERSION),$(shell cat $B/version 2>/dev/null))
.PHONY: $B/version
endif
$B/version:
	@mkdir -p $B && echo '$(VERSION)' >$@
$B/plugins/%.o $(foreach e,$(ENGINES),$B/$e/%.o): CFLAGS += -fvisibility=hidden
$B/libskeeter.so: $(call objs,core redis dial)
	$(call run,LD) $(CC) -shared -Wl,-soname,$(@F) $(LDFLAGS) $^ $(LIBS) -o $@
.SECONDEXPANSION:
$B/skeeter_%.so: $$(call objs,plugins/$$* $$(DIRS.$$*)) $$(call some,$$(FILES.$$*)) | $B/libskeeter.so
	$(call run,LD) $(CC) -shared -Wl,-rpath,'$$ORIGIN' $(LDFLAGS) $^ -L$B -lskeeter $(LIBS) $(LIBS.$*) -o $@
# cli/ is three programs: the command, the demo's devices, and what works on a store's file.
$B/skeeter: $(patsubst %.c,$B/%.o,$(filter-out cli/device.c,$(wildcard cli/*.c)))
$B/skeeter-device: $B/cli/device.o
$B/skeeter-store: $B/cli/store/main.o
$B/skeeter $B/skeeter-device: LIBS += -lmosquitto
$B/skeeter $B/skeeter-device $B/skeeter-store: $B/libpure.a
	$(call run,LD) $(CC) $(LDFLAGS) $(filter %.o,$^) $B/libpure.a $(LIBS) -o $@
$B/libpure.a: $(PURE:%.c=$B/%.o)
	$(call run,AR) rm -f $@ && $(AR) rcs $@ $^
# What is not installed is said in one line instead of a compiler's error.
$B/headers:
	@cli/headers.sh $(CC) $(filter-out -M%,$(CPPFLAGS)) && mkdir -p $B && touch $@

# -- into a system. Needs nothing but what was built
DESTDIR ?=
PREFIX  ?= /usr/local
CONFDIR ?= /etc/mosquitto/conf.d
install: all  ## into PREFIX (/usr/local) below DESTDIR, and a disabled sample into CONFDIR (/etc/mosquitto/conf.d)
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" CONFDIR="$(CONFDIR)" B=$B cli/install.sh install
uninstall:  ## remove it again; what an operator has changed stays
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" CONFDIR="$(CONFDIR)" B=$B cli/install.sh uninstall

# -- the demo
run: deps  ## everything from nothing: packages, build, broker, three devices. PORT=n HTTP_PORT=n HTTPS_PORT=n DETACH=1
	@$(MAKE) --no-print-directory $(if $V,,-s) all
	@exec env B=$B PORT=$(PORT) HTTP_PORT=$(HTTP_PORT) HTTPS_PORT=$(HTTPS_PORT) DETACH=$(DETACH) cli/demo.sh run
stop:  ## stop what make run DETACH=1 left running
	@cli/demo.sh stop
deps:  ## install the Debian packages that the build and the demo need
	@cli/deps.sh $(DEPS)
DEPS := gcc libc6-dev make openssl mosquitto mosquitto-clients mosquitto-dev libmosquitto-dev libcjson-dev libpcre2-dev libsqlite3-dev libssl-dev libmicrohttpd-dev libgnutls28-dev liblua5.4-dev libintelrdfpmath-dev libpq-dev librdkafka-dev libmariadb-dev libcurl4-openssl-dev libhiredis-dev zlib1g-dev

# A test that includes a header of tests/unit is linked with what stands behind it.
hash := \#
fakes = $(patsubst %.c,$B/%.o,$(filter-out %_test.c,$(foreach h,$(shell sed -n 's,^$(hash)include "\(tests/unit/[a-z_]*\)\.h".*,\1,p' \
          tests/$1.c),$(wildcard $h*.c))))
$B/tests/%: $B/tests/unit/%.o $$(call fakes,unit/$$*) $B/libpure.a
	$(call run,LD) $(CC) $(LDFLAGS) $^ $(LIBS) -lcmocka -o $@

# In these memory runs out at every point in turn (tests/unit/scarce.h).
$B/tests/%_memory_test: LDFLAGS += $(patsubst %,-Wl$(comma)--wrap=%,malloc calloc realloc reallocarray strdup strndup free)

# -- tests: each part ends with "NAME: N passed, N failed", tests/sum adds them up
TEST_PARTS  := lint unit sim memory docs e2e test-store sinks clients kill demo
CHECK_PARTS := lint unit smoke
DEEP_PARTS  := sim-mutants test-brokers asan tsan chaos chaos-redis chaos-sinks gap fuzz valgrind+machines
SECONDS     ?= 2
MODULES     := tests/node_modules/.package-lock.json
NODE_RED    := tests/bench/node-red/node_modules/.package-lock.json
FUZZERS     := $(patsubst tests/fuzz/%.c,$B/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))
JS          := SKEETER_BUILD=$(abspath $B) node tests/run.js
NEED        := tests/need node:nodejs npm:npm openssl:openssl mosquitto:mosquitto mosquitto_pub:mosquitto-clients \
               ctags:universal-ctags prlimit:util-linux ps:procps libcmocka-dev \
               /usr/bin/aws:awscli python3-boto3
# $(call parts,TARGETS): build first, then each on its own
parts = +@$(MAKE) --no-print-directory -j$(shell nproc) all && LOGS=$B/logs tests/sum $1
# $(call sanitize,NAME,FLAGS,library to preload,words for run.js): the units, and the plugins in a real broker, built with a sanitizer
sanitize = +@$(MAKE) --no-print-directory -s -j$(shell nproc) SAN=$2 B=$B/$1 N=$1 PRELOAD=$$($(CC) -print-file-name=$3) T='$4 $(T)' sanitized

test: test-deps  ## every test of a change, with a real Mosquitto and the real device SDKs (15 minutes at most)
	$(call parts,$(TEST_PARTS))
check: test-deps  ## a minute's worth of them
	$(call parts,$(CHECK_PARTS))
test-deep: test-deps  ## newer brokers, sanitizers, valgrind, fuzzing and a bare Debian (30 minutes at most)
	$(call parts,$(DEEP_PARTS))
# What a change is judged by throws the same dice each time; who hunts for more runs chaos, kill, chaos-sinks, fuzz or campaign by hand.
test test-deep: export GATE_SEED := 1
test-deps: deps  ## install what the tests need
	@$(NEED)
lint: all  ## the habits of docs/STYLE.md that a script can check
	@tests/lint $B
unit: $(TESTS) $B/skeeter  ## unit tests, golden data and the shipped rules' own tests, no broker
	@B=$B tests/run-unit unit $(TESTS) tests/examples
docs: all $B/option_tables $(MODULES)  ## docs/ADDING.md followed to the letter, what is printed compared with what is committed
	@B=$B UNIT_SECONDS=1800 tests/run-unit docs tests/docs/adding tests/docs/store tests/docs/api tests/docs/options tests/docs/names
docs-print: all $B/option_tables  ## print docs/API.md and the tables of the plugins' READMEs
	@B=$B tests/docs/api --write && B=$B tests/docs/options --write
$B/option_tables: $B/tests/docs/option_tables.o
	$(call run,LD) $(CC) $(LDFLAGS) -rdynamic $^ -ldl -o $@
# Plugins that only tests load.
TESTED := $(patsubst tests/plugins/%.c,$B/tests/%.so,$(wildcard tests/plugins/*.c))
$B/tests/%.so: $B/tests/plugins/%.o | $B/libskeeter.so
	$(call run,LD) $(CC) -shared -Wl,-rpath,'$$ORIGIN/..' $(LDFLAGS) $^ -L$B -lskeeter $(LIBS) -o $@
# A sink alone, without a broker (tests/sinks/drive.c).
$B/tests/drive: $B/tests/sinks/drive.o | $B/libskeeter.so
	$(call run,LD) $(CC) $(LDFLAGS) -rdynamic -Wl,--unresolved-symbols=ignore-in-shared-libs -Wl,-rpath,'$$ORIGIN/..' $^ -L$B -lskeeter $(LIBS) -ldl -o $@
# A route to Redis alone (tests/redis/route.c).
$B/tests/route: $B/tests/redis/route.o $B/libpure.a
	$(call run,LD) $(CC) $(LDFLAGS) $^ $(LIBS) -o $@
$B/tests/kafka_mock: $B/tests/sinks/kafka_mock.o $B/libpure.a
	$(call run,LD) $(CC) $(LDFLAGS) $^ $(LIBS) -lrdkafka -o $@
# The suite of all stores against a Redis that the tests start.
$B/tests/redis_suite: $(patsubst %.c,$B/%.o,$(wildcard tests/store/*.c tests/unit/store_suite*.c)) $B/libpure.a
	$(call run,LD) $(CC) $(LDFLAGS) $^ $(LIBS) -lcmocka -o $@
e2e: all $(MODULES) $(TESTED)  ## a real Mosquitto with the built plugins; T=word picks files
	@$(JS) e2e tests/e2e -e2e/sinks/ -e2e/redis/ $(T)
# Everything about stores: the suite on the embedded one, on one Redis, a Cluster, through Sentinels; brokers that share one, and what a Redis does to them.
STORES := redis-server:redis-server redis-cli:redis-tools
test-store: all $B/tests/core_store_test $B/tests/redis_suite $B/tests/route $B/chaos/preload.so $(MODULES) $(TESTED)  ## stores: one suite on each kind, Redis killed, full, slow, failed over; T=word picks files
	@tests/need $(STORES)
	@tests/run-unit stores $B/tests/core_store_test; failed=$$?; $(JS) redis tests/e2e/redis $(T) && exit $$failed
# The servers that sinks send to; they are big, so nothing else installs them.
SERVICES := redis-server:redis-server /usr/lib/postgresql/15/bin/initdb:postgresql-15 /usr/sbin/mariadbd:mariadb-server nats-server:nats-server /usr/sbin/rabbitmq-server:rabbitmq-server influxd:influxdb /usr/sbin/clickhouse-server:clickhouse-server
sinks: all $B/tests/drive $B/tests/kafka_mock $(MODULES) $(TESTED)  ## sinks against the real servers; T=word picks files
	@tests/need $(SERVICES)
	@$(JS) sinks tests/e2e/sinks $(T)
smoke: all $(MODULES) $(TESTED)  ## the part of e2e that `make check` runs
	@$(JS) smoke --smoke tests/e2e
clients: all $(MODULES)  ## the real AWS IoT device SDKs
	@$(JS) clients tests/clients $(T)
# Each round does one or two things to a broker under load: kill -9, SIGTERM, SIGSTOP, a full disk, steps of the clock, SIGHUPs, hundreds of reconnects.
CHAOS := SKEETER_BUILD=$(abspath $B) tests/run-chaos
chaos: all $B/chaos/preload.so $(MODULES)  ## N=n rounds (30) of faults under load, what clients were answered must hold; SEED=x replays; STORE=redis is chaos-redis
	@tests/need unshare:util-linux mount:mount
	@N=$(or $N,30) SEED=$(or $(SEED),$(GATE_SEED)) FAULTS="$(FAULTS)" STORE=$(STORE) $(CHAOS) chaos
chaos-redis: all $B/chaos/preload.so $(MODULES)  ## N=n rounds (8) on three brokers that share a Redis: it is killed or stands still, the network to it is cut, silent, slow, loses answers
	@tests/need unshare:util-linux mount:mount $(STORES)
	@N=$(or $N,8) SEED=$(or $(SEED),$(GATE_SEED)) FAULTS="$(FAULTS)" STORE=redis $(CHAOS) chaos-redis
kill: all $B/chaos/preload.so $(MODULES)  ## 20 rounds of kill -9 only, now and then with durability relaxed
	@tests/need unshare:util-linux mount:mount
	@N=20 SEED=$(or $(SEED),$(GATE_SEED)) FAULTS=kill $(CHAOS) kill
chaos-sinks: all $B/tests/functions.so $(MODULES)  ## N=n rounds (20) of kill -9 under load into a web server and a Redis that fail at random: nothing acknowledged is lost
	@tests/need redis-server:redis-server
	@SKEETER_BUILD=$(abspath $B) SKEETER_COUNT=chaos-sinks N=$(or $N,20) SEED=$(or $(SEED),$(GATE_SEED)) tests/within $$((600 + 150 * $(or $N,20))) chaos-sinks node tests/chaos/sinks.js
gap: all $B/chaos/preload.so $B/bench/load $B/bench/http_load $(MODULES)  ## the longest turns of the broker's loop: a disk or a Redis that stands still, reconnects, a burst, a revoked certificate
	@tests/need $(STORES)
	@$(JS) gap tests/chaos
$B/chaos/preload.so: $B/tests/chaos/preload.o
	$(call run,LD) $(CC) -shared $(LDFLAGS) $^ -ldl -o $@
demo: all $(MODULES)  ## every line that make run prints, pasted and compared
	@$(JS) demo tests/demo
asan:  ## units and broker under AddressSanitizer and UBSan
	$(call sanitize,asan,address$(comma)undefined,libasan.so,-/harness/)
tsan:  ## units and broker under ThreadSanitizer
	$(call sanitize,tsan,thread,libtsan.so,-/bridge -/cli/ -/harness/ -store/tool)  # Mosquitto's own bridge dies under TSan, with no plugin loaded too; the commands are one thread each
# The simulation is one thread: nothing for ThreadSanitizer.
SIMULATED := $(if $(filter asan,$N),$B/sim/memory $B/sim/seeds)
sanitized: $(TESTS) $(SIMULATED) all $B/planted.so $(MODULES) $(TESTED)
	@SEEDS=300 LIVES=40 SCARCE_STEP=5 tests/run-unit $N-unit $(TESTS) $(SIMULATED); failed=$$?; export SKEETER_TOOL=$N SKEETER_PRELOAD=$(PRELOAD) SKEETER_LANES=3; \
	$(JS) $N-planted tests/planted || failed=1; $(JS) $N-broker tests/e2e -e2e/sinks/ -e2e/redis/ $(T) && exit $$failed
valgrind: $(TESTS) all $B/planted.so $(MODULES) $(TESTED)  ## units, and some of the broker's tests, under valgrind
	@tests/need valgrind:valgrind
	@export LIVES=20 SCARCE_STEP=25 WRAP="valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite"; \
	tests/run-unit valgrind-unit $(TESTS); failed=$$?; \
	export SKEETER_TOOL=valgrind SKEETER_VALGRIND=1 SKEETER_SLOW=12; \
	$(JS) valgrind-planted tests/planted || failed=1; $(JS) valgrind-broker tests/e2e $(if $T,$T,$(VALGRIND)) && exit $$failed
VALGRIND := auth/connect auth/policy. core/life core/presence registry/things shadow/update
# What is planted in it is what the tools must find.
$B/planted.so: $B/tests/planted/planted_plugin.o
	$(call run,LD) $(CC) -shared $(LDFLAGS) $^ -o $@
# $(call fuzzing,TARGET): it, with all that is pure built for libFuzzer
fuzzing = +@tests/need clang:clang libclang-rt-14-dev && \
          $(MAKE) --no-print-directory -s -j$(shell nproc) CC=clang SAN=fuzzer-no-link$(comma)address$(comma)undefined B=$B/fuzz FOLDER=$(abspath $B)/campaign $1
fuzz:  ## fuzz the pure sources, SECONDS=n for each target
	$(call fuzzing,fuzzers)
campaign:  ## each fuzz target alone for SECONDS of its own (1800), in build/campaign; HOLD=file pauses it
	$(call fuzzing,campaigners SECONDS=$(SECONDS))
campaign: SECONDS = 1800
fuzzers: $(FUZZERS)
	@SEED=$(or $(SEED),$(GATE_SEED)) tests/run-fuzz $(SECONDS) $^
campaigners: $(FUZZERS)
	@HOLD="$(HOLD)" tests/fuzz/campaign $(SECONDS) $(FOLDER) $^
$B/fuzz/%: $B/tests/fuzz/%.o $$(call fakes,fuzz/$$*) $B/libpure.a
	$(call run,LD) $(CC) $(LDFLAGS) -fsanitize=fuzzer $^ $(LIBS) -o $@
# -- the simulation: the runtime in a world of one thread, with memory that can run out (tests/sim/memory.h)
SEEDS   ?= 6000
SIM     := $B/tests/sim/memory.o $(patsubst %.c,$B/sim/%.o,$(filter-out %_test.c %/memory.c,$(wildcard tests/sim/*.c)) $(wildcard tests/unit/sim_host*.c) core/broker_admission.c)
sim: $B/sim/seeds  ## random faults and crashes in a simulated world: SEEDS=n of them, SEED=x replays one
	@SEEDS=$(SEEDS) SEED=$(SEED) FIRST=$(FIRST) tests/within $$((600 + $(SEEDS) / 5)) sim $B/sim/seeds
sim-mutants: $B/sim/seeds  ## bugs planted in the runtime one at a time: the simulation catches each; T=word picks some
	@tests/need node:nodejs && B=$B CC="$(CC)" CFLAGS="$(CFLAGS)" CPPFLAGS="$(filter-out -M%,$(CPPFLAGS))" LDFLAGS="$(LDFLAGS)" LIBS="$(LIBS)" \
	OBJECTS="$(SIM)" SEEDS=3000 node tests/sim/mutants.js $(T)
memory: $B/sim/memory  ## memory runs out at each allocation in turn, in the runtime and in the store
	@tests/run-unit memory $<
$B/sim/memory: $B/tests/sim/memory.o $B/sim/tests/sim/memory_test.o $(filter $B/sim/tests/unit/%,$(SIM)) $B/sim/libpure.a
	$(call run,LD) $(CC) $(LDFLAGS) $^ $(LIBS) -lcmocka -o $@
$B/sim/seeds: $(SIM) $B/sim/libpure.a
	$(call run,LD) $(CC) $(LDFLAGS) $^ $(LIBS) -o $@
$B/sim/libpure.a: $B/libpure.a tests/sim/memory.syms
	$(call run,COPY) objcopy --redefine-syms=tests/sim/memory.syms $< $@
$B/sim/core/%.o: $B/core/%.o tests/sim/memory.syms
	$(call run,COPY) objcopy --redefine-syms=tests/sim/memory.syms $< $@
$B/sim/tests/%.o: $B/tests/%.o
	$(call run,COPY) objcopy --redefine-sym free=sim_release $< $@
$B/tests/sim/seeds.o: CPPFLAGS += -I$B/sim
$B/tests/sim/seeds.o: $B/sim/points.inc
$B/sim/points.inc: $(wildcard core/*.c tests/unit/sim_host*.c)
	$(call run,SED) sed -n 's/.*SK_\(STORE_\)*POINT([^"]*\("[a-z.]*"\).*/\2,/p' $^ | sort -u >$@
# load_*.c are parts of the load generator.
BENCHES := $(patsubst tests/bench/%.c,$B/bench/%,$(filter-out tests/bench/load_% %_plugin.c,$(wildcard tests/bench/*.c)))
$B/bench/fleet $B/bench/load: LIBS += -lssl
$B/bench/http_hello: LIBS += -lmicrohttpd
$B/bench/bare_sinks: LIBS += -lhiredis -lpq -lrdkafka -lcurl
$B/tests/bench/bare_sinks.o: CPPFLAGS += -I/usr/include/postgresql
$B/bench/load: $(patsubst %.c,$B/%.o,$(wildcard tests/bench/load_*.c))
$B/bench/%: $B/tests/bench/%.o $B/libpure.a
	$(call run,LD) $(CC) $(LDFLAGS) $^ $(LIBS) -o $@
$B/bench/noop.so: $B/tests/bench/noop_plugin.o
	$(call run,LD) $(CC) -shared $(LDFLAGS) $^ -o $@
bench: all $(BENCHES) $B/tests/drive $B/tests/kafka_mock $B/bench/noop.so $B/chaos/preload.so $(MODULES) $(if $T,$(if $(filter rules,$T),$(NODE_RED)),$(NODE_RED))  ## what it costs, as ratios of one run, in build/bench.md; T=word picks sections
	@tests/need valgrind:valgrind redis-server:redis-server /usr/lib/postgresql/15/bin/initdb:postgresql-15
	@SKEETER_BUILD=$(abspath $B) node tests/bench/run.js $(T)
bench-rules:  ## that section of it which is about rules, with Node-RED 4.1 beside them on the same broker
	@$(MAKE) --no-print-directory bench T=rules
bench-soak: all $(BENCHES) $(MODULES)  ## 20,000 shadow updates a second for MINUTES=n (10)
	@SKEETER_BUILD=$(abspath $B) MINUTES=$(MINUTES) node tests/bench/run.js soak
test-fresh:  ## the README's commands in a bare Debian 12
	@tests/need debootstrap:debootstrap
	@tests/fresh
.PHONY: test-brokers
test-brokers: all $(MODULES) $(TESTED)  ## the end-to-end tests with Mosquitto 2.0.21 and 2.1; T=word picks files
	@tests/brokers $(abspath $B) $(T)
test-existing:  ## docs/EXISTING-BROKER.md in a bare Debian 12 with its own Mosquitto
	@tests/need debootstrap:debootstrap
	@tests/existing
machines:
	@tests/sum test-fresh test-existing docker-test
docker-test: all $(MODULES)  ## the image with buildah, both compose files with podman-compose, docker/README.md followed; no registry is asked
	@tests/need debootstrap:debootstrap buildah:buildah podman:podman podman-compose:podman-compose crun:crun /usr/lib/podman/netavark:netavark /usr/lib/podman/aardvark-dns:aardvark-dns \
	 iptables:iptables ip:iproute2 uidmap /usr/bin/aws:awscli mosquitto_rr:mosquitto-clients curl:curl
	@B=$B tests/docker/run
$(MODULES) $(NODE_RED): %/node_modules/.package-lock.json: %/package-lock.json
	$(call run,NPM) npm ci --prefix $* --ignore-scripts --no-audit --no-fund --fetch-retries 5 --silent && touch $@
clean:  ## remove what was built
	rm -rf build
help:  ## print this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /  make \1\t/p' Makefile | expand -t18
.PHONY: all sinks test-store sim sim-mutants memory install uninstall run stop deps clean help test check test-deep test-deps lint unit docs docs-print e2e smoke clients kill chaos chaos-redis chaos-sinks gap demo asan tsan valgrind \
        bench bench-rules bench-soak fuzz campaign test-fresh test-existing machines docker-test sanitized fuzzers campaigners
.SECONDARY:
-include $(shell find $B -path $B/fresh -prune -o -path $B/brokers -prune -o -type f -name '*.d' -print 2>/dev/null)
