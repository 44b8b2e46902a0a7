// A file of HDF5 through the guard, as a shard of ours and as what others wrote.
#include <algorithm>

#include "data/hdf5/guard.h"
#include "data/samples/dataset.h"
#include "data/samples/inspect.h"
#include "data/samples/stored_shard.h"
#include "fuzz/input.h"

SFT_FUZZ(input) {
  using namespace sft;
  const std::string path = fuzz::folder().put("rows.h5", input);
  fuzz::allow_errors([&] { verify(StoredShard(open_guarded(path))); });
  fuzz::allow_errors([&] {
    const auto dataset = open_dataset({path});
    for (int64_t i = 0; i < std::min<int64_t>(dataset->size(), 100); ++i) {
      Batch one(dataset->schema());
      dataset->append(i, one);
    }
  });
}
