# The commands of README.md. Everything that is built lands in build*/, everything fetched in .deps/ and demo/.
JOBS ?= $(shell nproc)
export SFT_DEPS ?= $(CURDIR)/.deps
PYTHON := $(SFT_DEPS)/venv/bin/python
CONFIGURE := cmake -G Ninja -DSFT_DEPS=$(SFT_DEPS)
PREFIX ?= /usr/local

.PHONY: all build gpu gpu-check test test-slurm test-faults test-keras-2 soak signals fuzz fuzz-short verify mutations systems bench bench-rates quickstart chat chat-demo install check-floors dev tsan clang clean dist bare-machine

all: build

build:
	@tools/setup.sh build
	@[ -f build/build.ninja ] || $(CONFIGURE) -B build -DCMAKE_BUILD_TYPE=Release > /dev/null
	@cmake --build build -j $(JOBS) --target sft-dist

# The same with the plugin for GPUs, and the CUDA libraries that it needs (2.8 GB more); no CUDA toolkit is asked for.
gpu:
	@tools/setup.sh gpu
	@$(CONFIGURE) -B build -DCMAKE_BUILD_TYPE=Release > /dev/null
	@cmake --build build -j $(JOBS) --target sft-dist

# What GPUs are promised to do, tried on those that are here: a table, and build/gpu_check/gpu_check.json, in ten minutes at most. Once
# this is built, it needs neither a network nor Python.
gpu-check: gpu
	@cmake --build build -j $(JOBS) --target test_comm comm_faults test_device
	@tools/gpu_check/run.sh --program build/sft-dist --tests build/tests --output build/gpu_check

# Installs, builds and runs every test; ends with CTest's closing lines.
test:
	@tools/setup.sh test
	@$(CONFIGURE) -B build -DCMAKE_BUILD_TYPE=Release > /dev/null
	@cmake --build build -j $(JOBS)
	@$(PYTHON) tools/check_floors.py .
	@$(PYTHON) tests/mutations/all_apply.py
	@ctest --test-dir build --output-on-failure -j $(JOBS)

# The batch templates on a real SLURM of two virtual nodes, brought up here and taken down again; as root.
test-slurm: build
	@tools/setup.sh slurm
	@SFT_DIST=$(CURDIR)/build/sft-dist HF_HUB_OFFLINE=1 $(PYTHON) tests/slurm/run.py

# Files of Keras 2.15, and our exports in its hands. TensorFlow (1.2 GB) is put into an environment of its own.
test-keras-2: build
	@cmake --build build -j $(JOBS) --target parity_keras > /dev/null
	@[ -x $(SFT_DEPS)/venv-keras-2/bin/python ] || python3 -m venv $(SFT_DEPS)/venv-keras-2
	@$(SFT_DEPS)/venv-keras-2/bin/python -m pip install --quiet --disable-pip-version-check tensorflow-cpu==2.15.1
	@$(PYTHON) tools/fetch_keras_demo.py
	@$(SFT_DEPS)/venv-keras-2/bin/python tests/keras_2/run.py build/tests/parity/parity_keras demo/models/emotion_model.hdf5

# Processes that end and disks that lose power, at every moment: half an hour. Power cuts want root. A short form is among the tests.
test-faults: build
	@tools/setup.sh test
	@cmake --build build -j $(JOBS) --target faults_checkpoints faults_kill_at > /dev/null
	@$(PYTHON) tests/faults/run.py --program build/sft-dist --checkpoints build/tests/faults/faults_checkpoints --kill-at build/tests/faults/libfaults_kill_at.so

# A run that meets a fault a minute and is started again by tools/restart.sh, for MINUTES at least; full disks want root.
MINUTES ?= 30
soak: build
	@tools/setup.sh test
	@$(PYTHON) tests/soak/run.py --program build/sft-dist --minutes $(MINUTES)

# predict and evaluate on 2 ranks under the address sanitizer, sent signals at random moments, STARTS times.
STARTS ?= 200
signals:
	@tools/setup.sh test
	@cmake --preset dev -DSFT_DEPS=$(SFT_DEPS) > /dev/null
	@cmake --build build-dev -j $(JOBS) --target sft-dist
	@ASAN_OPTIONS=detect_leaks=0 $(PYTHON) tests/faults/run.py --only signals --program build-dev/sft-dist --starts $(STARTS) --seed $$(date +%s)

# libFuzzer on what reads files of others, of rows, images, models and configs: each target for a minute, or for an hour.
fuzz-short: FUZZ_SECONDS := 60
fuzz: FUZZ_SECONDS := 3600
fuzz fuzz-short:
	@tools/setup.sh clang
	@cmake --preset fuzz -DSFT_DEPS=$(SFT_DEPS) > /dev/null
	@cmake --build build-fuzz -j $(JOBS) --target fuzz
	@$(PYTHON) tests/fuzz/run.py build-fuzz $(FUZZ_SECONDS)

