# Every target does its own set-up. `make demo` shows the agent at work, `make test` proves it.

PYTHON := .venv/bin/python
# Debian's own interpreter: another Python may come first in PATH, and would not see Debian's libraries.
SYSTEM_PYTHON := /usr/bin/python3
APT_PACKAGES := python3 python3-venv python3-tpm2-pytss python3-tomlkit python3-sdnotify python3-pyudev \
	python3-cryptography python3-structlog python3-gi gir1.2-umockdev-1.0 umockdev swtpm swtpm-tools \
	curl tpm2-tools libtss2-tcti-device0 libtss2-tcti-swtpm0
NEWEST_PACKAGES := $(APT_PACKAGES) gcc libc6-dev python3-dev pkg-config libtss2-dev
BUILD_PACKAGES := debhelper dh-python dpkg-dev
VM_PACKAGES := $(BUILD_PACKAGES) mmdebstrap debian-archive-keyring busybox-static cpio e2fsprogs kmod xz-utils \
	openssh-client qemu-system-x86 qemu-utils swtpm systemd-container util-linux
ARCH_PACKAGES := $(BUILD_PACKAGES) mmdebstrap debian-archive-keyring qemu-user-static arch-test swtpm
# pytest and what the tests need besides: of the tree's own distribution, for its own Python.
ARCH_TOOLS := procps python3-pytest python3-pytest-timeout python3-hypothesis
DEPENDENCIES = $(shell sed -n '/^Depends:/,/\$$/p' packaging/debian/control | grep -o 'python3[-a-z0-9]*')
SUITES ?= bookworm trixie
SUITE ?= bookworm
# Suites and, where it is not this machine's own, the architecture. Also: trixie:arm64, trixie:armhf, bookworm:i386.
WHERE ?= bookworm:arm64 bookworm:armhf sid
# The slow cases come last and wait a lot: one worker more than there are processors, and who is done helps the others.
WORKERS := -n 3 --dist worksteal
# On machines the cases come in an order of their own, the longest first, and are given out one by one.
VM_WORKERS := -n 3 --maxschedchunk 1 -p no:randomly
# Of alike cases that are slow a run plays a sample, as HEAD's hash says. "all" plays all; another commit's hash, that one's.
SAMPLE ?=
POWER_CUTS ?= $(SAMPLE)
FAULTS ?= $(SAMPLE)
TESTS ?= tests/unit tests/contract tests/scenario tests/crash

.PHONY: help
help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

.PHONY: demo
demo: dev ## watch a device go from an empty TPM to provisioned, and through two mishaps
	@PYTHONPATH=. $(PYTHON) -m tests.demo

.PHONY: dev
dev: .venv/complete ## the environment in .venv, with the command as .venv/bin/edge-provisioner

.venv/complete: Makefile tests/requirements.txt tests/setup.sh
	@tests/setup.sh packages $(APT_PACKAGES)
	@tests/setup.sh environment $(SYSTEM_PYTHON) .venv
	@touch $@

.PHONY: test
test: dev ## all tests on Debian's package versions, but for those that need a package or a machine; SAMPLE=all
	@EDGE_PROVISIONER_SAMPLE=$(SAMPLE) $(PYTHON) -m pytest $(WORKERS) $(TESTS)

.PHONY: test-newest
test-newest: ## the same tests on the newest libraries from PyPI
	@tests/setup.sh packages $(NEWEST_PACKAGES)
	@tests/setup.sh newest $(SYSTEM_PYTHON) .venv-newest
	@EDGE_PROVISIONER_LIBRARIES=newest EDGE_PROVISIONER_SAMPLE=$(SAMPLE) .venv-newest/bin/python -m pytest $(WORKERS) $(TESTS)

.PHONY: deb
deb: ## the package, in build/
	@tests/setup.sh packages $(BUILD_PACKAGES)
	@packaging/build.sh build

