// Tensors out of a pickle, without Python and without its way to run code: a pickle is a program for a machine with a
// stack, of which the few instructions are followed that torch.save needs for dictionaries of tensors. Objects are data
// here. A name of a Python function or class stands for one of a closed list, or ends the reading.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sft {

// Memory that tensors share, known by a key of the file.
struct PickledStorage {
  std::string dtype;  // safetensors' spelling
  int64_t elements = 0;
};

// A view of a storage; offset and strides count elements.
struct PickledTensor {
  std::string storage;
  int64_t offset = 0;
  std::vector<int64_t> shape, strides;
};

class Unpickler {
 public:
  // `bytes` may hold several pickles, one behind the other.
  Unpickler(std::string_view bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  // Each reads one pickle. DataError naming the byte and what is wrong or not allowed there.
  //
  // A dictionary: its tensors by name. What else it holds is left out, but for dictionaries, whose keys are told in the
  // error where it has no tensor.
  std::map<std::string, PickledTensor> tensors();
  std::vector<std::string> keys();           // a list of keys of storages()
  std::map<std::string, int64_t> numbers();  // those of a dictionary, truth values as 0 and 1

  // All that tensors() has met, by key.
  const std::map<std::string, PickledStorage>& storages() const { return storages_; }
  size_t position() const { return at_; }  // behind the last pickle that was read

 private:
  enum class Kind : uint8_t { other, boolean, integer, text, tuple, list, dictionary, global, storage, tensor };
  using Place = uint32_t;  // of a value
  struct Value {
    Kind kind = Kind::other;
    int64_t number = 0;             // a global's place in the list, a tensor's in tensors_
    std::string_view text = {};     // a storage's key
    std::vector<Place> items = {};  // keys and values in turn of a dictionary
  };

  const Value& load();
  bool step();  // false: the pickle is over
  void reduce();
  void add_items(Place into, const std::vector<Place>& pairs);
  Value storage_of(const Value& id);
  Value tensor_of(const Value& arguments);
  Value dictionary_of(const Value& arguments);
  std::vector<int64_t> sizes_of(const Value& tuple);

  uint64_t number(size_t bytes);
  std::string_view take(uint64_t bytes);
  std::string_view line();
  void push(Value value);
  void push_global(std::string_view module, std::string_view name);
  void push_tuple(size_t size);
  void remember(uint64_t index);
  void recall(uint64_t index);
  Place pop();
  Value& top();
  std::vector<Place> pop_to_mark();
  const Value& item(const Value& of, size_t index, Kind kind);
  [[noreturn]] void wrong(const std::string& what) const;

  std::string_view bytes_;
  const std::string& path_;
  size_t at_ = 0;
  std::vector<Value> values_;
  std::vector<Place> stack_, memo_;
  std::vector<size_t> marks_;
  size_t copied_ = 0;  // items of dictionaries that were made of lists
  std::vector<PickledTensor> tensors_;
  std::map<std::string, PickledStorage> storages_;
};

}  // namespace sft
