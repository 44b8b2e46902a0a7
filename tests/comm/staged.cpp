#include "tests/comm/staged.h"

#include <dlfcn.h>

#include "base/errors.h"
#include "base/text.h"

namespace sft::test {
namespace {

// The few functions of the CUDA runtime that this needs, from the library that the plugin has loaded.
class Cuda {
 public:
  static Cuda& get() {
    static Cuda cuda;
    return cuda;
  }
  void set_device(int device) { call<int(int)>("cudaSetDevice", device); }
  void* allocate(size_t bytes) {
    void* memory = nullptr;
    call<int(void**, size_t)>("cudaMalloc", &memory, bytes);
    return memory;
  }
  void free(void* memory) { call<int(void*)>("cudaFree", memory); }
  void copy(void* to, const void* from, size_t bytes) {
    constexpr int kFromPointers = 4;  // cudaMemcpyDefault
    call<int(void*, const void*, size_t, int)>("cudaMemcpy", to, from, bytes, kFromPointers);
  }

 private:
  template <class Function, class... Arguments>
  void call(const char* name, Arguments... arguments) {
    auto* const function = reinterpret_cast<Function*>(dlsym(library_, name));
    if (!function) throw DeviceError(concat("the CUDA runtime has no ", name));
    if (const int result = function(arguments...)) throw DeviceError(concat(name, ": error ", result));
  }

  void* library_ = dlopen("libcudart.so.13", RTLD_NOW | RTLD_NOLOAD);
};

class OnDevice {
 public:
  explicit OnDevice(Buffer host) : host_(host), memory_(Cuda::get().allocate(host.bytes() + 1)) {
    Cuda::get().copy(memory_, host_.data, host_.bytes());
  }
  ~OnDevice() { Cuda::get().free(memory_); }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

  Buffer buffer() const { return {memory_, host_.count, host_.element}; }
  void bring_back() const { Cuda::get().copy(host_.data, memory_, host_.bytes()); }

 private:
  Buffer host_;
  void* memory_;
};

class StagedWork final : public Work {
 public:
  StagedWork(std::unique_ptr<OnDevice> values, std::unique_ptr<Work> inner)
      : values_(std::move(values)), inner_(std::move(inner)) {}
  void wait() override {
    inner_->wait();
    values_->bring_back();
  }

 private:
  std::unique_ptr<OnDevice> values_;
  std::unique_ptr<Work> inner_;
};

class Staged final : public Communicator {
 public:
  Staged(std::unique_ptr<Communicator> inner, int device) : inner_(std::move(inner)), device_(device) {
    Cuda::get().set_device(device);
  }

  int rank() const override { return inner_->rank(); }
  int size() const override { return inner_->size(); }
  std::string_view backend() const override { return inner_->backend(); }

  void all_reduce(Buffer values, Reduction how) override {
    const OnDevice there(values);
    inner_->all_reduce(there.buffer(), how);
    there.bring_back();
  }
  std::unique_ptr<Work> start_all_reduce(Buffer values) override {
    auto there = std::make_unique<OnDevice>(values);
    auto work = inner_->start_all_reduce(there->buffer());
    return std::make_unique<StagedWork>(std::move(there), std::move(work));
  }
  void reduce_scatter(Buffer values, Buffer shard) override {
    const OnDevice from(values);
    const OnDevice to(shard);
    inner_->reduce_scatter(from.buffer(), to.buffer());
    to.bring_back();
  }
  void all_gather(Buffer shard, Buffer values) override {
    const OnDevice from(shard);
    const OnDevice to(values);
    inner_->all_gather(from.buffer(), to.buffer());
    to.bring_back();
  }
  void broadcast(Buffer values, int root) override {
    const OnDevice there(values);
    inner_->broadcast(there.buffer(), root);
    there.bring_back();
  }
  void barrier() override { inner_->barrier(); }
  std::unique_ptr<Communicator> split(int color, int key) override {
    return staged(inner_->split(color, key), device_);
  }

 private:
  std::unique_ptr<Communicator> inner_;
  int device_;
};

}  // namespace

std::unique_ptr<Communicator> staged(std::unique_ptr<Communicator> inner, int device) {
  return std::make_unique<Staged>(std::move(inner), device);
}

}  // namespace sft::test
