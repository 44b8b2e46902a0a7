// Files are loaded under their whole path, since dlopen(3) looks for a bare name among the system's libraries, and
// never unloaded: objects of theirs are in use until the process ends.
#include "trainer/plugins/plugins.h"

#include <dlfcn.h>

#include <algorithm>
#include <filesystem>

#include "base/errors.h"
#include "base/text.h"
#include "data/hash/sha256.h"

namespace sft {
namespace {

constexpr char kFunction[] = "sft_dist_plugin";

[[noreturn]] void refuse(const std::string& file, const std::string& what) {
  throw ConfigError(concat("plugins: ", in_quotes(file, 400), " ", what));
}

bool is_name(const std::string& name) {
  const auto is_taken = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  return !name.empty() && std::ranges::all_of(name, is_taken) && name.front() >= 'a';
}

Plugins::Register function_of(const std::string& file) {
  void* const loaded = ::dlopen(std::filesystem::absolute(file).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (loaded == nullptr) refuse(file, concat("cannot be loaded: ", ::dlerror()));
  void* const found = ::dlsym(loaded, kFunction);
  if (found == nullptr)
    refuse(file, concat("has no function ", kFunction, ": a plugin ends in SFT_DIST_PLUGIN(registry) { … }"));
  return reinterpret_cast<Plugins::Register>(found);
}

}  // namespace

// Names and objects of one file. What it finds wrong is told once the plugin's function has returned.
class Plugins::Collector final : public plugin::Registry {
 public:
  Collector(Plugins& into, const std::string& file) : into_(into), file_(file) {}

  void add(const char* name, const plugin::Loss& loss) override {
    if (is_free(name)) into_.losses_.push_back({name, file_, &loss});
  }
  void add(const char* name, const plugin::Metric& metric) override {
    if (is_free(name)) into_.metrics_.push_back({name, file_, &metric});
  }
  const std::string& wrong() const { return wrong_; }
  bool is_empty() const { return num_names_ == 0; }

 private:
  bool is_free(const char* given) {
    ++num_names_;
    const std::string name = given == nullptr ? "" : given;
    const std::string owner = into_.owner_of(name);
    if (!wrong_.empty()) return false;
    if (!is_name(name))
      wrong_ = concat("brings ", in_quotes(name), ": a name has a-z, 0-9 and _, and begins with a letter");
    else if (!owner.empty())
      wrong_ = concat("brings ", in_quotes(name), ", which ", owner == file_ ? "it" : in_quotes(owner, 400),
                      " brings already");
    else
      return true;
    return false;
  }

  Plugins& into_;
  const std::string& file_;
  std::string wrong_;
  int num_names_ = 0;
};

Plugins::Plugins(const StringList& files) {
  for (const std::string& path : files) {
    if (!std::filesystem::is_regular_file(path)) refuse(path, "is no file");
    take(path, sha256_of_file(path), function_of(path));
  }
}

void Plugins::take(const std::string& path, const std::string& digest, Register function) {
  files_.push_back({path, digest});
  Collector collector(*this, path);
  uint32_t version = 0;
  try {
    version = function(plugin::kAbiVersion, &collector);
  } catch (const std::exception& error) {
    refuse(path, concat("failed in ", kFunction, ": ", error.what()));
  } catch (...) {
    refuse(path, concat("failed in ", kFunction));
  }
  if (version != plugin::kAbiVersion)
    refuse(path, concat("was made for version ", version, " of sft-dist/plugin.h, and this program has version ",
                        plugin::kAbiVersion, ": compile it anew with the header that came with the program"));
  if (!collector.wrong().empty()) refuse(path, collector.wrong());
  if (collector.is_empty()) refuse(path, "brings no loss and no metric");
}

StringList Plugins::loss_names() const {
  StringList names;
  for (const PluginLoss& loss : losses_) names.push_back(loss.name);
  return names;
}

const PluginLoss* Plugins::loss(const std::string& name) const {
  const auto found = std::ranges::find(losses_, name, &PluginLoss::name);
  return found == losses_.end() ? nullptr : &*found;
}

std::string Plugins::owner_of(const std::string& name) const {
  if (const PluginLoss* found = loss(name)) return found->file;
  const auto metric = std::ranges::find(metrics_, name, &PluginMetric::name);
  return metric == metrics_.end() ? "" : metric->file;
}

std::string Plugins::digest_of(const std::string& name) const {
  const auto file = std::ranges::find(files_, owner_of(name), &File::path);
  return file == files_.end() ? "" : file->digest;
}

void fail_of_plugin(const std::string& file, const std::string& name, const std::string& what) {
  throw ConfigError(concat("plugins: ", in_quotes(name), " of ", in_quotes(file, 400), ": ", what));
}

}  // namespace sft
