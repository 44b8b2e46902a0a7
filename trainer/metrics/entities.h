// Entities in sequences of tags (B-PER, I-PER, O), and their scores: seqeval's, from counts that are summed over ranks.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trainer/metrics/confusion.h"

namespace sft {

// Words first … end−1 are one entity of types()[type].
struct Entity {
  int64_t type = 0;
  int64_t first = 0, end = 0;
  bool operator==(const Entity&) const = default;
};

class Tagging {
 public:
  // The tags by id, as id2label has them.
  explicit Tagging(const std::vector<std::string>& names);

  // False where no tag begins or continues an entity, as with parts of speech.
  bool marks_entities() const { return marks_entities_; }
  const std::vector<std::string>& types() const { return types_; }  // of entities, in byte order

  // As conlleval and seqeval's default mode read a sequence, whatever is broken in it: an I- that nothing goes before
  // begins an entity, and so does one of another type than its neighbour. Tags E- and S- (IOBES) are understood.
  std::vector<Entity> entities(std::span<const int64_t> tags) const;

  // seqeval's strict mode for IOB2: B- and what it is continued by, nothing else.
  std::vector<Entity> strict_entities(std::span<const int64_t> tags) const;

 private:
  struct Tag {
    char prefix = 'O';
    int64_t type = -1;  // −1: none
  };
  Tag tag(int64_t id) const { return tags_[static_cast<size_t>(id)]; }

  std::vector<Tag> tags_;
  std::vector<std::string> types_;
  bool marks_entities_ = false;
};

// By type, in a flat vector that can be summed over ranks.
struct EntityCounts {
  static constexpr size_t kPerType = 3;  // found rightly, found, true
  static size_t size(size_t num_types) { return kPerType * num_types; }

  // An entity is right where type, first and end are.
  static void add(std::span<double> counts, const std::vector<Entity>& truth, const std::vector<Entity>& found);
};

// As of seqeval with zero_division = 0; a type that occurs neither in truth nor among the found counts in no mean.
class EntityScores {
 public:
  explicit EntityScores(std::span<const double> counts) : counts_(counts.begin(), counts.end()) {}

  ClassScores of_type(int64_t type) const;
  ClassScores micro() const;
  ClassScores macro() const;
  ClassScores weighted() const;

 private:
  size_t num_types() const { return counts_.size() / EntityCounts::kPerType; }
  std::vector<double> counts_;
};

}  // namespace sft
