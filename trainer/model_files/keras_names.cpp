#include "trainer/model_files/keras_names.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

using keras::Graph;
using keras::GraphLayer;

// "conv1/kernel" → "conv1" and "kernel".
std::pair<std::string, std::string> split_last(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::pair{std::string(), path}
                                    : std::pair{path.substr(0, slash), path.substr(slash + 1)};
}

[[noreturn]] void refuse(const std::string& title, const std::string& why) {
  throw DataError(concat(title, ": ", why, "; the weights are of another model than the layers"));
}

// The variables of one layer of a model, by the leaf that has them: "conv1" → "conv1/kernel", "conv1/bias". In order.
struct Leaf {
  std::string path;
  std::vector<std::string> names;
};

std::vector<Leaf> leaves_of(const std::vector<std::string>& names) {
  std::vector<Leaf> leaves;
  for (const std::string& name : names) {
    const std::string path = split_last(name).first;
    if (leaves.empty() || leaves.back().path != path) leaves.push_back({path, {}});
    leaves.back().names.push_back(name);
  }
  return leaves;
}

// weight_names, layer_names; lists that are too long for an attribute are cut into "weight_names0", "weight_names1", …
std::vector<std::string> list_of(const std::vector<hdf5::Attribute>& attributes, const std::string& name) {
  std::vector<std::string> all;
  const auto take = [&](const std::string& key) {
    const auto found = std::ranges::find(attributes, key, &hdf5::Attribute::name);
    if (found == attributes.end()) return false;
    all.insert(all.end(), found->texts.begin(), found->texts.end());
    return true;
  };
  if (!take(name))
    for (int part = 0; take(name + std::to_string(part)); ++part) {
    }
  return all;
}

// Groups of layers, each with a list of its datasets.
class ListedWeights {
 public:
  explicit ListedWeights(const hdf5::FileLayout& file)
      : file_(file), root_(file.group("model_weights") != nullptr ? "model_weights/" : "") {}

  void place(const GraphLayer& layer, const std::vector<std::string>& names, PlacesInFile& into) const {
    const hdf5::GroupLayout* group = file_.group(root_ + layer.name);
    if (group == nullptr) refuse(layer.title(), "the file has no weights of this layer");
    const std::vector<std::string> datasets = list_of(group->attributes, "weight_names");
    layer.nested ? nested(layer, leaves_of(names), datasets, into)
                 : in_order(layer.title(), names, datasets, layer, into);
  }

 private:
  // Normalization counts its samples in a weight behind those that are read.
  void in_order(const std::string& title, const std::vector<std::string>& names,
                const std::vector<std::string>& datasets, const GraphLayer& layer, PlacesInFile& into) const {
    if (datasets.size() < names.size())
      refuse(title, concat("the file has ", datasets.size(), " weights of it, and it takes ", names.size()));
    for (size_t i = 0; i < names.size(); ++i) into.emplace_back(names[i], root_ + layer.name + "/" + datasets[i]);
  }

  // All weights of a nested model are in one list, those that train first. They are told apart by the layer in their
  // names, which old files number anew: then by their order.
  void nested(const GraphLayer& layer, const std::vector<Leaf>& leaves, const std::vector<std::string>& datasets,
              PlacesInFile& into) const {
    std::vector<std::pair<std::string, std::vector<std::string>>> groups;
    std::map<std::string, size_t> by_name;
    for (const std::string& dataset : datasets) {
      const std::string path = split_last(dataset).first;
      if (by_name.emplace(path, groups.size()).second) groups.push_back({path, {}});
      groups[by_name[path]].second.push_back(dataset);
    }
    const auto group_of = [&](const std::string& wanted) -> const std::vector<std::string>* {
      for (const auto& [path, members] : groups)
        if (path == wanted || path.ends_with("/" + wanted)) return &members;
      return nullptr;
    };
    const bool is_named = std::ranges::all_of(
        leaves, [&](const Leaf& leaf) { return group_of(split_last(leaf.path).second) != nullptr; });
    if (!is_named && groups.size() != leaves.size())
      refuse(layer.title(),
             concat("the file has weights of ", groups.size(), " layers in it, and it takes those of ", leaves.size()));
    for (size_t i = 0; i < leaves.size(); ++i)
      in_order(concat("layer ", in_quotes(leaves[i].path)), leaves[i].names,
               is_named ? *group_of(split_last(leaves[i].path).second) : groups[i].second, layer, into);
  }

  const hdf5::FileLayout& file_;
  std::string root_;
};

// "SeparableConv2D" → "separable_conv2d", as Keras 3's to_snake_case.
std::string snake_case(const std::string& kind) {
  std::string snake;
  for (size_t i = 0; i < kind.size(); ++i) {
    const auto is = [&](size_t at, int (*what)(int)) {
      return at < kind.size() && what(static_cast<unsigned char>(kind[at])) != 0;
    };
    const bool begins =
        i > 0 && is(i, ::isupper) && (is(i - 1, ::islower) || (is(i - 1, ::isupper) && is(i + 1, ::islower)));
    if (begins) snake += '_';
    snake += static_cast<char>(std::tolower(static_cast<unsigned char>(kind[i])));
  }
  return snake;
}

// Layers numbered by kind, and their variables by order.
void place_numbered(const hdf5::FileLayout& file, const Graph& graph, const std::string& root, const std::string& path,
                    const std::map<std::string, std::vector<std::string>>& names_of_leaves, PlacesInFile& into) {
  std::map<std::string, int> seen;
  for (const GraphLayer& layer : graph.layers) {
    const std::string kind = snake_case(layer.kind);
    const int number = seen[kind]++;
    const std::string group = concat(root, "layers/", kind, number == 0 ? "" : concat("_", number));
    if (layer.nested) {
      place_numbered(file, *layer.nested, group + "/", path + layer.name + "/", names_of_leaves, into);
      continue;
    }
    const auto found = names_of_leaves.find(path + layer.name);
    if (found == names_of_leaves.end()) continue;
    for (size_t i = 0; i < found->second.size(); ++i) {
      const std::string dataset = concat(group, "/vars/", i);
      if (file.dataset(dataset) == nullptr)
        refuse(layer.title(),
               concat("the file has no dataset ", in_quotes(dataset), ", its ", split_last(found->second[i]).second));
      into.emplace_back(found->second[i], dataset);
    }
  }
}

}  // namespace

PlacesInFile places_in_file(const hdf5::FileLayout& file, const Graph& graph, const keras::Network& network) {
  PlacesInFile places;
  const bool is_numbered = std::ranges::any_of(
      file.datasets, [](const hdf5::DatasetLayout& dataset) { return dataset.name.starts_with("layers/"); });
  std::map<int, std::vector<std::string>> names_of_layers;
  std::vector<std::string> all;
  for (const keras::PlacedVariable& placed : network.variables()) {
    names_of_layers[placed.layer].push_back(placed.name);
    all.push_back(placed.name);
  }
  if (is_numbered) {
    std::map<std::string, std::vector<std::string>> names_of_leaves;
    for (Leaf& leaf : leaves_of(all)) names_of_leaves[leaf.path] = std::move(leaf.names);
    place_numbered(file, graph, "", "", names_of_leaves, places);
    return places;
  }
  const ListedWeights listed(file);
  for (const auto& [layer, names] : names_of_layers)
    listed.place(graph.layers[static_cast<size_t>(layer)], names, places);
  return places;
}

}  // namespace sft
