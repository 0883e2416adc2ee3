#include "engines/fake_engine.h"

namespace pytoon::engines {

FakeEngine::FakeEngine(std::string name, Script script)
    : name_(std::move(name)), script_(std::move(script)) {}

Status FakeEngine::health(const Watch& /*watch*/) {
  ++asked_;
  return script_.health ? script_.health() : ok_status();
}

Result<Supplied> FakeEngine::supply(const FootageRequest& request, const Watch& watch) {
  ++asked_;
  return script_.supply ? script_.supply(request, watch) : Result<Supplied>(Supplied{});
}

}  // namespace pytoon::engines
