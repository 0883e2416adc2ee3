// What every database promises about the outbox and the fleet.
#include <nlohmann/json.hpp>

#include "tests/server/io/store_fixture.h"

namespace pytoon::testing_support {
using jobs::Event;
using std::chrono::milliseconds;

TEST_P(StoreContract, AnEndIsToldToItsWebhookUntilItIsDelivered) {
  create("silent");
  create_told("a");
  ASSERT_TRUE(store_->cancel("silent"));
  EXPECT_TRUE(store_->take_events({10, kLease, {}})->empty());
  ASSERT_TRUE(store_->force_fail("a", "stuck: \"x\""));
  const auto taken = *store_->take_events({10, kLease, {}});
  ASSERT_EQ(taken.size(), 1U);
  const Event event = taken[0];
  EXPECT_EQ(event.job_id, "a");
  EXPECT_EQ(event.url, "https://example.com/hook");
  EXPECT_EQ(event.type, "job.failed");
  EXPECT_EQ(event.attempts, 1);
  const auto body = nlohmann::json::parse(event.body);
  EXPECT_EQ(body["type"], "job.failed");
  EXPECT_EQ(body["timestamp"], iso8601(*job("a").completed_at));
  EXPECT_EQ(body["data"]["job_id"], "a");
  EXPECT_EQ(body["data"]["status"], "FAILED");
  EXPECT_EQ(body["data"]["error"], "stuck: \"x\"");
  EXPECT_EQ(body["data"]["fallback_used"], false);
  EXPECT_FALSE(body["data"].contains("output_uri"));
  EXPECT_TRUE(store_->take_events({10, kLease, {}})->empty()) << "it is leased";

  advance(kLease + milliseconds(1));
  const Event again = store_->take_events({10, kLease, {}})->at(0);
  EXPECT_EQ(again.id, event.id);
  EXPECT_EQ(again.body, event.body);
  EXPECT_EQ(again.attempts, 2);
  EXPECT_TRUE(refused(store_->event_delivered(event))) << "its lease ran out";
  EXPECT_TRUE(refused(store_->event_put_off(event, kAtOnce, "")));
  EXPECT_TRUE(refused(store_->event_given_up(event, "x")));
  ASSERT_TRUE(store_->event_put_off(again, milliseconds(5000), "it answered 500"));
  EXPECT_TRUE(store_->take_events({10, kLease, {}})->empty());
  advance(milliseconds(5001));
  const Event third = store_->take_events({10, kLease, {}})->at(0);
  ASSERT_TRUE(store_->event_delivered(third));
  EXPECT_TRUE(refused(store_->event_delivered(third)));
  advance(kLease * 2);
  EXPECT_TRUE(store_->take_events({10, kLease, {}})->empty());

  ASSERT_TRUE(store_->redeliver("a"));
  EXPECT_EQ(store_->take_events({10, kLease, {}})->at(0).id, event.id);
  EXPECT_EQ(store_->redeliver("silent").failure().kind, FailureKind::kNotFound);
}

TEST_P(StoreContract, WhatAHumanEndedIsToldToo) {
  create_told("a");
  fail_by_hand("a", "by hand");
  const Event event = store_->take_events({10, kLease, {}})->at(0);
  const auto body = nlohmann::json::parse(event.body);
  EXPECT_EQ(body["data"]["status"], "FAILED");
  EXPECT_EQ(body["data"]["error"], "by hand");
  ASSERT_TRUE(store_->event_delivered(event));

  ASSERT_TRUE(store_->retry("a"));
  walk_to_done("a");
  const Event second = store_->take_events({10, kLease, {}})->at(0);
  EXPECT_NE(second.id, event.id);
  EXPECT_EQ(second.type, "job.done");
  EXPECT_EQ(nlohmann::json::parse(second.body)["data"]["output_uri"],
            "storage://jobs/a/output.mp4");
}

TEST_P(StoreContract, AnEventGivenUpIsADeadLetter) {
  create_told("a");
  create_told("b");
  ASSERT_TRUE(store_->cancel("a"));
  ASSERT_TRUE(store_->cancel("b"));
  EXPECT_EQ(store_->take_events({1, kLease, {}})->size(), 1U);
  const Event event = store_->take_events({1, kLease, {}})->at(0);
  EXPECT_EQ(event.type, "job.cancelled");
  ASSERT_TRUE(store_->event_given_up(event, "410 Gone"));
  const auto letters = *store_->dead_letters(10);
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].event_id, event.id);
  EXPECT_EQ(letters[0].job_id, event.job_id);
  EXPECT_EQ(letters[0].cause, "410 Gone");
  EXPECT_GT(letters[0].at, WallTime{});
}

