#include "comm/agree.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <new>

#include "base/errors.h"
#include "base/file_error.h"
#include "base/text.h"

namespace sft {
namespace {

template <class T>
T reduced(Communicator& world, T value, Reduction how) {
  world.all_reduce(Buffer::of(value), how);
  return value;
}

Buffer bytes(std::string& text) { return {text.data(), static_cast<int64_t>(text.size()), Element::u8}; }

struct Failure {
  ExitCode code = ExitCode::done;
  std::string message;
};

Failure failure_of(const std::function<void()>& body) {
  try {
    body();
    return {};
  } catch (const Error& error) {
    return {error.code(), error.what()};
  } catch (const std::filesystem::filesystem_error& error) {
    return {told(error).code(), told(error).what()};
  } catch (const std::bad_alloc&) {
    return {ExitCode::out_of_memory, "out of memory"};
  } catch (const std::exception& error) {
    return {ExitCode::internal, error.what()};
  } catch (...) {
    return {ExitCode::internal, "an exception of unknown type"};
  }
}

}  // namespace

double sum(Communicator& world, double value) { return reduced(world, value, Reduction::sum); }
int64_t sum(Communicator& world, int64_t value) { return reduced(world, value, Reduction::sum); }
int64_t max(Communicator& world, int64_t value) { return reduced(world, value, Reduction::max); }
int64_t min(Communicator& world, int64_t value) { return reduced(world, value, Reduction::min); }

std::vector<std::string> gather_all(Communicator& world, const std::string& mine) {
  const auto ranks = static_cast<size_t>(world.size());
  auto length = static_cast<int64_t>(mine.size());
  std::vector<int64_t> lengths(ranks);
  world.all_gather(Buffer::of(length), Buffer::of(std::span(lengths)));

  const auto longest = static_cast<size_t>(std::ranges::max(lengths));
  std::string shard = mine;
  shard.resize(longest);
  std::string all(longest * ranks, '\0');
  world.all_gather(bytes(shard), bytes(all));

  std::vector<std::string> texts;
  for (size_t rank = 0; rank < ranks; ++rank)
    texts.push_back(all.substr(rank * longest, static_cast<size_t>(lengths[rank])));
  return texts;
}

std::string broadcast_from(Communicator& world, const std::string& text, int root) {
  auto length = static_cast<int64_t>(text.size());
  world.broadcast(Buffer::of(length), root);
  std::string received = text;
  received.resize(static_cast<size_t>(length));
  world.broadcast(bytes(received), root);
  return received;
}

void together(Communicator& world, const std::function<void()>& body) {
  const Failure mine = failure_of(body);
  constexpr int64_t kCodes = 256, kNobody = std::numeric_limits<int64_t>::max();
  const bool failed = mine.code != ExitCode::done;
  const int64_t first = min(world, failed ? world.rank() * kCodes + static_cast<int64_t>(mine.code) : kNobody);
  if (first == kNobody) return;
  const bool all_failed = sum(world, int64_t{failed}) == world.size();
  const auto guilty = static_cast<int>(first / kCodes);
  const std::string message = broadcast_from(world, mine.message, guilty);
  throw Error(static_cast<ExitCode>(first % kCodes), all_failed ? message : concat("rank ", guilty, ": ", message),
              Reach::everywhere);
}

}  // namespace sft
