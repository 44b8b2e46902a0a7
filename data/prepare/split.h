// validation_split: which rows of a file are held out. A pure function of content and seed, so it
// does not depend on the order of rows or on how many ranks there are. Rows with the same key (equal texts, or
// one group) stay on one side; each label gives its share of keys.
//
// Memory is bounded: a label with up to kExact keys gives exactly round(share · keys), found from all of them; a
// more frequent one gives the keys that hash below the share, which is as close to it as chance allows (±5 % of
// 200 rows, less with more). A key that occurs with several labels is decided by the first exact one.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

namespace sft {

// The lowest keys of each label. Parts taken by several ranks merge.
class SplitCensus {
 public:
  static constexpr size_t kExact = 2048;
  using Keys = std::map<std::string, std::set<uint64_t>>;

  void add(const std::string& label, uint64_t key);
  void merge(const Keys& other);
  const Keys& keys() const { return keys_; }  // a set above kExact keys stands for "many"

 private:
  Keys keys_;
};

// One of several folds, which together are all rows.
struct Fold {
  int64_t index = 0;  // from 0
  int64_t count = 0;
};

// "2/5" is {1, 5}. ConfigError where it is not a number from 1 to the second, which is at least 2.
Fold fold_from(const std::string& text);

class Split {
 public:
  Split(const SplitCensus& census, double share);
  // Keys of the fold are held out. Each is in one fold, which follows from the key alone.
  explicit Split(const Fold& fold) : fold_(fold) {}
  bool is_validation(uint64_t key) const;

 private:
  double share_ = 0;
  std::unordered_map<uint64_t, bool> decided_;
  Fold fold_;  // count 0: by share_
};

}  // namespace sft
