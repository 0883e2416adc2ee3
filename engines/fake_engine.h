// An engine that does what it is told: product code for the simulator and for tests.
//
// Thread rule: any thread.
#pragma once

#include <atomic>
#include <functional>

#include "engines/engine.h"

namespace pytoon::engines {

class FakeEngine final : public Engine {
 public:
  struct Script {
    bool remote = false;
    Capabilities capabilities;
    std::function<Status()> health;  // unset: healthy
    // Unset: images drawn by the renderer.
    std::function<Result<plan::SegmentSource>(const FootageRequest&, const Watch&)> generate;
  };

  FakeEngine(std::string name, Script script);

  std::string_view name() const override { return name_; }
  bool remote() const override { return script_.remote; }
  Capabilities capabilities() const override { return script_.capabilities; }
  Status health(const Watch& watch) override;
  Result<plan::SegmentSource> generate(const FootageRequest& request, const Watch& watch) override;

  int asked() const { return asked_; }  // how often, for health or for footage

 private:
  const std::string name_;
  const Script script_;
  std::atomic<int> asked_{0};
};

}  // namespace pytoon::engines
