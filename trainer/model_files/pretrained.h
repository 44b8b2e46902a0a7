// Fills a model and its head from weight files, and says what did not fit.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "data/samples/peers.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/models/model.h"
#include "trainer/models/parameter.h"

namespace sft {

// What weight files have given a model, by the parameters' names; types and what is held are of what will not train.
struct FromFiles {
  std::set<std::string> given = {};  // all that files have given
  // As which a model file gets it again: as it came, or as float64 where the model is.
  std::map<std::string, at::ScalarType> types = {};
  // What stays as the files have it: a frozen matrix in their type, and on a CPU in their memory, which nobody can
  // write to and which the ranks of a node share.
  std::set<std::string> held = {};
  std::shared_ptr<const WeightFiles> files = {};  // null where nothing is held
};

struct LoadReport {
  std::vector<std::string> missing;     // in the files: of a head, or of a pooler
  std::vector<std::string> of_trunk;    // missing likewise, where none should be: of the embedding and of the blocks
  std::vector<std::string> unexpected;  // in the files, and nowhere in the model
  std::vector<std::string> mismatched;  // of another shape: what the file has and what the model
  Parameters untouched;                 // those missing and mismatched: as they were
  FromFiles from_files;
};

// The names of the tensors in the files, without an output layer that is a copy of the table of words: older files hold
// a tied one twice.
std::vector<std::string> names_without_copies(const WeightFiles& files);

struct LoadRule {
  bool ignore_mismatched_sizes = false;
  // Whether a parameter will not train. Then a matrix that may be narrow stays as the files have it, unless their type
  // is wider than the model's.
  std::function<bool(const Parameter&)> is_frozen = [](const Parameter&) { return false; };
  Shard share = {};  // of what stays in the files: the part that this rank looks through for what is no number
};

// DataError where a shape differs, unless `ignore_mismatched_sizes`; DataError where the files hold nothing of the
// backbone at all, and where a tensor is not of floating point numbers that are all finite.
LoadReport load_pretrained(const std::shared_ptr<const WeightFiles>& files, const Model& model,
                           const Parameters& parameters, const LoadRule& rule);

// Copies one tensor of a file, of the same shape. DataError where it is not of floating point numbers that are finite.
void copy_weight(const TensorRef& ref, const at::Tensor& into, const std::string& file);

// A warning of what `of_trunk` holds; "" where that is nothing.
std::string what_trunk_lacks(const LoadReport& report);

// Lists missing, unexpected and mismatched names for a person; "" where all fitted.
std::string describe(const LoadReport& report);

}  // namespace sft
