// Changes JSON as JSON: of changes of its bytes the parser refuses most, and nothing behind it is reached.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "fuzz/input.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

namespace sft::fuzz {

using Tree = nlohmann::ordered_json;

inline void list_nodes(Tree& tree, std::vector<Tree*>& out) {
  out.push_back(&tree);
  if (tree.is_structured())
    for (Tree& child : tree) list_nodes(child, out);
}

// What a field of any type may be and had better not.
inline Tree odd_value(std::mt19937& draw) {
  const Tree all = {nullptr,
                    true,
                    false,
                    -1,
                    0,
                    1,
                    2,
                    255,
                    65536,
                    int64_t{1} << 31,
                    (int64_t{1} << 32) - 1,
                    std::numeric_limits<int64_t>::max(),
                    std::numeric_limits<uint64_t>::max(),
                    std::numeric_limits<int64_t>::min(),
                    0.5,
                    1e308,
                    "",
                    "a",
                    "../a",
                    "\xc3\xa9\n",
                    std::string(300, 'x'),
                    Tree::array(),
                    Tree::object(),
                    {{1}},
                    {{"a", 1}}};
  return all[draw() % all.size()];
}

inline void change(Tree& tree, std::mt19937& draw) {
  std::vector<Tree*> nodes;
  list_nodes(tree, nodes);
  Tree& node = *nodes[draw() % nodes.size()];
  switch (draw() % 6) {
    case 0:
      node = odd_value(draw);
      break;
    case 1:
      node = Tree(*nodes[draw() % nodes.size()]);
      break;
    case 2:
      if (node.is_object() && !node.empty())
        node.erase(std::next(node.begin(), static_cast<long>(draw() % node.size())).key());
      else if (node.is_array() && !node.empty())
        node.erase(draw() % node.size());
      break;
    case 3:
      if (node.is_object() && !node.empty())
        node["k" + std::to_string(draw() % 4)] =
            Tree(*std::next(node.begin(), static_cast<long>(draw() % node.size())));
      else if (node.is_array() && !node.empty())
        node.push_back(Tree(node[draw() % node.size()]));
      break;
    case 4:
      if (node.is_number_integer()) {
        node = node.get<int64_t>() / 2 + static_cast<int64_t>(draw() % 7) - 3;
      } else if (node.is_number()) {
        node = -node.get<double>();
      }
      break;
    default:
      if (node.is_string()) {
        auto text = node.get<std::string>();
        const size_t at = text.empty() ? 0 : draw() % text.size();
        if (draw() % 2 == 0 && !text.empty())
          text.erase(at, 1 + draw() % 3);
        else
          text.insert(at, 1 + draw() % 2, static_cast<char>(' ' + draw() % 95));
        node = text;
      }
  }
}

// As LLVMFuzzerCustomMutator.
inline size_t mutate_json(uint8_t* data, size_t size, size_t most, unsigned seed) {
  std::mt19937 draw(seed);
  Tree tree = Tree::parse(data, data + size, nullptr, /*allow_exceptions=*/false);
  if (tree.is_discarded() || draw() % 8 == 0) return LLVMFuzzerMutate(data, size, most);
  for (unsigned times = 1 + draw() % 3; times > 0; --times) change(tree, draw);
  const std::string text = tree.dump(-1, ' ', false, Tree::error_handler_t::replace);
  if (text.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::memcpy(data, text.data(), text.size());
  return text.size();
}

}  // namespace sft::fuzz

#define SFT_FUZZ_JSON(input)                                                                          \
  extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) { \
    return sft::fuzz::mutate_json(data, size, most, seed);                                            \
  }                                                                                                   \
  SFT_FUZZ(input)