# The guarantees of docs/numerics.md as one table: guarantee, task, model, worst deviation, tolerance.
verify:
	@tools/setup.sh test
	@$(CONFIGURE) -B build -DCMAKE_BUILD_TYPE=Release > /dev/null
	@cmake --build build -j $(JOBS)
	@$(PYTHON) tools/verify.py build

# Small wrong edits in a copy of the code, and which test sees each.
mutations:
	@tools/setup.sh test
	@$(PYTHON) tests/mutations/run.py

# Every system that configs/ has one of, small, on 2 ranks, beside its peer and a linear model: most of an hour.
systems: bench-systems

# Speed beside the peers, a transcript a script; on a quiet machine, where alone its figures mean anything. What takes longer
# has its own target: bench-fine_tune_full, bench-page_faults, bench-deterministic, bench-systems, bench-chat, bench-generate; bench-overlap
# wants four cores, bench-head_memory 12 GB of memory, bench-update_profile perf, which is not installed from here.
BENCHES := start_up fine_tune frozen_trunk scaling all_reduce prepare predict
bench: $(addprefix bench-,$(BENCHES)) bench-rates
bench-%: build
	@tools/setup.sh test
	@cmake --build build -j $(JOBS) --target all_reduce_bench > /dev/null
	@[ -d demo/data ] || $(PYTHON) tools/fetch_demo.py
	@bash -o pipefail -c '$(PYTHON) benchmarks/$*.py | tee build/bench-$*.txt' && mv build/bench-$*.txt benchmarks/$*.txt
bench-chat bench-generate bench-head_memory: chat-demo
chat-demo: build
	@tools/setup.sh test
	@$(PYTHON) tools/fetch_smollm2.py
	@$(PYTHON) tools/fetch_chat_demo.py
bench-rates: build
	@cmake --build build -j $(JOBS) --target dropout_rate loader_rate > /dev/null
	@bash -o pipefail -c 'build/trainer/dropout_rate | tee build/bench-dropout_rate.txt' && mv build/bench-dropout_rate.txt benchmarks/dropout_rate.txt
	@bash -o pipefail -c 'build/data/loader_rate build | tee build/bench-loader_rate.txt' && mv build/bench-loader_rate.txt benchmarks/loader_rate.txt

# From nothing to a fine-tuned model on real text, on two ranks.
quickstart: build
	@tools/quickstart.sh

chat: build
	@tools/chat.sh

# A tree that stands alone: moved elsewhere, with the checkout gone, it trains.
install: build
	@tools/setup.sh install
	cmake --install build --prefix "$(PREFIX)"

# The same as a tarball, a .deb and a wheel, in build/dist.
dist: build
	@tools/setup.sh dist
	@$(CONFIGURE) -B build > /dev/null
	@cmake --build build -j $(JOBS) --target sft-dist
	@rm -rf build/dist
	umask 022; cmake --install build --prefix build/dist/tree > /dev/null
	@python3 tools/package/dist.py build/dist/tree build/dist

# Each package on a bare Debian 12, and on Ubuntu 22.04 where its keyring is (KEYRING=FILE), with nothing of the checkout: install, train,
# predict. As root, with debootstrap and a network (2.5 GB for torch's wheel); ALSO="FILE…" are files without which mirrors are not reached.
KEYRING ?= /usr/share/keyrings/ubuntu-archive-keyring.gpg
bare-machine: dist
	@$(PYTHON) tools/fetch_demo.py
	@bash -o pipefail -c 'python3 tests/bare_machine/run.py build/sft-dist build/dist demo/models/minilm demo/data/short_train.jsonl --keyring $(KEYRING) --also $(ALSO) | tee build/bare_machine.txt' && mv build/bare_machine.txt docs/bare_machine.txt

check-floors:
	@python3 tools/check_floors.py .

# The same tests under the address and undefined-behaviour sanitizers, and torch-free ones under the thread sanitizer, which does
# not see how the threads of the tokenizers crate agree: they stay off. Leaks are looked for where no OpenMPI is loaded, whose modules
# are unloaded with what they hold. The address sanitizer keeps what is freed: a test of constant memory says nothing under it.
UNDER_MPI := [Ff]aults|comm_mpi|end_to_end
dev tsan clang:
	@tools/setup.sh $(if $(filter clang,$@),clang,test)
	cmake --preset $@ -DSFT_DEPS=$(SFT_DEPS)
	cmake --build build-$@ -j $(JOBS)
	$(if $(filter dev,$@),ASAN_OPTIONS=detect_leaks=0 ctest --test-dir build-dev --output-on-failure -j $(JOBS) -R "$(UNDER_MPI)" -E test_memory)
	$(if $(filter tsan,$@),TOKENIZERS_PARALLELISM=false) TSAN_OPTIONS=suppressions=$(CURDIR)/tests/sanitizers/tsan.supp LSAN_OPTIONS=suppressions=$(CURDIR)/tests/sanitizers/lsan.supp \
	ctest --test-dir build-$@ --output-on-failure -j $(JOBS) $(if $(filter dev,$@),-E "MemoryDoesNotGrow|$(UNDER_MPI)")

clean:
	rm -rf build build-*
