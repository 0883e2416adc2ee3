// The ledger in memory keeps the contract.
#include "server/jobs/admission/memory_ledger.h"

#include "tests/server/jobs/admission/ledger_contract.h"

namespace pytoon::jobs::admission {
namespace {

LedgerUnderTest make_memory(testing_support::HandClock& clock, LedgerOptions options) {
  LedgerUnderTest made;
  made.ledger = std::make_unique<MemoryLedger>(clock, options);
  made.advance = [&clock](std::chrono::milliseconds time) { clock.advance(time); };
  return made;
}

INSTANTIATE_TEST_SUITE_P(Ledgers, LedgerContract,
                         testing::Values(LedgerMaker{"memory", make_memory}),
                         [](const auto& ledger) { return ledger.param.name; });

}  // namespace
}  // namespace pytoon::jobs::admission
