// Walks the groups by hard links. The library runs C callbacks, which no exception may cross, so
// they only collect names; everything else happens outside them.
#include "data/hdf5/survey/survey.h"

#include <set>
#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/handle.h"
#include "data/hdf5/survey/describe.h"
#include "data/hdf5/survey/driver.h"

namespace sft::hdf5 {
namespace {

constexpr size_t kMostObjects = 10'000;
constexpr int kMostDepth = 32;

struct Link {
  std::string name;
  H5L_type_t type;
};

struct Links {
  std::vector<Link> found;
  bool failed = false;
};

herr_t collect(hid_t, const char* name, const H5L_info_t* info, void* to) noexcept {
  auto& links = *static_cast<Links*>(to);
  try {
    links.found.push_back({name, info->type});
  } catch (...) {
    links.failed = true;
  }
  links.failed = links.failed || links.found.size() > kMostObjects;
  return links.failed ? 1 : 0;
}

class Walk {
 public:
  explicit Walk(FileLayout& out) : out_(out) {}

  void group(hid_t id, const std::string& path, int depth) {
    if (depth > kMostDepth) refuse(path, concat("groups nest deeper than ", kMostDepth));
    Links links;
    const herr_t status = H5Literate(id, H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, collect, &links);
    if (links.failed || links.found.size() + num_objects_ > kMostObjects)
      refuse(path, concat("more than ", kMostObjects, " objects"));
    if (status < 0) refuse(path, "the group cannot be read");
    num_objects_ += links.found.size();
    for (const Link& link : links.found) {
      const std::string name = path.empty() ? link.name : path + "/" + link.name;
      if (link.type != H5L_TYPE_HARD)
        refuse(name, link.type == H5L_TYPE_SOFT ? "is a soft link; only hard links are followed"
                                                : "is an external link; only hard links are followed");
      object(id, link.name, name, depth);
    }
  }

 private:
  [[noreturn]] static void refuse(const std::string& path, const std::string& why) {
    throw DataError(concat(path.empty() ? "the root group" : in_quotes(path), ": ", why));
  }

  void object(hid_t parent, const std::string& link, const std::string& name, int depth) {
    const Object opened(H5Oopen(parent, link.c_str(), H5P_DEFAULT));
    if (!opened) refuse(name, "cannot be opened: it is damaged, or written for a newer HDF5 library");
    const H5I_type_t type = H5Iget_type(opened.get());
    if (type == H5I_DATASET) {
      out_.datasets.push_back(describe_dataset(opened.get(), name));
    } else if (type == H5I_GROUP) {
      H5O_info_t info;
      if (H5Oget_info(opened.get(), &info) < 0) refuse(name, "cannot be opened");
      // Hard links may form a ring.
      if (!visited_.insert(info.addr).second) return;
      describe_group(opened.get(), name);
      group(opened.get(), name, depth + 1);
    }
  }

  void describe_group(hid_t id, const std::string& name) {
    std::vector<Attribute> attributes = describe_attributes(id);
    if (!attributes.empty()) out_.groups.push_back({name, std::move(attributes)});
  }

  FileLayout& out_;
  std::set<haddr_t> visited_;
  size_t num_objects_ = 0;
};

}  // namespace

FileLayout survey(int descriptor) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // errors are told by us, once
  H5PLset_loading_state(0);                     // no code from plugins
  const File file = open_descriptor(descriptor);
  if (!file)
    throw DataError("the HDF5 library cannot open it: the file is damaged, cut short or not closed by its writer");

  const Properties creation(H5Fget_create_plist(file.get()));
  hsize_t user_block = 0;
  if (H5Pget_userblock(creation.get(), &user_block) < 0 || user_block != 0)
    throw DataError("it has a user block; write it without one (h5repack)");

  FileLayout layout;
  const Group root(H5Gopen2(file.get(), "/", H5P_DEFAULT));
  if (!root) throw DataError("the root group cannot be opened");
  layout.attributes = describe_attributes(root.get());
  Walk(layout).group(root.get(), "", 0);
  return layout;
}

}  // namespace sft::hdf5
