// What shared objects of the user bring: losses and metrics (docs/plugins.md).
#pragma once

#include <exception>
#include <string>
#include <vector>

#include "base/schema.h"
#include "base/text.h"
#include "trainer/plugins/include/sft-dist/plugin.h"

namespace sft {

// A loss or a metric, and the file that it is of. The object is the file's, which stays loaded.
template <class Kind>
struct OfPlugin {
  std::string name;
  std::string file;
  const Kind* code = nullptr;
};
using PluginLoss = OfPlugin<plugin::Loss>;
using PluginMetric = OfPlugin<plugin::Metric>;

class Plugins {
 public:
  Plugins() = default;
  // Loads the files. ConfigError naming the file where it is not there, cannot be loaded, has no function
  // sft_dist_plugin, was made for another version of the header, throws, or brings a name that cannot be one or that
  // another has.
  explicit Plugins(const StringList& files);

  // Takes what a plugin's function registers; ConfigError as above.
  using Register = uint32_t (*)(uint32_t abi_version, plugin::Registry* registry);
  void take(const std::string& path, const std::string& digest, Register function);

  struct File {
    std::string path;
    std::string digest;  // SHA-256 of its content
  };
  const std::vector<File>& files() const { return files_; }
  const std::vector<PluginMetric>& metrics() const { return metrics_; }
  StringList loss_names() const;
  const PluginLoss* loss(const std::string& name) const;  // null: none
  // Of the file that has a loss or metric of this name; "": none.
  std::string digest_of(const std::string& name) const;

 private:
  class Collector;
  std::string owner_of(const std::string& name) const;  // the path; "": none

  std::vector<File> files_;
  std::vector<PluginLoss> losses_;
  std::vector<PluginMetric> metrics_;
};

[[noreturn]] void fail_of_plugin(const std::string& file, const std::string& name, const std::string& what);

// What a plugin's code returns; a ConfigError naming file and name for whatever it throws.
template <class Kind, class Call>
auto called(const OfPlugin<Kind>& of, const Call& call) {
  try {
    return call(*of.code);
  } catch (const std::exception& error) {
    fail_of_plugin(of.file, of.name, concat("failed: ", error.what()));
  } catch (...) {
    fail_of_plugin(of.file, of.name, "failed, and threw what is no std::exception");
  }
}

}  // namespace sft
