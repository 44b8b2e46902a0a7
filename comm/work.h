// A collective in flight. On a device wait() makes the current stream wait, never the host.
#pragma once

namespace sft {

class Work {
 public:
  virtual ~Work() = default;
  virtual void wait() = 0;
};

}  // namespace sft
