// The examples of docs/admission.md are run: each block says a card, what is promised on it and
// what waits, and the answer with its sentence. The page can't promise what the code does not do.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "tests/server/jobs/admission/admission_samples.h"
#include "tests/support/source_dir.h"

namespace pytoon::jobs::admission {
namespace {

struct Example {
  int line = 0;
  GpuState state = idle_card();
  std::vector<Request> heads;
  CardSizes cards;
  CardQueue queue;
  std::string expected;
};

struct Words {
  std::vector<std::string> plain;
  std::map<std::string, std::string> named;

  bool has(const std::string& name) const { return named.contains(name); }
  double number(const std::string& name, double otherwise = 0) const {
    const auto found = named.find(name);
    return found == named.end() ? otherwise : std::stod(found->second);
  }
};

Words words_of(const std::string& line) {
  Words words;
  std::istringstream in(line);
  for (std::string word; in >> word;) {
    const std::size_t sign = word.find('=');
    if (sign == std::string::npos) {
      words.plain.push_back(word);
    } else {
      words.named[word.substr(0, sign)] = word.substr(sign + 1);
    }
  }
  return words;
}

// card 24 GiB, models and residents by name: `models=ltx:8,wan:17`.
void read_card(const Words& words, Example& example) {
  example.state = idle_card(words.number("total"));
  if (words.has("models")) {
    std::istringstream models(words.named.at("models"));
    for (std::string one; std::getline(models, one, ',');) {
      const std::size_t colon = one.find(':');
      load(example.state, one.substr(0, colon), std::stod(one.substr(colon + 1)));
    }
  }
  take_foreign(example.state, words.number("foreign"));
  example.state.sample.endpoint.residue = gib(words.number("residue"));
  example.state.sample.free -= gib(words.number("residue"));
  example.state.sample.endpoint.restartable = true;
  example.state.sample.at -= seconds(words.number("age"));
  example.cards.usable.push_back(usable_bytes(example.state.sample));
  if (words.has("freed")) {
    example.state.room = RoomMaking{"x", kNow - seconds(words.number("freed")), true};
  }
}

void read_promise(const Words& words, Example& example) {
  const double size = words.number("size");
  if (words.plain.at(1) == "segment") {
    promise_segment(example.state, size, words.number("held"), words.number("ends", 5));
  } else {
    Promise& promise = promise_prompt(example.state, words.plain.at(2), size);
    if (words.has("ended")) promise.released_at = kNow - seconds(words.number("ended"));
  }
}

void read_request(const Words& words, Example& example) {
  Request request;
  if (words.plain.at(0) == "segment") {
    request = segment(words.number("size"), words.number("for", 4));
  } else {
    request = generation("g" + std::to_string(example.heads.size()), words.plain.at(1),
                         words.number("weights"), words.number("full"), words.number("tiled"));
    if (words.has("word")) request.demand.structural = gib(words.number("word"));
    request.demand.first_run = words.number("runs", 1) == 0;
    request.demand.run = seconds(words.number("run", 60));
    if (words.has("usd")) {
      request.policy = EnginePolicy::kLocalPreferred;
      request.offer = ApiOffer{static_cast<std::int64_t>(1e6 * words.number("usd")),
                               seconds(words.number("latency", 40))};
    }
  }
  request.waiting_since = kNow - seconds(words.number("waited"));
  request.priority = static_cast<int>(words.number("priority"));
  example.heads.push_back(request);
}

std::vector<Example> read_examples() {
  std::ifstream page(support::source_dir() / "docs/admission.md");
  std::vector<Example> examples;
  bool inside = false;
  int number = 0;
  for (std::string line; std::getline(page, line);) {
    ++number;
    if (line == "```admission") {
      inside = true;
      examples.emplace_back().line = number;
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      const Words words = words_of(line);
      const std::string& what = words.plain.at(0);
      Example& example = examples.back();
      if (what == "card") read_card(words, example);
      if (what == "promised") read_promise(words, example);
      if (what == "reserved") {
        example.state.reservation =
            Reservation{"other", gib(words.number("size")), kNow + seconds(10)};
      }
      if (what == "generation" || what == "segment") read_request(words, example);
      if (what == "queue") {
        example.queue = {static_cast<int>(words.number("cards")), seconds(words.number("work")),
                         static_cast<int>(words.number("behind"))};
      }
      if (what == "answer") example.expected = line.substr(std::string("answer ").size());
    }
  }
  return examples;
}

std::string answer_of(const Example& example) {
  Decision decision;
  std::string who;
  if (example.queue.cards > 0) {
    decision = decide_spill(example.heads.at(0), example.queue, example.cards, {}, kNow);
  } else if (example.heads.at(0).lane == Lane::kRender) {
    decision = decide_render(example.state, example.heads[0], {}, kNow);
  } else {
    const EndpointDecision chosen =
        decide_generation(example.state, example.heads, example.cards, {}, kNow);
    decision = chosen.decision;
    if (example.heads.size() > 1 && chosen.head < example.heads.size()) {
      who = example.heads[chosen.head].demand.model + " ";
    }
  }
  return who + std::string(name_of(decision.kind)) + " " + std::string(name_of(decision.reason)) +
         (decision.reserve ? ", reserves" : "") + ": " + sentence(decision);
}

TEST(Examples, OfThePageAreTrue) {
  const std::vector<Example> examples = read_examples();
  EXPECT_GE(examples.size(), 12U) << "the page has lost its examples";
  for (const Example& example : examples) {
    EXPECT_EQ(answer_of(example), example.expected) << "docs/admission.md:" << example.line;
  }
}

}  // namespace
}  // namespace pytoon::jobs::admission
