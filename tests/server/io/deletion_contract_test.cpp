// Deletions that somebody asks for, and the queue that carries them out.
#include "tests/server/io/collector_fixture.h"

namespace pytoon::testing_support {

class DeletionContract : public CollectorFixture {};

TEST_P(DeletionContract, NothingNewRefersToAnObjectThatIsBeingDeleted) {
  const std::string key = "assets/acme/" + sha('a') + ".png";
  ASSERT_EQ(store_->condemn({key})->size(), 1U);
  jobs::AssetRecord asset;
  asset.tenant = "acme";
  asset.key = key;
  EXPECT_EQ(store_->keep_asset(asset).failure().kind, FailureKind::kUnavailable);
  EXPECT_EQ(store_->asset("acme", key).failure().kind, FailureKind::kNotFound);
  ASSERT_EQ(store_->take_deletions(10, std::chrono::minutes(1))->size(), 1U);
  EXPECT_TRUE(store_->take_deletions(10, std::chrono::minutes(1))->empty()) << "it is leased";
  EXPECT_FALSE(store_->keep_asset(asset));
  advance(std::chrono::minutes(2));
  EXPECT_EQ(store_->take_deletions(10, std::chrono::minutes(1))->size(), 1U) << "that one died";
  ASSERT_TRUE(store_->deleted({key}));
  EXPECT_TRUE(store_->keep_asset(asset));
  EXPECT_TRUE(store_->condemn({key})->empty());
}

TEST_P(DeletionContract, AJobIsRefusedWhenItsUploadIsGone) {
  const std::string asset = upload('a');
  ASSERT_TRUE(eraser_->delete_asset("acme", asset));
  EXPECT_FALSE(keys().contains(asset));
  jobs::NewJob order = sample_job("a");
  order.job.spec.assets.mask = "storage://" + asset;
  EXPECT_EQ(store_->create(order, kPlenty).failure().kind, FailureKind::kInvalid);
  EXPECT_EQ(store_->job("a").failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(upload('a'), asset) << "it may come again at once";
}

TEST_P(DeletionContract, AnUploadIsDeletedWhenNoLiveJobNeedsIt) {
  const std::string asset = upload('a');
  create_from("a", asset);
  EXPECT_EQ(eraser_->delete_asset("other", asset).failure().kind, FailureKind::kNotFound);
  const Status refused = eraser_->delete_asset("acme", asset);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().kind, FailureKind::kConflict);
  EXPECT_NE(refused.failure().detail.find("job a"), std::string::npos);
  EXPECT_EQ(pending_deletions(), 0U) << "a refusal leaves nothing behind";
  EXPECT_TRUE(store_->asset("acme", asset));
  ASSERT_TRUE(store_->cancel("a"));
  ASSERT_TRUE(eraser_->delete_asset(std::nullopt, asset));  // an operator
  EXPECT_EQ(eraser_->delete_asset("acme", asset).failure().kind, FailureKind::kNotFound);
  EXPECT_FALSE(keys().contains(asset));
}

TEST_P(DeletionContract, ADeletedJobLeavesNothing) {
  const std::string asset = upload('a');
  create_from("a", asset);
  EXPECT_EQ(eraser_->delete_job("a").failure().kind, FailureKind::kConflict);
  draw("a");
  finish();
  create_from("b", asset);
  draw("b");
  for (const char* key : {"footage/a/0.990001.mp4", "audio/a.990002.mp4", "jobs/a/late.mp4",
                          "outputs/a/1.990003/output.mp4"}) {
    put(key, hours(0));
  }
  ASSERT_TRUE(eraser_->delete_job("a"));
  EXPECT_TRUE(keys_of("a").empty());
  EXPECT_EQ(keys_of("b").size(), 4U);
  EXPECT_TRUE(keys().contains(asset));
  EXPECT_EQ(store_->job("a").failure().kind, FailureKind::kNotFound);
  EXPECT_TRUE(store_->segments("a")->empty());
  EXPECT_FALSE(*store_->record("acme", "key of a"));
  EXPECT_EQ(eraser_->delete_job("a").failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(pending_deletions(), 0U);
}

TEST_P(DeletionContract, WhatCantBeRemovedNowIsRemovedLater) {
  create_from("a", upload('a'));
  draw("a");
  finish();
  refusal_.refusing = true;
  ASSERT_TRUE(eraser_->delete_job("a")) << "the record says that it is gone";
  EXPECT_FALSE(keys_of("a").empty());
  EXPECT_GT(pending_deletions(), 0U);
  EXPECT_TRUE(logged("gc_failed"));
  refusal_.refusing = false;
  advance(std::chrono::minutes(16));
  collect();
  EXPECT_TRUE(keys_of("a").empty());
  EXPECT_EQ(pending_deletions(), 0U);
}

TEST_P(DeletionContract, OneTenantIsErasedAndNoOther) {
  const std::string mine = upload('a');
  const std::string theirs = upload('b', "other");
  create_from("theirs", theirs, "other");
  draw("theirs");
  for (int i = 0; i < 45; ++i) create_from("queued" + std::to_string(i), mine);
  create_from("mine", mine);
  put("assets/acme/" + sha('c') + ".png", hours(0));  // nobody's
  put("assets/acme.too/" + sha('c') + ".png", hours(0));
  const Keys kept = [&] {
    Keys all = keys_of("theirs");
    all.insert({theirs, "assets/acme.too/" + sha('c') + ".png"});
    return all;
  }();
  refusal_.refusing = true;
  EXPECT_FALSE(eraser_->purge_tenant("acme")) << "what can't be verified is not said to be done";
  refusal_.refusing = false;
  advance(std::chrono::minutes(16));
  jobs::Purged purged;
  int calls = 0;
  do {
    purged = *eraser_->purge_tenant("acme");
  } while (!purged.complete() && ++calls < 20);
  EXPECT_GE(calls, 1) << "a call does a bounded part";
  EXPECT_TRUE(purged.complete());
  EXPECT_EQ(keys(), kept);
  EXPECT_EQ(store_->rows_of("acme")->jobs, 0);
  EXPECT_EQ(store_->rows_of("acme")->assets, 0);
  EXPECT_EQ(store_->rows_of("acme")->idempotency_records, 0);
  EXPECT_EQ(store_->rows_of("other")->jobs, 1);
  EXPECT_TRUE(store_->asset("other", theirs));
  EXPECT_TRUE(eraser_->purge_tenant("nobody")->complete());
}

INSTANTIATE_TEST_SUITE_P(Stores, DeletionContract, testing::ValuesIn(all_stores()),
                         [](const auto& store) { return store.param.name; });

}  // namespace pytoon::testing_support
