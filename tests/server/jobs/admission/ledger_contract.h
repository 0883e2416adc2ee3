// The contract of the promise ledger, asked of every implementation of it.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "server/jobs/admission/promise_ledger.h"
#include "tests/server/jobs/samples.h"

namespace pytoon::jobs::admission {

struct LedgerUnderTest {
  std::shared_ptr<void> beneath;  // what the ledger needs, ended after it
  std::unique_ptr<PromiseLedger> ledger;
  // Lets time go by as the ledger sees it.
  std::function<void(std::chrono::milliseconds)> advance;
};

struct LedgerMaker {
  std::string name;
  std::function<LedgerUnderTest(testing_support::HandClock& clock, LedgerOptions options)> make;
};
void PrintTo(const LedgerMaker& maker, std::ostream* out);

class LedgerContract : public testing::TestWithParam<LedgerMaker> {
 protected:
  void SetUp() override;
  void advance(std::chrono::milliseconds time) { made_.advance(time); }

  // A sample of this instant: `free_gib` of 24, 1 of them contexts.
  Sample sample(double free_gib = 23);
  Published publish(Sample taken, const std::string& gpu = "GPU-A");
  void publish_free(double free_gib) { publish(sample(free_gib)); }
  Wish render_wish(double size_gib, const std::string& task = "s") const;
  Wish prompt_wish(double size_gib, const std::string& task = "g") const;
  Promise give(const Wish& wish);
  // "given", or the refusal's name.
  std::string answer(const Wish& wish);
  GpuState state(const std::string& gpu = "GPU-A");

  testing_support::HandClock clock_;
  LedgerUnderTest made_;
  PromiseLedger* ledger_ = nullptr;
};

}  // namespace pytoon::jobs::admission
