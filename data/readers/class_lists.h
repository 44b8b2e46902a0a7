// Names of classes in a file beside pictures.
#pragma once

#include <string>

#include "base/schema.h"

namespace sft {

// The lines of classes.txt beside a path, or in it, or beside the folder that it lies in; none where there is no such
// file. DataError where a name is empty or stands there twice.
StringList listed_classes(const std::string& path);

}  // namespace sft
