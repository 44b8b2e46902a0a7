// Trainers as they are often written, each with one well-known fault, for tests of the tests: the suite must reject
// them.
#pragma once

#include <functional>
#include <memory>

#include "comm/communicator.h"
#include "data/loading/loader.h"
#include "data/samples/dataset.h"

namespace sft::equivalence {

enum class Toy {
  none,
  averages_means,     // divides by each rank's own weight, and averages over ranks
  reads_on_one_rank,  // rank 0 reads and computes everything
  evaluates_padding,  // evaluates so many samples more that every rank has as many, and counts them
};

// What the loop is to see in place of its control communicator, its held-out samples and its loader; the thing itself
// without the fault.
std::unique_ptr<Communicator> control_of(Toy toy, std::unique_ptr<Communicator> control);
std::unique_ptr<Dataset> held_out_of(Toy toy, std::unique_ptr<Dataset> samples, int ranks);
std::unique_ptr<Loader> loader_of(Toy toy, Shard shard, const std::function<std::unique_ptr<Loader>(Shard)>& make);

}  // namespace sft::equivalence
