#include "trainer/tasks/blocks/logits_of_rows.h"

#include <nlohmann/json.hpp>

namespace sft {

void add_logits(const at::Tensor& logits, std::vector<std::string>& predictions) {
  const at::Tensor values_BK = logits.to(at::kDouble).cpu().contiguous();
  const double* values = values_BK.const_data_ptr<double>();
  const int64_t width = values_BK.size(1);
  for (std::string& prediction : predictions) {
    const nlohmann::json list = std::vector<double>(values, values + width);
    prediction.pop_back();  // the brace
    prediction += ",\"logits\":" + list.dump() + "}";
    values += width;
  }
}

}  // namespace sft
