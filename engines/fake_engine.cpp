#include "engines/fake_engine.h"

namespace pytoon::engines {

FakeEngine::FakeEngine(std::string name, Script script)
    : name_(std::move(name)), script_(std::move(script)) {}

Status FakeEngine::health(const Watch& /*watch*/) {
  ++asked_;
  return script_.health ? script_.health() : ok_status();
}

Result<plan::SegmentSource> FakeEngine::generate(const FootageRequest& request,
                                                 const Watch& watch) {
  ++asked_;
  return script_.generate ? script_.generate(request, watch)
                          : Result<plan::SegmentSource>(plan::SegmentSource{});
}

}  // namespace pytoon::engines