.PHONY: test-package
test-package: dev ## the package built twice, judged by lintian and systemd, installed, removed, purged; needs root
	@tests/setup.sh packages $(BUILD_PACKAGES) mmdebstrap man-db zsh fish
	@for suite in $(SUITES); do \
		tests/package/debian.sh $$suite build/chroot-$$suite systemd lintian $(DEPENDENCIES) || exit; done
	@EDGE_PROVISIONER_SUITES="$(SUITES)" $(PYTHON) -m pytest -n 2 tests/package

.PHONY: judge-package
judge-package: deb ## the package before piuparts and autopkgtest; needs root, takes minutes
	@tests/setup.sh packages mmdebstrap piuparts autopkgtest
	@tests/package/judges.sh build/edge-provisioner_*_all.deb $(SUITES)

.PHONY: test-arch
test-arch: dev ## the package on arm64 and armhf, emulated, and on Debian sid (WHERE=bookworm:armhf: one); needs root
	@tests/setup.sh packages $(ARCH_PACKAGES)
	@tests/arch/emulation.sh
	@for where in $(WHERE); do \
		tests/package/debian.sh $$where build/arch/$$(echo $$where | tr : -) $(ARCH_TOOLS) || exit; done
	@EDGE_PROVISIONER_WHERE="$(WHERE)" $(PYTHON) -m pytest -p no:randomly --timeout=7200 --durations=0 -v -s tests/arch

.PHONY: test-vm
test-vm: build/vm/$(SUITE)/complete ## the package on booted machines with a TPM, in qemu: SUITE=trixie, POWER_CUTS=all; needs root
	@EDGE_PROVISIONER_SUITE=$(SUITE) EDGE_PROVISIONER_SAMPLE=$(POWER_CUTS) \
		$(PYTHON) -m pytest $(VM_WORKERS) --timeout=1800 --durations=0 -v tests/vm --ignore tests/vm/test_told.py

.PHONY: test-told
test-told: build/vm/$(SUITE)/complete ## after how many seconds each fault is told on a booted machine: FAULTS=all; needs root
	@EDGE_PROVISIONER_SUITE=$(SUITE) EDGE_PROVISIONER_SAMPLE=$(FAULTS) \
		$(PYTHON) -m pytest $(VM_WORKERS) --timeout=1800 --durations=0 -v tests/vm/test_told.py

.PHONY: test-light
test-light: $(SUITES:%=build/vm/%/complete) ## the package under dpkg and systemd in containers, no TPM; needs root
	@for suite in $(SUITES); do EDGE_PROVISIONER_SUITE=$$suite \
		$(PYTHON) -m pytest -n 2 --durations=0 -v tests/vm/test_light_*.py || exit; done

.PHONY: vm
vm: build/vm/$(SUITE)/complete ## a provisioned machine to look around in; says how to log in
	@PYTHONPATH=. $(PYTHON) -m tests.vm.play start $(SUITE)

.PHONY: vm-stop
vm-stop: ## end that machine
	@PYTHONPATH=. $(SYSTEM_PYTHON) -m tests.vm.play stop

.PHONY: vm-packages
vm-packages:
	@tests/setup.sh packages $(VM_PACKAGES)

build/vm/%/complete: tests/package/debian.sh $(shell find tests/vm/image -type f) | dev vm-packages
	@tests/vm/image/build.sh $* build/vm/$*

.PHONY: lint
lint: dev ## ruff and mypy
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy

.PHONY: house
house: dev ## the rooms of agent/: size, how much is pure, and who imports whom
	@PYTHONPATH=. $(PYTHON) -m tests.house

.PHONY: coverage
coverage: dev ## the tests again, with branch coverage of agent/: 95 % of all, 100 % of what is pure
	@tests/coverage.sh $(PYTHON) $(TESTS)

.PHONY: bench
bench: dev ## time, memory, TPM commands, passes; BASE=commit has that commit's beside them
	@PYTHONPATH=. $(PYTHON) -m tests.bench

.PHONY: docs
docs: dev ## the pages that are generated from the tables of settings and codes
	@PYTHONPATH=. $(PYTHON) docs/generate.py

.PHONY: clean
clean: ## everything that make made
	rm -rf build .venv .venv-newest .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