TEST_P(StoreContract, DeliveriesSayWhatBecameOfEachEvent) {
  create_told("a");
  EXPECT_TRUE(store_->deliveries({})->empty());
  ASSERT_TRUE(store_->cancel("a"));
  const auto now = [this](const jobs::DeliveryQuery& query = {}) {
    const auto found = *store_->deliveries(query);
    EXPECT_EQ(found.size(), 1U);
    return found.empty() ? jobs::Delivery() : found[0];
  };
  jobs::Delivery seen = now({.job_id = "a"});
  EXPECT_EQ(seen.job_id, "a");
  EXPECT_EQ(seen.tenant, "acme");
  EXPECT_EQ(seen.url, "https://example.com/hook");
  EXPECT_EQ(seen.type, "job.cancelled");
  EXPECT_EQ(seen.state, jobs::DeliveryState::kPending);
  EXPECT_EQ(seen.attempts, 0);
  EXPECT_FALSE(seen.tried_at);
  EXPECT_EQ(seen.next_try_at, seen.created_at);

  const Event event = store_->take_events({1, kLease, {}})->at(0);
  seen = now({.state = jobs::DeliveryState::kSending});
  EXPECT_EQ(seen.event_id, event.id);
  EXPECT_EQ(seen.state, jobs::DeliveryState::kSending);
  EXPECT_EQ(seen.attempts, 1);
  EXPECT_TRUE(seen.tried_at);
  EXPECT_FALSE(seen.next_try_at) << "it is being tried";
  ASSERT_TRUE(store_->event_put_off(event, milliseconds(5000), "it answered 500"));
  seen = now({.state = jobs::DeliveryState::kPending});
  EXPECT_EQ(seen.state, jobs::DeliveryState::kPending);
  EXPECT_EQ(seen.last_error, "it answered 500");
  EXPECT_GE(*seen.next_try_at, *seen.tried_at + milliseconds(5000));

  advance(milliseconds(5001));
  const Event second = store_->take_events({1, kLease, {}})->at(0);
  advance(kLease + milliseconds(1));
  EXPECT_EQ(now().state, jobs::DeliveryState::kPending) << "its sender died";
  EXPECT_EQ(now().attempts, 2);
  const Event third = store_->take_events({1, kLease, {}})->at(0);
  ASSERT_TRUE(store_->event_put_off(third, kAtOnce, ""));
  EXPECT_EQ(now().last_error, "it answered 500") << "that was no attempt";
  ASSERT_TRUE(store_->event_given_up(store_->take_events({1, kLease, {}})->at(0), "410 Gone"));
  seen = now({.state = jobs::DeliveryState::kGivenUp});
  EXPECT_EQ(seen.state, jobs::DeliveryState::kGivenUp);
  EXPECT_EQ(seen.last_error, "410 Gone");
  EXPECT_FALSE(seen.next_try_at);

  ASSERT_TRUE(store_->redeliver("a"));
  seen = now();
  EXPECT_EQ(seen.state, jobs::DeliveryState::kPending);
  EXPECT_EQ(seen.attempts, 0);
  EXPECT_EQ(seen.last_error, "");
  ASSERT_TRUE(store_->event_delivered(store_->take_events({1, kLease, {}})->at(0)));
  EXPECT_EQ(now({.state = jobs::DeliveryState::kDelivered}).attempts, 1);
  EXPECT_TRUE(store_->deliveries({.state = jobs::DeliveryState::kPending})->empty());
}

TEST_P(StoreContract, DeliveriesComeNewestFirst) {
  for (const char* id : {"a", "b", "c"}) {
    create_told(id);
    ASSERT_TRUE(store_->cancel(id));
    advance(milliseconds(10));
  }
  const auto two = *store_->deliveries({.limit = 2});
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[0].job_id + two[1].job_id, "cb");
  EXPECT_EQ(store_->deliveries({.job_id = "a"})->size(), 1U);
}

TEST_P(StoreContract, WorkersAreKnownAsLongAsTheyAreHeardOf) {
  jobs::WorkerInfo worker;
  worker.worker_id = "w1";
  worker.host = "gpu-7";
  worker.pid = 4711;
  worker.threads = 4;
  worker.device = "NVIDIA H100";
  worker.encoders = {"h264_nvenc", "x264"};
  ASSERT_TRUE(store_->upsert_worker(worker));
  create("a");
  lease("w1");
  const auto known = *store_->workers(milliseconds(10'000));
  ASSERT_EQ(known.size(), 1U);
  EXPECT_EQ(known[0].host, "gpu-7");
  EXPECT_EQ(known[0].pid, 4711);
  EXPECT_EQ(known[0].threads, 4);
  EXPECT_EQ(known[0].device, "NVIDIA H100");
  EXPECT_EQ(known[0].encoders, worker.encoders);
  EXPECT_FALSE(known[0].draining);
  EXPECT_EQ(known[0].held, 1);
  EXPECT_GT(known[0].started_at, WallTime{});
  advance(milliseconds(10'001));
  EXPECT_TRUE(store_->workers(milliseconds(10'000))->empty());
  worker.draining = true;
  ASSERT_TRUE(store_->upsert_worker(worker));
  EXPECT_TRUE(store_->workers(milliseconds(10'000))->at(0).draining);
  EXPECT_GE(store_->workers(milliseconds(10'000))->at(0).seen_at,
            store_->workers(milliseconds(10'000))->at(0).started_at + milliseconds(10'000));
  ASSERT_TRUE(store_->remove_worker("w1"));
  EXPECT_TRUE(store_->workers(milliseconds(10'000))->empty());
}

TEST_P(StoreContract, DrainingIsRemembered) {
  EXPECT_FALSE(*store_->draining());
  ASSERT_TRUE(store_->set_draining(true));
  EXPECT_TRUE(*store_->draining());
  ASSERT_TRUE(store_->set_draining(false));
  EXPECT_FALSE(*store_->draining());
}

TEST_P(StoreContract, EventsOfTenantsThatAreLeftOutStay) {
  for (const auto& [id, tenant] : {std::pair("a", "noisy"), std::pair("b", "quiet")}) {
    jobs::NewJob order = sample_job(id, tenant);
    order.job.webhook_url = "https://example.com/hook";
    ASSERT_TRUE(store_->create(order, kPlenty));
    ASSERT_TRUE(store_->cancel(id));
  }
  EXPECT_TRUE(store_->take_events({10, kLease, {"quiet", "noisy"}})->empty());
  const auto taken = *store_->take_events({10, kLease, {"loud", "noisy"}});
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].tenant, "quiet");
  EXPECT_EQ(store_->take_events({10, kLease, {}})->at(0).tenant, "noisy");
}

}  // namespace pytoon::testing_support
