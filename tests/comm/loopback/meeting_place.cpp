#include "tests/comm/loopback/meeting_place.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/errors.h"
#include "base/text.h"

namespace sft::test::loopback {
namespace {

class Lock {
 public:
  explicit Lock(MeetingPlace::Shared& shared) : shared_(shared) { pthread_mutex_lock(&shared_.mutex); }
  ~Lock() { pthread_mutex_unlock(&shared_.mutex); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  MeetingPlace::Shared& shared_;
};

MeetingPlace::Shared* map(int descriptor) {
  void* const memory = mmap(nullptr, sizeof(MeetingPlace::Shared), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (memory == MAP_FAILED) throw DeviceError(concat("a loopback link: mmap: ", std::strerror(errno)));
  return static_cast<MeetingPlace::Shared*>(memory);
}

void start(MeetingPlace::Shared& shared) {
  pthread_mutexattr_t of_mutex;
  pthread_mutexattr_init(&of_mutex);
  pthread_mutexattr_setpshared(&of_mutex, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init(&shared.mutex, &of_mutex);
  pthread_mutexattr_destroy(&of_mutex);
  pthread_condattr_t of_condition;
  pthread_condattr_init(&of_condition);
  pthread_condattr_setpshared(&of_condition, PTHREAD_PROCESS_SHARED);
  pthread_cond_init(&shared.changed, &of_condition);
  pthread_condattr_destroy(&of_condition);
}

}  // namespace

nccl::Address MeetingPlace::make() {
  const int descriptor = memfd_create("loopback link", MFD_CLOEXEC);
  if (descriptor < 0 || ftruncate(descriptor, sizeof(Shared)) != 0)
    throw DeviceError(concat("a loopback link: memfd_create: ", std::strerror(errno)));
  Shared* const shared = map(descriptor);
  start(*shared);
  munmap(shared, sizeof(Shared));
  nccl::Address address{};
  std::snprintf(address.data(), address.size(), "/proc/%d/fd/%d", getpid(), descriptor);
  return address;
}

void MeetingPlace::close_made(const nccl::Address& address) {
  ::close(std::atoi(std::strrchr(address.data(), '/') + 1));
}

MeetingPlace::MeetingPlace(const nccl::Address& address) {
  const int descriptor = ::open(address.data(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) throw DeviceError(concat("a loopback link: open ", address.data(), ": ", std::strerror(errno)));
  shared_ = map(descriptor);
  ::close(descriptor);
}

MeetingPlace::~MeetingPlace() { munmap(shared_, sizeof(Shared)); }

uint64_t MeetingPlace::arrive(Barrier& barrier, int size) {
  const Lock lock(*shared_);
  const uint64_t generation = barrier.generation;
  if (++barrier.arrived == size) {
    barrier.arrived = 0;
    ++barrier.generation;
    pthread_cond_broadcast(&shared_->changed);
  }
  return generation;
}

bool MeetingPlace::has_passed(const Barrier& barrier, uint64_t generation) {
  const Lock lock(*shared_);
  return barrier.generation != generation;
}

void MeetingPlace::wait(const Barrier& barrier, uint64_t generation, const std::function<bool()>& gives_up) {
  const Lock lock(*shared_);
  while (barrier.generation == generation && !gives_up()) pthread_cond_wait(&shared_->changed, &shared_->mutex);
}

void MeetingPlace::stir() {
  const Lock lock(*shared_);
  pthread_cond_broadcast(&shared_->changed);
}

}  // namespace sft::test::loopback
