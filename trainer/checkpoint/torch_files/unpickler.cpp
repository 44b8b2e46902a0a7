// A value is made once and then only pointed to, so that no pickle, however it refers to itself, makes more of them
// than it has bytes; and none is walked in depth.
#include "trainer/checkpoint/torch_files/unpickler.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

constexpr size_t kMostValues = 1'000'000;  // a state dict has some twenty a tensor
constexpr size_t kMostDimensions = 16;
constexpr size_t kLongestKey = 256;  // of a storage; every tensor has its own copy

enum Global : int64_t { kDictionary, kTensor, kOldTensor, kParameter, kFirstStorage };

// What each name is taken for; storages in the order of kDtypes.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kGlobals{{
    {"collections", "OrderedDict"},
    {"torch._utils", "_rebuild_tensor_v2"},
    {"torch._utils", "_rebuild_tensor"},
    {"torch._utils", "_rebuild_parameter"},
    {"torch", "DoubleStorage"},
    {"torch", "FloatStorage"},
    {"torch", "HalfStorage"},
    {"torch", "BFloat16Storage"},
    {"torch", "LongStorage"},
    {"torch", "IntStorage"},
    {"torch", "ShortStorage"},
    {"torch", "CharStorage"},
    {"torch", "ByteStorage"},
    {"torch", "BoolStorage"},
}};
constexpr const char* kDtypes[] = {"F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL"};
static_assert(kFirstStorage + std::size(kDtypes) == kGlobals.size());

}  // namespace

void Unpickler::wrong(const std::string& what) const {
  throw DataError(concat(path_, ": pickle, byte ", at_, ": ", what));
}

std::string_view Unpickler::take(uint64_t bytes) {
  if (bytes > bytes_.size() - at_) wrong("cut short");
  const std::string_view taken = bytes_.substr(at_, bytes);
  at_ += bytes;
  return taken;
}

uint64_t Unpickler::number(size_t bytes) {
  uint64_t value = 0;
  std::memcpy(&value, take(bytes).data(), bytes);
  return value;
}

std::string_view Unpickler::line() {
  const size_t end = bytes_.find('\n', at_);
  if (end == std::string_view::npos) wrong("cut short");
  const std::string_view found = take(end - at_);
  take(1);
  return found;
}

void Unpickler::push(Value value) {
  if (values_.size() == kMostValues) wrong(concat("more than ", kMostValues, " values"));
  stack_.push_back(static_cast<Place>(values_.size()));
  values_.push_back(std::move(value));
}

Unpickler::Place Unpickler::pop() {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) wrong("nothing is there to be taken");
  const Place last = stack_.back();
  stack_.pop_back();
  return last;
}

Unpickler::Value& Unpickler::top() {
  const Place last = pop();
  stack_.push_back(last);
  return values_[last];
}

std::vector<Unpickler::Place> Unpickler::pop_to_mark() {
  if (marks_.empty()) wrong("no mark is there to go back to");
  const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<Place> items(first, stack_.end());
  stack_.erase(first, stack_.end());
  marks_.pop_back();
  return items;
}

// Of the last `size` values.
void Unpickler::push_tuple(size_t size) {
  Value tuple{.kind = Kind::tuple, .items = std::vector<Place>(size)};
  for (size_t i = size; i-- > 0;) tuple.items[i] = pop();
  push(std::move(tuple));
}

void Unpickler::push_global(std::string_view module, std::string_view name) {
  const auto* const found = std::ranges::find(kGlobals, std::pair(module, name));
  if (found == kGlobals.end())
    wrong(concat("it holds a Python object, ", in_quotes(concat(module, ".", name)),
                 "; tensors, numbers and texts alone are read, and no code is run"));
  push({.kind = Kind::global, .number = found - kGlobals.begin()});
}

void Unpickler::remember(uint64_t index) {
  if (index >= kMostValues) wrong("its memory of values has too large an index");
  if (index >= memo_.size()) memo_.resize(index + 1, kMostValues);
  memo_[index] = pop();
  stack_.push_back(memo_[index]);
}

void Unpickler::recall(uint64_t index) {
  if (index >= memo_.size() || memo_[index] == kMostValues) wrong("it names a value that was not there");
  stack_.push_back(memo_[index]);
}

const Unpickler::Value& Unpickler::item(const Value& of, size_t index, Kind kind) {
  if (index >= of.items.size() || values_[of.items[index]].kind != kind)
    wrong(concat("what rebuilds a tensor has another argument ", index, " than torch.save writes"));
  return values_[of.items[index]];
}

// The id ('storage', type, key, device, elements) of memory whose bytes stand elsewhere.
Unpickler::Value Unpickler::storage_of(const Value& id) {
  if (id.kind != Kind::tuple || item(id, 0, Kind::text).text != "storage") wrong("its storages have unknown ids");
  const int64_t type = item(id, 1, Kind::global).number - kFirstStorage;
  if (type < 0) wrong("the type of a storage is none");
  const PickledStorage storage{kDtypes[type], item(id, 4, Kind::integer).number};
  const std::string_view key = item(id, 2, Kind::text).text;
  if (key.size() > kLongestKey) wrong("a storage has too long a key");
  if (storage.elements < 0) wrong("a storage has fewer elements than none");
  if (id.items.size() > 5 && values_[id.items[5]].kind != Kind::other) wrong("a storage is a view of another");
  const auto [there, is_new] = storages_.emplace(key, storage);
  if (!is_new && (there->second.dtype != storage.dtype || there->second.elements != storage.elements))
    wrong(concat("the storage ", in_quotes(key), " has two types or sizes"));
  return {.kind = Kind::storage, .text = key};
}

