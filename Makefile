# Everything goes through scripts/mvn.sh, which finds a JDK 21+ by itself: no variable has to be exported.

# The first target is the default.
.PHONY: help demo demo-failover run test test-jdk21 bench package build format clean
.DELETE_ON_ERROR:

MVN := scripts/mvn.sh -B -ntp -Dstyle.color=never
DEFAULT_CONFIG := config-examples/quickstart.yml
CONFIG ?= $(DEFAULT_CONFIG)
# Words for the benchmark runner: a pattern of benchmark names, JMH options.
BENCH ?=

SOURCES := $(shell find engine/src admin-api/src app/src perf/src -type f -not -path '*/src/test/*') \
	pom.xml engine/pom.xml admin-api/pom.xml app/pom.xml perf/pom.xml
# perf is the last module: what it leaves is there only when all others are.
BUILT := perf/target/built

help:
	@echo 'make demo        replicate 20 busy databases to an S3 server for 15 s, restore and compare them:'
	@echo '                 PASS or FAIL (REPLICA=file: to a directory)'
	@echo 'make demo-failover   lose a host, restore its fleet from S3 with one command, go on: PASS or FAIL'
	@echo 'make run         start the server until Ctrl-C (CONFIG=$(CONFIG))'
	@echo 'make test        all tests of all modules (needs python3 and sqlite3; with'
	@echo '                 chromium and prometheus also those of the page and the dashboard)'
	@echo 'make test-jdk21  the engine'"'"'s tests and a smoke run of the launcher on a Java 21 runtime'
	@echo 'make bench       micro-benchmarks (BENCH=words for JMH); with FLEET=100000 HOT=1000: what a fleet costs'
	@echo 'make package     target/loomstream-VERSION.tar.gz, with a class cache for fast starts'
	@echo 'make build       jars only, when sources are newer; bin/loomstream then runs from here'
	@echo 'make format      apply the source format that the build checks'
	@echo 'make clean       remove everything built'

demo: build
	@scripts/perf-java.sh io.loomstream.perf.demo.Demo

demo-failover: build
	@scripts/perf-java.sh io.loomstream.perf.demo.FailoverDemo

run: build
	@scripts/run.sh '$(CONFIG)' '$(DEFAULT_CONFIG)'

test:
	@scripts/need-tools.sh python3 sqlite3
	$(MVN) verify

test-jdk21: build
	@scripts/test-jdk21.sh

# With FLEET a whole fleet is measured; its other variables: see FleetBench.
bench: build
ifdef FLEET
	@FLEET='$(FLEET)' HOT='$(HOT)' HABIT='$(HABIT)' EVERY='$(EVERY)' REPLICA='$(REPLICA)' MINUTES='$(MINUTES)' \
		SEED='$(SEED)' IDLE='$(IDLE)' REUSE='$(REUSE)' DIR='$(DIR)' scripts/perf-java.sh io.loomstream.perf.fleet.FleetBench
else
	@scripts/perf-java.sh io.loomstream.perf.jmh.Benchmarks $(BENCH)
endif

package: build
	@scripts/package.sh

build: $(BUILT)

# Not -q: it hides the compiler's warnings, which are errors here.
# -DskipTests, not -Dmaven.test.skip: modules depend on the engine's test-jar.
$(BUILT): $(SOURCES)
	@echo 'building'
	@mkdir -p target
	@$(MVN) -DskipTests package >target/build.log 2>&1 || { cat target/build.log; exit 1; }
	@touch $@

format:
	$(MVN) -q spotless:apply

clean:
	$(MVN) -q clean
	rm -rf target demo-data failover-data run-data fleet-data
