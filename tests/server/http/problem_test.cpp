#include "server/http/problem.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "server/http/response.h"

namespace pytoon::http {
namespace {

Failure with_faults(std::size_t count, const std::string& name) {
  Failure fault{FailureKind::kInvalid, "no such fields: " + name, {}};
  for (std::size_t i = 0; i < count; ++i) fault.faults.push_back({"/" + name, "unknown " + name});
  return fault;
}

TEST(Problem, NamesWhatHelpsHoweverMuchWasSent) {
  const Problem problem = problem_of(with_faults(500, std::string(10'000, 'x')));
  EXPECT_EQ(problem.faults.size(), 20U);
  EXPECT_NE(problem.detail.find("480 more"), std::string::npos);
  EXPECT_LT(std::get<std::string>(problem_response(problem).body).size(), 40'000U);
}

TEST(Problem, AnOrdinaryOneIsSaidWhole) {
  const Problem problem = problem_of(with_faults(20, "a"));
  EXPECT_EQ(problem.faults.size(), 20U);
  EXPECT_EQ(problem.detail, "no such fields: a");
  EXPECT_EQ(problem.faults[19].detail, "unknown a");
}

TEST(Problem, NoCharacterIsCutInTwo) {
  for (std::size_t before = 0; before < 4; ++before) {
    std::string name(before, 'x');
    while (name.size() < 600) name += "\xf0\x9f\x8e\xac";  // one of four bytes
    const Response response = problem_response(problem_of(with_faults(1, name)));
    const std::string& body = std::get<std::string>(response.body);
    EXPECT_TRUE(nlohmann::json::accept(body)) << before;
    EXPECT_EQ(body.find("\xef\xbf\xbd"), std::string::npos) << "no replacement either";
  }
}

}  // namespace
}  // namespace pytoon::http
