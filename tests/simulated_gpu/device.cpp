// What LibTorch asks of a kind of devices: which is current, where work is queued, memory.
#include <ATen/EmptyTensor.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>

#include "tests/comm/loopback/loopback.h"
#include "tests/comm/loopback/memory.h"
#include "tests/comm/loopback/streams.h"
#include "tests/simulated_gpu/simulated_gpu.h"

namespace sft::test::simulated {
namespace {

const nccl::DeviceTable& devices() { return loopback::table(); }

int current_device() {
  int device = 0;
  devices().device(&device);
  return device;
}

nccl::Stream stream_of(const c10::Stream& stream) { return devices().current_stream(stream.device_index()); }

struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return kType; }
  c10::Device getDevice() const override { return {kType, static_cast<c10::DeviceIndex>(current_device())}; }
  c10::Device exchangeDevice(c10::Device device) const override {
    const c10::Device before = getDevice();
    if (device != before) setDevice(device);
    return before;
  }
  void setDevice(c10::Device device) const override {
    TORCH_CHECK(devices().set_device(device.index()) == 0, "CUDA error: invalid device ordinal");
  }
  void uncheckedSetDevice(c10::Device device) const noexcept override { devices().return_to(device.index()); }
  c10::DeviceIndex deviceCount() const noexcept override { return loopback::kDevices; }

  // A device has one stream in which LibTorch computes.
  c10::Stream getStream(c10::Device device) const override { return c10::Stream(c10::Stream::DEFAULT, device); }
  c10::Stream getDefaultStream(c10::Device device) const override { return getStream(device); }
  c10::Stream exchangeStream(c10::Stream stream) const override { return stream; }
  bool queryStream(const c10::Stream&) const override { return false; }
  void synchronizeStream(const c10::Stream& stream) const override { wait(stream.device_index(), "a stream"); }
  void synchronizeDevice(c10::DeviceIndex device) const override { wait(device, "a device"); }

  // LibTorch says no device where an event was never recorded before.
  void record(void** event, const c10::Stream& stream, c10::DeviceIndex, c10::EventFlag) const override {
    const c10::Device before = exchangeDevice(stream.device());
    if (!*event) devices().make_event(reinterpret_cast<nccl::Event*>(event));
    devices().record(static_cast<nccl::Event>(*event), stream_of(stream));
    uncheckedSetDevice(before);
  }
  void block(void* event, const c10::Stream& stream) const override {
    devices().hold(stream_of(stream), static_cast<nccl::Event>(event));
  }
  bool queryEvent(void* event) const override {
    bool happened = false;
    devices().has_happened(static_cast<nccl::Event>(event), &happened);
    return happened;
  }
  void synchronizeEvent(void* event) const override {
    loopback::wait_for(*static_cast<const loopback::LoopbackEvent*>(event));
    refuse_after_a_fault();
  }
  void destroyEvent(void* event, c10::DeviceIndex) const noexcept override {
    if (event) devices().free_event(static_cast<nccl::Event>(event));
  }
};

// What is freed is freed when the work that is queued has used it; it is counted as freed at once, as LibTorch counts.
struct DeviceMemory final : c10::DeviceAllocator {
  c10::DataPtr allocate(size_t bytes) override {
    const int device = current_device();
    const c10::Device where(kType, static_cast<c10::DeviceIndex>(device));
    if (bytes == 0) return {nullptr, where};
    loopback::touch(device);
    void* const memory = loopback::allocate(bytes, device);
    {
      const std::lock_guard lock(mutex());
      sizes()[memory] = bytes;
      held(device).increase(bytes);
    }
    c10::reportMemoryUsageToProfiler(memory, static_cast<int64_t>(bytes), 0, 0, where);
    return {memory, memory, &free, where};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &free; }
  void copy_data(void*, const void*, size_t) const override { TORCH_CHECK(false, "device memory is copied by copy_"); }

  static void free(void* memory) {
    const int device = loopback::device_of_memory(memory);
    size_t bytes = 0;
    {
      const std::lock_guard lock(mutex());
      bytes = sizes().extract(memory).mapped();
      held(device).decrease(bytes);
    }
    c10::reportMemoryUsageToProfiler(memory, -static_cast<int64_t>(bytes), 0, 0,
                                     c10::Device(kType, static_cast<c10::DeviceIndex>(device)));
    loopback::default_stream(device).push([memory] { loopback::release(memory); });
  }

