// Losses and metrics of your own for sft-dist: a shared object, named in the config as plugins = ["./libmine.so"].
// C++17, nothing beside this file; docs/plugins.md has an example. Made with g++ or clang on libstdc++:
//   c++ -std=c++17 -O2 -shared -fPIC -I PREFIX/include mine.cpp -o libmine.so
#pragma once

#include <cstdint>

namespace sft::plugin {

// Of what stands in this file. A program takes plugins of its own version alone.
constexpr uint32_t kAbiVersion = 1;

// What the model says of one row, and what is true of it. A row is a text or an image, and of tags of words a word that
// has a tag. Rows without a target are left out.
struct Row {
  int64_t num_outputs;    // K: labels, or numbers to predict
  const double* logits;   // [K], before any softmax or sigmoid; of numbers to predict, the numbers
  int64_t label;          // of one label a row or word: 0 … K−1; else −1
  const double* targets;  // [K], of sets of labels 1 or 0, of numbers to predict the numbers; else null
};

// The mean over rows, weighted as the config says, is what trains. Objects are called by one thread at a time, and live
// as long as the program does.
class Loss {
 public:
  // The loss of this row, and dloss/dlogits in gradient[K], every element written. Only the row may count: what is
  // returned is the same whenever and on whichever rank it is asked for. May throw, which ends the run on all ranks.
  virtual double value(const Row& row, double* gradient) const = 0;

 protected:
  ~Loss() = default;
};

// A number that follows from sums over the rows of an evaluation. Rows lie on all ranks; each adds up its own, the sums
// are added up once, and then the value is taken, so that it does not depend on who saw which row.
class Metric {
 public:
  virtual int64_t num_sums(int64_t num_outputs) const = 0;
  // Adds to sums[num_sums], which stay finite where the logits are.
  virtual void add(const Row& row, double* sums) const = 0;
  // Of the sums of all rows; NaN where it is not defined.
  virtual double value(const double* sums, int64_t num_outputs) const = 0;
  virtual bool more_is_better() const = 0;

 protected:
  ~Metric() = default;
};

// Where a plugin says what it has. Names are lower-case letters, digits and underscores: train.loss and eval.metrics
// take them.
class Registry {
 public:
  virtual void add(const char* name, const Loss& loss) = 0;
  virtual void add(const char* name, const Metric& metric) = 0;

 protected:
  ~Registry() = default;
};

}  // namespace sft::plugin

// The one function of a plugin: SFT_DIST_PLUGIN(registry) { registry.add("mine", mine); }
#define SFT_DIST_PLUGIN(registry)                                                               \
  static void sft_dist_register(sft::plugin::Registry& registry);                               \
  extern "C" uint32_t sft_dist_plugin(uint32_t abi_version, sft::plugin::Registry* registry) {  \
    if (abi_version == sft::plugin::kAbiVersion) sft_dist_register(*registry);                  \
    return sft::plugin::kAbiVersion;                                                            \
  }                                                                                             \
  static void sft_dist_register(sft::plugin::Registry& registry)
