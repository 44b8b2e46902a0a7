// The bytes that a rank holds, part by part, by the strategy of [parallel].
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sft::planning {

inline constexpr std::array<std::string_view, 4> kStrategies{"replicated", "zero1", "zero2", "zero3"};

// Of one run, in bytes, the same with any strategy and any number of ranks; activations are of this number of ranks.
struct Weighed {
  int64_t trained = 0;          // P: trained parameters in their arena, padding included
  int64_t element = 4;          // of one trained value
  int64_t others = 0;           // frozen parameters and buffers
  int64_t copies = 0;           // of weights in the type of the products; what else the first update leaves
  double moments = 2;           // buffers of P that the optimizer keeps: Adam 2, SGD with momentum 1, without 0
  int64_t activations = 0;      // at their peak, in the largest micro-batch
  int64_t tokens = 0;           // of that micro-batch; samples, where these have no length
  int64_t bucket = 0;           // comm.bucket_bytes
  int64_t largest_trained = 0;  // parameter
  int64_t largest_stage = 0;    // trained parameters of one stage
  int64_t program = 0;          // the process before the run is built: libraries, threads, MPI
  int64_t kept = 0;             // beside all that: pages of files that were read, what libraries and the allocator keep
  bool overlaps = false;        // buckets leave during the backward pass
  bool on_device = false;       // a checkpoint is copied to the host first
};

struct Memory {
  int64_t weights = 0, copies = 0, gradients = 0, moments = 0, activations = 0, buckets = 0, program = 0;
  int64_t kept = 0;
  int64_t whole = 0;        // in an evaluation or a save of zero3, which gathers all weights; with the others 0
  int64_t start = 0;        // while the arena is filled: the weights twice, and all gradients
  int64_t host_copies = 0;  // of a checkpoint, in the memory of the host, beside all that

  int64_t in_update() const { return weights + copies + gradients + moments + activations + buckets + program; }
  int64_t peak() const { return std::max({in_update(), start, whole}) + kept; }
};

// Of the rank that holds most. A strategy of ZeRO (Rajbhandari et al. 2020) shares out what is divisible by ranks and
// rows of the norm; the rest, below ranks · 1024 values, is one rank's. With gradients in buckets (zero2), those are
// three of `bucket` and what is largest where they leave during the backward pass, else all of them in place of
// activations, which fall while they grow. With weights that come and go (zero3) there is beside a rank's own part the
// largest stage, twice where the next one is gathered meanwhile; its gradients, three of `bucket` and what is largest.
Memory plan_memory(const Weighed& run, std::string_view strategy, int ranks);

// The bytes that a process of one such rank had resident at its peak, less what plan_memory counts.
int64_t kept_of(const Weighed& run, std::string_view strategy, int ranks, int64_t resident);

// What is asked for, and what the config says already.
struct Room {
  int64_t bytes = 0;  // that a rank may have; 0: not known
  int ranks = 1;
  std::string strategy = "replicated";
  bool may_spread_weights = false;  // zero3 is built for this model and config
  bool recomputes = false;  // train.gradient_checkpointing
  bool is_frozen = false;   // [lora] is used
};

// Keys to change so that the run fits, the one that costs least first; empty where it fits, or the room is not known.
std::vector<std::string> ways_to_fit(const Weighed& run, const Room& room);

}  // namespace sft::planning
