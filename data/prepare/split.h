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

class Split {
 public:
  Split(const SplitCensus& census, double share);
  bool is_validation(uint64_t key) const;

 private:
  double share_;
  std::unordered_map<uint64_t, bool> decided_;
};

}  // namespace sft
