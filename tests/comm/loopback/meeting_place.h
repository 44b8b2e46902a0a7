// Memory that the ranks of a link share, be they threads or processes of one host. It has no name in any file system.
#pragma once

#include <pthread.h>

#include <array>
#include <cstdint>
#include <functional>

#include "comm/communicator.h"
#include "comm/nccl/device_table.h"
#include "tests/comm/loopback/loopback.h"

namespace sft::test::loopback {

inline constexpr int kMostRanks = kDevices;
inline constexpr size_t kSlotBytes = 256 << 10;

// What a rank calls; all that belong together are alike.
struct Call {
  enum class Kind : uint8_t { all_reduce, reduce_scatter, all_gather, broadcast };
  Kind kind = Kind::all_reduce;
  Element element = Element::u8;
  Reduction how = Reduction::sum;
  int root = 0;
  int64_t count = 0;
  bool operator==(const Call&) const = default;
};

class MeetingPlace {
 public:
  // All that lies in shared memory; zeros are its beginning.
  struct Barrier {
    int arrived = 0;
    uint64_t generation = 0;
  };
  struct Split {
    int color, key;
    nccl::Address address;  // of the part, from its first rank
  };
  struct Shared {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    Barrier of_hosts, of_streams;
    std::array<Split, kMostRanks> splits;
    std::array<Call, kMostRanks> calls;
    std::array<std::array<std::byte, kSlotBytes>, kMostRanks> slots;
  };

  // Makes one, which stays open in this process until close_made(address).
  static nccl::Address make();
  static void close_made(const nccl::Address& address);

  explicit MeetingPlace(const nccl::Address& address);
  ~MeetingPlace();
  MeetingPlace(const MeetingPlace&) = delete;
  MeetingPlace& operator=(const MeetingPlace&) = delete;

  Shared& shared() { return *shared_; }

  // The caller has come to the barrier of `size` ranks; gives what to ask and wait for. `gives_up` ends a wait, once
  // stir() has been called.
  uint64_t arrive(Barrier& barrier, int size);
  bool has_passed(const Barrier& barrier, uint64_t generation);
  void wait(const Barrier& barrier, uint64_t generation, const std::function<bool()>& gives_up);
  void stir();

 private:
  Shared* shared_ = nullptr;
};

}  // namespace sft::test::loopback