std::vector<int64_t> Unpickler::sizes_of(const Value& tuple) {
  if (tuple.items.size() > kMostDimensions) wrong(concat("a tensor of more than ", kMostDimensions, " dimensions"));
  std::vector<int64_t> sizes;
  for (size_t i = 0; i < tuple.items.size(); ++i) sizes.push_back(item(tuple, i, Kind::integer).number);
  return sizes;
}

// (storage, offset, shape, strides, …)
Unpickler::Value Unpickler::tensor_of(const Value& arguments) {
  tensors_.push_back({std::string(item(arguments, 0, Kind::storage).text), item(arguments, 1, Kind::integer).number,
                      sizes_of(item(arguments, 2, Kind::tuple)), sizes_of(item(arguments, 3, Kind::tuple))});
  return {.kind = Kind::tensor, .number = static_cast<int64_t>(tensors_.size()) - 1};
}

// () or, of Python 2, a list of pairs.
Unpickler::Value Unpickler::dictionary_of(const Value& arguments) {
  Value made{.kind = Kind::dictionary};
  if (arguments.items.empty()) return made;
  for (const Place place : item(arguments, 0, Kind::list).items) {
    const Value& pair = values_[place];
    if (pair.items.size() != 2 || (pair.kind != Kind::list && pair.kind != Kind::tuple)) wrong("a pair is none");
    if ((copied_ += 2) > kMostValues) wrong(concat("more than ", kMostValues, " values"));
    made.items.insert(made.items.end(), pair.items.begin(), pair.items.end());
  }
  return made;
}

void Unpickler::reduce() {
  const Place arguments = pop(), function = pop();
  if (values_[arguments].kind != Kind::tuple || values_[function].kind != Kind::global) wrong("nothing can be called");
  switch (values_[function].number) {
    case kDictionary:
      return push(dictionary_of(values_[arguments]));
    case kTensor:
    case kOldTensor:
      return push(tensor_of(values_[arguments]));
    case kParameter:
      return push({.kind = Kind::tensor, .number = item(values_[arguments], 0, Kind::tensor).number});
    default:
      wrong("a type of storages is called");
  }
}

void Unpickler::add_items(Place into, const std::vector<Place>& pairs) {
  Value& target = values_[into];
  if (target.kind != Kind::dictionary || pairs.size() % 2 != 0) wrong("items go into what is no dictionary");
  target.items.insert(target.items.end(), pairs.begin(), pairs.end());
}

const Unpickler::Value& Unpickler::load() {
  values_.clear();
  stack_.clear();
  memo_.clear();
  marks_.clear();
  tensors_.clear();
  while (step()) {
  }
  return top();
}

std::map<std::string, PickledTensor> Unpickler::tensors() {
  const Value& all = load();
  if (all.kind != Kind::dictionary) wrong("it is no dictionary of tensors");
  std::map<std::string, PickledTensor> by_name;
  std::string parts;
  for (size_t i = 0; i < all.items.size(); i += 2) {
    const Value &key = values_[all.items[i]], &value = values_[all.items[i + 1]];
    if (value.kind == Kind::dictionary && key.kind == Kind::text && parts.size() < 400)
      parts += concat(parts.empty() ? "" : ", ", in_quotes(key.text));
    if (value.kind != Kind::tensor) continue;
    if (key.kind != Kind::text || !is_valid_utf8(key.text)) wrong("a tensor has a name that is no text");
    if (!by_name.emplace(key.text, tensors_[static_cast<size_t>(value.number)]).second)
      wrong(concat("tensor ", in_quotes(key.text), " stands twice"));
  }
  if (by_name.empty())
    wrong(
        concat("it is a dictionary without tensors", parts.empty() ? "" : "; further ones stand at its keys ", parts));
  return by_name;
}

std::vector<std::string> Unpickler::keys() {
  const Value& list = load();
  if (list.kind != Kind::list || list.items.size() > storages_.size()) wrong("a list of storages is wanted");
  std::vector<std::string> all;
  for (size_t i = 0; i < list.items.size(); ++i) {
    const std::string_view key = item(list, i, Kind::text).text;
    if (key.size() > kLongestKey) wrong("a storage has too long a key");
    all.emplace_back(key);
  }
  return all;
}

std::map<std::string, int64_t> Unpickler::numbers() {
  const Value& all = load();
  if (all.kind != Kind::dictionary) wrong("a dictionary is wanted");
  std::map<std::string, int64_t> by_name;
  for (size_t i = 0; i < all.items.size(); i += 2) {
    const Value &key = values_[all.items[i]], &value = values_[all.items[i + 1]];
    if (key.kind == Kind::text && (value.kind == Kind::integer || value.kind == Kind::boolean))
      by_name.emplace(key.text, value.number);
  }
  return by_name;
}

}  // namespace sft