  bool initialized() override { return true; }
  void emptyCache(c10::MempoolId_t) override {}
  void recordStream(const c10::DataPtr&, c10::Stream) override {}
  c10::CachingDeviceAllocator::DeviceStats getDeviceStats(c10::DeviceIndex device) override {
    const std::lock_guard lock(mutex());
    c10::CachingDeviceAllocator::DeviceStats stats;
    stats.allocated_bytes[0] = held(device);
    return stats;
  }
  void resetAccumulatedStats(c10::DeviceIndex) override {}
  void resetPeakStats(c10::DeviceIndex device) override {
    const std::lock_guard lock(mutex());
    held(device).reset_peak();
  }

 private:
  static std::mutex& mutex() {
    static std::mutex made;
    return made;
  }
  static std::map<void*, size_t>& sizes() {
    static auto* const made = new std::map<void*, size_t>;
    return *made;
  }
  static c10::CachingAllocator::Stat& held(int device) {
    static auto* const all = new std::map<int, c10::CachingAllocator::Stat>;
    return (*all)[device];
  }
};

// Host memory that a device reads and writes while the host goes on.
struct PinnedMemory final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    void* const memory = std::aligned_alloc(64, (bytes / 64 + 1) * 64);
    const std::lock_guard lock(mutex());
    ends()[static_cast<std::byte*>(memory)] = static_cast<std::byte*>(memory) + bytes;
    return {memory, memory, &free, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &free; }
  void copy_data(void* to, const void* from, size_t bytes) const override { default_copy_data(to, from, bytes); }

  static bool holds(const void* place) {
    const std::lock_guard lock(mutex());
    const auto next = ends().upper_bound(static_cast<std::byte*>(const_cast<void*>(place)));
    return next != ends().begin() && place < std::prev(next)->second;
  }

 private:
  // LibTorch's keeps what a device still uses; here it is freed when all devices have come past this point.
  static void free(void* memory) {
    {
      const std::lock_guard lock(mutex());
      ends().erase(static_cast<std::byte*>(memory));
    }
    const auto shared = std::shared_ptr<void>(memory, std::free);
    for (const int device : loopback::touched_devices()) loopback::default_stream(device).push([shared] {});
  }
  static std::mutex& mutex() {
    static std::mutex made;
    return made;
  }
  static std::map<std::byte*, std::byte*>& ends() {
    static auto* const made = new std::map<std::byte*, std::byte*>;
    return *made;
  }
};

DeviceMemory memory;
PinnedMemory pinned_memory;

struct Hooks final : at::CUDAHooksInterface {
  explicit Hooks(at::CUDAHooksArgs) {}
  void init() const override {}
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasCUDA() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex device) const override {
    return loopback::touched_devices().contains(device);
  }
  c10::DeviceIndex deviceCount() const override { return loopback::kDevices; }
  c10::DeviceIndex current_device() const override {
    return static_cast<c10::DeviceIndex>(simulated::current_device());
  }
  c10::DeviceIndex getCurrentDevice() const override { return current_device(); }
  int getNumGPUs() const override { return loopback::kDevices; }
  bool isPinnedPtr(const void* place) const override { return PinnedMemory::holds(place); }
  c10::Allocator* getPinnedMemoryAllocator() const override { return &pinned_memory; }
  c10::Allocator* getCUDADeviceAllocator() const override { return &memory; }
  c10::Device getDeviceFromPtr(void* place) const override {
    return {kType, static_cast<c10::DeviceIndex>(loopback::device_of_memory(place))};
  }
};

const c10::impl::DeviceGuardImplRegistrar guard(kType, new Guard);
const c10::AllocatorRegisterer<kType> allocator(&memory);

}  // namespace

c10::Allocator& device_memory() { return memory; }

}  // namespace sft::test::simulated

namespace at {
using CUDAHooks = sft::test::simulated::Hooks;  // the name by which LibTorch asks
REGISTER_CUDA_HOOKS(CUDAHooks)
}  // namespace at
